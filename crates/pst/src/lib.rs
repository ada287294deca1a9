//! PST and OST files, read by position and never written ([MS-PST]).
//!
//! Not for: what the properties of a message mean (crate `mapi`). Main type: [`PstFile`]: open, [`folders`](PstFile::folders),
//! [`messages`](PstFile::messages), [`load`](PstFile::load), [`salvage`](PstFile::salvage). Three layers, as in the specification: `ndb` (header,
//! pages, blocks, the two B-trees), `ltp` (heaps, property contexts, tables), `messaging` (folders, messages, attachments).
//! Invariant: the file is never loaded whole, and nothing panics on content; what a damaged place held is said as a
//! [`Defect`](embley_model::defect::Defect), and the same file gives the same answer with any number of threads.
//!
//! Memory does not grow with the file but for: folders with their properties (some KiB each), the rows of the one table that is open (16 bytes a
//! message of that folder), and what [`salvage`](PstFile::salvage) says of itself (in all less than 2 bytes a message).
//!
//! Values are as stored: a subject keeps the two characters that say where its prefix ends ([`subject_text`] takes them off), and 8-bit strings are bytes.

mod bytes;
mod error;
mod log;
mod ltp;
mod messaging;
mod ndb;
mod options;
mod read;
#[cfg(test)]
mod tests;

pub use error::PstError;
pub use messaging::{
    AttachmentPath, AttachmentReader, Folder, FolderKind, Folders, ItemList, NodeSet, Origin, PstFile, Recovered,
    Salvage, SearchFolder, subject_text,
};
pub use ndb::{CryptMethod, FileVersion, Header, NodeId, NodeKind};
pub use options::{Limits, PstOptions, ScanMode};
pub use read::ReadAt;
