//! Reports as spreadsheets (Office Open XML workbooks).
//!
//! Rows go to temporary files as they come, so a sheet of a million rows takes the memory of one. Texts are written as texts: what looks
//! like a formula (`=`, `+`, `-`, `@`) is shown and never calculated. Not for: what a report says. Main types: [`Workbook`], [`Cell`].
//!
//! Invariants: nothing is dropped in silence. A sheet that would have more rows than a spreadsheet can have goes on in a next one with
//! the same columns; a text longer than a cell can hold is cut, and its end says how much is missing.

use std::path::Path;

use embley_store::disk::{Disk, RealDisk};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Worksheet};

use crate::exit::CliError;
use crate::output::clean;

/// Rows of a sheet, and UTF-16 units of a cell (limits of the file format, ECMA-376 and Excel's specifications).
const MOST_ROWS: u32 = 1_048_576;
const MOST_UNITS: usize = 32_767;

/// What stands in a cell.
pub(crate) enum Cell {
    /// A text, never a formula.
    Text(String),
    /// A count.
    Count(u64),
    /// Nothing.
    Empty,
}

/// A workbook in the making.
pub(crate) struct Workbook {
    book: rust_xlsxwriter::Workbook,
    bold: Format,
}

impl Workbook {
    /// An empty one; `when` is RFC 3339 UTC.
    pub(crate) fn new(when: &str, tool: &str) -> Self {
        let mut book = rust_xlsxwriter::Workbook::new();
        let mut properties = DocProperties::new().set_author(tool);
        let moment = when.trim_end_matches('Z');
        if let Ok(made) = ExcelDateTime::parse_from_str(moment) {
            properties = properties.set_creation_datetime(&made);
        }
        book.set_properties(&properties);
        Self {
            book,
            bold: Format::new().set_bold(),
        }
    }

    /// Adds a sheet: lines of words and values, an empty row, the columns' names, the rows.
    pub(crate) fn add(
        &mut self,
        name: &str,
        head: &[(&str, String)],
        columns: &[&str],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> anyhow::Result<()> {
        self.add_within(MOST_ROWS, name, head, columns, rows)
    }

    fn add_within(
        &mut self,
        most_rows: u32,
        name: &str,
        head: &[(&str, String)],
        columns: &[&str],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> anyhow::Result<()> {
        let mut rows = rows.into_iter().peekable();
        let mut part = 1;
        loop {
            let sheet = self.book.add_worksheet_with_constant_memory()?;
            let title = if part == 1 {
                name.to_owned()
            } else {
                format!("{name} {part}")
            };
            sheet.set_name(title)?;
            let mut at = 0;
            if part == 1 {
                for (word, value) in head {
                    sheet.write_string_with_format(at, 0, *word, &self.bold)?;
                    text(sheet, at, 1, value)?;
                    at += 1;
                }
                at += u32::from(!head.is_empty());
            }
            for (column, word) in (0_u16..).zip(columns) {
                sheet.write_string_with_format(at, column, *word, &self.bold)?;
            }
            at += 1;
            while at < most_rows
                && let Some(cells) = rows.next()
            {
                for (column, cell) in (0_u16..).zip(cells) {
                    match cell {
                        Cell::Text(value) => text(sheet, at, column, &value)?,
                        // Exact up to 2^53, and no case has so many items.
                        Cell::Count(count) => {
                            sheet.write_number(at, column, count as f64)?;
                        }
                        Cell::Empty => {}
                    }
                }
                at += 1;
            }
            if rows.peek().is_none() {
                return Ok(());
            }
            part += 1;
        }
    }

    /// Writes the file, which must not be there yet.
    pub(crate) fn save(mut self, path: &Path) -> anyhow::Result<()> {
        let bytes = self.book.save_to_buffer()?;
        let written = || -> std::io::Result<()> {
            let mut file = RealDisk.create_new(path)?;
            file.write_all_at(&bytes, 0)?;
            file.sync()
        };
        written().map_err(|error| CliError::environment(format!("cannot write {}: {error}", path.display())))?;
        crate::audit::made(path);
        Ok(())
    }
}

fn text(sheet: &mut Worksheet, row: u32, column: u16, value: &str) -> anyhow::Result<()> {
    let value = fitting(&clean(value));
    if !value.is_empty() {
        sheet.write_string(row, column, value)?;
    }
    Ok(())
}

/// The text, cut to what a cell holds.
fn fitting(value: &str) -> String {
    let units = value.encode_utf16().count();
    if units <= MOST_UNITS {
        return value.to_owned();
    }
    let end = format!(" [... cut: {} characters in all]", value.chars().count());
    let room = MOST_UNITS - end.len();
    let mut kept = String::new();
    let mut used = 0;
    for letter in value.chars() {
        used += letter.len_utf16();
        if used > room {
            break;
        }
        kept.push(letter);
    }
    kept + &end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_where_a_cell_ends_and_says_so() {
        assert_eq!(fitting("=1+1"), "=1+1");
        let fits = "\u{1F600}".repeat(MOST_UNITS / 2);
        assert_eq!(fitting(&fits), fits);
        let cut = fitting(&"\u{1F600}".repeat(MOST_UNITS));
        assert!(cut.encode_utf16().count() <= MOST_UNITS);
        assert!(cut.ends_with("32767 characters in all]"), "{}", &cut[cut.len() - 60..]);
    }

    #[test]
    fn more_rows_than_a_sheet_holds_go_on_in_the_next() {
        let mut book = Workbook::new("2026-01-02T03:04:05Z", "test");
        let rows = (0..7).map(|number| vec![Cell::Count(number), Cell::Text(format!("={number}")), Cell::Empty]);
        book.add_within(4, "Terms", &[("case", "T".to_owned())], &["a", "b", "c"], rows)
            .expect("written");
        assert_eq!(book.book.worksheets().len(), 3);
        let empty: Vec<Vec<Cell>> = Vec::new();
        book.add("Errors", &[], &["a"], empty).expect("written");
        assert!(book.book.save_to_buffer().expect("a file").starts_with(b"PK"));
    }
}
