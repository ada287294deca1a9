//! The audit log: who looked at what and changed what, in an append-only file that proves itself.
//!
//! `audit/log.jsonl` has one entry a line, in canonical JSON; each states the hash of the one before (`entry`). Before a command runs its
//! *intent* is written, behind it its *outcome* (`log`): a stop in between leaves an intent without an outcome, and no look without an
//! entry. Over all entries stands a Merkle tree (`tree`), whose root is signed in checkpoints (`note`, `checkpoint`), stamped by others
//! (`timestamp`), and proved to others (`proof`). The catalogue remembers how long the log was (`anchor`). `verify` names what was
//! done to a log.
//!
//! **Why a file and not a table.** A line can be read, hashed and proved without this program and without SQLite; an append is one write
//! and one sync, waits for no checkpoint of an ingest, and works when the catalogue is damaged. What a table's triggers would refuse, the
//! chain shows, also to those who do not come by SQLite. The order of steps of an append, and what a stop leaves at each, is in `log`.
//!
//! A log that was cut is not continued: a new one is begun behind it, which names it as it was found (`segment`).
//!
//! Not for: who may do what. Main type: [`AuditLog`]. Invariant: entries are only ever added.

mod anchor;
mod checkpoint;
mod classify;
mod digest;
mod entry;
mod expected;
mod log;
mod note;
mod proof;
mod read;
mod report;
mod scan;
mod segment;
mod signed;
mod timestamp;
mod tree;
mod verify;

pub use checkpoint::{Handover, MadeCheckpoint};
pub use digest::Digest;
pub use entry::{ENTRY_VERSION, Ended, Entry, What, line_hash, time};
pub use log::{AuditLog, Author, Outcome};
pub use note::{Checkpoint, Signed, origin};
pub use proof::Proof;
pub use read::Line;
pub use report::{AuditFinding, AuditReport, CheckpointState, Damage, SegmentState, Unfinished};
pub use segment::{Before, Restarted};
pub use timestamp::{Attached, LARGEST_RESPONSE, Token, request};
pub use verify::VerifyOptions;
