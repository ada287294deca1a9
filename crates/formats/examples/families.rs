//! Parses mailboxes and message files, and prints what came out: for differential checks and for measuring.
//!
//! - `families dump PATH...` prints one JSON object a message;
//! - `families time PATH...` reads everything into memory, parses it five times and prints the speed;
//! - `families large FILE...` streams each file as one message.
//!
//! For the first two a file that begins with a separator line is split, all others are one message.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example that is run by hand"
)]

use std::path::{Path, PathBuf};

use embley_formats::identity::content_key;
use embley_formats::mail::{Content, Family, ParseLimits, parse_large, parse_message};
use embley_formats::mailbox::{MailboxScanner, Variant, unquote};
use embley_formats::source::SourceFile;
use embley_model::clock::{Clock, SystemClock};
use serde_json::json;
use sha2::{Digest, Sha256};

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let mut files = Vec::new();
    for path in arguments {
        collect(Path::new(&path), &mut files);
    }
    match mode.to_str() {
        Some("dump") => dump(&files),
        Some("time") => time(&files),
        Some("large") => large(&files),
        _ => eprintln!("usage: families dump|time|large PATH..."),
    }
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

/// Calls `each` with the name and the bytes of every message of a file.
fn messages(path: &Path, mut each: impl FnMut(String, &[u8])) {
    let Ok(file) = SourceFile::open(path) else {
        eprintln!("cannot open {}", path.display());
        return;
    };
    let name = path.display().to_string();
    let head = file.read_at_most(0, 5).unwrap_or_default();
    if head != b"From " {
        let length = usize::try_from(file.len()).unwrap_or(usize::MAX);
        each(name, &file.read_at_most(0, length).unwrap_or_default());
        return;
    }
    let Ok(mut scanner) = MailboxScanner::open(file, None) else {
        eprintln!("cannot scan {name}");
        return;
    };
    while let Ok(Some(range)) = scanner.next_range(1 << 20) {
        for entry in &range.entries {
            let at = |offset: u64| usize::try_from(offset - range.base).unwrap_or(usize::MAX);
            let found = &range.bytes[at(entry.message.start)..at(entry.message.end)];
            each(
                format!("{name}#{}", entry.ordinal),
                &unquote(scanner.variant(), found).bytes,
            );
        }
    }
}

fn dump(files: &[PathBuf]) {
    let limits = ParseLimits::default();
    for path in files {
        messages(path, |name, bytes| {
            let family = parse_message(bytes, &limits);
            println!("{}", describe(&name, &family));
        });
    }
}

fn describe(name: &str, family: &Family<'_>) -> serde_json::Value {
    let items: Vec<_> = family
        .items
        .iter()
        .map(|item| {
            let Content::Bytes(bytes) = &item.content else {
                return json!(null);
            };
            let digest: [u8; 32] = Sha256::digest(bytes).into();
            json!({
                "kind": item.kind.word(),
                "path": item.part_path,
                "type": item.media_type,
                "filename": item.filename,
                "size": bytes.len(),
                "sha256": embley_model::id::hex_encode(&digest),
                "key": content_key(item).to_hex(),
                "text": item.text,
                "searchability": item.searchability.word(),
                "defects": item.defects.iter().map(|d| format!("{}: {}", d.code.text(), d.detail)).collect::<Vec<_>>(),
                "mail": item.mail.as_ref().map(|mail| json!({
                    "subject": mail.subject,
                    "message_id": mail.message_id,
                    "date": mail.date.utc_secs,
                    "date_raw": mail.date.raw,
                    "offset": mail.date.offset_minutes,
                    "date_source": mail.date.source,
                    "confidence": mail.date.confidence,
                    "people": mail.participants.iter()
                        .map(|p| json!([format!("{:?}", p.role), p.address.name, p.address.addr])).collect::<Vec<_>>(),
                    "in_reply_to": mail.in_reply_to,
                    "references": mail.references,
                    "labels": mail.labels,
                    "flags": [mail.has_html, mail.signed, mail.encrypted, mail.report],
                })),
            })
        })
        .collect();
    json!({"name": name, "items": items})
}

fn large(files: &[PathBuf]) {
    let clock = SystemClock::new();
    for path in files {
        let Ok(file) = SourceFile::open(path) else {
            eprintln!("cannot open {}", path.display());
            continue;
        };
        let start = clock.monotonic_nanos();
        let limits = ParseLimits::default();
        match parse_large(&file, 0..file.len(), Variant::Mboxrd, &limits) {
            Ok(family) => {
                let micros = (clock.monotonic_nanos() - start) / 1000;
                for item in &family.items {
                    println!(
                        "{} {} {} {:?}",
                        item.part_path,
                        item.media_type,
                        item.content.size(),
                        item.searchability
                    );
                }
                println!("{} bytes, {micros} us, {} MB/s", file.len(), file.len() / micros.max(1));
            }
            Err(error) => eprintln!("{error}"),
        }
    }
}

fn time(files: &[PathBuf]) {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for path in files {
        messages(path, |_, bytes| all.push(bytes.to_vec()));
    }
    let bytes: usize = all.iter().map(Vec::len).sum();
    let limits = ParseLimits::default();
    let clock = SystemClock::new();
    for _ in 0..5 {
        let start = clock.monotonic_nanos();
        let (mut items, mut text) = (0, 0);
        for message in &all {
            let family = parse_message(message, &limits);
            items += family.items.len();
            text += family.items.iter().map(|item| item.text.len()).sum::<usize>();
        }
        let micros = (clock.monotonic_nanos() - start) / 1000;
        println!(
            "{} messages, {items} items, {bytes} bytes, {text} text bytes, {micros} us, {} MB/s",
            all.len(),
            bytes as u64 / micros.max(1)
        );
    }
}
