//! What a record said in each import, field by field.
//!
//! Every version of a record is kept as it was imported; a change that its own system does not tell is seen here. Main function: [`history`].
//! Not for: whether a change was right, or when it was made; only between which two imports. Invariant: every difference between two versions
//! that follow one another is listed, those of source columns that no rule reads among them.

use std::collections::BTreeMap;

use embley_model::date::rfc3339;
use embley_model::id::ItemNo;
use embley_model::record::Record;
use embley_store::facts::{Connection, records};
use serde::Serialize;
use serde_json::Value;

use crate::error::Result;

/// A field that says something else than in the version before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The field; `raw.COLUMN` for a column of the source.
    pub field: String,
    /// As it was; `None` when it said nothing.
    pub before: Option<Value>,
    /// As it is; `None` when it says nothing.
    pub after: Option<Value>,
}

impl Change {
    /// True for a field of the record itself that said something before.
    pub fn replaces(&self) -> bool {
        self.before.is_some() && !self.field.starts_with("raw.")
    }

    /// `outcome "A" became "B"`.
    pub fn spoken(&self) -> String {
        let said = |value: &Option<Value>| match value {
            None => "nothing".to_owned(),
            Some(Value::String(text)) => format!("\"{text}\""),
            Some(other) => other.to_string(),
        };
        format!(
            "{} {} became {}",
            self.field.replace('_', " "),
            said(&self.before),
            said(&self.after)
        )
    }
}

/// A version, and what is other in it than in the one before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Version {
    /// Its number, from 1.
    pub version: u32,
    /// When it was imported, RFC 3339 UTC.
    pub imported_at: String,
    /// The run that imported it.
    pub run: u32,
    /// Label of the file.
    pub source: String,
    /// Row in the file.
    pub source_row: u64,
    /// Against the version before; empty for the first.
    pub changes: Vec<Change>,
    /// The columns of the source are those of the version before: only the field map read them in another way.
    pub same_columns: bool,
}

/// All versions of the record that is an item, oldest first; empty when it is none.
///
/// # Errors
/// The catalogue refuses or is damaged.
pub fn history(conn: &Connection, item: ItemNo) -> Result<Vec<Version>> {
    let mut all: Vec<Version> = Vec::new();
    let mut before: Option<Record> = None;
    for stored in records::versions(conn, item)? {
        let record = stored.record()?;
        let (changes, same_columns) = before
            .as_ref()
            .map_or_else(Default::default, |before| compare(before, &record));
        all.push(Version {
            version: stored.version,
            imported_at: rfc3339(stored.imported_at_micros.div_euclid(1_000_000)).unwrap_or_default(),
            run: stored.run.0,
            source: stored.source,
            source_row: stored.source_row,
            changes,
            same_columns,
        });
        before = Some(record);
    }
    Ok(all)
}

/// The differences, and whether the columns of the source are the same in both.
fn compare(before: &Record, after: &Record) -> (Vec<Change>, bool) {
    let (one, other) = (said(before), said(after));
    let mut fields: Vec<&String> = one.keys().chain(other.keys()).collect();
    fields.sort_unstable();
    fields.dedup();
    let changes = fields
        .into_iter()
        .filter(|field| one.get(*field) != other.get(*field))
        .map(|field| Change {
            field: field.clone(),
            before: one.get(field).map(|value| (*value).clone()),
            after: other.get(field).map(|value| (*value).clone()),
        })
        .collect();
    (changes, !before.raw.is_empty() && before.raw == after.raw)
}

/// What a record says, by field; the row's own number in its file is no content.
fn said(record: &Record) -> BTreeMap<String, &Value> {
    let own = [&record.fields, &record.extra, &record.unread].into_iter().flatten();
    let own = own
        .filter(|(name, _)| *name != "source_row")
        .map(|(name, value)| (name.clone(), value));
    let raw = record.raw.iter().map(|(name, value)| (format!("raw.{name}"), value));
    own.chain(raw).filter(|(_, value)| !value.is_null()).collect()
}
