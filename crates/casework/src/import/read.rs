//! Rows to records: everything that can be done to a row without knowing what is in the case. Pure, on several threads.

use embley_model::date::EvidenceDate;
use embley_model::defect::Defect;
use embley_model::id::Key128;
use embley_model::record::{Record, RecordKey, RecordType, canonical_json};
use embley_store::facts::records;
use rayon::prelude::*;
use serde_json::{Map, Value};

use super::ImportRequest;
use crate::mapping::apply::{Applied, Made, Rules, texts};
use crate::rows::{Found, Row, Source};

/// How rows of a file become records.
pub(super) enum How<'a> {
    /// Columns are named as fields.
    Canonical,
    /// By the rules of a map.
    Mapped(Rules<'a>),
}

/// A row, read.
pub(super) struct ReadRow {
    pub(super) number: u64,
    /// The outcome of each record that is due.
    pub(super) outcomes: Vec<Outcome>,
    /// Types of which no record is due.
    pub(super) not_due: Vec<RecordType>,
    /// Words outside their vocabulary.
    pub(super) unknown: Vec<(String, String)>,
}

/// A record, or why there is none.
pub(super) type Outcome = std::result::Result<Box<ReadRecord>, (Option<RecordType>, String)>;

/// A record with everything that a batch needs of it.
pub(super) struct ReadRecord {
    pub(super) key: RecordKey,
    pub(super) raw: Vec<u8>,
    pub(super) content: Key128,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) date: EvidenceDate,
    pub(super) case_refs: Vec<String>,
    pub(super) people: Vec<String>,
    pub(super) defects: Vec<Defect>,
    /// True when other rows of the file with this id must say the same.
    pub(super) derived: bool,
}

/// Reads rows, in their order.
pub(super) fn read_rows(rows: Vec<Row>, how: &How<'_>, request: &ImportRequest<'_>) -> Vec<ReadRow> {
    rows.into_par_iter()
        .with_min_len(64)
        .map(|row| match how {
            How::Canonical => canonical(row, request),
            How::Mapped(rules) => mapped(row, rules, request),
        })
        .collect()
}

fn canonical(row: Row, request: &ImportRequest<'_>) -> ReadRow {
    let number = row.number;
    let outcome = row.found.map_err(|why| (None, why)).and_then(|found| {
        let (raw, derived) = canonical_form(found, request)?;
        let (record, defects) = Record::read(&raw).map_err(|cause| (None, cause.to_string()))?;
        Ok(finished(record, raw, defects, derived, request))
    });
    ReadRow {
        number,
        outcomes: vec![outcome],
        not_due: Vec::new(),
        unknown: Vec::new(),
    }
}

fn mapped(row: Row, rules: &Rules<'_>, request: &ImportRequest<'_>) -> ReadRow {
    let mut read = ReadRow {
        number: row.number,
        outcomes: Vec::new(),
        not_due: Vec::new(),
        unknown: Vec::new(),
    };
    let found = match row.found {
        Ok(found) => found,
        Err(why) => {
            read.outcomes.push(Err((None, why)));
            return read;
        }
    };
    let cells = match found.source {
        Source::Cells(cells) => cells,
        Source::Line(_) => texts(&found.object),
    };
    for applied in rules.apply(row.number, &cells) {
        match applied {
            Applied::NotDue(record_type) => read.not_due.push(record_type),
            Applied::Refused(record_type, why) => read.outcomes.push(Err((Some(record_type), why))),
            Applied::Made(Made {
                record_type,
                derived,
                object,
                unknown,
            }) => {
                read.unknown.extend(unknown);
                let raw = canonical_json(&Value::Object(object.clone())).into_bytes();
                let outcome = Record::from_object(object).map_err(|cause| (Some(record_type), cause.to_string()));
                let outcome = outcome.map(|(record, defects)| finished(record, raw, defects, derived, request));
                read.outcomes.push(outcome);
            }
        }
    }
    read
}

fn finished(
    record: Record,
    raw: Vec<u8>,
    defects: Vec<Defect>,
    derived: bool,
    request: &ImportRequest<'_>,
) -> Box<ReadRecord> {
    Box::new(ReadRecord {
        content: records::content_hash(&record),
        title: record.title(),
        text: record.words(),
        date: record.date(request.zone),
        case_refs: record.case_refs().into_iter().map(str::to_owned).collect(),
        people: record.people().into_iter().map(str::to_owned).collect(),
        key: record.key,
        raw,
        defects,
        derived,
    })
}

/// The bytes that are kept: the line itself when it says all of its key, else the row as canonical JSON with its
/// key, and the row as found under `raw`. True when the id was made of key columns.
fn canonical_form(
    found: Found,
    request: &ImportRequest<'_>,
) -> std::result::Result<(Vec<u8>, bool), (Option<RecordType>, String)> {
    let mut object = found.object;
    let said_type = key_text(&object, "record_type");
    let record_type = match (&said_type, request.record_type) {
        (Some(word), wanted) => {
            let said =
                RecordType::from_word(word).ok_or_else(|| (None, format!("record_type \"{word}\" is not known")))?;
            match wanted {
                Some(wanted) if wanted != said => {
                    let why = format!("record_type is {}, the import is of {}", said.word(), wanted.word());
                    return Err((Some(said), why));
                }
                Some(_) | None => said,
            }
        }
        (None, Some(wanted)) => wanted,
        (None, None) => {
            let why = "the row has no record_type, and none was given with --type";
            return Err((None, why.to_owned()));
        }
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
    let refused = |why: String| (Some(record_type), why);
    let derived = said_id.is_none();
    let record_id = match said_id {
        Some(id) => id,
        None => request.mapping.derived_id(record_type, &object).map_err(refused)?,
    };
    let source_system = said_system
        .or_else(|| request.mapping.source_system.clone())
        .ok_or_else(|| refused("the row has no source_system, and the field map declares none".to_owned()))?;
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
