//! PDF (ISO 32000): text page by page, annotations, form values, bookmarks, fields, attachments.
//!
//! Main function: [`read`]. The package `pdf_oxide` comes first; the program `pdftotext`, where it is installed, is held against it: where the package fails or
//! gives few letters for its pages, the longer text is taken; where both have much and do not agree, both are kept, and a defect says so. Pages without letters
//! are reported as needing recognition of characters.

use embley_model::defect::DefectCode;
use pdf_oxide::PdfDocument;
use pdf_oxide::extractors::forms::{FieldValue, FormExtractor};
use pdf_oxide::extractors::xmp::XmpExtractor;
use pdf_oxide::object::Object;

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
/// Letters that text may have for each byte of its file before it is thought to repeat itself.
const MAX_GROWTH: usize = 1024;

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
    let found = pages_text(&document, pages.min(MAX_PAGES), input.bytes.len(), draft);
    let few = found.letters < FEW_LETTERS_A_PAGE * pages.max(1);
    let mut text = found.text;
    let mut empty = found.empty;
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
            let without = second
                .split('\u{c}')
                .take(pages)
                .enumerate()
                .filter(|(_, page)| count_letters(page) == 0);
            empty = without.map(|(at, _)| at).collect();
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
    extras(&document, pages.min(MAX_PAGES), &text, draft);
    report_empty(&document, &empty, pages, draft);
    if pages == 0 && draft.text().is_empty() {
        draft.failed("no page can be found");
    }
    attachments(&document, draft);
}

/// The share of the words of `second` that `first` has, in percent, when it is low: a font whose codes one engine cannot turn into characters.
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
    (theirs.len() >= FEW_WORDS && share < AGREE_PERCENT).then_some(share)
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

struct Pages {
    text: String,
    letters: usize,
    /// Positions of pages without a letter.
    empty: Vec<usize>,
    /// Pages that could not be read.
    failed: usize,
}

fn pages_text(document: &PdfDocument, pages: usize, file_bytes: usize, draft: &mut Draft<'_>) -> Pages {
    let mut found = Pages {
        text: String::new(),
        letters: 0,
        empty: Vec::new(),
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
        match guarded(draft, READER, || document.extract_text(page)) {
            Some(Ok(text)) => {
                let letters = count_letters(&text);
                if letters == 0 {
                    found.empty.push(page);
                }
                found.letters += letters;
                found.text.push_str(&text);
                found.text.push('\n');
            }
            Some(Err(error)) => {
                found.failed += 1;
                found.empty.push(page);
                draft.partly();
                draft.defect(DefectCode::DocStructure, format!("page {}: {error}", page + 1));
            }
            None => {
                found.failed += 1;
                found.empty.push(page);
                draft.partly();
            }
        }
    }
    found
}

fn count_letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Bookmarks, annotations and form values that are not on the pages already.
fn extras(document: &PdfDocument, pages: usize, text: &str, draft: &mut Draft<'_>) {
    let mut lines = Vec::new();
    if let Some(Ok(Some(outline))) = guarded(draft, READER, || document.get_outline()) {
        let mut waiting: Vec<_> = outline.iter().rev().collect();
        while let Some(item) = waiting.pop() {
            lines.push(item.title.clone());
            waiting.extend(item.children.iter().rev());
        }
    }
    for page in 0..pages {
        let Some(Ok(annotations)) = guarded(draft, READER, || document.get_annotations(page)) else {
            continue;
        };
        for annotation in annotations {
            for part in [annotation.subject, annotation.author, annotation.contents]
                .into_iter()
                .flatten()
            {
                lines.push(part);
            }
            if let Some(pdf_oxide::LinkAction::Uri(target)) = annotation.action {
                lines.push(target);
            }
        }
        if lines.len() > 100_000 {
            break;
        }
    }
    if let Some(Ok(fields)) = guarded(draft, READER, || FormExtractor::extract_fields(document)) {
        for field in fields {
            let value = match field.value {
                FieldValue::Text(text) | FieldValue::Name(text) => text,
                FieldValue::Array(texts) => texts.join("; "),
                FieldValue::Boolean(_) | FieldValue::None => String::new(),
            };
            if !value.trim().is_empty() {
                lines.push(format!("{}: {value}", field.full_name));
            }
            lines.extend(field.tooltip);
        }
    }
    let known = Known::of(text);
    let mut seen = std::collections::HashSet::new();
    for line in lines {
        if !known.holds(&line) && seen.insert(line.clone()) {
            draft.lines(&line);
        }
    }
}

/// Says which pages have no letters though something is painted on them.
fn report_empty(document: &PdfDocument, empty: &[usize], pages: usize, draft: &mut Draft<'_>) {
    let mut painted = Vec::new();
    for page in empty.iter().copied().take(1000) {
        let has_images = guarded(draft, READER, || document.page_image_handles(page))
            .and_then(Result::ok)
            .is_some_and(|images| !images.is_empty());
        if has_images {
            painted.push(page + 1);
        }
    }
    if painted.is_empty() {
        return;
    }
    let listed: Vec<_> = painted.iter().take(20).map(usize::to_string).collect();
    draft.needs_ocr(format!("{} of {pages} pages: {}", painted.len(), listed.join(", ")));
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

/// A text string (7.9.2.2): UTF-16 or UTF-8 with a mark, else PDFDocEncoding, of which Latin-1 is nearly all.
fn text_string(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, skip)) => encoding.decode_without_bom_handling(&bytes[skip..]).0.into_owned(),
        None => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
    }
}

/// A date (7.9.4), `D:YYYYMMDDHHmmSSOHH'mm`, as RFC 3339; parts that are missing have their first value, a missing zone is UTC by the same clause.
fn date(text: &str) -> Option<String> {
    let text = text.trim().strip_prefix("D:").unwrap_or(text.trim());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(14);
    if digits < 4 {
        return None;
    }
    let part = |from: usize, default: &'static str| {
        if digits >= from + 2 {
            text[from..from + 2].to_owned()
        } else {
            default.to_owned()
        }
    };
    let zone: String = text[digits..].chars().filter(|c| !matches!(c, '\'')).collect();
    let zone = match zone.chars().next() {
        Some('+' | '-') if zone.len() >= 3 && zone[1..].bytes().all(|byte| byte.is_ascii_digit()) => {
            let minutes = zone.get(3..5).unwrap_or("00");
            format!("{}:{minutes}", &zone[..3])
        }
        _ => "Z".to_owned(),
    };
    Some(format!(
        "{}-{}-{}T{}:{}:{}{zone}",
        &text[..4],
        part(4, "01"),
        part(6, "01"),
        part(8, "00"),
        part(10, "00"),
        part(12, "00")
    ))
}

/// Embedded files (7.11.4).
fn attachments(document: &PdfDocument, draft: &mut Draft<'_>) {
    match guarded(draft, READER, || document.extract_embedded_files()) {
        Some(Ok(files)) => {
            for (at, (name, content)) in files.into_iter().enumerate() {
                let name = if name.trim().is_empty() {
                    format!("attachment{}", at + 1)
                } else {
                    clean_name(&name)
                };
                draft.lines(&format!("Attached file: {name}"));
                if !draft.member(name.as_bytes(), &mut content.as_slice()) {
                    return;
                }
            }
        }
        Some(Err(error)) => draft.defect(DefectCode::DocStructure, format!("attachments: {error}")),
        None => {}
    }
}

/// The package takes names in UTF-16 for UTF-8; marks and zeros betray it.
fn clean_name(name: &str) -> String {
    if name.contains('\0') {
        return name.chars().filter(|c| *c != '\0' && *c != '\u{fffd}').collect();
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_rfc_3339() {
        assert_eq!(
            date("D:20200102030405+01'30'").as_deref(),
            Some("2020-01-02T03:04:05+01:30")
        );
        assert_eq!(date("D:20200102030405Z").as_deref(), Some("2020-01-02T03:04:05Z"));
        assert_eq!(date("D:2020").as_deref(), Some("2020-01-01T00:00:00Z"));
        assert_eq!(date("yesterday"), None);
        assert_eq!(date("D:20200102030405+é"), Some("2020-01-02T03:04:05Z".to_owned()));
    }
}
