//! The index: text to tokens, tokens to segments, queries to sets of items. The only crate that names
//! tantivy.
//!
//! Data flow: [`analysis::Tokens`] per field make an [`IndexDoc`]; workers put those into
//! [`SegmentBuilder`]s; [`IndexStore::commit`] makes finished segments visible with a ticket; a
//! [`Snapshot`] runs a [`Node`] and gives an exact count, a bitmap of items, and an order.
//!
//! Not for: query syntax (crate `search`), custodians, tags and other facts that change (they are
//! bitmaps, handed in as [`Node::Items`]), or anything shown to people.
//!
//! Invariant: item numbers increase within every segment, also after merges, so that sets of items and sets
//! of documents translate by merging. Everything here can be deleted and made again from the store.

pub mod analysis;
mod bits;
mod builder;
mod columns;
mod commit;
mod document;
mod error;
mod eval;
mod expand;
mod files;
mod item_bits;
mod items;
mod merge;
mod node;
mod pattern;
mod positional;
mod rank;
mod schema;
mod segment;
mod snapshot;
mod spans;
mod terms;
mod values;
mod verify;
mod writer;

pub use builder::{FinishedSegment, SegmentBuilder};
pub use commit::INDEX_VERSION;
pub use document::IndexDoc;
pub use error::{ErrorClass, IndexError, Result};
pub use item_bits::ItemBits;
pub use merge::Merged;
pub use node::{Node, Order, Outcome, Want};
pub use pattern::{Glob, MAX_EDITS, PatternError, WordPattern};
pub use snapshot::{Hits, Snapshot};
pub use spans::{Occurrences, SpanMarker, SpanQuery};
pub use values::{CountBy, ValueCounts};
pub use verify::{Damage, verify};
pub use writer::IndexStore;
