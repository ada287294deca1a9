//! N4, what mail says: declarations of conflicts that people with a part in the case sent by mail.
//!
//! Sentences that `decision-phrases.toml` finds as declarations; "nothing to declare" is none. A declaration that no record holds is raised; one
//! that was recorded after the decisions that it came before is explained by it. Not for: relations on record (`n4`). Main type: [`Heard`].

use std::collections::BTreeMap;

use embley_model::record::RecordType;
use embley_store::facts::cases::case_key;

use super::case_mail::{Message, Said};
use super::draft::{Confidence, Draft, Weight};
use super::material::{CaseFile, Row};
use super::moment::Moment;
use super::{Context, Mail};
use crate::error::Result;
use crate::rules::phrases::{Says, Turn};

/// Declarations found in mail, by who sent them, in the order of time.
#[derive(Default)]
pub(super) struct Heard<'m> {
    by: BTreeMap<String, Vec<One<'m>>>,
}

/// A declaration in mail.
pub(super) struct One<'m> {
    pub(super) message: &'m Message,
    pub(super) at: Moment,
    sentences: Vec<String>,
    unsure_case: bool,
}

impl<'m> Heard<'m> {
    /// Reads the mail of a case.
    pub(super) fn read(context: &Context<'_>, mail: Mail<'_>, case: &'m CaseFile) -> Result<Self> {
        let mut heard = Self::default();
        let of_case = case.mail(context, mail)?;
        let said = of_case.said(context, mail, |says| *says == Says::Declaration)?;
        for one in said.iter().filter(|one| !is_denied(one)) {
            let person = one.message.sender.as_ref().and_then(|from| from.person.clone());
            let (Some(person), Some(at)) = (person, one.message.at) else {
                continue;
            };
            let list = heard.by.entry(person).or_default();
            match list.last_mut() {
                Some(last) if last.message.item() == one.message.item() => {
                    if !last.sentences.contains(&one.phrase.sentence) {
                        last.sentences.push(one.phrase.sentence.clone());
                    }
                    last.unsure_case &= one.unsure_case;
                }
                _ => list.push(One {
                    message: one.message,
                    at,
                    sentences: vec![one.phrase.sentence.clone()],
                    unsure_case: one.unsure_case,
                }),
            }
        }
        Ok(heard)
    }

    /// The first that somebody sent, when it came by then.
    pub(super) fn first_by(&self, person: &str, moment: &Moment) -> Option<&One<'m>> {
        self.by.get(person)?.iter().find(|one| one.at.may_be_by(moment))
    }
}

/// True for "nothing to declare" and the like.
fn is_denied(said: &Said<'_, '_>) -> bool {
    let turns = said.phrase.turned.iter();
    turns
        .filter_map(|one| match one.says {
            Says::Turn(turn, _) => Some(turn),
            _ => None,
        })
        .any(|turn| matches!(turn, Turn::Negation | Turn::Supposition | Turn::Discussion))
}

impl One<'_> {
    /// What it says, as a point.
    pub(super) fn words(&self) -> String {
        let sentences: Vec<String> = self.sentences.iter().map(|one| format!("\"{one}\"")).collect();
        format!(
            "mail of {} from them has words of a declaration: {}",
            self.at.day,
            sentences.join(" ")
        )
    }
}

/// Declarations in mail by people with a part in the case, of which the case system holds none, or holds it only since after a decision.
/// `raised`: people about whom a relation on record was raised; what mail says of those stands there.
pub(super) fn drafts(context: &Context<'_>, case: &CaseFile, heard: &Heard<'_>, raised: &[String]) -> Vec<Draft> {
    let mut all = Vec::new();
    for (person, declarations) in &heard.by {
        if raised.contains(person) {
            continue;
        }
        let Some(first) = declarations.first() else { continue };
        let decided = case
            .of(RecordType::Decision)
            .filter(|row| row.text("decided_by") == person)
            .filter_map(|row| Some((row.moment("decided_at", context.zone)?, row)));
        let mut after: Vec<(Moment, &Row)> = decided.filter(|(moment, _)| first.at.may_be_by(moment)).collect();
        after.sort_by_key(|(moment, row)| (*moment, row.item));
        let held = case.roles(context.zone).iter().any(|held| held.person() == person);
        if after.is_empty() && !held {
            continue;
        }
        let records: Vec<&Row> = context
            .shared
            .declarations_of(person)
            .iter()
            .filter(|row| {
                let of = row.text("case_ref");
                row.flag("nil_declaration") != Some(true) && (of.is_empty() || case.name().keys.contains(&case_key(of)))
            })
            .collect();
        let recorded = records
            .iter()
            .filter_map(|row| Some((row.moment("recorded_at", context.zone)?, *row)))
            .min_by_key(|(moment, _)| *moment);
        let late = recorded.filter(|(moment, _)| after.iter().any(|(decided, _)| decided.surely_before(moment)));
        if !records.is_empty() && late.is_none() {
            continue;
        }
        all.push(draft(context, case, person, first, &after, late));
    }
    all
}

fn draft(
    context: &Context<'_>,
    case: &CaseFile,
    person: &str,
    first: &One<'_>,
    after: &[(Moment, &Row)],
    late: Option<(Moment, &Row)>,
) -> Draft {
    let on_record = match late {
        Some((moment, _)) => format!("the case system holds one recorded on {}", moment.day),
        None => "the case system holds none of theirs for it".to_owned(),
    };
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "a message of {} from {} that names case {} has words of a declaration of a conflict, and {on_record}",
            first.at.day,
            context.people.spoken(person),
            case.case_ref
        ),
    )
    .about("declared in mail")
    .about(person)
    .person(person)
    .item(first.message.item())
    .speaks_for(first.words())
    .base(Confidence::Medium);
    for (moment, row) in after {
        draft = draft.record(row).speaks_for(format!(
            "they decided {} on {}",
            row.text("decision_type").replace('_', " "),
            moment.day
        ));
    }
    if let Some((moment, row)) = late {
        draft = draft.record(row).against(
            Weight::Explains,
            format!(
                "it was declared by mail before the decision, and recorded on {}, as declared on {}",
                moment.day,
                row.text("declared_at")
            ),
        );
    }
    if after.is_empty() {
        draft = draft.against(Weight::Lowers, "no later decision of theirs in the case is on record");
    }
    if first.unsure_case {
        draft = draft.against(
            Weight::Lowers,
            "the message names several cases, and the sentence does not say which it means",
        );
    }
    draft
        .against(
            Weight::Open,
            "the relation may have been looked at and managed without a record on the case system",
        )
        .not_searchable("declarations by word of mouth, and mail that does not name the case")
}
