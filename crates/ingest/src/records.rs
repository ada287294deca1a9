//! Case-system records on their way into a case, as plain data: `casework` reads and checks rows and decides what is
//! new, this crate gives numbers, keeps originals, catalogues and indexes.
//!
//! Invariant, held by whoever writes a batch: in the transaction that catalogues the items, one
//! [`embley_store::facts::records::put`] for each item of the batch, so that key and item are never apart. An update keeps
//! its item number, gets a new blob, and its old document leaves the index.

use embley_model::date::EvidenceDate;
use embley_model::defect::Defect;
use embley_model::id::{ItemNo, Key128, RunNo};
use embley_model::record::RecordKey;

/// A file of records, as the run record and the exception register name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSource {
    /// Label in the case: the base name of the file.
    pub label: String,
    /// Absolute path at the time, as information only.
    pub absolute: String,
    /// The field map used, for the run record.
    pub mapping: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// A row that is a new record or a new version of one.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordItem {
    /// Its key.
    pub key: RecordKey,
    /// The item of the earlier versions; `None` for a new record.
    pub previous: Option<ItemNo>,
    /// The original: canonical JSON that `model::record::Record::read` reads without further knowledge. Keys of
    /// a record are unique within a batch.
    pub raw: Vec<u8>,
    /// Hash of its content (`store::facts::records::content_hash`).
    pub content: Key128,
    /// Title, indexed as the subject.
    pub title: String,
    /// Words of all fields, indexed as the body.
    pub text: String,
    /// Date of the event.
    pub date: EvidenceDate,
    /// Fields that could not be read.
    pub defects: Vec<Defect>,
    /// References by which it belongs to a case.
    pub case_refs: Vec<String>,
    /// The people whom it names, by id.
    pub people: Vec<String>,
    /// Row in the file: the line of JSON Lines, the row of CSV with the header as row 1.
    pub source_row: u64,
}

/// A row that is not a record. It goes into the exception register with the row number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordException {
    /// Row in the file.
    pub source_row: u64,
    /// `REC-ROW` with its detail.
    pub defect: Defect,
}

/// Some consecutive rows of one file, read, checked and decided.
///
/// `rows = items + unchanged + exceptions`, always. In the sums of a run an update counts as `new`: its bytes are.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordBatch {
    /// The file.
    pub source: RecordSource,
    /// The run that goes on, or `None` to begin one.
    pub run: Option<RunNo>,
    /// True for the last batch of the file: the run ends with it.
    pub last: bool,
    /// Who imports.
    pub actor: String,
    /// Rows counted by the reader, before any decision.
    pub rows: u64,
    /// New records and new versions, in the order of rows.
    pub items: Vec<RecordItem>,
    /// Rows whose record is in the case as it stands here.
    pub unchanged: u64,
    /// Rows without a record.
    pub exceptions: Vec<RecordException>,
}

impl RecordBatch {
    /// True when every row has exactly one outcome.
    pub fn closes(&self) -> bool {
        self.rows == self.items.len() as u64 + self.unchanged + self.exceptions.len() as u64
    }
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The run.
    pub run: RunNo,
    /// The item of each of the batch's items, in their order.
    pub items: Vec<ItemNo>,
}
