//! The list of items as a workbook: a sheet of the items, and one of what the export says of itself.

use std::io::Seek;

use embley_store::outgoing::Outgoing;

use super::entry::Entry;
use super::record::Record;
use super::table::columns;
use super::workbook::{Cell, Workbook};
use super::writer::{FormWriter, failed};
use crate::error::Result;

const NAME: &str = "items.xlsx";
/// Columns that are counts.
const COUNTS: [&str; 4] = ["attachments", "item_no", "size", "instances"];

/// `items.xlsx`.
pub(super) struct Sheet {
    book: Workbook,
}

impl Sheet {
    /// Begins it.
    pub(super) fn begin(record: &Record) -> Result<Self> {
        let mut book = Workbook::new(&record.when, &record.tool);
        let names: Vec<&str> = columns(false).map(|column| column.name).collect();
        book.begin("Items", &[], &names)?;
        Ok(Self { book })
    }
}

impl FormWriter for Sheet {
    fn entry(&mut self, _out: &mut Outgoing, entry: &Entry) -> Result<()> {
        let cells = columns(false).map(|column| {
            let text = (column.cell)(entry);
            match text.parse() {
                Ok(count) if COUNTS.contains(&column.name) => Cell::Count(count),
                Ok(_) | Err(_) => Cell::Text(text),
            }
        });
        self.book.push(cells.collect())
    }

    fn finish(mut self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()> {
        record.conventions.insert(
            "xlsx".to_owned(),
            "every text is a text cell with its value unchanged; those that begin like a formula have the quote prefix set, so that no \
             program calculates them; a text longer than 32,767 UTF-16 units is cut and says so"
                .into(),
        );
        let lines = record.lines();
        self.book.add(
            "About",
            &[],
            &["what", "value"],
            lines
                .into_iter()
                .map(|(what, value)| vec![Cell::Text(what), Cell::Text(value)]),
        )?;
        // A workbook is a zip, which is written with steps back; the folder takes files from front to end only.
        let mut made = tempfile::tempfile().map_err(failed(NAME))?;
        self.book.write_to(&mut made)?;
        made.rewind().map_err(failed(NAME))?;
        let mut file = out.create(NAME)?;
        std::io::copy(&mut made, &mut file).map_err(failed(NAME))?;
        out.close(file)?;
        Ok(())
    }
}
