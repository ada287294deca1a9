//! The catalogue: one SQLite file that says what was found, where, and what it is.
//!
//! Tables: `instance` (where something was found), `item` (what it says) and `blob` (which bytes) are apart and many-to-many; around
//! them runs, custodians, sources, folders, files, defects, exceptions, sums and sets. Rows of an ingest are buffered and go in
//! with one short transaction a checkpoint, so that others who write facts never wait long.
//!
//! Not for: originals (packs) and words (index). Invariant: a checkpoint row is committed together with every row that it covers,
//! and only after the bytes those rows speak of are durable.

mod lookups;
mod openings;
mod packing;
mod read;
mod read_files;
mod read_identity;
mod read_items;
mod read_people;
mod read_sets;
mod read_threads;
mod register;
mod rows;
mod same_bytes;
mod schema;
mod sight;
mod sight_views;
mod write;
mod write_rows;
mod write_sets;

pub use lookups::LOOKUPS;
pub use openings::{ContainerRow, ContainerState, OpeningRow};
pub use read::{CatalogueReader, Counts, DedupEntry, NextIds};
pub use read_identity::Identity;
pub use read_items::{ItemBrief, MessageLinks};
pub use read_sets::SetKind;
pub use read_threads::{ThreadRow, message_id_key};
pub use rows::{
    BlobPlaceRow, BlobRow, Checkpoint, CustodianId, CustodianRow, DefectRow, ExceptionRow, FileRow, FileState,
    FolderId, FolderRow, InstanceRow, InstanceStatus, ItemFlags, ItemKeys, ItemRow, RowBatch, RunKind, RunRow,
    RunState, SetDelta, SourceRow, TallyRow,
};
pub use schema::CATALOGUE_FORMAT;
pub use sight::{Hidden, Sight};
pub use write::CatalogueWriter;

pub(crate) use read_sets::families;
pub(crate) use schema::{OpenAs, create, not_a_catalogue, open_connection};
pub(crate) use sight::{add_told, store_error};
