//! The regulations that govern a case, and what lines of rules ask of it.
//!
//! Main types: [`Governing`]; [`OlderMatter`], a linked matter under older regulations, with which a later complaint stays while that one is
//! handled. Whether two cases are about the same matter is not on record, so it is a point against an indicator and changes nothing else.
//! Invariant: regulations follow from the day on which the matter came to attention; without it nothing governs.

use embley_model::record::RecordType;
use embley_store::facts::records;
use jiff::civil::Date;

use super::Context;
use super::draft::Weight;
use super::material::{CaseFile, Row};
use crate::error::Result;
use crate::rules::deciders::CaseKind;
use crate::rules::{Frameworks, Regime, RegimeKind};

/// The regulations that govern a case.
#[derive(Clone, Copy, Debug)]
pub struct Governing<'r> {
    /// The day on which it came to attention.
    pub trigger: Date,
    /// Under Schedule 3.
    pub schedule_3: Option<bool>,
    /// Whether the record says so; else it is taken from the type of case.
    pub schedule_3_on_record: bool,
    /// For conduct.
    pub conduct: Option<&'r Regime>,
    /// For complaints and Schedule 3, when the case is or may be under it.
    pub complaint: Option<&'r Regime>,
}

impl<'r> Governing<'r> {
    /// The same for another day of attention.
    fn at<'o>(&self, day: Date, frameworks: &'o Frameworks) -> Governing<'o> {
        Governing {
            trigger: day,
            schedule_3: self.schedule_3,
            schedule_3_on_record: self.schedule_3_on_record,
            conduct: frameworks.governing(RegimeKind::Conduct, day),
            complaint: match self.schedule_3 {
                Some(false) => None,
                Some(true) | None => frameworks.governing(RegimeKind::Complaint, day),
            },
        }
    }

    /// Those that govern, complaints first.
    pub fn all(&self) -> Vec<&'r Regime> {
        self.complaint.into_iter().chain(self.conduct).collect()
    }

    /// Their ids.
    pub fn ids(&self) -> Vec<&'r str> {
        self.all().into_iter().map(|one| one.id.as_str()).collect()
    }

    /// What a line of `deciders.toml` asks of the case.
    pub fn kind<'a>(&self, ids: &'a [&'a str], head: Option<&'a Row>) -> CaseKind<'a> {
        CaseKind {
            regimes: ids,
            schedule_3: self.schedule_3,
            certified: head.is_some_and(|row| row.time("special_requirements_certified_at").is_some()),
            form: head.and_then(|row| row.record.text("form_of_investigation")),
        }
    }

    /// `A (SI 1) and B (SI 2)`.
    pub fn spoken(&self) -> String {
        let names: Vec<String> = self.all().into_iter().map(Regime::spoken).collect();
        names.join(" and ")
    }
}

/// A linked case that came to attention before this one, under other regulations, and was open when this one did.
pub(super) struct OlderMatter<'r> {
    /// The regulations of its day.
    pub(super) governing: Governing<'r>,
    /// What is on record of it, with the citation of the rule.
    pub(super) words: String,
    /// Its record.
    pub(super) row: Row,
    /// The case's own record cites the older regulations.
    pub(super) is_cited: bool,
}

impl<'r> OlderMatter<'r> {
    /// The first such case that the records of a case link to.
    ///
    /// # Errors
    /// The catalogue refuses or is damaged.
    pub(super) fn find(context: &Context<'r>, case: &CaseFile, governing: &Governing<'_>) -> Result<Option<Self>> {
        let frameworks = &context.rules.frameworks;
        if !frameworks.linked_matter.on {
            return Ok(None);
        }
        for head in case.of(RecordType::Case) {
            let cited = frameworks.cited(head.text("governing_regime"));
            for linked_ref in head.record.list("linked_case_refs") {
                for stored in records::of_case_and_type(context.facts, linked_ref, RecordType::Case)? {
                    let row = Row::of(&stored)?;
                    let earlier = row.day("came_to_attention_at", context.zone);
                    let Some(earlier) = earlier.filter(|earlier| *earlier < governing.trigger) else {
                        continue;
                    };
                    let ended = row
                        .day("closed_at", context.zone)
                        .is_some_and(|closed| closed < governing.trigger);
                    let older = governing.at(earlier, frameworks);
                    if ended || older.ids() == governing.ids() {
                        continue;
                    }
                    let words = format!(
                        "the linked case {linked_ref} came to attention on {earlier}, under {}, and was open when this one did; a later complaint about the same matter stays with them ({})",
                        older.spoken(),
                        frameworks.linked_matter.citation
                    );
                    return Ok(Some(Self {
                        is_cited: cited.iter().any(|one| older.ids().contains(&one.id.as_str())),
                        governing: older,
                        words,
                        row,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// How much it says against an indicator that rests on regulations which the older ones are not.
    pub(super) fn weight(&self) -> Weight {
        if self.is_cited {
            Weight::Explains
        } else {
            Weight::Lowers
        }
    }
}
