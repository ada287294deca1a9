//! Lists of items as CSV (RFC 4180, UTF-8 with CR LF, cells guarded) and as JSON Lines.

use embley_model::address::Role;
use embley_store::outgoing::Outgoing;
use serde_json::{Value, json};

use super::entry::Entry;
use super::guard::{RULE, guarded};
use super::record::Record;
use super::table::columns;
use super::writer::{FormWriter, Lines};
use crate::error::Result;

/// Name of the list in CSV.
pub(super) const CSV: &str = "items.csv";
const JSONL: &str = "items.jsonl";

/// `items.csv`.
pub(super) struct CsvList {
    lines: Lines,
    with_files: bool,
}

impl CsvList {
    /// Begins it with the line of columns.
    pub(super) fn begin(out: &mut Outgoing, with_files: bool) -> Result<Self> {
        let mut lines = Lines::create(out, CSV)?;
        lines.add(&csv_line(columns(with_files).map(|column| column.name.to_owned())))?;
        Ok(Self { lines, with_files })
    }
}

impl FormWriter for CsvList {
    fn entry(&mut self, _out: &mut Outgoing, entry: &Entry) -> Result<()> {
        let cells = columns(self.with_files).map(|column| (column.cell)(entry));
        self.lines.add(&csv_line(cells))
    }

    fn finish(self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()> {
        record.conventions.insert("csv".to_owned(), RULE.into());
        self.lines.close(out)
    }
}

/// A line of CSV: every cell guarded, quoted where it must be.
pub(crate) fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            line.push(',');
        }
        let cell = guarded(&cell);
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push_str("\r\n");
    line
}

/// `items.jsonl`: the fields of a hit and those that an export adds.
pub(super) struct JsonList {
    lines: Lines,
}

impl JsonList {
    /// Begins it.
    pub(super) fn begin(out: &mut Outgoing) -> Result<Self> {
        Ok(Self {
            lines: Lines::create(out, JSONL)?,
        })
    }
}

impl FormWriter for JsonList {
    fn entry(&mut self, _out: &mut Outgoing, entry: &Entry) -> Result<()> {
        let mut line = object(entry).to_string();
        line.push('\n');
        self.lines.add(&line)
    }

    fn finish(self: Box<Self>, out: &mut Outgoing, _record: &mut Record) -> Result<()> {
        self.lines.close(out)
    }
}

/// An item as JSON.
pub(super) fn object(entry: &Entry) -> Value {
    let mut value = json!({
        "control": entry.control,
        "family_begin": entry.family.0,
        "family_end": entry.family.1,
        "parent_control": entry.parent,
        "attachments": entry.attachments,
    });
    let hit = serde_json::to_value(&entry.hit).unwrap_or_default();
    if let (Value::Object(all), Value::Object(hit)) = (&mut value, hit) {
        for (name, member) in hit {
            if !matches!(name.as_str(), "score" | "snippets") {
                all.insert(name, member);
            }
        }
        all.insert("cc".to_owned(), json!(entry.addresses(Role::Cc)));
        all.insert("bcc".to_owned(), json!(entry.addresses(Role::Bcc)));
        all.insert("in_reply_to".to_owned(), json!(entry.row.in_reply_to));
        all.insert("references".to_owned(), json!(entry.row.references));
        all.insert("mih".to_owned(), json!(entry.mih()));
        all.insert("labels".to_owned(), json!(entry.row.labels));
        all.insert("paths".to_owned(), json!(entry.paths));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_guarded_and_quoted() {
        let cells = ["a", "=1", "b,c", "say \"x\"", "line\nend", "", " x"].map(str::to_owned);
        assert_eq!(
            csv_line(cells.into_iter()),
            "a,'=1,\"b,c\",\"say \"\"x\"\"\",\"line\nend\",,\" x\"\r\n"
        );
    }
}
