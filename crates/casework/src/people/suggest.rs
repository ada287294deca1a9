//! Who might be one person: pairs with reasons, for somebody to merge or to leave apart.
//!
//! Looked at are people on record and addresses of mail that nobody on record has. Nothing is decided here, and a pair of which one
//! id was split off is not suggested again. A name or login that more than [`COMMON`] others share is no reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use embley_store::catalogue::CatalogueReader;
use embley_store::facts::people::{Directory, person_key};
use serde::Serialize;

use crate::error::Result;

/// A key that more people share than this is left out, and counted.
const COMMON: usize = 4;

/// Why two might be one, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Both have one address, at whatever time.
    SameAddress,
    /// The name is the same, and so is the domain of an address.
    SameNameAndDomain,
    /// The last part of an X.500 name is the other's login.
    X500Name,
    /// The name on record is the name shown with the address.
    ShownName,
    /// The login is made of the other's initials or first name and surname.
    InitialsAndSurname,
    /// The name is the same, and nothing else is.
    SameName,
}

impl Reason {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SameAddress => "same address",
            Self::SameNameAndDomain => "same name and domain",
            Self::X500Name => "X.500 name is the login",
            Self::ShownName => "name shown with the address",
            Self::InitialsAndSurname => "initials and surname",
            Self::SameName => "same name",
        }
    }
}

/// Two that might be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// An id, or an address.
    pub person: String,
    /// The id on record to merge into.
    pub into: String,
    /// Their names, as far as there are any.
    pub names: (String, String),
    /// Why.
    pub reasons: BTreeSet<Reason>,
}

/// All suggestions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Suggestions {
    /// The pairs, the strongest reasons first.
    pub pairs: Vec<Suggestion>,
    /// Names and logins that are no reason because too many share them.
    pub too_common: u64,
    /// People on record that were looked at.
    pub people: u64,
    /// Addresses of mail that nobody on record has.
    pub addresses: u64,
}

/// Somebody on record, or an address.
#[derive(Clone, Debug, Default)]
struct One {
    id: String,
    names: BTreeSet<String>,
    addresses: BTreeSet<String>,
    on_record: bool,
}

/// Looks for pairs.
///
/// # Errors
/// The catalogue refuses.
pub fn suggest(reader: &CatalogueReader, directory: &Directory) -> Result<Suggestions> {
    let mut all: Vec<One> = directory
        .people()
        .iter()
        .map(|person| One {
            id: person.id.clone(),
            names: person
                .entries
                .iter()
                .filter(|entry| entry.kind == "display")
                .map(|entry| entry.value.clone())
                .chain(person.name.clone())
                .collect(),
            addresses: person
                .entries
                .iter()
                .filter(|entry| matches!(entry.kind.as_str(), "smtp" | "x500"))
                .map(|entry| person_key(&entry.value))
                .collect(),
            on_record: true,
        })
        .collect();
    let known: BTreeSet<String> = all.iter().flat_map(|one| one.addresses.iter().cloned()).collect();
    let mut unknown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    reader.for_each_address(|_, address| {
        let key = person_key(&address.addr);
        if !key.is_empty() && !known.contains(&key) {
            let names = unknown.entry(key).or_default();
            if !address.name.trim().is_empty() && names.len() < COMMON {
                names.insert(address.name);
            }
        }
    })?;
    let people = all.len() as u64;
    all.extend(unknown.into_iter().map(|(address, names)| One {
        id: address.clone(),
        names,
        addresses: BTreeSet::from([address]),
        on_record: false,
    }));
    let mut found = pair(&all, directory);
    found.people = people;
    found.addresses = all.len() as u64 - people;
    Ok(found)
}

/// Who shares which key.
type Shared<'a> = HashMap<String, BTreeSet<usize>>;

fn pair(all: &[One], directory: &Directory) -> Suggestions {
    let mut by_address = Shared::new();
    let mut by_name = Shared::new();
    let mut by_login = Shared::new();
    let mut by_common_name = Shared::new();
    for (at, one) in all.iter().enumerate() {
        for address in &one.addresses {
            by_address.entry(address.clone()).or_default().insert(at);
            if let Some(login) = login_of(address) {
                by_login.entry(login).or_default().insert(at);
            }
            if let Some(name) = common_name(address) {
                by_common_name.entry(name).or_default().insert(at);
            }
        }
        for name in &one.names {
            by_name.entry(plain(name).join(" ")).or_default().insert(at);
        }
    }
    let mut pairs: BTreeMap<(usize, usize), BTreeSet<Reason>> = BTreeMap::new();
    let mut found = Suggestions::default();
    let mut note = |one: usize, two: usize, reason: Reason| {
        if one != two && (all[one].on_record || all[two].on_record) {
            pairs.entry((one.min(two), one.max(two))).or_default().insert(reason);
        }
    };
    let groups = by_address.iter().map(|(key, group)| (key, group, true));
    for (key, group, is_address) in groups.chain(by_name.iter().map(|(key, group)| (key, group, false))) {
        if key.is_empty() || group.len() < 2 {
            continue;
        }
        if group.len() > COMMON {
            found.too_common += 1;
            continue;
        }
        for one in group {
            for two in group.range(one + 1..) {
                let reason = if is_address {
                    Reason::SameAddress
                } else if share_domain(&all[*one], &all[*two]) {
                    Reason::SameNameAndDomain
                } else if all[*one].on_record && all[*two].on_record {
                    Reason::SameName
                } else {
                    Reason::ShownName
                };
                note(*one, *two, reason);
            }
        }
    }
    for (name, group) in &by_common_name {
        for one in group {
            for two in by_login.get(name).into_iter().flatten() {
                note(*one, *two, Reason::X500Name);
            }
        }
    }
    // Logins made of a name: the names that many share are no reason.
    let mut made: HashMap<String, BTreeSet<usize>> = HashMap::new();
    for (at, one) in all.iter().enumerate().filter(|(_, one)| one.on_record) {
        for login in one.names.iter().flat_map(|name| logins(name)) {
            made.entry(login).or_default().insert(at);
        }
    }
    for (login, whose) in &made {
        let with = [by_login.get(login), by_common_name.get(login)];
        for two in with.into_iter().flatten().flatten().filter(|two| !whose.contains(*two)) {
            if whose.len() > COMMON {
                found.too_common += 1;
                break;
            }
            for one in whose {
                note(*one, *two, Reason::InitialsAndSurname);
            }
        }
    }
    for ((one, two), reasons) in pairs {
        let (person, into) = if all[one].on_record && !all[two].on_record {
            (&all[two], &all[one])
        } else if all[two].on_record && !all[one].on_record {
            (&all[one], &all[two])
        } else {
            (&all[two], &all[one])
        };
        if directory.was_split(&person.id) || directory.was_split(&into.id) {
            continue;
        }
        let name = |one: &One| one.names.iter().next().cloned().unwrap_or_default();
        found.pairs.push(Suggestion {
            person: person.id.clone(),
            into: into.id.clone(),
            names: (name(person), name(into)),
            reasons,
        });
    }
    found
        .pairs
        .sort_by(|one, two| (&one.reasons, &one.into, &one.person).cmp(&(&two.reasons, &two.into, &two.person)));
    found
}

/// The words of a name in small letters; `Smith, John` is turned round.
fn plain(name: &str) -> Vec<String> {
    let turned = match name.split_once(',') {
        Some((last, first)) => format!("{first} {last}"),
        None => name.to_owned(),
    };
    turned
        .split(|one: char| !one.is_alphanumeric() && one != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// What people of a name are often called in a mail system: letters only.
fn logins(name: &str) -> Vec<String> {
    let words = plain(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return Vec::new();
    };
    if words.len() < 2 || last.chars().count() < 3 {
        return Vec::new();
    }
    let initial: String = first.chars().take(1).collect();
    let initials: String = words[..words.len() - 1]
        .iter()
        .filter_map(|word| word.chars().next())
        .collect();
    let mut all = vec![
        format!("{first}{last}"),
        format!("{last}{first}"),
        format!("{initial}{last}"),
        format!("{last}{initial}"),
        format!("{initials}{last}"),
    ];
    for one in &mut all {
        one.retain(char::is_alphanumeric);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The part before the `@`, letters and digits only.
fn login_of(address: &str) -> Option<String> {
    let (local, _) = address.split_once('@')?;
    let login: String = local.chars().filter(|one| one.is_alphanumeric()).collect();
    (login.chars().count() >= 3).then_some(login)
}

/// The last common name of an X.500 address, letters and digits only.
fn common_name(address: &str) -> Option<String> {
    let (_, last) = address.rsplit_once("/cn=")?;
    let name: String = last.chars().filter(|one| one.is_alphanumeric()).collect();
    (name.chars().count() >= 3).then_some(name)
}

fn share_domain(one: &One, two: &One) -> bool {
    let domains = |one: &One| -> BTreeSet<String> {
        one.addresses
            .iter()
            .filter_map(|address| address.split_once('@').map(|(_, domain)| domain.to_owned()))
            .collect()
    };
    !domains(one).is_disjoint(&domains(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, name: &str, addresses: &[&str], on_record: bool) -> One {
        One {
            id: id.to_owned(),
            names: BTreeSet::from([name.to_owned()]),
            addresses: addresses.iter().map(|address| (*address).to_owned()).collect(),
            on_record,
        }
    }

    #[test]
    fn every_reason_is_found_and_said_and_strangers_are_left_apart() {
        let all = [
            one("P-1", "Ann Lee", &["ann@force.example"], true),
            one("P-2", "A. Lee", &["ann@force.example"], true),
            one("P-3", "John Smith", &["/o=force/cn=jsmith"], true),
            one("jsmith@force.example", "", &["jsmith@force.example"], false),
            one("lee@home.example", "Lee, Ann", &["lee@home.example"], false),
            one("x@force.example", "Ann Lee", &["x@force.example"], false),
            one("other@home.example", "Ann Other", &["other@home.example"], false),
        ];
        let found = pair(&all, &Directory::default());
        let told: Vec<String> = found
            .pairs
            .iter()
            .map(|one| {
                let why: Vec<&str> = one.reasons.iter().map(|reason| reason.words()).collect();
                format!("{} > {}: {}", one.person, one.into, why.join(", "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "P-2 > P-1: same address",
                "x@force.example > P-1: same name and domain",
                "jsmith@force.example > P-3: X.500 name is the login, initials and surname",
                "lee@home.example > P-1: name shown with the address",
            ]
        );
    }

    #[test]
    fn a_name_that_many_have_is_no_reason() {
        let all: Vec<One> = (0..10)
            .map(|at| one(&format!("P-{at}"), "John Smith", &[], true))
            .collect();
        let found = pair(&all, &Directory::default());
        assert!(found.pairs.is_empty());
        assert_eq!(found.too_common, 1);
    }
}
