//! Importing case-system records: each record that a row should give becomes a new record, a new version of one, an unchanged
//! one, or an exception.
//!
//! `due = new + updated + unchanged + excepted`, in all and by type, counted before any decision and checked at the end. Where
//! columns are named as fields, a row gives one record; a field map may declare several, or none. Not for: numbers,
//! originals, index (`ingest` appends batches); meaning of records (`model::record`).

mod dry_run;
mod opened;
mod read;
mod report;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::error::{CaseworkError, Result};
use crate::links::{LinkCases, LinkSummary};
use crate::mapping::Mapping;
use crate::rows::Row;
use embley_ingest::records::{Appended, RecordBatch, RecordException, RecordItem, RecordSource};
use embley_ingest::{IngestOptions, RecordWriter};
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::{Key128, RunNo};
use embley_model::record::{RecordKey, RecordType};
use embley_store::Case;
use embley_store::facts::{Connection, records};
use jiff::tz::TimeZone;

pub use dry_run::{ColumnUse, DryRun, FieldUse, dry_run};
use opened::Opened;
use read::{How, ReadRecord, ReadRow, read_rows};
use report::REPORTED_EXCEPTIONS;
pub use report::{ImportReport, TypeCounts, UNREADABLE};

/// Rows that are read before they are mapped, on all threads.
const ROWS_AT_ONCE: usize = 4096;

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
    /// The input of the map that the file is; without it, told by the file's name.
    pub input: Option<&'a str>,
    /// The sheet of a workbook, in place of the map's.
    pub sheet: Option<&'a str>,
    /// The type of all rows; needed for CSV whose columns are named as fields, and for JSON Lines whose rows do not say theirs.
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
            input: None,
            sheet: None,
            record_type: None,
            actor,
            zone,
            batch_rows: 50_000,
            batch_bytes: 32 << 20,
        }
    }
}

/// Imports a file.
///
/// # Errors
/// The file or the map cannot be used, or the case refuses. Batches appended before stay; importing again finds them
/// unchanged.
pub fn import(conn: &Connection, sink: &mut dyn RecordSink, request: &ImportRequest<'_>) -> Result<ImportReport> {
    let mut opened = Opened::open(request)?;
    let mut import = Import::new(conn, request, opened.mapping_label(request));
    opened.note_columns(&mut import.report);
    import.run(&mut opened, sink)?;
    if !import.report.closes() {
        return Err(CaseworkError::NotBalanced {
            source_label: import.report.source,
            detail: format!(
                "{} records due, {} new, {} updated, {} unchanged, {} excepted",
                import.report.due,
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
    /// Hashes of the keys of this file that made a version.
    seen: HashSet<u64>,
}

impl<'a> Import<'a> {
    fn new(conn: &'a Connection, request: &'a ImportRequest<'a>, mapping: String) -> Self {
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
            mapping: mapping.clone(),
            bytes: std::fs::metadata(request.path).map_or(0, |stat| stat.len()),
        };
        let batch = empty_batch(&source, request.actor, None);
        Self {
            conn,
            request,
            source,
            report: ImportReport {
                source: label,
                mapping,
                ..ImportReport::default()
            },
            batch,
            batch_bytes: 0,
            in_hand: HashSet::new(),
            derived: HashMap::new(),
            seen: HashSet::new(),
        }
    }

    fn run(&mut self, opened: &mut Opened<'a>, sink: &mut dyn RecordSink) -> Result<()> {
        loop {
            let mut rows: Vec<Row> = Vec::with_capacity(ROWS_AT_ONCE);
            while rows.len() < ROWS_AT_ONCE
                && let Some(row) = opened.rows.next_row()?
            {
                rows.push(row);
            }
            if rows.is_empty() {
                return self.flush(sink, true);
            }
            let how = opened.how(self.request);
            for row in read_rows(rows, &how, self.request) {
                self.take(row, &how, sink)?;
            }
        }
    }

    fn take(&mut self, row: ReadRow, how: &How<'_>, sink: &mut dyn RecordSink) -> Result<()> {
        self.report.rows += 1;
        self.report.rows_without_record += u64::from(row.outcomes.is_empty());
        for record_type in row.not_due {
            self.report.of_type(Some(record_type)).not_due += 1;
        }
        for (vocabulary, word) in row.unknown {
            self.report.count_word(vocabulary, word);
        }
        for outcome in row.outcomes {
            match outcome {
                Ok(read) => {
                    if self.in_hand.contains(&read.key) && !(read.derived && self.derived.contains_key(&read.key)) {
                        self.flush(sink, false)?;
                    }
                    self.count_due(Some(read.key.record_type));
                    self.decide(row.number, *read, how)?;
                }
                Err((record_type, why)) => {
                    self.count_due(record_type);
                    self.except(record_type, row.number, why);
                }
            }
            if self.batch.items.len() >= self.request.batch_rows || self.batch_bytes >= self.request.batch_bytes {
                self.flush(sink, false)?;
            }
        }
        Ok(())
    }

    fn count_due(&mut self, record_type: Option<RecordType>) {
        self.report.count_due(record_type);
        self.batch.rows += 1;
    }

    fn except(&mut self, record_type: Option<RecordType>, number: u64, why: String) {
        self.report.excepted += 1;
        self.report.of_type(record_type).excepted += 1;
        if self.report.exceptions.len() < REPORTED_EXCEPTIONS {
            self.report.exceptions.push((number, why.clone()));
        }
        let defect = Defect::new(DefectCode::RecordRowBad, format!("row {number}: {why}"));
        self.batch.exceptions.push(RecordException {
            source_row: number,
            defect,
        });
    }

    fn keep(&mut self, record_type: RecordType) {
        self.report.unchanged += 1;
        self.report.of_type(Some(record_type)).unchanged += 1;
        self.batch.unchanged += 1;
    }

    /// Says whether a record is new, another version, or as it was.
    fn decide(&mut self, number: u64, read: ReadRecord, how: &How<'_>) -> Result<()> {
        let record_type = read.key.record_type;
        if read.derived
            && let Some((first, held)) = self.derived.get(&read.key)
        {
            if *held == read.content {
                self.keep(record_type);
            } else {
                let why = match how {
                    How::Canonical => "there is no record_id, and the key columns are those of",
                    How::Mapped(_) => "it says otherwise under the same id or key columns than",
                };
                let why = format!("{why} row {first}: \"{}\"", read.key.record_id);
                self.except(Some(record_type), number, why);
            }
            return Ok(());
        }
        if read.derived {
            self.derived.insert(read.key.clone(), (number, read.content));
        }
        let first_here = self.seen.insert(hash_of(&read.key));
        let previous = match records::known(self.conn, &read.key)? {
            Some(known) if known.content == read.content => {
                self.keep(record_type);
                return Ok(());
            }
            Some(known) => {
                self.report.said_otherwise += u64::from(!first_here);
                self.report.updated += 1;
                self.report.of_type(Some(record_type)).updated += 1;
                Some(known.item)
            }
            None => {
                self.report.new += 1;
                self.report.of_type(Some(record_type)).new += 1;
                None
            }
        };
        *self.report.by_type.entry(record_type.word().to_owned()).or_insert(0) += 1;
        for defect in &read.defects {
            let field = defect.detail.split(':').next().unwrap_or_default().to_owned();
            *self.report.unread_fields.entry(field).or_insert(0) += 1;
        }
        let item = RecordItem {
            previous,
            content: read.content,
            title: read.title,
            text: read.text,
            date: read.date,
            case_refs: read.case_refs,
            people: read.people,
            key: read.key,
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

fn hash_of(key: &RecordKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
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
