//! What to make: sizes, seed, formats and shares. Passed in, never looked up.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a corpus cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A setting makes no sense; nothing was written.
    #[error("corpus setting {setting}: {reason}")]
    Setting {
        /// The field of [`CorpusConfig`].
        setting: &'static str,
        /// What it must be.
        reason: String,
    },
    /// A file could not be written; what was written before it stays.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The truth or a record could not be turned into JSON.
    #[error("cannot write {what} as json")]
    Json {
        /// What was being written.
        what: &'static str,
        /// The cause.
        source: serde_json::Error,
    },
}

/// How a custodian's mail is laid down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxFormat {
    /// `mbox`, every line `>*From ` quoted by one more `>`.
    Mboxrd,
    /// `mbox`, only lines `From ` quoted.
    Mboxo,
    /// `mbox`, nothing quoted, a `Content-Length` header in every message that has a body.
    Mboxcl2,
    /// `mboxrd` with CRLF line ends throughout: other bytes than the LF copy, so never a duplicate of it.
    MboxrdCrlf,
    /// Maildir with a `.Sent` sub-folder.
    Maildir,
    /// Folders of `.eml` files, a thousand to a folder.
    Eml,
}

impl fmt::Display for BoxFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mboxrd => "mboxrd",
            Self::Mboxo => "mboxo",
            Self::Mboxcl2 => "mboxcl2",
            Self::MboxrdCrlf => "mboxrd-crlf",
            Self::Maildir => "maildir",
            Self::Eml => "eml",
        })
    }
}

/// Shares between 0 and 1; of distinct messages where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Exact copies in other mailboxes, as a share of all messages.
    pub duplicates: f64,
    /// Messages that carry the Message-ID of another one but have other bytes, as a share of all messages.
    pub crossposts: f64,
    /// text/plain with a text/html alternative.
    pub html_alternative: f64,
    /// Only text/html.
    pub html_only: f64,
    /// format=flowed (RFC 3676).
    pub flowed: f64,
    /// Charsets other than US-ASCII and UTF-8, and 8-bit text without a declared charset.
    pub odd_charsets: f64,
    /// At least one attachment.
    pub attachments: f64,
    /// Delivery reports (RFC 3464).
    pub bounces: f64,
    /// Broken in one of the ways of [`crate::truth::BrokenKind`].
    pub broken: f64,
    /// Without a word of body text.
    pub without_text: f64,
    /// A body line begins with `From ` or `>From `. Such messages are never duplicated.
    pub from_lines: f64,
    /// Conversations about a case of the case system, its reference in the subject.
    pub about_cases: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            duplicates: 0.10,
            crossposts: 0.005,
            html_alternative: 0.23,
            html_only: 0.03,
            flowed: 0.06,
            odd_charsets: 0.05,
            attachments: 0.05,
            bounces: 0.01,
            broken: 0.01,
            without_text: 0.005,
            from_lines: 0.005,
            about_cases: 0.12,
        }
    }
}

/// A corpus to be made. Two equal configs give the same bytes in every file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpusConfig {
    /// Messages in all mailboxes together, copies included; exactly this many are written.
    pub messages: u64,
    /// Names everything that is random.
    pub seed: u64,
    /// People whose mail was taken; 1 to 500.
    pub custodians: u32,
    /// People of the fictional force, custodians included; at most 4,608.
    pub staff: u32,
    /// Cases in the case system; 0 makes none, and no mail about any.
    pub cases: u32,
    /// Formats, given to custodians in turn.
    pub formats: Vec<BoxFormat>,
    /// First moment of the period, seconds since 1970-01-01T00:00:00Z.
    pub from_unix: i64,
    /// End of the period; at least 90 days later.
    pub to_unix: i64,
    /// Words that stand in one place each, this often for every kind of place.
    pub needle_rounds: u32,
    /// Words in the median body.
    pub median_words: u32,
    /// All shares.
    pub shares: Shares,
    /// Adds up the BLAKE3 of every distinct message in the truth; costs about a tenth of the speed.
    pub digest: bool,
}

/// 1994-01-01T00:00:00Z.
const DEFAULT_FROM: i64 = 757_382_400;
/// 2024-01-01T00:00:00Z.
const DEFAULT_TO: i64 = 1_704_067_200;

impl CorpusConfig {
    /// A corpus of this size with everything else as it usually is: mboxrd, six custodians, three decades.
    pub fn new(messages: u64, seed: u64) -> Self {
        let cases = u32::try_from(messages / 500).unwrap_or(u32::MAX).clamp(12, 5000);
        Self {
            messages,
            seed,
            custodians: 6,
            staff: 120,
            cases,
            formats: vec![BoxFormat::Mboxrd],
            from_unix: DEFAULT_FROM,
            to_unix: DEFAULT_TO,
            needle_rounds: 2,
            median_words: 150,
            shares: Shares::default(),
            digest: true,
        }
    }

    /// Says what makes no sense, before anything is written.
    pub fn check(&self) -> Result<(), CorpusError> {
        let bad = |setting, reason: &str| {
            Err(CorpusError::Setting {
                setting,
                reason: reason.to_owned(),
            })
        };
        if self.custodians == 0 || self.custodians > 500 {
            return bad("custodians", "must be 1 to 500");
        }
        if self.staff < self.custodians.max(12) || self.staff > 4608 {
            return bad("staff", "must be 12 to 4608, and at least the number of custodians");
        }
        if self.formats.is_empty() {
            return bad("formats", "must name at least one");
        }
        if self.to_unix.saturating_sub(self.from_unix) < 90 * 86_400 {
            return bad("to_unix", "must be at least 90 days after from_unix");
        }
        if self.from_unix < 0 || self.to_unix > 4_102_444_800 {
            return bad("from_unix", "the period must lie between 1970 and 2100");
        }
        if self.median_words == 0 || self.median_words > 20_000 {
            return bad("median_words", "must be 1 to 20000");
        }
        if self.messages > u64::from(u32::MAX) {
            return bad("messages", "must be below 2^32");
        }
        let s = &self.shares;
        if s.duplicates + s.crossposts > 0.9 {
            return bad("shares", "duplicates and crossposts must be at most 0.9 together");
        }
        let all = [
            s.duplicates,
            s.crossposts,
            s.html_alternative,
            s.html_only,
            s.flowed,
            s.odd_charsets,
            s.attachments,
            s.bounces,
            s.broken,
            s.without_text,
            s.from_lines,
            s.about_cases,
        ];
        if all.iter().any(|share| !(0.0..=1.0).contains(share)) {
            return bad("shares", "must lie between 0 and 1");
        }
        if s.bounces + s.broken + s.without_text > 0.9 {
            return bad(
                "shares",
                "bounces, broken and without_text must be at most 0.9 together",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_makes_no_sense_is_named() {
        let mut config = CorpusConfig::new(10, 1);
        assert!(config.check().is_ok());
        config.custodians = 0;
        let text = config.check().map_or_else(|e| e.to_string(), |()| String::new());
        assert!(text.contains("custodians"), "{text}");
    }
}
