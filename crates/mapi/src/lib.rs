//! MAPI: the property model that PST, MSG and TNEF share, and what a message made of properties says.
//!
//! Not for: how a PST file lies on disk (crate `pst`), RFC 822 mail (crate `formats`). Main type: [`Message`]. Invariant: nothing here
//! fails on content or panics; oddities are [`Defect`](embley_model::defect::Defect) values, and every property that was read is kept.

pub mod canonical;
pub mod codepage;
pub mod compound;
pub mod crc32;
pub mod eml;
pub mod lzfu;
mod message;
pub mod msg;
mod property;
pub mod rtf;
pub mod strings;
pub mod tags;
pub mod tnef;
pub mod tracked;
pub mod view;

pub use message::{Attachment, Content, Message};
pub use property::{MULTIPLE, NamedProperty, Properties, PropertyKind, PropertyName, PropertySet, Tag, Value};
