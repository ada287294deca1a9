//! Which parts of a package hold text, and the paragraphs of one part.

use embley_mapi::tracked::{Mark, Tracked};

use super::super::xml::{self, Element, Node};

/// What a part is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Body, sheets, slides.
    Main,
    /// Anything else with text.
    Text,
    /// Relationships: targets of links.
    Links,
    /// Handed out as it is.
    Member,
    /// Styles, themes, printer settings, fonts: nothing that someone wrote.
    Furniture,
}

/// The role of a part by its name.
pub(super) fn role(name: &str) -> Role {
    let lower = name.to_ascii_lowercase();
    let file = lower.rsplit('/').next().unwrap_or(&lower);
    let is_xml = [".xml", ".vml", ".fpage", ".fdoc"]
        .iter()
        .any(|end| file.ends_with(end));
    if file.ends_with(".rels") {
        return Role::Links;
    }
    if lower == "[content_types].xml" || lower == "docprops/core.xml" || lower == "docprops/app.xml" {
        return Role::Furniture;
    }
    if !is_xml {
        let furniture = [".odttf", ".fntdata", ".ttf", ".psmdcp", ".sigs", ".dict", ".fdseq"]
            .iter()
            .any(|end| file.ends_with(end))
            || lower.contains("printersettings")
            || lower.contains("_xmlsignatures");
        let sheet_of_binary_book = lower.starts_with("xl/")
            && file.ends_with(".bin")
            && !lower.contains("embeddings/")
            && file != "vbaproject.bin";
        return if furniture || sheet_of_binary_book {
            Role::Furniture
        } else {
            Role::Member
        };
    }
    if lower.contains("embeddings/") || lower.contains("/media/") || lower.contains("afchunk") {
        return Role::Member;
    }
    const FURNITURE: [&str; 14] = [
        "styles.xml",
        "stylesWithEffects.xml",
        "settings.xml",
        "webSettings.xml",
        "fontTable.xml",
        "presProps.xml",
        "viewProps.xml",
        "tableStyles.xml",
        "calcChain.xml",
        "printerSettings.xml",
        "metadata.xml",
        "vbaData.xml",
        "windows.xml",
        "masters.xml",
    ];
    if FURNITURE.iter().any(|known| known.eq_ignore_ascii_case(file))
        || [
            "/theme/",
            "/slidelayouts/",
            "/slidemasters/",
            "/notesmasters/",
            "/handoutmasters/",
            "/tags/",
            "_xmlsignatures",
        ]
        .iter()
        .any(|folder| lower.contains(folder))
        || (lower.starts_with("customxml/") && file.starts_with("itemprops"))
        || (lower.contains("/diagrams/")
            && ["colors", "layout", "quickstyle"]
                .iter()
                .any(|start| file.starts_with(start)))
        || (lower.contains("/charts/") && ["colors", "style"].iter().any(|start| file.starts_with(start)))
    {
        return Role::Furniture;
    }
    let main = matches!(
        lower.as_str(),
        "word/document.xml" | "xl/workbook.xml" | "xl/sharedstrings.xml"
    ) || lower.starts_with("xl/worksheets/sheet")
        || lower.starts_with("ppt/slides/slide")
        || lower.starts_with("visio/pages/")
        || file.ends_with(".fpage");
    if main { Role::Main } else { Role::Text }
}

/// What a part says.
pub(super) struct Found {
    pub(super) paragraphs: Vec<String>,
    /// Where the XML broke off.
    pub(super) broken: Option<String>,
}

/// Buffers of paragraphs inside paragraphs (text boxes) deeper than this run together.
const MAX_NESTED: usize = 256;

/// The paragraphs of the part `name`. `alone` says that nobody else reads the cells: then their numbers are given too. Names of people who
/// commented or changed something are added to `authors`.
pub(super) fn paragraphs(name: &str, text: &str, alone: bool, authors: &mut Vec<String>) -> Found {
    let lower = name.to_ascii_lowercase();
    let mut walker = Walker {
        cells: lower.starts_with("xl/worksheets/"),
        free: lower.starts_with("customxml/") || lower.starts_with("docprops/custom"),
        alone,
        open: vec![Tracked::default()],
        out: Vec::new(),
        bearing: 0,
        shared: false,
        formula: None,
        authors,
        deleted: 0,
        inserted: 0,
        in_run: 0,
        hidden: false,
    };
    let is_links = lower.ends_with(".rels");
    let outcome = xml::walk(text, &mut |node| {
        if is_links {
            if let Node::Start(element) = node
                && element
                    .attribute("TargetMode")
                    .is_some_and(|mode| mode.eq_ignore_ascii_case("External"))
                && let Some(target) = element.attribute("Target")
            {
                walker.out.push(target);
            }
            return;
        }
        match node {
            Node::Start(element) => walker.start(&element),
            Node::End(name) => walker.end(name),
            Node::Text(text) => walker.text(text),
        }
    });
    while walker.open.len() > 1 {
        walker.close();
    }
    walker.flush();
    Found {
        paragraphs: walker.out,
        broken: outcome.err(),
    }
}

struct Walker<'a> {
    /// Cells of a sheet: plain values are left to the package.
    cells: bool,
    /// Any text counts, not only that of text elements.
    free: bool,
    alone: bool,
    open: Vec<Tracked>,
    out: Vec<String>,
    bearing: usize,
    /// The cell refers to a shared string.
    shared: bool,
    formula: Option<String>,
    authors: &'a mut Vec<String>,
    /// Depth of tracked deletions and places moved from; of insertions and places moved to.
    deleted: usize,
    inserted: usize,
    /// Depth of runs, and whether the last one says that it is hidden.
    in_run: usize,
    hidden: bool,
}

impl Walker<'_> {
    fn start(&mut self, element: &Element<'_>) {
        let name = element.name();
        match name {
            "p" | "si" | "comment" | "Text" | "threadedComment" => {
                if self.open.len() < MAX_NESTED {
                    self.open.push(Tracked::default());
                } else {
                    self.push("\n");
                }
            }
            "tab" | "ptab" => self.push("\t"),
            "br" | "cr" | "line" => self.push("\n"),
            "noBreakHyphen" => self.push("-"),
            "sym" => self.push(" "),
            "c" => self.shared = element.attribute("t").is_some_and(|kind| kind == "s"),
            "f" | "formula1" | "formula2" => self.formula = Some(String::new()),
            "del" | "moveFrom" => self.deleted += 1,
            "ins" | "moveTo" => self.inserted += 1,
            "r" => {
                self.in_run += 1;
                self.hidden = false;
            }
            "vanish" if self.in_run > 0 => {
                self.hidden = !matches!(element.attribute("val").as_deref(), Some("0" | "false" | "off"));
            }
            _ => {}
        }
        if bears_text(name) {
            self.bearing += 1;
        }
        self.attributes(name, element);
    }

    fn attributes(&mut self, name: &str, element: &Element<'_>) {
        match name {
            "ins" | "del" | "moveFrom" | "moveTo" | "comment" | "rPrChange" | "pPrChange" | "person" | "cmAuthor"
            | "author" | "cellIns" | "cellDel" => {
                for key in ["author", "displayName", "name", "userId", "initials"] {
                    if let Some(author) = element.attribute(key)
                        && author.len() > 1
                        && self.authors.len() < 1000
                        && !self.authors.contains(&author)
                    {
                        self.authors.push(author);
                    }
                }
            }
            "docPr" | "cNvPr" => self.keep(element, &["descr", "title"]),
            "shape" | "rect" | "imagedata" => self.keep(element, &["alt", "title"]),
            "textpath" => self.keep(element, &["string"]),
            "sheet" | "definedName" | "cacheField" | "table" | "tableColumn" => self.keep(element, &["name"]),
            "hyperlink" | "hlinkClick" | "hlinkHover" => self.keep(element, &["tooltip", "location", "display"]),
            "s" if !self.cells => self.keep(element, &["v"]),
            "connection" => self.keep(element, &["name", "description"]),
            "dbPr" => self.keep(element, &["connection", "command"]),
            "webPr" => self.keep(element, &["url"]),
            "textPr" => self.keep(element, &["sourceFile"]),
            "sheetName" => self.keep(element, &["val"]),
            "dataValidation" => self.keep(element, &["prompt", "promptTitle", "error", "errorTitle"]),
            "listItem" | "alias" | "default" | "listEntry" => self.keep(element, &["displayText", "val"]),
            "Glyphs" => self.keep(element, &["UnicodeString"]),
            "property" => self.keep(element, &["name"]),
            "fldSimple" => self.keep(element, &["instr"]),
            _ => {}
        }
    }

    fn keep(&mut self, element: &Element<'_>, keys: &[&str]) {
        for key in keys {
            if let Some(value) = element.attribute(key)
                && !value.trim().is_empty()
            {
                self.out.push(value.strip_prefix("{}").unwrap_or(&value).to_owned());
            }
        }
    }

    fn end(&mut self, name: &str) {
        if bears_text(name) {
            self.bearing = self.bearing.saturating_sub(1);
        }
        match name {
            "p" | "si" | "comment" | "Text" | "threadedComment" => self.close(),
            "f" | "formula1" | "formula2" => {
                // Text inside a formula can be an address; a formula without any is arithmetic.
                if let Some(formula) = self.formula.take()
                    && (self.alone || formula.contains('"'))
                {
                    self.out.push(formula);
                }
            }
            "c" | "pt" | "row" | "tr" | "definedName" | "author" | "t" if self.open.len() == 1 => self.flush(),
            "instrText" | "delInstrText" => self.push(" "),
            "del" | "moveFrom" => self.deleted = self.deleted.saturating_sub(1),
            "ins" | "moveTo" => self.inserted = self.inserted.saturating_sub(1),
            "r" => {
                self.in_run = self.in_run.saturating_sub(1);
                self.hidden = false;
            }
            _ if self.free || is_head_or_foot(name) => self.flush(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(formula) = &mut self.formula {
            formula.push_str(text);
            return;
        }
        if self.free || (self.bearing > 0 && !(self.cells && self.is_plain_value())) {
            self.push(text);
        }
    }

    /// A value that the package shows, or a number into the shared strings.
    fn is_plain_value(&self) -> bool {
        self.open.len() == 1 && (self.shared || !self.alone)
    }

    fn push(&mut self, text: &str) {
        let mark = Mark {
            deleted: self.deleted > 0,
            inserted: self.inserted > 0,
            hidden: self.hidden,
        };
        if let Some(last) = self.open.last_mut() {
            last.push(text, mark);
        }
    }

    fn close(&mut self) {
        if self.open.len() > 1 {
            let mut done = self.open.pop().unwrap_or_default();
            self.keep_paragraph(&mut done);
        } else {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(last) = self.open.last_mut() {
            let mut done = std::mem::take(last);
            self.keep_paragraph(&mut done);
        }
    }

    /// A paragraph as it stands, and each version that its tracked changes and hidden runs make of it.
    fn keep_paragraph(&mut self, done: &mut Tracked) {
        let (joined, versions) = done.take();
        if !joined.trim().is_empty() {
            self.out.push(joined);
        }
        self.out.extend(versions);
    }
}

/// Elements whose text someone wrote: runs, deleted runs, field codes, cached values, names, heads and feet of sheets, comments.
fn bears_text(name: &str) -> bool {
    matches!(
        name,
        "t" | "delText"
            | "instrText"
            | "delInstrText"
            | "v"
            | "definedName"
            | "author"
            | "text"
            | "Text"
            | "lpwstr"
            | "lpstr"
            | "bstr"
            | "is"
    ) || is_head_or_foot(name)
}

fn is_head_or_foot(name: &str) -> bool {
    matches!(
        name,
        "oddHeader" | "oddFooter" | "evenHeader" | "evenFooter" | "firstHeader" | "firstFooter"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, xml: &str, expected: &[&str]) {
        let mut authors = Vec::new();
        let found = paragraphs(name, xml, false, &mut authors);
        assert_eq!(found.paragraphs, expected, "{xml}");
    }

    #[test]
    fn runs_join_and_boxes_come_first() {
        check(
            "word/document.xml",
            "<w:p><w:r><w:t>He</w:t></w:r><w:del w:author='Ann'><w:r><w:delText>llo</w:delText></w:r></w:del>\
             <w:pict><v:textbox><w:p><w:r><w:t>box</w:t></w:r></w:p></v:textbox></w:pict><w:tab/><w:t>x</w:t></w:p>",
            &["box", "Hello\tx", "He\tx"],
        );
    }

    #[test]
    fn tracked_changes_are_told_as_accepted_and_as_rejected() {
        check(
            "word/document.xml",
            "<w:p><w:r><w:t>on </w:t></w:r><w:del><w:r><w:delText>Monday</w:delText></w:r></w:del><w:ins><w:r><w:t>Tuesday</w:t></w:r></w:ins></w:p>\
             <w:p><w:moveFrom><w:r><w:t>from</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>to</w:t></w:r></w:moveTo></w:p>\
             <w:p><w:pPr><w:rPr><w:del/><w:vanish/></w:rPr></w:pPr><w:r><w:rPr><w:vanish/></w:rPr><w:t>hid</w:t></w:r><w:r><w:t>den</w:t></w:r></w:p>",
            &[
                "on MondayTuesday",
                "on Tuesday",
                "on Monday",
                "fromto",
                "to",
                "from",
                "hidden",
                "den",
                "hid",
            ],
        );
    }

    #[test]
    fn numbers_of_shared_strings_are_no_text() {
        check(
            "xl/worksheets/sheet1.xml",
            "<c t='s'><v>12</v></c><c><v>3.5</v></c><c t='inlineStr'><is><t>in</t></is></c><c><f>HYPERLINK(\"http://x\")</f></c>",
            &["HYPERLINK(\"http://x\")"],
        );
        check(
            "xl/sharedStrings.xml",
            "<sst><si><t>a</t></si><si><r><t>b</t></r><r><t>c</t></r></si></sst>",
            &["a", "bc"],
        );
    }

    #[test]
    fn lists_of_choices_connections_and_names_of_other_books_sheets_are_kept() {
        check(
            "xl/worksheets/sheet1.xml",
            "<dataValidation prompt='pick'><formula1>\"north,south\"</formula1></dataValidation>",
            &["pick", "\"north,south\""],
        );
        check(
            "xl/connections.xml",
            "<connection name='ledger'><dbPr connection='DSN=x' command='SELECT 1'/></connection>",
            &["ledger", "DSN=x", "SELECT 1"],
        );
        check(
            "xl/externalLinks/externalLink1.xml",
            "<sheetName val='Other'/>",
            &["Other"],
        );
    }

    #[test]
    fn descriptions_links_and_names_are_kept() {
        check(
            "word/document.xml",
            "<wp:docPr id='1' descr='a red car'/>",
            &["a red car"],
        );
        check(
            "word/_rels/document.xml.rels",
            "<Relationship Target='http://x/' TargetMode='External'/><Relationship Target='styles.xml'/>",
            &["http://x/"],
        );
    }

    #[test]
    fn roles_by_name() {
        assert_eq!(role("word/document.xml"), Role::Main);
        assert_eq!(role("word/comments.xml"), Role::Text);
        assert_eq!(role("word/media/image1.png"), Role::Member);
        assert_eq!(role("xl/embeddings/oleObject1.bin"), Role::Member);
        assert_eq!(role("xl/printerSettings/printerSettings1.bin"), Role::Furniture);
        assert_eq!(role("ppt/slideLayouts/slideLayout1.xml"), Role::Furniture);
        assert_eq!(role("word/vbaProject.bin"), Role::Member);
    }
}
