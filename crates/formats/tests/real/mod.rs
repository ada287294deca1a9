//! Real mail, which stays outside of the project: these tests say so and pass when it is not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use embley_formats::mailbox::{Entry, MailboxScanner, UnquoteReader, Variant, split_checked, unquote};
use embley_formats::probe::{FileKind, HEAD_BYTES, probe};
use embley_formats::source::SourceFile;
use embley_formats::walk::{Place, WalkOptions, Walked, walk};
use embley_model::defect::DefectCode;
use sha2::{Digest, Sha256};

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

fn unpack(path: &Path) -> Vec<u8> {
    let mut decoder = zstd::Decoder::new(fs::File::open(path).expect("opens")).expect("is zstd");
    decoder.window_log_max(27).expect("a window");
    let mut out = Vec::new();
    decoder.read_to_end(&mut out).expect("unpacks");
    out
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).expect("fits")
}

#[test]
fn every_message_of_the_list_slices_has_the_hash_of_its_archive() {
    let Some(folder) = corpus("mail/lists") else { return };
    let mut total = 0;
    for (name, messages) in [
        ("linux-block-slice", 4500),
        ("linux-xfs-slice", 4500),
        ("openbmc-early", 1499),
        ("usrp-users-early", 320),
    ] {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&unpack(&folder.join(format!("{name}.mbox.zst"))))
            .expect("writes");
        let index = String::from_utf8(unpack(&folder.join(format!("{name}.index.tsv.zst")))).expect("text");
        let mut index = index.lines();
        let source = SourceFile::open(file.path()).expect("opens");
        let mut scanner = MailboxScanner::open(source, None).expect("opens");
        assert_eq!(scanner.variant(), Variant::Mboxrd, "{name}");
        let mut count = 0;
        while let Some(range) = scanner.next_range(1 << 20).expect("reads") {
            assert!(range.defects.is_empty(), "{name}: {:?}", range.defects);
            for entry in &range.entries {
                let line: Vec<_> = index.next().expect("a line for each message").split('\t').collect();
                let message = unquote(scanner.variant(), range.slice(&entry.message));
                assert_eq!(line[0], entry.ordinal.to_string());
                assert_eq!(line[1], message.bytes.len().to_string(), "{name} {}", entry.ordinal);
                assert_eq!(
                    line[2],
                    hex(&Sha256::digest(&message.bytes)),
                    "{name} {}",
                    entry.ordinal
                );
                assert!(message.exact && entry.defects.is_empty());
                if entry.ordinal % 50 == 0 || message.bytes.len() as u64 != entry.message.end - entry.message.start {
                    let mut reader = UnquoteReader::new(scanner.source(), entry.message.clone(), scanner.variant());
                    let mut streamed = Vec::new();
                    reader.read_to_end(&mut streamed).expect("reads");
                    assert!(streamed == *message.bytes);
                }
                count += 1;
            }
        }
        assert_eq!(count, messages, "{name}");
        assert_eq!(index.next(), None, "{name}");
        assert_eq!(scanner.state().sums.total(), scanner.source().len());
        total += count;
    }
    assert_eq!(total, 10_819);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Splits in small ranges, with every promise checked.
fn split(path: &Path) -> (Vec<u8>, Vec<Entry>) {
    let file = fs::read(path).expect("reads");
    let entries = split_checked(&file, 1000).unwrap_or_else(|broken| panic!("{}: {broken}", path.display()));
    (file, entries)
}

fn numbers(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).expect("reads");
    text.lines().map(|line| line.parse().expect("a number")).collect()
}

/// Expected results are those of Mail::Mbox::MessageParser. It knows no separator without an empty line before it, so
/// in two files it takes several messages for one; these are listed with what each separator is.
#[test]
fn the_tricky_mailboxes_divide_where_their_expected_results_say() {
    let Some(folder) = corpus("mbox/messageparser") else {
        return;
    };
    for (name, more) in [
        ("invalid-boundaries", 0),
        ("mailarc-2", 0),
        // Line 822 is a whole separator behind the last line of a message; what follows is another person's message.
        ("mailarc-3", 1),
        // A list archive of 54 messages, all but three without an empty line before the separator.
        ("malformed", 51),
    ] {
        let (_, entries) = split(&folder.join(format!("mailboxes/{name}.txt")));
        let expected = numbers(&folder.join(format!("results/offset_{name}.stdout")));
        let starts: Vec<u64> = entries.iter().map(|entry| entry.separator.start).collect();
        assert!(expected.iter().all(|offset| starts.contains(offset)), "{name}");
        let additional = starts.iter().filter(|offset| !expected.contains(offset)).count();
        assert_eq!((starts.len(), additional), (expected.len() + more, more), "{name}");
        let no_blank = |entry: &&Entry| {
            entry
                .defects
                .iter()
                .any(|defect| defect.code == DefectCode::BoxNoBlankLine)
        };
        assert_eq!(
            entries.iter().filter(no_blank).count(),
            more,
            "{name}: the others are noted"
        );
        if more == 0 {
            let lengths: Vec<u64> = entries
                .iter()
                .map(|entry| entry.slice().end - entry.slice().start)
                .collect();
            assert_eq!(
                lengths,
                numbers(&folder.join(format!("results/length_{name}.stdout"))),
                "{name}"
            );
        }
    }
    let (file, entries) = split(&folder.join("mailboxes/newlines_at_beginning.txt"));
    assert_eq!((entries.len(), entries[0].slice()), (1, 1..file.len() as u64));
    // `From this principle, all of life ...` behind an empty line.
    assert_eq!(split(&folder.join("mailboxes/separators2.sep")).1.len(), 2);
}

/// MimeKit writes offsets of the separator line, of the message and of its end. Its samples have undated separators.
#[test]
fn undated_separators_divide_where_mimekit_says() {
    let Some(folder) = corpus("mime/mimekit/mbox") else {
        return;
    };
    let (file, entries) = split(&folder.join("issue1189.mbox.txt"));
    let crlf: Vec<u8> = file
        .iter()
        .flat_map(|byte| if *byte == b'\n' { b"\r\n".to_vec() } else { vec![*byte] })
        .collect();
    let of_crlf = split_checked(&crlf, 500).expect("holds");
    for (offsets, entries) in [("unix", entries), ("dos", of_crlf)] {
        let expected = fs::read_to_string(folder.join(format!("issue1189.{offsets}-offsets.json"))).expect("reads");
        // Fields of a message are indented by four spaces; parts stand deeper.
        let field = |name: &str| -> Vec<u64> {
            let start = format!("    \"{name}\": ");
            let values = expected.lines().filter_map(|line| line.strip_prefix(&start));
            values
                .map(|value| value.trim_end_matches(',').parse().expect("a number"))
                .collect()
        };
        let starts: Vec<_> = entries.iter().map(|entry| entry.separator.start).collect();
        let messages: Vec<_> = entries.iter().map(|entry| entry.message.start).collect();
        let ends: Vec<_> = entries.iter().map(|entry| entry.message.end).collect();
        assert_eq!(starts, field("mboxMarkerOffset"), "{offsets}");
        assert_eq!(messages, field("beginOffset"), "{offsets}");
        assert_eq!(ends, field("endOffset"), "{offsets}");
        assert_eq!(ends.len(), 4);
    }
}

/// Python's `mailbox` counts these samples the same, but for the files listed: it takes every line that begins with
/// `From ` for a separator and knows no bare CR.
#[test]
fn every_sample_with_a_separator_first_divides_as_expected() {
    let exceptions: BTreeMap<&str, usize> = [
        // Bare CR line ends; the copies of this file with LF and CRLF have two messages for Python too.
        ("bounces/sisimai/maildir/mac/rhost-cox-01.eml", 2),
        ("bounces/sisimai/maildir/dos/rhost-cox-01.eml", 2),
        ("bounces/sisimai/maildir/bsd/rhost-cox-01.eml", 2),
        // A patch made by `git format-patch` as an attachment: Python takes its first line for a separator.
        ("mime/notmuch-corpora/insert/mbox-attachment.eml", 1),
        // A header line of `From  :`: Python takes it for a separator.
        ("mime/spamassassin-t-data/spam/008", 1),
        ("mime/spamassassin-t-data/nice.mbox", 3),
        ("mime/mimekit/mbox/issue1189.mbox.txt", 4),
        ("mime/mimekit/mbox/issue1189-summary.txt", 4),
        ("mime/mimekit/mbox/jwz-summary.txt", 152),
    ]
    .into();
    let (mut files, mut mailboxes, mut messages) = (0, 0, 0);
    for name in ["bounces", "mime", "threads"] {
        let Some(folder) = corpus(name) else { return };
        for found in walk(&folder, &WalkOptions::default()) {
            let found = match found {
                Walked::File(found) => found,
                Walked::Excluded { rel, .. } if rel.ends_with("tmp/.noindex") => continue,
                other => panic!("{other:?}"),
            };
            files += 1;
            let file = fs::read(&found.absolute).expect("reads");
            let head = &file[..file.len().min(HEAD_BYTES)];
            let kind = probe(
                head,
                found.rel.as_os_str().as_encoded_bytes(),
                &found.place,
                file.len() as u64,
            )
            .0;
            if kind != FileKind::Mailbox {
                let skipped = head.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
                assert!(!head[skipped..].starts_with(b"From "), "{}", found.rel.display());
                continue;
            }
            let path = format!("{name}/{}", found.rel.display());
            let entries = split_checked(&file, 700).unwrap_or_else(|broken| panic!("{path}: {broken}"));
            assert_eq!(
                entries.len(),
                exceptions.get(path.as_str()).copied().unwrap_or(1),
                "{path}"
            );
            mailboxes += 1;
            messages += entries.len();
        }
    }
    assert!(files > 2000, "{files}");
    assert_eq!((mailboxes, messages), (82, 244));
}

/// Messages of the jwz set, one a file: put behind separators, they come out again as they are.
#[test]
fn a_mailbox_made_of_real_messages_gives_them_back() {
    let Some(folder) = corpus("mime/mailcore2-parser/input/mbox/jwz") else {
        return;
    };
    let mut file = Vec::new();
    let mut originals = Vec::new();
    for found in walk(&folder, &WalkOptions::default()) {
        let Walked::File(found) = found else {
            panic!("{found:?}")
        };
        let message = fs::read(&found.absolute).expect("reads");
        file.extend_from_slice(b"From jwz Thu Jan  1 00:00:00 1970\n");
        file.extend_from_slice(&embley_formats::mailbox::requote(Variant::Mboxrd, &message));
        file.extend_from_slice(if message.ends_with(b"\n") { b"\n" } else { b"\n\n" });
        originals.push(message);
    }
    assert!(originals.len() > 100);
    let entries = split_checked(&file, 1 << 20).expect("holds");
    assert_eq!(entries.len(), originals.len());
    for (entry, original) in entries.iter().zip(&originals) {
        let message = unquote(Variant::Mboxrd, &file[at(entry.message.start)..at(entry.message.end)]);
        let expected = original.strip_suffix(b"\n").unwrap_or(original);
        assert_eq!(
            message.bytes.strip_suffix(b"\n").expect("ends in a line end"),
            expected,
            "{}",
            entry.ordinal
        );
    }
}

/// Every message of the public corpus is a file, most with a separator line: one entry each.
#[test]
fn single_messages_with_a_separator_line_are_one_entry() {
    let Some(archive) = corpus("mail/spamassassin-public-corpus.tar.zst") else {
        return;
    };
    let archive = unpack(&archive);
    let (mut mailboxes, mut single) = (0, 0);
    for file in tar_files(&archive) {
        match probe(
            &file[..file.len().min(HEAD_BYTES)],
            b"0001",
            &Place::Loose,
            file.len() as u64,
        )
        .0
        {
            FileKind::Mailbox => {
                assert_eq!(split_checked(file, 1 << 20).expect("holds").len(), 1);
                mailboxes += 1;
            }
            FileKind::Message => single += 1,
            kind => panic!("{kind:?}"),
        }
    }
    assert_eq!((mailboxes, single), (2830, 170));
}

/// The regular files of a tar archive (POSIX ustar).
fn tar_files(archive: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(header) = archive.get(at..at + 512).filter(|header| header[0] != 0) {
        let size = std::str::from_utf8(&header[124..135]).expect("octal");
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).expect("octal");
        if matches!(header[156], b'0' | 0) {
            files.push(&archive[at + 512..at + 512 + size]);
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    files
}
