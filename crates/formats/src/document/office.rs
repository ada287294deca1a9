//! The package `office_oxide` behind our own interface: text, warnings and pictures of DOC, DOCX, XLS, XLSX, XLSB, PPT, PPTX.
//!
//! Main function: [`text_of`]. Hidden and deleted text is asked for; what is visible only in its structured view (notes, links, descriptions) is
//! appended.

use std::io::Cursor;

use embley_model::defect::DefectCode;
use office_oxide::limits::Limits;
use office_oxide::options::ParseOptions;
use office_oxide::{Document, DocumentFormat as Kind};

use super::draft::Draft;
use super::guard::guarded;
use super::known::Known;
use crate::html::to_text;

/// Name and version for the record.
pub(super) const READER: &str = "office_oxide/0.1.16";

/// The structured view is made only of texts up to this length; it takes many times their memory.
const MAX_STRUCTURED_BYTES: usize = 8 << 20;

/// Text as the package gives it; `None` when it cannot read the document (a defect says why).
pub(super) fn text_of(kind: Kind, bytes: &[u8], draft: &mut Draft<'_>) -> Option<String> {
    let mut options = ParseOptions::default();
    options.include_hidden_text = true;
    options.include_deleted_text = true;
    options.limits = bounds(options.limits, draft);
    let owned = Cursor::new(bytes.to_vec());
    let opened = guarded(draft, READER, || Document::from_reader_with(owned, kind, &options))?;
    let document = match opened {
        Ok(document) => document,
        Err(error) => {
            draft.partly();
            draft.defect(DefectCode::DocStructure, format!("{READER}: {error}"));
            return None;
        }
    };
    let mut text = guarded(draft, READER, || document.plain_text())?;
    if text.len() <= MAX_STRUCTURED_BYTES
        && let Some(page) = guarded(draft, READER, || document.to_html())
    {
        let known = Known::of(&text);
        for line in to_text(&page).lines() {
            if !known.holds(line) {
                text.push('\n');
                text.push_str(line);
            }
        }
        let damage = guarded(draft, READER, || document.damage()).unwrap_or_default();
        for one in damage {
            if one.is_loss() {
                draft.partly();
                draft.defect(DefectCode::DocStructure, one.to_string());
            }
        }
    }
    Some(text)
}

fn bounds(mut limits: Limits, draft: &Draft<'_>) -> Limits {
    limits.text_chars = limits.text_chars.min(draft.limits().max_text_bytes.max(1 << 16));
    limits
}

/// Pictures of an old binary document, as name and bytes.
pub(super) fn pictures(kind: Kind, bytes: &[u8], draft: &mut Draft<'_>) -> Vec<(String, Vec<u8>)> {
    use office_oxide::{doc::DocDocument, ppt::PptDocument, xls::XlsDocument};
    let found = guarded(draft, READER, || {
        let reader = Cursor::new(bytes);
        let images = match kind {
            Kind::Doc => DocDocument::from_reader(reader).ok()?.images().to_vec(),
            Kind::Xls => XlsDocument::from_reader(reader).ok()?.images().to_vec(),
            Kind::Ppt => PptDocument::from_reader(reader).ok()?.images().to_vec(),
            Kind::Docx | Kind::Xlsx | Kind::Pptx => return None,
        };
        let named = images.into_iter().enumerate().map(|(at, image)| {
            let name = format!("Pictures/image{}.{}", at + 1, image.format.extension());
            (name, image.data)
        });
        Some(named.collect())
    });
    found.flatten().unwrap_or_default()
}
