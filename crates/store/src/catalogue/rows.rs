//! The rows of the catalogue as plain data. The pipeline gives ids and numbers; the catalogue keeps what it is given.
//!
//! Numbers of items, blobs and instances begin at 1 and are dense.

use std::ops::Range;

use embley_model::address::Participant;
use embley_model::date::EvidenceDate;
use embley_model::defect::{Class, DefectCode, Phase};
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, Key128, RunNo, Sha256, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::openings::{ContainerRow, OpeningRow};
use super::read_sets::SetKind;
use crate::packs::PackPosition;

/// A person or place that evidence was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustodianId(pub u32);

/// A folder of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FolderId(pub u32);

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All values, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable number in the catalogue.
            pub fn code(self) -> u8 { match self { $(Self::$variant => $code,)* } }

            /// The inverse of `code`.
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The word in JSON and tables.
            pub fn word(self) -> &'static str { match self { $(Self::$variant => $word,)* } }
        }
    };
}
pub(crate) use coded;

coded! {
    /// What a run did.
    RunKind {
        /// Took sources in.
        Ingest = 0, "ingest";
        /// Took records of a case-management system in.
        Records = 1, "records";
        /// Made the index again.
        Reindex = 2, "reindex";
    }
}

coded! {
    /// How far a run came.
    RunState {
        /// Running, or killed while running.
        Running = 0, "running";
        /// Stopped on request; the same command goes on.
        Stopped = 1, "stopped";
        /// Done, and its sums close.
        Done = 2, "done";
        /// Ended with an error; its summary says which.
        Failed = 3, "failed";
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number, from 1.
    pub run_no: RunNo,
    /// What it did.
    pub kind: RunKind,
    /// How far it came.
    pub state: RunState,
    /// When it began, microseconds since 1970 UTC.
    pub started_micros: i64,
    /// When it ended.
    pub ended_micros: Option<i64>,
    /// The resolved request, as JSON: two runs with equal text resume one another.
    pub settings: String,
    /// What came of it, as JSON; empty while it runs.
    pub summary: String,
}

/// One custodian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodianRow {
    /// Its id, from 1.
    pub custodian_id: CustodianId,
    /// As given.
    pub name: String,
}

/// One source as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// Its id, from 1.
    pub source_id: SourceId,
    /// Label; identifies the source in the case.
    pub label: String,
    /// Absolute path at the time, as information only.
    pub absolute: String,
    /// Custodian of the whole source, when there is one.
    pub custodian_id: Option<CustodianId>,
    /// The rule that gives custodians, as the pipeline writes it.
    pub custodian_rule: String,
    /// The run that first saw it.
    pub run_no: RunNo,
}

/// One folder of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderRow {
    /// Its id, from 1.
    pub folder_id: FolderId,
    /// The source.
    pub source_id: SourceId,
    /// Path below the source, raw bytes, `/` between components; empty for the source itself.
    pub path: Vec<u8>,
    /// The item that holds it, for a folder inside an archive, a PST or another container.
    pub container: Option<ItemNo>,
}

coded! {
    /// How far a file was taken in.
    FileState {
        /// Begun; `scan_state` says how far.
        Scanning = 0, "scanning";
        /// All of it.
        Done = 1, "done";
        /// It could not be read; the exception register says why.
        Excepted = 2, "excepted";
    }
}

/// One version of one file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    /// Its id, from 1.
    pub file_id: FileId,
    /// The source.
    pub source_id: SourceId,
    /// The folder.
    pub folder_id: FolderId,
    /// Who held it, when known.
    pub custodian_id: Option<CustodianId>,
    /// Name, raw bytes.
    pub name: Vec<u8>,
    /// 1 for the first version seen.
    pub version: u32,
    /// Size in bytes.
    pub size: u64,
    /// Time of last change, nanoseconds since 1970 UTC.
    pub mtime_nanos: i64,
    /// Inode number, as information and to tell unchanged files.
    pub inode: u64,
    /// What the probe found, as the pipeline codes it.
    pub kind: u8,
    /// Mailbox variant, as the pipeline codes it.
    pub variant: u8,
    /// Maildir flags.
    pub flags: String,
    /// Enough to go on after a stop, as JSON.
    pub scan_state: Option<String>,
    /// How far it was taken in.
    pub state: FileState,
    /// The first instance found in it; they are consecutive.
    pub first_instance: InstanceId,
    /// How many instances.
    pub instance_count: u64,
    /// Bytes of messages, as found.
    pub message_bytes: u64,
    /// Bytes of separator lines and of the line ends before them.
    pub separator_bytes: u64,
    /// Bytes that belong to no message.
    pub junk_bytes: u64,
    /// The version before this one.
    pub previous_file: Option<FileId>,
    /// The run that no longer found it.
    pub absent_since_run: Option<RunNo>,
    /// The run that took this version in.
    pub run_no: RunNo,
}

coded! {
    /// What an entry was when it was found.
    InstanceStatus {
        /// Its bytes were not in the case.
        New = 0, "new";
        /// Its bytes were in the case already.
        Duplicate = 1, "duplicate";
        /// Its bytes were in the previous version of this file.
        Unchanged = 2, "unchanged";
    }
}

/// One place where a top-level item was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// Its id, from 1, in input order.
    pub instance_id: InstanceId,
    /// The top-level item found.
    pub item_no: ItemNo,
    /// In which file.
    pub file_id: FileId,
    /// Its number within the file, from 0.
    pub ordinal: u64,
    /// Offset of the slice as found, separator included.
    pub offset: u64,
    /// Length of the slice as found, separator and trailer included.
    pub length: u64,
    /// What stands around the message in an mbox: the separator line with its line end, then the `trailer_len` bytes between
    /// the message and the next separator. `None` where there is nothing.
    pub separator: Option<Vec<u8>>,
    /// Length of the line end behind the message that belongs to the separation.
    pub trailer_len: u32,
    /// The identity is the unquoted message, whose bytes differ from the slice.
    pub as_found_differs: bool,
    /// What it was when found.
    pub status: InstanceStatus,
    /// The run that found it.
    pub run_no: RunNo,
    /// Where the variant is in doubt: hash of the unquoted message.
    pub second_blake3: Option<Blake3>,
    /// Labels of this instance, such as Maildir flags in words.
    pub labels: Vec<String>,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BlobPlaceRow {
    /// In a pack: the blob begins in this frame and may go on in the next ones.
    Pack {
        /// Number of the pack.
        pack: u32,
        /// Offset of the frame's header in the pack.
        frame_offset: u64,
        /// Offset in the plain bytes of the frame.
        offset_in_frame: u32,
    },
    /// Decoded again from a top-level item whenever wanted.
    Derived {
        /// The top-level item.
        root_item: ItemNo,
        /// Which part of it.
        part_path: String,
    },
    /// Where it was found: a container that was hashed and referenced, not copied.
    Source {
        /// The file.
        file_id: FileId,
    },
}

/// One distinct sequence of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Its id, from 1.
    pub blob_id: BlobId,
    /// BLAKE3: the identity inside.
    pub blake3: Blake3,
    /// SHA-256: the identity for people and courts.
    pub sha256: Sha256,
    /// Length in bytes.
    pub size: u64,
    /// Where the bytes are.
    pub place: BlobPlaceRow,
    /// The top-level item with these bytes, when there is one; [`RowBatch::top_items`] sets it later.
    pub top_item: Option<ItemNo>,
}

/// Yes-or-no properties of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ItemFlags {
    /// It has an HTML body.
    pub has_html: bool,
    /// Signed content.
    pub signed: bool,
    /// Encrypted content.
    pub encrypted: bool,
    /// A delivery or disposition report.
    pub report: bool,
}

impl ItemFlags {
    /// Bits for the catalogue.
    pub fn bits(self) -> u8 {
        u8::from(self.has_html)
            | u8::from(self.signed) << 1
            | u8::from(self.encrypted) << 2
            | u8::from(self.report) << 3
    }

    /// The inverse of [`ItemFlags::bits`].
    pub fn from_bits(bits: u8) -> Self {
        Self {
            has_html: bits & 1 != 0,
            signed: bits & 2 != 0,
            encrypted: bits & 4 != 0,
            report: bits & 8 != 0,
        }
    }
}

/// Keys that join equal messages whose bytes differ (DOMAIN section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ItemKeys {
    /// Version of the rules that made the keys.
    pub version: u8,
    /// EDRM Message Identification Hash.
    pub mih: Option<Key128>,
    /// E-mail key.
    pub email: Key128,
    /// Body key.
    pub body: Key128,
    /// Family key.
    pub family: Key128,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    /// Its number, from 1.
    pub item_no: ItemNo,
    /// Its bytes.
    pub blob_id: BlobId,
    /// The top-level item of its family; itself when it is one.
    pub root: ItemNo,
    /// The item it is a part of.
    pub parent: Option<ItemNo>,
    /// How many items the family has, for a root; 0 for a part. The family is `root .. root + family_size`.
    pub family_size: u32,
    /// Path of the part within the top-level item; empty for a root.
    pub part_path: String,
    /// Its kind.
    pub kind: ItemKind,
    /// Media type.
    pub media_type: String,
    /// File name, when it has one.
    pub filename: Option<String>,
    /// Length in bytes.
    pub size: u64,
    /// Its date.
    pub date: EvidenceDate,
    /// Subject, or title of a record.
    pub subject: String,
    /// Who stands in its headers.
    pub participants: Vec<Participant>,
    /// Message-ID with brackets.
    pub message_id: Option<String>,
    /// In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// References.
    pub references: Vec<String>,
    /// Thread-Index, decoded.
    pub thread_index: Option<Vec<u8>>,
    /// Keys of a message.
    pub keys: Option<ItemKeys>,
    /// Near-duplicate sketch.
    pub sketch: Option<Vec<u8>>,
    /// How far it can be searched.
    pub searchability: Searchability,
    /// Properties.
    pub flags: ItemFlags,
    /// Labels in its headers.
    pub labels: Vec<String>,
    /// The run that made it.
    pub run_no: RunNo,
}

/// One oddity of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefectRow {
    /// The item.
    pub item_no: ItemNo,
    /// What.
    pub code: DefectCode,
    /// Short detail.
    pub detail: String,
    /// Byte range in the item's original.
    pub range: Option<Range<u64>>,
}

/// One line of the exception register: something that has no item, or a file with an oddity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionRow {
    /// The run.
    pub run_no: RunNo,
    /// The source, when it is about one.
    pub source_id: Option<SourceId>,
    /// Source label and path below it, containers included, for people.
    pub path: String,
    /// In which phase.
    pub phase: Phase,
    /// How much it matters.
    pub class: Class,
    /// What.
    pub code: DefectCode,
    /// Byte range in the file.
    pub range: Option<Range<u64>>,
    /// Short detail.
    pub detail: String,
    /// What was done.
    pub action: String,
}

/// Sums of one run over one file, or over a source outside of its files (`file_id` is `None`). Within a commit a later row
/// replaces an earlier one with the same key: these are totals, not differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyRow {
    /// The run.
    pub run_no: RunNo,
    /// The source.
    pub source_id: SourceId,
    /// The file.
    pub file_id: Option<FileId>,
    /// Top-level entries counted by splitter or walker, before any decision.
    pub discovered: u64,
    /// Entries that became items.
    pub new: u64,
    /// Entries whose bytes were there already.
    pub duplicate: u64,
    /// Entries known from the previous version.
    pub unchanged: u64,
    /// Entries left out by rule.
    pub excluded: u64,
    /// Entries without an item.
    pub excepted: u64,
    /// Parts counted by the MIME enumeration.
    pub children_discovered: u64,
    /// Items made of parts.
    pub children_items: u64,
    /// Parts without an item.
    pub children_excepted: u64,
    /// Bytes of input.
    pub bytes: u64,
}

impl TallyRow {
    /// Zeros.
    pub fn zero(run_no: RunNo, source_id: SourceId, file_id: Option<FileId>) -> Self {
        Self {
            run_no,
            source_id,
            file_id,
            discovered: 0,
            new: 0,
            duplicate: 0,
            unchanged: 0,
            excluded: 0,
            excepted: 0,
            children_discovered: 0,
            children_items: 0,
            children_excepted: 0,
            bytes: 0,
        }
    }

    /// True when every entry and every part has exactly one outcome.
    pub fn closes(&self) -> bool {
        self.discovered == self.new + self.duplicate + self.unchanged + self.excluded + self.excepted
            && self.children_discovered == self.children_items + self.children_excepted
    }

    /// Adds the sums of another row.
    pub fn add(&mut self, other: &Self) {
        self.discovered += other.discovered;
        self.new += other.new;
        self.duplicate += other.duplicate;
        self.unchanged += other.unchanged;
        self.excluded += other.excluded;
        self.excepted += other.excepted;
        self.children_discovered += other.children_discovered;
        self.children_items += other.children_items;
        self.children_excepted += other.children_excepted;
        self.bytes += other.bytes;
    }
}

/// Items to add to a set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetDelta {
    /// Which kind of set.
    pub kind: SetKind,
    /// Which one.
    pub key: String,
    /// The items.
    pub items: RoaringBitmap,
}

/// A point of the durable order, committed together with the rows it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its ticket; grows from checkpoint to checkpoint.
    pub ticket: Ticket,
    /// The run.
    pub run_no: RunNo,
    /// End of the packs, already synced.
    pub pack: PackPosition,
    /// The number that the next item will get.
    pub next_item: u32,
    /// The id that the next blob will get.
    pub next_blob: u32,
    /// The id that the next instance will get.
    pub next_instance: u64,
    /// When, microseconds since 1970 UTC.
    pub at_micros: i64,
}

/// Rows on their way into the catalogue, in input order. New rows have new ids; `runs`, `custodians`, `sources`, `folders`, `files`,
/// `tallies`, `openings`, `containers` and `item_updates` replace what is there under the same id.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    /// Runs, new or changed.
    pub runs: Vec<RunRow>,
    /// Custodians, new or changed.
    pub custodians: Vec<CustodianRow>,
    /// Sources, new or changed.
    pub sources: Vec<SourceRow>,
    /// Folders, new.
    pub folders: Vec<FolderRow>,
    /// Files, new or further read.
    pub files: Vec<FileRow>,
    /// Blobs, new.
    pub blobs: Vec<BlobRow>,
    /// Items, new.
    pub items: Vec<ItemRow>,
    /// Items that keep their number and change (a later version of a record).
    pub item_updates: Vec<ItemRow>,
    /// Instances, new.
    pub instances: Vec<InstanceRow>,
    /// Defects of items, new.
    pub defects: Vec<DefectRow>,
    /// Lines of the exception register, new.
    pub exceptions: Vec<ExceptionRow>,
    /// Sums, as totals so far.
    pub tallies: Vec<TallyRow>,
    /// Blobs that became known as top-level items after their row was written.
    pub top_items: Vec<(BlobId, ItemNo)>,
    /// What opening blobs gave; replaces what was there.
    pub openings: Vec<OpeningRow>,
    /// Containers, new or further opened.
    pub containers: Vec<ContainerRow>,
    /// Additions to sets beside those that the writer makes itself (see [`SetKind`]).
    pub sets: Vec<SetDelta>,
}
