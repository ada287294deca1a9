//! Printing lists: one shape for tables, JSON, JSON Lines and CSV.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use crate::args::Format;

/// Version of every JSON form.
pub(crate) const SCHEMA: u32 = 1;

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
        let mut out = std::io::stdout().lock();
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
                serde_json::to_writer_pretty(&mut out, &Value::Object(document))?;
                writeln!(out)?;
            }
            Format::Jsonl => {
                for (_, object) in self.rows {
                    serde_json::to_writer(&mut out, &object)?;
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

/// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
pub(crate) fn defuse(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_control_characters_are_defused() {
        assert_eq!(defuse("=1+1"), "'=1+1");
        assert_eq!(defuse("plain"), "plain");
        assert_eq!(clean("a\u{1b}[31mb"), "a\u{FFFD}[31mb");
    }
}
