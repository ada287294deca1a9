//! Messages made of properties (from PST, MSG, TNEF) on their way into the pipeline: as bytes that identify them, and as a family of items.
//!
//! Not for: reading those files (crates `pst` and `mapi`, in worker processes). Main functions: [`bundle::write`] in the worker, [`bundle::read`] and
//! [`family`] in the pipeline. Invariant: the family that a message gives from its bundle is the one that it gives again from its canonical
//! bytes and the stored contents of its attachments.

pub mod bundle;
mod family;

pub use family::{HELD_BYTES, LongPart, LongParts, digests, family, message_of};

/// Media type of a message whose original is its canonical serialisation.
pub const MEDIA_TYPE: &str = "application/x.embley-mapi-message";
