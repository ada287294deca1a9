//! The list of a search term report: plain lines, or CSV.
//!
//! Plain: one query a line; blank lines and lines that begin with `#` are passed over. CSV: a column `query` or `term`, and optionally
//! `name` or `id`; other columns are passed over. Not for: reading files. Main type: [`TermList`]. Invariant: every line that holds
//! something is an entry, also when it cannot be read.

use embley_model::id::Sha256;
use sha2::Digest;

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
    #[error("the list's first line cannot be read")]
    Header {
        /// Why.
        source: csv::Error,
    },
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
        let without_mark = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let entries = without_mark
            .split(|byte| *byte == b'\n')
            .zip(1..)
            .filter_map(|(line, number)| {
                let (text, fault) = match std::str::from_utf8(line) {
                    Ok(text) => (text.trim().to_owned(), None),
                    Err(_) => (
                        String::from_utf8_lossy(line).trim().to_owned(),
                        Some(NOT_UTF_8.to_owned()),
                    ),
                };
                (!is_passed_over(&text)).then_some(TermEntry {
                    line: number,
                    name: None,
                    query: text,
                    fault,
                })
            });
        Self::of(bytes, entries.collect())
    }

    /// Reads CSV with a header.
    ///
    /// # Errors
    /// When there is no column of queries, or no query in it.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, ListError> {
        let without_mark = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(without_mark);
        let header = reader.byte_headers().map_err(|source| ListError::Header { source })?;
        let columns: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_lowercase())
            .collect();
        let place = |names: [&str; 2]| columns.iter().position(|column| names.contains(&column.as_str()));
        let query_at = place(["query", "term"]).ok_or_else(|| ListError::NoColumn {
            columns: columns.join(", "),
        })?;
        let name_at = place(["name", "id"]);
        let mut entries = Vec::new();
        let mut record = csv::ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => entries.extend(csv_entry(&record, query_at, name_at)),
                Err(error) => {
                    entries.push(TermEntry {
                        line: error.position().map_or(0, csv::Position::line),
                        name: None,
                        query: String::new(),
                        fault: Some(format!("this line of the CSV cannot be read: {error}")),
                    });
                    // What follows an error of the reader itself (not of one record) would be the same error again.
                    if error.is_io_error() {
                        break;
                    }
                }
            }
        }
        Self::of(bytes, entries)
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

fn is_passed_over(text: &str) -> bool {
    text.is_empty() || text.starts_with('#')
}

fn csv_entry(record: &csv::ByteRecord, query_at: usize, name_at: Option<usize>) -> Option<TermEntry> {
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let query = String::from_utf8_lossy(cell(query_at)).trim().to_owned();
    let name = name_at
        .map(|at| String::from_utf8_lossy(cell(at)).trim().to_owned())
        .filter(|name| !name.is_empty());
    if query.starts_with('#') || (query.is_empty() && name.is_none()) {
        return None;
    }
    let fault = if query.is_empty() {
        Some("this line has a name and no query".to_owned())
    } else if std::str::from_utf8(cell(query_at)).is_err() {
        Some(NOT_UTF_8.to_owned())
    } else {
        None
    };
    Some(TermEntry {
        line: record.position().map_or(0, csv::Position::line),
        name,
        query,
        fault,
    })
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
