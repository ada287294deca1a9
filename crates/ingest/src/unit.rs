//! The unit of flow: a numbered piece of input small enough to be in flight, and what the stages make of it.
//!
//! A unit is about 1 MiB of consecutive entries of one mailbox, or a batch of small loose files, or one large thing.
//! Its ticket is its place in the input order; ordered steps follow tickets.

use std::path::PathBuf;
use std::sync::Arc;

use embley_formats::identity::MailKeys;
use embley_formats::mail::MailMeta;
use embley_formats::mailbox::{Entry, ScannedRange, Variant};
use embley_formats::source::FileStat;
use embley_formats::walk::Place;
use embley_index::IndexDoc;
use embley_model::date::EvidenceDate;
use embley_model::defect::Defect;
use embley_model::id::{Blake3, FileId, Key128, Sha256, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{CustodianId, FolderId};
use embley_store::packs::{BlobSpan, PackedRange};
use roaring::RoaringBitmap;

use crate::notes::FeedNotes;

/// One version of one file, as the feed met it.
pub(crate) struct FileContext {
    pub(crate) file: FileId,
    pub(crate) source: SourceId,
    pub(crate) folder: FolderId,
    pub(crate) version: u32,
    /// The version before this one.
    pub(crate) previous: Option<FileId>,
    pub(crate) custodian: Option<(CustodianId, String)>,
    pub(crate) absolute: PathBuf,
    /// Source label and path below it, for people.
    pub(crate) shown: String,
    pub(crate) name: Vec<u8>,
    pub(crate) stat: FileStat,
    pub(crate) place: Place,
    /// Root items of the previous version of this file, when there was one.
    pub(crate) previous_items: Option<RoaringBitmap>,
    /// The temporary copy of a member of a container; it goes when the last user of this goes.
    pub(crate) spool: Option<Arc<tempfile::TempPath>>,
    /// What its container said of it.
    pub(crate) defects: Vec<Defect>,
}

/// What a unit holds.
pub(crate) enum Work {
    /// Small files, read by the worker that takes them.
    Files(Vec<Arc<FileContext>>),
    /// A range of a mailbox, already read.
    Range {
        file: Arc<FileContext>,
        variant: Variant,
        range: ScannedRange,
        last: bool,
    },
    /// One message of a mailbox that is too large to hold.
    LargeMessage {
        file: Arc<FileContext>,
        variant: Variant,
        entry: Entry,
        range: ScannedRange,
        last: bool,
    },
    /// One loose file that is too large to hold.
    LargeFile(Arc<FileContext>),
    /// Nothing to read: notes only.
    Nothing,
}

/// See the module.
pub(crate) struct Unit {
    pub(crate) ticket: Ticket,
    pub(crate) work: Work,
    /// Rows and counts that the feed made before this unit.
    pub(crate) notes: FeedNotes,
    /// Bytes of input.
    pub(crate) bytes: u64,
}

/// Where and how an entry was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) ordinal: u64,
    /// Offset of the slice (with its separator) in the file.
    pub(crate) offset: u64,
    /// Length of the slice, separator and trailer included.
    pub(crate) length: u64,
    /// The separator line, then the trailer's bytes.
    pub(crate) around: Vec<u8>,
    pub(crate) trailer_len: u32,
    /// The identity is the unquoted message, which differs from the slice.
    pub(crate) unquoted: bool,
    /// The hash of the unquoted message where the slice is the identity.
    pub(crate) second: Option<Blake3>,
}

/// One top-level entry after its unit's own work.
pub(crate) struct PreparedEntry {
    /// Index into the unit's files.
    pub(crate) file: usize,
    pub(crate) found: Found,
    pub(crate) outcome: Outcome,
}

/// What became of an entry.
pub(crate) enum Outcome {
    /// Its bytes were not there before.
    New(Box<PreparedFamily>),
    /// Its bytes are there already.
    Known(Key128),
    /// Left out by the caller's list of known hashes.
    Excluded,
    /// No item: the entry could not be read.
    Excepted(Defect),
}

/// A new top-level item with its parts, ready for numbers.
pub(crate) struct PreparedFamily {
    pub(crate) items: Vec<PreparedItem>,
    /// The top-level original within the unit's frames; `None` when it is streamed by the number step.
    pub(crate) span: Option<BlobSpan>,
    pub(crate) streamed: Option<StreamedOriginal>,
    /// A container that stays where it is.
    pub(crate) referenced: bool,
}

/// A large original that the number step copies into the pack.
pub(crate) struct StreamedOriginal {
    pub(crate) path: PathBuf,
    pub(crate) variant: Option<Variant>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// One item before it has a number.
pub(crate) struct PreparedItem {
    pub(crate) kind: ItemKind,
    /// Index of the parent within the family.
    pub(crate) parent: Option<u32>,
    pub(crate) part_path: String,
    pub(crate) filename: Option<String>,
    /// Title of what is no mail (a record).
    pub(crate) title: String,
    pub(crate) media_type: String,
    pub(crate) size: u64,
    pub(crate) blake3: Blake3,
    pub(crate) sha256: Sha256,
    /// How it counts in the keys of the message above it (`identity::content_key`).
    pub(crate) content_key: Blake3,
    pub(crate) date: EvidenceDate,
    pub(crate) searchability: Searchability,
    pub(crate) defects: Vec<Defect>,
    pub(crate) mail: Option<Box<PreparedMail>>,
    /// The text that was tokenised; kept only where somebody wants to read it.
    pub(crate) text: String,
    pub(crate) doc: IndexDoc,
    pub(crate) sketch: Option<[u8; 64]>,
    /// Its own place in the unit's frames, for a part that its message does not contain.
    pub(crate) span: Option<BlobSpan>,
    /// The same for a part that is too long to be held.
    pub(crate) streamed: Option<StreamedOriginal>,
}

/// The mail part of an item.
pub(crate) struct PreparedMail {
    pub(crate) meta: MailMeta,
    pub(crate) keys: Option<MailKeys>,
}

/// How far a mailbox or file was read with this unit.
pub(crate) struct FileProgress {
    pub(crate) file: usize,
    /// Scan state after this unit, serialised; `None` for a file that is no mailbox.
    pub(crate) scan_state: Option<String>,
    pub(crate) variant: Option<Variant>,
    pub(crate) message_bytes: u64,
    pub(crate) separator_bytes: u64,
    pub(crate) junk_bytes: u64,
    pub(crate) last: bool,
    /// What kind the probe found, as the catalogue's code.
    pub(crate) kind: u8,
    /// Oddities of the file itself.
    pub(crate) defects: Vec<Defect>,
    /// The file could not be read.
    pub(crate) excepted: bool,
}

/// A unit after its free work, waiting for its turn to be numbered.
pub(crate) struct PreparedUnit {
    pub(crate) ticket: Ticket,
    pub(crate) notes: FeedNotes,
    pub(crate) files: Vec<Arc<FileContext>>,
    pub(crate) progress: Vec<FileProgress>,
    pub(crate) entries: Vec<PreparedEntry>,
    /// What the splitter or walker counted, apart from what became of it.
    pub(crate) discovered_by_file: Vec<Discovered>,
    pub(crate) packed: PackedRange,
    pub(crate) bytes: u64,
}

/// Counted before any decision, for one file of a unit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Discovered {
    /// Top-level entries.
    pub(crate) entries: u64,
    /// Parts that the MIME enumeration found.
    pub(crate) children: u64,
    /// Bytes of input.
    pub(crate) bytes: u64,
}
