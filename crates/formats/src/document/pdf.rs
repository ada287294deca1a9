//! PDF (ISO 32000): text page by page, annotations, form values, bookmarks, fields, attachments.
//!
//! Main function: [`read`]. The package `pdf_oxide` comes first; the program `pdftotext`, where it is installed, is held against it: where the package fails or
//! gives few letters for its pages, the longer text is taken; where both have much and do not agree, both are kept, and a defect says so. Pages that are
//! pictures are reported as needing recognition of characters.

mod embedded;
mod extras;
mod pages;
mod string;

use embley_model::defect::DefectCode;
use pdf_oxide::PdfDocument;
use pdf_oxide::extractors::xmp::XmpExtractor;
use pdf_oxide::object::Object;

use self::pages::count_letters;
pub(crate) use self::pages::{LETTERS_OF_A_STAMP, covered};
use self::string::{date, text_string};
use super::draft::Draft;
use super::guard::guarded;
use super::known::Known;
use super::open::Input;
use super::poppler;
use crate::opened::MetaField;

const READER: &str = "pdf_oxide/0.3.78";
/// Fewer letters than this on the average page make the second engine run.
const FEW_LETTERS_A_PAGE: usize = 40;
/// Pages that are read of one file.
const MAX_PAGES: usize = 50_000;

/// Reads the document.
pub(super) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    draft.reader(READER);
    let opened = guarded(draft, READER, || {
        PdfDocument::from_bytes(input.bytes.to_vec()).map_err(|error| error.to_string())
    });
    let document = match opened {
        Some(Ok(document)) => document,
        Some(Err(why)) => {
            draft.defect(DefectCode::DocStructure, format!("{READER}: {why}"));
            second_only(input, draft);
            return;
        }
        None => {
            second_only(input, draft);
            return;
        }
    };
    let Some(true) = guarded(draft, READER, || unlock(&document, input)).map(|unlocked| match unlocked {
        Some((tried, used)) => {
            draft.passwords_tried = tried;
            draft.password_used = used;
            if used.is_some() {
                draft.defect(DefectCode::DocPassword, "a password of the list");
            }
            true
        }
        None => false,
    }) else {
        draft.passwords_tried = input.passwords.len() as u32;
        draft.encrypted("none of the passwords opens it");
        return;
    };
    fields(&document, draft);
    let pages = guarded(draft, READER, || document.page_count())
        .and_then(Result::ok)
        .unwrap_or(0);
    draft.field(MetaField::Pages, &pages.to_string());
    let found = pages::read(&document, pages.min(MAX_PAGES), input.bytes.len(), draft);
    let few = found.letters < FEW_LETTERS_A_PAGE * pages.max(1);
    let mut text = found.text;
    let mut on_page = found.on_page;
    if !document.is_encrypted()
        && let Some(second) = poppler::text(input.bytes, draft)
    {
        let letters = count_letters(&second);
        if (few || found.failed > 0) && letters > found.letters + found.letters / 5 {
            draft.reader(poppler::READER);
            draft.defect(
                DefectCode::DocSecondEngine,
                format!("{letters} letters instead of {} on {pages} pages", found.letters),
            );
            on_page = second.split('\u{c}').take(pages).map(count_letters).collect();
            text = second;
        } else if let Some(share) = disagreement(&text, &second) {
            draft.reader(poppler::READER);
            draft.defect(
                DefectCode::DocSecondEngine,
                format!("the engines agree on {share} % of the words only; both texts were kept"),
            );
            let known = Known::of(&text);
            for line in second.lines().filter(|line| !known.holds(line)) {
                text.push('\n');
                text.push_str(line);
            }
        }
    }
    draft.lines(&text);
    extras::read(&document, pages.min(MAX_PAGES), &text, draft);
    pages::report_pictures(&document, &on_page, pages, draft);
    if pages == 0 && draft.text().is_empty() {
        draft.failed("no page can be found");
    }
    embedded::read(&document, pages.min(MAX_PAGES), draft);
}

/// The share of the words of `second` that `first` has, in percent, when it is low: a font whose codes one engine cannot turn into characters. Of a few words
/// it is low only when not one is the same.
fn disagreement(first: &str, second: &str) -> Option<usize> {
    const FEW_WORDS: usize = 5;
    const AGREE_PERCENT: usize = 80;
    let words = |text: &'_ str| -> Vec<String> {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let ours: std::collections::HashSet<String> = words(first).into_iter().collect();
    let theirs = words(second);
    let held = theirs.iter().filter(|word| ours.contains(*word)).count();
    let share = held * 100 / theirs.len().max(1);
    let differs = match theirs.len() {
        0 => false,
        1..FEW_WORDS => held == 0 && !ours.is_empty(),
        _ => share < AGREE_PERCENT,
    };
    differs.then_some(share)
}

/// When the package cannot open the file at all.
fn second_only(input: &Input<'_>, draft: &mut Draft<'_>) {
    match poppler::text(input.bytes, draft) {
        Some(text) if count_letters(&text) > 0 => {
            draft.reader(poppler::READER);
            draft.defect(DefectCode::DocSecondEngine, "the first one cannot open the file");
            draft.lines(&text);
        }
        _ => draft.failed("no engine can open the file"),
    }
}

/// How many passwords were tried and which one opened the document; `None` when it stays closed.
fn unlock(document: &PdfDocument, input: &Input<'_>) -> Option<(u32, Option<u32>)> {
    if !document.is_encrypted() || document.authenticate(b"").is_ok_and(|open| open) {
        return Some((0, None));
    }
    for (at, password) in (0u32..).zip(input.passwords) {
        if document.authenticate(password.as_bytes()).is_ok_and(|open| open) {
            return Some((at + 1, Some(at)));
        }
    }
    None
}

/// The information dictionary (14.3.3) and the XMP packet (14.3.2).
fn fields(document: &PdfDocument, draft: &mut Draft<'_>) {
    let info = guarded(draft, READER, || {
        let trailer = document.trailer().as_dict()?;
        document.resolve_object(trailer.get("Info")?).ok()
    });
    if let Some(Some(info)) = info
        && let Some(entries) = info.as_dict()
    {
        const KEYS: [(&str, MetaField); 8] = [
            ("Title", MetaField::Title),
            ("Author", MetaField::Author),
            ("Subject", MetaField::Subject),
            ("Keywords", MetaField::Keywords),
            ("Creator", MetaField::Program),
            ("Producer", MetaField::Program),
            ("CreationDate", MetaField::Created),
            ("ModDate", MetaField::Modified),
        ];
        for (key, field) in KEYS {
            let value = entries.get(key).and_then(|value| {
                let value = document.resolve_object(value).ok()?;
                match &value {
                    Object::String(bytes) => Some(text_string(bytes)),
                    _ => None,
                }
            });
            if let Some(value) = value {
                let value = match field {
                    MetaField::Created | MetaField::Modified => date(&value).unwrap_or(value),
                    _ => value,
                };
                draft.field(field, &value);
            }
        }
    }
    if let Some(Ok(Some(xmp))) = guarded(draft, READER, || XmpExtractor::extract(document)) {
        let pairs = [
            (MetaField::Title, xmp.dc_title),
            (MetaField::Description, xmp.dc_description),
            (MetaField::Language, xmp.dc_language),
            (MetaField::Program, xmp.xmp_creator_tool),
            (MetaField::Program, xmp.pdf_producer),
            (MetaField::Created, xmp.xmp_create_date),
            (MetaField::Modified, xmp.xmp_modify_date),
            (MetaField::Keywords, xmp.pdf_keywords),
        ];
        for author in xmp.dc_creator {
            draft.field(MetaField::Author, &author);
        }
        for (field, value) in pairs {
            if let Some(value) = value {
                draft.field(field, &value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_disagree_about_few_words_when_none_is_the_same() {
        assert_eq!(disagreement("HOOR ZRUOG", "hello world"), Some(0));
        assert_eq!(disagreement("hello w0rld", "hello world"), None);
        assert_eq!(disagreement("", "hello"), None);
        assert_eq!(disagreement("a b c d x y", "a b c d e f"), Some(66));
    }
}
