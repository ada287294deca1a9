//! Real mail, which stays outside of the project: these tests say so and pass when it is not there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use embley_formats::mail::{Content, ParseLimits, parse_message};
use embley_formats::opened::OpenLimits;
use embley_formats::smime::kind_of;

use crate::opened;

fn note(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).expect("stderr");
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out)
        } else {
            out.push(path)
        }
    }
}

/// What OpenSSL takes out of a signed structure, whoever signed it.
fn by_openssl(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(["cms", "-verify", "-noverify", "-binary", "-inform", "DER"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(bytes).ok()?;
    let output = child.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
}

#[test]
fn sealed_parts_of_real_mail_are_what_another_program_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/mime");
    if fs::metadata(&folder).is_err() {
        return note(&format!("not run: {} is not there\n", folder.display()));
    }
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let (mut parts, mut contents, mut sealed, mut signatures, mut same) = (0, 0, 0, 0, 0);
    for path in paths {
        let bytes = fs::read(&path).expect("reads");
        let family = parse_message(&bytes, &ParseLimits::default());
        for item in family.items.iter().skip(1) {
            let Content::Bytes(content) = &item.content else {
                continue;
            };
            let Some(kind) = kind_of(content) else { continue };
            let (opened, kept) = opened(content, &OpenLimits::default());
            parts += 1;
            sealed += usize::from(kind.encrypted);
            contents += kept.0.len();
            signatures += usize::from(kind.media_type.ends_with("-signature"));
            assert!(!opened.text.is_empty(), "{}", path.display());
            if kind.encrypted {
                assert!(kept.0.is_empty(), "{}", path.display());
            } else if let Some((_, ours, _)) = kept.0.first()
                && let Some(theirs) = by_openssl(content)
            {
                assert!(*ours == theirs, "{}", path.display());
                same += 1;
            }
        }
    }
    note(&format!(
        "{parts} sealed parts: {sealed} encrypted, {signatures} signatures alone, {contents} contents, {same} as OpenSSL has them\n"
    ));
    assert!(parts > 0 && contents > 0);
}
