//! Bytes to items: where evidence lies (walk), what it is (probe), where a mailbox divides (mailbox), and what a
//! message says (mail, text, identity).
//!
//! Not for: storing, indexing, threads, clocks, deciding what is a duplicate. Invariant: files are opened read-only
//! and read by position; every parser is a pure function of the bytes it is given; nothing here panics outwards.

mod error;
pub mod mailbox;
pub mod probe;
pub mod source;
pub mod walk;

pub use error::FormatError;
