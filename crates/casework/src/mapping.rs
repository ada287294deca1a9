//! Field maps: how the columns of an export become canonical fields. Declared in TOML, never in code.
//!
//! Thin so far: the canonical map, where columns are named as fields, or a file of the same form with another source
//! system, list separator or key columns. Columns of other names come with the map language of a later issue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use embley_model::record::RecordType;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{CaseworkError, Result};

const CANONICAL: &str = include_str!("../../../config/mappings/canonical.toml");
/// The format of field maps that this program reads.
const FORMAT: u32 = 1;

/// A field map, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// The source system of rows that name none.
    pub source_system: Option<String>,
    /// Separates the members of a list in a CSV cell.
    pub list_separator: char,
    /// Columns from which a missing id is made.
    key: BTreeMap<RecordType, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    format: u32,
    name: String,
    source_system: Option<String>,
    #[serde(default = "semicolon")]
    list_separator: char,
    #[serde(default)]
    key: BTreeMap<String, Vec<String>>,
}

fn semicolon() -> char {
    ';'
}

impl Mapping {
    /// The map that is part of the program: columns are named as fields.
    ///
    /// # Errors
    /// The file that the program was built with is wrong; a test holds that it is not.
    pub fn canonical() -> Result<Self> {
        Self::parse("canonical", CANONICAL)
    }

    /// The map called `canonical`, or the one in a file.
    ///
    /// # Errors
    /// There is no such map, or it cannot be used.
    pub fn open(name_or_path: &str) -> Result<Self> {
        if name_or_path == "canonical" {
            return Self::canonical();
        }
        let path = Path::new(name_or_path);
        let text = std::fs::read_to_string(path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                return CaseworkError::Mapping {
                    name: format!("\"{name_or_path}\""),
                    detail: "there is no field map of this name (there is `canonical`) and no such file".to_owned(),
                };
            }
            CaseworkError::Unreadable {
                path: PathBuf::from(path),
                source,
            }
        })?;
        Self::parse(name_or_path, &text)
    }

    /// Reads a map from its text; `name` is for messages.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let refuse = |detail: String| CaseworkError::Mapping {
            name: format!("\"{name}\""),
            detail,
        };
        let file: MappingFile = toml::from_str(text).map_err(|cause| refuse(cause.to_string()))?;
        if file.format != FORMAT {
            return Err(refuse(format!(
                "it has format {}, this program reads format {FORMAT}",
                file.format
            )));
        }
        let mut key = BTreeMap::new();
        for (word, columns) in file.key {
            let record_type =
                RecordType::from_word(&word).ok_or_else(|| refuse(format!("record type \"{word}\" is not known")))?;
            for column in &columns {
                if record_type.field(column).is_none() {
                    return Err(refuse(format!("{word} has no field \"{column}\"")));
                }
            }
            if columns.is_empty() {
                return Err(refuse(format!("the key of {word} has no column")));
            }
            key.insert(record_type, columns);
        }
        Ok(Self {
            name: file.name,
            source_system: file.source_system.filter(|system| !system.trim().is_empty()),
            list_separator: file.list_separator,
            key,
        })
    }

    /// The id of a row without one: the values of its key columns, in their order, joined by `|`.
    ///
    /// # Errors
    /// Says which column is missing, in words for the exception register.
    pub fn derived_id(&self, record_type: RecordType, row: &Map<String, Value>) -> std::result::Result<String, String> {
        let Some(columns) = self.key.get(&record_type) else {
            return Err(format!(
                "there is no record_id, and no key columns are declared for {}",
                record_type.word()
            ));
        };
        let mut parts = Vec::new();
        for column in columns {
            let value = match row.get(column) {
                Some(Value::String(text)) => text.trim().to_owned(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => String::new(),
            };
            if value.is_empty() {
                return Err(format!("there is no record_id, and its key column {column} is empty"));
            }
            parts.push(value.replace('\\', "\\\\").replace('|', "\\|"));
        }
        Ok(parts.join("|"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).expect("the sample is an object")
    }

    #[test]
    fn the_canonical_map_declares_a_key_for_every_type() {
        let map = Mapping::canonical().expect("the shipped map is right");
        for record_type in RecordType::ALL {
            assert!(map.key.contains_key(record_type), "{}", record_type.word());
        }
    }

    #[test]
    fn a_missing_id_is_made_of_all_key_columns_or_not_at_all() {
        let map = Mapping::canonical().expect("the shipped map is right");
        let allegation = RecordType::Allegation;
        let whole = map.derived_id(allegation, &row(r#"{"case_ref":"CM|1","allegation_no":2}"#));
        assert_eq!(whole.as_deref(), Ok("CM\\|1|2"));
        let part = map.derived_id(allegation, &row(r#"{"case_ref":"CM1","allegation_no":" "}"#));
        assert_eq!(
            part,
            Err("there is no record_id, and its key column allegation_no is empty".to_owned())
        );
    }

    #[test]
    fn a_map_that_cannot_be_meant_is_refused_by_name() {
        let check = |text: &str, expected: &str| {
            let said = Mapping::parse("m.toml", text).expect_err("it is wrong").to_string();
            assert!(
                said.contains("m.toml") && said.contains(expected),
                "{said:?} should say {expected:?}"
            );
        };
        check("format = 2\nname = \"m\"", "it has format 2");
        check("format = 1\nname = \"m\"\ncolour = 1", "colour");
        check(
            "format = 1\nname = \"m\"\n[key]\nverdict = [\"a\"]",
            "\"verdict\" is not known",
        );
        check(
            "format = 1\nname = \"m\"\n[key]\ncase = [\"a\"]",
            "case has no field \"a\"",
        );
        assert!(Mapping::open("no-such-map").is_err());
    }
}
