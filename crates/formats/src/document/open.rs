//! Opening one document: its format by content, its reader, and what to do when the reader gives too little.

use std::io;

use embley_model::defect::DefectCode;

use super::draft::Draft;
use super::format::{DocumentFormat, sniff};
use super::guard::guarded;
use super::known::Known;
use super::{cards, compound, epub, json, markup, odf, ole, ooxml, pdf, salvage};
use crate::opened::{Members, MetaField, OpenLimits, Opened};
use crate::text::parse_text;

/// What a reader is given.
pub(super) struct Input<'i> {
    /// The whole document.
    pub(super) bytes: &'i [u8],
    /// Its name as found, in any charset; may be empty.
    pub(super) name: &'i [u8],
    /// Passwords to be tried, in this order.
    pub(super) passwords: &'i [String],
}

/// Reads the document in `bytes`: text, fields, defects; what is embedded in it goes to `members`.
///
/// `format` is what [`super::reader_of`] said; where the bytes plainly are something else, that is read. `name` is only used to tell
/// formats apart. A document that cannot be read gives no error but a result that says so.
///
/// # Errors
/// Only when the taker of members failed; nothing is known then about the rest.
pub fn open(
    format: DocumentFormat,
    bytes: &[u8],
    name: &[u8],
    passwords: &[String],
    limits: &OpenLimits,
    members: &mut dyn Members,
) -> io::Result<Opened> {
    let input = Input { bytes, name, passwords };
    let mut draft = Draft::new(bytes.len() as u64, limits, members);
    read(sniff(bytes, format), &input, &mut draft);
    draft.finish()
}

/// Reads `input` as `format` into `draft`. A panic of our own is a defect too.
pub(super) fn read(format: DocumentFormat, input: &Input<'_>, draft: &mut Draft<'_>) {
    if input.bytes.is_empty() {
        return;
    }
    match format {
        DocumentFormat::Compound => compound::read(input, draft),
        DocumentFormat::Ooxml => ooxml::read(input, draft),
        DocumentFormat::OpenDocument => odf::read(input, draft),
        DocumentFormat::Epub => epub::read(input, draft),
        DocumentFormat::Pdf => pdf::read(input, draft),
        DocumentFormat::Rtf => rtf(input, draft),
        DocumentFormat::Html => markup::html(input.bytes, draft),
        DocumentFormat::Xml => markup::xml(input.bytes, draft),
        DocumentFormat::Json => json::read(input.bytes, draft),
        DocumentFormat::PlainText => plain(input.bytes, draft),
        DocumentFormat::Calendar | DocumentFormat::Cards => cards::read(input.bytes, draft),
    }
}

/// Text as it stands; HTML in it is rendered.
pub(super) fn plain(bytes: &[u8], draft: &mut Draft<'_>) {
    draft.reader("text/1");
    let (text, defects, searchability) = parse_text(bytes);
    draft.defects(defects);
    if searchability == embley_model::item::Searchability::PartlyDecoding {
        draft.partly();
    }
    draft.lines(&text);
}

/// Rich text: text with hidden and deleted parts, links, fields, objects.
fn rtf(input: &Input<'_>, draft: &mut Draft<'_>) {
    let Some(document) = guarded(draft, "rtf", || embley_mapi::rtf::read(input.bytes)) else {
        salvage(input.bytes, "rich text", draft);
        return;
    };
    draft.reader("rtf/1");
    draft.defects(document.defects);
    let info = document.info;
    let texts = [
        (MetaField::Title, info.title),
        (MetaField::Subject, info.subject),
        (MetaField::Author, info.author),
        (MetaField::LastSavedBy, info.operator),
        (MetaField::Company, info.company),
        (MetaField::Company, info.manager),
        (MetaField::Keywords, info.keywords),
        (MetaField::Keywords, info.category),
        (MetaField::Description, info.comment),
    ];
    for (field, value) in texts {
        draft.field(field, &value);
    }
    let times = [
        (MetaField::Created, info.created),
        (MetaField::Modified, info.modified),
        (MetaField::Printed, info.printed),
    ];
    for (field, value) in times {
        if let Some(value) = value {
            draft.field(field, &value.to_string());
        }
    }
    draft.lines(&document.text);
    if !document.versions.is_empty() {
        let known = Known::of(&document.text);
        for version in document.versions {
            if !known.holds(&version) {
                draft.lines(&version);
            }
        }
    }
    if let Some(html) = document.html {
        let known = Known::of(&document.text);
        for line in crate::html::to_text(&html).lines() {
            if !known.holds(line) {
                draft.lines(line);
            }
        }
    }
    for link in document.links {
        draft.lines(&link);
    }
    for (at, object) in document.objects.into_iter().enumerate() {
        let name = match object.kind {
            embley_mapi::rtf::ObjectKind::Picture(extension) => format!("Pictures/picture{}.{extension}", at + 1),
            _ if object.name.is_empty() => format!("Objects/object{}", at + 1),
            _ => object.name,
        };
        if !ole::member(&name, &object.bytes, draft) {
            return;
        }
    }
}

/// Last resort: runs of characters in bytes that no reader understood.
pub(super) fn salvage(bytes: &[u8], why: &str, draft: &mut Draft<'_>) {
    let room = draft.room();
    let Some(text) = guarded(draft, "salvage", || salvage::text_of(bytes, room)) else {
        return;
    };
    if text.chars().any(char::is_alphanumeric) {
        draft.reader("salvage/1");
        draft.partly();
        draft.defect(DefectCode::DocRecovered, why.to_owned());
        draft.lines(&text);
    }
}
