//! OpenDocument (OASIS ODF 1.3) packages and flat files: texts, sheets, presentations, drawings.
//!
//! Main functions: [`read`], [`flat`]. Comments, notes, tracked changes with their deleted text, headers and footers of master pages, hidden sheets and
//! text of embedded objects are all paragraphs of its XML and are kept.

use embley_model::defect::DefectCode;

use super::draft::Draft;
use super::epub::dublin_core;
use super::ole;
use super::open::{Input, salvage};
use super::package::Package;
use super::xml::{self, Element, Node};
use crate::opened::MetaField;

/// Paragraphs inside paragraphs (notes, boxes) deeper than this run together.
const MAX_NESTED: usize = 256;
/// Blanks that one element may stand for.
const MAX_BLANKS: usize = 64;

/// Reads a package.
pub(super) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    draft.reader("opendocument/1");
    let Some(mut package) = Package::open(input.bytes, draft) else {
        draft.failed("not a package, and no part of one was found");
        salvage(input.bytes, "package without a readable part", draft);
        return;
    };
    if is_encrypted(&mut package, draft) {
        draft.passwords_tried = 0;
        draft.encrypted("OpenDocument package; its encryption is not opened here");
        return;
    }
    if let Some(at) = package.find("meta.xml") {
        let bytes = package.read(at, draft);
        fields(&xml::decode(&bytes), draft);
    }
    let mut order: Vec<(u8, usize)> = Vec::new();
    for (at, part) in package.parts.iter().enumerate() {
        match part.name.as_str() {
            "content.xml" => order.push((0, at)),
            "styles.xml" => order.push((1, at)),
            name if name.ends_with("/content.xml") => order.push((2, at)),
            name if name.ends_with("/styles.xml") && !name.starts_with("Configurations2") => order.push((3, at)),
            _ => {}
        }
    }
    order.sort();
    if !order.iter().any(|(rank, _)| *rank == 0) {
        draft.failed("its content is missing");
    }
    for (rank, at) in order {
        let bytes = package.read(at, draft);
        let name = package.parts[at].name.clone();
        let text = xml::decode(&bytes);
        let mut walker = Walker::new(rank == 1 || rank == 3);
        let outcome = xml::walk(&text, &mut |node| walker.node(node));
        if let Err(why) = outcome {
            draft.partly();
            draft.defect(DefectCode::DocStructure, format!("{name}: {why}"));
        }
        for paragraph in walker.finish() {
            draft.lines(&paragraph);
        }
    }
    members(&mut package, draft);
}

/// Reads a flat file, already as characters.
pub(super) fn flat(text: &str, draft: &mut Draft<'_>) {
    draft.reader("opendocument/1");
    fields(text, draft);
    let mut walker = Walker::new(false);
    if let Err(why) = xml::walk(text, &mut |node| walker.node(node)) {
        draft.partly();
        draft.defect(DefectCode::DocStructure, why);
    }
    for paragraph in walker.finish() {
        draft.lines(&paragraph);
    }
}

/// The manifest says of each entry how it is encrypted (ODF 1.3 part 2, 4.8).
fn is_encrypted(package: &mut Package<'_>, draft: &mut Draft<'_>) -> bool {
    let Some(at) = package.find("META-INF/manifest.xml") else {
        return false;
    };
    let bytes = package.read(at, draft);
    let mut found = false;
    let outcome = xml::walk(&xml::decode(&bytes), &mut |node| {
        if let Node::Start(element) = node {
            found |= element.name() == "encryption-data";
        }
    });
    if let Err(why) = outcome {
        draft.defect(DefectCode::DocStructure, format!("manifest: {why}"));
    }
    found
}

/// Fields of `office:meta` (ODF 1.3 part 3, 4.3).
fn fields(text: &str, draft: &mut Draft<'_>) {
    let mut inside = false;
    let mut field: Option<(MetaField, String)> = None;
    let mut found = Vec::new();
    // Where it breaks off is said by the reading of the content, or costs fields only.
    let outcome = xml::walk(text, &mut |node| match node {
        Node::Start(element) => match element.name() {
            "meta" => inside = true,
            "document-statistic" if inside => {
                let pages = ["page-count", "table-count"]
                    .iter()
                    .find_map(|key| element.attribute(key));
                found.extend(pages.map(|pages| (MetaField::Pages, pages)));
            }
            // Properties that the user named (4.3.3).
            "user-defined" if inside => {
                let name = element.attribute("name").unwrap_or_default();
                field = Some((MetaField::Description, format!("{name}: ")));
            }
            name if inside => field = meta_field(name).map(|field| (field, String::new())),
            _ => {}
        },
        Node::Text(text) => {
            if let Some((_, value)) = &mut field {
                value.push_str(text);
            }
        }
        Node::End("meta") => inside = false,
        Node::End(_) => found.extend(field.take()),
    });
    if let Err(why) = outcome {
        draft.defect(DefectCode::DocStructure, format!("fields: {why}"));
    }
    for (field, value) in found {
        // A name without a value.
        if value.ends_with(": ") {
            continue;
        }
        draft.field(field, &value);
    }
}

fn meta_field(name: &str) -> Option<MetaField> {
    Some(match name {
        "initial-creator" => MetaField::Author,
        // Who changed it last, and when (4.3.2.7, 4.3.2.10).
        "creator" => MetaField::LastSavedBy,
        "date" => MetaField::Modified,
        "creation-date" => MetaField::Created,
        "print-date" => MetaField::Printed,
        "keyword" => MetaField::Keywords,
        "generator" => MetaField::Program,
        "publisher" => return None,
        other => return dublin_core(other),
    })
}

/// Pictures and objects: all entries that are not XML of the document itself.
fn members(package: &mut Package<'_>, draft: &mut Draft<'_>) {
    for at in 0..package.parts.len() {
        let name = package.parts[at].name.clone();
        let lower = name.to_ascii_lowercase();
        let own = lower == "mimetype"
            || lower.starts_with("meta-inf/")
            || lower.starts_with("configurations2/")
            || lower.starts_with("thumbnails/")
            || lower == "layout-cache"
            || [".xml", ".rdf"].iter().any(|end| lower.ends_with(end));
        if own {
            continue;
        }
        let is_object = lower.rsplit('/').next().is_some_and(|file| file.starts_with("object "));
        let go_on = if is_object && package.parts[at].stated_bytes < 256 << 20 {
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

struct Walker {
    /// Only what stands in headers, footers and other master content counts.
    styles: bool,
    in_master: usize,
    open: Vec<String>,
    /// Depth of elements whose text counts.
    bearing: usize,
    out: Vec<String>,
}

impl Walker {
    fn new(styles: bool) -> Self {
        Self {
            styles,
            in_master: 0,
            open: Vec::new(),
            bearing: 0,
            out: Vec::new(),
        }
    }

    fn node(&mut self, node: Node<'_>) {
        match node {
            Node::Start(element) => self.start(&element),
            Node::End(name) => self.end(name),
            Node::Text(text) => {
                if self.bearing > 0 && self.counts() {
                    self.push(text);
                }
            }
        }
    }

    fn counts(&self) -> bool {
        !self.styles || self.in_master > 0
    }

    fn start(&mut self, element: &Element<'_>) {
        let name = element.name();
        match name {
            "master-page" | "header" | "footer" | "header-left" | "footer-left" | "header-first" | "footer-first" => {
                self.in_master += 1;
            }
            "s" if self.bearing > 0 => {
                let count = element.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                self.push(&" ".repeat(count.min(MAX_BLANKS)));
            }
            "tab" => self.push("\t"),
            "line-break" => self.push("\n"),
            "a" => self.links(element),
            "table" => {
                if let Some(name) = element.attribute("name") {
                    self.emit(name);
                }
            }
            "textarea" | "text" | "formatted-text" | "listbox" | "combobox" | "button" | "checkbox" | "radio" => {
                for key in ["label", "value", "current-value", "title"] {
                    if let Some(value) = element.attribute(key) {
                        self.emit(value);
                    }
                }
            }
            "user-field-decl" | "variable-set" | "user-defined" => {
                if let Some(value) = element.attribute("string-value") {
                    self.emit(value);
                }
            }
            // Text that a condition hides (ODF 1.3 part 3, 7.7.3, 7.7.4).
            "hidden-text" | "conditional-text" => {
                for key in ["string-value", "string-value-if-true", "string-value-if-false"] {
                    if let Some(value) = element.attribute(key) {
                        self.emit(value);
                    }
                }
            }
            "content-validation" | "help-message" | "error-message" => {
                if let Some(value) = element.attribute("title") {
                    self.emit(value);
                }
            }
            _ => {}
        }
        if bears_text(name) {
            self.bearing += 1;
            if self.open.len() < MAX_NESTED {
                self.open.push(String::new());
            } else {
                self.push("\n");
            }
        }
    }

    fn links(&mut self, element: &Element<'_>) {
        if let Some(target) = element.attribute("href")
            && !target.starts_with('#')
        {
            self.emit(target);
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "master-page" | "header" | "footer" | "header-left" | "footer-left" | "header-first" | "footer-first" => {
                self.in_master = self.in_master.saturating_sub(1);
            }
            _ => {}
        }
        if bears_text(name) && self.bearing > 0 {
            self.bearing -= 1;
            if self.bearing < self.open.len()
                && let Some(done) = self.open.pop()
            {
                self.emit(done);
            }
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(last) = self.open.last_mut() {
            last.push_str(text);
        }
    }

    fn emit(&mut self, text: String) {
        if self.counts() && !text.trim().is_empty() {
            self.out.push(text);
        }
    }

    fn finish(mut self) -> Vec<String> {
        while let Some(open) = self.open.pop() {
            self.emit(open);
        }
        self.out
    }
}

/// Paragraphs, headings, descriptions, names of authors of comments and changes.
fn bears_text(name: &str) -> bool {
    matches!(
        name,
        "p" | "h" | "title" | "desc" | "creator" | "creator-initials" | "date" | "annotation-text"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, expected: &[&str]) {
        let mut walker = Walker::new(false);
        xml::walk(xml, &mut |node| walker.node(node)).expect("well-formed");
        assert_eq!(walker.finish(), expected);
    }

    #[test]
    fn notes_comments_and_changes_are_paragraphs() {
        check(
            "<text:tracked-changes><text:deletion><office:change-info><dc:creator>Ann</dc:creator></office:change-info>\
             <text:p>gone</text:p></text:deletion></text:tracked-changes>\
             <text:p>one<text:s text:c='2'/>two<office:annotation><dc:creator>Bob</dc:creator><text:p>remark</text:p></office:annotation>\
             <text:span> three</text:span></text:p>",
            &["Ann", "gone", "Bob", "remark", "one  two three"],
        );
    }

    #[test]
    fn text_that_a_condition_hides_is_kept() {
        check(
            "<text:p>a<text:hidden-text text:condition='x' text:string-value='unseen' text:is-hidden='true'/></text:p>",
            &["unseen", "a"],
        );
    }

    #[test]
    fn depth_is_survived() {
        let deep = "<text:p>".repeat(100_000) + "x";
        let mut walker = Walker::new(false);
        xml::walk(&deep, &mut |node| walker.node(node)).expect("well-formed");
        assert!(walker.finish().concat().contains('x'));
    }
}
