//! Real containers against other programs, where both are at hand: `bsdtar`, `7z` and `unzip` list and unpack, and the same comes out here.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use embley_formats::archive::{ArchiveFormat, format_of, open};
use embley_formats::opened::{Member, Members, OpenLimits};
use embley_formats::probe::{FileKind, HEAD_BYTES, probe};
use embley_formats::walk::Place;
use sha2::{Digest, Sha256};

fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpora")
        .join(name);
    let found = fs::metadata(&path).is_ok();
    if !found {
        say(&format!("not run: {} is not there\n", path.display()));
    }
    found.then_some(path)
}

fn say(text: &str) {
    io::stderr().write_all(text.as_bytes()).expect("stderr");
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .expect("reads")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    for path in names {
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(path);
        }
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sizes and hashes of members that have bytes, as a multiset.
type Contents = BTreeMap<(u64, String), u32>;

#[derive(Default)]
struct Tally {
    contents: Contents,
    members: u32,
    faults: u32,
}

impl Members for Tally {
    fn member(&mut self, _member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut out = Vec::new();
        self.members += 1;
        if bytes.read_to_end(&mut out).is_err() {
            self.faults += 1;
        }
        if !out.is_empty() {
            *self.contents.entry((out.len() as u64, hash(&out))).or_default() += 1;
        }
        Ok(())
    }
}

fn format(path: &Path) -> Option<ArchiveFormat> {
    let mut head = Vec::new();
    let file = fs::File::open(path).expect("opens");
    let length = file.metadata().expect("a length").len();
    file.take(HEAD_BYTES as u64).read_to_end(&mut head).expect("reads");
    let name = path.file_name().expect("a name").as_encoded_bytes();
    match probe(&head, name, &Place::Loose, length).0 {
        FileKind::Other { media_type, .. } => format_of(media_type),
        _ => None,
    }
}

fn ours(path: &Path, format: ArchiveFormat) -> Tally {
    let mut tally = Tally::default();
    let name = path.file_name().expect("a name").as_encoded_bytes();
    let mut file = fs::File::open(path).expect("opens");
    let limits = OpenLimits {
        max_total_bytes: 1 << 30,
        ..OpenLimits::default()
    };
    open(format, &mut file, name, &[], &limits, &mut tally).expect("opens");
    tally
}

/// What a program unpacks into a folder; `None` when it is not there or finds a fault.
fn theirs(program: &str, arguments: &[&str], path: &Path) -> Option<Contents> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path.canonicalize().expect("is there");
    let outcome = Command::new(program)
        .args(arguments)
        .arg(&path)
        .current_dir(folder.path())
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    if !outcome.status.success() {
        return None;
    }
    let mut paths = Vec::new();
    unpacked(folder.path(), &mut paths);
    let mut contents = Contents::new();
    for path in paths {
        let bytes = fs::read(&path).ok()?;
        if !bytes.is_empty() {
            *contents.entry((bytes.len() as u64, hash(&bytes))).or_default() += 1;
        }
    }
    Some(contents)
}

/// Files only: links are not followed.
fn unpacked(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            unpacked(&entry.path(), out);
        } else if kind.is_file() {
            out.push(entry.path());
        }
    }
}

/// Files that differ, and why that is right.
const KNOWN: [(&str, &str); 3] = [
    (
        "COMPRESS-681.7z",
        "archive properties with long numbers, which the package for 7z cannot read: said, not opened",
    ),
    (
        "bla.deflate64.7z",
        "Deflate64 in 7z, which the package cannot undo: members without bytes that say so",
    ),
    (
        "testWARC_multiple.warc.gz",
        "bsdtar opens the WARC in the gzip too; here it is the one member",
    ),
];

#[test]
fn members_are_those_that_other_programs_unpack() {
    let mut paths = Vec::new();
    for folder in ["archives", "docs/tika"] {
        let Some(folder) = corpus(folder) else { return };
        files(&folder, &mut paths);
    }
    let (mut compared, mut members, mut opened) = (0, 0, 0);
    let mut wrong = Vec::new();
    for path in paths {
        let Some(format) = format(&path) else { continue };
        let ours = ours(&path, format);
        opened += 1;
        members += ours.members;
        let tools: &[(&str, &[&str])] = match format {
            ArchiveFormat::Zip => &[
                ("unzip", &["-qq", "-o"]),
                ("7z", &["x", "-y", "-bd", "-p"]),
                ("bsdtar", &["-xf"]),
            ],
            ArchiveFormat::SevenZip => &[("7z", &["x", "-y", "-bd", "-p"]), ("bsdtar", &["-xf"])],
            _ => &[("bsdtar", &["-xf"])],
        };
        for (program, arguments) in tools {
            let Some(theirs) = theirs(program, arguments, &path) else {
                continue;
            };
            compared += 1;
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let known = KNOWN.iter().any(|(file, _)| *file == name);
            let lost: Vec<_> = theirs
                .iter()
                .filter(|(key, count)| ours.contents.get(*key).copied().unwrap_or(0) < **count)
                .collect();
            let more: u32 = ours
                .contents
                .iter()
                .map(|(key, count)| count.saturating_sub(theirs.get(key).copied().unwrap_or(0)))
                .sum();
            if more > 0 {
                say(&format!("{name}: {more} members that {program} does not unpack\n"));
            }
            if !known && !lost.is_empty() {
                wrong.push(format!("{name}: {program} also has {lost:?}, here {:?}", ours.contents));
            }
        }
    }
    say(&format!(
        "{opened} containers, {members} members, {compared} comparisons\n"
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(opened > 100, "{opened}");
}
