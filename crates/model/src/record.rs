//! Case-system records in their canonical form (DOMAIN section 7): one JSON object a record.
//!
//! [`Record::read`] is the only way from bytes to a record. It is pure: the importer, `reindex`, snippets and
//! timelines all call it on the same bytes and get the same fields, words, date and defects.
//! Not for: files, CSV, field maps (`casework`), numbers of items (`ingest`).
//! Invariant: a value that cannot be read as its type is a defect and stays in [`Record::unread`] as it was;
//! nothing of the source is dropped, and `migrated_at` is never read as a date of recording or of the event.

mod json;
mod people;
mod render;
mod schema;
mod time;
mod typed;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::defect::{Defect, DefectCode};

pub use json::canonical_json;
pub use schema::{FieldKind, FieldSpec, RecordType};
pub use time::RecordTime;
pub use typed::{Alias, CaseRecord, Decision, Person, RoleAppointment, Typed};

/// What identifies a record, never a hash of it: an update has the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The system that the export came from, such as `tribune`.
    pub source_system: String,
    /// The type.
    pub record_type: RecordType,
    /// The id within that system and type; derived from declared key columns when the export has none.
    pub record_id: String,
}

impl RecordKey {
    /// The printed id: a short prefix of the type, the system, the id, as in `dec:tribune/D-17`.
    pub fn display(&self) -> String {
        format!(
            "{}:{}/{}",
            self.record_type.prefix(),
            self.source_system,
            self.record_id
        )
    }
}

/// Why bytes are not a record: the row becomes an exception (`REC-ROW`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotARecord {
    /// The bytes are not UTF-8.
    #[error("the row is not UTF-8 text (byte {valid_up_to})")]
    NotText {
        /// Bytes that could be read.
        valid_up_to: usize,
    },
    /// The text is not a JSON object.
    #[error("the row is not a JSON object: {cause}")]
    NotAnObject {
        /// What the JSON reader said.
        cause: String,
    },
    /// There is no `record_type`, or it is not a text.
    #[error("the row has no record_type")]
    NoType,
    /// The `record_type` is not one of DOMAIN section 7.
    #[error("record_type \"{found}\" is not known")]
    UnknownType {
        /// The text found.
        found: String,
    },
    /// A part of the key is missing.
    #[error("the row has no {part}")]
    NoKey {
        /// `source_system` or `record_id`.
        part: &'static str,
    },
}

/// A record, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its key.
    pub key: RecordKey,
    /// Envelope fields and fields of its type that could be read, by name, in the form of their type.
    pub fields: Map<String, Value>,
    /// Fields that its type does not know, as found.
    pub extra: Map<String, Value>,
    /// Fields that could not be read as their type, as found.
    pub unread: Map<String, Value>,
    /// All source columns, untouched, when the export had any.
    pub raw: Map<String, Value>,
}

impl Record {
    /// Reads the canonical form: one JSON object with `record_type`, `source_system` and `record_id`.
    ///
    /// # Errors
    /// Says why the bytes are not a record at all. Single fields never cause an error: they are defects.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<Defect>), NotARecord> {
        let text = std::str::from_utf8(bytes).map_err(|cause| NotARecord::NotText {
            valid_up_to: cause.valid_up_to(),
        })?;
        let value: Value =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|cause| NotARecord::NotAnObject {
                cause: cause.to_string(),
            })?;
        match value {
            Value::Object(object) => Self::from_object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(NotARecord::NotAnObject {
                    cause: "it is another JSON value".to_owned(),
                })
            }
        }
    }

    /// The same from an object already read.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn from_object(mut object: Map<String, Value>) -> Result<(Self, Vec<Defect>), NotARecord> {
        let type_word = take_text(&mut object, "record_type").ok_or(NotARecord::NoType)?;
        let record_type = RecordType::from_word(&type_word).ok_or(NotARecord::UnknownType { found: type_word })?;
        let source_system =
            take_text(&mut object, "source_system").ok_or(NotARecord::NoKey { part: "source_system" })?;
        let record_id = take_text(&mut object, "record_id").ok_or(NotARecord::NoKey { part: "record_id" })?;
        let raw = match object.remove("raw") {
            Some(Value::Object(raw)) => raw,
            Some(other) => Map::from_iter([("raw".to_owned(), other)]),
            None => Map::new(),
        };
        let mut record = Self {
            key: RecordKey {
                source_system,
                record_type,
                record_id,
            },
            fields: Map::new(),
            extra: Map::new(),
            unread: Map::new(),
            raw,
        };
        let defects = record.sort_fields(object);
        Ok((record, defects))
    }

    /// Puts every field where it belongs; tells which could not be read, in the order of their names.
    fn sort_fields(&mut self, object: Map<String, Value>) -> Vec<Defect> {
        let mut fields: Vec<(String, Value)> = object.into_iter().filter(|(_, value)| !is_blank(value)).collect();
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        let mut defects = Vec::new();
        for (name, value) in fields {
            let Some(kind) = self.key.record_type.field(&name) else {
                self.extra.insert(name, value);
                continue;
            };
            match schema::check(kind, &value) {
                schema::Checked::Good(checked) => {
                    self.fields.insert(name, checked);
                }
                schema::Checked::Odd(checked, why) => {
                    defects.push(field_defect(&name, why));
                    self.fields.insert(name, checked);
                }
                schema::Checked::Bad(why) => {
                    defects.push(field_defect(&name, &why));
                    self.unread.insert(name, value);
                }
            }
        }
        defects
    }

    /// A readable text field.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// A readable list of texts; empty when there is none.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.fields
            .get(name)
            .and_then(Value::as_array)
            .map(|values| values.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    /// A readable time.
    pub fn time(&self, name: &str) -> Option<RecordTime> {
        self.text(name).and_then(RecordTime::parse)
    }

    /// The case references by which the record belongs to a case: `case_ref`, then the source's own form of it.
    pub fn case_refs(&self) -> Vec<&str> {
        let mut refs = Vec::new();
        for name in ["case_ref", "source_case_ref"] {
            if let Some(case_ref) = self.text(name)
                && !refs.contains(&case_ref)
            {
                refs.push(case_ref);
            }
        }
        refs
    }

    /// What a later row must equal to be `unchanged`, keys sorted: everything but the row number in its file, and but
    /// raw columns that are there as a field already. So CSV and JSON Lines of one record are the same content.
    pub fn content(&self) -> String {
        let mut all = self.fields.clone();
        all.remove("source_row");
        let more = self
            .raw
            .iter()
            .filter(|(name, value)| !is_blank(value) && !self.holds(name));
        let raw: Map<String, Value> = more.map(|(name, value)| (name.clone(), value.clone())).collect();
        let parts = [
            ("fields", Value::Object(all)),
            ("extra", Value::Object(self.extra.clone())),
            ("unread", Value::Object(self.unread.clone())),
            ("raw", Value::Object(raw)),
        ];
        canonical_json(&Value::Object(
            parts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        ))
    }
}

impl Record {
    /// True for the name of a part of the key or of any field, readable or not.
    fn holds(&self, name: &str) -> bool {
        matches!(name, "record_type" | "source_system" | "record_id")
            || [&self.fields, &self.extra, &self.unread]
                .iter()
                .any(|part| part.contains_key(name))
    }
}

fn field_defect(name: &str, why: &str) -> Defect {
    Defect::new(DefectCode::RecordFieldBad, format!("{name}: {why}"))
}

/// Null, empty text and empty lists say nothing.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Takes a part of the key: a text that is not blank, or a whole number as its digits.
fn take_text(object: &mut Map<String, Value>, name: &str) -> Option<String> {
    match object.remove(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Record, Vec<Defect>) {
        Record::read(text.as_bytes()).expect("the sample is a record")
    }

    #[test]
    fn a_field_that_cannot_be_read_is_a_defect_and_keeps_its_value() {
        let (record, defects) = read(
            r#"{"record_type":"decision","source_system":"t","record_id":"D-1","decided_at":"next Tuesday","outcome":"x"}"#,
        );
        assert_eq!(record.time("decided_at"), None);
        assert_eq!(record.unread["decided_at"], "next Tuesday");
        assert_eq!(record.text("outcome"), Some("x"));
        assert_eq!(defects.len(), 1);
        assert_eq!(defects[0].code, DefectCode::RecordFieldBad);
        assert!(defects[0].detail.starts_with("decided_at: "), "{}", defects[0].detail);
    }

    #[test]
    fn a_time_without_an_offset_is_not_guessed() {
        let (record, defects) = read(
            r#"{"record_type":"decision","source_system":"t","record_id":"1","decided_at":"2019-03-04T10:00:00"}"#,
        );
        assert!(record.time("decided_at").is_none());
        assert_eq!(defects.len(), 1);
    }

    #[test]
    fn bytes_that_are_no_record_say_why() {
        let check = |text: &str, expected: &str| {
            let said = Record::read(text.as_bytes()).expect_err("not a record").to_string();
            assert!(said.contains(expected), "{said:?} should say {expected:?}");
        };
        check("[1]", "not a JSON object");
        check("{", "not a JSON object");
        check("{}", "no record_type");
        check(r#"{"record_type":"verdict"}"#, "record_type \"verdict\" is not known");
        check(r#"{"record_type":"case","record_id":"1"}"#, "no source_system");
        check(
            r#"{"record_type":"case","source_system":"t","record_id":" "}"#,
            "no record_id",
        );
        assert_eq!(
            Record::read(b"{\xff").expect_err("not text").to_string(),
            "the row is not UTF-8 text (byte 1)"
        );
    }

    #[test]
    fn unknown_fields_and_raw_columns_are_kept_as_found() {
        let (record, defects) = read(
            r#"{"record_type":"case","source_system":"t","record_id":7,"case_ref":"CM/1/19","Their Col":"x","raw":{"A":" 1 "}}"#,
        );
        assert_eq!(record.key.record_id, "7");
        assert_eq!(record.extra["Their Col"], "x");
        assert_eq!(record.raw["A"], " 1 ");
        assert!(defects.is_empty());
    }

    #[test]
    fn the_row_number_alone_is_no_change() {
        let (one, _) =
            read(r#"{"record_type":"case","source_system":"t","record_id":"7","source_row":3,"status":"open"}"#);
        let (two, _) =
            read(r#"{"status":"open","record_id":"7","record_type":"case","source_system":"t","source_row":9}"#);
        let (three, _) = read(r#"{"record_type":"case","source_system":"t","record_id":"7","status":"closed"}"#);
        assert_eq!(one.content(), two.content());
        assert_ne!(one.content(), three.content());
    }

    #[test]
    fn raw_columns_that_are_fields_are_no_change_and_others_are() {
        let line = r#"{"record_type":"case","source_system":"t","record_id":"7","schedule_3":true,"status":"open""#;
        let (one, _) = read(&format!("{line}}}"));
        let cells = r#""raw":{"record_id":"7","schedule_3":"Yes","status":" open","handling":" ""#;
        let (two, _) = read(&format!("{line},{cells}}}}}"));
        let (three, _) = read(&format!("{line},{cells},\"Unmapped\":\"x\"}}}}"));
        assert_eq!(one.content(), two.content());
        assert_ne!(one.content(), three.content());
    }

    #[test]
    fn the_printed_key_has_a_short_prefix() {
        let (record, _) = read(r#"{"record_type":"decision","source_system":"tribune","record_id":"D-17"}"#);
        assert_eq!(record.key.display(), "dec:tribune/D-17");
    }
}
