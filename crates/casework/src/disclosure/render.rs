//! A schedule as CSV, as a page to print, as PDF, and in a folder with manifest and signature.

use std::path::Path;

use embley_search::{Asked, Searcher};
use embley_store::Case;
use embley_store::outgoing::{Outgoing, Sealed};
use embley_store::signing::PrivateKey;
use serde_json::json;

use super::Schedule;
use crate::error::{CaseworkError, Result};
use crate::export::page::{escaped, facts, head, page, row};
use crate::export::paper::Paper;
use crate::export::{begin_of, csv_line, seal};

/// What has to be filled in by hand.
const TO_SIGN: [&str; 3] = ["Name", "Signature", "Date"];

/// A form of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// Cells, guarded as in exports.
    Csv,
    /// A page.
    Html,
    /// PDF.
    Pdf,
    /// Everything, as it is kept.
    Json,
}

impl As {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Html, Self::Pdf, Self::Json];

    /// Its ending.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Json => "json",
        }
    }
}

impl Schedule {
    /// What stands at its head.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let state = if self.issued { "issued" } else { "DRAFT, not issued" };
        vec![
            (
                "schedule",
                format!("{} no. {} ({state})", self.form.to_uppercase(), self.serial),
            ),
            ("case", self.case.clone()),
            ("reference", self.reference.clone()),
            ("disclosure officer", self.officer.clone()),
            ("made by", format!("{}, {}", self.made_by, self.made_at)),
            ("with", self.tool.clone()),
        ]
    }

    /// As CSV: the entries only.
    pub fn csv(&self) -> String {
        let mut text = csv_line(self.columns.iter().cloned());
        for cells in &self.rows {
            text.push_str(&csv_line(cells.iter().cloned()));
        }
        text
    }

    /// As a page.
    pub fn html(&self) -> String {
        let banner = self
            .banner
            .as_deref()
            .map(|words| format!("<p class=\"warn\">{}</p>\n", escaped(words)));
        let banner = banner.unwrap_or_default();
        let mut content = format!("{banner}<h1>{}</h1>\n", escaped(&self.title));
        let lines = self.lines();
        content.push_str(&facts(lines.iter().map(|(word, value)| (*word, value.as_str()))));
        for statement in &self.statements {
            content.push_str(&format!("<p><bdi>{}</bdi></p>\n", escaped(statement)));
        }
        if !self.rows.is_empty() {
            content.push_str("<table>\n");
            content.push_str(&head(self.columns.iter().map(String::as_str)));
            content.push_str("<tbody>\n");
            for cells in &self.rows {
                content.push_str(&row(cells.iter().map(String::as_str)));
            }
            content.push_str("</tbody>\n</table>\n");
        }
        content.push_str("<table class=\"sign\">\n");
        for word in TO_SIGN {
            content.push_str(&format!("<tr><th scope=\"row\">{word}</th><td></td></tr>\n"));
        }
        content.push_str("</table>\n");
        content.push_str(&banner);
        page(&self.title, &content)
    }

    /// As PDF.
    ///
    /// # Errors
    /// The library refuses.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let mut paper = Paper::begin(&self.title, &self.made_at, true, self.banner.as_deref())?;
        let lines = self.lines();
        paper.facts(lines.iter().map(|(word, value)| (*word, value.as_str())));
        for statement in &self.statements {
            paper.paragraph(statement);
        }
        if !self.rows.is_empty() {
            let columns: Vec<(&str, f32)> = self.columns.iter().map(|name| (name.as_str(), share(name))).collect();
            paper.table(&columns, self.rows.iter().cloned());
        }
        paper.sign_here(&TO_SIGN);
        paper.finish()
    }

    fn json(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| CaseworkError::ExportFile {
            name: "a schedule".to_owned(),
            source: error.into(),
        })?;
        text.push(b'\n');
        Ok(text)
    }
}

/// How much of the width a column takes.
fn share(name: &str) -> f32 {
    match name {
        "no." | "items" => 0.7,
        "schedule" | "exhibit" => 1.2,
        "description" => 5.0,
        "reason for sensitivity" | "why" => 3.0,
        "where held" => 2.6,
        _ => 1.7,
    }
}

/// Who makes the folder of a schedule, from what.
pub struct Maker<'a> {
    /// The case.
    pub case: &'a Case,
    /// What the actor may see of it.
    pub searcher: &'a Searcher,
    /// Who, and when.
    pub asked: Asked<'a>,
    /// Who signs.
    pub key: &'a PrivateKey,
}

/// Writes a schedule in these forms to a folder of its own. True when an unfinished one was found there, and removed.
///
/// # Errors
/// The place is taken, or cannot be written. Nothing has the folder's name then.
pub fn write(schedule: &Schedule, forms: &[As], folder: &Path, maker: &Maker<'_>) -> Result<(Sealed, bool)> {
    let mut out = Outgoing::begin(folder, Some(maker.case.root()))?;
    let found = out.found_unfinished();
    for form in As::ALL.into_iter().filter(|form| forms.contains(form)) {
        let bytes = match form {
            As::Csv => schedule.csv().into_bytes(),
            As::Html => schedule.html().into_bytes(),
            As::Pdf => schedule.pdf()?,
            As::Json => schedule.json()?,
        };
        out.put(&format!("{}.{}", schedule.form, form.ending()), &bytes)?;
    }
    let mut record = begin_of(maker.case, maker.searcher, &maker.asked, "schedule", &schedule.form);
    record.asked.insert("serial".to_owned(), json!(schedule.serial));
    record.asked.insert("issued".to_owned(), json!(schedule.issued));
    record.counts.items = schedule.rows.len() as u64;
    record.notes.extend(schedule.banner.clone());
    (record.counts.files, record.counts.bytes) = out.so_far();
    let sealed = seal(out, &record, maker.key)?;
    Ok((sealed, found))
}
