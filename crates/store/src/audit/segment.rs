//! A log that was cut is kept as it is, and a new one is begun behind it, which says so.
//!
//! The first log of a case is `audit/log.jsonl`; a later one, its *segment* N, lies in `audit/000N/` with a tree and checkpoints of its own.
//! Its first entry names the one before: the file's length and SHA-256, the last entry there is, what the catalogue had seen, the last
//! checkpoint that holds, and what verification found. Nothing of the earlier segments is changed or removed, verification goes over all
//! of them, and what is missing there stays a finding for ever. A log that can be continued is not begun again.
//!
//! Not for: entries that are missing: they cannot be made up. Main function: [`AuditLog::restart`]. Invariant: a segment is there when its
//! `log.jsonl` with its first entry is.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::entry::{ENTRY_VERSION, Entry, NOTHING_BEFORE, What, line_hash, time};
use super::log::{AuditLog, Author, Continued};
use super::read::lines;
use super::verify::VerifyOptions;
use crate::case::AUDIT;
use crate::error::{Result, StoreError};
use crate::merkle;

/// Findings that a first entry lists; more are counted.
const MOST_FINDINGS: usize = 100;

/// The log before a restart, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// Its path in the case folder.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Whole lines on it.
    pub lines: u64,
    /// Leaf hash of the last whole line, hexadecimal; 64 zeros when there is none.
    pub head: String,
    /// How many entries the catalogue had seen.
    pub seen_by_catalogue: Option<u64>,
    /// The note of the last checkpoint that holds.
    pub checkpoint: Option<String>,
    /// How many findings verification had.
    pub findings_count: u64,
    /// The first of them, in words.
    pub findings: Vec<String>,
}

/// A log that was begun again.
#[derive(Clone, Debug)]
pub struct Restarted {
    /// The number of the new segment.
    pub segment: u32,
    /// Its file.
    pub path: std::path::PathBuf,
    /// What it says of the one before.
    pub before: Before,
}

/// The folder of a segment, below the case folder.
pub(super) fn folder_of(segment: u32) -> String {
    if segment <= 1 {
        AUDIT.to_owned()
    } else {
        format!("{AUDIT}/{segment:04}")
    }
}

/// The newest segment that lies in the case folder.
pub(super) fn newest(root: &Path) -> u32 {
    let numbers = std::fs::read_dir(root.join(AUDIT))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.parse::<u32>().ok())
        .filter(|number| *number > 1 && root.join(folder_of(*number)).join("log.jsonl").is_file());
    numbers.max().unwrap_or(1)
}

impl AuditLog {
    /// Begins a new segment behind a log that cannot be continued.
    ///
    /// # Errors
    /// [`StoreError::Config`] when the log can be continued; as [`AuditLog::intent`] and [`AuditLog::verify`]. Nothing is begun then.
    pub fn restart(&self, reason: &str, author: Author<'_>) -> Result<Restarted> {
        let report = self.verify(&VerifyOptions::default())?;
        let folder = self.root.join(AUDIT);
        self.disk
            .create_dir(&folder)
            .map_err(|error| StoreError::io("make", &folder, error))?;
        let _lock = self.lock()?;
        let seen = self.newest_seen()?;
        let last = self.segment.max(seen);
        if last == self.segment
            && let Continued::Yes = self.can_continue(author)?
        {
            return Err(StoreError::Config {
                path: self.log_path(),
                detail: "the audit log can be continued, so there is nothing to begin again".to_owned(),
            });
        }
        let old = self.of_segment(last);
        let findings: Vec<String> = report
            .findings
            .iter()
            .filter(|one| !one.known)
            .map(super::report::AuditFinding::in_words)
            .collect();
        let checkpoint = report.checkpoints.last().map(|last| last.note.clone());
        let before = old.before(findings, checkpoint)?;
        let segment = last + 1;
        let new = self.of_segment(segment);
        let entry = Entry {
            v: ENTRY_VERSION,
            seq: 0,
            prev: merkle::hex(&NOTHING_BEFORE),
            at: time(author.at_micros),
            at_micros: author.at_micros,
            case: self.case.to_hex(),
            who: author.who.to_owned(),
            uid: author.uid,
            tool: author.tool.to_owned(),
            event: What::Restart {
                segment,
                reason: reason.to_owned(),
                before: before.clone(),
            },
        };
        let line = format!("{}\n", entry.to_line()?);
        let (folder, path) = (new.dir(), new.log_path());
        self.disk
            .create_dir(&folder)
            .map_err(|error| StoreError::io("make", &folder, error))?;
        // Stopped before: an empty folder, which is no segment. Behind: the segment is there, whole, and the next entry tells the catalogue.
        self.disk
            .replace(&path, line.as_bytes())
            .map_err(|error| StoreError::io("write", &path, error))?;
        Ok(Restarted { segment, path, before })
    }

    /// What there is of this segment.
    fn before(&self, findings: Vec<String>, checkpoint: Option<String>) -> Result<Before> {
        let path = self.log_path();
        let digest = match Digest::of_file(&path) {
            Ok(digest) => digest,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Digest::default(),
            Err(error) => return Err(StoreError::io("read", &path, error)),
        };
        let (mut count, mut head) = (0, NOTHING_BEFORE);
        lines(&path, u64::MAX, |line| {
            if line.ended {
                count += 1;
                head = line_hash(&line.bytes);
            }
            Ok(())
        })?;
        Ok(Before {
            file: self.file(),
            bytes: digest.bytes(),
            sha256: digest.hex(),
            lines: count,
            head: merkle::hex(&head),
            seen_by_catalogue: self.seen_by_catalogue().map(|anchor| anchor.entries),
            checkpoint,
            findings_count: findings.len() as u64,
            findings: findings.into_iter().take(MOST_FINDINGS).collect(),
        })
    }

    /// The log's path in the case folder.
    pub(super) fn file(&self) -> String {
        format!("{}/log.jsonl", folder_of(self.segment))
    }

    /// True when the file of this segment is the one that the next segment names.
    pub(super) fn is_as_kept(&self, before: &Before) -> Result<bool> {
        let now = self.before(Vec::new(), None)?;
        Ok((now.bytes, &now.sha256) == (before.bytes, &before.sha256))
    }
}
