//! Everything that is printed: results to stdout, words for people to stderr; lists in one shape for tables, JSON, JSON Lines and CSV.
//!
//! Invariant: a reader that goes away (`embley show 7 --text | head`) ends the program quietly, and a terminal that is gone never ends a run.

use std::io::{self, StdoutLock, Write};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use embley_store::audit::Digest;
use serde::Serialize;
use serde_json::Value;

use crate::args::Format;

/// Version of every JSON form.
pub(crate) const SCHEMA: u32 = 1;

/// Set when whoever read the results has gone. A flag, because errors on the way up (JSON, CSV) do not all keep their cause.
static READER_GONE: AtomicBool = AtomicBool::new(false);

/// True when a write of results found a closed pipe: there is nobody left to tell.
pub(crate) fn reader_has_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// The exit code of a command whose answer is its code, once that is known.
static VERDICT: AtomicU8 = AtomicU8::new(0);

/// Says how a check ended before it is printed, so that a reader that goes away does not make the same of what differs.
pub(crate) fn set_verdict(code: u8) {
    VERDICT.store(code, Ordering::Relaxed);
}

/// The exit code when nobody is left to read the results: that of the check, else done.
pub(crate) fn verdict() -> u8 {
    VERDICT.load(Ordering::Relaxed)
}

/// Set when this command is in no audit log: every answer says so.
static NOT_RECORDED: AtomicBool = AtomicBool::new(false);

/// From here on every answer says that it is not recorded.
pub(crate) fn set_not_recorded() {
    NOT_RECORDED.store(true, Ordering::Relaxed);
}

/// True when every answer has to say that it is not recorded.
pub(crate) fn is_not_recorded() -> bool {
    NOT_RECORDED.load(Ordering::Relaxed)
}

/// Says in a JSON answer that it is not recorded, when that is so.
pub(crate) fn said_unrecorded(mut answer: Value) -> Value {
    if let (true, Some(members)) = (is_not_recorded(), answer.as_object_mut()) {
        members.insert("recorded".to_owned(), false.into());
    }
    answer
}

/// The digest of all results that were written, for the audit log.
fn digest() -> &'static Mutex<Digest> {
    static SHOWN: OnceLock<Mutex<Digest>> = OnceLock::new();
    SHOWN.get_or_init(Mutex::default)
}

/// The digest of everything that was written as results so far.
pub(crate) fn shown() -> Digest {
    digest().lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Where results go.
pub(crate) struct Results(StdoutLock<'static>);

/// The stream of results, locked.
pub(crate) fn results() -> Results {
    Results(io::stdout().lock())
}

impl Write for Results {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.0.write(buf).inspect_err(noticed)?;
        digest()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .update(&buf[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().inspect_err(noticed)
    }
}

fn noticed(error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        READER_GONE.store(true, Ordering::Relaxed);
    }
}

/// Prints a line of results, as `println!` would; gives a [`Result`](anyhow::Result).
macro_rules! result_line {
    ($($words:tt)*) => {
        $crate::output::line_of_results(format_args!($($words)*))
    };
}
pub(crate) use result_line;

/// Prints a line for people, as `eprintln!` would. A terminal that is gone is no reason to end the work.
macro_rules! note {
    ($($words:tt)*) => {
        $crate::output::line_for_people(format_args!($($words)*))
    };
}
pub(crate) use note;

pub(crate) fn line_of_results(words: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    let mut out = results();
    out.write_fmt(words)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

pub(crate) fn line_for_people(words: std::fmt::Arguments<'_>) {
    let _gone = writeln!(io::stderr().lock(), "{words}");
}

/// A list of rows with named columns; `cells` are for tables and CSV, `object` for JSON.
pub(crate) struct Rows {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<(Vec<String>, Value)>,
}

impl Rows {
    pub(crate) fn new(name: &'static str, columns: &[&'static str]) -> Self {
        Self {
            name,
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, cells: Vec<String>, object: impl Serialize) -> anyhow::Result<()> {
        self.rows.push((cells, serde_json::to_value(object)?));
        Ok(())
    }

    /// Prints in the format; `extra` members join the JSON document.
    pub(crate) fn print(self, format: Format, extra: Vec<(&'static str, Value)>) -> anyhow::Result<()> {
        let mut out = results();
        match format {
            Format::Table => {
                let mut table = comfy_table::Table::new();
                table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
                table.set_header(self.columns);
                for (cells, _) in self.rows {
                    table.add_row(cells.iter().map(|cell| clean(cell)).collect::<Vec<_>>());
                }
                writeln!(out, "{table}")?;
            }
            Format::Json => {
                let mut document = serde_json::Map::new();
                document.insert("schema".into(), SCHEMA.into());
                for (key, value) in extra {
                    document.insert(key.into(), value);
                }
                document.insert(
                    self.name.into(),
                    self.rows.into_iter().map(|(_, object)| object).collect(),
                );
                serde_json::to_writer_pretty(&mut out, &said_unrecorded(Value::Object(document)))?;
                writeln!(out)?;
            }
            Format::Jsonl => {
                for (_, object) in self.rows {
                    serde_json::to_writer(&mut out, &said_unrecorded(object))?;
                    writeln!(out)?;
                }
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(&mut out);
                csv.write_record(&self.columns)?;
                for (cells, _) in self.rows {
                    csv.write_record(cells.iter().map(|cell| defuse(cell)))?;
                }
                csv.flush()?;
            }
        }
        Ok(())
    }
}

/// Puts beside every `..._micros` of a JSON value the same time in RFC 3339: `at` beside `at_micros`, `utc` beside `utc_micros`.
pub(crate) fn with_times(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(with_times),
        Value::Object(object) => {
            object.values_mut().for_each(with_times);
            let times: Vec<(String, String)> = object
                .iter()
                .filter_map(|(key, value)| {
                    let time = jiff::Timestamp::from_microsecond(value.as_i64()?).ok()?;
                    Some((key.strip_suffix("_micros")?.to_owned(), time.to_string()))
                })
                .collect();
            for (key, time) in times {
                object.entry(key).or_insert(Value::String(time));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Text from evidence, safe for a terminal: control characters are shown, not obeyed.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() && letter != '\n' {
                '\u{FFFD}'
            } else {
                letter
            }
        })
        .collect()
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe before it, by the rule of exports.
pub(crate) fn defuse(cell: &str) -> String {
    embley_casework::export::guard::guarded(cell).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_beside_their_microseconds() {
        let mut value = serde_json::json!({"at_micros": 1_500_000, "deep": [{"recorded_at_micros": 0, "utc_micros": null}], "at": {"utc_micros": 0}});
        with_times(&mut value);
        let expected = serde_json::json!({
            "at_micros": 1_500_000, "deep": [{"recorded_at_micros": 0, "recorded_at": "1970-01-01T00:00:00Z", "utc_micros": null}],
            "at": {"utc_micros": 0, "utc": "1970-01-01T00:00:00Z"},
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn formulas_and_control_characters_are_defused() {
        assert_eq!(defuse("=1+1"), "'=1+1");
        assert_eq!(defuse("plain"), "plain");
        assert_eq!(clean("a\u{1b}[31mb"), "a\u{FFFD}[31mb");
    }
}
