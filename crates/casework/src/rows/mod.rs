//! Rows of a file of records: JSON Lines, CSV (both also gzipped) or a sheet of an XLSX workbook, read one at a time, each with
//! its row number.
//!
//! A row that cannot be read is an outcome of that row, never the end of the file. Lines over [`MAX_LINE_BYTES`] are
//! not held in memory, nor rows of a table over [`open::MAX_ROW_BYTES`]. Not for: what a row means (`mapping`, `import`).

pub mod open;
mod workbook;

use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use embley_model::record::{FieldKind, RecordType};
use serde_json::{Map, Value};

use crate::error::{CaseworkError, Result};

/// Longest line of JSON Lines that is read, in bytes.
pub const MAX_LINE_BYTES: u64 = 16 << 20;

/// A row as found.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number: the line of JSON Lines, the row of CSV with the header as row 1.
    pub number: u64,
    /// What it says, or why it cannot be read.
    pub found: std::result::Result<Found, String>,
}

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Values by name. For CSV: cells that are not empty, lists split.
    pub object: Map<String, Value>,
    /// The row as it was: the line, or all cells by the name of their column.
    pub source: Source,
}

/// A row as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A line of JSON Lines, without its line end.
    Line(Vec<u8>),
    /// The cells of a CSV row.
    Cells(Map<String, Value>),
}

/// The rows of a file.
pub enum Rows {
    /// JSON Lines.
    Lines {
        /// The file.
        path: PathBuf,
        /// What is left of it.
        input: Box<dyn BufRead>,
        /// Bytes that the row in hand took so far; see [`open::Metered`].
        row_bytes: open::RowBytes,
        /// Lines read.
        line: u64,
    },
    /// CSV.
    Csv {
        /// The file.
        path: PathBuf,
        /// What is left of it.
        reader: Box<csv::Reader<Box<dyn BufRead>>>,
        /// Bytes that the row in hand took so far; see [`open::Metered`].
        row_bytes: open::RowBytes,
        /// Names of the columns.
        columns: Vec<String>,
        /// Rows read, the header included.
        row: u64,
        /// How cells are read.
        cells: Cells,
    },
    /// A sheet of a workbook.
    Sheet {
        /// Its rows.
        sheet: workbook::SheetRows,
        /// Names of the columns.
        columns: Vec<String>,
        /// How cells are read.
        cells: Cells,
    },
}

/// How the cells of a table are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// Columns are named as the fields of this type: lists are split, lists of objects are read.
    Canonical {
        /// The type.
        record_type: RecordType,
        /// Separates the members of a list.
        list_separator: char,
    },
    /// A field map reads them: only [`Found::source`] is made.
    Raw,
}

/// What is known of a file before its first row is read.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// How the cells of a table are read; a table cannot be opened without.
    pub cells: Option<Cells>,
    /// The sheet of a workbook; without it, the only one.
    pub sheet: Option<String>,
    /// The row of the header, from 1; rows before it are passed over.
    pub header_row: u64,
}

impl Layout {
    /// Columns are named as fields; the record type is needed for tables only.
    pub fn canonical(record_type: Option<RecordType>, list_separator: char) -> Self {
        Self {
            cells: record_type.map(|record_type| Cells::Canonical {
                record_type,
                list_separator,
            }),
            sheet: None,
            header_row: 1,
        }
    }
}

impl Rows {
    /// Opens a file: a workbook by its first bytes; `.csv` is CSV, `.jsonl`, `.ndjson` and `.json` are JSON Lines, else the
    /// first character decides. Gzip is undone first, whatever the name.
    ///
    /// # Errors
    /// The file cannot be read, or is in no form that records come in.
    pub fn open(path: &Path, layout: &Layout) -> Result<Self> {
        if open::is_zip(path)? {
            return Self::open_sheet(path, layout);
        }
        let (input, row_bytes) = open::input(path)?;
        Self::read(&open::inner_name(path), input, row_bytes, layout)
    }

    /// The same from bytes; `path` is for messages and its extension.
    ///
    /// # Errors
    /// As [`Rows::open`].
    pub fn read(path: &Path, mut input: Box<dyn BufRead>, row_bytes: open::RowBytes, layout: &Layout) -> Result<Self> {
        let unreadable = |source| CaseworkError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let refuse = |detail: &str| CaseworkError::NotRecords {
            path: path.to_owned(),
            detail: detail.to_owned(),
        };
        let head = input.fill_buf().map_err(unreadable)?;
        let bom = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let first = head[bom..].iter().copied().find(|byte| !byte.is_ascii_whitespace());
        input.consume(bom);
        if is_csv(path, first) {
            let cells = layout
                .cells
                .ok_or_else(|| refuse("CSV does not say which records it holds; name them with --type"))?;
            return Self::open_csv(path, input, row_bytes, cells, layout.header_row);
        }
        if first == Some(b'[') {
            return Err(refuse("it is one JSON list; JSON Lines has one object a line"));
        }
        Ok(Self::Lines {
            path: path.to_owned(),
            input,
            row_bytes,
            line: 0,
        })
    }

    fn open_csv(
        path: &Path,
        input: Box<dyn BufRead>,
        row_bytes: open::RowBytes,
        cells: Cells,
        header_row: u64,
    ) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(input);
        let mut header = csv::ByteRecord::new();
        for row in 1..=header_row.max(1) {
            row_bytes.begin();
            if !reader
                .read_byte_record(&mut header)
                .map_err(|cause| csv_error(path, cause))?
            {
                return Err(CaseworkError::NotRecords {
                    path: path.to_owned(),
                    detail: if row == 1 {
                        "it has no header row"
                    } else {
                        "it ends before its header row"
                    }
                    .to_owned(),
                });
            }
        }
        let columns = column_names(path, header.iter().map(|cell| std::str::from_utf8(cell).ok()), cells)?;
        Ok(Self::Csv {
            path: path.to_owned(),
            reader: Box::new(reader),
            row_bytes,
            columns,
            row: header_row.max(1),
            cells,
        })
    }

    fn open_sheet(path: &Path, layout: &Layout) -> Result<Self> {
        let refuse = |detail: String| CaseworkError::NotRecords {
            path: path.to_owned(),
            detail,
        };
        let cells = layout
            .cells
            .ok_or_else(|| refuse("a sheet does not say which records it holds; name them with --type".to_owned()))?;
        let mut sheet = workbook::SheetRows::open(path, layout.sheet.as_deref())?;
        let header_row = layout.header_row.max(1);
        let header = loop {
            match sheet.next_row()? {
                None => return Err(refuse("it ends before its header row".to_owned())),
                Some(row) if u64::from(row.number) < header_row => {}
                Some(row) => break row.cells.map_err(refuse)?,
            }
        };
        let width = header.last().map_or(0, |(column, _)| *column as usize + 1);
        let mut names = vec![""; width];
        for (column, text) in &header {
            names[*column as usize] = text;
        }
        let columns = column_names(path, names.into_iter().map(Some), cells)?;
        Ok(Self::Sheet { sheet, columns, cells })
    }

    /// The names of the columns; empty for JSON Lines, whose rows name theirs.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Lines { .. } => &[],
            Self::Csv { columns, .. } | Self::Sheet { columns, .. } => columns,
        }
    }

    /// The next row; blank lines are no rows. `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read further.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        match self {
            Self::Lines {
                path,
                input,
                row_bytes,
                line,
            } => {
                row_bytes.begin();
                next_line(path, input, line)
            }
            Self::Csv {
                path,
                reader,
                row_bytes,
                columns,
                row,
                cells,
            } => {
                let mut found = csv::ByteRecord::new();
                row_bytes.begin();
                if !reader
                    .read_byte_record(&mut found)
                    .map_err(|cause| csv_error(path, cause))?
                {
                    return Ok(None);
                }
                *row += 1;
                let found = read_cells(&found, columns, *cells);
                Ok(Some(Row { number: *row, found }))
            }
            Self::Sheet { sheet, columns, cells } => {
                let Some(row) = sheet.next_row()? else {
                    return Ok(None);
                };
                let found = row.cells.map(|found| sheet_cells(found, columns, *cells));
                Ok(Some(Row {
                    number: u64::from(row.number),
                    found,
                }))
            }
        }
    }
}

/// Names for the columns of a header. A column without a name is called by its place; a name that comes twice is refused where
/// columns are fields, and is told apart (`name#2`) where a map names them.
fn column_names<'a>(path: &Path, header: impl Iterator<Item = Option<&'a str>>, cells: Cells) -> Result<Vec<String>> {
    let refuse = |detail: String| CaseworkError::NotRecords {
        path: path.to_owned(),
        detail,
    };
    let mut columns: Vec<String> = Vec::new();
    let mut seen: HashMap<String, u32> = HashMap::new();
    for (at, cell) in header.enumerate() {
        let name = cell
            .ok_or_else(|| refuse("its header row is not UTF-8".to_owned()))?
            .trim();
        let mut name = if name.is_empty() {
            format!("column {}", at + 1)
        } else {
            name.to_owned()
        };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            if matches!(cells, Cells::Canonical { .. }) {
                return Err(refuse(format!("two columns are called \"{name}\"")));
            }
            name = format!("{name}#{count}");
        }
        columns.push(name);
    }
    Ok(columns)
}

fn is_csv(path: &Path, first: Option<u8>) -> bool {
    let extension = path
        .extension()
        .and_then(|one| one.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase();
    match extension.as_str() {
        "csv" => true,
        "jsonl" | "ndjson" | "json" => false,
        _ => !matches!(first, None | Some(b'{' | b'[')),
    }
}

fn csv_error(path: &Path, cause: csv::Error) -> CaseworkError {
    let text = cause.to_string();
    match cause.into_kind() {
        csv::ErrorKind::Io(source) => CaseworkError::Unreadable {
            path: path.to_owned(),
            source,
        },
        _ => CaseworkError::NotRecords {
            path: path.to_owned(),
            detail: text,
        },
    }
}

fn next_line(path: &Path, input: &mut Box<dyn BufRead>, line: &mut u64) -> Result<Option<Row>> {
    let unreadable = |source| CaseworkError::Unreadable {
        path: path.to_owned(),
        source,
    };
    loop {
        let mut bytes = Vec::new();
        let read = input
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut bytes)
            .map_err(unreadable)?;
        if read == 0 {
            return Ok(None);
        }
        *line += 1;
        if read as u64 == MAX_LINE_BYTES && bytes.last() != Some(&b'\n') {
            skip_line(input).map_err(unreadable)?;
            let found = Err(format!("the line is longer than {} MiB", MAX_LINE_BYTES >> 20));
            return Ok(Some(Row { number: *line, found }));
        }
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        return Ok(Some(Row {
            number: *line,
            found: read_line(bytes),
        }));
    }
}

fn skip_line(input: &mut Box<dyn BufRead>) -> std::io::Result<()> {
    loop {
        let held = input.fill_buf()?;
        if held.is_empty() {
            return Ok(());
        }
        match held.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                input.consume(at + 1);
                return Ok(());
            }
            None => {
                let all = held.len();
                input.consume(all);
            }
        }
    }
}

fn read_line(bytes: Vec<u8>) -> std::result::Result<Found, String> {
    let text = std::str::from_utf8(&bytes)
        .map_err(|cause| format!("the line is not UTF-8 text (byte {})", cause.valid_up_to()))?;
    let value: Value = serde_json::from_str(text).map_err(|cause| format!("the line is not JSON: {cause}"))?;
    match value {
        Value::Object(object) => Ok(Found {
            object,
            source: Source::Line(bytes),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err("the line is JSON, but not an object".to_owned())
        }
    }
}

fn read_cells(cells: &csv::ByteRecord, columns: &[String], how: Cells) -> std::result::Result<Found, String> {
    if cells.len() != columns.len() {
        return Err(format!(
            "the row has {} cells, the header has {}",
            cells.len(),
            columns.len()
        ));
    }
    let mut object = Map::new();
    let mut raw = Map::new();
    for (column, cell) in columns.iter().zip(cells) {
        let text = std::str::from_utf8(cell).map_err(|_| format!("column {column} is not UTF-8 text"))?;
        raw.insert(column.clone(), Value::String(text.to_owned()));
        keep_cell(column, text, how, &mut object);
    }
    Ok(Found {
        object,
        source: Source::Cells(raw),
    })
}

/// Cells of a sheet: those that are there, by the name of their column, or by its place where the header has none.
fn sheet_cells(cells: Vec<(u32, String)>, columns: &[String], how: Cells) -> Found {
    let mut object = Map::new();
    let mut raw = Map::new();
    for (column, text) in cells {
        let name = columns
            .get(column as usize)
            .cloned()
            .unwrap_or_else(|| format!("column {}", u64::from(column) + 1));
        keep_cell(&name, &text, how, &mut object);
        raw.insert(name, Value::String(text));
    }
    Found {
        object,
        source: Source::Cells(raw),
    }
}

fn keep_cell(column: &str, text: &str, how: Cells, object: &mut Map<String, Value>) {
    match how {
        Cells::Canonical {
            record_type,
            list_separator,
        } if !text.trim().is_empty() => {
            let value = cell_value(column, record_type.field(column), text.trim(), list_separator);
            object.insert(column.to_owned(), value);
        }
        Cells::Canonical { .. } | Cells::Raw => {}
    }
}

/// A cell as JSON: lists are split, lists of objects are JSON in the cell (aliases also `kind:value`), the rest is text. What
/// cannot be read stays text; the check of the record says so.
pub(crate) fn cell_value(column: &str, kind: Option<FieldKind>, text: &str, list_separator: char) -> Value {
    match kind {
        Some(FieldKind::Texts) => Value::Array(
            text.split(list_separator)
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        ),
        Some(FieldKind::Objects) => objects(text, list_separator)
            .or_else(|| aliases(text, list_separator).filter(|_| column == "aliases"))
            .unwrap_or_else(|| Value::String(text.to_owned())),
        Some(
            FieldKind::Text
            | FieldKind::Word(_)
            | FieldKind::Time
            | FieldKind::Flag
            | FieldKind::Count
            | FieldKind::Amount,
        )
        | None => Value::String(text.to_owned()),
    }
}

/// `smtp:a@b.example; initials:AL`: names of a person by their kind; `None` when one has no kind.
fn aliases(text: &str, list_separator: char) -> Option<Value> {
    let parts = text
        .split(list_separator)
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let all: Option<Vec<Value>> = parts
        .map(|part| {
            let (kind, value) = part.split_once(':')?;
            Some(serde_json::json!({ "kind": kind.trim(), "value": value.trim() }))
        })
        .collect();
    all.map(Value::Array)
}

/// JSON objects in a cell: a JSON list, or one after the other with the separator between them.
fn objects(text: &str, list_separator: char) -> Option<Value> {
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        all.push(values.next()?.ok()?);
        rest = rest.get(values.byte_offset()..)?.trim_start();
        rest = rest.strip_prefix(list_separator).unwrap_or(rest).trim_start();
    }
    Some(Value::Array(all))
}

#[cfg(test)]
mod tests;
