//! Seeds of a target: made ones, samples of the project, corpora beside it, a folder that was named.
//!
//! Invariant: the same files give the same seeds in the same order, in the watcher and in every child.

use std::path::{Path, PathBuf};

use crate::target::{Target, root};

/// From one folder of the corpora; more would only take longer to load.
const FILES_OF_A_FOLDER: usize = 40;

/// Which seeds are taken beside those of the target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// A folder whose files are all taken.
    pub(crate) folder: Option<PathBuf>,
    /// Without `../shared/corpora`, for the same run on every machine.
    pub(crate) plain: bool,
}

/// The seeds; at least one, which may be empty.
pub(crate) fn seeds(target: &Target, wanted: &Wanted) -> Vec<Vec<u8>> {
    let mut seeds = (target.made)();
    for (folder, end) in target.samples {
        take(&root().join(folder), end, target.max_bytes, &mut seeds);
    }
    if !wanted.plain {
        for (folder, end) in target.corpora {
            take(
                &root().join("../shared/corpora").join(folder),
                end,
                target.max_bytes,
                &mut seeds,
            );
        }
    }
    if let Some(folder) = &wanted.folder {
        take(folder, "", target.max_bytes, &mut seeds);
    }
    for seed in &mut seeds {
        seed.truncate(target.max_bytes);
    }
    if seeds.is_empty() {
        seeds.push(Vec::new());
    }
    seeds
}

/// Files below a folder whose names end so, evenly picked; `.zst` ones are unpacked. A folder that is not there has none.
fn take(folder: &Path, end: &str, max_bytes: usize, seeds: &mut Vec<Vec<u8>>) {
    let mut paths = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(end) && entry.metadata().is_ok_and(|data| data.len() <= max_bytes as u64) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let every = paths.len().div_ceil(FILES_OF_A_FOLDER).max(1);
    for path in paths.iter().step_by(every) {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let unpacked = if path.extension().is_some_and(|end| end == "zst") {
            zstd::decode_all(&bytes[..]).unwrap_or(bytes)
        } else {
            bytes
        };
        if unpacked.len() <= max_bytes {
            seeds.push(unpacked);
        }
    }
}
