//! A timeline as plain data: for JSON Lines, and as rows of a table.

use embley_model::date::{Confidence, DateSource, EvidenceDate, rfc3339};
use embley_model::id::ItemNo;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::marks::Mark;

/// What an entry is about. The order breaks ties between entries of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A date of the case itself: incident, attention, opening, closing.
    CaseDate,
    /// An allegation.
    Allegation,
    /// Somebody's part in the case.
    Party,
    /// A role begins.
    RoleStart,
    /// A role ends.
    RoleEnd,
    /// A decision.
    Decision,
    /// A declared conflict of interest, or that there is none.
    Declaration,
    /// A notice served.
    Notice,
    /// A review of the case.
    Review,
    /// An update, or the outcome, to somebody.
    Update,
    /// A report that the case is not done in time.
    TimelinessReport,
    /// An entry of the log.
    LogEntry,
    /// A document on the register of the case.
    RecordedDocument,
    /// An entry of a register: gifts, interests, associations, media contacts, procurement.
    Register,
    /// Another record.
    Record,
    /// A message.
    Email,
    /// An attachment.
    Attachment,
    /// A loose file.
    Document,
    /// An exhibit.
    Exhibit,
}

impl EntryKind {
    /// All kinds, in their order.
    pub const ALL: [Self; 19] = [
        Self::CaseDate,
        Self::Allegation,
        Self::Party,
        Self::RoleStart,
        Self::RoleEnd,
        Self::Decision,
        Self::Declaration,
        Self::Notice,
        Self::Review,
        Self::Update,
        Self::TimelinessReport,
        Self::LogEntry,
        Self::RecordedDocument,
        Self::Register,
        Self::Record,
        Self::Email,
        Self::Attachment,
        Self::Document,
        Self::Exhibit,
    ];

    /// The word in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::CaseDate => "case-date",
            Self::Allegation => "allegation",
            Self::Party => "party",
            Self::RoleStart => "role-start",
            Self::RoleEnd => "role-end",
            Self::Decision => "decision",
            Self::Declaration => "declaration",
            Self::Notice => "notice",
            Self::Review => "review",
            Self::Update => "update",
            Self::TimelinessReport => "timeliness-report",
            Self::LogEntry => "log-entry",
            Self::RecordedDocument => "recorded-document",
            Self::Register => "register",
            Self::Record => "record",
            Self::Email => "email",
            Self::Attachment => "attachment",
            Self::Document => "document",
            Self::Exhibit => "exhibit",
        }
    }

    /// The inverse of [`EntryKind::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// How exact a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// A moment.
    Moment,
    /// A day without a time.
    Day,
    /// There is no date.
    None,
}

/// Somebody in an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The field or header in which they stand: `decided_by`, `subject_person_ids`, `from`, ...
    pub part: String,
    /// Id on record, or the address.
    pub id: String,
    /// Name on record, or in the header; empty when there is none.
    pub name: String,
}

/// What a decision record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DecisionDetail {
    /// Its type.
    pub decision_type: String,
    /// The outcome.
    pub outcome: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
    /// The role that the decision-maker names.
    pub role_claimed: Option<String>,
    /// The regulation cited.
    pub regulation_cited: Option<String>,
    /// The set of regulations cited.
    pub regime_cited: Option<String>,
    /// Whom it concerns.
    pub subject_person_ids: Vec<String>,
    /// The decision that it replaces.
    pub supersedes_decision_id: Option<String>,
}

/// What a role record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoleDetail {
    /// The role.
    pub role: String,
    /// Who holds it.
    pub person_id: String,
    /// Who appointed.
    pub appointed_by: Option<String>,
    /// The delegation or appointment relied on.
    pub basis: Option<String>,
    /// Acting in the role.
    pub acting: Option<bool>,
}

/// Something that is said to be the same as the document on record, or the attachment, that an entry is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Twin {
    /// Its item.
    pub item_no: ItemNo,
    /// Its printed id.
    pub item: String,
    /// File name, or number and title on the register.
    pub name: String,
    /// Why: `same-bytes`, `same-words`, `near-duplicate`, or `by-hand`.
    pub reason: &'static str,
    /// How alike, 0 to 1; none where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
    /// How far to rely on it.
    pub confidence: &'static str,
    /// Who said so and why, for a link by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// RFC 3339 in UTC; for a day its first moment in the zone of the case; `None` when undated.
    pub date: Option<String>,
    /// The same as text in the zone of the case, a day as a day.
    pub local: Option<String>,
    /// The same as seconds since 1970.
    pub utc_secs: Option<i64>,
    /// The date as it was written.
    pub date_raw: String,
    /// How exact it is.
    pub precision: Precision,
    /// Where it was taken from.
    pub date_source: DateSource,
    /// How far to rely on it.
    pub confidence: Confidence,
    /// What it is about.
    pub kind: EntryKind,
    /// The item; for an exhibit its first one.
    pub item_no: Option<ItemNo>,
    /// The item's printed id.
    pub item: Option<String>,
    /// The record's printed id.
    pub record: Option<String>,
    /// What it says, in one sentence.
    pub sentence: String,
    /// Why it is on this timeline.
    pub why: Vec<String>,
    /// The exhibits that hold the item; for an exhibit itself.
    pub exhibits: Vec<String>,
    /// Who stands in it.
    pub people: Vec<Part>,
    /// True where the date is the day on which something was due and no day on which it was done is on record.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub due: bool,
    /// For a document on record the attachments that are the same, and the other way round.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<Twin>,
    /// For a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionDetail>,
    /// For a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleDetail>,
}

impl Entry {
    /// An entry that says a sentence at a date.
    pub(super) fn at(
        date: &EvidenceDate,
        precision: Precision,
        kind: EntryKind,
        sentence: String,
        zone: &TimeZone,
    ) -> Self {
        let precision = if date.utc_secs.is_some() {
            precision
        } else {
            Precision::None
        };
        Self {
            date: date.utc_secs.and_then(rfc3339),
            local: date.utc_secs.and_then(|secs| local(secs, precision, zone)),
            utc_secs: date.utc_secs,
            date_raw: date.raw.clone(),
            precision,
            date_source: date.source,
            confidence: date.confidence,
            kind,
            item_no: None,
            item: None,
            record: None,
            sentence,
            why: Vec::new(),
            exhibits: Vec::new(),
            people: Vec::new(),
            due: false,
            twins: Vec::new(),
            decision: None,
            role: None,
        }
    }

    /// Undated last; then time, kind, item number, record, words.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        let undated = |one: &Self| one.utc_secs.is_none();
        (undated(self), self.utc_secs, self.kind, self.item_no)
            .cmp(&(undated(other), other.utc_secs, other.kind, other.item_no))
            .then_with(|| self.record.cmp(&other.record))
            .then_with(|| self.sentence.cmp(&other.sentence))
    }

    /// The heads of [`Entry::row`].
    pub const COLUMNS: [&'static str; 5] = ["when", "what", "item", "sentence", "exhibits"];

    /// The heads of [`Entry::full_row`].
    pub const FULL_COLUMNS: [&'static str; 11] = [
        "when",
        "what",
        "item",
        "sentence",
        "exhibits",
        "utc",
        "precision",
        "id",
        "record",
        "why",
        "people",
    ];

    /// The entry as a row of a file: what a table shows, and the rest.
    pub fn full_row(&self) -> [String; 11] {
        let [when, what, item, sentence, exhibits] = self.row();
        let precision = match self.precision {
            Precision::Moment => "moment",
            Precision::Day => "day",
            Precision::None => "none",
        };
        let people: Vec<String> = self
            .people
            .iter()
            .map(|one| format!("{}: {}", one.part, one.id))
            .collect();
        [
            when,
            what,
            item,
            sentence,
            exhibits,
            self.date.clone().unwrap_or_default(),
            precision.to_owned(),
            self.item.clone().unwrap_or_default(),
            self.record.clone().unwrap_or_default(),
            self.why.join("; "),
            people.join("; "),
        ]
    }

    /// The entry as a row of a table.
    pub fn row(&self) -> [String; 5] {
        [
            self.local.clone().unwrap_or_else(|| "undated".to_owned()),
            self.kind.word().to_owned(),
            self.item_no.map(|item| item.to_string()).unwrap_or_default(),
            self.sentence.clone(),
            self.exhibits.join(" "),
        ]
    }
}

/// A moment in the zone of the case, a day as a day.
pub(super) fn local(utc_secs: i64, precision: Precision, zone: &TimeZone) -> Option<String> {
    let zoned = jiff::Timestamp::from_second(utc_secs).ok()?.to_zoned(zone.clone());
    match precision {
        Precision::Moment => Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
        Precision::Day => Some(zoned.strftime("%Y-%m-%d").to_string()),
        Precision::None => None,
    }
}

/// A role that somebody holds on record, from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleInterval {
    /// The role.
    pub role: String,
    /// Who holds it: id on record, may be empty.
    pub person_id: String,
    /// Name and id, as sentences call them.
    pub person: String,
    /// Acting in the role.
    pub acting: bool,
    /// First second; `None` when no start is on record.
    pub from_secs: Option<i64>,
    /// Last second; `None` when no end is on record.
    pub until_secs: Option<i64>,
    /// `investigator, Ann Lee (P-7), from 2019-03-05 to 2019-06-30`.
    pub sentence: String,
    /// The record's printed id.
    pub record: String,
}

/// Whose timeline it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "of", content = "name", rename_all = "kebab-case")]
pub enum Subject {
    /// Of a case.
    Case(String),
    /// Of a person: as sentences call them.
    Person(String),
}

/// A timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// Whose it is.
    pub subject: Subject,
    /// The case asked for; empty for a person.
    pub case_ref: String,
    /// The references by which it is known: as asked for, then those of its case records. For a person the cases that entries name.
    pub known_as: Vec<String>,
    /// The zone of `local`, by name.
    pub zone: String,
    /// The entries in order.
    pub entries: Vec<Entry>,
    /// How many of them have no date; they stand at the end.
    pub undated: u64,
    /// Roles on record, by person, then start.
    pub roles: Vec<RoleInterval>,
    /// Gaps, clocks without an entry, and records that do not fit together, in the order of time.
    pub marks: Vec<Mark>,
    /// Messages of a person that name no case on record and were left out.
    pub left_out: u64,
    /// What was asked for beside the whole: `from 2019-01-01`, `person P-7`, `kinds decision, email`.
    pub limits: Vec<String>,
}

/// A line of a timeline.
#[derive(Clone, Copy, Debug)]
pub enum Line<'a> {
    /// An entry, and its place in [`Timeline::entries`].
    Entry(usize, &'a Entry),
    /// A mark, and its place in [`Timeline::marks`].
    Mark(usize, &'a Mark),
}

impl Timeline {
    /// Entries and marks in one order: a mark stands behind the entries of its moment, undated entries at the end.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let mut marks = self.marks.iter().enumerate().peekable();
        let mut lines = Vec::with_capacity(self.entries.len() + self.marks.len());
        for (place, entry) in self.entries.iter().enumerate() {
            while let Some((at, mark)) =
                marks.next_if(|(_, mark)| entry.utc_secs.is_none_or(|secs| mark.at_secs < secs))
            {
                lines.push(Line::Mark(at, mark));
            }
            lines.push(Line::Entry(place, entry));
        }
        lines.extend(marks.map(|(at, mark)| Line::Mark(at, mark)));
        lines
    }
}
