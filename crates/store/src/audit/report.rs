//! What verification of the log says.

use serde::Serialize;

/// What was done to a log, or what a medium did to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// Its end is missing.
    Truncated,
    /// Entries within it are missing.
    Removed,
    /// An entry, a checkpoint or a token is not the one that was written.
    Edited,
    /// An entry stands in another place.
    Reordered,
    /// Something stands there that was never written.
    Inserted,
    /// Something that was written once stands there once more.
    Replayed,
    /// Signed with another key than the log, the catalogue or whoever asks names.
    Resigned,
    /// The lines fit each other, and not what was seen or signed of them: a past was made later.
    Rewritten,
    /// The derived file of hashes is not what the log gives; the log itself is not touched by that.
    Tree,
}

impl Damage {
    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Removed => "removed",
            Self::Edited => "edited",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::Replayed => "replayed",
            Self::Resigned => "re-signed",
            Self::Rewritten => "rewritten",
            Self::Tree => "tree",
        }
    }
}

/// Something is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    /// What was done.
    pub what: Damage,
    /// The first entry that it is about.
    pub entry: Option<u64>,
    /// The last one, when there are more.
    pub through: Option<u64>,
    /// Line and byte, or the file.
    pub place: String,
    /// What was expected and what found.
    pub detail: String,
    /// On record: the next segment of the log names it in its first entry.
    pub known: bool,
}

impl AuditFinding {
    /// In one line.
    pub(super) fn in_words(&self) -> String {
        format!("{}: {}: {}", self.what.word(), self.place, self.detail)
    }

    pub(super) fn of_line(what: Damage, entry: u64, line: usize, offset: u64, detail: String) -> Self {
        Self {
            what,
            entry: Some(entry),
            through: None,
            place: format!("line {} of audit/log.jsonl, byte {offset}", line + 1),
            detail,
            known: false,
        }
    }

    pub(super) fn of_file(what: Damage, entry: Option<u64>, file: &str, detail: String) -> Self {
        Self {
            what,
            entry,
            through: None,
            place: file.to_owned(),
            detail,
            known: false,
        }
    }
}

/// A command that was begun, and whose end is not in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// The entry.
    pub entry: u64,
    /// The command.
    pub command: String,
    /// By whom.
    pub who: String,
    /// When.
    pub at: String,
}

/// A checkpoint of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointState {
    /// Entries under it.
    pub size: u64,
    /// When.
    pub at: String,
    /// Whose key.
    pub key_id: String,
    /// Times that attached time stamps state.
    pub stamped: Vec<String>,
    /// The signed note.
    #[serde(skip)]
    pub note: String,
}

/// An earlier segment of a log that was begun again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentState {
    /// Its number, from 1.
    pub segment: u32,
    /// Its file in the case folder.
    pub file: String,
    /// Entries that are there.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// How many entries the catalogue has seen.
    pub seen_by_catalogue: Option<u64>,
    /// Checkpoints whose signature and root hold.
    pub checkpoints: Vec<CheckpointState>,
    /// What is wrong with it, those on record included.
    pub findings_count: u64,
    /// When the next one was begun, by whom, and why.
    pub ended_at: String,
    /// By whom.
    pub ended_by: String,
    /// Why.
    pub reason: String,
}

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Entries.
    pub entries: u64,
    /// Bytes of the log.
    pub bytes: u64,
    /// The root of the tree of all entries, hexadecimal; empty when entries are missing or changed.
    pub root: String,
    /// How many entries the catalogue has seen; nothing when it cannot say.
    pub seen_by_catalogue: Option<u64>,
    /// Checkpoints whose signature and root hold.
    pub checkpoints: Vec<CheckpointState>,
    /// Earlier segments, when the log was begun again. The other members are about the newest one, findings and notes about all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentState>,
    /// Commands whose end is not in the log: they run still, or were stopped.
    pub unfinished: Vec<Unfinished>,
    /// What is wrong; empty when all is well.
    pub findings: Vec<AuditFinding>,
    /// What is unusual and harmless, or cannot be known.
    pub notes: Vec<String>,
}

impl AuditReport {
    /// True when nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}
