//! Rows of a file of records: JSON Lines or CSV, read one at a time, each with its row number.
//!
//! A row that cannot be read is an outcome of that row, never the end of the file. Lines over
//! [`MAX_LINE_BYTES`] are not held in memory. Not for: what a row means (`import`).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
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
        /// Lines read.
        line: u64,
    },
    /// CSV.
    Csv {
        /// The file.
        path: PathBuf,
        /// What is left of it.
        reader: Box<csv::Reader<Box<dyn BufRead>>>,
        /// Names of the columns.
        columns: Vec<String>,
        /// Rows read, the header included.
        row: u64,
        /// Separates the members of a list.
        list_separator: char,
        /// Decides which cells are lists.
        record_type: RecordType,
    },
}

impl Rows {
    /// Opens a file: `.csv` is CSV, `.jsonl`, `.ndjson` and `.json` are JSON Lines, else the first character decides.
    /// CSV needs to be told the record type.
    ///
    /// # Errors
    /// The file cannot be read, or is in no form that records come in.
    pub fn open(path: &Path, record_type: Option<RecordType>, list_separator: char) -> Result<Self> {
        let unreadable = |source| CaseworkError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        let input: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 16, file));
        Self::read(path, input, record_type, list_separator)
    }

    /// The same from bytes; `path` is for messages and its extension.
    ///
    /// # Errors
    /// As [`Rows::open`].
    pub fn read(
        path: &Path,
        mut input: Box<dyn BufRead>,
        record_type: Option<RecordType>,
        list_separator: char,
    ) -> Result<Self> {
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
            let record_type =
                record_type.ok_or_else(|| refuse("CSV does not say which records it holds; name them with --type"))?;
            return Self::open_csv(path, input, record_type, list_separator);
        }
        if first == Some(b'[') {
            return Err(refuse("it is one JSON list; JSON Lines has one object a line"));
        }
        Ok(Self::Lines {
            path: path.to_owned(),
            input,
            line: 0,
        })
    }

    fn open_csv(path: &Path, input: Box<dyn BufRead>, record_type: RecordType, list_separator: char) -> Result<Self> {
        let refuse = |detail: String| CaseworkError::NotRecords {
            path: path.to_owned(),
            detail,
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(input);
        let mut header = csv::ByteRecord::new();
        if !reader
            .read_byte_record(&mut header)
            .map_err(|cause| csv_error(path, cause))?
        {
            return Err(refuse("it has no header row".to_owned()));
        }
        let mut columns: Vec<String> = Vec::new();
        for (at, cell) in header.iter().enumerate() {
            let name = std::str::from_utf8(cell)
                .map_err(|_| refuse("its header row is not UTF-8".to_owned()))?
                .trim();
            let name = if name.is_empty() {
                format!("column {}", at + 1)
            } else {
                name.to_owned()
            };
            if columns.contains(&name) {
                return Err(refuse(format!("two columns are called \"{name}\"")));
            }
            columns.push(name);
        }
        Ok(Self::Csv {
            path: path.to_owned(),
            reader: Box::new(reader),
            columns,
            row: 1,
            list_separator,
            record_type,
        })
    }

    /// The next row; blank lines are no rows. `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read further.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        match self {
            Self::Lines { path, input, line } => next_line(path, input, line),
            Self::Csv {
                path,
                reader,
                columns,
                row,
                list_separator,
                record_type,
            } => {
                let mut cells = csv::ByteRecord::new();
                if !reader
                    .read_byte_record(&mut cells)
                    .map_err(|cause| csv_error(path, cause))?
                {
                    return Ok(None);
                }
                *row += 1;
                let found = read_cells(&cells, columns, *list_separator, *record_type);
                Ok(Some(Row { number: *row, found }))
            }
        }
    }
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

fn read_cells(
    cells: &csv::ByteRecord,
    columns: &[String],
    list_separator: char,
    record_type: RecordType,
) -> std::result::Result<Found, String> {
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
        if !text.trim().is_empty() {
            object.insert(
                column.clone(),
                cell_value(column, record_type.field(column), text.trim(), list_separator),
            );
        }
    }
    Ok(Found {
        object,
        source: Source::Cells(raw),
    })
}

/// A cell as JSON: lists are split, lists of objects are JSON in the cell (aliases also `kind:value`), the rest is text. What
/// cannot be read stays text; the check of the record says so.
fn cell_value(column: &str, kind: Option<FieldKind>, text: &str, list_separator: char) -> Value {
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
mod tests {
    use super::*;

    fn all(name: &str, bytes: &'static [u8], record_type: Option<RecordType>) -> Result<Vec<Row>> {
        let mut rows = Rows::read(Path::new(name), Box::new(bytes), record_type, ';')?;
        let mut found = Vec::new();
        while let Some(row) = rows.next_row()? {
            found.push(row);
        }
        Ok(found)
    }

    #[test]
    fn a_bad_line_is_its_own_outcome_and_blank_lines_are_no_rows() {
        let rows = all(
            "r.jsonl",
            b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{bad\n[1]\n\xff\n{\"b\":2}",
            None,
        )
        .expect("readable");
        let told: Vec<(u64, bool)> = rows.iter().map(|row| (row.number, row.found.is_ok())).collect();
        assert_eq!(told, [(1, true), (4, false), (5, false), (6, false), (7, true)]);
        let first = rows[0].found.as_ref().expect("it is a row");
        assert_eq!(first.source, Source::Line(b"{\"a\":1}".to_vec()));
    }

    #[test]
    fn a_csv_row_keeps_every_cell_as_it_was_and_splits_lists() {
        let bytes = b"case_ref,subject_person_ids,outcome,\nCM/1/19, P-1 ;P-2; ,\"a \"\"b\"\"\",\n,,,x\nshort\n";
        let rows = all("d.csv", bytes, Some(RecordType::Decision)).expect("readable");
        let first = rows[0].found.as_ref().expect("it is a row");
        assert_eq!(first.object["subject_person_ids"], serde_json::json!(["P-1", "P-2"]));
        assert_eq!(first.object["outcome"], "a \"b\"");
        let Source::Cells(cells) = &first.source else {
            panic!("CSV has cells");
        };
        assert_eq!(cells["subject_person_ids"], " P-1 ;P-2; ");
        assert_eq!(cells["column 4"], "");
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(rows[2].found, Err("the row has 1 cells, the header has 4".to_owned()));
    }

    #[test]
    fn a_cell_of_objects_is_a_list_or_objects_in_a_row() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                objects(text, ';').map(|value| value.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check(r#"[{"a":";"}]"#, Some(r#"[{"a":";"}]"#));
        check(r#"{"a":";"} ; {"b":1}"#, Some(r#"[{"a":";"},{"b":1}]"#));
        check("smtp", None);
        check(r#"{"a":1}; x"#, None);
        let cell = |column: &str| {
            cell_value(column, Some(FieldKind::Objects), "smtp:a@b.example; initials:AL", ';').to_string()
        };
        assert_eq!(
            cell("aliases"),
            r#"[{"kind":"smtp","value":"a@b.example"},{"kind":"initials","value":"AL"}]"#
        );
        assert_eq!(cell("rank_history"), r#""smtp:a@b.example; initials:AL""#);
    }

    #[test]
    fn the_form_is_told_by_the_name_then_by_the_first_character() {
        assert!(all("x", b"case_ref\nCM/1\n", Some(RecordType::Case)).is_ok_and(|rows| rows.len() == 1));
        assert!(all("x", b"  {\"a\":1}\n", None).is_ok_and(|rows| rows.len() == 1));
        assert!(all("x", b"", None).is_ok_and(|rows| rows.is_empty()));
        for (name, bytes, expected) in [
            ("x.csv", b"a,b\n" as &'static [u8], "--type"),
            ("x.json", b"[{}]", "one JSON list"),
        ] {
            let said = all(name, bytes, None).expect_err("refused").to_string();
            assert!(said.contains(expected), "{said}");
        }
        let twice = all("x.csv", b"a,a\n", Some(RecordType::Case))
            .expect_err("refused")
            .to_string();
        assert!(twice.contains("two columns are called \"a\""), "{twice}");
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_whole() {
        let mut bytes = vec![b'x'; usize::try_from(MAX_LINE_BYTES).expect("it fits") + 10];
        bytes.extend_from_slice(b"\n{\"a\":1}\n");
        let rows = all("r.jsonl", bytes.leak(), None).expect("readable");
        assert_eq!(rows.len(), 2);
        assert!(rows[0].found.is_err() && rows[1].found.is_ok());
        assert_eq!(rows[1].number, 2);
    }
}
