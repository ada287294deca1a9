//! The records of a CSV file, read strictly by RFC 4180.
//!
//! A lenient reader makes other queries of a list without a word: it takes the quotes off `"gross misconduct" w/5 hearing`, and reads on to the end of
//! the file behind a quote that nobody closed. Here such a record is one fault, and reading goes on with the next line. Not for: what the
//! cells mean. Main type: [`Records`]. Invariant: every line of the file is in exactly one record.

const NOT_DOUBLED: &str = "text stands behind the closing quote of a cell: write the whole cell in quotes, and each quote inside it twice, \
     as in \"\"\"gross misconduct\"\" w/5 hearing\"";
const NOT_CLOSED: &str =
    "a quote opens a cell of this line and is not closed: write each quote inside a cell in quotes twice";

/// One record, or the line on which one cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its cells; of a record that cannot be read, the line as it stands.
    pub(super) cells: Vec<Vec<u8>>,
    /// Why it cannot be read.
    pub(super) fault: Option<&'static str>,
}

/// See the module.
pub(super) struct Records<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

/// What stands behind a cell.
enum End {
    Cell,
    Record,
}

impl<'b> Records<'b> {
    /// Lines end with a line feed, a carriage return, or both.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    fn here(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn cells(&mut self) -> Result<Vec<Vec<u8>>, &'static str> {
        let mut cells = Vec::new();
        loop {
            cells.push(if self.here() == Some(b'"') {
                self.in_quotes()?
            } else {
                self.plain()
            });
            match self.end()? {
                End::Cell => {}
                End::Record => return Ok(cells),
            }
        }
    }

    fn plain(&mut self) -> Vec<u8> {
        let rest = &self.bytes[self.at..];
        let ends = |byte: &u8| matches!(byte, b',' | b'\n' | b'\r');
        let cell = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        self.at += cell.len();
        cell.to_vec()
    }

    fn in_quotes(&mut self) -> Result<Vec<u8>, &'static str> {
        let mut cell = Vec::new();
        self.at += 1;
        loop {
            match self.here() {
                None => return Err(NOT_CLOSED),
                Some(b'"') => {
                    self.at += 1;
                    if self.here() != Some(b'"') {
                        break;
                    }
                    self.at += 1;
                    cell.push(b'"');
                }
                Some(b'\n' | b'\r') => {
                    let from = self.at;
                    self.line_end();
                    cell.extend_from_slice(&self.bytes[from..self.at]);
                }
                Some(byte) => {
                    self.at += 1;
                    cell.push(byte);
                }
            }
        }
        while matches!(self.here(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        Ok(cell)
    }

    fn end(&mut self) -> Result<End, &'static str> {
        match self.here() {
            None => Ok(End::Record),
            Some(b',') => {
                self.at += 1;
                Ok(End::Cell)
            }
            Some(b'\n' | b'\r') => {
                self.line_end();
                Ok(End::Record)
            }
            Some(_) => Err(NOT_DOUBLED),
        }
    }

    /// Takes the line end that stands here.
    fn line_end(&mut self) {
        let both = self.bytes[self.at..].starts_with(b"\r\n");
        self.at += if both { 2 } else { 1 };
        self.line += 1;
    }

    /// Takes the rest of the line, and gives it without its end.
    fn whole_line(&mut self) -> &'b [u8] {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let line = &rest[..length.unwrap_or(rest.len())];
        self.at += line.len();
        if length.is_some() {
            self.line_end();
        }
        line
    }
}

/// The lines of a text, each with its number from 1.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut all = Records::new(bytes);
    std::iter::from_fn(move || {
        let number = all.line;
        (all.at < all.bytes.len()).then(|| (number, all.whole_line()))
    })
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let (at, line) = (self.at, self.line);
        let (cells, fault) = match self.cells() {
            Ok(cells) => (cells, None),
            Err(fault) => {
                (self.at, self.line) = (at, line);
                (vec![self.whole_line().to_vec()], Some(fault))
            }
        };
        Some(Record { line, cells, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(u64, Vec<String>, bool)> {
        Records::new(text.as_bytes())
            .map(|one| {
                let cells = one.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned());
                (one.line, cells.collect(), one.fault.is_some())
            })
            .collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(u64, &[&str], bool)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, cells, fault)| (*line, cells.iter().map(|cell| (*cell).to_owned()).collect(), *fault))
            .collect();
        assert_eq!(shown(text), expected, "{text:?}");
    }

    #[test]
    fn cells_in_quotes_hold_commas_line_ends_and_doubled_quotes() {
        check(
            "a,\"b, \"\"c\"\"\",\r\n\"d\ne\" ,f\rg",
            &[
                (1, &["a", "b, \"c\"", ""], false),
                (2, &["d\ne", "f"], false),
                (4, &["g"], false),
            ],
        );
        check("", &[]);
        check("\n\na", &[(1, &[""], false), (2, &[""], false), (3, &["a"], false)]);
        check("x \"y\" z\n", &[(1, &["x \"y\" z"], false)]);
    }

    #[test]
    fn a_line_with_quotes_gone_wrong_is_one_fault_and_the_next_line_is_read() {
        check(
            "a,\"b\" c\nd\n\"e\nf,\"g\"\n\"h",
            &[
                (1, &["a,\"b\" c"], true),
                (2, &["d"], false),
                (3, &["\"e"], true),
                (4, &["f", "g"], false),
                (5, &["\"h"], true),
            ],
        );
    }
}
