//! People in casework: what a sentence calls them, whom a text means, who might be the same person.
//!
//! The directory itself is `embley_store::facts::people`. Not for: deciding; [`suggest`] gives reasons, and somebody merges or
//! does not. Invariant: an id that no record explains stands for itself.

pub mod suggest;

use std::collections::BTreeSet;

use embley_model::address::Participant;
use embley_store::facts::Connection;
use embley_store::facts::people::{self, PersonRef, person_key};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

use crate::error::Result;

/// All people on record, with what was decided about them.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: people::Directory,
}

impl Directory {
    /// Reads person records and decisions about people. Days of aliases begin in UTC: enough where only names are asked for.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn load(conn: &Connection) -> Result<Self> {
        Self::load_in(conn, &TimeZone::UTC)
    }

    /// The same; days of aliases begin in `zone`.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn load_in(conn: &Connection, zone: &TimeZone) -> Result<Self> {
        Ok(Self {
            people: people::Directory::load(conn, zone)?,
        })
    }

    /// The directory itself, to resolve addresses by time.
    pub fn people(&self) -> &people::Directory {
        &self.people
    }

    /// The full name on record.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.people.by_id(id).and_then(|person| person.name.as_deref())
    }

    /// `Ann Lee (P-7)`, or the id alone when there is no name on record.
    pub fn spoken(&self, id: &str) -> String {
        self.name(id)
            .map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
    }

    /// Who a text means: the person with this id, name or alias; several when they share it. A text that nobody on
    /// record has stands for itself, as an id, a name or an address.
    pub fn resolve(&self, text: &str) -> Wanted<'_> {
        let people = self.people.named(text);
        Wanted {
            directory: &self.people,
            ids: people.iter().map(|person| person.id.clone()).collect(),
            names: people.iter().flat_map(|person| names_of(person)).collect(),
            typed: person_key(text),
        }
    }
}

/// Somebody looked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    directory: &'a people::Directory,
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
    typed: String,
}

impl Wanted<'_> {
    /// The items of the records that name them by id.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn records(&self, conn: &Connection) -> Result<RoaringBitmap> {
        let of_person = |id: &String| {
            self.directory
                .by_id(id)
                .map(|person| person.ids.as_slice())
                .unwrap_or_default()
        };
        let ids = self.ids.iter().flat_map(of_person).map(|id| person_key(id));
        let keys: BTreeSet<String> = ids.chain([self.typed.clone()]).collect();
        Ok(people::items_naming(conn, keys.iter().map(String::as_str))?)
    }

    /// True for an id (or name written in place of one) of a record.
    pub fn is(&self, id: &str) -> bool {
        let key = person_key(id);
        key == self.typed
            || self.names.contains(&key)
            || self
                .directory
                .by_id(id)
                .is_some_and(|person| self.ids.contains(&person.id))
    }

    /// True for somebody in the headers of a message of that moment (UTC seconds).
    pub fn takes_part(&self, participants: &[Participant], at: Option<i64>) -> bool {
        participants.iter().any(|one| {
            let typed = [&one.address.addr, &one.address.name]
                .into_iter()
                .any(|text| !text.trim().is_empty() && person_key(text) == self.typed);
            let resolved = self.directory.resolve(&one.address, at);
            match resolved {
                Some((person, _)) => self.ids.contains(&person.id),
                None => typed,
            }
        })
    }
}

fn names_of(person: &PersonRef) -> BTreeSet<String> {
    let entries = person.entries.iter().map(|entry| &entry.value);
    person
        .ids
        .iter()
        .chain(&person.name)
        .chain(entries)
        .map(|one| person_key(one))
        .collect()
}
