//! Which lines of the exception register a later run has made good: the register itself is a record of runs and is never changed.

use std::collections::{HashMap, HashSet};

use embley_model::defect::Class;
use embley_model::id::{RunNo, SourceId};

use super::read::CatalogueReader;
use super::rows::{ExceptionRow, FolderId};
use crate::error::Result;

impl CatalogueReader {
    /// For each line, the later run that took in something at its path, if there is one. Only for lines that say that no item exists, and that are
    /// about a whole entry, not about a range of it.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn resolved_by(&self, lines: &[ExceptionRow]) -> Result<Vec<Option<RunNo>>> {
        let asked = |line: &&ExceptionRow| line.class == Class::Excepted && line.range.is_none();
        let parents: HashSet<&str> = lines.iter().filter(asked).map(|line| parent(&line.path)).collect();
        if parents.is_empty() {
            return Ok(vec![None; lines.len()]);
        }
        let labels: HashMap<SourceId, String> = self
            .sources()?
            .into_iter()
            .map(|source| (source.source_id, source.label))
            .collect();
        let mut folders: HashMap<String, Vec<FolderId>> = HashMap::new();
        for folder in self.folders()? {
            let Some(label) = labels.get(&folder.source_id) else {
                continue;
            };
            let shown = match folder.path.as_slice() {
                [] => label.clone(),
                path => format!("{label}/{}", String::from_utf8_lossy(path)),
            };
            if parents.contains(shown.as_str()) {
                folders.entry(shown).or_default().push(folder.folder_id);
            }
        }
        // Newest versions with something in them: by path, each with its source and run.
        let mut taken: HashMap<String, Vec<(SourceId, RunNo)>> = HashMap::new();
        for (shown, ids) in folders {
            for id in ids {
                for file in self
                    .files_in_folder(id)?
                    .into_iter()
                    .filter(|file| file.instance_count > 0)
                {
                    let path = format!("{shown}/{}", String::from_utf8_lossy(&file.name));
                    taken.entry(path).or_default().push((file.source_id, file.run_no));
                }
            }
        }
        let by = |line: &ExceptionRow| {
            let found = taken.get(&line.path)?.iter();
            found
                .filter(|(source, run)| *run > line.run_no && line.source_id.is_none_or(|asked| asked == *source))
                .map(|(_, run)| *run)
                .min()
        };
        Ok(lines
            .iter()
            .map(|line| asked(&line).then(|| by(line)).flatten())
            .collect())
    }
}

/// What stands before the last `/`.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
