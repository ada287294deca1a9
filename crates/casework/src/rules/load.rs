//! From files to texts to checked lines: shared by the files of rules.

use std::collections::BTreeMap;
use std::path::Path;

use embley_model::record::{FieldKind, RecordType};
use jiff::civil::Date;
use serde::de::DeserializeOwned;

use crate::error::{CaseworkError, Result};

/// The format of rule files that this program reads.
const FORMAT: u32 = 1;
/// Longest file of rules, in bytes: they are written by hand.
const MAX_BYTES: u64 = 1 << 20;

const BUILT_IN: [(&str, &str); 6] = [
    ("clocks.toml", include_str!("../../../../config/rules/clocks.toml")),
    (
        "decision-phrases.toml",
        include_str!("../../../../config/decision-phrases.toml"),
    ),
    ("deciders.toml", include_str!("../../../../config/rules/deciders.toml")),
    (
        "frameworks.toml",
        include_str!("../../../../config/rules/frameworks.toml"),
    ),
    ("holidays.toml", include_str!("../../../../config/rules/holidays.toml")),
    (
        "indicators.toml",
        include_str!("../../../../config/rules/indicators.toml"),
    ),
];

/// The texts of all files, by name: (where it came from, text).
#[derive(Clone, Debug)]
pub(super) struct Texts(BTreeMap<&'static str, (String, String)>);

impl Texts {
    pub(super) fn built_in() -> Self {
        Self(
            BUILT_IN
                .iter()
                .map(|(name, text)| (*name, ("built in".to_owned(), (*text).to_owned())))
                .collect(),
        )
    }

    /// Takes the files of a folder in place of those of the same name. Another `.toml` there is an error: it would be without effect.
    pub(super) fn override_from(&mut self, folder: &Path) -> Result<()> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| CaseworkError::Unreadable { path, source }
        };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(unreadable(folder)(cause)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable(folder))?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name.ends_with(".toml") {
                names.push(name);
            }
        }
        names.sort();
        for name in names {
            let path = folder.join(&name);
            let Some(known) = BUILT_IN.iter().map(|(one, _)| *one).find(|one| *one == name) else {
                let all: Vec<&str> = BUILT_IN.iter().map(|(one, _)| *one).collect();
                return Err(CaseworkError::Rules {
                    file: path.display().to_string(),
                    key: "the file".to_owned(),
                    detail: format!("there are no rules of this name; there are {}", all.join(", ")),
                });
            };
            let size = path.metadata().map_err(unreadable(&path))?.len();
            if size > MAX_BYTES {
                return Err(CaseworkError::Rules {
                    file: path.display().to_string(),
                    key: "the file".to_owned(),
                    detail: format!("it has {size} bytes; rules have at most {MAX_BYTES}"),
                });
            }
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            self.0.insert(known, (path.display().to_string(), text));
        }
        Ok(())
    }

    pub(super) fn source(&self, name: &'static str) -> Source<'_> {
        let (from, text) = self.0.get(name).map_or(("", ""), |(from, text)| (from, text));
        Source { name, from, text }
    }

    pub(super) fn all(&self) -> Vec<(&'static str, &str, &str)> {
        self.0
            .iter()
            .map(|(name, (from, text))| (*name, from.as_str(), text.as_str()))
            .collect()
    }
}

/// One file, and how to speak of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    name: &'static str,
    from: &'a str,
    text: &'a str,
}

#[derive(serde::Deserialize)]
struct Head {
    format: Option<u32>,
}

impl Source<'_> {
    /// The file as its type; its format is checked first.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let head: Head = toml::from_str(self.text).map_err(|cause| self.refuse("the file", &cause.to_string()))?;
        if head.format != Some(FORMAT) {
            let found = head
                .format
                .map_or_else(|| "none".to_owned(), |format| format.to_string());
            return Err(self.refuse("format", &format!("it is {found}, this program reads {FORMAT}")));
        }
        toml::from_str(self.text).map_err(|cause| self.refuse("the file", &cause.to_string()))
    }

    /// An error that names the file and the key.
    pub(super) fn refuse(&self, key: &str, detail: &str) -> CaseworkError {
        CaseworkError::Rules {
            file: format!("{} ({})", self.name, self.from),
            key: key.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// What every line must have: an id that no other has, a version, a citation.
    pub(super) fn check_lines<'l>(
        &self,
        table: &str,
        lines: impl Iterator<Item = (&'l str, u32, &'l str)>,
    ) -> Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        for (id, version, citation) in lines {
            let key = |name: &str| format!("{table} \"{id}\", {name}");
            if id.trim().is_empty() {
                return Err(self.refuse(&format!("{table}, id"), "it is empty"));
            }
            if !seen.insert(id) {
                return Err(self.refuse(&key("id"), "two lines have this id"));
            }
            if version == 0 {
                return Err(self.refuse(&key("version"), "versions begin with 1"));
            }
            if citation.trim().is_empty() {
                return Err(self.refuse(&key("citation"), "it is empty; every rule says where it stands"));
            }
        }
        Ok(())
    }

    /// Words of `decision_type`.
    pub(super) fn check_decisions(&self, key: &str, words: &[String]) -> Result<()> {
        let Some(FieldKind::Word(known)) = RecordType::Decision.field("decision_type") else {
            return Ok(());
        };
        for word in words {
            if !known.contains(&word.as_str()) {
                return Err(self.refuse(
                    key,
                    &format!("\"{word}\" is no decision_type; there are {}", known.join(", ")),
                ));
            }
        }
        Ok(())
    }

    /// A range of days whose end does not come before its start.
    pub(super) fn check_range(&self, key: &str, from: Option<Date>, until: Option<Date>) -> Result<()> {
        match (from, until) {
            (Some(from), Some(until)) if until < from => {
                Err(self.refuse(key, &format!("until {until} comes before from {from}")))
            }
            _ => Ok(()),
        }
    }
}

/// A citation as it is shown: one that was not confirmed says so.
pub(super) fn shown_citation(citation: &str, check: bool) -> String {
    if check {
        format!("{citation} (not confirmed in a primary source)")
    } else {
        citation.to_owned()
    }
}
