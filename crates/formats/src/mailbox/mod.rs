//! Mailboxes of the mbox family: told apart, split into messages with byte offsets, unquoted.
//!
//! Not for: what a message says; compressed mailboxes (they are other files until containers are opened). Main type:
//! [`MailboxScanner`], one a file, which hands out ranges of whole entries. Invariants: separator, message, trailer and
//! junk bytes sum to the bytes passed, so to the file size at the end; the same entries come out for every range size
//! and after a resume from every [`ScanState`]; memory is the range asked for plus one message of at most 32 MiB.
//!
//! Where a message ends is in [`splitter`], what a separator line is in [`separator`], which variant a file is in
//! [`detect`], and what is quoted in [`quoting`].

mod check;
mod detect;
pub(crate) mod field_line;
pub(crate) mod head;
mod quoting;
mod scanner;
pub mod separator;
mod splitter;
mod view;

use std::ops::Range;

use embley_model::defect::Defect;
use serde::{Deserialize, Serialize};

use separator::Shape;

pub use check::split_checked;
pub use quoting::{UnquoteReader, Unquoted, requote, unquote};
pub use scanner::MailboxScanner;

/// Messages longer than this are not held: their entry is `large` and their range has no bytes.
pub const LARGE_MESSAGE_BYTES: u64 = 32 * 1024 * 1024;

/// How a mailbox keeps body lines from being taken for separators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// `^>*From ` gets one more `>`: reversible. Also every mailbox in which no quoting was seen, where it has no effect.
    Mboxrd,
    /// `^From ` gets a `>`: not reversible, as `>From ` may have been there.
    Mboxo,
    /// Nothing is quoted, Content-Length says where a message ends.
    Mboxcl2,
    /// Content-Length, and quoted as mboxo.
    Mboxcl,
    /// What was seen does not agree with one of them.
    InDoubt,
}

impl Variant {
    /// All, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Mboxrd, Self::Mboxo, Self::Mboxcl2, Self::Mboxcl, Self::InDoubt];

    /// Stable number for packed columns.
    pub fn code(self) -> u8 {
        match self {
            Self::Mboxrd => 0,
            Self::Mboxo => 1,
            Self::Mboxcl2 => 2,
            Self::Mboxcl => 3,
            Self::InDoubt => 4,
        }
    }

    /// The inverse of [`Variant::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word used in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mboxrd => "mboxrd",
            Self::Mboxo => "mboxo",
            Self::Mboxcl2 => "mboxcl2",
            Self::Mboxcl => "mboxcl",
            Self::InDoubt => "in-doubt",
        }
    }

    /// True when Content-Length is believed where it leads to a separator or the end.
    fn counts_length(self) -> bool {
        matches!(self, Self::Mboxcl | Self::Mboxcl2)
    }
}

/// What else is fixed for a whole file when it is opened: which lines can be separators in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The first separator has no date, so such lines are separators here.
    pub undated: bool,
    /// The first separator is one of `git format-patch`, so such lines are separators here.
    pub patches: bool,
    /// Lines end in a bare CR.
    pub bare_cr: bool,
}

impl Form {
    fn line_end(self) -> u8 {
        if self.bare_cr { b'\r' } else { b'\n' }
    }

    /// True when lines of this shape can be separators in the file.
    fn admits(self, shape: Shape) -> bool {
        match shape {
            Shape::Dated => true,
            Shape::GitPatch => self.patches,
            Shape::Bare => self.undated,
            Shape::Other => false,
        }
    }
}

/// Bytes passed so far. Their sum is [`ScanState::offset`], and the file size at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeSums {
    /// Bytes of messages, as found.
    pub message_bytes: u64,
    /// Bytes of separator lines and of the line ends before them.
    pub separator_bytes: u64,
    /// Bytes that belong to no entry.
    pub junk_bytes: u64,
}

impl RangeSums {
    /// All of them.
    pub fn total(self) -> u64 {
        self.message_bytes + self.separator_bytes + self.junk_bytes
    }
}

/// Where a scan stands between two ranges: enough to go on after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanState {
    /// First byte not passed: the start of a separator line, 0, or the file size.
    pub offset: u64,
    /// Number of the next entry, from 0.
    pub ordinal: u64,
    /// Fixed for the file when it was first opened.
    pub variant: Variant,
    /// Fixed for the file when it was first opened.
    #[serde(default)]
    pub form: Form,
    /// True when the whole file was passed.
    pub done: bool,
    /// Sums of what was passed.
    pub sums: RangeSums,
    /// Bytes looked at ahead so far, which is limited: see the rule in `splitter`.
    #[serde(default)]
    pub looked: u64,
}

/// One entry of a mailbox; all ranges are file offsets, and they follow one another without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the mailbox, from 0.
    pub ordinal: u64,
    /// The `From ` line with its line end; empty when a message stands at the start of the file without one.
    pub separator: Range<u64>,
    /// The message as found, without the empty line before the next separator.
    pub message: Range<u64>,
    /// That empty line: one line end, or nothing where it is missing. After Content-Length, whatever stands between.
    pub trailer: Range<u64>,
    /// The message is longer than [`LARGE_MESSAGE_BYTES`].
    pub large: bool,
    /// What is odd about its boundaries; ranges are within the message as found.
    pub defects: Vec<Defect>,
}

impl Entry {
    /// All of it: what `show --raw --as-found` writes.
    pub fn slice(&self) -> Range<u64> {
        self.separator.start..self.trailer.end
    }
}

/// Consecutive entries with their bytes.
#[derive(Clone, Debug)]
pub struct ScannedRange {
    /// File offset of the first byte of `bytes`.
    pub base: u64,
    /// The entries' bytes from the first separator to the last trailer; empty when the range is one large message.
    pub bytes: Vec<u8>,
    /// In order. Empty only in a last range that has nothing but defects or junk.
    pub entries: Vec<Entry>,
    /// Where the scan stands after this range.
    pub after: ScanState,
    /// What is odd about the mailbox as a whole; ranges are file offsets.
    pub defects: Vec<Defect>,
}

impl ScannedRange {
    /// The bytes of a file range that lies in this range; empty for a large message or a range outside.
    pub fn slice(&self, range: &Range<u64>) -> &[u8] {
        let start = range
            .start
            .checked_sub(self.base)
            .and_then(|at| usize::try_from(at).ok());
        let end = range.end.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        match (start, end) {
            (Some(start), Some(end)) => self.bytes.get(start..end).unwrap_or(&[]),
            _ => &[],
        }
    }
}
