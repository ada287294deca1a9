//! The directory: person records and events put together.

use std::collections::{BTreeMap, HashMap, HashSet};

use embley_model::address::Address;
use embley_model::id::ItemNo;
use embley_model::record::{Person, RecordTime, RecordType, Typed};
use jiff::tz::TimeZone;
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use super::super::{Result, records};
use super::events::{Action, PersonEvent, events};
use super::person_key;

/// When something holds: UTC seconds, both ends included; `None` for always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// From.
    pub from: Option<i64>,
    /// Until.
    pub to: Option<i64>,
}

impl Span {
    /// True when a moment is in it; an unknown moment is in a span without ends only.
    pub fn holds(&self, at: Option<i64>) -> bool {
        match at {
            Some(at) => self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at <= to),
            None => self.from.is_none() && self.to.is_none(),
        }
    }

    fn read(from: &str, to: &str, zone: &TimeZone) -> Self {
        let time = |text: &str| RecordTime::parse(text);
        Self {
            from: time(from).and_then(|time| time.utc_secs(zone)),
            to: time(to).and_then(|time| match &time {
                // The last day counts to its end.
                RecordTime::Day { date, .. } => {
                    let next = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
                    Some(next.timestamp().as_second() - 1)
                }
                RecordTime::Instant { utc_secs, .. } => Some(*utc_secs),
            }),
        }
    }
}

/// True for a time whose last moment lies before its first one.
pub(super) fn ends_before_it_begins(from: &str, to: &str) -> bool {
    let span = Span::read(from, to, &TimeZone::UTC);
    matches!((span.from, span.to), (Some(from), Some(to)) if to < from)
}

/// An address or name of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `smtp`, `x500`, `display` or `initials`.
    pub kind: String,
    /// As written.
    pub value: String,
    /// When it is theirs.
    pub span: Span,
    /// True when somebody said so, false when a record does.
    pub by_event: bool,
}

/// A person of the directory: one id, or several that somebody merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PersonRef {
    /// The id that stands for all.
    pub id: String,
    /// The name on record.
    pub name: Option<String>,
    /// All ids, the first one that stands for all.
    pub ids: Vec<String>,
    /// Their addresses and names.
    pub entries: Vec<Entry>,
    /// Staff number.
    pub warrant_or_staff_no: Option<String>,
    /// Ranks, postings and line managers over time, as records have them.
    pub histories: BTreeMap<String, Vec<Value>>,
    /// The items of the person records.
    pub items: Vec<ItemNo>,
}

impl PersonRef {
    /// `Ann Lee (P-7)`, or the id alone.
    pub fn spoken(&self) -> String {
        self.name
            .as_ref()
            .map_or_else(|| self.id.clone(), |name| format!("{name} ({})", self.id))
    }
}

/// By what an address was found to be somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Its address.
    Address,
    /// Its display name; there is no address, or nobody has it.
    DisplayName,
}

/// Everybody known by records or events; see the module.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: Vec<PersonRef>,
    /// Any id, folded, to the person.
    by_id: HashMap<String, usize>,
    /// Addresses folded: whose, and when.
    by_address: HashMap<String, Vec<(usize, Span)>>,
    /// Full and display names folded.
    by_name: HashMap<String, Vec<(usize, Span)>>,
    /// Ids that somebody split off, folded.
    split: HashSet<String>,
}

impl Directory {
    /// Reads person records and events; days of aliases begin and end in `zone`.
    ///
    /// # Errors
    /// The database's, or a record that cannot be read again.
    pub fn load(conn: &Connection, zone: &TimeZone) -> Result<Self> {
        let mut people = Vec::new();
        for stored in records::of_type(conn, RecordType::Person)? {
            let record = stored.record()?;
            if let Typed::Person(mut person) = record.typed() {
                if person.person_id.is_empty() {
                    person.person_id.clone_from(&stored.key.record_id);
                }
                let histories = ["rank_history", "posting_history", "line_manager_history"]
                    .into_iter()
                    .filter_map(|name| Some((name.to_owned(), record.fields.get(name)?.as_array()?.clone())))
                    .collect();
                people.push((stored.item, person, histories));
            }
        }
        Ok(Self::build(people, &events(conn)?, zone))
    }

    fn build(
        records: Vec<(ItemNo, Person, BTreeMap<String, Vec<Value>>)>,
        events: &[PersonEvent],
        zone: &TimeZone,
    ) -> Self {
        // One base entry an id; records of one id are one person.
        let mut bases: Vec<PersonRef> = Vec::new();
        let mut base_of: HashMap<String, usize> = HashMap::new();
        let mut base = |id: &str, bases: &mut Vec<PersonRef>| {
            *base_of.entry(person_key(id)).or_insert_with(|| {
                bases.push(PersonRef {
                    id: id.trim().to_owned(),
                    ids: vec![id.trim().to_owned()],
                    ..PersonRef::default()
                });
                bases.len() - 1
            })
        };
        for (item, person, histories) in records {
            let at = base(&person.person_id, &mut bases);
            let held = &mut bases[at];
            held.items.push(item);
            held.name = person.full_name.or(held.name.take());
            held.warrant_or_staff_no = person.warrant_or_staff_no.or(held.warrant_or_staff_no.take());
            for (name, list) in histories {
                held.histories.entry(name).or_default().extend(list);
            }
            for alias in person.aliases {
                let span = Span::read(
                    alias.from.as_deref().unwrap_or_default(),
                    alias.to.as_deref().unwrap_or_default(),
                    zone,
                );
                held.entries.push(Entry {
                    kind: alias.kind,
                    value: alias.value,
                    span,
                    by_event: false,
                });
            }
        }
        let mut merged: Vec<(usize, usize)> = Vec::new();
        let mut split = HashSet::new();
        for event in events {
            let at = base(&event.person, &mut bases);
            match event.action {
                Action::Merged => {
                    let into = base(&event.other, &mut bases);
                    merged.push((at, into));
                }
                Action::Split => {
                    merged.retain(|(one, two)| *one != at && *two != at);
                    split.insert(person_key(&event.person));
                }
                Action::AliasAdded => bases[at].entries.push(Entry {
                    kind: event.kind.clone(),
                    value: event.value.clone(),
                    span: Span::read(&event.valid_from, &event.valid_to, zone),
                    by_event: true,
                }),
                Action::AliasRemoved => bases[at]
                    .entries
                    .retain(|entry| entry.kind != event.kind || person_key(&entry.value) != person_key(&event.value)),
            }
        }
        // An address that was merged brings itself along; one that stands alone is nobody's.
        let joined: HashSet<usize> = merged.iter().flat_map(|(one, into)| [*one, *into]).collect();
        let merged_bases = bases.iter_mut().enumerate().filter(|(at, _)| joined.contains(at));
        for (_, base) in merged_bases.filter(|(_, base)| base.items.is_empty()) {
            let kind = if base.id.starts_with('/') { "x500" } else { "smtp" };
            if base.id.contains('@') || kind == "x500" {
                base.entries.push(Entry {
                    kind: kind.to_owned(),
                    value: base.id.clone(),
                    span: Span::default(),
                    by_event: true,
                });
            }
        }
        Self::join(bases, &merged, split)
    }

    /// Joins merged ids: each is part of whatever it was merged into last.
    fn join(bases: Vec<PersonRef>, merged: &[(usize, usize)], split: HashSet<String>) -> Self {
        let mut parent: Vec<usize> = (0..bases.len()).collect();
        let root = |parent: &[usize], mut at: usize| {
            while parent[at] != at {
                at = parent[at];
            }
            at
        };
        for (one, into) in merged {
            let (one, into) = (root(&parent, *one), root(&parent, *into));
            parent[one] = into;
        }
        let mut directory = Self {
            split,
            ..Self::default()
        };
        let mut place: HashMap<usize, usize> = HashMap::new();
        let roots: Vec<usize> = (0..bases.len()).map(|at| root(&parent, at)).collect();
        // The one that stands for all comes first.
        let mut order: Vec<usize> = (0..bases.len()).collect();
        order.sort_by_key(|at| (roots[*at], roots[*at] != *at, *at));
        for at in order {
            let base = &bases[at];
            let to = *place.entry(roots[at]).or_insert_with(|| {
                directory.people.push(PersonRef {
                    id: base.id.clone(),
                    ..PersonRef::default()
                });
                directory.people.len() - 1
            });
            let person = &mut directory.people[to];
            person.ids.extend(base.ids.iter().cloned());
            person.entries.extend(base.entries.iter().cloned());
            person.items.extend(base.items.iter().copied());
            person.name = person.name.take().or_else(|| base.name.clone());
            person.warrant_or_staff_no = person
                .warrant_or_staff_no
                .take()
                .or_else(|| base.warrant_or_staff_no.clone());
            for (name, list) in &base.histories {
                let held = person.histories.entry(name.clone()).or_default();
                held.extend(list.iter().cloned());
            }
            directory.by_id.insert(person_key(&base.id), to);
            if let Some(name) = &base.name {
                directory
                    .by_name
                    .entry(person_key(name))
                    .or_default()
                    .push((to, Span::default()));
            }
            for entry in &base.entries {
                let map = match entry.kind.as_str() {
                    "smtp" | "x500" => &mut directory.by_address,
                    "display" => &mut directory.by_name,
                    _ => continue,
                };
                map.entry(person_key(&entry.value)).or_default().push((to, entry.span));
            }
        }
        directory
    }

    /// Everybody, in the order of their records.
    pub fn people(&self) -> &[PersonRef] {
        &self.people
    }

    /// True when somebody split this id off: it is not suggested again.
    pub fn was_split(&self, id: &str) -> bool {
        self.split.contains(&person_key(id))
    }

    /// The person with this id, merged or not.
    pub fn by_id(&self, id: &str) -> Option<&PersonRef> {
        self.by_id.get(&person_key(id)).map(|at| &self.people[*at])
    }

    /// Whose address this was at that moment (UTC seconds). `None` when it is nobody's, or several people's: nothing is guessed.
    ///
    /// An unknown moment fits addresses that are somebody's for all time. A display name counts only where nobody has the address.
    pub fn resolve(&self, address: &Address, at: Option<i64>) -> Option<(&PersonRef, Match)> {
        let whose = |map: &HashMap<String, Vec<(usize, Span)>>, text: &str| {
            let mut found = map.get(&person_key(text))?.iter().filter(|(_, span)| span.holds(at));
            let (first, _) = found.next()?;
            found.all(|(other, _)| other == first).then(|| &self.people[*first])
        };
        let has_address = !address.addr.trim().is_empty();
        if has_address && self.by_address.contains_key(&person_key(&address.addr)) {
            return whose(&self.by_address, &address.addr).map(|person| (person, Match::Address));
        }
        if address.name.trim().is_empty() {
            return None;
        }
        whose(&self.by_name, &address.name).map(|person| (person, Match::DisplayName))
    }

    /// Everybody whom a text means: by id, address or name, at whatever time.
    pub fn named(&self, text: &str) -> Vec<&PersonRef> {
        let key = person_key(text);
        let mut found: Vec<usize> = self.by_id.get(&key).copied().into_iter().collect();
        for map in [&self.by_address, &self.by_name] {
            found.extend(map.get(&key).into_iter().flatten().map(|(at, _)| *at));
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| &self.people[at]).collect()
    }

    /// Everybody of whom an id, address or name begins with a text; everybody for an empty one.
    pub fn beginning(&self, text: &str) -> Vec<&PersonRef> {
        let key = person_key(text);
        let begins = |person: &&PersonRef| {
            person
                .ids
                .iter()
                .chain(&person.name)
                .any(|one| person_key(one).starts_with(&key))
                || person
                    .entries
                    .iter()
                    .any(|one| person_key(&one.value).starts_with(&key))
        };
        self.people.iter().filter(begins).collect()
    }
}

#[cfg(test)]
mod tests {
    use embley_model::record::Alias;

    use super::*;

    fn person(id: &str, name: &str, aliases: &[(&str, &str, &str, &str)]) -> Person {
        Person {
            person_id: id.to_owned(),
            full_name: Some(name.to_owned()),
            aliases: aliases
                .iter()
                .map(|(kind, value, from, to)| Alias {
                    kind: (*kind).to_owned(),
                    value: (*value).to_owned(),
                    from: Some((*from).to_owned()),
                    to: Some((*to).to_owned()),
                })
                .collect(),
            ..Person::default()
        }
    }

    fn event(action: Action, person: &str, other: &str, alias: (&str, &str)) -> PersonEvent {
        PersonEvent {
            event_id: 1,
            at_micros: 0,
            actor: "ann".to_owned(),
            action,
            person: person.to_owned(),
            other: other.to_owned(),
            kind: alias.0.to_owned(),
            value: alias.1.to_owned(),
            valid_from: String::new(),
            valid_to: String::new(),
            reason: String::new(),
        }
    }

    fn directory(events: &[PersonEvent]) -> Directory {
        let people = [
            person(
                "P-1",
                "Ann Lee",
                &[
                    ("smtp", "dps@force.example", "2018-01-01", "2018-06-30"),
                    ("smtp", "ann@force.example", "", ""),
                ],
            ),
            person(
                "P-2",
                "Bob Ray",
                &[
                    ("smtp", "DPS@force.example", "2018-07-01", ""),
                    ("x500", "/O=FORCE/CN=BRAY", "", ""),
                ],
            ),
            person("P-3", "Ann Lee", &[]),
        ];
        let people = people
            .into_iter()
            .zip(1..)
            .map(|(person, item)| (ItemNo(item), person, BTreeMap::new()));
        Directory::build(people.collect(), events, &TimeZone::UTC)
    }

    fn resolved(directory: &Directory, name: &str, addr: &str, day: Option<&str>) -> Option<String> {
        let address = Address {
            name: name.to_owned(),
            addr: addr.to_owned(),
        };
        let at = day.map(|day| {
            RecordTime::parse(day)
                .and_then(|day| day.utc_secs(&TimeZone::UTC))
                .expect("a day")
        });
        directory.resolve(&address, at).map(|(person, _)| person.id.clone())
    }

    #[test]
    fn a_shared_address_is_whose_it_was_that_day() {
        let held = directory(&[]);
        let whose = |day| resolved(&held, "", "dps@FORCE.example", day);
        assert_eq!(whose(Some("2018-06-30")).as_deref(), Some("P-1"));
        assert_eq!(whose(Some("2018-07-01")).as_deref(), Some("P-2"));
        assert_eq!(whose(Some("2017-01-01")), None);
        assert_eq!(whose(None), None);
        assert_eq!(resolved(&held, "", "/o=force/cn=bray", None).as_deref(), Some("P-2"));
    }

    #[test]
    fn a_name_that_two_people_have_is_nobodys_until_they_are_merged() {
        assert_eq!(resolved(&directory(&[]), "Ann  LEE", "", None), None);
        let merge = event(Action::Merged, "p-3", "P-1", ("", ""));
        let one = directory(std::slice::from_ref(&merge));
        assert_eq!(
            resolved(&one, "Ann Lee", "other@x.example", None).as_deref(),
            Some("P-1")
        );
        assert_eq!(
            one.by_id("P-3").map(|person| person.ids.clone()),
            Some(vec!["P-1".to_owned(), "P-3".to_owned()])
        );
        assert_eq!(one.people().len(), 2);
        let apart = directory(&[merge, event(Action::Split, "P-3", "", ("", ""))]);
        assert_eq!(apart.people().len(), 3);
        assert!(apart.was_split("p-3"));
    }

    #[test]
    fn aliases_are_added_and_taken_away_and_merges_in_a_ring_end() {
        let held = directory(&[
            event(Action::AliasAdded, "P-3", "", ("smtp", "lee@x.example")),
            event(Action::AliasRemoved, "P-2", "", ("x500", "/O=FORCE/CN=BRAY")),
            event(Action::Merged, "P-1", "P-2", ("", "")),
            event(Action::Merged, "P-2", "P-1", ("", "")),
        ]);
        assert_eq!(resolved(&held, "", "LEE@x.example", None).as_deref(), Some("P-3"));
        assert_eq!(resolved(&held, "", "/O=FORCE/CN=BRAY", None), None);
        assert_eq!(held.people().len(), 2);
        assert_eq!(held.named("ann@force.example").len(), 1);
        assert_eq!(held.beginning("P-").len(), 2);
    }
}
