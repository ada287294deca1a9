//! The pages of a PDF: their text, which of them are damaged, and which say nothing until characters are recognised.
//!
//! Main functions: [`read`], [`report_pictures`], [`covered`]. A page with a few words, such as a stamp, on a picture that covers most of it counts as a scan.

use embley_model::defect::DefectCode;
use flate2::{Decompress, FlushDecompress, Status};
use pdf_oxide::PdfDocument;
use pdf_oxide::object::Object;

use super::super::draft::Draft;
use super::super::guard::guarded;
use super::READER;
use super::extras::entry;

/// Letters that text may have for each byte of its file before it is thought to repeat itself.
const MAX_GROWTH: usize = 1024;
/// Fewer letters than this on a page may be a stamp on a scan.
pub(crate) const LETTERS_OF_A_STAMP: usize = 64;
/// A picture covers a page when it has at least this share of its area.
const COVERS: f32 = 0.5;
/// Pages that are looked at for pictures.
const MAX_LOOKED_AT: usize = 1000;
/// Streams of one page that are checked, and bytes of each.
const MAX_STREAMS: usize = 1000;
const MAX_CHECKED_BYTES: u64 = 64 << 20;

pub(super) struct Pages {
    pub(super) text: String,
    pub(super) letters: usize,
    /// Letters and digits of each page.
    pub(super) on_page: Vec<usize>,
    /// Pages that could not be read, or not to their end.
    pub(super) failed: usize,
}

/// Reads the first `pages` pages.
pub(super) fn read(document: &PdfDocument, pages: usize, file_bytes: usize, draft: &mut Draft<'_>) -> Pages {
    let mut found = Pages {
        text: String::new(),
        letters: 0,
        on_page: Vec::new(),
        failed: 0,
    };
    let limit = draft.room().min(file_bytes.saturating_mul(MAX_GROWTH).max(1 << 20));
    for page in 0..pages {
        if found.text.len() > limit {
            draft.defect(
                DefectCode::DocLimit,
                format!("pages from {} on were left out", page + 1),
            );
            draft.partly();
            break;
        }
        let mut letters = 0;
        let mut why = None;
        match guarded(draft, READER, || document.extract_text(page)) {
            Some(Ok(text)) => {
                letters = count_letters(&text);
                found.letters += letters;
                found.text.push_str(&text);
                found.text.push('\n');
                let damage = guarded(draft, READER, || damage(document, page, letters == 0));
                why = damage.flatten().map(str::to_owned);
            }
            Some(Err(error)) => why = Some(error.to_string()),
            None => {
                found.failed += 1;
                draft.partly();
            }
        }
        found.on_page.push(letters);
        if let Some(why) = why {
            found.failed += 1;
            draft.partly();
            draft.defect(DefectCode::DocStructure, format!("page {}: {why}", page + 1));
        }
    }
    found
}

/// What is wrong with the content of a page that the package gave as if it were whole: compressed data that break off or cannot be undone, of which it keeps
/// what came before. A sum that does not hold counts only where the page gave no letter at all, because some writers leave it out.
fn damage(document: &PdfDocument, page: usize, is_silent: bool) -> Option<&'static str> {
    // Bytes of an encrypted file are not to be had before they are decrypted.
    if document.is_encrypted() {
        return None;
    }
    let page = document.get_page(page).ok()?;
    let contents = entry(document, page.as_dict()?, "Contents")?;
    let streams = match &contents {
        Object::Array(list) => list.iter().take(MAX_STREAMS).collect(),
        one => vec![one],
    };
    for stream in streams {
        let Ok(Object::Stream { dict, data }) = document.resolve_object(stream) else {
            continue;
        };
        let is_deflated = match entry(document, &dict, "Filter") {
            Some(Object::Name(name)) => is_deflate(&name),
            Some(Object::Array(names)) => {
                matches!(names.as_slice(), [Object::Name(name)] if is_deflate(name))
            }
            _ => false,
        };
        if !is_deflated {
            continue;
        }
        // RFC 1950: two bytes stand before the compressed data, a sum behind them.
        if !comes_to_its_end(data.get(2..).unwrap_or_default(), false) {
            return Some("its content is damaged; what came before the damage was read");
        }
        if is_silent && !comes_to_its_end(&data, true) {
            return Some("its content is damaged");
        }
    }
    None
}

/// True when the compressed data end where they say, or are too long to be checked.
fn comes_to_its_end(data: &[u8], with_sum: bool) -> bool {
    let mut inflater = Decompress::new(with_sum);
    let mut out = vec![0; 32 << 10];
    let mut rest = data;
    loop {
        let (read, written) = (inflater.total_in(), inflater.total_out());
        match inflater.decompress(rest, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return true,
            Ok(Status::Ok | Status::BufError) => {}
            Err(_) => return false,
        }
        if inflater.total_in() == read && inflater.total_out() == written {
            return false;
        }
        if inflater.total_out() > MAX_CHECKED_BYTES {
            return true;
        }
        let taken = usize::try_from(inflater.total_in() - read).unwrap_or(usize::MAX);
        rest = rest.get(taken..).unwrap_or_default();
    }
}

fn is_deflate(filter: &str) -> bool {
    matches!(filter, "FlateDecode" | "Fl")
}

pub(super) fn count_letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Says which pages are pictures: those without letters that have one, and those with few letters that one covers.
pub(super) fn report_pictures(document: &PdfDocument, on_page: &[usize], pages: usize, draft: &mut Draft<'_>) {
    let few = on_page
        .iter()
        .enumerate()
        .filter(|(_, letters)| **letters < LETTERS_OF_A_STAMP);
    let mut painted = Vec::new();
    for (page, letters) in few.take(MAX_LOOKED_AT) {
        let is_picture = guarded(draft, READER, || is_picture(document, page, *letters == 0));
        if is_picture == Some(true) {
            painted.push(page + 1);
        }
    }
    if painted.is_empty() {
        return;
    }
    let listed: Vec<_> = painted.iter().take(20).map(usize::to_string).collect();
    draft.needs_ocr(format!("{} of {pages} pages: {}", painted.len(), listed.join(", ")));
}

/// True when a picture covers most of the page, or when there is `any` and one is enough.
fn is_picture(document: &PdfDocument, page: usize, any: bool) -> bool {
    let Ok(images) = document.page_image_handles(page) else {
        return false;
    };
    if any {
        return !images.is_empty();
    }
    let Ok((left, bottom, right, top)) = document.get_page_media_box(page) else {
        return false;
    };
    let area = ((right - left) * (top - bottom)).abs();
    images.iter().any(|image| {
        let covered = (image.bbox.width * image.bbox.height).abs();
        area > 0.0 && covered >= area * COVERS
    })
}

/// Those of `pages`, counted from 0, that a picture covers; none where the file cannot be read.
pub(crate) fn covered(bytes: &[u8], pages: &[usize]) -> Vec<usize> {
    let found = std::panic::catch_unwind(|| {
        let Ok(document) = PdfDocument::from_bytes(bytes.to_vec()) else {
            return Vec::new();
        };
        let looked_at = pages.iter().copied().take(MAX_LOOKED_AT);
        looked_at.filter(|page| is_picture(&document, *page, false)).collect()
    });
    // A panic of the package leaves the pages to their own letters, as the reader of the document said already.
    found.unwrap_or_default()
}
