//! The rules of a map: which records a row gives, and what fills their fields.

use embley_model::record::{FieldKind, RecordType};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::template::Template;

/// One record that a row may give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRule {
    /// Its type.
    pub record_type: RecordType,
    /// Its id.
    pub id: Option<Template>,
    /// Columns from which the id is made when there is none.
    pub key: Vec<String>,
    /// All must hold for the record to be due.
    pub when: Vec<Condition>,
    /// Rows repeat it: the first makes the record, later ones must say the same. Its raw columns are those it is made of.
    pub once: bool,
    /// What fills its fields, by name.
    pub fields: Vec<(String, FieldRule)>,
}

/// When a record is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// At least one of these columns says something.
    Any(Vec<String>),
    /// The column has one of these texts, letters compared without case.
    Is(String, Vec<String>),
    /// The column has none of these texts; a column that says nothing has none.
    IsNot(String, Vec<String>),
}

/// What fills a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// Where the text comes from.
    pub filling: Filling,
    /// How the value is read; `None` for a field that the type does not know, which is kept as text.
    pub kind: Option<FieldKind>,
    /// Formats of a date; none for the map's own.
    pub dates: Vec<String>,
    /// The zone of a time; `None` for the map's own.
    pub zone: Option<TimeZone>,
    /// The vocabulary.
    pub words: Option<String>,
    /// Separates the members of a list; `None` for the map's own.
    pub list: Option<char>,
}

/// Where the text of a field comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Columns.
    Text(Template),
    /// The same for every row.
    Constant(Value),
    /// A list of objects; one of which a member has no text is left out.
    Objects(Vec<Vec<(String, Template)>>),
}

impl Condition {
    /// The columns it looks at.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let (all, one) = match self {
            Self::Any(columns) => (columns.as_slice(), None),
            Self::Is(column, _) | Self::IsNot(column, _) => (&[][..], Some(column.as_str())),
        };
        all.iter().map(String::as_str).chain(one)
    }

    /// True when it holds; `cell` gives the text of a column, or `None` when it says nothing.
    pub fn holds<'a>(&self, cell: impl Fn(&str) -> Option<&'a str>) -> bool {
        let among = |text: &str, words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        match self {
            Self::Any(columns) => columns.iter().any(|column| cell(column).is_some()),
            Self::Is(column, words) => cell(column).is_some_and(|text| among(text, words)),
            Self::IsNot(column, words) => cell(column).is_none_or(|text| !among(text, words)),
        }
    }
}

impl FieldRule {
    /// The columns it reads.
    pub fn columns(&self) -> Vec<&str> {
        match &self.filling {
            Filling::Text(template) => template.columns().collect(),
            Filling::Constant(_) => Vec::new(),
            Filling::Objects(objects) => objects
                .iter()
                .flatten()
                .flat_map(|(_, template)| template.columns())
                .collect(),
        }
    }
}

impl RecordRule {
    /// The columns it reads, joined ones included; some may come twice.
    pub fn columns(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.fields.iter().flat_map(|(_, rule)| rule.columns()).collect();
        all.extend(self.id.iter().flat_map(Template::columns));
        all.extend(self.key.iter().map(String::as_str));
        all.extend(self.when.iter().flat_map(Condition::columns));
        all
    }
}
