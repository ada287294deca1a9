//! N7, what mail says: consultation before a change of severity, and contact from outside before it, which is only listed.
//!
//! A consultation in mail is a question of the decision-maker to whoever has to be consulted and an answer of theirs, or the answer alone, in
//! the days before the change (explained); a question without an answer lowers. Not for: what records say (`n7`).

use std::collections::BTreeSet;

use jiff::ToSpan;

use super::case_mail::{CaseMail, Said};
use super::draft::{Confidence, Draft, Weight};
use super::material::{CaseFile, Row, holds};
use super::moment::Moment;
use super::n11::outsiders;
use super::{Context, Mail};
use crate::error::Result;
use crate::rules::phrases::Says;

/// A change of severity.
pub(super) struct Change<'c> {
    /// Its record.
    pub(super) row: &'c Row,
    /// When.
    pub(super) moment: Moment,
    /// The word of `deciders.toml` for whoever is consulted.
    pub(super) who: &'c str,
}

/// Adds to a draft what mail says of a consultation.
pub(super) fn consulted(
    context: &Context<'_>,
    mail: Mail<'_>,
    case: &CaseFile,
    change: &Change<'_>,
    mut draft: Draft,
) -> Result<Draft> {
    let of_case = case.mail(context, mail)?;
    let asked = of_case.said(context, mail, |says| *says == Says::ConsultationAsked)?;
    let answered = of_case.said(context, mail, |says| *says == Says::ConsultationAnswered)?;
    let by = change.row.text("decided_by");
    let roles = case.roles(context.zone);
    let is_authority = |person: &str, at: &Moment| holds(&roles, &context.rules.deciders, person, change.who, at).is_some();
    let in_time = |said: &&Said<'_, '_>| {
        let from = first_day(context, &change.moment);
        said.message
            .at
            .is_some_and(|at| at.may_be_by(&change.moment) && at.day >= from && !is_turned_down(said))
    };
    let question = asked.iter().filter(in_time).find(|said| {
        let to = said.message.recipients.iter().filter_map(|one| one.person.as_deref());
        said.message.is_from(by) && said.message.at.is_some_and(|at| to.into_iter().any(|one| is_authority(one, &at)))
    });
    let answer = answered.iter().filter(in_time).find(|said| {
        let from = said.message.sender.as_ref().and_then(|one| one.person.as_deref());
        let to_them = said.message.recipients.iter().any(|one| one.person.as_deref() == Some(by));
        let after = question.is_none_or(|asked| asked.message.at <= said.message.at);
        let authority = from.zip(said.message.at).is_some_and(|(from, at)| from != by && is_authority(from, &at));
        // An answer without the question is one only when it follows a message of the decision-maker.
        to_them && authority && after && (question.is_some() || !said.message.row.in_reply_to.is_empty())
    });
    let spoken = change.who.replace('_', " ");
    for (said, what) in question.iter().map(|one| (one, "asks the")).chain(answer.iter().map(|one| (one, "is from the"))) {
        draft = draft.item(said.message.item()).against(
            if answer.is_some() && question.is_some() { Weight::Explains } else { Weight::Lowers },
            format!(
                "mail of {} {what} {spoken}: \"{}\"",
                said.message.day(),
                said.phrase.sentence
            ),
        );
    }
    Ok(draft)
}

/// A sentence about consulting that says it was not done.
fn is_turned_down(said: &Said<'_, '_>) -> bool {
    said.phrase.turned.iter().any(|one| one.id == "no-consultation")
}

fn first_day(context: &Context<'_>, moment: &Moment) -> jiff::civil::Date {
    let days = i64::from(context.rules.settings.mail.consultation_days);
    moment.day.checked_sub(days.days()).unwrap_or(moment.day)
}

/// Mail from people without a role in the days before a change: listed with low confidence, never more.
pub(super) fn contacts(context: &Context<'_>, case: &CaseFile, of_case: &CaseMail, change: &Change<'_>) -> Option<Draft> {
    let found = outsiders(context, case, of_case, first_day(context, &change.moment), change.moment.day);
    let found: Vec<_> = found
        .into_iter()
        .filter(|one| one.at.is_some_and(|at| at.may_be_by(&change.moment)))
        .collect();
    if found.is_empty() {
        return None;
    }
    let who: BTreeSet<String> = found
        .iter()
        .filter_map(|one| one.sender.as_ref())
        .map(|one| one.spoken(context))
        .collect();
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "the severity assessment of case {} is recorded as revised on {}; in the {} days before, mail that names the case came from {}, of whom no role in it is on record",
            case.case_ref,
            change.moment.day,
            context.rules.settings.mail.consultation_days,
            who.into_iter().collect::<Vec<_>>().join("; ")
        ),
    )
    .about("contact")
    .input(change.row)
    .base(Confidence::Low);
    for message in found {
        draft = draft
            .item(message.item())
            .person(message.sender.as_ref().and_then(|one| one.person.as_deref()).unwrap_or_default())
            .speaks_for(format!("{}: \"{}\"", message.day(), message.row.subject));
    }
    Some(
        draft
            .against(Weight::Open, "the two are listed because of their dates only")
            .not_searchable("calls and meetings, and mail about the case that does not name it"),
    )
}
