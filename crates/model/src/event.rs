//! Progress: counters that stages add to, snapshots that faces (bars, plain lines, JSON lines, pages) read.
//!
//! Libraries never print: they count here and send [`Event`]s to an [`Observer`].

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::defect::DefectCode;

/// The stages of the flow, in order (DESIGN section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Walk folders, find mailbox variants.
    Discover,
    /// Read and split.
    Read,
    /// Hash.
    Hash,
    /// De-duplicate (ordered).
    Decide,
    /// Compress originals.
    Pack,
    /// Parse, keys, tokens.
    Parse,
    /// Reserve numbers, append frames (ordered).
    Number,
    /// Add to index segments.
    Index,
    /// Sync, catalogue transaction, index commit.
    Commit,
    /// Finish steps and self-test.
    Finish,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 10] = [
        Self::Discover,
        Self::Read,
        Self::Hash,
        Self::Decide,
        Self::Pack,
        Self::Parse,
        Self::Number,
        Self::Index,
        Self::Commit,
        Self::Finish,
    ];

    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Read => "read",
            Self::Hash => "hash",
            Self::Decide => "decide",
            Self::Pack => "pack",
            Self::Parse => "parse",
            Self::Number => "number",
            Self::Index => "index",
            Self::Commit => "commit",
            Self::Finish => "finish",
        }
    }
}

/// What one stage has done so far.
#[derive(Debug, Default)]
pub struct StageCounters {
    /// Entries or items through it.
    pub items: AtomicU64,
    /// Bytes through it.
    pub bytes: AtomicU64,
    /// Busy time of all threads in it.
    pub busy_nanos: AtomicU64,
    /// Time threads waited for it.
    pub wait_nanos: AtomicU64,
}

/// All counters of a run, shared by its threads.
#[derive(Debug, Default)]
pub struct Counters {
    stages: [StageCounters; 10],
    /// Bytes that the walk found, for the time to go.
    pub planned_bytes: AtomicU64,
    /// Bytes of files told unchanged without reading.
    pub skipped_bytes: AtomicU64,
    /// Top-level entries counted by splitter and walker.
    pub discovered: AtomicU64,
    /// Entries that became new items.
    pub new: AtomicU64,
    /// Entries whose original was already there.
    pub duplicate: AtomicU64,
    /// Entries of unchanged files.
    pub unchanged: AtomicU64,
    /// Entries left out by the caller's rules.
    pub excluded: AtomicU64,
    /// Entries without an item.
    pub excepted: AtomicU64,
    /// Bytes in flight now.
    pub in_flight_bytes: AtomicU64,
    exceptions: Mutex<BTreeMap<&'static str, u64>>,
    in_flight: Mutex<Vec<String>>,
}

impl Counters {
    /// The counters of one stage.
    pub fn stage(&self, stage: Stage) -> &StageCounters {
        &self.stages[Stage::ALL.iter().position(|one| *one == stage).unwrap_or(0)]
    }

    /// Adds one pass through a stage.
    pub fn add(&self, stage: Stage, items: u64, bytes: u64, busy_nanos: u64) {
        let counters = self.stage(stage);
        counters.items.fetch_add(items, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        counters.busy_nanos.fetch_add(busy_nanos, Ordering::Relaxed);
    }

    /// Counts a defect or exception by its code.
    pub fn count_code(&self, code: DefectCode) {
        if let Ok(mut map) = self.exceptions.lock() {
            *map.entry(code.text()).or_insert(0) += 1;
        }
    }

    /// Tells which input a worker has in hand; `slot` is the worker's number.
    pub fn set_in_flight(&self, slot: usize, name: &str) {
        if let Ok(mut names) = self.in_flight.lock() {
            if names.len() <= slot {
                names.resize(slot + 1, String::new());
            }
            if names[slot] != name {
                names[slot] = name.to_owned();
            }
        }
    }

    /// A copy of everything, at one moment.
    pub fn snapshot(&self) -> ProgressSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProgressSnapshot {
            stages: Stage::ALL
                .iter()
                .map(|stage| {
                    let counters = self.stage(*stage);
                    StageSnapshot {
                        stage: stage.word().to_owned(),
                        items: get(&counters.items),
                        bytes: get(&counters.bytes),
                        busy_ms: get(&counters.busy_nanos) / 1_000_000,
                        wait_ms: get(&counters.wait_nanos) / 1_000_000,
                    }
                })
                .collect(),
            planned_bytes: get(&self.planned_bytes),
            skipped_bytes: get(&self.skipped_bytes),
            discovered: get(&self.discovered),
            new: get(&self.new),
            duplicate: get(&self.duplicate),
            unchanged: get(&self.unchanged),
            excluded: get(&self.excluded),
            excepted: get(&self.excepted),
            in_flight_bytes: get(&self.in_flight_bytes),
            exceptions: self
                .exceptions
                .lock()
                .map(|map| map.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect())
                .unwrap_or_default(),
            in_flight: self.in_flight.lock().map(|names| names.clone()).unwrap_or_default(),
        }
    }
}

/// One stage at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSnapshot {
    /// The stage's word.
    pub stage: String,
    /// Entries or items through it.
    pub items: u64,
    /// Bytes through it.
    pub bytes: u64,
    /// Busy milliseconds, all threads.
    pub busy_ms: u64,
    /// Waiting milliseconds, all threads.
    pub wait_ms: u64,
}

/// A run at one moment, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressSnapshot {
    /// Each stage.
    pub stages: Vec<StageSnapshot>,
    /// Bytes that the walk found.
    pub planned_bytes: u64,
    /// Bytes told unchanged without reading.
    pub skipped_bytes: u64,
    /// Top-level entries found.
    pub discovered: u64,
    /// New items.
    pub new: u64,
    /// Duplicates.
    pub duplicate: u64,
    /// Unchanged.
    pub unchanged: u64,
    /// Excluded.
    pub excluded: u64,
    /// Excepted.
    pub excepted: u64,
    /// Bytes in flight.
    pub in_flight_bytes: u64,
    /// Defects and exceptions by code.
    pub exceptions: BTreeMap<String, u64>,
    /// What each worker has in hand.
    pub in_flight: Vec<String>,
}

/// Something that happened in a run, for its record and for faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins or goes on after a stop.
    RunStarted {
        /// Run id as text.
        run: String,
        /// True when an earlier, interrupted run goes on.
        resumed: bool,
    },
    /// A file was begun.
    FileStarted {
        /// Source label and path below it.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// A checkpoint is durable.
    Checkpoint {
        /// The ticket.
        ticket: u64,
        /// Items so far.
        items: u64,
    },
    /// The index was committed up to a ticket.
    IndexCommit {
        /// The ticket.
        ticket: u64,
    },
    /// A finish step ended.
    FinishStep {
        /// Its name.
        name: String,
        /// What it found, in words.
        detail: String,
    },
    /// A stop was asked for; the batch in hand is being finished.
    Stopping,
    /// The run ended.
    RunEnded {
        /// `done`, `stopped` or `failed`.
        state: String,
    },
}

/// Receives events. The default does nothing.
pub trait Observer: Send + Sync {
    /// Called on the thread where the event happened; must not block.
    fn event(&self, _event: &Event) {}
}

/// An observer that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
