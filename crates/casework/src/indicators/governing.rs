//! The regulations that govern a case, and what lines of rules ask of it.
//!
//! Main type: [`Governing`]. Invariant: regulations follow from the day on which the matter came to attention; without it nothing governs.

use jiff::civil::Date;

use super::material::Row;
use crate::rules::Regime;
use crate::rules::deciders::CaseKind;

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
