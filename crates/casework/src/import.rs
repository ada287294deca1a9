//! Importing case-system records: each row becomes a new record, a new version of one, an unchanged one, or an exception.
//!
//! `rows = new + updated + unchanged + excepted`, counted by the reader before any decision and checked at the end. Not for:
//! numbers, originals, index (`ingest` appends batches); meaning of records (`model::record`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use embley_ingest::records::{Appended, RecordBatch, RecordException, RecordItem, RecordSource};
use embley_ingest::{IngestOptions, RecordWriter};
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::{Key128, RunNo};
use embley_model::record::{Record, RecordKey, RecordType, canonical_json};
use embley_store::Case;
use embley_store::facts::{Connection, records};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{CaseworkError, Result};
use crate::links::{LinkCases, LinkSummary};
use crate::mapping::Mapping;
use crate::rows::{Found, Row, Rows, Source};

/// Exceptions that a report holds; all are in the exception register.
const REPORTED_EXCEPTIONS: usize = 20;

/// Takes batches into the case.
pub trait RecordSink {
    /// Appends a batch durably. Afterwards the connection given to [`import`] sees its records.
    ///
    /// # Errors
    /// The batch is not in the case then, or the case was damaged before.
    fn append(&mut self, batch: RecordBatch) -> Result<Appended>;
}

impl RecordSink for RecordWriter<'_> {
    fn append(&mut self, batch: RecordBatch) -> Result<Appended> {
        Ok(RecordWriter::append(self, batch)?)
    }
}

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportRequest<'a> {
    /// The file.
    pub path: &'a Path,
    /// The field map.
    pub mapping: &'a Mapping,
    /// The type of all rows; needed for CSV, and for JSON Lines whose rows do not say theirs.
    pub record_type: Option<RecordType>,
    /// Who imports.
    pub actor: &'a str,
    /// The zone of the case: where a day without a time begins.
    pub zone: &'a TimeZone,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// Bytes of a batch.
    pub batch_bytes: usize,
}

impl<'a> ImportRequest<'a> {
    /// With the usual size of batches.
    pub fn new(path: &'a Path, mapping: &'a Mapping, actor: &'a str, zone: &'a TimeZone) -> Self {
        Self {
            path,
            mapping,
            record_type: None,
            actor,
            zone,
            batch_rows: 50_000,
            batch_bytes: 32 << 20,
        }
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Label of the file.
    pub source: String,
    /// The run.
    pub run: Option<RunNo>,
    /// Rows counted by the reader.
    pub rows: u64,
    /// Rows that are new records.
    pub new: u64,
    /// Rows that are new versions.
    pub updated: u64,
    /// Rows whose record stands in the case as it is here.
    pub unchanged: u64,
    /// Rows without a record.
    pub excepted: u64,
    /// Records new or updated, by type.
    pub by_type: BTreeMap<String, u64>,
    /// Fields that could not be read, by name of the field.
    pub unread_fields: BTreeMap<String, u64>,
    /// The first exceptions: row and reason.
    pub exceptions: Vec<(u64, String)>,
}

impl ImportReport {
    /// True when every row has exactly one outcome.
    pub fn closes(&self) -> bool {
        self.rows == self.new + self.updated + self.unchanged + self.excepted
    }
}

/// Imports a file.
///
/// # Errors
/// The file or the map cannot be used, or the case refuses. Batches appended before stay; importing again finds them
/// unchanged.
pub fn import(conn: &Connection, sink: &mut dyn RecordSink, request: &ImportRequest<'_>) -> Result<ImportReport> {
    let rows = Rows::open(request.path, request.record_type, request.mapping.list_separator)?;
    let mut import = Import::new(conn, request);
    import.run(rows, sink)?;
    if !import.report.closes() {
        return Err(CaseworkError::NotBalanced {
            source_label: import.report.source,
            detail: format!(
                "{} rows, {} new, {} updated, {} unchanged, {} excepted",
                import.report.rows,
                import.report.new,
                import.report.updated,
                import.report.unchanged,
                import.report.excepted
            ),
        });
    }
    Ok(import.report)
}

/// Imports a file into a case folder that is open for writing, and renews the links between items and cases.
///
/// # Errors
/// As [`import`]. When the links fail, the records are in the case and the next ingest or import renews them.
pub fn import_into(
    case: &Case,
    options: &IngestOptions,
    request: &ImportRequest<'_>,
) -> Result<(ImportReport, LinkSummary)> {
    let mut writer = RecordWriter::open(case, options)?;
    let facts = case.facts()?;
    let report = import(facts.connection(), &mut writer, request)?;
    drop(writer);
    let links = LinkCases::renew(case)?;
    Ok((report, links))
}

struct Import<'a> {
    conn: &'a Connection,
    request: &'a ImportRequest<'a>,
    source: RecordSource,
    report: ImportReport,
    batch: RecordBatch,
    batch_bytes: usize,
    /// Keys of the batch in hand: a second row of a record waits until the first is in the case.
    in_hand: HashSet<RecordKey>,
    /// Ids made of key columns in this file: a second row with another content is not told apart by them.
    derived: HashMap<RecordKey, (u64, Key128)>,
}

/// A row that is a record.
struct ReadRow {
    record: Record,
    raw: Vec<u8>,
    defects: Vec<Defect>,
    derived: bool,
}

impl<'a> Import<'a> {
    fn new(conn: &'a Connection, request: &'a ImportRequest<'a>) -> Self {
        let label = request
            .path
            .file_name()
            .unwrap_or(request.path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let absolute = std::path::absolute(request.path).unwrap_or_else(|_| request.path.to_owned());
        let source = RecordSource {
            label: label.clone(),
            absolute: absolute.to_string_lossy().into_owned(),
            mapping: request.mapping.name.clone(),
            bytes: std::fs::metadata(request.path).map_or(0, |stat| stat.len()),
        };
        let batch = empty_batch(&source, request.actor, None);
        Self {
            conn,
            request,
            source,
            report: ImportReport {
                source: label,
                ..ImportReport::default()
            },
            batch,
            batch_bytes: 0,
            in_hand: HashSet::new(),
            derived: HashMap::new(),
        }
    }

    fn run(&mut self, mut rows: Rows, sink: &mut dyn RecordSink) -> Result<()> {
        while let Some(row) = rows.next_row()? {
            let number = row.number;
            match read_row(row, self.request) {
                Ok(read) => {
                    if self.in_hand.contains(&read.record.key) {
                        self.flush(sink, false)?;
                    }
                    self.count_row();
                    self.decide(number, read)?;
                }
                Err(why) => {
                    self.count_row();
                    self.except(number, why);
                }
            }
            if self.batch.items.len() >= self.request.batch_rows || self.batch_bytes >= self.request.batch_bytes {
                self.flush(sink, false)?;
            }
        }
        self.flush(sink, true)
    }

    fn count_row(&mut self) {
        self.report.rows += 1;
        self.batch.rows += 1;
    }

    fn except(&mut self, number: u64, why: String) {
        self.report.excepted += 1;
        if self.report.exceptions.len() < REPORTED_EXCEPTIONS {
            self.report.exceptions.push((number, why.clone()));
        }
        let defect = Defect::new(DefectCode::RecordRowBad, format!("row {number}: {why}"));
        self.batch.exceptions.push(RecordException {
            source_row: number,
            defect,
        });
    }

    fn keep(&mut self) {
        self.report.unchanged += 1;
        self.batch.unchanged += 1;
    }

    /// Says whether a record is new, another version, or as it was.
    fn decide(&mut self, number: u64, read: ReadRow) -> Result<()> {
        let content = records::content_hash(&read.record);
        if read.derived
            && let Some((first, held)) = self.derived.get(&read.record.key)
        {
            if *held == content {
                self.keep();
            } else {
                let why = format!(
                    "there is no record_id, and the key columns are those of row {first}: \"{}\"",
                    read.record.key.record_id
                );
                self.except(number, why);
            }
            return Ok(());
        }
        if read.derived {
            self.derived.insert(read.record.key.clone(), (number, content));
        }
        let previous = match records::known(self.conn, &read.record.key)? {
            Some(known) if known.content == content => {
                self.keep();
                return Ok(());
            }
            Some(known) => {
                self.report.updated += 1;
                Some(known.item)
            }
            None => {
                self.report.new += 1;
                None
            }
        };
        *self
            .report
            .by_type
            .entry(read.record.key.record_type.word().to_owned())
            .or_insert(0) += 1;
        for defect in &read.defects {
            let field = defect.detail.split(':').next().unwrap_or_default().to_owned();
            *self.report.unread_fields.entry(field).or_insert(0) += 1;
        }
        let item = RecordItem {
            previous,
            content,
            title: read.record.title(),
            text: read.record.words(),
            date: read.record.date(self.request.zone),
            case_refs: read.record.case_refs().into_iter().map(str::to_owned).collect(),
            key: read.record.key,
            raw: read.raw,
            defects: read.defects,
            source_row: number,
        };
        self.batch_bytes += item.raw.len() + item.text.len();
        self.in_hand.insert(item.key.clone());
        self.batch.items.push(item);
        Ok(())
    }

    fn flush(&mut self, sink: &mut dyn RecordSink, last: bool) -> Result<()> {
        let next = empty_batch(&self.source, self.request.actor, self.report.run);
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.last = last;
        let sent = batch.items.len();
        if !batch.closes() {
            return Err(self.unbalanced("a batch of rows has not one outcome each".to_owned()));
        }
        let appended = sink.append(batch)?;
        if appended.items.len() != sent {
            return Err(self.unbalanced(format!("{sent} records became {} items", appended.items.len())));
        }
        self.report.run = Some(appended.run);
        self.batch.run = Some(appended.run);
        self.batch_bytes = 0;
        self.in_hand.clear();
        Ok(())
    }

    fn unbalanced(&self, detail: String) -> CaseworkError {
        CaseworkError::NotBalanced {
            source_label: self.report.source.clone(),
            detail,
        }
    }
}

fn empty_batch(source: &RecordSource, actor: &str, run: Option<RunNo>) -> RecordBatch {
    RecordBatch {
        source: source.clone(),
        run,
        last: false,
        actor: actor.to_owned(),
        rows: 0,
        items: Vec::new(),
        unchanged: 0,
        exceptions: Vec::new(),
    }
}

/// A row as a record, or why it is none.
fn read_row(row: Row, request: &ImportRequest<'_>) -> std::result::Result<ReadRow, String> {
    let found = row.found?;
    let (raw, derived) = canonical_form(found, request)?;
    let (record, defects) = Record::read(&raw).map_err(|cause| cause.to_string())?;
    Ok(ReadRow {
        record,
        raw,
        defects,
        derived,
    })
}

/// The bytes that are kept: the line itself when it says all of its key, else the row as canonical JSON with its
/// key, and the row as found under `raw`. True when the id was made of key columns.
fn canonical_form(found: Found, request: &ImportRequest<'_>) -> std::result::Result<(Vec<u8>, bool), String> {
    let mut object = found.object;
    let said_type = key_text(&object, "record_type");
    let record_type = match (&said_type, request.record_type) {
        (Some(word), wanted) => {
            let said = RecordType::from_word(word).ok_or_else(|| format!("record_type \"{word}\" is not known"))?;
            match wanted {
                Some(wanted) if wanted != said => {
                    return Err(format!(
                        "record_type is {}, the import is of {}",
                        said.word(),
                        wanted.word()
                    ));
                }
                Some(_) | None => said,
            }
        }
        (None, Some(wanted)) => wanted,
        (None, None) => return Err("the row has no record_type, and none was given with --type".to_owned()),
    };
    let said_system = key_text(&object, "source_system");
    let said_id = key_text(&object, "record_id");
    if let Source::Line(line) = &found.source
        && said_type.is_some()
        && said_system.is_some()
        && said_id.is_some()
    {
        return Ok((line.clone(), false));
    }
    let derived = said_id.is_none();
    let record_id = match said_id {
        Some(id) => id,
        None => request.mapping.derived_id(record_type, &object)?,
    };
    let source_system = said_system
        .or_else(|| request.mapping.source_system.clone())
        .ok_or_else(|| "the row has no source_system, and the field map declares none".to_owned())?;
    let raw = match found.source {
        Source::Cells(cells) => Value::Object(cells),
        Source::Line(_) => object.remove("raw").unwrap_or_else(|| Value::Object(object.clone())),
    };
    object.insert("raw".to_owned(), raw);
    object.insert("record_type".to_owned(), Value::from(record_type.word()));
    object.insert("source_system".to_owned(), Value::from(source_system));
    object.insert("record_id".to_owned(), Value::from(record_id));
    Ok((canonical_json(&Value::Object(object)).into_bytes(), derived))
}

/// A part of the key as the row says it: a text that is not blank, or a number.
fn key_text(object: &Map<String, Value>, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
