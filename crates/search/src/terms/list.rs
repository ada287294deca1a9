//! The list of a search term report: plain lines, or CSV.
//!
//! Plain: one query a line; blank lines and lines that begin with `#` are passed over. CSV: a column `query` or `term`, and optionally
//! `name` or `id`; other columns are passed over. UTF-8, or UTF-16 with its mark. Not for: reading files. Main type: [`TermList`]. Invariant: every
//! line that holds something is an entry, also when it cannot be read; no part of a query is dropped without a fault.

use std::borrow::Cow;

use embley_model::id::Sha256;
use sha2::Digest;

use super::records::{Record, Records, lines};

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermEntry {
    /// Its line in the file, from 1.
    pub line: u64,
    /// What the list calls it.
    pub name: Option<String>,
    /// The query as typed, white space at both ends apart.
    pub query: String,
    /// Why it cannot be taken as a query; nothing when it can.
    pub fault: Option<String>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermList {
    /// SHA-256 of the list's bytes.
    pub sha256: Sha256,
    /// The lines, in order.
    pub entries: Vec<TermEntry>,
}

/// A list that cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The CSV has no column with queries.
    #[error("the list has no column `query` or `term`; its first line names: {columns}")]
    NoColumn {
        /// The columns it has.
        columns: String,
    },
    /// The first line of the CSV cannot be read.
    #[error("the list's first line cannot be read: {fault}")]
    Header {
        /// Why.
        fault: &'static str,
    },
    /// The list says that it is UTF-16, and is not.
    #[error("the list begins with the mark of UTF-16 and cannot be read as such; save it as UTF-8")]
    Encoding,
    /// Nothing is in it.
    #[error("the list holds no query: one a line is expected; blank lines and lines that begin with # are passed over")]
    Empty,
}

impl TermList {
    /// Reads plain lines.
    ///
    /// # Errors
    /// When there is no query in it.
    pub fn from_lines(bytes: &[u8]) -> Result<Self, ListError> {
        let text = without_mark(bytes)?;
        let entries = lines(&text).filter_map(|(number, line)| {
            let query = String::from_utf8_lossy(line).trim().to_owned();
            (!is_passed_over(&query)).then_some(TermEntry {
                line: number,
                name: None,
                fault: fault_of(line),
                query,
            })
        });
        Self::of(bytes, entries.collect())
    }

    /// Reads CSV with a header.
    ///
    /// # Errors
    /// When there is no column of queries, or no query in it.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, ListError> {
        let text = without_mark(bytes)?;
        let mut records = Records::new(&text);
        let header = records.next().ok_or(ListError::Empty)?;
        if let Some(fault) = header.fault {
            return Err(ListError::Header { fault });
        }
        let columns: Vec<String> = header.cells.iter().map(|name| read(name).to_lowercase()).collect();
        let place = |names: [&str; 2]| columns.iter().position(|column| names.contains(&column.as_str()));
        let query_at = place(["query", "term"]).ok_or_else(|| ListError::NoColumn {
            columns: columns.join(", "),
        })?;
        let columns = Columns {
            count: columns.len(),
            query_at,
            name_at: place(["name", "id"]),
        };
        Self::of(
            bytes,
            records.filter_map(|record| csv_entry(&record, &columns)).collect(),
        )
    }

    fn of(bytes: &[u8], entries: Vec<TermEntry>) -> Result<Self, ListError> {
        if entries.is_empty() {
            return Err(ListError::Empty);
        }
        Ok(Self {
            sha256: Sha256(sha2::Sha256::digest(bytes).into()),
            entries,
        })
    }
}

const NOT_UTF_8: &str = "this line is not UTF-8";
const HAS_NUL: &str = "this line holds NUL characters, as UTF-16 without its mark does; save the list as UTF-8";

/// The list as UTF-8 as far as it is, without the mark at its beginning.
fn without_mark(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ListError> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(ListError::Encoding);
        }
        let units = pairs.map(|pair| unit([pair[0], pair[1]]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        Ok(Cow::Owned(text.map_err(|_| ListError::Encoding)?.into_bytes()))
    };
    match bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        _ => Ok(Cow::Borrowed(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))),
    }
}

fn read(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim().to_owned()
}

/// What is wrong with the bytes of a line or a cell.
fn fault_of(bytes: &[u8]) -> Option<String> {
    if std::str::from_utf8(bytes).is_err() {
        return Some(NOT_UTF_8.to_owned());
    }
    bytes.contains(&0).then(|| HAS_NUL.to_owned())
}

fn is_passed_over(text: &str) -> bool {
    text.is_empty() || text.starts_with('#')
}

/// What the first line of a CSV says of the others.
struct Columns {
    count: usize,
    query_at: usize,
    name_at: Option<usize>,
}

fn csv_entry(record: &Record, columns: &Columns) -> Option<TermEntry> {
    let entry = |name, query, fault| {
        Some(TermEntry {
            line: record.line,
            name,
            query,
            fault,
        })
    };
    let cell = |at: usize| record.cells.get(at).map_or(&[][..], Vec::as_slice);
    if let Some(fault) = record.fault {
        return entry(None, read(cell(0)), Some(fault.to_owned()));
    }
    let query = read(cell(columns.query_at));
    let name = columns.name_at.map(|at| read(cell(at))).filter(|name| !name.is_empty());
    if query.starts_with('#') {
        return None;
    }
    let extra = record.cells.iter().skip(columns.count);
    if extra.map(|cell| read(cell)).any(|cell| !cell.is_empty()) {
        let fault = format!(
            "this line has {} cells and the first line names {}: a query with a comma has to stand in quotes",
            record.cells.len(),
            columns.count
        );
        return entry(name, query, Some(fault));
    }
    match (query.is_empty(), name.is_none()) {
        (true, true) => None,
        (true, false) => entry(name, query, Some("this line has a name and no query".to_owned())),
        (false, _) => entry(name, query, fault_of(cell(columns.query_at))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &TermList) -> Vec<(u64, &str, &str, bool)> {
        list.entries
            .iter()
            .map(|entry| {
                let name = entry.name.as_deref().unwrap_or("-");
                (entry.line, name, entry.query.as_str(), entry.fault.is_some())
            })
            .collect()
    }

    #[test]
    fn blank_lines_and_comments_are_passed_over_and_lines_keep_their_numbers() {
        let list = TermList::from_lines(b"\xEF\xBB\xBF# terms\r\n\r\nfraud\r\n  a w/3 b \n\xff\n").expect("a list");
        assert_eq!(
            shown(&list),
            [
                (3, "-", "fraud", false),
                (4, "-", "a w/3 b", false),
                (5, "-", "\u{FFFD}", true)
            ]
        );
    }

    #[test]
    fn a_csv_gives_queries_with_names_by_the_names_of_its_columns() {
        let csv = b"ID,note,Term\nT1,x,\"\"\"gross misconduct\"\" OR\nfraud\"\n,,# out\nT3,,\nT4,,lunch\n,,\n";
        let list = TermList::from_csv(csv).expect("a list");
        assert_eq!(
            shown(&list),
            [
                (2, "T1", "\"gross misconduct\" OR\nfraud", false),
                (5, "T3", "", true),
                (6, "T4", "lunch", false)
            ]
        );
    }

    #[test]
    fn no_part_of_a_query_in_a_csv_is_dropped_without_a_fault() {
        let csv = b"name,query\nA,\"gross misconduct\" w/5 hearing\nB,fraud, theft\nC,\"lunch\nD,subject:\"gross misconduct\"\nE,fraud,\nF,f\0r\n";
        let list = TermList::from_csv(csv).expect("a list");
        assert_eq!(
            shown(&list),
            [
                (2, "-", "A,\"gross misconduct\" w/5 hearing", true),
                (3, "B", "fraud", true),
                (4, "-", "C,\"lunch", true),
                (5, "D", "subject:\"gross misconduct\"", false),
                (6, "E", "fraud", false),
                (7, "F", "f\0r", true),
            ]
        );
        assert!(TermList::from_csv(b"\"query\nfraud\n").is_err());
    }

    #[test]
    fn line_ends_and_encodings_of_other_systems_are_read() {
        let list = TermList::from_lines(b"fraud\rtheft\r\nlunch").expect("a list");
        assert_eq!(
            shown(&list),
            [
                (1, "-", "fraud", false),
                (2, "-", "theft", false),
                (3, "-", "lunch", false)
            ]
        );
        for (mark, unit) in [
            ([0xFF, 0xFE], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xFE, 0xFF], u16::to_be_bytes),
        ] {
            let mut bytes = mark.to_vec();
            bytes.extend("query\r\ncaf\u{e9}\r\n".encode_utf16().flat_map(unit));
            let list = TermList::from_csv(&bytes).expect("a list");
            assert_eq!(shown(&list), [(2, "-", "caf\u{e9}", false)]);
            bytes.push(b'x');
            assert!(TermList::from_csv(&bytes).is_err());
        }
        assert!(
            TermList::from_lines(b"f\0r\0").expect("a list").entries[0]
                .fault
                .is_some()
        );
    }

    #[test]
    fn a_list_without_queries_is_refused_by_what_it_lacks() {
        for (list, words) in [
            (TermList::from_lines(b"# nothing\n\n"), "no query"),
            (TermList::from_csv(b"word,count\nfraud,1\n"), "word, count"),
            (TermList::from_csv(b"query\n"), "no query"),
        ] {
            let message = list.expect_err("refused").to_string();
            assert!(message.contains(words), "{message}");
        }
    }
}
