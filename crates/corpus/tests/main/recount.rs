//! Every number of the truth, counted again from the files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use embley_corpus::{BoxFormat, BrokenKind, CorpusConfig, NeedlePlace, Truth, write_corpus};

use crate::reader::{Found, Item, decode_words, items, messages, words};

fn made(formats: &[BoxFormat], count: u64, change: impl Fn(&mut CorpusConfig)) -> (tempfile::TempDir, Truth) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = CorpusConfig::new(count, 77);
    config.formats = formats.to_vec();
    config.shares.attachments = 0.2;
    config.shares.broken = 0.05;
    config.shares.bounces = 0.03;
    config.shares.without_text = 0.03;
    config.shares.crossposts = 0.02;
    config.shares.from_lines = 0.03;
    change(&mut config);
    let truth = write_corpus(folder.path(), &config).expect("written");
    (folder, truth)
}

fn plain_formats() -> (tempfile::TempDir, Truth) {
    made(&[BoxFormat::Mboxrd, BoxFormat::Maildir, BoxFormat::Eml], 3000, |_| {})
}

/// Messages, duplicates and bytes of each mailbox, and the digest of the distinct messages.
fn check_mailboxes(dir: &Path, truth: &Truth, found: &[Found]) {
    assert_eq!(found.len() as u64, truth.messages);
    let mut seen = HashSet::new();
    let mut xor = [0_u8; 32];
    let mut boxes: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for message in found {
        // The deepest mailbox whose folder this is in: a Maildir holds its sub-folders.
        let mailbox = truth
            .mailboxes
            .iter()
            .filter(|mailbox| message.file.starts_with(&mailbox.path))
            .max_by_key(|mailbox| mailbox.path.len())
            .expect("every file is in a mailbox");
        let hash = blake3::hash(&message.bytes);
        let is_new = seen.insert(hash);
        if is_new {
            xor.iter_mut().zip(hash.as_bytes()).for_each(|(sum, byte)| *sum ^= byte);
        }
        let count = boxes.entry(&mailbox.path).or_default();
        count.0 += 1;
        count.1 += u64::from(is_new);
        count.2 += message.bytes.len() as u64;
    }
    for mailbox in &truth.mailboxes {
        let count = boxes.get(mailbox.path.as_str()).copied().unwrap_or_default();
        assert_eq!(
            count,
            (mailbox.messages, mailbox.new, mailbox.message_bytes),
            "{} in {}",
            mailbox.path,
            dir.display()
        );
        assert_eq!(mailbox.messages, mailbox.new + mailbox.duplicate);
    }
    let custodians: u64 = truth.custodians.iter().map(|custodian| custodian.messages).sum();
    assert_eq!(custodians, truth.messages);
    assert_eq!(seen.len() as u64, truth.distinct_messages);
    assert_eq!(truth.duplicate_messages, truth.messages - truth.distinct_messages);
    let xor: String = xor.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(Some(xor), truth.blob_xor);
}

#[test]
fn every_format_holds_the_messages_that_the_truth_says() {
    for (format, unquote_all) in [
        (BoxFormat::Mboxrd, true),
        (BoxFormat::Mboxo, false),
        (BoxFormat::MboxrdCrlf, true),
        (BoxFormat::Maildir, true),
        (BoxFormat::Eml, true),
    ] {
        let (folder, truth) = made(&[format], 900, |_| {});
        let found = messages(folder.path(), unquote_all);
        check_mailboxes(folder.path(), &truth, &found);
        assert!(truth.duplicate_messages > 50);
        assert!(truth.from_line_messages > 5);
    }
}

#[test]
fn mixed_formats_are_duplicates_only_where_bytes_are_equal() {
    let formats = [BoxFormat::Mboxrd, BoxFormat::MboxrdCrlf, BoxFormat::Maildir];
    let (folder, truth) = made(&formats, 1500, |_| {});
    check_mailboxes(folder.path(), &truth, &messages(folder.path(), true));
    let (_other, plain) = made(&[BoxFormat::Mboxrd], 1500, |_| {});
    assert!(truth.distinct_messages > plain.distinct_messages);
}

#[test]
fn content_length_leads_from_each_body_to_the_next_separator() {
    let (folder, truth) = made(&[BoxFormat::Mboxcl2], 900, |_| {});
    let mut count = 0;
    for mailbox in &truth.mailboxes {
        let bytes = std::fs::read(folder.path().join(&mailbox.path)).expect("readable");
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            assert!(rest.starts_with(b"From "));
            count += 1;
            let end = rest.windows(2).position(|pair| pair == b"\n\n").expect("headers end");
            let head = String::from_utf8_lossy(&rest[..end]);
            let length = head
                .lines()
                .rev()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            let body: usize = match length {
                Some(length) => length.parse().expect("a number"),
                // The header section runs to the end of the message.
                None => 0,
            };
            rest = &rest[end + 2 + body..];
            // The empty line behind a message; a message without a body ends with it.
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
    }
    assert_eq!(count, truth.messages);
}

/// The distinct messages of a corpus with their items.
fn distinct_items(found: &[Found]) -> Vec<(usize, Vec<Item>)> {
    let mut seen = HashSet::new();
    let is_new = |(_, message): &(usize, &Found)| seen.insert(blake3::hash(&message.bytes));
    let fresh: Vec<_> = found.iter().enumerate().filter(is_new).collect();
    fresh
        .into_iter()
        .map(|(at, message)| (at, items(&message.bytes)))
        .collect()
}

#[test]
fn items_attachments_and_messages_without_text_are_counted_right() {
    let (folder, truth) = plain_formats();
    let found = messages(folder.path(), true);
    check_mailboxes(folder.path(), &truth, &found);
    let all = distinct_items(&found);
    let mut by_type: BTreeMap<String, u64> = BTreeMap::new();
    let mut without_text = 0;
    let mut bounces = 0;
    for (_, items) in &all {
        without_text += u64::from(words(&String::from_utf8_lossy(&items[0].text)) == " ");
        let kind = items[0].headers.get("content-type").map_or("", String::as_str);
        bounces += u64::from(kind.starts_with("multipart/report"));
        for item in &items[1..] {
            *by_type.entry(item.media_type.clone()).or_default() += 1;
        }
    }
    let is_document =
        |(at, items): &&(usize, Vec<Item>)| items[0].headers.is_empty() && found[*at].file.ends_with(".eml");
    let documents = all.iter().filter(is_document).count() as u64;
    assert!(documents > 0);
    let top = all.len() as u64 - documents;
    let emails = top + by_type["message/rfc822"];
    let attachments: u64 = by_type
        .iter()
        .filter(|(kind, _)| *kind != "message/rfc822")
        .map(|(_, n)| n)
        .sum();
    assert_eq!(
        (emails, top, documents, attachments),
        (
            truth.items.email,
            truth.items.email_top,
            truth.items.document,
            truth.items.attachment
        )
    );
    // Broken messages are apart in the table by type: theirs are octet streams.
    let torn: u64 = truth
        .broken
        .iter()
        .map(|(kind, count)| kind.attachments() * count)
        .sum();
    assert!(torn > 0);
    *by_type.get_mut("application/octet-stream").expect("some") -= torn;
    assert_eq!(by_type, truth.attachments_by_type);
    // This reader takes a body without its boundary for no text; the truth counts what is there to be read.
    let unopened = truth
        .broken
        .get(&BrokenKind::BoundaryMissing)
        .copied()
        .unwrap_or_default();
    assert_eq!(without_text, truth.without_text + unopened);
    assert_eq!(bounces, truth.bounces);
    assert_eq!(
        truth.broken.len(),
        BrokenKind::ALL.len(),
        "every kind of broken message is there: {:?}",
        truth.broken
    );
}

/// What the words of a distinct message are.
struct Worded {
    copies: u64,
    /// Is it an email, and its words; the message itself first.
    texts: Vec<(bool, String)>,
    subject: String,
}

#[test]
fn planted_phrases_and_case_references_are_where_the_truth_says() {
    let (folder, truth) = plain_formats();
    let found = messages(folder.path(), true);
    let mut copies: HashMap<blake3::Hash, u64> = HashMap::new();
    for message in &found {
        *copies.entry(blake3::hash(&message.bytes)).or_default() += 1;
    }
    let all: Vec<Worded> = distinct_items(&found)
        .into_iter()
        .map(|(at, items)| {
            let subject = words(&decode_words(
                items[0].headers.get("subject").map_or("", String::as_str),
            ));
            let texts = items
                .iter()
                .map(|item| (item.is_email, words(&String::from_utf8_lossy(&item.text))))
                .collect();
            Worded {
                copies: copies[&blake3::hash(&found[at].bytes)],
                texts,
                subject,
            }
        })
        .collect();
    for phrase in &truth.phrases {
        let wanted = words(&phrase.phrase);
        let (mut items, mut families, mut instances, mut in_attachment) = (0, 0, 0, 0);
        let mut with_all_words = 0;
        for Worded { copies, texts, .. } in &all {
            let holding = texts.iter().filter(|(_, text)| text.contains(&wanted)).count() as u64;
            items += holding;
            families += u64::from(holding > 0);
            instances += if holding > 0 { *copies } else { 0 };
            in_attachment += texts
                .iter()
                .filter(|(is_email, text)| !is_email && text.contains(&wanted))
                .count() as u64;
            let has_all = |text: &str| {
                wanted
                    .split_whitespace()
                    .all(|word| text.contains(&format!(" {word} ")))
            };
            with_all_words += texts.iter().filter(|(_, text)| has_all(text)).count() as u64;
        }
        assert_eq!(
            (items, families, instances, in_attachment, with_all_words),
            (
                phrase.items,
                phrase.families,
                phrase.instances,
                phrase.in_attachment,
                phrase.items + phrase.decoy_items
            ),
            "{}",
            phrase.phrase
        );
    }
    assert!(
        truth
            .phrases
            .iter()
            .any(|phrase| phrase.in_attachment > 0 && phrase.in_nested > 0)
    );
    for case in &truth.cases {
        let wanted = words(&case.case_ref);
        let named = |one: &&Worded| one.subject.contains(&wanted) || one.texts[0].1.contains(&wanted);
        let count = all.iter().filter(named).count() as u64;
        let instances: u64 = all.iter().filter(named).map(|one| one.copies).sum();
        let in_subject = all.iter().filter(|one| one.subject.contains(&wanted)).count() as u64;
        assert_eq!(
            (count, instances, in_subject),
            (case.messages, case.instances, case.in_subject),
            "{}",
            case.case_ref
        );
    }
    assert!(truth.cases.iter().all(|case| case.messages > 0));
}

/// KOI8-R, the letters from 0xC0 on, as its registration lists them (RFC 1489).
const KOI8: &str = "юабцдефгхийклмнопярстужвьызшэщчъ";

fn text_of(item: &Item, place: NeedlePlace) -> String {
    match place {
        NeedlePlace::BodyKoi8R => {
            let letters: Vec<char> = KOI8.chars().collect();
            let letter = |byte: &u8| match byte {
                0xc0..=0xdf => letters[usize::from(byte - 0xc0)],
                _ => char::from(*byte),
            };
            item.text.iter().map(letter).collect()
        }
        NeedlePlace::BodyLatin1 => item.text.iter().copied().map(char::from).collect(),
        NeedlePlace::Subject | NeedlePlace::SubjectEncoded | NeedlePlace::NestedSubject => {
            decode_words(item.headers.get("subject").map_or("", String::as_str))
        }
        NeedlePlace::Filename | NeedlePlace::FilenameExtended => item.filename.clone(),
        NeedlePlace::CcName => item.headers.get("cc").cloned().unwrap_or_default(),
        _ => String::from_utf8_lossy(&item.text).into_owned(),
    }
}

#[test]
fn needles_are_in_their_places_and_nowhere_else() {
    let (folder, truth) = plain_formats();
    let found = messages(folder.path(), true);
    let parsed: Vec<Vec<Item>> = found.iter().map(|message| items(&message.bytes)).collect();
    assert_eq!(truth.needles.len(), 2 * NeedlePlace::ALL.len());
    // GB 2312 would need its whole table here; the Python oracle checks those.
    for needle in truth
        .needles
        .iter()
        .filter(|needle| needle.place != NeedlePlace::BodyGb2312)
    {
        let mut at = Vec::new();
        for (message, items) in found.iter().zip(&parsed) {
            let holding = items
                .iter()
                .position(|item| text_of(item, needle.place).contains(&needle.written));
            if let Some(part) = holding {
                assert_eq!(part == 0, needle.part.is_empty(), "{needle:?}");
                at.push((message.file.clone(), message.ordinal));
            }
        }
        let mut expected: Vec<_> = needle
            .at
            .iter()
            .map(|place| (place.file.clone(), place.ordinal))
            .collect();
        expected.sort();
        at.sort();
        assert_eq!(at, expected, "{needle:?}");
        assert!(!at.is_empty());
    }
}

#[test]
fn conversations_are_joined_by_their_references() {
    let (folder, truth) = plain_formats();
    let found = messages(folder.path(), true);
    let mut parents: HashMap<String, Option<String>> = HashMap::new();
    let mut alone = HashSet::new();
    for (_, items) in distinct_items(&found) {
        let headers = &items[0].headers;
        match headers.get("message-id") {
            Some(id) => {
                let parent = headers.get("in-reply-to").cloned();
                if let Some(parent) = &parent {
                    assert!(headers["references"].ends_with(parent.as_str()));
                }
                parents.insert(id.clone(), parent);
            }
            // Versions of one message without an id are one conversation: they share their trace.
            None => {
                alone.insert(headers.get("received").cloned().unwrap_or_else(|| {
                    String::from_utf8_lossy(&items[0].text)
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                }));
            }
        }
    }
    let replies = parents.values().flatten().count() as u64;
    let roots = (parents.len() as u64 - replies) + alone.len() as u64;
    assert!(
        parents.values().flatten().all(|parent| parents.contains_key(parent)),
        "every parent is held"
    );
    let answered: HashSet<&String> = parents
        .values()
        .flatten()
        .map(|parent| {
            let mut root = parent;
            while let Some(Some(above)) = parents.get(root) {
                root = above;
            }
            root
        })
        .collect();
    assert_eq!(
        (roots, replies, answered.len() as u64),
        (
            truth.threads.conversations,
            truth.threads.replies,
            truth.threads.with_replies
        )
    );
}
