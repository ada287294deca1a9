//! Entries that a record makes: one for each event that it dates.

use embley_model::date::EvidenceDate;
use embley_model::record::{CaseRecord, Decision, FieldKind, Record, RecordTime, RoleAppointment, Typed};
use serde_json::Value;

use super::entry::{DecisionDetail, Entry, EntryKind, Part, Precision, RoleDetail, RoleInterval};
use super::{Sources, sentence, wording};
use crate::indicators::{Moment, Span};
use crate::people::Directory;

/// The entries of a record, without its item.
pub(super) fn entries(record: &Record, sources: Sources<'_>, people: &Directory) -> Vec<Entry> {
    let mut entries = match record.typed() {
        Typed::Decision(decision) => vec![of_decision(&decision, sources, people)],
        Typed::RoleAppointment(role) => of_role(&role, sources, people),
        Typed::Case(case) => of_case(&case, sources),
        Typed::Person(_) | Typed::Other => vec![of_other(record, sources, people)],
    };
    let parts = parts_of(record, people);
    for entry in &mut entries {
        entry.record = Some(record.key.display());
        entry.people.clone_from(&parts);
    }
    entries
}

/// An entry at a time of a record, or an undated one.
pub(super) fn at_time(time: Option<&RecordTime>, kind: EntryKind, words: String, sources: Sources<'_>) -> Entry {
    let date = time.map_or_else(EvidenceDate::undated, |time| time.evidence(sources.zone));
    let precision = if time.is_some_and(RecordTime::is_day) {
        Precision::Day
    } else {
        Precision::Moment
    };
    Entry::at(&date, precision, kind, words, sources.zone)
}

fn of_decision(decision: &Decision, sources: Sources<'_>, people: &Directory) -> Entry {
    let words = sentence::decision(decision, people);
    let mut entry = at_time(decision.decided_at.as_ref(), EntryKind::Decision, words, sources);
    entry.decision = Some(DecisionDetail {
        decision_type: decision.decision_type.clone(),
        outcome: decision.outcome.clone(),
        decided_by: decision.decided_by.clone(),
        role_claimed: decision.role_claimed.clone(),
        regulation_cited: decision.regulation_cited.clone(),
        regime_cited: decision.regime_cited.clone(),
        subject_person_ids: decision.subject_person_ids.clone(),
        supersedes_decision_id: decision.supersedes_decision_id.clone(),
    });
    entry
}

fn of_role(role: &RoleAppointment, sources: Sources<'_>, people: &Directory) -> Vec<Entry> {
    let detail = RoleDetail {
        role: role.role.clone(),
        person_id: role.person_id.clone(),
        appointed_by: role.appointed_by.clone(),
        basis: role.basis.clone(),
        acting: role.acting,
    };
    let start = sentence::role_start(role, people);
    let mut entries = vec![at_time(
        role.appointed_at.as_ref(),
        EntryKind::RoleStart,
        start,
        sources,
    )];
    if let Some(ended) = &role.ended_at {
        entries.push(at_time(
            Some(ended),
            EntryKind::RoleEnd,
            sentence::role_end(role, people),
            sources,
        ));
    }
    for entry in &mut entries {
        entry.role = Some(detail.clone());
    }
    entries
}

/// The time for which somebody holds a role, when the record is an appointment.
pub(super) fn interval(record: &Record, sources: Sources<'_>, people: &Directory) -> Option<RoleInterval> {
    let Typed::RoleAppointment(role) = record.typed() else {
        return None;
    };
    let moment = |time: &Option<RecordTime>| Moment::of(time.as_ref()?, sources.zone);
    let span = Span {
        from: moment(&role.appointed_at),
        to: moment(&role.ended_at),
    };
    let person = if role.person_id.is_empty() {
        "person not recorded".to_owned()
    } else {
        people.spoken(&role.person_id)
    };
    let acting = role.acting == Some(true);
    let word = if role.role.is_empty() {
        "role not recorded".to_owned()
    } else {
        sentence::spoken(&role.role)
    };
    Some(RoleInterval {
        sentence: format!(
            "{}{word}, {person}, {}",
            if acting { "acting " } else { "" },
            span.spoken()
        ),
        role: word,
        person_id: role.person_id.clone(),
        person,
        acting,
        from_secs: span.from.map(|at| at.earliest),
        until_secs: span.to.map(|at| at.latest),
        record: record.key.display(),
    })
}

/// Each date of a case is an entry; a case without any stands undated.
fn of_case(case: &CaseRecord, sources: Sources<'_>) -> Vec<Entry> {
    let dates = [
        ("date_of_incident", &case.date_of_incident),
        ("came_to_attention_at", &case.came_to_attention_at),
        ("opened_at", &case.opened_at),
        (
            "special_requirements_certified_at",
            &case.special_requirements_certified_at,
        ),
        ("closed_at", &case.closed_at),
    ];
    let mut entries: Vec<Entry> = Vec::new();
    for (field, time) in dates {
        if let Some(time) = time {
            let words = format!("{}: {}", case.case_ref, sentence::case_date(field));
            entries.push(at_time(Some(time), EntryKind::CaseDate, words, sources));
        }
    }
    if entries.is_empty() {
        let words = format!("{}: case recorded without a date", case.case_ref);
        entries.push(at_time(None, EntryKind::CaseDate, words, sources));
    }
    entries
}

fn of_other(record: &Record, sources: Sources<'_>, people: &Directory) -> Entry {
    let dated = record
        .key
        .record_type
        .event_fields()
        .iter()
        .find_map(|name| Some((*name, record.time(name)?)));
    let kind = wording::kind_of(record.key.record_type);
    let words = wording::record(record, people);
    let mut entry = at_time(dated.as_ref().map(|(_, time)| time), kind, words, sources);
    entry.due = dated.is_some_and(|(name, _)| name == "due_at");
    entry
}

/// Everybody whom a record names by id, in the order of field names.
fn parts_of(record: &Record, people: &Directory) -> Vec<Part> {
    let mut parts = Vec::new();
    for (field, value) in &record.fields {
        let names_people = ["_id", "_ids", "_by", "_to"].iter().any(|end| field.ends_with(end))
            || matches!(field.as_str(), "consulted" | "notified" | "recipient");
        let is_text = matches!(
            record.key.record_type.field(field),
            Some(FieldKind::Text | FieldKind::Texts)
        );
        if !names_people || !is_text || field == "supersedes_decision_id" {
            continue;
        }
        let ids: Vec<&str> = match value {
            Value::String(id) => vec![id],
            Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        };
        for id in ids {
            let name = people.name(id).unwrap_or_default().to_owned();
            parts.push(Part {
                part: field.clone(),
                id: id.to_owned(),
                name,
            });
        }
    }
    parts.sort_by(|one, other| one.part.cmp(&other.part));
    parts
}
