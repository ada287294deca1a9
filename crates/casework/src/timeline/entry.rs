//! A timeline as plain data: for JSON Lines, and as rows of a table.

use embley_model::date::{Confidence, DateSource, EvidenceDate, rfc3339};
use embley_model::id::ItemNo;
use jiff::tz::TimeZone;
use serde::Serialize;

/// What an entry is about. The order breaks ties between entries of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A date of the case itself: incident, attention, opening, closing.
    CaseDate,
    /// A role begins.
    RoleStart,
    /// A role ends.
    RoleEnd,
    /// A decision.
    Decision,
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
    /// The word in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::CaseDate => "case-date",
            Self::RoleStart => "role-start",
            Self::RoleEnd => "role-end",
            Self::Decision => "decision",
            Self::Record => "record",
            Self::Email => "email",
            Self::Attachment => "attachment",
            Self::Document => "document",
            Self::Exhibit => "exhibit",
        }
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

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

fn local(utc_secs: i64, precision: Precision, zone: &TimeZone) -> Option<String> {
    let zoned = jiff::Timestamp::from_second(utc_secs).ok()?.to_zoned(zone.clone());
    match precision {
        Precision::Moment => Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
        Precision::Day => Some(zoned.strftime("%Y-%m-%d").to_string()),
        Precision::None => None,
    }
}

/// A timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The case asked for.
    pub case_ref: String,
    /// The references by which it is known: as asked for, then those of its case records.
    pub known_as: Vec<String>,
    /// The zone of `local`, by name.
    pub zone: String,
    /// The entries in order.
    pub entries: Vec<Entry>,
    /// How many of them have no date; they stand at the end.
    pub undated: u64,
}
