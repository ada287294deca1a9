//! What went in comes out again, byte for byte.

use std::collections::HashMap;

use embley_corpus::{CorpusConfig, Mailbox, MessageStream};
use embley_tests::{Site, files, made};
use sha2::{Digest, Sha256};

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A copy of a message in some file.
struct Copy {
    bytes: Vec<u8>,
    quoted: bool,
}

/// Every copy of every message of a corpus, by the SHA-256 of its bytes, as its maker gives them.
fn copies(config: &CorpusConfig) -> HashMap<String, Copy> {
    let mut stream = MessageStream::new(config).expect("the corpus can be made");
    let mailboxes: Vec<Mailbox> = stream.mailboxes().to_vec();
    let mut all = HashMap::new();
    while let Some(message) = stream.next_message() {
        for place in message.places {
            let bytes = mailboxes[place.mailbox]
                .format
                .message_bytes(message.bytes)
                .into_owned();
            all.insert(
                hex(&bytes),
                Copy {
                    bytes,
                    quoted: message.needs_quoting,
                },
            );
        }
    }
    all
}

#[test]
fn every_original_comes_out_byte_for_byte_and_as_it_was_found() {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), 1_200, 21);
    site.ingest(&[site.path("made/mail")]).expect(0);
    let copies = copies(&truth.config);
    let roots: Vec<_> = site
        .hits("*")
        .into_iter()
        .filter(|hit| hit["parent"].is_null())
        .collect();
    assert_eq!(roots.len() as u64, truth.distinct_messages);
    let (mut looked, mut quoted) = (0, 0);
    for hit in &roots {
        let sha256 = hit["sha256"].as_str().expect("a hash");
        let copy = copies.get(sha256).unwrap_or_else(|| panic!("{sha256} was never made"));
        // All that are quoted, and a share of the rest.
        if !copy.quoted && looked >= 60 && !sha256.starts_with("00") {
            continue;
        }
        looked += 1;
        quoted += usize::from(copy.quoted);
        let number = hit["item_no"].as_u64().expect("a number").to_string();
        assert!(
            site.ok(&["show", &number, "--raw"]).stdout == copy.bytes,
            "item {number} is not its original"
        );
        let listed = site.ok(&["show", &number, "--instances", "--format", "json"]).json();
        let first = &listed["instances"][0];
        let path = site.path("made").join(first["path"].as_str().expect("a path"));
        let (offset, length) = (
            first["offset"].as_u64().expect("a number"),
            first["length"].as_u64().expect("a number"),
        );
        let slice = &files::read(&path)[offset as usize..(offset + length) as usize];
        assert!(
            site.ok(&["show", &number, "--raw", "--as-found"]).stdout == slice,
            "item {number} is not as it was found"
        );
    }
    assert!(
        looked >= 60 && quoted >= 2,
        "{looked} looked at, {quoted} of them quoted"
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let site = Site::new();
    made::corpus(&site.path("made"), 1_500, 24);
    site.ingest(&[site.path("made/mail")]).expect(0);
    let commands: [&[&str]; 8] = [
        &["show", "1", "--text"],
        &["show", "1", "--raw"],
        &["show", "1", "--format", "json"],
        &["search", "*", "--all", "--format", "jsonl"],
        &["search", "*", "--count"],
        &["status"],
        &["exceptions", "--all", "--format", "csv"],
        &["verify", "--format", "json"],
    ];
    for command in commands {
        let ran = site.program(command).run_unread().expect(0);
        assert_eq!(
            ran.stderr
                .lines()
                .filter(|line| line.contains("panic") || line.starts_with("embley:"))
                .count(),
            0,
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_part_comes_out_as_its_decoded_bytes() {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), 1_500, 22);
    site.ingest(&[site.path("made/mail")]).expect(0);
    let parts: Vec<_> = site.hits("type:attachment").into_iter().collect();
    assert_eq!(parts.len() as u64, truth.items.attachment);
    for hit in parts.iter().take(40) {
        let number = hit["item_no"].as_u64().expect("a number").to_string();
        let raw = site.ok(&["show", &number, "--raw"]).stdout;
        assert_eq!(hit["sha256"], hex(&raw), "item {number}");
        assert_eq!(hit["size"], raw.len() as u64, "item {number}");
    }
    assert!(parts.len() >= 20, "only {} parts", parts.len());
}

#[test]
fn a_new_index_from_the_store_gives_the_same_answers() {
    let site = Site::new();
    made::corpus(&site.path("made"), 1_500, 23);
    site.ingest(&[site.path("made/mail")]).expect(0);
    let before = site.answers();
    files::remove(&site.case().join("index"));
    site.run(&["search", "--count", "*"])
        .expect(5)
        .says(&["index", "reindex"]);
    site.ok(&["reindex", "--progress", "none"]);
    embley_tests::site::same_text("answers", &before, &site.answers());
    assert!(before.lines().count() > 1_500);
}

#[test]
fn a_case_that_was_moved_is_the_same_case() {
    let site = Site::new();
    made::corpus(&site.path("made"), 800, 24);
    site.ingest(&[site.path("made/mail")]).expect(0);
    let other = Site::bare();
    let before = site.answers();
    files::copy_folder(site.case(), other.case());
    files::remove(site.case());
    embley_tests::site::same_text("answers", &before, &other.answers());
    other.ok(&["verify", "--deep"]);
}

#[test]
fn a_deep_check_hashes_everything_and_finds_nothing_wrong() {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), 1_500, 25);
    site.ingest(&[site.path("made/mail")]).expect(0);
    for args in [
        &["verify", "--format", "json"][..],
        &["verify", "--deep", "--format", "json"][..],
    ] {
        let report = site.ok(args).json();
        assert_eq!(report["count"], 0, "{report}");
        assert_eq!(report["checked"]["instances"], truth.messages, "{report}");
    }
    let deep = site.ok(&["verify", "--deep", "--format", "json"]).json();
    assert!(
        deep["checked"]["packed_blobs"].as_u64() >= Some(truth.distinct_messages),
        "{deep}"
    );
    assert!(deep["checked"]["bytes"].as_u64() > Some(1_000_000), "{deep}");
}

#[test]
fn the_demonstration_runs_from_nothing_to_a_certificate() {
    let site = Site::bare();
    let ran = embley_tests::Program::new(&["demo", "example"])
        .from(site.root())
        .run()
        .expect(0);
    assert!(
        site.path("example/made/truth.json").is_file(),
        "the truth lies beside the case"
    );
    assert!(
        site.path("example/timeline.html").is_file(),
        "the page lies beside the case"
    );
    for words in [
        "40 cases, 30 people, 13 custodians",
        "all sums close",
        "items added",
        "people suggest",
        "decision recorded",
        "was planted there: N2",
        "indicators in 40 cases",
        "signed with key",
        "same",
        "27 items (26 matched)",
        "audit log: ",
        "every byte hashed again",
    ] {
        let said = ran.text().contains(words) || ran.stderr.contains(words);
        assert!(
            said,
            "the demonstration does not say {words:?}\n{}\n{}",
            ran.text(),
            ran.stderr
        );
    }
    embley_tests::Program::new(&["demo", "example"])
        .from(site.root())
        .run()
        .expect(2)
        .says(&["not empty"]);
}
