//! The independent reader: the Python scripts below `scripts/oracle`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::files;

/// Runs a script with these arguments and `--out` into a file in `folder`; returns its exit code, what it wrote there, and all that it said.
///
/// Panics when Python is not there, or when the script writes nothing.
pub fn ask<A: AsRef<OsStr>>(script: &str, args: &[A], folder: &Path, out: &str) -> (i32, Value, String) {
    let out: PathBuf = folder.join(out);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scripts/oracle")
        .join(script);
    let output = Command::new("python3")
        .arg("-B")
        .arg(&path)
        .args(args)
        .arg("--out")
        .arg(&out)
        .output();
    let output = output.unwrap_or_else(|error| panic!("python3 {}: {error}", path.display()));
    let said = [output.stdout, output.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat();
    assert!(out.is_file(), "python3 {} wrote nothing: {said}", path.display());
    let value =
        serde_json::from_slice(&files::read(&out)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (output.status.code().unwrap_or(-1), value, said)
}
