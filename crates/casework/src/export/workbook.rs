//! Spreadsheets (Office Open XML workbooks).
//!
//! Rows go to temporary files as they come, so a sheet of a million rows takes the memory of one. Texts are written as texts: what looks
//! like a formula (`=`, `+`, `-`, `@`) is shown, never calculated, and keeps its value (quote prefix). Not for: what a report says.
//! Main types: [`Workbook`], [`Cell`].
//!
//! Invariants: nothing is dropped in silence. A sheet that would have more rows than a spreadsheet can have goes on in a next one with
//! the same columns; a text longer than a cell can hold is cut, and its end says how much is missing.

use std::io::{Seek, Write};
use std::path::Path;

use embley_store::disk::{Disk, RealDisk};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Worksheet, XlsxError};

use super::guard::dangerous;
use crate::error::{CaseworkError, Result};

/// Rows of a sheet, and UTF-16 units of a cell (limits of the file format, ECMA-376 and Excel's specifications).
const MOST_ROWS: u32 = 1_048_576;
const MOST_UNITS: usize = 32_767;

/// What stands in a cell.
pub enum Cell {
    /// A text, never a formula.
    Text(String),
    /// A count.
    Count(u64),
    /// Nothing.
    Empty,
}

/// A workbook in the making.
pub struct Workbook {
    book: rust_xlsxwriter::Workbook,
    bold: Format,
    quoted: Format,
    most_rows: u32,
    open: Option<Open>,
}

/// The sheet that rows go to.
struct Open {
    sheet: usize,
    name: String,
    columns: Vec<String>,
    part: u32,
    row: u32,
}

impl Workbook {
    /// An empty one; `when` is RFC 3339 UTC.
    pub fn new(when: &str, tool: &str) -> Self {
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
            quoted: Format::new().set_quote_prefix(),
            most_rows: MOST_ROWS,
            open: None,
        }
    }

    /// Begins a sheet: lines of words and values, an empty row, the columns' names. Rows follow by [`Workbook::push`].
    ///
    /// # Errors
    /// The name cannot be one, or temporary files cannot be written.
    pub fn begin(&mut self, name: &str, head: &[(&str, String)], columns: &[&str]) -> Result<()> {
        let sheet = self.book.worksheets().len();
        self.open = Some(Open {
            sheet,
            name: name.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            part: 1,
            row: 0,
        });
        let (bold, quoted) = (self.bold.clone(), self.quoted.clone());
        let page = self.book.add_worksheet_with_constant_memory().map_err(wrong)?;
        page.set_name(name).map_err(wrong)?;
        let mut at = 0;
        for (word, value) in head {
            page.write_string_with_format(at, 0, *word, &bold).map_err(wrong)?;
            text(page, at, 1, value, &quoted)?;
            at += 1;
        }
        at += u32::from(!head.is_empty());
        self.name_columns(at)
    }

    fn name_columns(&mut self, at: u32) -> Result<()> {
        let bold = self.bold.clone();
        let Some(open) = &mut self.open else { return Ok(()) };
        open.row = at + 1;
        let page = self.book.worksheet_from_index(open.sheet).map_err(wrong)?;
        for (column, word) in (0_u16..).zip(&open.columns) {
            page.write_string_with_format(at, column, word, &bold).map_err(wrong)?;
        }
        Ok(())
    }

    /// Adds a row to the sheet that was begun last; a full sheet goes on in a next one.
    ///
    /// # Errors
    /// Temporary files cannot be written.
    pub fn push(&mut self, cells: Vec<Cell>) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.row >= self.most_rows) {
            self.next_part()?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let page = self.book.worksheet_from_index(open.sheet).map_err(wrong)?;
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Text(value) => text(page, open.row, column, &value, &self.quoted)?,
                // Exact up to 2^53, and no case has so many items.
                Cell::Count(count) => {
                    page.write_number(open.row, column, count as f64).map_err(wrong)?;
                }
                Cell::Empty => {}
            }
        }
        open.row += 1;
        Ok(())
    }

    fn next_part(&mut self) -> Result<()> {
        let sheet = self.book.worksheets().len();
        let Some(open) = &mut self.open else { return Ok(()) };
        open.part += 1;
        open.sheet = sheet;
        let title = format!("{} {}", open.name, open.part);
        let page = self.book.add_worksheet_with_constant_memory().map_err(wrong)?;
        page.set_name(title).map_err(wrong)?;
        self.name_columns(0)
    }

    /// Adds a whole sheet.
    ///
    /// # Errors
    /// As [`Workbook::begin`] and [`Workbook::push`].
    pub fn add(
        &mut self,
        name: &str,
        head: &[(&str, String)],
        columns: &[&str],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Result<()> {
        self.begin(name, head, columns)?;
        rows.into_iter().try_for_each(|cells| self.push(cells))
    }

    /// Writes the whole workbook.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn write_to(&mut self, out: impl Write + Seek + Send) -> Result<()> {
        self.book.save_to_writer(out).map_err(wrong)
    }

    /// Writes the file, which must not be there yet.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn save(mut self, path: &Path) -> Result<()> {
        let bytes = self.book.save_to_buffer().map_err(wrong)?;
        let written = || -> std::io::Result<()> {
            let mut file = RealDisk.create_new(path)?;
            file.write_all_at(&bytes, 0)?;
            file.sync()
        };
        written().map_err(|source| CaseworkError::ExportFile {
            name: path.display().to_string(),
            source,
        })
    }
}

fn wrong(error: XlsxError) -> CaseworkError {
    CaseworkError::ExportFile {
        name: "a workbook".to_owned(),
        source: std::io::Error::other(error),
    }
}

fn text(sheet: &mut Worksheet, row: u32, column: u16, value: &str, quoted: &Format) -> Result<()> {
    let value = fitting(&clean(value));
    if dangerous(&value) {
        sheet
            .write_string_with_format(row, column, value, quoted)
            .map_err(wrong)?;
    } else if !value.is_empty() {
        sheet.write_string(row, column, value).map_err(wrong)?;
    }
    Ok(())
}

/// XML knows no control characters but the tab and line ends; others are shown as replaced.
fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() && !matches!(letter, '\n' | '\t') {
                '\u{FFFD}'
            } else {
                letter
            }
        })
        .collect()
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
        book.most_rows = 4;
        book.add("Terms", &[("case", "T".to_owned())], &["a", "b", "c"], rows)
            .expect("written");
        assert_eq!(book.book.worksheets().len(), 3);
        let empty: Vec<Vec<Cell>> = Vec::new();
        book.add("Errors", &[], &["a"], empty).expect("written");
        assert!(book.book.save_to_buffer().expect("a file").starts_with(b"PK"));
    }
}
