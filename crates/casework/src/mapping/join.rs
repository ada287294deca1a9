//! Columns from another file of the export, or another sheet, by key.
//!
//! The other file is read once, before the rows; only the columns that rules name are held. Invariant: a key that comes twice with other
//! texts is no key: it is counted, and its columns say nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use super::template::Template;
use super::{Input, Mapping};
use crate::error::{CaseworkError, Result};
use crate::rows::{Cells, Layout, Rows, Source};

/// Rows of a joined file that are held at most.
const MAX_ROWS: usize = 5_000_000;
/// Bytes of joined texts that are held at most.
const MAX_BYTES: usize = 1 << 30;

/// A join, as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Its name: columns are named `name.column`.
    pub name: String,
    /// Patterns of the other file's name; none for another sheet of the same workbook.
    pub files: Vec<String>,
    /// The sheet.
    pub sheet: Option<String>,
    /// The row of the header, from 1.
    pub header_row: u64,
    /// The key in the other file.
    pub key: Template,
    /// The key in the row.
    pub on: Template,
    /// True when the import goes on without the file.
    pub optional: bool,
}

/// A joined file, read.
#[derive(Debug, Default)]
pub struct Joined {
    rows: HashMap<String, Option<Vec<Option<String>>>>,
    columns: Vec<String>,
    /// How it went, for reports.
    pub state: JoinState,
}

/// How a join went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JoinState {
    /// The file; `None` when there is none.
    pub file: Option<String>,
    /// Rows with a key.
    pub rows: u64,
    /// Rows that could not be read or have no key.
    pub passed_over: u64,
    /// Keys that come twice with other texts.
    pub ambiguous: u64,
    /// Columns that rules name and the file has not.
    pub missing: Vec<String>,
}

impl Joined {
    /// The text of a column under a key.
    pub fn cell(&self, key: &str, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|known| known == column)?;
        self.rows.get(key)?.as_ref()?.get(at)?.as_deref()
    }

    fn read(join: &Join, path: &Path, input: &Input, map: &Mapping) -> Result<Self> {
        let mut columns: Vec<String> = input
            .records
            .iter()
            .flat_map(|rule| rule.columns())
            .filter_map(|column| column.strip_prefix(join.name.as_str())?.strip_prefix('.'))
            .map(str::to_owned)
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let layout = Layout {
            cells: Some(Cells::Raw),
            sheet: join.sheet.clone(),
            header_row: join.header_row,
        };
        let mut rows = Rows::open(path, &layout)?;
        let mut joined = Self {
            rows: HashMap::new(),
            state: JoinState {
                file: path.file_name().map(|name| name.to_string_lossy().into_owned()),
                ..JoinState::default()
            },
            columns,
        };
        if !rows.columns().is_empty() {
            let has = |column: &&String| !rows.columns().contains(*column);
            joined.state.missing = joined.columns.iter().filter(has).cloned().collect();
        }
        let mut bytes = 0;
        while let Some(row) = rows.next_row()? {
            let cells = match row.found.map(|found| found.source) {
                Ok(Source::Cells(cells)) => cells,
                Ok(Source::Line(line)) => serde_json::from_slice(&line).unwrap_or_default(),
                Err(_) => Map::new(),
            };
            let cell = |name: &str| text(&cells, name, map);
            let Some(key) = join.key.fill(row.number, cell) else {
                joined.state.passed_over += 1;
                continue;
            };
            let key = key.into_owned();
            let texts: Vec<Option<String>> = joined
                .columns
                .iter()
                .map(|name| cell(name).map(str::to_owned))
                .collect();
            bytes += key.len() + texts.iter().flatten().map(String::len).sum::<usize>() + 48;
            if joined.rows.len() >= MAX_ROWS || bytes > MAX_BYTES {
                return Err(CaseworkError::NotRecords {
                    path: path.to_owned(),
                    detail: format!("join \"{}\": it has more than can be held", join.name),
                });
            }
            joined.state.rows += 1;
            match joined.rows.get_mut(&key) {
                None => {
                    joined.rows.insert(key, Some(texts));
                }
                Some(held) if held.as_ref() == Some(&texts) => {}
                Some(held) => {
                    joined.state.ambiguous += u64::from(held.is_some());
                    *held = None;
                }
            }
        }
        Ok(joined)
    }
}

/// The text of a column: trimmed, and `None` when it is empty or a word that says nothing.
pub(super) fn text<'a>(cells: &'a Map<String, Value>, name: &str, map: &Mapping) -> Option<&'a str> {
    let text = cells.get(name)?.as_str()?.trim();
    (!text.is_empty() && !map.empty.iter().any(|word| word == text)).then_some(text)
}

/// Reads the joined files of an input, which lie beside `path`.
///
/// # Errors
/// A file is not there, comes twice, or cannot be read.
pub fn load(input: &Input, map: &Mapping, path: &Path) -> Result<Vec<Joined>> {
    let mut all = Vec::new();
    for join in &input.joins {
        let refuse = |detail: String| CaseworkError::Mapping {
            name: format!("\"{}\"", map.name),
            detail: format!("input \"{}\": join \"{}\": {detail}", input.name, join.name),
        };
        let found = if join.files.is_empty() {
            vec![path.to_owned()]
        } else {
            beside(path, &join.files)?
        };
        match found.as_slice() {
            [one] => all.push(Joined::read(join, one, input, map)?),
            [] if join.optional => all.push(Joined::default()),
            [] => {
                return Err(refuse(format!(
                    "there is no file {} beside {}",
                    join.files.join(" or "),
                    path.display()
                )));
            }
            several => {
                let names: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
                return Err(refuse(format!("several files fit: {}", names.join(", "))));
            }
        }
    }
    Ok(all)
}

/// How each join of an input went, by name.
pub fn states(input: &Input, joined: &[Joined]) -> BTreeMap<String, JoinState> {
    let names = input.joins.iter().map(|join| join.name.clone());
    names.zip(joined.iter().map(|one| one.state.clone())).collect()
}

fn beside(path: &Path, patterns: &[String]) -> Result<Vec<PathBuf>> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let unreadable = |source| CaseworkError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        if patterns.iter().any(|pattern| fits(pattern, &name.to_string_lossy())) {
            all.push(entry.path());
        }
    }
    all.sort();
    Ok(all)
}

/// True when a name has a pattern: `*` stands for any text, `?` for one character, ASCII letters are compared without case.
pub fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut here) = (0, 0);
    // Where the last star stood, and how much of the name it takes.
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(one) if *one == '?' || one.eq_ignore_ascii_case(&name[here]) => {
                at += 1;
                here += 1;
            }
            Some(_) | None => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    at = back + 1;
                    here = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits(
            "complaints-accused_*.csv*",
            "complaints-accused_2000-2016_2016-11.csv.gz"
        ));
        assert!(fits("*a?c", "xabaXabc"));
        assert!(fits("A*", "abc"));
        assert!(!fits("a*b", "abc"));
        assert!(!fits("?", ""));
        assert!(fits("*", ""));
    }
}
