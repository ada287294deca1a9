//! Documents to text, fields and members: Office in its three generations, PDF, OpenDocument, EPUB, HTML, XML, JSON, calendars and cards.
//!
//! Not for: mail in any wrapping, archives, disk images, recognition of characters. Main functions: [`reader_of`], [`open`].
//!
//! Invariant: a document is never silently empty. Packages that read a format are called behind [`guard`]; for the formats of Office
//! their text is held against our own reading of the parts, and every paragraph that they left out is appended. What cannot be read in the
//! regular way is read by a second engine or by looking for runs of characters, and a defect says so. Runs in a worker process: a stack
//! overflow or a failed allocation is survived there and not here.

mod cards;
mod compound;
mod draft;
mod epub;
mod format;
mod guard;
mod head_foot;
mod json;
mod known;
mod markup;
mod odf;
mod office;
mod ole;
mod ooxml;
mod open;
mod package;
mod pdf;
mod pieces;
mod poppler;
mod properties;
mod protection;
mod records;
mod salvage;
mod xml;

pub(crate) use compound::is_message;
pub use format::{DocumentFormat, reader_of};
pub use open::open;
pub(crate) use pdf::{LETTERS_OF_A_STAMP, covered};
