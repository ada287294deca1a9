//! A message as a family of items: itself, the messages inside it, and everything that is not its text.
//!
//! Main functions: [`parse_message`] for bytes in memory, [`parse_large`] for a range of a file of any size.
//! Both use one scanner, one set of decoders and one builder, and come to the same items; a property test
//! holds that. Invariants: nothing here fails on content or panics outwards; items are in depth-first
//! order; every leaf that is not body text is an item; the message's bytes are never changed.

use std::borrow::Cow;

use embley_model::address::Participant;
use embley_model::date::EvidenceDate;
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::{Blake3, Sha256};
use embley_model::item::{ItemKind, Searchability};

mod access;
mod attachment;
pub(crate) mod body;
mod family;
mod large;
mod meta;
mod sink;
pub(crate) mod structure;
pub(crate) mod transfer;
mod uu;
mod view;

pub use large::{LargeFamily, parse_large, part_to};

/// Bounds on what one message may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseLimits {
    /// Messages inside messages, and multiparts inside multiparts of one message; deeper ones are kept unopened.
    pub max_depth: usize,
    /// Entities (parts of all kinds) of one family; what comes after stays unopened inside its message.
    pub max_parts: usize,
    /// Decoded bytes of text of one family that are made searchable.
    pub max_text_bytes: usize,
    /// Bytes of one header section that are read as fields.
    pub max_header_bytes: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            max_depth: 32,
            max_parts: 10_000,
            max_text_bytes: 32 << 20,
            max_header_bytes: 1 << 20,
        }
    }
}

/// A message and everything in it, depth first; the message itself is the first item.
#[derive(Debug)]
pub struct Family<'a> {
    /// Never empty.
    pub items: Vec<Parsed<'a>>,
}

/// One item of a family.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// Email or attachment.
    pub kind: ItemKind,
    /// Index in [`Family::items`] of the message it stands in; `None` for the first item.
    pub parent: Option<u32>,
    /// 1-based ordinals from the top-level message down, joined by `.`; empty for that message.
    pub part_path: String,
    /// File name, decoded.
    pub filename: Option<String>,
    /// Media type in lower case, as declared.
    pub media_type: String,
    /// Decoded bytes; for a message its raw bytes.
    pub content: Content<'a>,
    /// Text to index: the body of a message, the text of an attachment.
    pub text: String,
    /// Header fields; messages only.
    pub mail: Option<Box<MailMeta>>,
    /// How far it can be found by its words.
    pub searchability: Searchability,
    /// What was odd.
    pub defects: Vec<Defect>,
}

/// The bytes of an item, or what they were when they passed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// The bytes; borrowed from the message when they stand in it as they are.
    Bytes(Cow<'a, [u8]>),
    /// Digests and size of bytes that were not kept.
    Streamed {
        /// BLAKE3.
        blake3: Blake3,
        /// SHA-256.
        sha256: Sha256,
        /// Bytes.
        size: u64,
    },
}

impl Content<'_> {
    /// Number of bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Streamed { size, .. } => *size,
        }
    }

    /// The same without borrowing.
    pub fn into_owned(self) -> Content<'static> {
        match self {
            Self::Bytes(bytes) => Content::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Streamed { blake3, sha256, size } => Content::Streamed { blake3, sha256, size },
        }
    }
}

/// What the header of a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailMeta {
    /// Subject, decoded; empty when there is none.
    pub subject: String,
    /// Everyone named in an address field, by field in the order From, Sender, Reply-To, To, Cc, Bcc.
    pub participants: Vec<Participant>,
    /// When it was sent.
    pub date: EvidenceDate,
    /// The first Message-ID, unfolded and trimmed, brackets kept.
    pub message_id: Option<String>,
    /// How many Message-ID fields there are.
    pub message_id_count: u32,
    /// Ids in In-Reply-To, with brackets.
    pub in_reply_to: Vec<String>,
    /// Ids in References, with brackets, in order.
    pub references: Vec<String>,
    /// Thread-Index, decoded.
    pub thread_index: Option<Vec<u8>>,
    /// X-Gmail-Labels, X-Keywords, Keywords.
    pub labels: Vec<String>,
    /// It has a body part in HTML.
    pub has_html: bool,
    /// It has signed content.
    pub signed: bool,
    /// It has encrypted content.
    pub encrypted: bool,
    /// It is a delivery or disposition report.
    pub report: bool,
}

/// Parses a message in memory. Never fails and never panics: when the parser does, the message comes back
/// as one item with `PARSER-PANIC`, its raw text searchable as far as possible.
pub fn parse_message<'a>(raw: &'a [u8], limits: &ParseLimits) -> Family<'a> {
    let parsed = std::panic::catch_unwind(|| family::parse(raw, limits, true));
    parsed.unwrap_or_else(|_| failed(raw))
}

/// Returns the decoded bytes of one part, found by its path; `None` when there is no such part. The empty
/// path is the message itself.
pub fn part_bytes(raw: &[u8], part_path: &str, limits: &ParseLimits) -> Option<Vec<u8>> {
    if part_path.is_empty() {
        return Some(raw.to_vec());
    }
    let family = std::panic::catch_unwind(|| family::parse(raw, limits, false)).ok()?;
    let item = family.items.into_iter().find(|item| item.part_path == part_path)?;
    match item.content {
        Content::Bytes(bytes) => Some(bytes.into_owned()),
        Content::Streamed { .. } => None,
    }
}

/// The message on which the parser failed: its bytes, and its text read without structure.
fn failed(raw: &[u8]) -> Family<'_> {
    let head = &raw[..raw.len().min(ParseLimits::default().max_text_bytes)];
    let text = String::from_utf8_lossy(head).into_owned();
    Family {
        items: vec![Parsed {
            kind: ItemKind::Email,
            parent: None,
            part_path: String::new(),
            filename: None,
            media_type: "message/rfc822".to_owned(),
            content: Content::Bytes(Cow::Borrowed(raw)),
            text,
            mail: Some(Box::new(meta::empty())),
            searchability: Searchability::Failed,
            defects: vec![Defect::new(DefectCode::ParserPanic, "read as plain text")],
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_typed_memorandum_is_searched() {
        let memo = b"TO: John Smith\nFROM: Jane Doe\nDATE: 5 May 2011\nRE: conduct\nNotes: many\nHe said so.\n";
        let family = parse_message(memo, &ParseLimits::default());
        let found = &family.items[0];
        for line in ["RE: conduct", "Notes: many", "He said so."] {
            assert!(found.text.contains(line), "{line}: {}", found.text);
        }
        assert!(!found.text.contains("John"), "{}", found.text);
        assert_eq!(found.searchability, Searchability::Searched);
        // What a mail program wrote is no text.
        let sent = [&b"Message-ID: <a@b>\n"[..], memo].concat();
        let family = parse_message(&sent, &ParseLimits::default());
        assert!(!family.items[0].text.contains("conduct"));
    }

    #[test]
    fn a_message_is_read_behind_empty_lines_and_in_utf_16() {
        let header =
            "From: a@b.example\r\nTo: c@d.example\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n";
        let message = format!("{header}\r\nenF3b3Jk\r\n");
        let wide: Vec<u8> = format!("\u{feff}{message}")
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for raw in [format!("\n\r\n{message}").into_bytes(), wide] {
            let family = parse_message(&raw, &ParseLimits::default());
            assert_eq!(family.items[0].text.trim(), "zqword");
            assert_eq!(family.items[0].content, Content::Bytes(Cow::Borrowed(&raw[..])));
        }
    }
}
