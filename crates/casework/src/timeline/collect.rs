//! Gathering the entries of a timeline and putting them in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use embley_model::date::EvidenceDate;
use embley_model::id::ItemNo;
use embley_model::item::ItemKind;
use embley_model::record::{CaseRecord, Decision, FieldKind, Record, RecordTime, RecordType, RoleAppointment, Typed};
use embley_store::facts::cases::case_key;
use embley_store::facts::exhibits::{self, Exhibit};
use embley_store::facts::links::{self, Target};
use embley_store::facts::{records, sets};
use roaring::RoaringBitmap;
use serde_json::Value;

use super::entry::{DecisionDetail, Entry, EntryKind, Part, Precision, RoleDetail, Timeline};
use super::{Ask, ItemCard, Sources, sentence};
use crate::error::{CaseworkError, Result};
use crate::people::{Directory, Wanted};

/// Makes the timeline of a case from what is in the case folder now.
///
/// # Errors
/// The reference is empty, or the catalogue or the index refuses.
pub fn timeline(sources: Sources<'_>, ask: &Ask) -> Result<Timeline> {
    if case_key(&ask.case_ref).is_empty() {
        return Err(CaseworkError::Request {
            detail: "a timeline needs the reference of a case".to_owned(),
        });
    }
    let people = Directory::load_in(sources.facts, sources.zone)?;
    let material = Material::gather(sources, &ask.case_ref)?;
    let mut entries = material.entries(sources, &people);
    filter(&mut entries, ask, &people, &material);
    entries.sort_by(Entry::order);
    let undated = entries.iter().filter(|entry| entry.utc_secs.is_none()).count() as u64;
    Ok(Timeline {
        case_ref: ask.case_ref.clone(),
        known_as: material.known_as,
        zone: sources.zone.iana_name().unwrap_or("UTC").to_owned(),
        entries,
        undated,
    })
}

/// A record of the case, stored and read.
type OwnRecord = (records::Stored, Record);

/// An exhibit on the timeline.
struct HeldExhibit {
    exhibit: Exhibit,
    items: RoaringBitmap,
    /// Why it is there: the targets of its links that belong to the case; empty when it only shares items.
    linked: Vec<String>,
}

/// Everything that belongs to a case.
struct Material {
    known_as: Vec<String>,
    records: Vec<OwnRecord>,
    named: RoaringBitmap,
    exhibits: Vec<HeldExhibit>,
    cards: BTreeMap<ItemNo, ItemCard>,
}

impl Material {
    fn gather(sources: Sources<'_>, case_ref: &str) -> Result<Self> {
        let (known_as, records) = read_records(sources, case_ref)?;
        let mut named = RoaringBitmap::new();
        for reference in &known_as {
            named |= sources.names.naming(reference)?;
        }
        let own: RoaringBitmap = records.iter().map(|(stored, _)| stored.item.0).collect();
        let exhibits = read_exhibits(sources, &known_as, &records, &(&named | &own))?;
        let mut wanted = &named | &own;
        for held in exhibits.iter().filter(|held| !held.linked.is_empty()) {
            wanted |= &held.items;
        }
        for held in &exhibits {
            wanted.extend(held.items.min());
        }
        let cards = sources
            .items
            .cards(&wanted)?
            .into_iter()
            .map(|card| (card.item, card))
            .collect();
        Ok(Self {
            known_as,
            records,
            named,
            exhibits,
            cards,
        })
    }

    fn entries(&self, sources: Sources<'_>, people: &Directory) -> Vec<Entry> {
        let holders = self.holders();
        let mut entries = Vec::new();
        let mut own = RoaringBitmap::new();
        for (stored, record) in &self.records {
            own.insert(stored.item.0);
            entries.extend(self.of_record(stored, record, sources, people));
        }
        for card in self.cards.values().filter(|card| !own.contains(card.item.0)) {
            let why = self.why(card.item);
            if !why.is_empty() {
                entries.push(of_item(card, why, sources));
            }
        }
        for entry in &mut entries {
            if let Some(held) = entry.item_no.and_then(|item| holders.get(&item)) {
                entry.exhibits.clone_from(held);
            }
        }
        entries.extend(self.exhibits.iter().map(|held| self.of_exhibit(held, sources)));
        entries
    }

    /// Exhibit references by item, for the items on the timeline.
    fn holders(&self) -> HashMap<ItemNo, Vec<String>> {
        let mut holders: HashMap<ItemNo, Vec<String>> = HashMap::new();
        let shown: RoaringBitmap = self.cards.keys().map(|item| item.0).collect();
        for held in &self.exhibits {
            let reference = held.exhibit.reference.to_string();
            for item in &held.items & &shown {
                let list = holders.entry(ItemNo(item)).or_default();
                if list.last() != Some(&reference) {
                    list.push(reference.clone());
                }
            }
        }
        holders
    }

    /// Why an item that is not a record of the case stands on its timeline.
    fn why(&self, item: ItemNo) -> Vec<String> {
        let mut why = Vec::new();
        if self.named.contains(item.0) {
            why.push(format!("names {}", self.known_as.join(" or ")));
        }
        for held in &self.exhibits {
            if held.items.contains(item.0) {
                for target in &held.linked {
                    why.push(format!("in exhibit {}, linked to {target}", held.exhibit.reference));
                }
            }
        }
        why
    }

    fn of_record(
        &self,
        stored: &records::Stored,
        record: &Record,
        sources: Sources<'_>,
        people: &Directory,
    ) -> Vec<Entry> {
        let mut entries = match record.typed() {
            Typed::Decision(decision) => vec![of_decision(&decision, sources, people)],
            Typed::RoleAppointment(role) => of_role(&role, sources, people),
            Typed::Case(case) => of_case(&case, sources),
            Typed::Person(_) | Typed::Other => vec![of_other(record, sources)],
        };
        let parts = parts_of(record, people);
        for entry in &mut entries {
            entry.item_no = Some(stored.item);
            entry.item = self.cards.get(&stored.item).map(|card| card.id.clone());
            entry.record = Some(stored.key.display());
            entry.why = vec![format!("record of {}", record.case_refs().join(" or "))];
            entry.people.clone_from(&parts);
        }
        entries
    }

    /// An exhibit stands where it was produced, when that is said, else at its earliest item on the timeline.
    fn of_exhibit(&self, held: &HeldExhibit, sources: Sources<'_>) -> Entry {
        let produced = RecordTime::parse(&held.exhibit.produced_on);
        let dated = held
            .items
            .iter()
            .filter_map(|item| self.cards.get(&ItemNo(item)))
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
            .and_then(|item| self.cards.get(&item))
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
}

/// The records of a case under all references that its case records give it; the references in that order.
fn read_records(sources: Sources<'_>, case_ref: &str) -> Result<(Vec<String>, Vec<OwnRecord>)> {
    let mut known_as = vec![case_ref.trim().to_owned()];
    let mut all: BTreeMap<ItemNo, OwnRecord> = BTreeMap::new();
    let mut at = 0;
    while let Some(reference) = known_as.get(at).cloned() {
        at += 1;
        for stored in records::of_case(sources.facts, &reference)? {
            let record = stored.record()?;
            if stored.key.record_type == RecordType::Case {
                for other in record.case_refs() {
                    if known_as.iter().all(|known| case_key(known) != case_key(other)) {
                        known_as.push(other.to_owned());
                    }
                }
            }
            all.entry(stored.item).or_insert((stored, record));
        }
    }
    Ok((known_as, all.into_values().collect()))
}

/// Exhibits linked to the case or one of its decisions, and those that hold one of its items.
fn read_exhibits(
    sources: Sources<'_>,
    known_as: &[String],
    records: &[OwnRecord],
    of_case: &RoaringBitmap,
) -> Result<Vec<HeldExhibit>> {
    let keys: BTreeSet<String> = known_as.iter().map(|reference| case_key(reference)).collect();
    let own: BTreeSet<i64> = records.iter().map(|(stored, _)| stored.record_no).collect();
    let mut linked: HashMap<i64, Vec<String>> = HashMap::new();
    for link in links::all(sources.facts)? {
        let belongs = match &link.target {
            Target::Case(text) => keys.contains(&case_key(text)).then(|| format!("case {text}")),
            Target::Decision(text) => records::named(sources.facts, RecordType::Decision, text)?
                .iter()
                .any(|stored| own.contains(&stored.record_no))
                .then(|| format!("decision {text}")),
        };
        linked.entry(link.exhibit_id).or_default().extend(belongs);
    }
    let mut held = Vec::new();
    for exhibit in exhibits::list(sources.facts)? {
        let items = sets::members(sources.facts, exhibit.set_id)?;
        let linked = linked.remove(&exhibit.exhibit_id).unwrap_or_default();
        if !linked.is_empty() || !items.is_disjoint(of_case) {
            held.push(HeldExhibit { exhibit, items, linked });
        }
    }
    Ok(held)
}

fn at_time(time: Option<&RecordTime>, kind: EntryKind, words: String, sources: Sources<'_>) -> Entry {
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

fn of_other(record: &Record, sources: Sources<'_>) -> Entry {
    let time = record
        .key
        .record_type
        .event_fields()
        .iter()
        .find_map(|name| record.time(name));
    at_time(
        time.as_ref(),
        EntryKind::Record,
        sentence::other_record(record),
        sources,
    )
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

/// Leaves what was asked for. Undated entries stay inside any limits of time: they cannot be shown to lie outside.
fn filter(entries: &mut Vec<Entry>, ask: &Ask, people: &Directory, material: &Material) {
    entries.retain(|entry| {
        entry.utc_secs.is_none_or(|secs| {
            ask.from_secs.is_none_or(|from| secs >= from) && ask.until_secs.is_none_or(|until| secs < until)
        })
    });
    let Some(person) = &ask.person else {
        return;
    };
    let wanted = people.resolve(person);
    let takes_part = |entry: &Entry| takes_part(entry, &wanted, material);
    let held: BTreeSet<String> = entries
        .iter()
        .filter(|entry| entry.kind != EntryKind::Exhibit && takes_part(entry))
        .flat_map(|entry| entry.exhibits.iter().cloned())
        .collect();
    entries.retain(|entry| {
        takes_part(entry) || entry.kind == EntryKind::Exhibit && entry.exhibits.iter().any(|one| held.contains(one))
    });
}

fn takes_part(entry: &Entry, wanted: &Wanted<'_>, material: &Material) -> bool {
    let card = entry
        .item_no
        .filter(|_| entry.kind != EntryKind::Exhibit)
        .and_then(|item| material.cards.get(&item));
    entry.people.iter().any(|part| wanted.is(&part.id))
        || card.is_some_and(|card| wanted.takes_part(&card.participants, card.date.utc_secs))
}
