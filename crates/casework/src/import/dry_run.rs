//! What an import would do, row by row, with nothing written: what maps to what, and what does not.

use std::collections::{BTreeMap, HashMap};

use embley_model::id::Key128;
use embley_model::record::{Record, RecordKey};
use embley_store::facts::{Connection, records};
use serde::Serialize;
use serde_json::Value;

use super::opened::Opened;
use super::read::{Outcome, read_rows};
use super::report::REPORTED_EXCEPTIONS;
use super::{ImportReport, ImportRequest, ROWS_AT_ONCE};
use crate::error::Result;
use crate::rows::{Row, Source};

/// Samples of a column or field.
const SAMPLES: usize = 3;
/// Characters of a sample.
const SAMPLE_CHARS: usize = 60;
/// Columns and fields that are told apart: lines of JSON may name any number.
const USES: usize = 5_000;

/// What an import would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DryRun {
    /// The sums: `new`, `updated` and `unchanged` as against the case given.
    pub report: ImportReport,
    /// The columns of the file, in their order.
    pub columns: Vec<ColumnUse>,
    /// The fields of the records that would be made, by type and name.
    pub fields: Vec<FieldUse>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnUse {
    /// Its name.
    pub column: String,
    /// The fields that it fills or helps to fill, as `type.field`; empty when no rule reads it.
    pub fills: Vec<String>,
    /// Rows in which it says something.
    pub filled: u64,
    /// Some of its texts.
    pub samples: Vec<String>,
}

/// A field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldUse {
    /// The record's type.
    pub record_type: String,
    /// Its name.
    pub field: String,
    /// False for a name that the type does not have: the field is kept and searched, and nothing reasons with it.
    pub known: bool,
    /// Records that have it, readable or not.
    pub filled: u64,
    /// Records in which it could not be read as its type.
    pub unread: u64,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Some of the values that could not be read.
    pub unread_samples: Vec<String>,
}

/// Reads a file as an import would. `conn` is the case's catalogue; without one every record is new.
///
/// # Errors
/// The file or the map cannot be used. Nothing is written in any case.
pub fn dry_run(conn: Option<&Connection>, request: &ImportRequest<'_>) -> Result<DryRun> {
    let mut opened = Opened::open(request)?;
    let mut run = Run {
        conn,
        seen: HashMap::new(),
        columns: opened
            .rows
            .columns()
            .iter()
            .map(|name| (name.clone(), Use::default()))
            .collect(),
        order: opened.rows.columns().to_vec(),
        fields: BTreeMap::new(),
        report: ImportReport {
            source: request
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            mapping: opened.mapping_label(request),
            ..ImportReport::default()
        },
    };
    opened.note_columns(&mut run.report);
    loop {
        let mut rows: Vec<Row> = Vec::new();
        while rows.len() < ROWS_AT_ONCE
            && let Some(row) = opened.rows.next_row()?
        {
            run.look(&row);
            rows.push(row);
        }
        if rows.is_empty() {
            break;
        }
        let how = opened.how(request);
        for row in read_rows(rows, &how, request) {
            run.report.rows += 1;
            run.report.rows_without_record += u64::from(row.outcomes.is_empty());
            for record_type in row.not_due {
                run.report.of_type(Some(record_type)).not_due += 1;
            }
            for (vocabulary, word) in row.unknown {
                run.report.count_word(vocabulary, word);
            }
            for outcome in row.outcomes {
                run.decide(row.number, outcome)?;
            }
        }
    }
    Ok(run.finish(&opened, request))
}

#[derive(Default)]
struct Use {
    filled: u64,
    samples: Vec<String>,
}

impl Use {
    fn count(&mut self, text: &str) {
        self.filled += 1;
        sample(&mut self.samples, text);
    }
}

fn sample(samples: &mut Vec<String>, text: &str) {
    if samples.len() < SAMPLES {
        let short: String = text.trim().chars().take(SAMPLE_CHARS).collect();
        if !samples.contains(&short) {
            samples.push(short);
        }
    }
}

struct Run<'a> {
    conn: Option<&'a Connection>,
    seen: HashMap<RecordKey, (u64, Key128)>,
    columns: HashMap<String, Use>,
    order: Vec<String>,
    fields: BTreeMap<(String, String), FieldUse>,
    report: ImportReport,
}

impl Run<'_> {
    /// Counts what the columns of a row say.
    fn look(&mut self, row: &Row) {
        let Ok(found) = &row.found else {
            return;
        };
        let cells = match &found.source {
            Source::Cells(cells) => cells,
            Source::Line(_) => &found.object,
        };
        for (name, value) in cells {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            if !self.columns.contains_key(name) {
                if self.columns.len() >= USES {
                    continue;
                }
                self.order.push(name.clone());
                self.columns.insert(name.clone(), Use::default());
            }
            if !text.trim().is_empty()
                && let Some(used) = self.columns.get_mut(name)
            {
                used.count(&text);
            }
        }
    }

    fn decide(&mut self, number: u64, outcome: Outcome) -> Result<()> {
        let read = match outcome {
            Ok(read) => read,
            Err((record_type, why)) => {
                self.report.count_due(record_type);
                self.except(record_type, number, why);
                return Ok(());
            }
        };
        let record_type = read.key.record_type;
        self.report.count_due(Some(record_type));
        if let Ok((record, _)) = Record::read(&read.raw) {
            self.count_fields(&record);
        }
        let before = match self.seen.get(&read.key) {
            Some((first, held)) if read.derived && *held != read.content => {
                let why = format!(
                    "it says otherwise under the same id or key columns than row {first}: \"{}\"",
                    read.key.record_id
                );
                self.except(Some(record_type), number, why);
                return Ok(());
            }
            Some((_, held)) => Some(*held),
            None => match self.conn {
                Some(conn) => records::known(conn, &read.key)?.map(|known| known.content),
                None => None,
            },
        };
        let (all, of_type): (&mut u64, fn(&mut super::TypeCounts) -> &mut u64) = match before {
            None => (&mut self.report.new, |counts| &mut counts.new),
            Some(content) if content == read.content => (&mut self.report.unchanged, |counts| &mut counts.unchanged),
            Some(_) => (&mut self.report.updated, |counts| &mut counts.updated),
        };
        *all += 1;
        *of_type(self.report.of_type(Some(record_type))) += 1;
        self.seen.insert(read.key, (number, read.content));
        Ok(())
    }

    fn except(&mut self, record_type: Option<embley_model::record::RecordType>, number: u64, why: String) {
        self.report.excepted += 1;
        self.report.of_type(record_type).excepted += 1;
        if self.report.exceptions.len() < REPORTED_EXCEPTIONS {
            self.report.exceptions.push((number, why));
        }
    }

    fn count_fields(&mut self, record: &Record) {
        let word = record.key.record_type.word();
        let parts = [
            (&record.fields, true, false),
            (&record.extra, false, false),
            (&record.unread, true, true),
        ];
        for (fields, known, unread) in parts {
            for (name, value) in fields.iter().filter(|(name, _)| *name != "source_row") {
                let key = (word.to_owned(), name.clone());
                if !self.fields.contains_key(&key) && self.fields.len() >= USES {
                    continue;
                }
                let used = self.fields.entry(key).or_insert_with(|| FieldUse {
                    record_type: word.to_owned(),
                    field: name.clone(),
                    known,
                    ..FieldUse::default()
                });
                used.filled += 1;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if unread {
                    used.unread += 1;
                    *self.report.unread_fields.entry(name.clone()).or_insert(0) += 1;
                    sample(&mut used.unread_samples, &text);
                } else {
                    sample(&mut used.samples, &text);
                }
            }
        }
    }

    fn finish(self, opened: &Opened<'_>, request: &ImportRequest<'_>) -> DryRun {
        let mut columns = self.columns;
        let uses = self.order.into_iter().map(|column| {
            let used = columns.remove(&column).unwrap_or_default();
            ColumnUse {
                fills: fills(&column, opened, request),
                column,
                filled: used.filled,
                samples: used.samples,
            }
        });
        DryRun {
            columns: uses.collect(),
            fields: self.fields.into_values().collect(),
            report: self.report,
        }
    }
}

/// The fields that a column helps to fill.
fn fills(column: &str, opened: &Opened<'_>, request: &ImportRequest<'_>) -> Vec<String> {
    let Some(input) = opened.input() else {
        let known = request
            .record_type
            .is_none_or(|record_type| record_type.field(column).is_some());
        return if known { vec![column.to_owned()] } else { Vec::new() };
    };
    let mut all = Vec::new();
    for rule in &input.records {
        let word = rule.record_type.word();
        let of_id = rule.id.iter().flat_map(crate::mapping::Template::columns);
        if of_id
            .chain(rule.key.iter().map(String::as_str))
            .any(|name| name == column)
        {
            all.push(format!("{word}.record_id"));
        }
        if rule.when.iter().any(|when| when.columns().any(|name| name == column)) {
            all.push(format!("{word} (whether there is one)"));
        }
        let fields = rule
            .fields
            .iter()
            .filter(|(_, field)| field.columns().contains(&column));
        all.extend(fields.map(|(name, _)| format!("{word}.{name}")));
    }
    for join in &input.joins {
        if join.on.columns().any(|name| name == column) {
            all.push(format!("join {}", join.name));
        }
    }
    all.dedup();
    all
}
