//! Real messages, which stay outside of the project: these tests say so and pass when they are not there.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use embley_formats::mail::{Content, Family, ParseLimits, parse_large, parse_message, part_bytes, part_to};
use embley_formats::mailbox::{MailboxScanner, Variant, unquote};
use embley_formats::source::SourceFile;
use embley_model::defect::DefectCode;
use embley_model::id::Blake3;
use embley_model::item::{ItemKind, Searchability};

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
        .map(|e| e.expect("an entry").path())
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

fn digest(content: &Content<'_>) -> Blake3 {
    match content {
        Content::Bytes(bytes) => Blake3(*blake3::hash(bytes).as_bytes()),
        Content::Streamed { blake3, .. } => *blake3,
    }
}

/// What both ways of parsing must agree on.
fn outline(family: &Family<'_>) -> Vec<String> {
    let line = |item: &embley_formats::mail::Parsed<'_>| {
        let defects: Vec<_> = item
            .defects
            .iter()
            .filter(|d| d.code != DefectCode::LargeMessage)
            .collect();
        format!(
            "{:?} {:?} {} {:?} {} {} {} {:?} {:?} {:?} {defects:?}",
            item.kind,
            item.parent,
            item.part_path,
            item.filename,
            item.media_type,
            digest(&item.content),
            item.content.size(),
            item.text,
            item.mail,
            item.searchability
        )
    };
    family.items.iter().map(line).collect()
}

/// Holds every promise against one message; returns its number of items.
fn check(name: &str, raw: &[u8], deep: bool) -> usize {
    let limits = ParseLimits::default();
    let family = parse_message(raw, &limits);
    let first = &family.items[0];
    assert_eq!(
        (first.kind, first.parent, first.part_path.as_str()),
        (ItemKind::Email, None, ""),
        "{name}"
    );
    for (index, item) in family.items.iter().enumerate() {
        assert_ne!(item.searchability, Searchability::Failed, "{name} {}", item.part_path);
        assert!(
            item.defects.iter().all(|defect| defect.code != DefectCode::ParserPanic),
            "{name}"
        );
        assert_eq!(
            item.mail.is_some(),
            item.kind == ItemKind::Email,
            "{name} {}",
            item.part_path
        );
        if index > 0 {
            let parent = &family.items[item.parent.expect("a parent") as usize];
            assert_eq!(parent.kind, ItemKind::Email, "{name} {}", item.part_path);
            let above = item.part_path.rsplit_once('.').map_or("", |(above, _)| above);
            assert_eq!(above, parent.part_path, "{name}");
        }
    }
    if deep {
        let source: &[u8] = raw;
        let range = 0..raw.len() as u64;
        let large = parse_large(&source, range.clone(), Variant::Mboxcl2, &limits).expect("memory");
        assert_eq!(outline(&large), outline(&family), "{name}");
        for item in &family.items {
            let Content::Bytes(bytes) = &item.content else {
                panic!("memory keeps bytes")
            };
            assert_eq!(
                part_bytes(raw, &item.part_path, &limits).as_deref(),
                Some(bytes.as_ref()),
                "{name}"
            );
            let mut out = Vec::new();
            let found = part_to(
                &source,
                range.clone(),
                Variant::Mboxcl2,
                &item.part_path,
                &limits,
                &mut out,
            );
            assert!(found.expect("memory"), "{name} {}", item.part_path);
            let bare_cr = !raw[..raw.len().min(65_536)].contains(&b'\n');
            assert!(bare_cr || out == bytes.as_ref(), "{name} {}", item.part_path);
        }
    }
    family.items.len()
}

/// Checks every message of a file; returns how many messages and items there were.
fn check_file(path: &Path, deep: bool) -> (usize, usize) {
    let name = path.display().to_string();
    let file = SourceFile::open(path).expect("opens");
    let (mut messages, mut items) = (0, 0);
    if file.read_at_most(0, 5).expect("reads") != b"From " {
        return (1, check(&name, &fs::read(path).expect("reads"), deep));
    }
    let mut scanner = MailboxScanner::open(file, None).expect("opens");
    while let Some(range) = scanner.next_range(1 << 20).expect("reads") {
        for entry in &range.entries {
            let message = unquote(scanner.variant(), range.slice(&entry.message)).bytes;
            items += check(&format!("{name}#{}", entry.ordinal), &message, deep);
            messages += 1;
        }
    }
    (messages, items)
}

#[test]
fn sample_messages_of_other_parsers_are_read_alike_from_memory_and_stream() {
    let (mut messages, mut items, mut present) = (0, 0, false);
    for name in ["mime", "bounces", "threads/talon"] {
        let Some(folder) = corpus(name) else { continue };
        present = true;
        let mut paths = Vec::new();
        files(&folder, &mut paths);
        for path in paths {
            let (more_messages, more_items) = check_file(&path, true);
            messages += more_messages;
            items += more_items;
        }
    }
    assert!(
        !present || (messages > 2000 && items > messages),
        "{messages} messages, {items} items"
    );
}

fn unpack(path: &Path) -> Vec<u8> {
    let mut decoder = zstd::Decoder::new(fs::File::open(path).expect("opens")).expect("is zstd");
    decoder.window_log_max(27).expect("a window");
    let mut out = Vec::new();
    decoder.read_to_end(&mut out).expect("unpacks");
    out
}

#[test]
fn every_message_of_the_list_slices_is_parsed() {
    let Some(folder) = corpus("mail/lists") else { return };
    for (name, expected) in [
        ("openbmc-early", 1499),
        ("usrp-users-early", 320),
        ("linux-xfs-slice", 4500),
    ] {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&unpack(&folder.join(format!("{name}.mbox.zst"))))
            .expect("writes");
        let (messages, items) = check_file(file.path(), false);
        assert_eq!(messages, expected, "{name}");
        assert!(items > messages, "{name}: {items}");
    }
}
