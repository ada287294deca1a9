//! What a PDF says beside its pages: bookmarks, annotations (ISO 32000-1, 12.5), form values (12.7), forms in XML (12.7.8).
//!
//! Main function: [`read`]. Annotations are walked here, because strings must be decoded as the standard says (7.9.2.2).

use std::collections::{HashMap, HashSet};

use embley_model::defect::DefectCode;
use pdf_oxide::PdfDocument;
use pdf_oxide::extractors::forms::{FieldValue, FormExtractor};
use pdf_oxide::object::Object;

use super::super::draft::Draft;
use super::super::guard::guarded;
use super::super::known::Known;
use super::super::xml::{self, Node};
use super::READER;
use super::string::text_string;
use crate::html::to_text;

/// Lines that are kept of all annotations.
const MAX_LINES: usize = 100_000;
/// Entries that one array of a page may have.
const MAX_ENTRIES: usize = 100_000;

pub(super) type Dictionary = HashMap<String, Object>;

/// Appends what is not on the pages already.
pub(super) fn read(document: &PdfDocument, pages: usize, text: &str, draft: &mut Draft<'_>) {
    let mut lines = Vec::new();
    if let Some(Ok(Some(outline))) = guarded(draft, READER, || document.get_outline()) {
        let mut waiting: Vec<_> = outline.iter().rev().collect();
        while let Some(item) = waiting.pop() {
            lines.push(item.title.clone());
            waiting.extend(item.children.iter().rev());
        }
    }
    for page in 0..pages {
        let found = guarded(draft, READER, || {
            let mut lines = Vec::new();
            for annotation in annotations(document, page) {
                annotation_lines(document, &annotation, &mut lines);
            }
            lines
        });
        lines.extend(found.unwrap_or_default());
        if lines.len() > MAX_LINES {
            draft.defect(
                DefectCode::DocLimit,
                format!("annotations behind page {} were left out", page + 1),
            );
            draft.partly();
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
    lines.extend(xml_form(document, draft));
    let known = Known::of(text);
    let mut seen = HashSet::new();
    for line in lines {
        if !known.holds(&line) && seen.insert(line.clone()) {
            draft.lines(&line);
        }
    }
}

/// The annotations of a page, given in the page or referred to.
pub(super) fn annotations(document: &PdfDocument, page: usize) -> Vec<Dictionary> {
    let list = document.get_page(page).ok().and_then(|page| {
        let list = entry(document, page.as_dict()?, "Annots")?;
        list.as_array().cloned()
    });
    let list = list.unwrap_or_default().into_iter().take(MAX_ENTRIES);
    list.filter_map(|one| document.resolve_object(&one).ok()?.as_dict().cloned())
        .collect()
}

/// A value of a dictionary, itself and not a reference.
pub(super) fn entry(document: &PdfDocument, dictionary: &Dictionary, key: &str) -> Option<Object> {
    document.resolve_object(dictionary.get(key)?).ok()
}

/// Subject, author, contents, the contents as rich text, the address that a link leads to.
fn annotation_lines(document: &PdfDocument, annotation: &Dictionary, lines: &mut Vec<String>) {
    let is_field = matches!(entry(document, annotation, "Subtype"), Some(Object::Name(name)) if name == "Widget");
    for key in ["Subj", "T", "Contents"] {
        // The name of a field, which the forms give with its value.
        if is_field && key == "T" {
            continue;
        }
        if let Some(Object::String(bytes)) = entry(document, annotation, key) {
            lines.push(text_string(&bytes));
        }
    }
    let rich = match entry(document, annotation, "RC") {
        Some(Object::String(bytes)) => Some(text_string(&bytes)),
        Some(stream @ Object::Stream { .. }) => stream.decode_stream_data().ok().map(|bytes| text_string(&bytes)),
        _ => None,
    };
    if let Some(rich) = rich {
        lines.extend(to_text(&rich).lines().map(str::to_owned));
    }
    if let Some(action) = entry(document, annotation, "A")
        && let Some(Object::String(target)) = action.as_dict().and_then(|action| entry(document, action, "URI"))
    {
        lines.push(text_string(&target));
    }
}

/// The words and values of a form in XML: its packets put together, without scripts and settings.
fn xml_form(document: &PdfDocument, draft: &mut Draft<'_>) -> Vec<String> {
    let bytes = guarded(draft, READER, || packets(document)).flatten();
    let Some(bytes) = bytes else { return Vec::new() };
    if document.is_encrypted() {
        draft.partly();
        draft.defect(
            DefectCode::DocStructure,
            "the form in XML of an encrypted file is not read",
        );
        return Vec::new();
    }
    let room = draft.room();
    let (lines, outcome) = form_lines(&xml::decode(&bytes), room);
    if let Err(why) = outcome {
        draft.partly();
        draft.defect(DefectCode::DocStructure, format!("form in XML: {why}"));
    }
    lines
}

/// The stream, or the streams between names, that `XFA` of the form holds; `None` when there is no such form.
fn packets(document: &PdfDocument) -> Option<Vec<u8>> {
    let catalog = document.catalog().ok()?;
    let form = entry(document, catalog.as_dict()?, "AcroForm")?;
    let found = entry(document, form.as_dict()?, "XFA")?;
    let mut bytes = Vec::new();
    let streams = match &found {
        Object::Array(list) => list.iter().take(MAX_ENTRIES).collect(),
        one => vec![one],
    };
    for stream in streams {
        let stream = document.resolve_object(stream).ok()?;
        if matches!(stream, Object::Stream { .. }) {
            bytes.extend(stream.decode_stream_data().unwrap_or_default());
        }
    }
    Some(bytes)
}

fn form_lines(text: &str, room: usize) -> (Vec<String>, Result<(), String>) {
    /// Parts of a form that nobody reads.
    const PASSED: [&str; 6] = [
        "script",
        "config",
        "localeSet",
        "connectionSet",
        "stylesheet",
        "xmpmeta",
    ];
    /// Elements that divide no words.
    const INLINE: [&str; 5] = ["span", "b", "i", "u", "font"];
    let mut lines = Vec::new();
    let mut line = String::new();
    let (mut passed, mut length) = (0usize, 0usize);
    let outcome = xml::walk(text, &mut |node| match node {
        Node::Start(element) => {
            if PASSED.contains(&element.name()) {
                passed += 1;
            }
        }
        Node::Text(text) => {
            if passed == 0 && length < room {
                length += text.len();
                line.push_str(text);
            }
        }
        Node::End(name) => {
            if PASSED.contains(&name) {
                passed = passed.saturating_sub(1);
            }
            if !INLINE.contains(&name) && !line.trim().is_empty() {
                lines.push(format!("{name}: {}", std::mem::take(&mut line).trim()));
            }
        }
    });
    if !line.trim().is_empty() {
        lines.push(line);
    }
    (lines, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_in_xml_gives_values_and_words_but_no_scripts() {
        let (lines, outcome) = form_lines(
            "<xdp><template><script>secret()</script><p>He<span>llo</span></p></template><data><name>Ann</name></data></xdp>",
            1000,
        );
        assert_eq!(lines, ["p: Hello", "name: Ann"]);
        assert!(outcome.is_ok());
    }
}
