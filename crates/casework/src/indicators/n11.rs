//! N11: mail about a case from somebody who has no role in it.
//!
//! A role is anything by which records of the case name somebody: appointments, parties, decisions, reviews, log, documents, notices.
//! Look-alikes: the line manager that day of somebody with a role to whom they write (explained; one step further up, or of somebody else, lower); a review that was tasked (explained); staff whose work is
//! the record, the rooms or the machines, who write about these (explained; about something else lower); a reply to somebody with a role, a
//! circular, mail to nobody with a role (lower). An address that the directory does not know is somebody's whose role cannot be looked up: low.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::record::RecordType;
use jiff::civil::Date;

use super::case_mail::{CaseMail, Message};
use super::draft::{Confidence, Draft, Weight};
use super::material::CaseFile;
use super::moment::Moment;
use super::{Context, Mail, Rule};
use crate::error::Result;
use crate::rules::phrases::Says;

/// Steps up the line that count as line management.
const STEPS: usize = 2;
/// Parts of addresses of machines.
const MACHINES: [&str; 8] = [
    "noreply",
    "no-reply",
    "donotreply",
    "do-not-reply",
    "postmaster",
    "mailer-daemon",
    "bounce",
    "notification",
];
/// Messages of one sender that are listed.
const MOST: usize = 50;

/// See the module.
pub(super) struct NoRole;

impl Rule for NoRole {
    fn id(&self) -> &'static str {
        "N11"
    }

    fn reads_mail(&self) -> bool {
        true
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(mail) = context.mail else {
            return Ok(Vec::new());
        };
        let of_case = case.mail(context, mail)?;
        let known = with_role(case);
        // Cases of which nobody's role is on record say nothing about who has none.
        if known.roles.is_empty() {
            return Ok(Vec::new());
        }
        let mut by_sender: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
        for message in of_case.messages() {
            let Some(sender) = &message.sender else { continue };
            let machine = MACHINES.iter().any(|word| sender.address.contains(word));
            if !machine && !known.named.contains(sender.key()) {
                by_sender.entry(sender.key()).or_default().push(message);
            }
        }
        let mut drafts = Vec::new();
        for messages in by_sender.values() {
            drafts.push(raise(context, mail, case, of_case, &known, messages)?);
        }
        Ok(drafts)
    }
}

/// Whom records of a case name.
pub(super) struct Known<'c> {
    /// In whatever role.
    pub(super) named: BTreeSet<&'c str>,
    /// By an appointment.
    roles: BTreeSet<&'c str>,
    /// As somebody who was tasked with a review, with the terms of reference.
    reviewers: BTreeMap<&'c str, &'c str>,
}

/// Fields that say who typed, not who has a part.
const TYPED: [&str; 3] = ["recorded_by", "created_by", "modified_by"];

pub(super) fn with_role(case: &CaseFile) -> Known<'_> {
    let mut known = Known {
        named: BTreeSet::new(),
        roles: BTreeSet::new(),
        reviewers: BTreeMap::new(),
    };
    for row in case.rows() {
        let typed: Vec<&str> = TYPED.iter().map(|name| row.text(name)).collect();
        let own: BTreeSet<&str> = PARTS.iter().map(|name| row.text(name)).collect();
        let several = ["subject_person_ids", "consulted", "notified"];
        let listed: BTreeSet<&str> = several.iter().flat_map(|name| row.record.list(name)).collect();
        match row.key.record_type {
            RecordType::RoleAppointment => {
                known.roles.insert(row.text("person_id"));
            }
            RecordType::Review => {
                known
                    .reviewers
                    .insert(row.text("reviewer_id"), row.text("terms_of_reference_ref"));
            }
            _ => {}
        }
        let review = row.key.record_type == RecordType::Review && row.text("review_kind") == "tasked";
        for person in row.record.people() {
            let only_typed = typed.contains(&person) && !own.contains(person) && !listed.contains(person);
            let only_tasked = review && person == row.text("reviewer_id");
            if !only_typed && !only_tasked {
                known.named.insert(person);
            }
        }
    }
    known
}

/// Fields that say who has a part.
const PARTS: [&str; 13] = [
    "person_id",
    "subject_person_id",
    "other_person_id",
    "appointed_by",
    "decided_by",
    "authorised_by",
    "served_by",
    "declared_to",
    "tasked_by",
    "reviewer_id",
    "author_id",
    "recipient",
    "report_to",
];

/// Messages between two days from people without a role, with who they are; for rules that only list them.
pub(super) fn outsiders<'m>(
    context: &Context<'_>,
    case: &CaseFile,
    of_case: &'m CaseMail,
    from: Date,
    to: Date,
) -> Vec<&'m Message> {
    let known = with_role(case);
    of_case
        .between(from, to)
        .filter(|message| {
            let Some(sender) = &message.sender else { return false };
            let managed = sender
                .person
                .as_ref()
                .zip(message.at)
                .is_some_and(|(person, at)| manages(context, &known, person, &at).is_some());
            !known.named.contains(sender.key()) && !known.reviewers.contains_key(sender.key()) && !managed
        })
        .collect()
}

/// Somebody with an appointment whom this person manages that day.
fn manages<'k>(context: &Context<'_>, known: &'k Known<'_>, person: &str, at: &Moment) -> Option<&'k str> {
    known.roles.iter().copied().find(|one| {
        let managers = context.shared.managers_of(one, at);
        managers.iter().any(|(id, steps)| id == person && *steps <= STEPS)
    })
}

fn raise(
    context: &Context<'_>,
    mail: Mail<'_>,
    case: &CaseFile,
    of_case: &CaseMail,
    known: &Known<'_>,
    messages: &[&Message],
) -> Result<Draft> {
    let sender = messages.first().and_then(|one| one.sender.as_ref());
    let who = sender.map_or_else(|| "somebody".to_owned(), |one| one.spoken(context));
    let key = sender.map_or("", |one| one.key());
    let person = sender.and_then(|one| one.person.as_deref());
    let days: Vec<String> = messages.iter().take(MOST).map(|one| one.day()).collect();
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "{} that {} case {}, of {}, {} from {who}, of whom no role in the case is on record",
            if messages.len() == 1 {
                "1 message".to_owned()
            } else {
                format!("{} messages", messages.len())
            },
            if messages.len() == 1 { "names" } else { "name" },
            case.case_ref,
            days.join(", "),
            if messages.len() == 1 { "is" } else { "are" },
        ),
    )
    .about(key)
    .person(person.unwrap_or_default());
    for message in messages.iter().take(MOST) {
        let to: Vec<String> = message.recipients.iter().map(|one| one.spoken(context)).collect();
        draft = draft.item(message.item()).speaks_for(format!(
            "{}: \"{}\", to {}",
            message.day(),
            message.row.subject,
            to.join("; ")
        ));
    }
    let Some(person) = person else {
        return Ok(draft
            .against(
                Weight::Lowers,
                "the directory does not know whose address it is, so that no role could be looked up",
            )
            .against(
                Weight::Lowers,
                "people from outside write about cases of their own accord",
            )
            .not_searchable("who uses an address that is on no record"));
    };
    draft = tasked(context, case, known, person, draft);
    draft = line_management(context, known, person, messages, draft);
    draft = support(context, mail, person, messages, draft);
    let answers = |one: &&Message| {
        let parents = one.row.in_reply_to.iter().chain(one.row.references.last());
        let ids: BTreeSet<&String> = parents.collect();
        of_case.messages().iter().any(|other| {
            other.row.message_id.as_ref().is_some_and(|id| ids.contains(id))
                && other
                    .sender
                    .as_ref()
                    .is_some_and(|from| known.named.contains(from.key()))
        })
    };
    if messages.iter().all(answers) {
        draft = draft.against(Weight::Lowers, "it answers mail of somebody who has a role in the case");
    }
    let reaches = |one: &&Message| one.recipients.iter().any(|to| known.named.contains(to.key()));
    if !messages.iter().any(reaches) {
        draft = draft.against(Weight::Lowers, "it went to nobody who has a role in the case");
    }
    if messages
        .iter()
        .all(|one| one.recipients.len() >= context.rules.settings.mail.circular_recipients)
    {
        draft = draft.against(Weight::Lowers, "it went to many at once");
    }
    Ok(draft
        .against(
            Weight::Open,
            "a task or a role may be recorded elsewhere, or the contact may have been asked for by word of mouth",
        )
        .not_searchable("calls and meetings, and mail about the case that does not name it"))
}

/// Line management of those to whom they write, or of somebody else with a role.
fn line_management(
    context: &Context<'_>,
    known: &Known<'_>,
    person: &str,
    messages: &[&Message],
    draft: Draft,
) -> Draft {
    let own: Vec<Option<&str>> = messages
        .iter()
        .map(|one| {
            let at = one.at.as_ref()?;
            let to = one.recipients.iter().filter_map(|to| to.person.as_deref());
            to.into_iter().find(|to| {
                let managers = context.shared.managers_of(to, at);
                known.roles.contains(to) && managers.iter().any(|(id, steps)| id == person && *steps == 1)
            })
        })
        .collect();
    if let Some(Some(one)) = own.first()
        && own.iter().all(Option::is_some)
    {
        return draft.against(
            Weight::Explains,
            format!(
                "line manager on record that day of {}, to whom they write and who has a role in the case",
                context.people.spoken(one)
            ),
        );
    }
    let other = messages
        .iter()
        .find_map(|one| manages(context, known, person, one.at.as_ref()?));
    match other {
        Some(one) => draft.against(
            Weight::Lowers,
            format!(
                "in the line of management above {}, who has a role in the case",
                context.people.spoken(one)
            ),
        ),
        None => draft,
    }
}

fn tasked(context: &Context<'_>, case: &CaseFile, known: &Known<'_>, person: &str, draft: Draft) -> Draft {
    let Some(terms) = known.reviewers.get(person) else {
        return draft;
    };
    let row = case
        .of(RecordType::Review)
        .find(|row| row.text("reviewer_id") == person);
    let draft = match row {
        Some(row) => draft.record(row),
        None => draft,
    };
    let by = row.map(|row| row.text("tasked_by")).unwrap_or_default();
    if terms.is_empty() && by.is_empty() {
        draft.against(Weight::Lowers, "a review by them is on record, without who tasked it")
    } else {
        draft.against(
            Weight::Explains,
            format!(
                "a review by them is on record, tasked by {}{}",
                if by.is_empty() {
                    "somebody".to_owned()
                } else {
                    context.people.spoken(by)
                },
                if terms.is_empty() {
                    String::new()
                } else {
                    format!(", terms of reference {terms}")
                }
            ),
        )
    }
}

/// Staff whose work is the record, the rooms or the machines.
fn support(context: &Context<'_>, mail: Mail<'_>, person: &str, messages: &[&Message], draft: Draft) -> Draft {
    let settings = &context.rules.settings.mail;
    let Some(career) = context.shared.career(person) else {
        return draft;
    };
    let member = career
        .row
        .as_ref()
        .map(|row| row.text("member_type").to_lowercase())
        .unwrap_or_default();
    let unit = career
        .units
        .iter()
        .filter(|past| {
            messages
                .iter()
                .any(|one| one.at.is_some_and(|at| past.span.may_cover(&at)))
        })
        .find(|past| {
            let value = past.value.to_lowercase();
            let mut words = value.split(|one: char| !one.is_alphanumeric());
            words.any(|word| settings.support_units.iter().any(|one| one == word))
        });
    let is_member = settings.support_members.contains(&member);
    if !is_member && unit.is_none() {
        return draft;
    }
    let what = unit.map_or_else(|| member.replace('_', " "), |past| past.value.clone());
    let places: Vec<usize> = context
        .rules
        .phrases
        .that(|says| matches!(says, Says::Support))
        .map(|(place, _)| place)
        .collect();
    let about_support = |one: &&Message| {
        let found = context.rules.phrases.found_in(&one.row.subject, one.own(mail), &places);
        !found.is_empty()
    };
    if messages.iter().all(about_support) {
        draft.against(
            Weight::Explains,
            format!("they are {what} on record and write about the record, a room or a machine"),
        )
    } else {
        draft
            .base(Confidence::Medium)
            .against(Weight::Lowers, format!("they are {what} on record"))
    }
}
