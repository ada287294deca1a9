//! The entries and marks of a timeline, put in order and limited to what was asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use embley_model::id::ItemNo;
use embley_model::item::ItemKind;
use embley_model::record::{Record, RecordTime, RecordType};
use embley_store::facts::cases::case_key;

use super::contradictions::{Looking, contradictions};
use super::entry::{Entry, EntryKind, Part, Precision, RoleInterval, Subject, Timeline};
use super::marks::{Mark, MarkKind, OpenTime, clocks, gaps};
use super::material::{HeldExhibit, Material, spoken_person};
use super::of_record::{self, at_time};
use super::{Ask, ItemCard, Sources, sentence};
use crate::error::{CaseworkError, Result};
use crate::history::{Change, history};
use crate::indicators::Moment;
use crate::people::{Directory, Wanted};

/// Changed fields that a mark names; it says how many more there are.
const MOST_CHANGES: usize = 6;

/// Makes the timeline of a case, or of a person, from what is in the case folder now.
///
/// # Errors
/// Neither a case nor a person is asked for, or the catalogue or the index refuses.
pub fn timeline(sources: Sources<'_>, ask: &Ask) -> Result<Timeline> {
    let people = Directory::load_in(sources.facts, sources.zone)?;
    let person = ask.person.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let of_case = !case_key(&ask.case_ref).is_empty();
    let (subject, material) = match person {
        _ if of_case => (
            Subject::Case(ask.case_ref.trim().to_owned()),
            Material::of_case(sources, &ask.case_ref)?,
        ),
        Some(person) => (
            Subject::Person(spoken_person(&people, person)),
            Material::of_person(sources, ask, &people.resolve(person), person)?,
        ),
        None => {
            return Err(CaseworkError::Request {
                detail: "a timeline needs the reference of a case, or a person".to_owned(),
            });
        }
    };
    let mut entries = all_entries(&material, sources, &people);
    entries.sort_by(Entry::order);
    let mut marks = all_marks(&material, &entries, sources, ask, &people, of_case)?;
    let mut roles = intervals(&material, sources, &people);
    if of_case && let Some(person) = person {
        let wanted = people.resolve(person);
        of_whom(&mut entries, &wanted, &material);
        roles.retain(|role| wanted.is(&role.person_id));
    }
    limit(&mut entries, ask);
    limit_marks(&mut marks, &entries, ask, of_case && person.is_some());
    roles.retain(|role| {
        ask.from_secs
            .is_none_or(|from| role.until_secs.is_none_or(|until| until >= from))
            && ask
                .until_secs
                .is_none_or(|end| role.from_secs.is_none_or(|from| from < end))
    });
    let undated = entries.iter().filter(|entry| entry.utc_secs.is_none()).count() as u64;
    Ok(Timeline {
        subject,
        case_ref: ask.case_ref.clone(),
        known_as: material.known_as,
        zone: sources.zone.iana_name().unwrap_or("UTC").to_owned(),
        entries,
        undated,
        roles,
        marks,
        left_out: material.left_out,
        limits: ask.limits(sources.zone, of_case),
    })
}

fn all_entries(material: &Material, sources: Sources<'_>, people: &Directory) -> Vec<Entry> {
    let holders = material.holders();
    let mut entries = Vec::new();
    let mut own = HashSet::new();
    for (stored, record) in &material.records {
        own.insert(stored.item);
        for mut entry in of_record::entries(record, sources, people) {
            entry.item_no = Some(stored.item);
            entry.item = material.cards.get(&stored.item).map(|card| card.id.clone());
            entry.why = vec![format!("record of {}", record.case_refs().join(" or "))];
            if record.case_refs().is_empty() {
                entry.why = vec!["record that names the person".to_owned()];
            }
            entries.push(entry);
        }
    }
    for card in material.cards.values().filter(|card| !own.contains(&card.item)) {
        let why = material.why(card.item);
        if !why.is_empty() {
            entries.push(of_item(card, why, sources));
        }
    }
    for entry in &mut entries {
        let Some(item) = entry.item_no else { continue };
        if let Some(held) = holders.get(&item) {
            entry.exhibits.clone_from(held);
        }
        entry.twins = material.twins(item);
    }
    entries.extend(material.exhibits.iter().map(|held| of_exhibit(material, held, sources)));
    entries
}

/// An exhibit stands where it was produced, when that is said, else at its earliest item on the timeline.
fn of_exhibit(material: &Material, held: &HeldExhibit, sources: Sources<'_>) -> Entry {
    let produced = RecordTime::parse(&held.exhibit.produced_on);
    let cards = &material.cards;
    let dated = held
        .items
        .iter()
        .filter_map(|item| cards.get(&ItemNo(item)))
        .filter(|card| card.date.utc_secs.is_some())
        .min_by_key(|card| (card.date.utc_secs, card.item));
    let words = sentence::exhibit(&held.exhibit);
    let mut entry = match (&produced, dated) {
        (Some(time), _) => at_time(Some(time), EntryKind::Exhibit, words, sources),
        (None, Some(card)) => {
            let mut entry = Entry::at(&card.date, Precision::Moment, EntryKind::Exhibit, words, sources.zone);
            entry.sentence.push_str("; shown at the date of its earliest item here");
            entry
        }
        (None, None) => at_time(None, EntryKind::Exhibit, words, sources),
    };
    entry.item_no = held.items.min().map(ItemNo);
    entry.item = entry
        .item_no
        .and_then(|item| cards.get(&item))
        .map(|card| card.id.clone());
    entry.exhibits = vec![held.exhibit.reference.to_string()];
    entry.why = held.linked.iter().map(|target| format!("linked to {target}")).collect();
    if entry.why.is_empty() {
        entry.why.push("holds items of this timeline".to_owned());
    }
    if !held.exhibit.produced_by.is_empty() {
        let produced_by = held.exhibit.produced_by.clone();
        entry.people.push(Part {
            part: "produced_by".to_owned(),
            id: produced_by,
            name: String::new(),
        });
    }
    entry
}

fn of_item(card: &ItemCard, why: Vec<String>, sources: Sources<'_>) -> Entry {
    let kind = match card.kind {
        ItemKind::Email => EntryKind::Email,
        ItemKind::Attachment => EntryKind::Attachment,
        ItemKind::Document => EntryKind::Document,
        ItemKind::Record => EntryKind::Record,
    };
    let is_day = card.kind == ItemKind::Record && RecordTime::parse(&card.date.raw).is_some_and(|time| time.is_day());
    let precision = if is_day { Precision::Day } else { Precision::Moment };
    let mut entry = Entry::at(&card.date, precision, kind, sentence::item(card), sources.zone);
    entry.item_no = Some(card.item);
    entry.item = Some(card.id.clone());
    entry.why = why;
    entry.people = card
        .participants
        .iter()
        .map(|one| Part {
            part: format!("{:?}", one.role).to_lowercase(),
            id: one.address.addr.clone(),
            name: one.address.name.clone(),
        })
        .collect();
    entry
}

fn intervals(material: &Material, sources: Sources<'_>, people: &Directory) -> Vec<RoleInterval> {
    let records = material.records.iter();
    let mut roles: Vec<RoleInterval> = records
        .filter_map(|(_, record)| of_record::interval(record, sources, people))
        .collect();
    roles.sort_by(|one, other| {
        let key = |role: &RoleInterval| {
            (
                case_key(&role.person_id),
                role.from_secs,
                role.until_secs,
                role.record.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    roles
}

/// The marks of the whole timeline, in order. Gaps and clocks are those of a case; records are held against others of the same case.
fn all_marks(
    material: &Material,
    entries: &[Entry],
    sources: Sources<'_>,
    ask: &Ask,
    people: &Directory,
    of_case: bool,
) -> Result<Vec<Mark>> {
    let looking = Looking {
        people,
        zone: sources.zone,
        rules: sources.rules,
    };
    let mut groups: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for (_, record) in &material.records {
        let key = if of_case {
            None
        } else {
            record.case_refs().first().map(|one| case_key(one))
        };
        groups.entry(key.unwrap_or_default()).or_default().push(record);
    }
    let mut marks: Vec<Mark> = groups
        .values()
        .flat_map(|records| contradictions(records, &looking))
        .collect();
    marks.extend(changed_between_imports(material, sources)?);
    if of_case {
        marks.extend(gaps(entries, open_time(material, sources), ask.gap_days, sources.zone));
        if let Some(rules) = sources.rules {
            marks.extend(clocks(sources.facts, rules, people, sources.zone, &material.known_as)?);
        }
    }
    marks.sort_by(|one, other| {
        (one.at_secs, one.kind, &one.sentence, &one.records).cmp(&(
            other.at_secs,
            other.kind,
            &other.sentence,
            &other.records,
        ))
    });
    // Two systems may hold one and the same row.
    marks.dedup();
    Ok(marks)
}

/// Rows that say something else than in an earlier import, where they stand now.
fn changed_between_imports(material: &Material, sources: Sources<'_>) -> Result<Vec<Mark>> {
    let mut marks = Vec::new();
    for (stored, record) in material.records.iter().filter(|(stored, _)| stored.version > 1) {
        let event = record
            .key
            .record_type
            .event_fields()
            .iter()
            .find_map(|field| record.time(field));
        for version in history(sources.facts, stored.item)? {
            let changed: Vec<String> = version
                .changes
                .iter()
                .filter(|one| one.replaces())
                .map(Change::spoken)
                .collect();
            if changed.is_empty() {
                continue;
            }
            let at = event.as_ref().and_then(|time| time.utc_secs(sources.zone));
            let imported = version
                .imported_at
                .parse::<jiff::Timestamp>()
                .ok()
                .map(|at| at.as_second());
            let Some(at) = at.or(imported) else { continue };
            let more = changed.len().saturating_sub(MOST_CHANGES);
            let mut words = changed[..changed.len().min(MOST_CHANGES)].join("; ");
            if more > 0 {
                words.push_str(&format!("; and {more} more"));
            }
            let sentence = format!(
                "{} says something else since the import of {} ({}, row {}): {words}",
                record.key.display(),
                version.imported_at,
                version.source,
                version.source_row
            );
            let mut mark = Mark::new(MarkKind::ChangedBetweenImports, at, sentence, sources.zone);
            if version.same_columns {
                let words = "the columns of the source are the same: the field map read them in another way";
                mark.on_record.push(words.to_owned());
            }
            mark.records.push(record.key.display());
            marks.push(mark);
        }
    }
    Ok(marks)
}

/// From the first day on which the case was there to the last on which it was closed; open without end when one of its records is.
fn open_time(material: &Material, sources: Sources<'_>) -> OpenTime {
    let heads = || {
        material
            .records
            .iter()
            .filter(|(stored, _)| stored.key.record_type == RecordType::Case)
    };
    let moment = |record: &Record, field: &str| Moment::of(&record.time(field)?, sources.zone);
    let from = heads()
        .flat_map(|(_, record)| ["came_to_attention_at", "opened_at"].map(|field| moment(record, field)))
        .flatten()
        .map(|at| at.earliest)
        .min();
    let until = heads()
        .filter_map(|(_, record)| moment(record, "closed_at"))
        .map(|at| at.earliest)
        .max();
    OpenTime { from, until }
}

/// Leaves the entries of a case in which somebody takes part, and the exhibits that hold them.
fn of_whom(entries: &mut Vec<Entry>, wanted: &Wanted<'_>, material: &Material) {
    let takes_part = |entry: &Entry| {
        let card = entry
            .item_no
            .filter(|_| entry.kind != EntryKind::Exhibit)
            .and_then(|item| material.cards.get(&item));
        entry.people.iter().any(|part| wanted.is(&part.id))
            || card.is_some_and(|card| wanted.takes_part(&card.participants, card.date.utc_secs))
    };
    let held: BTreeSet<String> = entries
        .iter()
        .filter(|entry| entry.kind != EntryKind::Exhibit && takes_part(entry))
        .flat_map(|entry| entry.exhibits.iter().cloned())
        .collect();
    entries.retain(|entry| {
        takes_part(entry) || entry.kind == EntryKind::Exhibit && entry.exhibits.iter().any(|one| held.contains(one))
    });
}

/// Leaves what was asked for. Undated entries stay inside any limits of time: they cannot be shown to lie outside.
fn limit(entries: &mut Vec<Entry>, ask: &Ask) {
    entries.retain(|entry| {
        let inside = entry.utc_secs.is_none_or(|secs| ask.covers(secs));
        inside && (ask.kinds.is_empty() || ask.kinds.contains(&entry.kind))
    });
}

/// Leaves the marks inside the limits of time. Of a part of the entries only those that rest on records among them: a gap of all entries says
/// nothing of some.
fn limit_marks(marks: &mut Vec<Mark>, entries: &[Entry], ask: &Ask, of_person: bool) {
    let part = of_person || !ask.kinds.is_empty();
    let shown: HashSet<&str> = if part {
        entries.iter().filter_map(|entry| entry.record.as_deref()).collect()
    } else {
        HashSet::new()
    };
    marks.retain(|mark| {
        let inside = ask.covers(mark.at_secs) || mark.until_secs.is_some_and(|until| ask.covers(until));
        inside && (!part || mark.kind != MarkKind::Gap && mark.records.iter().any(|one| shown.contains(one.as_str())))
    });
}
