//! What a run did, as plain data: kept in the run's row and shown by `status`.

use embley_store::catalogue::TallyRow;
use serde::{Deserialize, Serialize};

use crate::opening::rounds::OpenedSums;
use crate::self_test::SelfTest;

/// Sums of a run or of one of its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Top-level entries counted before any decision.
    pub discovered: u64,
    /// New items.
    pub new: u64,
    /// Entries whose bytes were there already.
    pub duplicate: u64,
    /// Entries known from an earlier version of their file.
    pub unchanged: u64,
    /// Entries left out by rule.
    pub excluded: u64,
    /// Entries of which no item exists.
    pub excepted: u64,
    /// Parts of messages.
    pub children: Children,
    /// Bytes of input read.
    pub bytes: u64,
}

/// Sums of the parts of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Children {
    /// Counted by the MIME enumeration.
    pub discovered: u64,
    /// Items made of them.
    pub items: u64,
    /// Parts of which no item exists.
    pub excepted: u64,
}

impl Sums {
    /// Adds one row of the catalogue.
    pub fn add(&mut self, row: &TallyRow) {
        self.discovered += row.discovered;
        self.new += row.new;
        self.duplicate += row.duplicate;
        self.unchanged += row.unchanged;
        self.excluded += row.excluded;
        self.excepted += row.excepted;
        self.children.discovered += row.children_discovered;
        self.children.items += row.children_items;
        self.children.excepted += row.children_excepted;
        self.bytes += row.bytes;
    }

    /// True when every entry and every part has exactly one outcome.
    pub fn balanced(&self) -> bool {
        self.discovered == self.new + self.duplicate + self.unchanged + self.excluded + self.excepted
            && self.children.discovered == self.children.items + self.children.excepted
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Its id.
    pub run: String,
    /// `done` or `stopped`.
    pub state: String,
    /// It went on after an interruption.
    pub resumed: bool,
    /// Sums of the whole run.
    pub sums: Sums,
    /// All sums close, in every container, source and the run.
    pub balanced: bool,
    /// Sums by source label.
    pub sources: Vec<(String, Sums)>,
    /// What the self-test found; nothing when there was nothing new.
    pub self_test: Option<SelfTest>,
    /// What was opened beyond plain mail and text.
    #[serde(default)]
    pub opened: OpenedSums,
    /// What each finish step said.
    pub finish: Vec<(String, String)>,
    /// Files that were there before and are gone.
    pub absent_files: u64,
    /// Bytes of files told unchanged by size, time and inode.
    pub unchanged_bytes: u64,
    /// How unchanged files were told.
    pub unchanged_by: String,
    /// Items replayed into the index before the run.
    pub replayed: u64,
    /// Distinct blobs in the de-duplication table at the end; 0 when nothing was read.
    pub dedup_blobs: u64,
    /// Bytes of that table.
    pub dedup_bytes: u64,
    /// Wall time in seconds.
    pub seconds: f64,
}
