//! Opens documents, each in a process of its own, and prints what came out: for measuring against other readers.
//!
//! - `open_document table PATH...` prints a line a file and totals, 20 seconds and one process a file;
//! - `open_document compare PATH...` adds the share of the words that `pdftotext` finds in PDFs (word bags, F1);
//! - `open_document types PATH...` prints the media type that is told by content;
//! - `open_document one FILE [PASSWORD]...` prints one file as JSON;
//! - `open_document text FILE [PASSWORD]...` prints its text.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example that is run by hand"
)]

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use embley_formats::document::{DocumentFormat, open, reader_of};
use embley_formats::language::language;
use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_formats::probe::{FileKind, HEAD_BYTES, probe, text_type};
use embley_formats::walk::Place;

/// Time for one file.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match (mode.as_str(), rest.split_first()) {
        ("table", Some(_)) => table(&rest, false),
        ("compare", Some(_)) => table(&rest, true),
        ("types", Some(_)) => types(&rest),
        ("one", Some((file, passwords))) => one(file, passwords, false),
        ("text", Some((file, passwords))) => one(file, passwords, true),
        _ => eprintln!("usage: open_document table|compare|types PATH... | one|text FILE [PASSWORD]..."),
    }
}

#[derive(Default)]
struct Listed(Vec<(String, u64)>);

impl Members for Listed {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let size = io::copy(bytes, &mut io::sink()).unwrap_or(0);
        self.0.push((String::from_utf8_lossy(&member.path).into_owned(), size));
        Ok(())
    }
}

/// The media type by content, by name where text does not say it.
fn media_type(path: &Path, bytes: &[u8]) -> &'static str {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    match probe(head, name.as_bytes(), &Place::Loose, bytes.len() as u64).0 {
        FileKind::Other { media_type, .. } => media_type,
        FileKind::Message | FileKind::Mailbox => "message/rfc822",
        FileKind::Empty => "application/x-empty",
        FileKind::Text => text_type(head, name.as_bytes()),
    }
}

fn opened(path: &Path, passwords: &[String]) -> Option<(DocumentFormat, Opened, Listed)> {
    let bytes = std::fs::read(path).ok()?;
    let format = reader_of(media_type(path, &bytes))?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut members = Listed::default();
    let opened = open(
        format,
        &bytes,
        name.as_bytes(),
        passwords,
        &OpenLimits::default(),
        &mut members,
    )
    .ok()?;
    Some((format, opened, members))
}

fn one(file: &str, passwords: &[String], text: bool) {
    let Some((format, opened, members)) = opened(Path::new(file), passwords) else {
        println!("{{\"format\": null}}");
        return;
    };
    if text {
        println!("{}", opened.text);
        return;
    }
    let json = serde_json::json!({
        "format": format!("{format:?}"),
        "reader": opened.reader,
        "searchability": opened.searchability.map(|one| one.word()),
        "letters": opened.text.chars().filter(|c| c.is_alphanumeric()).count(),
        "language": language(&opened.text),
        "needs_ocr": opened.needs_ocr,
        "password_used": opened.password_used,
        "fields": opened.fields.iter().map(|(field, value)| serde_json::json!([field, value])).collect::<Vec<_>>(),
        "defects": opened.defects.iter().map(|one| format!("{} {}", one.code.text(), one.detail)).collect::<Vec<_>>(),
        "members": members.0,
        "text": opened.text,
    });
    println!("{json}");
}

fn collect(path: &Path, out: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        out.push(path.to_path_buf());
        return;
    }
    let mut names: Vec<_> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    names.sort();
    for name in names {
        collect(&name, out);
    }
}

/// What a process says within the time, or how it failed.
fn ask(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("no pipe".to_owned());
    };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut out = Vec::new();
        let outcome = stdout.read_to_end(&mut out);
        let _nobody_waits = sender.send(outcome.map(|_| out));
    });
    let _ended_early = stdin.write_all(input);
    drop(stdin);
    let answer = receiver.recv_timeout(PATIENCE);
    if answer.is_err() {
        let _gone = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match answer {
        Err(_) => Err("timeout".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(out)) if status.success() => Ok(out),
        Ok(Ok(_)) => Err(format!("crash: {status}")),
    }
}

fn types(paths: &[String]) {
    let mut files = Vec::new();
    for path in paths {
        collect(Path::new(path), &mut files);
    }
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        let (kind, defects) = probe(head, name.as_bytes(), &Place::Loose, bytes.len() as u64);
        let defects: Vec<_> = defects.iter().map(|one| one.code.text()).collect();
        println!(
            "{}\t{kind:?}\t{}\t{}",
            media_type(&file, &bytes),
            defects.join(" "),
            file.display()
        );
    }
}

fn table(paths: &[String], compare: bool) {
    let mut files = Vec::new();
    for path in paths {
        collect(Path::new(path), &mut files);
    }
    let Ok(program) = std::env::current_exe() else {
        eprintln!("this program cannot be found");
        return;
    };
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    let (mut shares, mut long_shares, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for file in &files {
        let answer = ask(Command::new(&program).arg("one").arg(file), b"");
        let json = match &answer {
            Ok(out) => serde_json::from_slice(out).unwrap_or(serde_json::Value::Null),
            Err(why) => serde_json::json!({"format": "?", "searchability": why}),
        };
        let word = |key: &str| json[key].as_str().unwrap_or("-").to_owned();
        let outcome = if json["format"].is_null() {
            "no document".to_owned()
        } else {
            word("searchability")
        };
        *totals.entry(outcome.clone()).or_default() += 1;
        let mut share = String::new();
        if compare && word("format") == "Pdf" {
            let bytes = std::fs::read(file).unwrap_or_default();
            if let Ok(out) = ask(
                Command::new("pdftotext").args(["-q", "-enc", "UTF-8", "-", "-"]),
                &bytes,
            ) {
                let reference = String::from_utf8_lossy(&out).into_owned();
                let (f1, recall) = word_bags(&word("text"), &reference);
                share = format!("{f1:.3} {recall:.3}");
                shares.push(f1);
                let words = reference.split_whitespace().count();
                if words > 0 {
                    found.push(recall);
                }
                if words >= 30 {
                    long_shares.push(f1);
                }
            }
        }
        let defects = json["defects"].as_array().map_or(String::new(), |list| {
            list.iter()
                .filter_map(|one| one.as_str())
                .collect::<Vec<_>>()
                .join(" | ")
        });
        println!(
            "{outcome}\t{}\t{}\t{}\t{share}\t{}\t{}\t{defects}",
            word("format"),
            json["letters"].as_u64().unwrap_or(0),
            json["members"].as_array().map_or(0, Vec::len),
            word("reader"),
            file.display()
        );
    }
    println!("\n{} files", files.len());
    for (outcome, count) in totals {
        println!("{count}\t{outcome}");
    }
    for (what, mut list) in [
        ("F1, all", shares),
        ("F1, 30 words or more", long_shares),
        ("recall, any words", found),
    ] {
        if !list.is_empty() {
            list.sort_by(f64::total_cmp);
            let mean = list.iter().sum::<f64>() / list.len() as f64;
            println!(
                "{what}: {} files, mean {mean:.3}, median {:.3}",
                list.len(),
                list[list.len() / 2]
            );
        }
    }
}

/// F1 of two bags of words, and the share of the reference that is in ours.
fn word_bags(ours: &str, reference: &str) -> (f64, f64) {
    let bag = |text: &str| {
        let mut bag: HashMap<String, usize> = HashMap::new();
        for word in text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            *bag.entry(word.to_lowercase()).or_default() += 1;
        }
        bag
    };
    let (ours, reference) = (bag(ours), bag(reference));
    let (all_ours, all_reference): (usize, usize) = (ours.values().sum(), reference.values().sum());
    if all_ours + all_reference == 0 {
        return (1.0, 1.0);
    }
    let common: usize = reference
        .iter()
        .map(|(word, count)| (*count).min(ours.get(word).copied().unwrap_or(0)))
        .sum();
    let recall = common as f64 / all_reference.max(1) as f64;
    (2.0 * common as f64 / (all_ours + all_reference) as f64, recall)
}
