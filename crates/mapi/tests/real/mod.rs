//! Real files, which stay outside of the project: these tests say so and pass when they are not there.
//!
//! The tables beside hold figures only, no words of real people. A difference prints the table as it is now.

mod msg;
mod rtf;
mod tnef;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder of the corpora, if they are there.
fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpora")
        .join(name);
    let found = fs::metadata(&path).is_ok();
    if !found {
        let note = format!("not run: {} is not there\n", path.display());
        std::io::stderr().write_all(note.as_bytes()).expect("stderr");
    }
    found.then_some(path)
}

/// Files below a folder whose names end so, in order of their paths.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).expect("is a folder") {
            let path = entry.expect("is read").path();
            if path.is_dir() {
                todo.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

/// Compares a table with the one that is kept.
fn check_table(found: &str, kept: &str) {
    let same = found.trim() == kept.trim();
    assert!(same, "the table is now:\n{found}");
}
