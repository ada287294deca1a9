//! Office Open XML packages (ECMA-376), and their kin in the same packaging: VSDX, XPS.
//!
//! Main function: [`read`]. The text of the package `office_oxide` comes first; then every part is walked by us, and each paragraph that is not in
//! that text is appended: comments, notes, text boxes, deleted text, shared strings that no cell shows any more, cached values of pivots and
//! charts, descriptions of pictures, targets of links. So neither a failure nor an omission of the package loses text.

mod binary;
mod parts;

use embley_model::defect::DefectCode;
use office_oxide::DocumentFormat as Kind;

use self::parts::{Role, paragraphs, role};
use super::draft::Draft;
use super::epub::dublin_core;
use super::guard::guarded;
use super::known::Known;
use super::office;
use super::ole;
use super::open::{Input, salvage};
use super::package::Package;
use super::xml::{self, Node};
use crate::opened::MetaField;

/// Reads the document.
pub(super) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let Some(mut package) = Package::open(input.bytes, draft) else {
        draft.failed("not a package, and no part of one was found");
        salvage(input.bytes, "package without a readable part", draft);
        return;
    };
    let kind = kind_of(&package);
    properties(&mut package, draft);
    let mut main = None;
    if let Some(kind) = kind {
        main = office::text_of(kind, input.bytes, draft);
        if main.is_some() {
            draft.reader(office::READER);
        }
    }
    let is_binary_book = package.find("xl/workbook.bin").is_some();
    if main.is_none() && is_binary_book {
        main = binary_book(input.bytes, draft);
    }
    let text = main.as_deref().unwrap_or_default();
    draft.lines(text);
    let known = Known::of(text);
    draft.reader("ooxml/1");
    let mut appended = own_reading(&mut package, main.is_none(), &known, draft);
    if main.is_none() && is_binary_book {
        for at in 0..package.parts.len() {
            if package.parts[at].name.ends_with(".bin") && package.parts[at].name.starts_with("xl/") {
                let bytes = package.read(at, draft);
                salvage(&bytes, "binary workbook", draft);
                appended = true;
            }
        }
    } else if is_binary_book {
        for at in 0..package.parts.len() {
            if binary::is_read(&package.parts[at].name) {
                let bytes = package.read(at, draft);
                for text in binary::texts(&bytes).into_iter().filter(|text| !known.holds(text)) {
                    draft.lines(&text);
                }
            }
        }
    }
    if main.is_none() && !appended && kind.is_some() {
        draft.failed("no part with text could be read");
    }
    members(&mut package, draft);
    check_length(input.bytes.len(), &package, draft);
}

/// The paragraphs of a Word document that is one XML file, words joined from their runs.
pub(super) fn flat_paragraphs(text: &str) -> Vec<String> {
    let mut authors = Vec::new();
    paragraphs("word/document.xml", text, true, &mut authors).paragraphs
}

fn kind_of(package: &Package<'_>) -> Option<Kind> {
    let has = |folder: &str| package.parts.iter().any(|part| part.name.starts_with(folder));
    if has("word/") {
        Some(Kind::Docx)
    } else if has("xl/") {
        Some(Kind::Xlsx)
    } else if has("ppt/") {
        Some(Kind::Pptx)
    } else {
        None
    }
}

/// XLSB by the second package.
fn binary_book(bytes: &[u8], draft: &mut Draft<'_>) -> Option<String> {
    use calamine::{Reader, Xlsb};
    let room = draft.room();
    let text = guarded(draft, "calamine/0.38.0", || {
        let mut book: Xlsb<_> = Xlsb::new(std::io::Cursor::new(bytes)).map_err(|error| error.to_string())?;
        let mut text = String::new();
        for name in book.sheet_names() {
            text.push_str(&name);
            text.push('\n');
            let mut cells = book.worksheet_cells_reader(&name).map_err(|error| error.to_string())?;
            let mut row = 0;
            while let Ok(Some(cell)) = cells.next_cell() {
                text.push(if cell.get_position().0 == row { '\t' } else { '\n' });
                row = cell.get_position().0;
                text.push_str(&calamine::Data::from(cell.get_value().clone()).to_string());
                if text.len() > room {
                    return Ok(text);
                }
            }
            text.push('\n');
        }
        Ok::<_, String>(text)
    })?;
    match text {
        Ok(text) => {
            draft.reader("calamine/0.38.0");
            draft.defect(DefectCode::DocSecondEngine, "calamine");
            Some(text)
        }
        Err(why) => {
            draft.defect(DefectCode::DocStructure, format!("calamine: {why}"));
            None
        }
    }
}

/// Walks every part with text; appends what is new. True when anything was appended.
fn own_reading(package: &mut Package<'_>, alone: bool, known: &Known, draft: &mut Draft<'_>) -> bool {
    let mut appended = false;
    let mut authors: Vec<String> = Vec::new();
    let mut order: Vec<(u8, usize)> = (0..package.parts.len())
        .filter_map(|at| match role(&package.parts[at].name) {
            Role::Main => Some((0, at)),
            Role::Text => Some((1, at)),
            Role::Links => Some((2, at)),
            Role::Member | Role::Furniture => None,
        })
        .collect();
    order.sort();
    for (_, at) in order {
        if draft.room() == 0 {
            break;
        }
        let name = package.parts[at].name.clone();
        let bytes = package.read(at, draft);
        let found = paragraphs(&name, &xml::decode(&bytes), alone, &mut authors);
        if let Some(why) = found.broken {
            draft.partly();
            draft.defect(DefectCode::DocStructure, format!("{name}: {why}"));
        }
        for paragraph in found.paragraphs {
            if alone || !known.holds(&paragraph) {
                draft.lines(&paragraph);
                appended = true;
            }
        }
    }
    let authors: Vec<_> = authors.into_iter().filter(|author| !known.holds(author)).collect();
    if !authors.is_empty() {
        draft.lines(&format!("Authors of comments and changes: {}", authors.join("; ")));
    }
    appended
}

/// Fields of `docProps/core.xml` (ECMA-376 part 2, clause 8) and `docProps/app.xml` (part 1, 22.2).
fn properties(package: &mut Package<'_>, draft: &mut Draft<'_>) {
    for name in ["docProps/core.xml", "docProps/app.xml"] {
        let Some(at) = package.find(name) else { continue };
        let bytes = package.read(at, draft);
        let mut field: Option<(MetaField, String)> = None;
        let mut fields = Vec::new();
        let outcome = xml::walk(&xml::decode(&bytes), &mut |node| match node {
            Node::Start(element) => field = property(element.name()).map(|field| (field, String::new())),
            Node::Text(text) => {
                if let Some((_, value)) = &mut field {
                    value.push_str(text);
                }
            }
            Node::End(_) => fields.extend(field.take()),
        });
        if let Err(why) = outcome {
            draft.defect(DefectCode::DocStructure, format!("{name}: {why}"));
        }
        for (field, value) in fields {
            draft.field(field, &value);
        }
    }
}

fn property(name: &str) -> Option<MetaField> {
    Some(match name {
        "lastModifiedBy" => MetaField::LastSavedBy,
        "created" => MetaField::Created,
        "modified" => MetaField::Modified,
        "lastPrinted" => MetaField::Printed,
        "keywords" | "category" | "contentStatus" => MetaField::Keywords,
        "Company" | "Manager" => MetaField::Company,
        "Application" => MetaField::Program,
        "Pages" | "Slides" => MetaField::Pages,
        "publisher" | "date" => return None,
        other => return dublin_core(other),
    })
}

/// Embedded objects, media, macros: every part that is neither read as text nor furniture.
fn members(package: &mut Package<'_>, draft: &mut Draft<'_>) {
    for at in 0..package.parts.len() {
        let name = package.parts[at].name.clone();
        if role(&name) != Role::Member {
            continue;
        }
        let lower = name.to_ascii_lowercase();
        let may_wrap = lower.contains("embeddings/") && (lower.ends_with(".bin") || lower.ends_with(".ole"));
        let go_on = if may_wrap && package.parts[at].stated_bytes < 256 << 20 {
            let bytes = package.read(at, draft);
            ole::member(&name, &bytes, draft)
        } else {
            package.member(at, &name, draft)
        };
        if !go_on {
            return;
        }
    }
}

/// A large package with hardly any text and without media that explain its size is said to be suspicious.
fn check_length(bytes: usize, package: &Package<'_>, draft: &mut Draft<'_>) {
    let text_bytes: u64 = package
        .parts
        .iter()
        .filter(|part| matches!(role(&part.name), Role::Main))
        .map(|part| part.stated_bytes)
        .sum();
    let letters = draft.text().chars().filter(|c| c.is_alphanumeric()).take(100).count();
    if bytes > 10 << 10 && text_bytes > 64 << 10 && letters < 20 {
        draft.defect(
            DefectCode::DocTextShort,
            format!("{letters} letters from {text_bytes} bytes of main parts"),
        );
    }
}
