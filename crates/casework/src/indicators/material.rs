//! The records that rules look at: of one case, and what belongs to no single case.
//!
//! One case is held at a time. Main types: [`CaseFile`], [`Shared`]. Invariant: rows stand in the order of their items; a field that
//! could not be read is absent, never guessed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use embley_model::id::ItemNo;
use embley_model::record::{Record, RecordKey, RecordTime, RecordType};
use embley_store::facts::cases::case_key;
use embley_store::facts::{Connection, records};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::moment::{Moment, Span};
use crate::error::Result;
use crate::rules::deciders::CaseKind;
use crate::rules::{Deciders, Frameworks, Regime, RegimeKind};

/// A record, read.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its item.
    pub item: ItemNo,
    /// Its key.
    pub key: RecordKey,
    /// The record.
    pub record: Record,
}

impl Row {
    fn of(stored: &records::Stored) -> Result<Self> {
        Ok(Self {
            item: stored.item,
            key: stored.key.clone(),
            record: stored.record()?,
        })
    }

    /// A text; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.record.text(name).unwrap_or_default()
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.record.fields.get(name).and_then(Value::as_bool)
    }

    /// A time.
    pub fn time(&self, name: &str) -> Option<RecordTime> {
        self.record.time(name)
    }

    /// A time as a moment.
    pub fn moment(&self, name: &str, zone: &TimeZone) -> Option<Moment> {
        Moment::of(&self.time(name)?, zone)
    }

    /// The day of a time in the zone.
    pub fn day(&self, name: &str, zone: &TimeZone) -> Option<Date> {
        self.time(name)?.day(zone)
    }

    /// From one field to another.
    pub fn span(&self, from: &str, to: &str, zone: &TimeZone) -> Span {
        Span {
            from: self.moment(from, zone),
            to: self.moment(to, zone),
        }
    }
}

/// A role that somebody holds on a case.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The appointment.
    pub row: &'a Row,
    /// When.
    pub span: Span,
}

impl Held<'_> {
    /// Who.
    pub fn person(&self) -> &str {
        self.row.text("person_id")
    }

    /// The role.
    pub fn role(&self) -> &str {
        self.row.text("role")
    }
}

/// A case by its references: records of the case itself join them, such as that of an older system and that of a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseName {
    /// The reference by which it is shown.
    pub written: String,
    /// Keys of all its references ([`case_key`]), sorted.
    pub keys: BTreeSet<String>,
}

/// The records of a case.
#[derive(Clone, Debug)]
pub struct CaseFile {
    /// The reference as written first.
    pub case_ref: String,
    rows: Vec<Row>,
}

impl CaseFile {
    /// Reads the records of a case, under whichever of its references they stand. A record belongs to the case that its `case_ref`
    /// names; the source's own reference counts only where there is no other.
    ///
    /// # Errors
    /// The catalogue refuses or is damaged.
    pub fn load(conn: &Connection, name: &CaseName) -> Result<Self> {
        let mut rows: BTreeMap<ItemNo, Row> = BTreeMap::new();
        for key in &name.keys {
            for stored in records::of_case(conn, key)? {
                let row = Row::of(&stored)?;
                let first = row.record.case_refs().first().map(|one| case_key(one));
                if first.is_some_and(|first| name.keys.contains(&first)) {
                    rows.insert(row.item, row);
                }
            }
        }
        Ok(Self {
            case_ref: name.written.clone(),
            rows: rows.into_values().collect(),
        })
    }

    /// All rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows of a type.
    pub fn of(&self, kind: RecordType) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.key.record_type == kind)
    }

    /// The record of the case itself: the one with the latest item when systems have one each.
    pub fn head(&self) -> Option<&Row> {
        self.of(RecordType::Case).last()
    }

    /// The appointments on record.
    pub fn roles<'a>(&'a self, zone: &TimeZone) -> Vec<Held<'a>> {
        self.of(RecordType::RoleAppointment)
            .map(|row| Held {
                row,
                span: row.span("appointed_at", "ended_at", zone),
            })
            .collect()
    }

    /// Ids of those whom the case concerns: parties, and subjects of allegations and decisions.
    pub fn officers_concerned(&self) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        for row in &self.rows {
            match row.key.record_type {
                RecordType::Party if is_officer_concerned(row.text("capacity")) => {
                    ids.insert(row.text("person_id"));
                }
                RecordType::Allegation | RecordType::Decision => ids.extend(row.record.list("subject_person_ids")),
                _ => {}
            }
        }
        ids.remove("");
        ids
    }

    /// Whether the case is under Schedule 3, and whether that is on record or taken from its type.
    pub fn schedule_3(&self) -> (Option<bool>, bool) {
        let Some(head) = self.head() else {
            return (None, false);
        };
        if let Some(flag) = head.flag("schedule_3") {
            return (Some(flag), true);
        }
        match head.text("case_type") {
            "complaint" | "recordable_conduct_matter" | "dsi_matter" => (Some(true), false),
            "conduct_matter" | "internal" => (Some(false), false),
            _ => (None, false),
        }
    }

    /// The regulations that govern the case; `None` when the day on which it came to attention is not on record.
    pub fn governing<'r>(&self, frameworks: &'r Frameworks, zone: &TimeZone) -> Option<Governing<'r>> {
        let trigger = self.head()?.day("came_to_attention_at", zone)?;
        let (schedule_3, on_record) = self.schedule_3();
        let conduct = frameworks.governing(RegimeKind::Conduct, trigger);
        let complaint = match schedule_3 {
            Some(false) => None,
            Some(true) | None => frameworks.governing(RegimeKind::Complaint, trigger),
        };
        Some(Governing {
            trigger,
            schedule_3,
            schedule_3_on_record: on_record,
            conduct,
            complaint,
        })
    }

    /// The last day of which the records speak, leaving out what is only due and the day of migration.
    pub fn last_day(&self, zone: &TimeZone) -> Option<Date> {
        let mut last = None;
        for row in &self.rows {
            let events = row
                .key
                .record_type
                .event_fields()
                .iter()
                .copied()
                .filter(|name| *name != "due_at");
            for name in events.chain(["recorded_at", "modified_at", "closed_at"]) {
                last = last.max(row.day(name, zone));
            }
        }
        last
    }

    /// Entries of the log, and reviews, that stand between two days and hold one of these words.
    pub fn log_entries<'a>(
        &'a self,
        zone: &'a TimeZone,
        from: Date,
        to: Date,
        words: &'a [&'a str],
    ) -> impl Iterator<Item = &'a Row> {
        self.of(RecordType::LogEntry).filter(move |row| {
            let day = row.day("entry_at", zone);
            day.is_some_and(|day| (from..=to).contains(&day)) && {
                let text = format!("{} {}", row.text("category"), row.text("text")).to_lowercase();
                words.iter().any(|word| text.contains(word))
            }
        })
    }
}

/// The regulations that govern a case.
#[derive(Clone, Copy, Debug)]
pub struct Governing<'r> {
    /// The day on which it came to attention.
    pub trigger: Date,
    /// Under Schedule 3.
    pub schedule_3: Option<bool>,
    /// Whether the record says so; else it is taken from the type of case.
    pub schedule_3_on_record: bool,
    /// For conduct.
    pub conduct: Option<&'r Regime>,
    /// For complaints and Schedule 3, when the case is or may be under it.
    pub complaint: Option<&'r Regime>,
}

impl<'r> Governing<'r> {
    /// Those that govern, complaints first.
    pub fn all(&self) -> Vec<&'r Regime> {
        self.complaint.into_iter().chain(self.conduct).collect()
    }

    /// Their ids.
    pub fn ids(&self) -> Vec<&'r str> {
        self.all().into_iter().map(|one| one.id.as_str()).collect()
    }

    /// What a line of `deciders.toml` asks of the case.
    pub fn kind<'a>(&self, ids: &'a [&'a str], head: Option<&'a Row>) -> CaseKind<'a> {
        CaseKind {
            regimes: ids,
            schedule_3: self.schedule_3,
            certified: head.is_some_and(|row| row.time("special_requirements_certified_at").is_some()),
            form: head.and_then(|row| row.record.text("form_of_investigation")),
        }
    }

    /// `A (SI 1) and B (SI 2)`.
    pub fn spoken(&self) -> String {
        let names: Vec<String> = self.all().into_iter().map(Regime::spoken).collect();
        names.join(" and ")
    }
}

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
        let all = |kind| -> Result<Vec<Row>> { records::of_type(conn, kind)?.iter().map(Row::of).collect() };
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
            let units: BTreeSet<String> = career.units.iter().map(|past| unit_key(&past.value)).collect();
            for unit in units {
                *shared.unit_sizes.entry(unit).or_default() += 1;
            }
            shared.careers.insert(
                id,
                Career {
                    row: Some(row),
                    ..career
                },
            );
        }
        Ok(shared)
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
            if has_head || !CaseFile::load(conn, &name)?.rows.is_empty() {
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

/// `officer_concerned`, `person_concerned`, `subject`, `person_complained_against`.
pub(super) fn is_officer_concerned(capacity: &str) -> bool {
    let word = capacity.trim().to_lowercase().replace([' ', '-'], "_");
    matches!(
        word.as_str(),
        "officer_concerned" | "person_concerned" | "person_complained_against" | "subject"
    )
}

/// The appointments that a person may hold at a moment in one of the roles that a word stands for.
pub(super) fn holds<'a>(
    roles: &[Held<'a>],
    deciders: &Deciders,
    person: &str,
    word: &str,
    moment: &Moment,
) -> Option<Held<'a>> {
    let mut fitting = roles
        .iter()
        .filter(|held| held.person() == person && deciders.is_role(word, held.role()) && held.span.may_cover(moment));
    fitting.next().copied()
}
