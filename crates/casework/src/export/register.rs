//! The list of items as PDF, to be printed.

use embley_store::outgoing::Outgoing;

use super::entry::Entry;
use super::paper::Paper;
use super::record::Record;
use super::writer::FormWriter;
use crate::error::{CaseworkError, Result};

const NAME: &str = "register.pdf";
/// Most items of one: a PDF is made in memory, and nobody prints more.
pub(super) const MOST_ITEMS: u64 = 20_000;
const COLUMNS: [(&str, f32); 6] = [
    ("control no.", 1.3),
    ("date (UTC)", 1.5),
    ("kind", 0.9),
    ("from", 2.2),
    ("title", 3.6),
    ("SHA-256", 2.6),
];

/// `register.pdf`.
pub(super) struct Register {
    rows: Vec<Vec<String>>,
}

impl Register {
    /// Begins it; refused for more items than it may have.
    pub(super) fn begin(items: u64) -> Result<Self> {
        if items > MOST_ITEMS {
            return Err(CaseworkError::Request {
                detail: format!(
                    "a register as PDF has at most {MOST_ITEMS} items, and these are {items}; narrow the query, or use --as xlsx, csv or html"
                ),
            });
        }
        Ok(Self { rows: Vec::new() })
    }
}

impl FormWriter for Register {
    fn entry(&mut self, _out: &mut Outgoing, entry: &Entry) -> Result<()> {
        self.rows.push(vec![
            entry.control.clone(),
            entry.hit.date.clone().unwrap_or_else(|| "undated".to_owned()),
            entry.hit.kind.word().to_owned(),
            entry.hit.from.clone(),
            entry.title().to_owned(),
            entry.hit.sha256.to_hex(),
        ]);
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()> {
        let title = format!("Register of items: {}", record.case.name);
        let mut paper = Paper::begin(&title, &record.when, true, None)?;
        let lines = record.lines();
        paper.facts(lines.iter().map(|(word, value)| (word.as_str(), value.as_str())));
        paper.table(&COLUMNS, self.rows.into_iter());
        out.put(NAME, &paper.finish()?)?;
        record.conventions.insert(
            "pdf".to_owned(),
            "a character that the font lacks, and one that turns the direction of text, is shown as [U+....]".into(),
        );
        Ok(())
    }
}
