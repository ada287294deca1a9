//! The people that records name, by id: what a sentence calls them, and by which addresses mail knows them.
//!
//! Thin: the newest version of each person record, aliases without regard to their dates. Merging and time come with
//! the directory of a later issue.

use std::collections::{BTreeSet, HashMap};

use embley_model::address::Participant;
use embley_model::record::{Person, RecordType, Typed};
use embley_store::facts::{Connection, records};

use crate::error::Result;

/// All people on record.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: HashMap<String, Person>,
}

impl Directory {
    /// Reads all person records.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn load(conn: &Connection) -> Result<Self> {
        let mut people = HashMap::new();
        for stored in records::of_type(conn, RecordType::Person)? {
            if let Typed::Person(mut person) = stored.record()?.typed() {
                if person.person_id.is_empty() {
                    person.person_id.clone_from(&stored.key.record_id);
                }
                people.insert(person.person_id.clone(), person);
            }
        }
        Ok(Self { people })
    }

    /// The full name on record.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.people.get(id).and_then(|person| person.full_name.as_deref())
    }

    /// `Ann Lee (P-7)`, or the id alone when there is no name on record.
    pub fn spoken(&self, id: &str) -> String {
        self.name(id)
            .map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
    }

    /// Who a text means: the person with this id, name or alias; several when they share it. A text that nobody on
    /// record has stands for itself, as an id, a name or an address.
    pub fn resolve(&self, text: &str) -> Wanted {
        let key = fold(text);
        let mut wanted = Wanted::default();
        for person in self.people.values() {
            let names = names_of(person);
            if fold(&person.person_id) == key || names.contains(&key) {
                wanted.ids.insert(fold(&person.person_id));
                wanted.names.extend(names);
            }
        }
        wanted.ids.insert(key.clone());
        wanted.names.insert(key);
        wanted
    }
}

/// Ids, names and addresses of somebody looked for, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Wanted {
    /// True for an id (or name written in place of one) of a record.
    pub fn is(&self, id: &str) -> bool {
        let key = fold(id);
        self.ids.contains(&key) || self.names.contains(&key)
    }

    /// True for somebody in the headers of a message.
    pub fn takes_part(&self, participants: &[Participant]) -> bool {
        participants.iter().any(|one| {
            self.names.contains(&fold(&one.address.addr))
                || (!one.address.name.is_empty() && self.names.contains(&fold(&one.address.name)))
        })
    }
}

fn names_of(person: &Person) -> BTreeSet<String> {
    person
        .full_name
        .iter()
        .chain(person.aliases.iter().map(|alias| &alias.value))
        .map(|name| fold(name))
        .filter(|name| !name.is_empty())
        .collect()
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
