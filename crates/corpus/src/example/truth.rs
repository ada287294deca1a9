//! The truth of the worked example: what is planted, what only looks like it, what is clean, and which set made each message.

use serde::{Deserialize, Serialize};

use super::templates::{TemplateChoice, TemplateSet};

/// Identifies a record in the exports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordId {
    /// The export's system.
    pub source_system: String,
    /// The type.
    pub record_type: String,
    /// The id within both.
    pub record_id: String,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// A fault that the indicator should find.
    Planted,
    /// Innocent: an indicator that raises it must show the explanation, or must not raise it.
    LookAlike,
}

/// One planted fault or look-alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the entry, from 1.
    pub entry: u32,
    /// `N1` to `N14` (DOMAIN section 8).
    pub rule: String,
    /// Fault or look-alike.
    pub label: Label,
    /// Which kind of fault or look-alike it is; docs/example.md lists all.
    pub variant: String,
    /// The case, if it belongs to one.
    pub case_ref: Option<String>,
    /// Ids of people involved.
    pub people: Vec<String>,
    /// Records involved.
    pub records: Vec<RecordId>,
    /// Message-IDs of messages involved, with angle brackets, that some mailbox holds.
    pub message_ids: Vec<String>,
    /// Message-IDs of messages that are referred to and held nowhere.
    pub absent_message_ids: Vec<String>,
    /// Why it is one.
    pub why: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTruth {
    /// Its Message-ID with angle brackets.
    pub message_id: String,
    /// The kind of wording.
    pub kind: String,
    /// The set of wordings.
    pub set: TemplateSet,
    /// The case that it names.
    pub case_ref: Option<String>,
    /// RFC 3339.
    pub sent_at: String,
    /// Id of the sender.
    pub from: String,
    /// Ids of those it was sent to, and copied to.
    pub to: Vec<String>,
    /// The type of the decision that it says was made.
    pub states_decision: Option<String>,
    /// The record of that decision, if there is one.
    pub decision: Option<RecordId>,
    /// Files that hold it, below the folder of the example.
    pub files: Vec<String>,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleCase {
    /// Its reference.
    pub case_ref: String,
    /// Its type.
    pub case_type: String,
    /// The day on which it came to attention.
    pub came_to_attention: String,
    /// The era of its regulations: 2004, 2008, 2012 or 2020, by the day of attention.
    pub regulations: String,
    /// The export that has its records.
    pub source_system: String,
    /// True when nothing is planted in it (a message of it may still be missing from an export that begins later).
    pub is_clean: bool,
}

/// Everything that is known about an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleTruth {
    /// Format of this file.
    pub format: u32,
    /// The seed.
    pub seed: u64,
    /// The sets of wordings asked for.
    pub templates: TemplateChoice,
    /// The day of the migration.
    pub migrated_on: String,
    /// Ids of the 30 people.
    pub people: Vec<String>,
    /// Folders of the custodians below `mail`.
    pub custodians: Vec<String>,
    /// All cases.
    pub cases: Vec<ExampleCase>,
    /// Records in the older and in the newer export.
    pub records: [u64; 2],
    /// What is planted.
    pub entries: Vec<Entry>,
    /// All messages that are held.
    pub messages: Vec<MessageTruth>,
}
