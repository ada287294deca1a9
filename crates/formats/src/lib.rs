//! Bytes to items: where evidence lies (walk), what it is (probe), where a mailbox divides (mailbox), and what a
//! message says (mail, text, identity).
//!
//! Not for: storing, indexing, threads, clocks, deciding what is a duplicate. Invariant: files are opened read-only
//! and read by position; every parser is a pure function of the bytes it is given; nothing here panics outwards.

pub mod archive;
pub mod date;
pub mod document;
pub mod emlx;
mod error;
mod headers;
pub mod html;
pub mod identity;
pub mod language;
pub mod mail;
pub mod mailbox;
pub mod mapi;
pub mod ocr;
pub mod opened;
pub mod probe;
pub mod smime;
pub mod source;
pub mod text;
pub mod walk;
pub mod worker;

pub use error::FormatError;
