//! Coding forms: files of fields, kinds and choices.
//!
//! The files of `config/coding/` are part of the program. A file of the same name in the folder `coding` of the case takes the place of the
//! built-in one; others there are forms of their own. Main types: [`Forms`], [`Form`]. Invariant: a form that could be opened has fields with
//! distinct names, and choices where its kinds need them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{CaseworkError, Result};

/// The format of forms that this program reads.
const FORMAT: u32 = 1;
/// Longest file of a form, in bytes: they are written by hand.
const MAX_BYTES: u64 = 1 << 18;
/// Longest text of an answer, in bytes.
const MAX_ANSWER: usize = 16 << 10;

const BUILT_IN: [(&str, &str); 2] = [
    ("relevance", include_str!("../../../../config/coding/relevance.toml")),
    (
        "sensitivity",
        include_str!("../../../../config/coding/sensitivity.toml"),
    ),
];

/// How a field is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormKind {
    /// One of the choices.
    Choice,
    /// Any of the choices, separated by `;`.
    Choices,
    /// `yes` or `no`.
    YesNo,
    /// Words.
    Text,
    /// A day.
    Date,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FormField {
    /// The name by which it is answered.
    pub name: String,
    /// The question.
    pub label: String,
    /// How it is answered.
    pub kind: FormKind,
    /// What can be chosen.
    #[serde(default)]
    pub choices: Vec<String>,
    /// It is answered in every coding.
    #[serde(default)]
    pub required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileOfForm {
    format: u32,
    title: String,
    field: Vec<FormField>,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Its name: that of its file.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// What it asks.
    pub fields: Vec<FormField>,
    /// Where it came from.
    pub source: String,
    /// The file's text, as it goes on record.
    #[serde(skip)]
    pub text: String,
}

/// An answer as it is typed: a field and its value.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The field.
    pub field: &'a str,
    /// The value.
    pub value: &'a str,
}

/// All forms of a case, by name.
#[derive(Clone, Debug)]
pub struct Forms(BTreeMap<String, Form>);

impl Forms {
    /// The built-in forms and those of a folder, which may not be there.
    ///
    /// # Errors
    /// A file cannot be read or is no form; says which and where.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut forms = BTreeMap::new();
        for (name, text) in BUILT_IN {
            forms.insert(name.to_owned(), Form::read(name, "built in", text)?);
        }
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| CaseworkError::Unreadable { path, source }
        };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Self(forms)),
            Err(cause) => return Err(unreadable(folder)(cause)),
        };
        for entry in entries {
            let path = entry.map_err(unreadable(folder))?.path();
            let Some(name) = path
                .file_stem()
                .filter(|_| path.extension().is_some_and(|end| end == "toml"))
            else {
                continue;
            };
            let name = name.to_string_lossy().into_owned();
            let size = path.metadata().map_err(unreadable(&path))?.len();
            if size > MAX_BYTES {
                return Err(refuse(
                    &path.display().to_string(),
                    "the file",
                    "it is longer than 262,144 bytes",
                ));
            }
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            forms.insert(name.clone(), Form::read(&name, &path.display().to_string(), &text)?);
        }
        Ok(Self(forms))
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Form> {
        self.0.values()
    }

    /// One by its name.
    ///
    /// # Errors
    /// There is none of this name; the message lists those that there are.
    pub fn get(&self, name: &str) -> Result<&Form> {
        self.0.get(name.trim()).ok_or_else(|| {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            CaseworkError::Request {
                detail: format!("there is no coding form \"{name}\"; there are {}", known.join(", ")),
            }
        })
    }
}

fn refuse(file: &str, key: &str, detail: &str) -> CaseworkError {
    CaseworkError::Rules {
        file: file.to_owned(),
        key: key.to_owned(),
        detail: detail.to_owned(),
    }
}

impl Form {
    fn read(name: &str, source: &str, text: &str) -> Result<Self> {
        let file = format!("coding form {name} ({source})");
        let read: FileOfForm = toml::from_str(text).map_err(|cause| refuse(&file, "the file", cause.message()))?;
        if read.format != FORMAT {
            let detail = format!("it is {}, this program reads {FORMAT}", read.format);
            return Err(refuse(&file, "format", &detail));
        }
        if read.field.is_empty() {
            return Err(refuse(&file, "field", "it asks nothing"));
        }
        let mut names = BTreeSet::new();
        for field in &read.field {
            let key = format!("field \"{}\"", field.name);
            if field.name.is_empty() || field.name.contains(['=', ' ']) {
                return Err(refuse(&file, &key, "a name is a word without = and spaces"));
            }
            if !names.insert(field.name.as_str()) {
                return Err(refuse(&file, &key, "two fields have this name"));
            }
            let chooses = matches!(field.kind, FormKind::Choice | FormKind::Choices);
            if chooses == field.choices.is_empty() {
                return Err(refuse(
                    &file,
                    &key,
                    "choices stand where the kind is choice or choices, and nowhere else",
                ));
            }
            if field
                .choices
                .iter()
                .any(|choice| choice.trim().is_empty() || choice.contains(';'))
            {
                return Err(refuse(&file, &key, "a choice has words and no semicolon"));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            title: read.title,
            fields: read.field,
            source: source.to_owned(),
            text: text.to_owned(),
        })
    }

    /// Checks answers and gives them as a JSON object with sorted keys.
    ///
    /// # Errors
    /// A field is not in the form or given twice, a value cannot be one, or a required field is missing; all of what is wrong is named.
    pub fn answers(&self, given: &[Answer<'_>]) -> Result<String> {
        let mut answers: BTreeMap<&str, Value> = BTreeMap::new();
        let mut wrong = Vec::new();
        for answer in given {
            let Some(field) = self.fields.iter().find(|field| field.name == answer.field) else {
                let known: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
                wrong.push(format!(
                    "there is no field \"{}\"; there are {}",
                    answer.field,
                    known.join(", ")
                ));
                continue;
            };
            match field.value(answer.value) {
                Ok(value) => {
                    if answers.insert(&field.name, value).is_some() {
                        wrong.push(format!("{} is answered twice", field.name));
                    }
                }
                Err(why) => wrong.push(format!("{}: {why}", field.name)),
            }
        }
        for field in &self.fields {
            if field.required && !given.iter().any(|answer| answer.field == field.name) {
                wrong.push(format!("{} is required: {}", field.name, field.label));
            }
        }
        if wrong.is_empty() {
            return serde_json::to_string(&answers).map_err(|cause| CaseworkError::Request {
                detail: format!("the answers cannot be written: {cause}"),
            });
        }
        Err(CaseworkError::Request {
            detail: format!("form {}: {}", self.name, wrong.join("; ")),
        })
    }
}

impl FormField {
    fn value(&self, text: &str) -> std::result::Result<Value, String> {
        let text = text.trim();
        if text.len() > MAX_ANSWER {
            return Err(format!("the answer is longer than {MAX_ANSWER} bytes"));
        }
        let choice = |text: &str| {
            let found = self
                .choices
                .iter()
                .find(|choice| choice.trim().eq_ignore_ascii_case(text.trim()));
            found
                .cloned()
                .ok_or_else(|| format!("\"{}\" is none of {}", text.trim(), self.choices.join(", ")))
        };
        match self.kind {
            FormKind::Choice => choice(text).map(Value::String),
            FormKind::Choices => {
                let mut chosen = Vec::new();
                for one in text.split(';').filter(|one| !one.trim().is_empty()) {
                    let one = choice(one)?;
                    if !chosen.contains(&one) {
                        chosen.push(one);
                    }
                }
                // In the order of the form, so that the same choice is the same answer.
                chosen.sort_by_key(|one| self.choices.iter().position(|choice| choice == one));
                if chosen.is_empty() && self.required {
                    return Err("nothing is chosen".to_owned());
                }
                Ok(chosen.into_iter().map(Value::String).collect())
            }
            FormKind::YesNo => match text.to_ascii_lowercase().as_str() {
                "yes" => Ok(Value::Bool(true)),
                "no" => Ok(Value::Bool(false)),
                _ => Err(format!("\"{text}\" is neither yes nor no")),
            },
            FormKind::Text if text.is_empty() && self.required => Err("it says nothing".to_owned()),
            FormKind::Text => Ok(Value::String(text.to_owned())),
            FormKind::Date => match text.parse::<jiff::civil::Date>() {
                Ok(day) => Ok(Value::String(day.to_string())),
                Err(_) => Err(format!("\"{text}\" is no day (YYYY-MM-DD)")),
            },
        }
    }
}
