//! Marks of a timeline: where there is no entry, and where records do not fit together. Each states what is on record.
//!
//! Main type: [`Mark`]. `gaps` and `clocks` are here, `contradictions` in a module of its own. Not for: conclusions; whether a gap or two rows that do
//! not fit mean anything is not said. Invariant: a mark between days is made only where no reading of the days would remove it.

use embley_model::date::rfc3339;
use embley_store::facts::Connection;
use embley_store::facts::cases::case_key;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::entry::{Entry, EntryKind, Precision, local};
use crate::error::Result;
use crate::indicators::{CaseFile, CaseName, Context, Done, Shared, clock_states, under_older};
use crate::people::Directory;
use crate::rules::RuleSet;

/// Days without an entry that are marked, by default.
pub const GAP_DAYS: u32 = 90;
const DAY_SECS: i64 = 86_400;

/// What a mark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// No entry for a time while the case is on record as open.
    Gap,
    /// Something was due, and no entry in time answers it.
    DueWithoutEntry,
    /// One determination stands on record twice.
    MadeTwice,
    /// A decision is dated after the case was closed.
    DecidedAfterClosed,
    /// The decision-maker's role is recorded as ended before the decision.
    RoleEndedBefore,
    /// The decision-maker's role begins after the decision.
    RoleBeganAfter,
    /// A decision was recorded before it was made.
    RecordedBeforeDecided,
    /// Something ends before it begins.
    EndsBeforeItBegins,
    /// A decision replaces a later one.
    ReplacesLater,
    /// Two records of the case itself say different things.
    CaseRecordsDiffer,
    /// A row said something else when it was imported before.
    ChangedBetweenImports,
}

impl MarkKind {
    /// The word in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::DueWithoutEntry => "due-without-entry",
            Self::MadeTwice => "made-twice",
            Self::DecidedAfterClosed => "decided-after-closed",
            Self::RoleEndedBefore => "role-ended-before",
            Self::RoleBeganAfter => "role-began-after",
            Self::RecordedBeforeDecided => "recorded-before-decided",
            Self::EndsBeforeItBegins => "ends-before-it-begins",
            Self::ReplacesLater => "replaces-later",
            Self::CaseRecordsDiffer => "case-records-differ",
            Self::ChangedBetweenImports => "changed-between-imports",
        }
    }

    /// True for records that do not fit together.
    pub fn is_contradiction(self) -> bool {
        !matches!(self, Self::Gap | Self::DueWithoutEntry)
    }
}

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// What it is about.
    #[serde(rename = "mark")]
    pub kind: MarkKind,
    /// Where it stands, UTC seconds.
    pub at_secs: i64,
    /// The same as RFC 3339 in UTC.
    pub at: Option<String>,
    /// The day in the zone of the case.
    pub local: Option<String>,
    /// For a gap its end, UTC seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_secs: Option<i64>,
    /// What is on record, in one sentence.
    pub sentence: String,
    /// What explains it, or speaks of it, on record.
    pub on_record: Vec<String>,
    /// The printed ids of the records that it rests on.
    pub records: Vec<String>,
}

impl Mark {
    pub(super) fn new(kind: MarkKind, at_secs: i64, sentence: String, zone: &TimeZone) -> Self {
        Self {
            kind,
            at_secs,
            at: rfc3339(at_secs),
            local: local(at_secs, Precision::Day, zone),
            until_secs: None,
            sentence,
            on_record: Vec::new(),
            records: Vec::new(),
        }
    }

    /// The mark as a row of the table of entries.
    pub fn row(&self) -> [String; 5] {
        [
            self.local.clone().unwrap_or_default(),
            format!("({})", self.kind.word()),
            String::new(),
            self.spoken(),
            String::new(),
        ]
    }

    /// The mark as a row of a file of entries.
    pub fn full_row(&self) -> [String; 11] {
        let [when, what, item, sentence, exhibits] = self.row();
        [
            when,
            what,
            item,
            sentence,
            exhibits,
            self.at.clone().unwrap_or_default(),
            "day".to_owned(),
            String::new(),
            self.records.join(" "),
            String::new(),
            String::new(),
        ]
    }

    /// The sentence, and what else is on record.
    pub fn spoken(&self) -> String {
        if self.on_record.is_empty() {
            self.sentence.clone()
        } else {
            format!("{}; on record: {}", self.sentence, self.on_record.join("; "))
        }
    }
}

/// When a case is on record as open, UTC seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenTime {
    /// It came to attention or was opened, whichever is first.
    pub(super) from: Option<i64>,
    /// It was closed.
    pub(super) until: Option<i64>,
}

/// Times of at least `days` days between two entries that follow one another while the case is open. `entries` are in order; what was only due is
/// no entry here. Without a day of opening on record the first record of the case counts.
pub(super) fn gaps(entries: &[Entry], open: OpenTime, days: u32, zone: &TimeZone) -> Vec<Mark> {
    let first_record = entries
        .iter()
        .find(|entry| entry.record.is_some() && entry.utc_secs.is_some() && entry.kind != EntryKind::CaseDate)
        .and_then(|entry| entry.utc_secs);
    let Some(from) = open.from.or(first_record) else {
        return Vec::new();
    };
    let least = i64::from(days.max(1)) * DAY_SECS;
    let mut marks = Vec::new();
    let mut last = from;
    let inside = |secs: i64| secs >= from && open.until.is_none_or(|until| secs <= until);
    let times = entries
        .iter()
        .filter(|entry| !entry.due)
        .filter_map(|entry| entry.utc_secs);
    for secs in times.filter(|secs| inside(*secs)).chain(open.until) {
        if secs - last >= least {
            let count = (secs - last) / DAY_SECS;
            let day = |secs: i64| local(secs, Precision::Day, zone).unwrap_or_default();
            let closing = match (open.from, open.until) {
                (Some(_), Some(_)) => ", while the case is on record as open",
                (Some(_), None) => ", while the case is on record as open, and no closing of the case is on record",
                (None, Some(_)) => "; no opening of the case is on record",
                (None, None) => "; neither opening nor closing of the case is on record",
            };
            let mut mark = Mark::new(
                MarkKind::Gap,
                last,
                format!(
                    "no entry for {count} days, between {} and {}{closing}",
                    day(last),
                    day(secs)
                ),
                zone,
            );
            mark.until_secs = Some(secs);
            marks.push(mark);
        }
        last = last.max(secs);
    }
    marks
}

/// Clocks of the case for which no entry in time is on record: what N8 looks at, shown where it was due.
pub(super) fn clocks(
    facts: &Connection,
    rules: &RuleSet,
    people: &Directory,
    zone: &TimeZone,
    known_as: &[String],
) -> Result<Vec<Mark>> {
    let Some(written) = known_as.first() else {
        return Ok(Vec::new());
    };
    let name = CaseName {
        written: written.clone(),
        keys: known_as.iter().map(|one| case_key(one)).collect(),
    };
    let case = CaseFile::load(facts, &name)?.unified(people);
    let shared = Shared::kinds_of(facts)?;
    let context = Context {
        facts,
        mail: None,
        zone,
        rules,
        people,
        shared: &shared,
        as_at: None,
    };
    let mut marks = Vec::new();
    let mut states = clock_states(&context, &case);
    under_older(&context, &case, &mut states)?;
    for state in states {
        let answer = match state.done {
            Done::InTime(_) => continue,
            Done::Late(day) => format!("an entry is on record of {day}"),
            Done::Missing(day) => format!("no entry is on record up to {day}"),
        };
        let Some(at) = state.due.to_zoned(zone.clone()).ok() else {
            continue;
        };
        let whom = if state.recipient.is_empty() {
            String::new()
        } else {
            format!(" to {}", people.spoken(&state.recipient))
        };
        let sentence = format!(
            "{}{whom} was due by {} ({} from {}, {}); {answer}",
            super::wording::what_is_due(state.clock.what),
            state.due,
            state.clock.spoken(),
            state.start,
            state.clock.cited()
        );
        let mut mark = Mark::new(MarkKind::DueWithoutEntry, at.timestamp().as_second(), sentence, zone);
        mark.on_record = state.explained.iter().map(|(words, _)| words.clone()).collect();
        mark.on_record.dedup();
        let rows = state.row.into_iter().chain(state.explaining.iter().copied());
        mark.records = rows.map(|row| row.key.display()).collect();
        mark.records.dedup();
        marks.push(mark);
    }
    Ok(marks)
}
