//! `person:`: the items in which somebody takes part, in any role, or whose record names them.
//!
//! An address is somebody's from one day to another, so a message counts by its own date. Not for: who is who
//! (`store::facts::people`). Invariant: an address that fits several people at that moment is nobody's, as in the directory.

use std::collections::{HashMap, HashSet};

use embley_model::address::Address;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::people::{self, Directory, person_key};
use jiff::tz::TimeZone;

use crate::plan::{BoxError, Found, SetAsk};

/// The items of the people whom `ask` means.
pub(crate) fn find(reader: &CatalogueReader, ask: &SetAsk) -> Result<Found, BoxError> {
    // Days of aliases begin in UTC here; a difference of an hour at the ends of a day decides nothing that is on record.
    let directory = Directory::load(reader.facts(), &TimeZone::UTC)?;
    let wanted = match ask {
        SetAsk::Any => directory.beginning(""),
        SetAsk::Is(text) => directory.named(text),
        SetAsk::Begins(text) => directory.beginning(text),
        SetAsk::Words { .. } => Vec::new(),
    };
    let mut found = Found {
        names_count: wanted.len() as u64,
        ..Found::default()
    };
    let wanted: HashSet<&str> = wanted.iter().map(|person| person.id.as_str()).collect();
    let keys: Vec<String> = directory
        .people()
        .iter()
        .filter(|person| wanted.contains(person.id.as_str()))
        .flat_map(|person| &person.ids)
        .map(|id| person_key(id))
        .collect();
    if keys.is_empty() {
        // Somebody who is in no directory is still named by records, and known by an address.
        return unknown(reader, ask);
    }
    found.items = people::items_naming(reader.facts(), keys.iter().map(String::as_str))?;
    for person in directory
        .people()
        .iter()
        .filter(|person| wanted.contains(person.id.as_str()))
    {
        found.items.extend(person.items.iter().map(|item| item.0));
    }
    // Addresses that are theirs at some time; at which, the date of each message says.
    let mut theirs: HashMap<u64, Address> = HashMap::new();
    reader.for_each_address(|id, address| {
        let might = [&address.addr, &address.name].into_iter().any(|text| {
            directory
                .named(text)
                .iter()
                .any(|person| wanted.contains(person.id.as_str()))
        });
        if might {
            theirs.insert(id, address);
        }
    })?;
    if !theirs.is_empty() {
        reader.for_each_participants(|item, date, addresses| {
            let takes_part = addresses.iter().filter_map(|id| theirs.get(id)).any(|address| {
                directory
                    .resolve(address, date)
                    .is_some_and(|(person, _)| wanted.contains(person.id.as_str()))
            });
            if takes_part {
                found.items.insert(item.0);
            }
        })?;
    }
    found.items.remove_range(reader.checkpoint().next_item..);
    Ok(found)
}

/// By the text itself: records that name it, messages in which it is an address.
fn unknown(reader: &CatalogueReader, ask: &SetAsk) -> Result<Found, BoxError> {
    let SetAsk::Is(text) = ask else {
        return Ok(Found::default());
    };
    let key = person_key(text);
    let mut items = people::items_naming(reader.facts(), [key.as_str()])?;
    let mut ids = HashSet::new();
    reader.for_each_address(|id, address| {
        if person_key(&address.addr) == key {
            ids.insert(id);
        }
    })?;
    if !ids.is_empty() {
        reader.for_each_participants(|item, _, addresses| {
            if addresses.iter().any(|id| ids.contains(id)) {
                items.insert(item.0);
            }
        })?;
    }
    items.remove_range(reader.checkpoint().next_item..);
    let names_count = u64::from(!items.is_empty());
    Ok(Found { items, names_count })
}
