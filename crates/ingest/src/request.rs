//! What the caller wants taken in, resolved: no default is looked up further inside.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use embley_model::clock::Clock;
use embley_model::event::{Counters, Observer};
use serde::{Deserialize, Serialize};

use crate::opening::Opener;
use crate::opening::retry::Retry;

/// One source as given on the command line or in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The file or folder.
    pub path: PathBuf,
    /// Its label in the case.
    pub label: String,
    /// Who held it.
    pub custodian: CustodianRule,
}

/// How the custodian of an entry is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CustodianRule {
    /// Nobody was named.
    Unknown,
    /// One for the whole source.
    Named(String),
    /// The n-th component (from 1) of the path below the source.
    FromPath(u32),
}

impl CustodianRule {
    /// Who held a file, by its path below the source (empty for a source that is a file).
    pub(crate) fn name_of(&self, rel: &Path) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Named(name) => Some(name.clone()),
            Self::FromPath(level) => {
                let above = (*level).max(1) as usize - 1;
                Some(rel.components().nth(above)?.as_os_str().to_string_lossy().into_owned())
            }
        }
    }
}

/// Everything that decides what an ingest does. Two requests that are equal resume one another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestRequest {
    /// In the order given.
    pub sources: Vec<SourceSpec>,
    /// Globs on the path below a source; what matches is counted as excluded.
    pub exclude: Vec<String>,
    /// Hexadecimal SHA-256 or MD5 of originals to leave out, read from a file by the caller.
    pub known_hashes: Vec<String>,
    /// Read every byte again, whatever size, time and inode say.
    pub rehash: bool,
    /// Accept a source under another custodian than before.
    pub reassign: bool,
    /// Copy archives and stores of mail into the case too; else they are hashed and referenced where they lie.
    #[serde(default)]
    pub keep_containers: bool,
    /// Recognise the characters of images and of pages without text.
    #[serde(default)]
    pub ocr: bool,
    /// Open again what was opened before.
    #[serde(default)]
    pub retry: Option<Retry>,
}

/// How to do it; never changes what comes out.
#[derive(Clone)]
pub struct IngestOptions {
    /// Worker threads; all work is done on them.
    pub threads: usize,
    /// Budget in bytes for everything in flight and the index writers' heaps.
    pub memory_bytes: u64,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where progress is counted.
    pub counters: Arc<Counters>,
    /// Who hears of events.
    pub observer: Arc<dyn Observer>,
    /// Set to stop after the batch in hand.
    pub cancel: Arc<AtomicBool>,
    /// Input bytes between checkpoints.
    pub checkpoint_bytes: u64,
    /// Microseconds between checkpoints.
    pub checkpoint_micros: i64,
    /// Bytes of a range: a little less than three pack frames, so that the last one is not cut short.
    pub range_bytes: usize,
    /// A message above this is streamed.
    pub large_bytes: u64,
    /// Items that the self-test looks for, of each kind.
    pub self_test_items: usize,
    /// Heap of one worker's index segment; by default its share of the memory budget.
    pub segment_bytes: Option<usize>,
    /// Opens documents and containers; without it they stay closed, and are said to be.
    pub opener: Option<Arc<dyn Opener>>,
    /// For tests of the reconciliation: the n-th entry is lost behind the splitter.
    pub lose_entry: Option<u64>,
}

impl IngestOptions {
    /// The settings that `embley ingest` starts from.
    pub fn new(threads: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            threads: threads.max(1),
            memory_bytes: 1 << 30,
            clock,
            counters: Arc::new(Counters::default()),
            observer: Arc::new(embley_model::event::Silent),
            cancel: Arc::new(AtomicBool::new(false)),
            checkpoint_bytes: 64 << 20,
            checkpoint_micros: 3_000_000,
            range_bytes: 1_450 << 10,
            large_bytes: 32 << 20,
            self_test_items: 1_000,
            segment_bytes: None,
            opener: None,
            lose_entry: None,
        }
    }

    /// Heap of one worker's index segment.
    pub(crate) fn segment_bytes(&self) -> usize {
        if let Some(bytes) = self.segment_bytes {
            return bytes;
        }
        let share = self.memory_bytes / 2 / self.threads as u64;
        usize::try_from(share.clamp(32 << 20, 400 << 20)).unwrap_or(400 << 20)
    }

    /// Budget for ranges in flight.
    pub(crate) fn flight_bytes(&self) -> u64 {
        (self.memory_bytes / 4).max(16 << 20)
    }
}
