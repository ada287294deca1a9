//! The case folder: disk, packs of originals, the catalogue, locks, facts and verification.
//!
//! The only crate that writes original bytes and SQLite. Start at [`Case`]; bytes on disk and the argument why a stop at any moment
//! loses nothing are in `docs/format.md`. Not for: deciding what is kept, parsing it or finding words in it. Invariant: a
//! checkpoint in the catalogue speaks only of bytes that are durable, and what it speaks of never changes.

pub mod audit;
pub mod canonical;
pub mod case;
pub mod catalogue;
mod codec;
pub mod disk;
mod error;
pub mod facts;
pub mod manifest;
pub mod merkle;
pub mod originals;
pub mod outgoing;
pub mod packs;
pub mod signing;
pub mod verify;

pub use case::{Access, Case, CaseConfig, FactsWriter, Holder, InitOptions};
pub use error::{Result, StoreError};
pub use originals::{DeriveBytes, NoParts, Originals, referenced};
