//! The records of a case, as rules look at them.
//!
//! One case is held at a time. Main type: [`CaseFile`]. Not for: what belongs to no single case (`shared`). Invariant: rows stand in the order of their items; a field that
//! could not be read is absent, never guessed.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use embley_model::record::{Record, RecordKey, RecordTime, RecordType};
use embley_store::facts::cases::case_key;
use embley_store::facts::{Connection, records};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::case_mail::CaseMail;
use super::governing::Governing;
use super::moment::{Moment, Span};
use super::{Context, Mail};
use crate::error::Result;
use crate::people::Directory;
use crate::rules::{Deciders, Frameworks, RegimeKind};

/// A record, read.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its item.
    pub item: ItemNo,
    /// Its key.
    pub key: RecordKey,
    /// The record.
    pub record: Record,
    /// How often it was imported with another content.
    pub version: u32,
}

impl Row {
    pub(super) fn of(stored: &records::Stored) -> Result<Self> {
        Ok(Self {
            item: stored.item,
            key: stored.key.clone(),
            record: stored.record()?,
            version: stored.version,
        })
    }

    /// Puts in place of each id of somebody the one that stands for all of theirs.
    pub(super) fn unify(&mut self, people: &Directory) {
        self.record.replace_people(|id| {
            let person = people.people().by_id(id)?;
            (person.id != id).then(|| person.id.clone())
        });
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
    name: CaseName,
    rows: Vec<Row>,
    mail: OnceCell<CaseMail>,
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
            name: name.clone(),
            rows: rows.into_values().collect(),
            mail: OnceCell::new(),
        })
    }

    /// The same with one id for everybody who was merged.
    #[must_use]
    pub fn unified(mut self, people: &Directory) -> Self {
        for row in &mut self.rows {
            row.unify(people);
        }
        self
    }

    /// Its references.
    pub(super) fn name(&self) -> &CaseName {
        &self.name
    }

    /// The messages that name it; read when they are first asked for.
    pub(super) fn mail(&self, context: &Context<'_>, mail: Mail<'_>) -> Result<&CaseMail> {
        if let Some(held) = self.mail.get() {
            return Ok(held);
        }
        let read = CaseMail::load(context, mail, self)?;
        Ok(self.mail.get_or_init(|| read))
    }

    /// All rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows of a type.
    pub fn of(&self, kind: RecordType) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.key.record_type == kind)
    }

    /// The record of the case itself: the first of [`CaseFile::heads`].
    pub fn head(&self) -> Option<&Row> {
        self.heads().into_iter().next()
    }

    /// The records of the case itself when systems have one each, that of the system to which the case was moved first, then by when they were
    /// last written, whatever the order in which they were imported.
    pub fn heads(&self) -> Vec<&Row> {
        let mut heads: Vec<&Row> = self.of(RecordType::Case).collect();
        if heads.len() > 1 {
            let written = |row: &Row| {
                let times = ["modified_at", "recorded_at"]
                    .iter()
                    .filter_map(|name| row.time(name)?.utc_secs(&TimeZone::UTC));
                times.max()
            };
            heads.sort_by_key(|row| Reverse((row.time("migrated_at").is_some(), written(row), row.key.clone())));
        }
        heads
    }

    /// The day that the records of the case itself give, the first of [`CaseFile::heads`] that gives one.
    pub fn head_day(&self, name: &str, zone: &TimeZone) -> Option<Date> {
        self.heads().into_iter().find_map(|head| head.day(name, zone))
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
        let heads = self.heads();
        if let Some(flag) = heads.iter().find_map(|head| head.flag("schedule_3")) {
            return (Some(flag), true);
        }
        let of_type = heads.iter().find_map(|head| match head.text("case_type") {
            "complaint" | "recordable_conduct_matter" | "dsi_matter" => Some(true),
            "conduct_matter" | "internal" => Some(false),
            _ => None,
        });
        (of_type, false)
    }

    /// The regulations that govern the case; `None` when the day on which it came to attention is not on record.
    pub fn governing<'r>(&self, frameworks: &'r Frameworks, zone: &TimeZone) -> Option<Governing<'r>> {
        let trigger = self.head_day("came_to_attention_at", zone)?;
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
