//! Labels and continuity statements.

use embley_store::facts::continuity::{Entry, Handling};
use embley_store::facts::details::Detail;

use super::html::Page;
use super::view::Register;

/// Lines for signatures on a label.
const SIGNATURES: usize = 4;

/// When and by whom a page is printed, and of which case.
#[derive(Clone, Copy, Debug)]
pub struct Printed<'a> {
    /// Name of the case.
    pub case_name: &'a str,
    /// The force's own reference; may be empty.
    pub case_reference: &'a str,
    /// Who prints.
    pub actor: &'a str,
    /// When, RFC 3339.
    pub at: &'a str,
}

impl Printed<'_> {
    fn case(&self) -> String {
        if self.case_reference.is_empty() {
            self.case_name.to_owned()
        } else {
            format!("{} ({})", self.case_name, self.case_reference)
        }
    }

    fn foot(&self, page: &mut Page) {
        page.element("<p class=\"small\">Printed ", self.at, " by ");
        page.element("", self.actor, " from the register of the case ");
        page.element("", &self.case(), ".</p>\n");
    }
}

fn facts_of(register: &Register, printed: Printed<'_>, page: &mut Page) {
    let exhibit = &register.exhibit;
    page.pair("Case", &printed.case());
    page.pair("Kind", exhibit.reference.kind());
    page.pair("Description", &exhibit.description);
    page.pair("Produced by", &exhibit.produced_by);
    page.pair("Produced on", &exhibit.produced_on);
    for detail in Detail::ALL {
        if let Some(text) = register.details.get(&detail) {
            page.pair(detail.words(), text);
        }
    }
    page.pair("Items in the case", &exhibit.count.to_string());
    for file in register.files.iter().filter(|file| file.withdrawn.is_none()) {
        page.pair(
            "File",
            &format!("{}\n{} bytes\nSHA-256 {}", file.name, file.size, file.sha256),
        );
    }
}

/// Labels of exhibits, one behind the other, as one page to print.
pub fn label_page(registers: &[Register], printed: Printed<'_>) -> String {
    let references: Vec<String> = registers.iter().map(|one| one.exhibit.reference.to_string()).collect();
    let mut page = Page::new(&format!("Exhibit label {}", references.join(", ")));
    for register in registers {
        page.raw("<section class=\"label\">\n");
        page.element(
            "<div class=\"ref\">",
            &register.exhibit.reference.to_string(),
            "</div>\n<table>\n",
        );
        facts_of(register, printed, &mut page);
        let seal = register.seal();
        page.pair("Seal", if seal.is_empty() { "none on record" } else { &seal });
        page.raw(
            "</table>\n<h2>Signatures</h2>\n<table>\n<tr><th>Name</th><th>Signature</th><th>Date and time</th></tr>\n",
        );
        for _ in 0..SIGNATURES {
            page.raw("<tr class=\"line\"><td></td><td></td><td></td></tr>\n");
        }
        page.raw("</table>\n");
        printed.foot(&mut page);
        page.raw("</section>\n");
    }
    page.finish()
}

/// The continuity of one exhibit, with what does not fit together, as a page to print.
pub fn continuity_page(register: &Register, printed: Printed<'_>) -> String {
    let reference = register.exhibit.reference.to_string();
    let mut page = Page::new(&format!("Continuity of exhibit {reference}"));
    page.element("<h1>Continuity of exhibit ", &reference, "</h1>\n<table>\n");
    facts_of(register, printed, &mut page);
    page.raw("</table>\n<h2>Entries</h2>\n");
    if register.continuity.is_empty() {
        page.raw("<p>No entry is on record.</p>\n");
    } else {
        page.raw(
            "<table>\n<tr><th>No.</th><th>When</th><th>What</th><th>By</th><th>From, to</th><th>Place</th><th>Seal before, after</th>\
             <th>Hash before, after</th><th>Remarks</th><th>Entered</th></tr>\n",
        );
        for entry in &register.continuity {
            entry_row(entry, &mut page);
        }
        page.raw("</table>\n");
        if register.continuity.iter().any(|entry| !entry.counts()) {
            page.raw("<p class=\"small\">Entries that are struck through were corrected by the entry that their remark names.</p>\n");
        }
    }
    page.raw("<h2>What does not fit together</h2>\n");
    if register.gaps.is_empty() {
        page.raw("<p>Nothing was found: every entry begins where the one before it ends.</p>\n");
    } else {
        page.raw("<ul>\n");
        for gap in &register.gaps {
            page.element("<li class=\"gap\">", &gap.sentence, "</li>\n");
        }
        page.raw("</ul>\n");
    }
    printed.foot(&mut page);
    page.finish()
}

fn entry_row(entry: &Entry, page: &mut Page) {
    page.raw(if entry.counts() { "<tr>" } else { "<tr class=\"gone\">" });
    let joined = |one: &str, other: &str| {
        if one.is_empty() && other.is_empty() {
            String::new()
        } else {
            format!("{one} → {other}")
        }
    };
    let when = match &entry.until {
        Some(until) => format!("{} to {}", entry.at.said, until.said),
        None => entry.at.said.clone(),
    };
    let mut remarks = Vec::new();
    if !entry.note.is_empty() {
        remarks.push(entry.note.clone());
    }
    if let Some(corrected) = entry.corrects {
        let word = if entry.handling == Handling::Withdrawn {
            "withdraws"
        } else {
            "corrects"
        };
        remarks.push(format!("{word} entry {corrected}"));
    }
    if let Some(by) = entry.corrected_by {
        remarks.push(format!("corrected by entry {by}"));
    }
    let entered =
        jiff::Timestamp::from_microsecond(entry.recorded_at_micros).map_or_else(|_| String::new(), |at| at.to_string());
    for cell in [
        entry.entry_id.to_string(),
        when,
        entry.handling.word().to_owned(),
        entry.by.clone(),
        joined(&entry.from, &entry.to),
        entry.place.clone(),
        joined(&entry.seal_before, &entry.seal_after),
        joined(&entry.hash_before, &entry.hash_after),
        remarks.join("; "),
        format!("{entered} by {}", entry.recorded_by),
    ] {
        page.element("<td>", &cell, "</td>");
    }
    page.raw("</tr>\n");
}
