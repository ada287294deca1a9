//! What opening a document, an archive or an image gives: text, fields, members. The seam between readers of formats and the pipeline.
//!
//! Not for: how a format is read (`archive`, `document`). Main types: [`Opened`], [`Members`]. Invariant: a reader says what it left out; nothing is
//! silently empty.

mod resume;

use std::io;

use embley_model::defect::Defect;
use embley_model::item::Searchability;
pub use resume::{Onward, Resume, Tally};
use serde::{Deserialize, Serialize};

/// Bounds on what opening one thing may cost. All guards *report* when they fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLimits {
    /// Bytes of text that are made searchable.
    pub max_text_bytes: usize,
    /// Members of one container.
    pub max_members: u64,
    /// Bytes of all members of one container together.
    pub max_total_bytes: u64,
    /// Bytes of one member.
    pub max_member_bytes: u64,
    /// Members' bytes divided by the container's bytes, once 64 MiB have come out.
    pub max_ratio: u64,
}

impl Default for OpenLimits {
    fn default() -> Self {
        Self {
            max_text_bytes: 32 << 20,
            max_members: 1_000_000,
            max_total_bytes: 64 << 30,
            max_member_bytes: 16 << 30,
            max_ratio: 1_000,
        }
    }
}

/// A named value that a document says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetaField {
    /// Title.
    Title,
    /// Who made it.
    Author,
    /// Who saved it last.
    LastSavedBy,
    /// When it was made (RFC 3339 where the format has a time; else as it stands).
    Created,
    /// When it was changed last (as `Created`).
    Modified,
    /// When it was printed last (as `Created`).
    Printed,
    /// Subject.
    Subject,
    /// Key words.
    Keywords,
    /// Description or comment on the whole document.
    Description,
    /// Company or organisation.
    Company,
    /// The program that wrote it.
    Program,
    /// How many pages, sheets or slides.
    Pages,
    /// Language tag that the document declares.
    Language,
    /// Mean confidence of the words that were recognised in images, per cent.
    OcrConfidence,
}

/// What opening gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// All text: body, comments, tracked changes, notes, hidden sheets; parts separated by line ends.
    pub text: String,
    /// What the document says of itself, in the order found.
    pub fields: Vec<(MetaField, String)>,
    /// How far it can be searched now; `None` when opening does not change that (a container has no text of its own).
    pub searchability: Option<Searchability>,
    /// What was odd, left out or cut.
    pub defects: Vec<Defect>,
    /// Name and version of the reader, such as `zip/1`.
    pub reader: String,
    /// Text is missing that only recognition of characters could give (image, scanned page).
    pub needs_ocr: bool,
    /// Where `needs_ocr`: how far it could be searched if recognition gave what is missing.
    #[serde(default)]
    pub besides_ocr: Option<Searchability>,
    /// Passwords that were tried and whether one opened it: index into the list given, never the password.
    pub passwords_tried: u32,
    /// Index of the password that opened it.
    pub password_used: Option<u32>,
    /// Private keys that were tried.
    #[serde(default)]
    pub keys_tried: u32,
    /// Public name of the private key that opened it, never the key.
    #[serde(default)]
    pub key_used: Option<String>,
}

/// One thing inside a container or document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Path inside the container as stored, separators as `/`, without a leading one and without `.` or `..`; bytes, because names are in any charset.
    /// Empty for what has no name.
    pub path: Vec<u8>,
    /// Last change that the container records, nanoseconds since 1970-01-01 UTC.
    pub mtime_nanos: Option<i64>,
    /// Oddities of the member itself.
    pub defects: Vec<Defect>,
}

/// Takes members as they come out, in the container's order.
pub trait Members {
    /// Takes one member: reads `bytes` to its end (or says why not). Folders are not members; every other entry is, also one that cannot be
    /// read: then `bytes` gives what could be read before its error, and the error is the member's defect.
    ///
    /// # Errors
    /// When the taker cannot go on (its disk is full, its pipe is gone): the reader stops and returns the error.
    fn member(&mut self, member: Member, bytes: &mut dyn io::Read) -> io::Result<()>;

    /// Hears what the reader of a container has counted, the next member with it. Said before each member.
    fn tally(&mut self, _tally: Tally) {}
}

/// What opening a type can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenClass {
    /// Text, and perhaps embedded members.
    Document,
    /// Members only.
    Container,
}

/// True for a container that holds nothing of its own: an archive or a store of mail. Hashed and referenced where it lies, unless asked
/// otherwise; everything in it is kept. A file that *is* one message (MSG, TNEF, EMLX, signed mail) is kept whole.
pub fn is_only_a_container(media_type: &str) -> bool {
    class_of(media_type) == Some(OpenClass::Container)
        && !matches!(
            media_type,
            "application/vnd.ms-outlook"
                | "application/vnd.ms-tnef"
                | "application/ms-tnef"
                | "application/pkcs7-mime"
                | "application/x-pkcs7-mime"
                | "application/pgp"
                | "message/x-emlx"
        )
}

/// Says what opening a media type (as the probe names it) can give; `None` when nothing here opens it.
pub fn class_of(media_type: &str) -> Option<OpenClass> {
    const CONTAINERS: [&str; 28] = [
        "application/zip",
        "application/gzip",
        "application/x-compress",
        "application/x-bzip2",
        "application/x-xz",
        "application/x-lzma",
        "application/zstd",
        "application/x-lzip",
        "application/x-lz4",
        "application/x-7z-compressed",
        "application/vnd.rar",
        "application/vnd.ms-cab-compressed",
        "application/x-archive",
        "application/x-tar",
        "application/x-lzh",
        "application/x-arj",
        "application/x-cpio",
        "application/x-iso9660-image",
        "application/java-archive",
        "application/vnd.android.package-archive",
        "application/vnd.ms-outlook-pst",
        "application/vnd.ms-outlook",
        "application/vnd.ms-tnef",
        "application/ms-tnef",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pgp",
        "message/x-emlx",
    ];
    if CONTAINERS.contains(&media_type) || crate::archive::format_of(media_type).is_some() {
        return Some(OpenClass::Container);
    }
    let is_sealed = matches!(
        media_type,
        "application/pkcs7-signature"
            | "application/x-pkcs7-signature"
            | "application/x-pkcs7-certificates"
            | "application/pgp-encrypted"
    );
    // Text too: a part that is declared as bytes may turn out to be one.
    let is_document = is_sealed || crate::document::reader_of(media_type).is_some();
    is_document.then_some(OpenClass::Document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_reader_knows_is_opened() {
        let check = |media_type: &str, expected| assert_eq!(class_of(media_type), expected, "{media_type}");
        for document in [
            "application/pdf",
            "application/rtf",
            "application/vnd.visio",
            "application/vnd.ms-publisher",
            "application/vnd.ms-xpsdocument",
            "application/vnd.ms-word.document.macroEnabled.12",
            "application/vnd.oasis.opendocument.text",
            "text/plain",
            "text/vcard",
            "application/pkcs7-signature",
        ] {
            check(document, Some(OpenClass::Document));
        }
        for container in ["application/zip", "application/x-rpm", "application/vnd.ms-outlook-pst"] {
            check(container, Some(OpenClass::Container));
        }
        check("application/octet-stream", None);
        check("image/png", None);
    }
}
