//! N7, what mail says: consultation before a change of severity, and contact from outside before it, which is only listed.
//!
//! A consultation in mail is a question of the decision-maker to whoever has to be consulted and an answer of theirs, or the answer alone, in
//! the days before the change (explained); one without the other lowers. A message that says what its author decided just before is no question. Not for: what records say (`n7`).

use std::collections::BTreeSet;

use embley_model::record::RecordType;
use jiff::ToSpan;

use super::case_mail::{CaseMail, Message};
use super::draft::{Confidence, Draft, Weight};
use super::material::{CaseFile, Row, holds};
use super::moment::Moment;
use super::n11::outsiders;
use super::{Context, Mail};
use crate::error::Result;
use crate::rules::phrases::Says;
use crate::rules::sentences::sentences;

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
    let by = change.row.text("decided_by");
    let roles = case.roles(context.zone);
    let is_authority =
        |person: &str, at: &Moment| holds(&roles, &context.rules.deciders, person, change.who, at).is_some();
    let before: Vec<&Message> = of_case
        .between(first_day(context, &change.moment), change.moment.day)
        .filter(|one| one.at.is_some_and(|at| at.may_be_by(&change.moment)))
        .collect();
    let asked = before.iter().copied().find(|one| {
        let Some(at) = &one.at else { return false };
        let mut to = one.recipients.iter().filter_map(|to| to.person.as_deref());
        one.is_from(by)
            && to.any(|to| to != by && is_authority(to, at))
            && !announces(context, case, by, at)
            && holds_one(context, mail, one, &Says::ConsultationAsked)
    });
    let answered = before.iter().copied().find(|one| {
        let Some(at) = &one.at else { return false };
        let from = one.sender.as_ref().and_then(|from| from.person.as_deref());
        let from_authority = from.is_some_and(|from| from != by && is_authority(from, at));
        let to_them = one.recipients.iter().any(|to| to.person.as_deref() == Some(by));
        let follows = match asked {
            // An answer to the question counts in whatever words.
            Some(question) => question.at <= one.at,
            None => !one.row.in_reply_to.is_empty() && holds_one(context, mail, one, &Says::ConsultationAnswered),
        };
        from_authority && to_them && follows
    });
    let spoken = change.who.replace('_', " ");
    let weight = if asked.is_some() && answered.is_some() {
        Weight::Explains
    } else {
        Weight::Lowers
    };
    let pairs = [(asked, "asks the"), (answered, "is from the")];
    for (message, what) in pairs.into_iter().filter_map(|(one, what)| Some((one?, what))) {
        let first = sentences(message.own(mail))
            .into_iter()
            .max_by_key(|one| one.chars().count());
        draft = draft.item(message.item()).against(
            weight,
            format!(
                "mail of {} {what} {spoken}: \"{}\"",
                message.day(),
                first.unwrap_or_else(|| message.row.subject.clone())
            ),
        );
    }
    Ok(draft)
}

/// True when a message holds one of these patterns, in its subject and text taken together.
fn holds_one(context: &Context<'_>, mail: Mail<'_>, message: &Message, says: &Says) -> bool {
    let text = format!("{}\n{}", message.row.subject, message.own(mail));
    let phrases = &context.rules.phrases;
    let denied = phrases
        .all()
        .iter()
        .any(|one| one.on && one.id == "no-consultation" && one.is_in(&text));
    !denied && phrases.that(|one| one == says).any(|(_, pattern)| pattern.is_in(&text))
}

/// True when the sender decided something in the case that day or the two days before: the message says what was decided.
fn announces(context: &Context<'_>, case: &CaseFile, by: &str, at: &Moment) -> bool {
    let first = at.day.checked_sub(2.days()).unwrap_or(at.day);
    case.of(RecordType::Decision).any(|row| {
        let decided = row.moment("decided_at", context.zone);
        row.text("decided_by") == by && decided.is_some_and(|one| one.may_be_by(at) && one.day >= first)
    })
}

fn first_day(context: &Context<'_>, moment: &Moment) -> jiff::civil::Date {
    let days = i64::from(context.rules.settings.mail.consultation_days);
    moment.day.checked_sub(days.days()).unwrap_or(moment.day)
}

/// Mail from people without a role in the days before a change: listed with low confidence, never more.
pub(super) fn contacts(
    context: &Context<'_>,
    case: &CaseFile,
    of_case: &CaseMail,
    change: &Change<'_>,
) -> Option<Draft> {
    let found = outsiders(
        context,
        case,
        of_case,
        first_day(context, &change.moment),
        change.moment.day,
    );
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
            .person(
                message
                    .sender
                    .as_ref()
                    .and_then(|one| one.person.as_deref())
                    .unwrap_or_default(),
            )
            .speaks_for(format!("{}: \"{}\"", message.day(), message.row.subject));
    }
    Some(
        draft
            .against(Weight::Open, "the two are listed because of their dates only")
            .not_searchable("calls and meetings, and mail about the case that does not name it"),
    )
}
