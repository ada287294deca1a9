//! One entry of the log: what was done or looked at, by whom, when.
//!
//! An entry is one line: its canonical JSON (RFC 8785) and a line feed. `prev` is the leaf hash of the entry before, so that the chain and
//! the tree share one hash; the first entry has 64 zeros. Main types: [`Entry`], [`What`]. Invariant: a line that is read as an entry is,
//! byte for byte, the line that this program writes for it.

use embley_model::id::hex_decode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::segment::Before;
use crate::canonical::canonical;
use crate::error::{Result, StoreError};
use crate::merkle::{self, Hash};

/// Version of entries.
pub const ENTRY_VERSION: u32 = 1;
/// What [`Entry::prev`] says in the first entry.
pub(super) const NOTHING_BEFORE: Hash = [0; 32];
/// The longest line that is read as an entry.
pub(super) const LONGEST_LINE: u64 = 16 << 20;

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Version of this form.
    pub v: u32,
    /// Number in the log, from 0.
    pub seq: u64,
    /// Leaf hash of the entry before, hexadecimal.
    pub prev: String,
    /// When, RFC 3339 UTC, from [`Entry::at_micros`].
    pub at: String,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// The case's id: an entry of another case's log is told by it.
    pub case: String,
    /// Who says to act.
    pub who: String,
    /// The account of the operating system.
    pub uid: u32,
    /// Program and version.
    pub tool: String,
    /// What happened.
    pub event: What,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// The log begins.
    Begin {
        /// Why now.
        why: String,
    },
    /// The log begins behind one that was cut.
    Restart {
        /// The number of this segment; the first is 1.
        segment: u32,
        /// Why, in the words of whoever began it.
        reason: String,
        /// The one before it, as it was found.
        before: Before,
    },
    /// A command is about to run.
    Intent {
        /// Its name, such as `tag add`.
        command: String,
        /// What was typed, by name.
        parameters: Map<String, Value>,
    },
    /// A command has ended, or was refused.
    Outcome {
        /// The entry that said it was about to run; nothing for one that made the case.
        of: Option<u64>,
        /// Its name.
        command: String,
        /// How it ended.
        outcome: Ended,
        /// Exit code.
        code: u8,
        /// Counts and digests; why it was refused or failed.
        result: Map<String, Value>,
    },
    /// The key that signs from here on.
    Key {
        /// Its id.
        key_id: String,
        /// Its public half, PEM.
        public: String,
        /// Id of the key that it takes the place of.
        replaces: Option<String>,
        /// Signature of that key over the handing over, Base64; nothing when that key is lost.
        handed_over: Option<String>,
        /// Why.
        why: String,
    },
    /// The tree of the entries before this one was signed.
    Checkpoint {
        /// How many entries: this entry's own number.
        size: u64,
        /// The signed note, whole.
        note: String,
        /// The key.
        key_id: String,
    },
    /// A time-stamp token for a checkpoint was attached.
    Timestamp {
        /// The checkpoint's number of entries.
        size: u64,
        /// SHA-256 of the response as attached, hexadecimal.
        token: String,
        /// The time it states, as it is written in the token.
        time: String,
        /// Serial number, hexadecimal.
        serial: String,
    },
    /// A write that a stop had torn was removed from behind the last whole entry.
    Torn {
        /// How many bytes.
        bytes: u64,
        /// Their SHA-256, hexadecimal.
        sha256: String,
    },
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It did what it was asked.
    Done,
    /// Whoever asked may not.
    Refused,
    /// It could not.
    Failed,
}

impl Ended {
    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl What {
    /// The word in lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Begin { .. } => "begin",
            Self::Restart { .. } => "restart",
            Self::Intent { .. } => "intent",
            Self::Outcome { .. } => "outcome",
            Self::Key { .. } => "key",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Timestamp { .. } => "timestamp",
            Self::Torn { .. } => "torn",
        }
    }

    /// The command that it is about.
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::Intent { command, .. } | Self::Outcome { command, .. } => Some(command),
            _ => None,
        }
    }
}

impl Entry {
    /// Its line without the line end.
    ///
    /// # Errors
    /// When a value has no canonical form: a number that is not whole, or beyond 2^53.
    pub fn to_line(&self) -> Result<String> {
        let value = serde_json::to_value(self).map_err(|error| StoreError::internal(error.to_string()))?;
        canonical(&value).ok_or_else(|| {
            StoreError::internal("an entry of the audit log holds a number that is not whole, or too large")
        })
    }

    /// Reads a line without its line end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_line(line: &[u8]) -> std::result::Result<Self, String> {
        let value: Value = serde_json::from_slice(line).map_err(|error| format!("it is not JSON: {error}"))?;
        if let Some(version) = value["v"]
            .as_u64()
            .filter(|version| *version > u64::from(ENTRY_VERSION))
        {
            return Err(format!(
                "it is of version {version}, and this program reads up to {ENTRY_VERSION}: use a newer one"
            ));
        }
        if canonical(&value).is_none_or(|text| text.as_bytes() != line) {
            return Err("it is not in the canonical form that this program writes".to_owned());
        }
        let entry: Self = serde_json::from_value(value).map_err(|error| format!("it is not an entry: {error}"))?;
        if entry.at != time(entry.at_micros) {
            return Err("its two times differ".to_owned());
        }
        // What a reader ignores must not be a place to hide something in.
        if entry.to_line().map_or(true, |text| text.as_bytes() != line) {
            return Err("it holds members that no entry has".to_owned());
        }
        Ok(entry)
    }

    /// The hash that [`Entry::prev`] states.
    pub(super) fn hash_before(&self) -> Option<Hash> {
        hex_decode(&self.prev)?.try_into().ok()
    }
}

/// The hash of a line without its line end.
pub fn line_hash(line: &[u8]) -> Hash {
    merkle::leaf(line)
}

/// RFC 3339 UTC, to the microsecond.
pub fn time(at_micros: i64) -> String {
    jiff::Timestamp::from_microsecond(at_micros).map_or_else(
        |_| String::from("an unknown time"),
        |stamp| stamp.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_read_only_as_it_is_written() {
        let entry = Entry {
            v: ENTRY_VERSION,
            seq: 3,
            prev: merkle::hex(&NOTHING_BEFORE),
            at: time(1_700_000_000_123_456),
            at_micros: 1_700_000_000_123_456,
            case: "00".repeat(16),
            who: "ann".to_owned(),
            uid: 1000,
            tool: "embley 0".to_owned(),
            event: What::Intent {
                command: "search".to_owned(),
                parameters: json!({"query": "fraud w/3 \"a\n\u{1F600}\""})
                    .as_object()
                    .cloned()
                    .expect("an object"),
            },
        };
        assert_eq!(entry.at, "2023-11-14T22:13:20.123456Z");
        let line = entry.to_line().expect("a line");
        assert_eq!(Entry::from_line(line.as_bytes()), Ok(entry));
        for (from, to, why) in [
            ("\"seq\":3", "\"seq\": 3", "canonical"),
            ("\"v\":1", "\"v\":2", "version 2"),
            ("\"v\":1", "\"v\":1,\"w\":1", "not an entry"),
            (
                "\"kind\":\"intent\"",
                "\"kind\":\"intent\",\"more\":1",
                "members that no entry has",
            ),
            ("20.123456Z", "21.123456Z", "times differ"),
            ("}", "", "not JSON"),
        ] {
            let changed = line.replacen(from, to, 1);
            let error = Entry::from_line(changed.as_bytes()).expect_err(to);
            assert!(error.contains(why), "{to}: {error}");
        }
    }
}
