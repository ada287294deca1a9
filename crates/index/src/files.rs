//! The few moves and removals of files that the index makes by itself. Segment files and `meta.json` are
//! written by the engine's directory, which syncs them.
#![expect(
    clippy::disallowed_methods,
    reason = "the index is derived and does not import the store, whose `disk` guards what cannot be made again"
)]

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{IndexError, Result};

/// True when something with this path exists.
pub(crate) fn exists(path: &Path) -> Result<bool> {
    path.try_exists()
        .map_err(|source| IndexError::io("look for", path, source))
}

/// Makes the folder and those above it, if they are not there.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|source| IndexError::io("make folder", path, source))
}

/// Names of the entries of a folder; none when the folder is not there. Names that are not UTF-8 are not ours.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(IndexError::io("list", folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| IndexError::io("list", folder, source))?;
        names.extend(entry.file_name().into_string().ok());
    }
    Ok(names)
}

/// Moves a file within one file system, over whatever is there.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|source| IndexError::io("move", from, source))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    removed(path, std::fs::remove_file(path))
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    removed(path, std::fs::remove_dir_all(path))
}

fn removed(path: &Path, done: std::io::Result<()>) -> Result<()> {
    match done {
        Err(why) if why.kind() != ErrorKind::NotFound => Err(IndexError::io("remove", path, why)),
        _ => Ok(()),
    }
}
