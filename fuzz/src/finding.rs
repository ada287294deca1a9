//! An input on which something did not hold.

use std::io;
use std::path::{Path, PathBuf};

use crate::machine;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A panic that nobody caught, one of ours that somebody caught, or something that does not hold.
    Broken,
    /// The process died.
    Death,
    /// The case did not end.
    Hang,
}

/// A finding, its input in a file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What happened, in one line.
    pub what: String,
    /// The input.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: usize,
}

/// The same for two findings that are likely one: the words without their numbers.
pub(crate) fn signature(what: &str) -> String {
    let head: String = what.chars().take(160).collect();
    // Numbers of lines stay: two places in one file are two findings.
    let (place, rest) = match head.split_once(": ") {
        Some((place, rest)) if place.starts_with("panic at ") => (place, rest),
        _ => ("", head.as_str()),
    };
    let words: String = rest.chars().filter(|c| !c.is_ascii_digit()).take(80).collect();
    format!("{place} {words}")
}

/// Keeps an input under a name that says target and content.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn keep(folder: &Path, target: &str, input: &[u8], what: &str) -> io::Result<Finding> {
    let hash = blake3::hash(input).to_hex();
    let path = folder.join(format!("{target}-{}", &hash[..12]));
    machine::write(&path, input)?;
    Ok(Finding {
        what: what.to_owned(),
        path,
        bytes: input.len(),
    })
}
