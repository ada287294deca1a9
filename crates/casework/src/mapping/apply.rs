//! One row and the rules of its input: the records that it gives.
//!
//! Pure, so that rows are mapped on several threads. Invariant: every rule has one outcome for every row, and a text that
//! cannot be brought into its form stays as it was.

use embley_model::record::{FieldKind, RecordType};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::join::{Joined, text};
use super::rule::{FieldRule, Filling, RecordRule};
use super::{Input, Mapping, date, file};
use crate::rows::cell_value;

/// What a rule gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The conditions of the rule do not hold: no record is due.
    NotDue(RecordType),
    /// A record.
    Made(Made),
    /// A record is due and cannot be made: the reason.
    Refused(RecordType, String),
}

/// A record as it was mapped.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Its type.
    pub record_type: RecordType,
    /// True when its id was made of key columns, or rows repeat it: other rows of the file must say the same.
    pub derived: bool,
    /// The canonical object, its key and `raw` included.
    pub object: Map<String, Value>,
    /// Words that their vocabulary does not have: vocabulary and word.
    pub unknown: Vec<(String, String)>,
}

/// Everything that rows of an input are mapped with.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The map.
    pub map: &'a Mapping,
    /// The input.
    pub input: &'a Input,
    /// Its joined files, in their order.
    pub joined: &'a [Joined],
}

/// A row with what its joins add.
struct View<'a> {
    rules: &'a Rules<'a>,
    number: u64,
    cells: &'a Map<String, Value>,
    /// The key of the row in each join.
    keys: Vec<Option<String>>,
}

impl View<'_> {
    fn cell<'s>(&'s self, name: &str) -> Option<&'s str> {
        match self.rules.input.joined(name) {
            None => text(self.cells, name, self.rules.map),
            Some((at, column)) => self.rules.joined.get(at)?.cell(self.keys.get(at)?.as_deref()?, column),
        }
    }
}

impl Rules<'_> {
    /// The outcome of every rule of the input for a row; `cells` are texts by column.
    pub fn apply(&self, number: u64, cells: &Map<String, Value>) -> Vec<Applied> {
        let own = |name: &str| text(cells, name, self.map);
        let keys = self.input.joins.iter();
        let keys = keys.map(|join| join.on.fill(number, own).map(std::borrow::Cow::into_owned));
        let view = View {
            rules: self,
            number,
            cells,
            keys: keys.collect(),
        };
        self.input.records.iter().map(|rule| self.record(rule, &view)).collect()
    }

    fn record(&self, rule: &RecordRule, row: &View<'_>) -> Applied {
        if !rule.when.iter().all(|when| when.holds(|name| row.cell(name))) {
            return Applied::NotDue(rule.record_type);
        }
        let (id, by_key) = match self.id(rule, row) {
            Ok(found) => found,
            Err(why) => return Applied::Refused(rule.record_type, why),
        };
        let mut object = Map::new();
        let mut unknown = Vec::new();
        for (name, field) in &rule.fields {
            if let Some(value) = self.value(name, field, row, &mut unknown) {
                object.insert(name.clone(), value);
            }
        }
        let raw = if rule.once {
            let own = rule.columns().into_iter();
            own.filter_map(|name| {
                row.cells
                    .get_key_value(name)
                    .map(|(name, value)| (name.clone(), value.clone()))
            })
            .collect()
        } else {
            row.cells.clone()
        };
        object.insert("raw".to_owned(), Value::Object(raw));
        object.insert("record_type".to_owned(), Value::from(rule.record_type.word()));
        let system = self.map.source_system.clone().unwrap_or_default();
        object.insert("source_system".to_owned(), Value::from(system));
        object.insert("record_id".to_owned(), Value::from(id));
        object.insert("source_row".to_owned(), Value::from(row.number));
        Applied::Made(Made {
            record_type: rule.record_type,
            derived: rule.once || by_key,
            object,
            unknown,
        })
    }

    /// The id, and whether it is made of key columns.
    fn id(&self, rule: &RecordRule, row: &View<'_>) -> Result<(String, bool), String> {
        if let Some(template) = &rule.id {
            if let Some(id) = template.fill(row.number, |name| row.cell(name)) {
                return Ok((id.into_owned(), false));
            }
            if rule.key.is_empty() {
                let lacking: Vec<&str> = template.columns().filter(|name| row.cell(name).is_none()).collect();
                return Err(format!("the id is made of {}, which is empty", lacking.join(", ")));
            }
        }
        let mut parts = Vec::with_capacity(rule.key.len());
        for column in &rule.key {
            let Some(text) = row.cell(column) else {
                return Err(format!("there is no id, and its key column {column} is empty"));
            };
            parts.push(text.replace('\\', "\\\\").replace('|', "\\|"));
        }
        Ok((parts.join("|"), true))
    }

    fn value(
        &self,
        name: &str,
        field: &FieldRule,
        row: &View<'_>,
        unknown: &mut Vec<(String, String)>,
    ) -> Option<Value> {
        match &field.filling {
            Filling::Constant(value) => Some(value.clone()),
            Filling::Text(template) => {
                let text = template.fill(row.number, |column| row.cell(column))?;
                Some(self.read(name, text.trim(), field, unknown))
            }
            Filling::Objects(objects) => {
                let all: Vec<Value> = objects
                    .iter()
                    .filter_map(|members| {
                        let mut object = Map::new();
                        for (member, template) in members {
                            let text = template.fill(row.number, |column| row.cell(column))?;
                            object.insert(member.clone(), Value::String(text.trim().to_owned()));
                        }
                        Some(Value::Object(object))
                    })
                    .collect();
                (!all.is_empty()).then_some(Value::Array(all))
            }
        }
    }

    fn read(&self, name: &str, text: &str, field: &FieldRule, unknown: &mut Vec<(String, String)>) -> Value {
        if matches!(field.kind, Some(FieldKind::Texts)) || (field.kind.is_none() && field.list.is_some()) {
            let separator = field.list.unwrap_or(self.map.list_separator);
            let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
            return Value::Array(
                parts
                    .map(|part| Value::String(self.word(name, part, field, unknown)))
                    .collect(),
            );
        }
        if matches!(field.kind, Some(FieldKind::Objects)) {
            return cell_value(name, field.kind, text, field.list.unwrap_or(self.map.list_separator));
        }
        let word = self.word(name, text, field, unknown);
        match field.kind {
            Some(FieldKind::Time) => Value::String(self.date(&word, field).unwrap_or(word)),
            None if !field.dates.is_empty() => Value::String(self.date(&word, field).unwrap_or(word)),
            Some(_) | None => Value::String(word),
        }
    }

    fn date(&self, text: &str, field: &FieldRule) -> Option<String> {
        let formats = if field.dates.is_empty() {
            &self.map.dates
        } else {
            &field.dates
        };
        let zone: Option<&TimeZone> = field.zone.as_ref().or(self.map.zone.as_ref());
        date::canonical(text, formats, zone)
    }

    /// The canonical word; another word stays, and is reported where a vocabulary is declared or the field has one.
    fn word(&self, name: &str, text: &str, field: &FieldRule, unknown: &mut Vec<(String, String)>) -> String {
        if let Some(vocabulary) = &field.words {
            let words = self.map.words.get(vocabulary);
            if let Some(canonical) = words.and_then(|words| words.get(&file::fold(text))) {
                return canonical.clone();
            }
            unknown.push((vocabulary.clone(), text.to_owned()));
        } else if let Some(FieldKind::Word(words)) = field.kind
            && !words.contains(&text)
        {
            unknown.push((name.to_owned(), text.to_owned()));
        }
        text.to_owned()
    }
}

/// The cells of a JSON Lines row as texts: numbers as their digits, true and false as words; lists and objects say nothing.
pub fn texts(object: &Map<String, Value>) -> Map<String, Value> {
    object
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
            };
            (name.clone(), Value::String(text))
        })
        .collect()
}
