//! Rows of one sheet of an XLSX workbook.
//!
//! Cells come one at a time from a thread of their own, a row at a time through a short channel; a sheet is never held whole, and
//! no cell that is not there takes room. Before the workbook is opened every part is unpacked once to nothing, so that what
//! a part takes is known and limited ([`MAX_PART_BYTES`], [`MAX_BOOK_BYTES`]) whatever its header says. Invariant: row
//! numbers grow; a panic of the package becomes a refusal of the file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use calamine::{DataRef, Reader, Xlsx};

use crate::error::{CaseworkError, Result};

/// What one part of a workbook may unpack to, in bytes.
const MAX_PART_BYTES: u64 = 1 << 30;
/// What all parts may unpack to.
const MAX_BOOK_BYTES: u64 = 2 << 30;
/// Parts of a workbook.
const MAX_PARTS: usize = 20_000;
/// What the cells of one row may take.
const MAX_ROW_BYTES: usize = 64 << 20;
/// Rows that wait in the channel.
const WAITING: usize = 64;

/// A row: its number, from 1, and its cells by column, from 0, in their order; or why it is none.
#[derive(Debug)]
pub struct SheetRow {
    /// Its number in the sheet.
    pub number: u32,
    /// Its cells.
    pub cells: std::result::Result<Vec<(u32, String)>, String>,
}

/// The rows of a sheet.
pub struct SheetRows {
    path: PathBuf,
    rows: Receiver<std::result::Result<SheetRow, String>>,
}

impl SheetRows {
    /// Opens a sheet by name, or the only one.
    ///
    /// # Errors
    /// The file cannot be read, is no workbook, is too large, or has no such sheet; then the message names those there are.
    pub fn open(path: &Path, sheet: Option<&str>) -> Result<Self> {
        let refuse = |detail: String| CaseworkError::NotRecords {
            path: path.to_owned(),
            detail,
        };
        let file = File::open(path).map_err(|source| CaseworkError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        weigh(&file).map_err(refuse)?;
        let mut book = catch_unwind(AssertUnwindSafe(|| {
            Xlsx::new(BufReader::new(file)).map_err(|error| error.to_string())
        }))
        .unwrap_or_else(|_| Err("its reader failed".to_owned()))
        .map_err(|why| refuse(format!("it is a zip archive, but no workbook that can be read: {why}")))?;
        let names = book.sheet_names();
        let name = match sheet {
            Some(wanted) => names.iter().find(|name| name.as_str() == wanted),
            None if names.len() == 1 => names.first(),
            None => None,
        };
        let Some(name) = name.cloned() else {
            return Err(refuse(format!(
                "{}; it has {}; name one with --sheet",
                sheet.map_or_else(
                    || "which sheet is meant is not said".to_owned(),
                    |wanted| format!("it has no sheet \"{wanted}\"")
                ),
                names
                    .iter()
                    .map(|name| format!("\"{name}\""))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        };
        let (sender, rows) = sync_channel(WAITING);
        std::thread::spawn(move || {
            let sent = catch_unwind(AssertUnwindSafe(|| send_rows(&mut book, &name, &sender)));
            let failed = match sent {
                Ok(Ok(())) => return,
                Ok(Err(why)) => why,
                Err(_) => "its reader failed".to_owned(),
            };
            // Nobody listens when the rows were given up.
            let _ = sender.send(Err(failed));
        });
        Ok(Self {
            path: path.to_owned(),
            rows,
        })
    }

    /// The next row that has a cell; `None` at the end.
    ///
    /// # Errors
    /// The sheet cannot be read further.
    pub fn next_row(&mut self) -> Result<Option<SheetRow>> {
        match self.rows.recv() {
            Ok(Ok(row)) => Ok(Some(row)),
            Ok(Err(detail)) => Err(CaseworkError::NotRecords {
                path: self.path.clone(),
                detail: format!("the sheet cannot be read further: {detail}"),
            }),
            Err(_) => Ok(None),
        }
    }
}

/// Unpacks every part to nothing, and says why when there is too much.
fn weigh(file: &File) -> std::result::Result<(), String> {
    let mut archive =
        zip::ZipArchive::new(BufReader::new(file)).map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if archive.len() > MAX_PARTS {
        return Err(format!("it has {} parts, more than {MAX_PARTS}", archive.len()));
    }
    let mut all = 0;
    for at in 0..archive.len() {
        let part = archive
            .by_index(at)
            .map_err(|error| format!("part {at} cannot be unpacked: {error}"))?;
        let name = part
            .name()
            .map_or_else(|_| format!("number {}", at + 1), std::borrow::Cow::into_owned);
        let bytes = std::io::copy(&mut part.take(MAX_PART_BYTES + 1), &mut std::io::sink())
            .map_err(|error| format!("part \"{name}\" cannot be unpacked: {error}"))?;
        all += bytes;
        if bytes > MAX_PART_BYTES || all > MAX_BOOK_BYTES {
            return Err(format!(
                "it unpacks to more than {} MiB (at part \"{name}\")",
                if bytes > MAX_PART_BYTES {
                    MAX_PART_BYTES
                } else {
                    MAX_BOOK_BYTES
                } >> 20
            ));
        }
    }
    Ok(())
}

fn send_rows(
    book: &mut Xlsx<BufReader<File>>,
    sheet: &str,
    to: &SyncSender<std::result::Result<SheetRow, String>>,
) -> std::result::Result<(), String> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut held: Vec<(u32, String)> = Vec::new();
    let mut held_row = 0;
    let mut held_bytes = 0;
    while let Some(cell) = cells.next_cell().map_err(|error| error.to_string())? {
        let (row, column) = cell.get_position();
        if row != held_row {
            if row < held_row {
                return Err(format!("row {} comes after row {}", row + 1, held_row + 1));
            }
            if !send(to, held_row, &mut held, &mut held_bytes) {
                return Ok(());
            }
            held_row = row;
        }
        let text = cell_text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        held_bytes += text.len();
        if held_bytes <= MAX_ROW_BYTES {
            held.push((column, text));
        }
    }
    send(to, held_row, &mut held, &mut held_bytes);
    Ok(())
}

/// False when nobody listens any more.
fn send(
    to: &SyncSender<std::result::Result<SheetRow, String>>,
    row: u32,
    held: &mut Vec<(u32, String)>,
    held_bytes: &mut usize,
) -> bool {
    let mut cells = std::mem::take(held);
    let bytes = std::mem::take(held_bytes);
    if cells.is_empty() {
        return true;
    }
    cells.sort_by_key(|(column, _)| *column);
    let cells = if bytes > MAX_ROW_BYTES {
        Err(format!("the row is longer than {} MiB", MAX_ROW_BYTES >> 20))
    } else {
        Ok(cells)
    };
    to.send(Ok(SheetRow {
        number: row.saturating_add(1),
        cells,
    }))
    .is_ok()
}

/// A cell as text: whole numbers without a point, dates as `2019-03-04` or `2019-03-04T10:00:00` without a zone (a workbook
/// has none), errors as the workbook shows them.
fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::DateTime(time) => {
            let number = time.as_f64();
            if !time.is_datetime() || !(0.0..2_958_466.0).contains(&number) {
                return number.to_string();
            }
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            if number < 1.0 {
                format!("{hour:02}:{minute:02}:{second:02}")
            } else if hour == 0 && minute == 0 && second == 0 {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
    }
}
