//! Everything that belongs to the timeline of a case or of a person: records, items, exhibits, links of documents.
//!
//! Main type: [`Material`]. Not for: entries and their order (`collect`). Invariant: every item comes with the reasons for which it is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use embley_model::id::ItemNo;
use embley_model::record::{Record, RecordType};
use embley_store::facts::cases::{self, case_key};
use embley_store::facts::documents::DocumentLink;
use embley_store::facts::exhibits::{self, Exhibit};
use embley_store::facts::links::{self, Target};
use embley_store::facts::text_links::{Named, TextDecision, corrected, decisions};
use embley_store::facts::{records, sets};
use roaring::RoaringBitmap;

use super::entry::Twin;
use super::{Ask, ItemCard, Sources};
use crate::document_links;
use crate::documents::Likeness;
use crate::error::Result;
use crate::people::{Directory, Wanted};

/// References that an item's reason names.
const MOST_SAID: usize = 4;

/// A record of the case, stored and read.
pub(super) type OwnRecord = (records::Stored, Record);

/// An exhibit on the timeline.
pub(super) struct HeldExhibit {
    pub(super) exhibit: Exhibit,
    pub(super) items: RoaringBitmap,
    /// Why it is there: the targets of its links that belong to the case; empty when it only shares items.
    pub(super) linked: Vec<String>,
}

/// Everything that belongs to a case or a person.
pub(super) struct Material {
    pub(super) known_as: Vec<String>,
    pub(super) records: Vec<OwnRecord>,
    pub(super) exhibits: Vec<HeldExhibit>,
    pub(super) cards: BTreeMap<ItemNo, ItemCard>,
    /// Messages of a person that name no case and were left out.
    pub(super) left_out: u64,
    /// Why items that are not records of it are there.
    why: HashMap<ItemNo, Vec<String>>,
    /// Links of documents on record, by either side.
    twins: HashMap<ItemNo, Vec<DocumentLink>>,
}

impl Material {
    /// Of a case.
    pub(super) fn of_case(sources: Sources<'_>, case_ref: &str) -> Result<Self> {
        let (known_as, records) = read_records(sources, case_ref)?;
        let (mut found, mut named) = (RoaringBitmap::new(), RoaringBitmap::new());
        let mut said: Vec<TextDecision> = Vec::new();
        for reference in &known_as {
            let items = sources.names.naming(reference)?;
            named |= corrected(sources.facts, Named::Case(reference), items.clone())?;
            found |= items;
            said.extend(
                decisions(sources.facts, Named::Case(reference))?
                    .into_values()
                    .filter(|one| one.linked),
            );
        }
        // A case with very many references is not told with all of them on every item.
        let names = match known_as.get(..MOST_SAID) {
            Some(some) if known_as.len() > MOST_SAID => {
                format!(
                    "names {} or one of {} more references",
                    some.join(", "),
                    known_as.len() - MOST_SAID
                )
            }
            Some(_) | None => format!("names {}", known_as.join(" or ")),
        };
        let mut why: HashMap<ItemNo, Vec<String>> = HashMap::new();
        let own: RoaringBitmap = records.iter().map(|(stored, _)| stored.item.0).collect();
        for item in &(&named & &found) - &own {
            why.entry(ItemNo(item)).or_default().push(names.clone());
        }
        for one in said
            .iter()
            .filter(|one| named.contains(one.item.0) && !own.contains(one.item.0))
        {
            let words = format!("said by {} to be about the case: {}", one.actor, one.reason);
            why.entry(one.item).or_default().push(words);
        }
        let exhibits = read_exhibits(sources, &known_as, &records, &(&named | &own))?;
        Self::gather(sources, known_as, records, &(named | own), why, exhibits, 0)
    }

    /// Of a person: the records that name them, the messages in which they take part and that name a case, or all of them.
    pub(super) fn of_person(sources: Sources<'_>, ask: &Ask, wanted: &Wanted<'_>, typed: &str) -> Result<Self> {
        let mut theirs = sources.names.mail_of(typed)?;
        let mut all = Vec::new();
        let mut why: HashMap<ItemNo, Vec<String>> = HashMap::new();
        for item in wanted.records(sources.facts)? | &theirs {
            if let Some(stored) = records::of_item(sources.facts, ItemNo(item))? {
                theirs.remove(item);
                let record = stored.record()?;
                all.push((stored, record));
            }
        }
        let mut known_as: Vec<String> = Vec::new();
        let mut keys: HashSet<String> = HashSet::new();
        for (_, record) in &all {
            for reference in record.case_refs() {
                if keys.insert(case_key(reference)) {
                    known_as.push(reference.to_owned());
                }
            }
        }
        let mut naming = RoaringBitmap::new();
        cases::for_each_names(sources.facts, |case_ref, items| {
            for item in items & &theirs {
                naming.insert(item);
                why.entry(ItemNo(item)).or_default().push(format!("names {case_ref}"));
            }
        })?;
        let shown = if ask.all_mail { theirs.clone() } else { naming };
        let left_out = theirs.len() - shown.len();
        for item in &shown {
            why.entry(ItemNo(item)).or_default().push(format!("{typed} takes part"));
        }
        let own: RoaringBitmap = all.iter().map(|(stored, _)| stored.item.0).collect();
        let exhibits = read_exhibits(sources, &[], &all, &(&shown | &own))?;
        Self::gather(sources, known_as, all, &(shown | own), why, exhibits, left_out)
    }

    fn gather(
        sources: Sources<'_>,
        known_as: Vec<String>,
        records: Vec<OwnRecord>,
        belonging: &RoaringBitmap,
        mut why: HashMap<ItemNo, Vec<String>>,
        exhibits: Vec<HeldExhibit>,
        left_out: u64,
    ) -> Result<Self> {
        let mut wanted = belonging.clone();
        for held in &exhibits {
            for target in &held.linked {
                let reason = format!("in exhibit {}, linked to {target}", held.exhibit.reference);
                for item in &held.items {
                    why.entry(ItemNo(item)).or_default().push(reason.clone());
                }
                wanted |= &held.items;
            }
            wanted.extend(held.items.min());
        }
        let registered: HashMap<ItemNo, String> = records
            .iter()
            .filter(|(stored, _)| stored.key.record_type == RecordType::Document)
            .map(|(stored, record)| (stored.item, name_of(record)))
            .collect();
        let documents: RoaringBitmap = registered.keys().map(|item| item.0).collect();
        let mut twins: HashMap<ItemNo, Vec<DocumentLink>> = HashMap::new();
        for link in document_links::of_documents(sources.facts, &documents)? {
            if link.holds() {
                wanted.insert(link.attachment.0);
                let name = registered.get(&link.document).map_or("", String::as_str);
                let reason = format!("{} document {name} on record", spoken_reason(&link));
                why.entry(link.attachment).or_default().push(reason);
                twins.entry(link.attachment).or_default().push(link.clone());
                twins.entry(link.document).or_default().push(link);
            }
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
            exhibits,
            cards,
            left_out,
            why,
            twins,
        })
    }

    /// Why an item that is no record of the case stands here; nothing when it does not.
    pub(super) fn why(&self, item: ItemNo) -> Vec<String> {
        self.why.get(&item).cloned().unwrap_or_default()
    }

    /// Exhibit references by item, for the items on the timeline.
    pub(super) fn holders(&self) -> HashMap<ItemNo, Vec<String>> {
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

    /// What is the same as the document or attachment that an item is.
    pub(super) fn twins(&self, item: ItemNo) -> Vec<Twin> {
        let links = self.twins.get(&item).map_or(&[][..], Vec::as_slice);
        links.iter().filter_map(|link| self.twin(link, item)).collect()
    }

    fn twin(&self, link: &DocumentLink, of: ItemNo) -> Option<Twin> {
        let other = if link.document == of {
            link.attachment
        } else {
            link.document
        };
        let card = self.cards.get(&other)?;
        let likeness = link.found.as_ref().and_then(|(word, _)| Likeness::from_word(word));
        let similarity = link.found.as_ref().map(|(_, per_mille)| f64::from(*per_mille) / 1000.0);
        let said = link
            .decided
            .as_ref()
            .map(|one| format!("by {}: {}", one.actor, one.reason));
        let name = match &card.filename {
            Some(name) if other == link.attachment => name.clone(),
            Some(_) | None => card.subject.clone(),
        };
        Some(Twin {
            item_no: other,
            item: card.id.clone(),
            name,
            reason: if said.is_some() {
                "by-hand"
            } else {
                likeness.map_or("found", Likeness::word)
            },
            similarity,
            confidence: if said.is_some() {
                "said"
            } else {
                likeness.map_or("low", Likeness::confidence)
            },
            said,
        })
    }
}

/// `has the same bytes as`.
fn spoken_reason(link: &DocumentLink) -> String {
    if let Some(decision) = &link.decided {
        return format!("said by {} to be", decision.actor);
    }
    let found = link.found.as_ref();
    match found.and_then(|(word, _)| Likeness::from_word(word)) {
        Some(Likeness::SameBytes) => "has the bytes (SHA-256) of".to_owned(),
        Some(Likeness::SameWords) => "has the words of".to_owned(),
        Some(Likeness::NearDuplicate) | None => {
            let per_mille = found.map_or(0, |(_, per_mille)| *per_mille);
            format!("is a near-duplicate ({} %) of", per_mille / 10)
        }
    }
}

/// Number and title on the register.
fn name_of(record: &Record) -> String {
    let words = ["register_no", "title"].iter().filter_map(|field| record.text(field));
    let name = words.collect::<Vec<_>>().join(" ");
    if name.is_empty() { record.key.display() } else { name }
}

/// The records of a case under all references that its case records give it; the references in that order.
fn read_records(sources: Sources<'_>, case_ref: &str) -> Result<(Vec<String>, Vec<OwnRecord>)> {
    let mut known_as = vec![case_ref.trim().to_owned()];
    let mut keys = HashSet::from([case_key(case_ref)]);
    let mut all: BTreeMap<ItemNo, OwnRecord> = BTreeMap::new();
    let mut at = 0;
    while let Some(reference) = known_as.get(at).cloned() {
        at += 1;
        for stored in records::of_case(sources.facts, &reference)? {
            let record = stored.record()?;
            if stored.key.record_type == RecordType::Case {
                for other in record.case_refs() {
                    if keys.insert(case_key(other)) {
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
    belonging: &RoaringBitmap,
) -> Result<Vec<HeldExhibit>> {
    let keys: BTreeSet<String> = known_as.iter().map(|reference| case_key(reference)).collect();
    let own: BTreeSet<i64> = records
        .iter()
        .filter(|(stored, _)| stored.key.record_type == RecordType::Decision)
        .map(|(stored, _)| stored.record_no)
        .collect();
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
        if !linked.is_empty() || !items.is_disjoint(belonging) {
            held.push(HeldExhibit { exhibit, items, linked });
        }
    }
    Ok(held)
}

/// How sentences call whom a person's timeline is about: a person on record, else the text as typed.
pub(super) fn spoken_person(people: &Directory, typed: &str) -> String {
    let found = people.people().named(typed);
    match found.as_slice() {
        [one] => people.spoken(&one.id),
        _ => typed.trim().to_owned(),
    }
}
