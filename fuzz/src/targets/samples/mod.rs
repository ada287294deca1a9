//! Seeds made in code, and repairs that make checksums right again. Everything here is invented.

mod containers;
mod documents;
mod mapi;
mod store;
mod words;

pub(super) use containers::{ar, compressed, deflated_zip, repair_sevenz, repair_tar, sevenz, tar, zip};
pub(super) use documents::{DOCX_BODY, EPUB_PACKAGE, ODF_CONTENT, PDF_FILE, docx, epub, odf, property_set, summary};
pub(super) use mapi::{compressed_rtf, msg, repair_bundle, repair_tnef, tnef};
pub(super) use store::{CASE_ID, frames, packs, repair_pack};
pub(super) use words::{cards, headers, heads, html, queries, rich_texts, texts};

/// A number of four bytes at an offset, little-endian.
fn word_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(field)).ok()
}

/// Puts bytes over others where there is room.
fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    let end = at.saturating_add(field.len());
    if let Some(place) = bytes.get_mut(at..end) {
        place.copy_from_slice(field);
    }
}
