//! What belongs to no single case: people's histories, registers, declarations, the references of all cases.
//!
//! Read once for a run. Main type: [`Shared`]. Not for: the records of a case (`material`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use embley_model::record::{Record, RecordTime, RecordType};
use embley_store::facts::cases::case_key;
use embley_store::facts::{Connection, people, records};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::material::{CaseFile, CaseName, Row};
use super::moment::{Moment, Span};
use crate::error::Result;
use crate::people::Directory;

/// Somebody's manager, unit or rank for a time.
#[derive(Clone, Debug)]
pub struct Past {
    /// Id or name.
    pub value: String,
    /// When.
    pub span: Span,
}

/// What is on record of a person beside names.
#[derive(Clone, Debug, Default)]
pub struct Career {
    /// Line managers.
    pub managers: Vec<Past>,
    /// Teams, the narrowest that is recorded.
    pub teams: Vec<Past>,
    /// Units.
    pub units: Vec<Past>,
    /// The record.
    pub row: Option<Row>,
}

/// What belongs to no single case.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    careers: HashMap<String, Career>,
    cases: BTreeMap<String, Vec<Row>>,
    registers: BTreeMap<RecordType, Vec<Row>>,
    /// Places in a register, by the people that its rows name.
    register_places: HashMap<(RecordType, String), Vec<usize>>,
    declarations: HashMap<String, Vec<Row>>,
    unit_sizes: HashMap<String, usize>,
    kinds: BTreeSet<RecordType>,
    bulk: HashMap<(String, String), u64>,
}

const REGISTERS: [RecordType; 5] = [
    RecordType::RegisterGift,
    RecordType::RegisterBusinessInterest,
    RecordType::RegisterAssociation,
    RecordType::RegisterMediaContact,
    RecordType::RegisterProcurement,
];

impl Shared {
    /// Reads it; `bulk_rows` as in `indicators.toml`.
    ///
    /// # Errors
    /// The catalogue refuses or is damaged.
    pub fn load(conn: &Connection, zone: &TimeZone, bulk_rows: u64) -> Result<Self> {
        // Who was merged is one person in all that is read here.
        let merged = (!people::events(conn)?.is_empty())
            .then(|| Directory::load(conn))
            .transpose()?;
        let all = |kind| -> Result<Vec<Row>> {
            let mut rows: Vec<Row> = records::of_type(conn, kind)?
                .iter()
                .map(Row::of)
                .collect::<Result<_>>()?;
            if let Some(people) = &merged {
                rows.iter_mut().for_each(|row| row.unify(people));
            }
            Ok(rows)
        };
        let mut shared = Self {
            kinds: records::summary(conn)?
                .into_iter()
                .map(|(_, kind, _, _)| kind)
                .collect(),
            bulk: records::recorded_at_once(conn, bulk_rows)?,
            ..Self::default()
        };
        for row in all(RecordType::ConflictDeclaration)? {
            shared
                .declarations
                .entry(row.text("person_id").to_owned())
                .or_default()
                .push(row);
        }
        for kind in REGISTERS {
            let rows = all(kind)?;
            for (at, row) in rows.iter().enumerate() {
                for name in ["person_id", "other_person_id"] {
                    if let Some(person) = row.record.text(name) {
                        shared
                            .register_places
                            .entry((kind, person.to_owned()))
                            .or_default()
                            .push(at);
                    }
                }
            }
            shared.registers.insert(kind, rows);
        }
        for row in all(RecordType::Case)? {
            shared
                .cases
                .entry(case_key(row.text("case_ref")))
                .or_default()
                .push(row);
        }
        for row in all(RecordType::Person)? {
            let id = row.record.text("person_id").unwrap_or(&row.key.record_id).to_owned();
            let past = |field: &str, keys: &[&str]| history(&row.record, field, keys, zone);
            let career = Career {
                managers: past("line_manager_history", &MANAGER_KEYS),
                teams: past("posting_history", &["team"]),
                units: past("posting_history", &["unit", "posting", "department", "value"]),
                row: None,
            };
            // Histories of people who were merged, and of records of one person from two systems, stand together. Of records of one id
            // the last one is shown, of people who were merged the first.
            let held = shared.careers.entry(id).or_default();
            held.managers.extend(career.managers);
            held.teams.extend(career.teams);
            held.units.extend(career.units);
            match &mut held.row {
                Some(shown) if merged.is_none() => *shown = row,
                Some(_) => {}
                None => held.row = Some(row),
            }
        }
        for career in shared.careers.values() {
            let units: BTreeSet<String> = career.units.iter().map(|past| unit_key(&past.value)).collect();
            for unit in units {
                *shared.unit_sizes.entry(unit).or_default() += 1;
            }
        }
        Ok(shared)
    }

    /// Only which types of records are loaded at all: enough for the clocks of a case.
    ///
    /// # Errors
    /// The catalogue refuses.
    pub fn kinds_of(conn: &Connection) -> Result<Self> {
        let kinds = records::summary(conn)?.into_iter().map(|(_, kind, _, _)| kind);
        Ok(Self {
            kinds: kinds.collect(),
            ..Self::default()
        })
    }

    /// What is on record of a person.
    pub fn career(&self, id: &str) -> Option<&Career> {
        self.careers.get(id)
    }

    /// The heads of a case, one a source system.
    pub fn case(&self, case_ref: &str) -> &[Row] {
        self.cases.get(&case_key(case_ref)).map_or(&[], Vec::as_slice)
    }

    /// All cases of the material loaded, in the order of their references.
    ///
    /// # Errors
    /// The catalogue refuses or is damaged.
    pub fn case_names(&self, conn: &Connection) -> Result<Vec<CaseName>> {
        let mut groups: Vec<CaseName> = Vec::new();
        let mut known: HashSet<String> = HashSet::new();
        for (key, written) in records::case_refs(conn)? {
            if known.contains(&key) {
                continue;
            }
            // Everything that records of the case itself join to this reference.
            let mut keys = BTreeSet::from([key.clone()]);
            let mut shown = None;
            let mut wait = vec![key];
            while let Some(one) = wait.pop() {
                for row in self.case(&one) {
                    shown = shown.or_else(|| row.record.text("case_ref").map(ToOwned::to_owned));
                    for other in row.record.case_refs().into_iter().map(case_key) {
                        if keys.insert(other.clone()) {
                            wait.push(other);
                        }
                    }
                }
            }
            known.extend(keys.iter().cloned());
            let has_head = shown.is_some();
            let name = CaseName {
                written: shown.unwrap_or(written),
                keys,
            };
            // A reference that only the source's own field of records of another case has is no case.
            if has_head || !CaseFile::load(conn, &name)?.rows().is_empty() {
                groups.push(name);
            }
        }
        groups.sort_by_cached_key(|name| (case_key(&name.written), name.keys.clone()));
        Ok(groups)
    }

    /// The rows of a register.
    pub fn register(&self, kind: RecordType) -> &[Row] {
        self.registers.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The rows of a register that name a person.
    pub fn register_of<'a>(&'a self, kind: RecordType, person: &str) -> impl Iterator<Item = &'a Row> {
        let rows = self.register(kind);
        let places = self.register_places.get(&(kind, person.to_owned()));
        places.into_iter().flatten().filter_map(move |at| rows.get(*at))
    }

    /// Declarations of conflicts by a person, of any case or none.
    pub fn declarations_of(&self, person: &str) -> &[Row] {
        self.declarations.get(person).map_or(&[], Vec::as_slice)
    }

    /// How many people on record are or were in a unit.
    pub fn unit_size(&self, unit: &str) -> usize {
        self.unit_sizes.get(&unit_key(unit)).copied().unwrap_or(0)
    }

    /// True when records of this type are loaded at all.
    pub fn has(&self, kind: RecordType) -> bool {
        self.kinds.contains(&kind)
    }

    /// How many rows of a source have this very time of recording, when they are enough to be a bulk.
    pub fn recorded_with(&self, row: &Row) -> Option<u64> {
        let at = row.text("recorded_at");
        self.bulk.get(&(row.key.source_system.clone(), at.to_owned())).copied()
    }

    /// The line managers of a person that day, nearest first, each with how many steps up; a ring is followed once.
    pub fn managers_of(&self, person: &str, moment: &Moment) -> Vec<(String, usize)> {
        let mut found: Vec<(String, usize)> = Vec::new();
        let mut level = vec![person.to_owned()];
        for steps in 1..=MOST_STEPS {
            let mut next = Vec::new();
            for one in &level {
                for past in self.career(one).into_iter().flat_map(|career| &career.managers) {
                    let known = past.value == person || found.iter().any(|(id, _)| *id == past.value);
                    if past.span.may_cover(moment) && !known {
                        found.push((past.value.clone(), steps));
                        next.push(past.value.clone());
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            level = next;
        }
        found
    }
}

/// Longest line of managers that is followed.
const MOST_STEPS: usize = 12;
/// Keys by which an entry of `line_manager_history` names the manager.
const MANAGER_KEYS: [&str; 7] = [
    "line_manager_id",
    "manager_id",
    "manager_person_id",
    "person_id",
    "line_manager",
    "manager",
    "value",
];

fn unit_key(unit: &str) -> String {
    unit.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The entries of a history; an entry without a value is left out.
fn history(record: &Record, field: &str, keys: &[&str], zone: &TimeZone) -> Vec<Past> {
    let entries = record.fields.get(field).and_then(Value::as_array);
    let mut all = Vec::new();
    for entry in entries.into_iter().flatten().filter_map(Value::as_object) {
        if let Some(value) = first_text(entry, keys) {
            let moment = |keys: &[&str]| {
                let time = first_text(entry, keys).and_then(|text| RecordTime::parse(&text))?;
                Moment::of(&time, zone)
            };
            let span = Span {
                from: moment(&["from", "from_date", "start"]),
                to: moment(&["to", "to_date", "until", "end"]),
            };
            all.push(Past { value, span });
        }
    }
    all
}

/// The first of these members that is a text that is not blank.
pub(super) fn first_text(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let mut texts = keys.iter().filter_map(|key| object.get(*key).and_then(Value::as_str));
    texts
        .find(|text| !text.trim().is_empty())
        .map(|text| text.trim().to_owned())
}
