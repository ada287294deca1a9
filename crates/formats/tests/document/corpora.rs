//! Real documents, which stay outside of the project: these tests say so and pass when they are not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use embley_formats::document::{open, reader_of};
use embley_formats::opened::OpenLimits;
use embley_formats::probe::{FileKind, HEAD_BYTES, probe};
use embley_formats::walk::Place;

use crate::Kept;

/// Names the file that the child process is to open.
const FILE: &str = "EMBLEY_TEST_DOCUMENT";
/// Passwords for it, divided by commas.
const PASSWORDS: &str = "EMBLEY_TEST_PASSWORDS";

fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpora")
        .join(name);
    if fs::metadata(&path).is_ok() {
        return Some(path);
    }
    let note = format!("not run: {} is not there\n", path.display());
    std::io::stderr().write_all(note.as_bytes()).expect("stderr");
    None
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

/// What the child process does: opens the one document and says how it went. Nothing without its variable.
#[test]
fn one_document() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else {
        return;
    };
    let bytes = fs::read(&path).expect("reads");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let passwords = std::env::var(PASSWORDS).unwrap_or_default();
    let passwords: Vec<String> = passwords
        .split(',')
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect();
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let (kind, _) = probe(head, name.as_bytes(), &Place::Loose, bytes.len() as u64);
    let outcome = match kind {
        FileKind::Other { media_type, .. } => match reader_of(media_type) {
            Some(format) => {
                let mut kept = Kept::default();
                let opened = open(
                    format,
                    &bytes,
                    name.as_bytes(),
                    &passwords,
                    &OpenLimits::default(),
                    &mut kept,
                )
                .expect("the taker never fails");
                let letters = opened.text.chars().filter(|c| c.is_alphanumeric()).count();
                let word = opened.searchability.map_or("none", |one| one.word());
                format!("{word} {letters} {}", kept.0.len())
            }
            None => "other 0 0".to_owned(),
        },
        FileKind::Mailbox | FileKind::Message | FileKind::Text | FileKind::Empty => "text 0 0".to_owned(),
    };
    std::io::stderr()
        .write_all(format!("\nOUTCOME {outcome}\n").as_bytes())
        .expect("stderr");
}

/// Outcome, letters and members of a file, opened in a process of its own within 20 seconds.
fn in_a_process(path: &Path, passwords: &str) -> (String, usize, usize) {
    let program = std::env::current_exe().expect("this test");
    let mut child = Command::new(program)
        .args(["corpora::one_document", "--exact", "--nocapture"])
        .env(FILE, path)
        .env(PASSWORDS, passwords)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut stderr = child.stderr.take().expect("a pipe");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut out = Vec::new();
        let read = stderr.read_to_end(&mut out).is_ok();
        sender.send((read, out)).is_ok()
    });
    let Ok((true, out)) = receiver.recv_timeout(Duration::from_secs(20)) else {
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        return ("timeout".to_owned(), 0, 0);
    };
    let status = child.wait().expect("it ends");
    let text = String::from_utf8_lossy(&out).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("OUTCOME "));
    match line {
        Some(line) if status.success() => {
            let mut words = line.split(' ');
            let word = words.next().expect("a word").to_owned();
            let mut number = || words.next().expect("a number").parse().expect("a number");
            (word, number(), number())
        }
        _ => (format!("crash {status}"), 0, 0),
    }
}

fn totals(folder: &str, extensions: &[&str], every: usize) -> Option<BTreeMap<String, usize>> {
    let folder = corpus(folder)?;
    let mut all = Vec::new();
    files(&folder, &mut all);
    all.retain(|path| {
        path.extension()
            .is_some_and(|end| extensions.iter().any(|known| end.eq_ignore_ascii_case(known)))
    });
    let mut totals = BTreeMap::new();
    for path in all.iter().step_by(every) {
        let (outcome, letters, _) = in_a_process(path, "");
        assert!(
            !outcome.starts_with("crash") && outcome != "timeout",
            "{}: {outcome}",
            path.display()
        );
        *totals.entry(outcome.clone()).or_default() += 1;
        *totals.entry("files".to_owned()).or_default() += 1;
        *totals.entry("with text".to_owned()).or_default() += usize::from(letters > 0);
    }
    Some(totals)
}

#[test]
fn nearly_every_office_file_gives_text_and_none_ends_the_process() {
    let extensions = ["doc", "docx", "docm", "xls", "xlsx", "xlsm", "xlsb", "ppt", "pptx"];
    let Some(totals) = totals("docs", &extensions, 1) else {
        return;
    };
    let count = |what: &str| totals.get(what).copied().unwrap_or(0);
    // What gives no text is encrypted, fuzzed, or holds no word.
    assert!(count("files") >= 600, "{totals:?}");
    assert!(count("with text") * 100 >= count("files") * 92, "{totals:?}");
    assert!(count("no-text") <= 26 && count("failed") <= 4, "{totals:?}");
}

#[test]
fn pdfs_give_text_or_say_why_not() {
    let Some(totals) = totals("docs", &["pdf"], 3) else {
        return;
    };
    let count = |what: &str| totals.get(what).copied().unwrap_or(0);
    assert!(count("files") >= 140, "{totals:?}");
    assert!(count("with text") * 100 >= count("files") * 60, "{totals:?}");
    assert!(count("failed") <= 3, "{totals:?}");
}

#[test]
fn known_passwords_open_each_kind_of_encryption() {
    let Some(folder) = corpus("docs") else { return };
    let tika = "tika/tika-parsers-standard/tika-parsers-standard-modules/tika-parser-microsoft-module/src/test/resources/test-documents";
    for (file, password) in [
        ("poi/document/bug53475-password-is-pass.docx".to_owned(), "pass"),
        ("poi/document/bug53475-password-is-solrcell.docx".to_owned(), "solrcell"),
        ("poi/document/password_password_cryptoapi.doc".to_owned(), "password"),
        ("poi/spreadsheet/password.xls".to_owned(), "password"),
        ("poi/spreadsheet/35897-type4.xls".to_owned(), "freedom"),
        (format!("{tika}/testEXCEL_protected_passtika.xls"), "tika"),
        (format!("{tika}/testPPT_protected_passtika.pptx"), "tika"),
    ] {
        let path = folder.join(&file);
        let (outcome, letters, _) = in_a_process(&path, "");
        assert_eq!((outcome.as_str(), letters), ("encrypted", 0), "{file}");
        let (outcome, letters, _) = in_a_process(&path, &format!("wrong,{password}"));
        assert_eq!(outcome, "searched", "{file}");
        assert!(letters > 5, "{file}");
    }
}
