//! Field maps: how the columns of an export become canonical fields. Declared in TOML, never in code.
//!
//! Format 1 is the canonical form, where columns are named as fields. Format 2 adds inputs: for each file of an export
//! which records a row gives and what fills their fields (`rule`), texts made of columns (`template`), dates (`date`),
//! vocabularies, and columns of other files by key (`join`). The language is described in docs/records.md. Invariant: a map is checked
//! whole before a row is read; a word, date or number that it does not cover stays as it was and is counted.

pub mod apply;
mod date;
mod file;
pub mod join;
mod rule;
mod shipped;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use embley_model::record::RecordType;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::error::{CaseworkError, Result};

pub use rule::{Condition, FieldRule, Filling, RecordRule};
pub use shipped::{SHIPPED, Shipped};
pub use template::Template;

/// A field map, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// What it maps, in a sentence or two; empty when the file does not say.
    pub about: String,
    /// The source system of rows that name none.
    pub source_system: Option<String>,
    /// Separates the members of a list in a CSV cell.
    pub list_separator: char,
    /// The zone in which times without an offset are meant.
    pub zone: Option<TimeZone>,
    /// Formats in which dates are tried, in their order.
    pub dates: Vec<String>,
    /// Cells that say nothing.
    pub empty: Vec<String>,
    /// Vocabularies: for each the canonical word of a source word, folded.
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// The files of the export; none when columns are named as fields.
    pub inputs: Vec<Input>,
    /// Columns from which a missing id is made.
    key: BTreeMap<RecordType, Vec<String>>,
}

/// One kind of file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name, for `--input`.
    pub name: String,
    /// Patterns of its file name, with `*` and `?`.
    pub files: Vec<String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The row of the header, from 1.
    pub header_row: u64,
    /// Columns of other files.
    pub joins: Vec<join::Join>,
    /// The records of a row, in their order.
    pub records: Vec<RecordRule>,
}

impl Input {
    /// The columns that it reads, joined ones left out, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.records.iter().flat_map(RecordRule::columns).collect();
        all.extend(self.joins.iter().flat_map(|join| join.on.columns()));
        all.retain(|column| self.joined(column).is_none());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The join that a column belongs to (`officer.last_name`), and the column's name there.
    pub fn joined<'a>(&self, column: &'a str) -> Option<(usize, &'a str)> {
        let (name, inner) = column.split_once('.')?;
        let at = self.joins.iter().position(|join| join.name == name)?;
        Some((at, inner))
    }
}

impl Mapping {
    /// The map that is part of the program: columns are named as fields.
    ///
    /// # Errors
    /// The file that the program was built with is wrong; a test holds that it is not.
    pub fn canonical() -> Result<Self> {
        Self::open("canonical")
    }

    /// A map that is part of the program, by its name, or the one in a file.
    ///
    /// # Errors
    /// There is no such map, or it cannot be used.
    pub fn open(name_or_path: &str) -> Result<Self> {
        if let Some(shipped) = SHIPPED.iter().find(|one| one.name == name_or_path) {
            return Self::parse(shipped.name, shipped.text);
        }
        let path = Path::new(name_or_path);
        let text = std::fs::read_to_string(path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                let names: Vec<&str> = SHIPPED.iter().map(|one| one.name).collect();
                return CaseworkError::Mapping {
                    name: format!("\"{name_or_path}\""),
                    detail: format!(
                        "there is no field map of this name (there are {}) and no such file",
                        names.join(", ")
                    ),
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
        file::read(text).map_err(|detail| CaseworkError::Mapping {
            name: format!("\"{name}\""),
            detail,
        })
    }

    /// The input that a file is: the one named, the one whose patterns its name has, or the only one. `None` when columns
    /// are named as fields.
    ///
    /// # Errors
    /// None fits, or several do.
    pub fn input_for(&self, path: &Path, named: Option<&str>) -> Result<Option<&Input>> {
        if self.inputs.is_empty() && named.is_none() {
            return Ok(None);
        }
        let refuse = |what: String| CaseworkError::Mapping {
            name: format!("\"{}\"", self.name),
            detail: format!(
                "{what}; its inputs are {}",
                self.inputs
                    .iter()
                    .map(|input| format!("{} ({})", input.name, input.files.join(", ")))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        if let Some(named) = named {
            let found = self.inputs.iter().find(|input| input.name == named);
            return found
                .map(Some)
                .ok_or_else(|| refuse(format!("it has no input \"{named}\"")));
        }
        let base = path.file_name().unwrap_or_default().to_string_lossy();
        let fits: Vec<&Input> = self
            .inputs
            .iter()
            .filter(|input| input.files.iter().any(|pattern| join::fits(pattern, &base)))
            .collect();
        match fits.as_slice() {
            [one] => Ok(Some(one)),
            [] if self.inputs.len() == 1 => Ok(self.inputs.first()),
            [] => Err(refuse(format!(
                "no input has the file name \"{base}\"; name one with --input"
            ))),
            _ => Err(refuse(format!(
                "several inputs have the file name \"{base}\"; name one with --input"
            ))),
        }
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
mod tests;
