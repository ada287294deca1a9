//! A seeded, streaming maker of mailboxes of a fictional police force, with the truth about them.
//!
//! For tests and benches: mail of several custodians (mbox in its variants, Maildir, EML), case-system records
//! that fit it, and a truth file that says what an ingest must find. Every name, place and organisation is invented.
//! Not for: imitating real people's mail. Invariant: two equal [`CorpusConfig`]s give the same bytes on every machine,
//! and memory does not grow with the number of messages.
//!
//! [`example`] makes something smaller and denser: cases of which every fault is known, for the demo and the indicators.
//!
//! ```no_run
//! let config = embley_corpus::CorpusConfig::new(10_000, 7);
//! let truth = embley_corpus::write_corpus(std::path::Path::new("sample"), &config)?;
//! assert_eq!(truth.messages, 10_000);
//! # Ok::<(), embley_corpus::CorpusError>(())
//! ```

mod body;
mod calendar;
mod cases;
mod config;
mod encode;
pub mod example;
mod headers;
mod layout;
mod message;
mod needle;
mod odd;
mod parts;
mod people;
mod plan;
mod records;
mod rng;
mod stream;
mod tally;
mod text;
pub mod truth;
mod wordlist;
mod words;
mod write;

pub use config::{BoxFormat, CorpusConfig, CorpusError, Shares};
pub use example::{ExampleConfig, ExampleTruth, TemplateChoice, write_example};
pub use layout::Mailbox;
pub use needle::NeedlePlace;
pub use stream::{Message, MessageStream, Place};
pub use truth::{BrokenKind, Truth};
pub use write::write_corpus;
