//! Files that a PDF holds (ISO 32000-1, 7.11.4): those of the document, then those of annotations (12.5.6.15).
//!
//! Main function: [`read`]. Files of the document come first, in the order of their names, so that their paths do not depend on annotations.

use embley_model::defect::DefectCode;
use pdf_oxide::PdfDocument;
use pdf_oxide::object::Object;

use super::super::draft::Draft;
use super::super::guard::guarded;
use super::READER;
use super::extras::{annotations, entry};
use super::string::text_string;

/// Hands out every file.
pub(super) fn read(document: &PdfDocument, pages: usize, draft: &mut Draft<'_>) {
    let mut files = match guarded(draft, READER, || document.extract_embedded_files()) {
        Some(Ok(files)) => files,
        Some(Err(error)) => {
            draft.defect(DefectCode::DocStructure, format!("attachments: {error}"));
            Vec::new()
        }
        None => Vec::new(),
    };
    for page in 0..pages {
        let found = guarded(draft, READER, || of_annotations(document, page)).unwrap_or_default();
        for file in found {
            match file {
                Ok(file) if files.contains(&file) => {}
                Ok(file) => files.push(file),
                Err(name) => {
                    draft.partly();
                    let detail = format!("page {}: the attached file {name:?} cannot be read", page + 1);
                    draft.defect(DefectCode::DocStructure, detail);
                }
            }
        }
    }
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

/// Name and content of each file that an annotation of the page holds, or the name of one that cannot be read.
fn of_annotations(document: &PdfDocument, page: usize) -> Vec<Result<(String, Vec<u8>), String>> {
    let mut found = Vec::new();
    for annotation in annotations(document, page) {
        let Some(file) = entry(document, &annotation, "FS") else {
            continue;
        };
        let Some(file) = file.as_dict() else { continue };
        let name = ["UF", "F"].iter().find_map(|key| match entry(document, file, key) {
            Some(Object::String(bytes)) => Some(text_string(&bytes)),
            _ => None,
        });
        let name = name.unwrap_or_default();
        // Without content it is the name of a file that lies elsewhere.
        let Some(content) = entry(document, file, "EF") else {
            continue;
        };
        let stream = content
            .as_dict()
            .and_then(|content| ["F", "UF"].iter().find_map(|key| entry(document, content, key)));
        // The package decrypts only what it takes out itself.
        let bytes = match stream {
            Some(stream) if !document.is_encrypted() => stream.decode_stream_data().ok(),
            _ => None,
        };
        found.push(bytes.map(|bytes| (name.clone(), bytes)).ok_or(name));
    }
    found
}

/// The package takes names in UTF-16 for UTF-8; marks and zeros betray it.
fn clean_name(name: &str) -> String {
    if name.contains('\0') {
        return name.chars().filter(|c| *c != '\0' && *c != '\u{fffd}').collect();
    }
    name.to_owned()
}
