//! One pass over the lines of a log: what each line says of its place, and the few entries that verification looks into.
//!
//! Memory: about 150 bytes a line. Main type: [`Scan`]. Invariant: nothing is believed here; a line that is no entry is kept as such.

use std::collections::BTreeMap;

use super::entry::{Entry, What, line_hash};
use super::read::lines;
use crate::error::Result;
use crate::merkle::Hash;

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) offset: u64,
    /// Bytes, the line end included.
    pub(super) length: u64,
    /// The leaf hash; nothing of a line without its end.
    pub(super) hash: Option<Hash>,
    /// Number and hash of the entry before, as it says.
    pub(super) says: Option<(u64, Hash)>,
    /// Why it is no entry.
    pub(super) problem: Option<String>,
    /// How many entries seem to have been on it before it was changed.
    pub(super) pieces: usize,
    pub(super) ended: bool,
}

/// An entry that verification looks into, with the position of its line.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) line: usize,
    pub(super) entry: Entry,
}

/// A command that was begun.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) command: String,
    pub(super) who: String,
    pub(super) at: String,
}

/// All lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    pub(super) heads: Vec<Head>,
    pub(super) bytes: u64,
    /// Restarts, keys, checkpoints, time stamps, torn writes, in the order of the lines.
    pub(super) kept: Vec<Kept>,
    /// Intents without an outcome.
    pub(super) open: BTreeMap<u64, Begun>,
    /// Entries whose time is before that of the entry before them: how many, and the first.
    pub(super) earlier: (u64, Option<u64>),
}

impl Scan {
    /// Reads `until` bytes of a log. A line of another case is no entry of this one.
    pub(super) fn read(path: &std::path::Path, until: u64, case: &str) -> Result<Self> {
        let mut scan = Self::default();
        let mut before = i64::MIN;
        lines(path, until, |line| {
            let read = line.entry().and_then(|entry| {
                if entry.case == case {
                    Ok(entry)
                } else {
                    Err(format!("it belongs to the log of another case, {}", entry.case))
                }
            });
            let mut head = Head {
                offset: line.offset,
                length: line.length,
                hash: line.ended.then(|| line_hash(&line.bytes)),
                says: None,
                problem: None,
                pieces: 1,
                ended: line.ended,
            };
            match read {
                Ok(entry) => {
                    head.says = entry.hash_before().map(|hash| (entry.seq, hash));
                    if entry.at_micros < before {
                        scan.earlier.0 += 1;
                        scan.earlier.1.get_or_insert(entry.seq);
                    }
                    before = entry.at_micros;
                    scan.look_into(entry);
                }
                Err(problem) => {
                    const MARK: &[u8] = b",\"prev\":\"";
                    head.pieces = line
                        .bytes
                        .windows(MARK.len())
                        .filter(|window| *window == MARK)
                        .count()
                        .max(1);
                    head.problem = Some(problem);
                }
            }
            scan.bytes += line.length;
            scan.heads.push(head);
            Ok(())
        })?;
        Ok(scan)
    }

    fn look_into(&mut self, entry: Entry) {
        match &entry.event {
            What::Intent { command, .. } => {
                let begun = Begun {
                    command: command.clone(),
                    who: entry.who.clone(),
                    at: entry.at.clone(),
                };
                self.open.insert(entry.seq, begun);
            }
            What::Outcome { of, .. } => {
                if let Some(of) = of {
                    self.open.remove(of);
                }
            }
            What::Begin { .. } => {}
            What::Restart { .. }
            | What::Key { .. }
            | What::Checkpoint { .. }
            | What::Timestamp { .. }
            | What::Torn { .. } => {
                let line = self.heads.len();
                self.kept.push(Kept { line, entry });
            }
        }
    }

    /// True when every line is an entry that goes on from the one before it.
    pub(super) fn is_unbroken(&self) -> bool {
        let mut last = super::entry::NOTHING_BEFORE;
        self.heads.iter().zip(0_u64..).all(|(head, number)| {
            let goes_on = head.says == Some((number, last)) && head.hash.is_some();
            last = head.hash.unwrap_or(last);
            goes_on
        })
    }
}
