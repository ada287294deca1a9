//! What an import did, or would do.

use std::collections::BTreeMap;

use embley_model::id::RunNo;
use embley_model::record::RecordType;
use serde::Serialize;

use crate::mapping::join::JoinState;

/// Exceptions that a report holds; all are in the exception register.
pub(super) const REPORTED_EXCEPTIONS: usize = 20;
/// Words outside their vocabulary that a report tells apart.
const REPORTED_WORDS: usize = 1000;
/// Under which rows that cannot be read are counted, since nobody knows their type.
pub const UNREADABLE: &str = "(unreadable)";

/// Records of one type: `due = new + updated + unchanged + excepted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TypeCounts {
    /// Records that the rows should give.
    pub due: u64,
    /// New records.
    pub new: u64,
    /// New versions.
    pub updated: u64,
    /// Records that stand in the case as they are here.
    pub unchanged: u64,
    /// Records that could not be made.
    pub excepted: u64,
    /// Rows that give no record of this type, because a condition of the map does not hold.
    pub not_due: u64,
}

impl TypeCounts {
    /// True when every record that was due has exactly one outcome.
    pub fn closes(&self) -> bool {
        self.due == self.new + self.updated + self.unchanged + self.excepted
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Label of the file.
    pub source: String,
    /// The map, and its input where it has inputs.
    pub mapping: String,
    /// The run.
    pub run: Option<RunNo>,
    /// Rows counted by the reader.
    pub rows: u64,
    /// Rows that give no record, because no condition of the map holds.
    pub rows_without_record: u64,
    /// Records that the rows should give: as many as rows where columns are named as fields.
    pub due: u64,
    /// New records.
    pub new: u64,
    /// New versions.
    pub updated: u64,
    /// Of the new versions, those that say otherwise than an earlier row of the same file under the same id; the later row holds.
    pub said_otherwise: u64,
    /// Records that stand in the case as they are here.
    pub unchanged: u64,
    /// Records that could not be made.
    pub excepted: u64,
    /// The same by type of record.
    pub types: BTreeMap<String, TypeCounts>,
    /// Records new or updated, by type.
    pub by_type: BTreeMap<String, u64>,
    /// Fields that could not be read, by name of the field.
    pub unread_fields: BTreeMap<String, u64>,
    /// Words that their vocabulary does not have: vocabulary (or field), word, how often. They are kept as they are.
    pub unknown_words: BTreeMap<String, BTreeMap<String, u64>>,
    /// Columns of the file that no rule reads: they are kept under `raw` and searched.
    pub unmapped_columns: Vec<String>,
    /// Columns that rules read and the file has not.
    pub missing_columns: Vec<String>,
    /// How joins went.
    pub joins: BTreeMap<String, JoinState>,
    /// The first exceptions: row and reason.
    pub exceptions: Vec<(u64, String)>,
}

impl ImportReport {
    /// True when every record that was due has exactly one outcome, in all and by type.
    pub fn closes(&self) -> bool {
        let all = TypeCounts {
            due: self.due,
            new: self.new,
            updated: self.updated,
            unchanged: self.unchanged,
            excepted: self.excepted,
            not_due: 0,
        };
        let sum = |of: fn(&TypeCounts) -> u64| self.types.values().map(of).sum::<u64>();
        all.closes()
            && self.types.values().all(TypeCounts::closes)
            && sum(|one| one.due) == self.due
            && sum(|one| one.new) == self.new
            && sum(|one| one.updated) == self.updated
            && sum(|one| one.unchanged) == self.unchanged
            && sum(|one| one.excepted) == self.excepted
    }

    pub(super) fn of_type(&mut self, record_type: Option<RecordType>) -> &mut TypeCounts {
        let word = record_type.map_or(UNREADABLE, RecordType::word);
        if !self.types.contains_key(word) {
            self.types.insert(word.to_owned(), TypeCounts::default());
        }
        self.types.entry(word.to_owned()).or_default()
    }

    pub(super) fn count_due(&mut self, record_type: Option<RecordType>) {
        self.due += 1;
        self.of_type(record_type).due += 1;
    }

    pub(super) fn count_word(&mut self, vocabulary: String, word: String) {
        let words = self.unknown_words.entry(vocabulary).or_default();
        let held = words.len();
        match words.get_mut(&word) {
            Some(count) => *count += 1,
            None if held < REPORTED_WORDS => {
                words.insert(word, 1);
            }
            None => *words.entry("(others)".to_owned()).or_default() += 1,
        }
    }
}
