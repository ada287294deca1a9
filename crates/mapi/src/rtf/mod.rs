//! Rich text (RTF 1.9.1), alone or as the body of a message: its text, the HTML or plain text it encapsulates ([MS-OXRTFEX]), its
//! metadata and the objects in it.
//!
//! Not for: layout. Main type: [`Rtf`]. Decisions: hidden and deleted text, comments, headers and footnotes are text, because they are
//! evidence; `\fcharset0` is Western European as the specification says, `\fcharset1` the document's page; where bytes are invalid in the
//! page of their font and valid in that of the document, the latter is taken. Invariant: output is bounded by the input, nesting costs
//! no stack, and text that cannot be decoded is reported.

mod charset;
mod destination;
mod lexer;
mod object;
mod reader;

use embley_model::defect::Defect;

pub use object::{Object, ObjectKind};

/// What a document is a wrapping of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encapsulated {
    /// It is rich text itself.
    #[default]
    No,
    /// HTML (`\fromhtml1`).
    Html,
    /// Plain text (`\fromtext`).
    Text,
}

/// A document that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rtf {
    /// Its text; paragraphs and rows end with LF, cells with a tab.
    pub text: String,
    /// The HTML it encapsulates, decoded: what its `charset` declaration says no longer holds.
    pub html: Option<String>,
    /// Paragraphs with tracked changes or hidden text in the versions that `text` has joined into one (see [`crate::tracked`]).
    pub versions: Vec<String>,
    /// Whether it is a wrapping.
    pub encapsulated: Encapsulated,
    /// Metadata.
    pub info: Info,
    /// Pictures and embedded objects, in order.
    pub objects: Vec<Object>,
    /// Targets of hyperlinks, in order.
    pub links: Vec<String>,
    /// What was odd.
    pub defects: Vec<Defect>,
}

/// The information group of a document. Times are as written there, without zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// `\title`.
    pub title: String,
    /// `\subject`.
    pub subject: String,
    /// `\author`.
    pub author: String,
    /// `\operator`: who changed it last.
    pub operator: String,
    /// `\manager`.
    pub manager: String,
    /// `\company`.
    pub company: String,
    /// `\category`.
    pub category: String,
    /// `\keywords`.
    pub keywords: String,
    /// `\doccomm` or `\comment`.
    pub comment: String,
    /// `\creatim`.
    pub created: Option<jiff::civil::DateTime>,
    /// `\revtim`.
    pub modified: Option<jiff::civil::DateTime>,
    /// `\printim`.
    pub printed: Option<jiff::civil::DateTime>,
}

/// True when a file begins like rich text.
pub fn has_signature(head: &[u8]) -> bool {
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    head[start..].starts_with(b"{\\rtf")
}

/// Reads a document, however damaged.
pub fn read(data: &[u8]) -> Rtf {
    reader::Reader::new().read(data)
}

#[cfg(test)]
mod tests;
