//! The sets, each with what is known about it.

use std::collections::BTreeMap;

use embley_tests::{Site, corpora, files};
use serde_json::Value;

use crate::allowed::{self, Allowed};
use crate::evidence::Evidence;

const SEED: u64 = 20_190_402;

/// All checks that hold for any folder; returns the evidence, and how many items have no text.
fn check(evidence: Evidence, sample: usize, allowed: &Allowed) -> (Evidence, u64) {
    let read = evidence.read_independently();
    let files_count = evidence.check_counts(&read, allowed);
    let compared = evidence.check_originals(SEED, sample);
    assert!(
        files_count > 5 && compared == evidence.places.len(),
        "{files_count} files, {compared} entries"
    );
    let listed = evidence.check_without_text(&read, allowed);
    (evidence, listed)
}

#[test]
fn the_samples_in_the_project_are_counted_listed_and_taken_out_again() {
    let (evidence, listed) = check(
        Evidence::take_in(Site::new(), &corpora::samples()),
        50,
        &allowed::SAMPLES,
    );
    let counts = evidence.counts();
    let boxes: Vec<(&str, u64)> = counts
        .iter()
        .filter_map(|(path, count)| Some((path.strip_prefix("mail/box/")?, *count)))
        .collect();
    let expected = [
        ("content-length.mbox", 2),
        ("copies.mbox", 3),
        ("crlf.mbox", 2),
        ("junk-before.mbox", 2),
        ("mboxo.mbox", 2),
        ("mboxrd.mbox", 3),
        ("no-blank-line.mbox", 3),
        ("truncated.mbox", 2),
        ("zero-bytes.mbox", 1),
    ];
    assert_eq!(boxes, expected);
    let run = evidence.site.last_run();
    // The half delivered message in tmp is the one left out; copies, and files without bytes, are duplicates.
    assert_eq!(
        (&run["discovered"], &run["excluded"], &run["duplicate"]),
        (&36.into(), &1.into(), &3.into()),
        "{run}"
    );
    assert_eq!(listed, 2, "the picture and the empty body");
    for (query, count) in [
        ("label:seen", 3),
        ("label:flagged", 1),
        ("folder:archive AND type:email", 2),
        ("cormorant", 1),
        ("creme", 1),
    ] {
        assert_eq!(evidence.site.count(query), count, "{query}");
    }
}

#[test]
fn mailing_lists_enron_and_spamassassin_are_counted_listed_and_taken_out_again() {
    let Some(packed) = corpora::folder("mail") else { return };
    let site = Site::new();
    let mail = site.path("mail");
    corpora::unpack_mail(&packed, &mail);
    let (evidence, listed) = check(Evidence::take_in(site, &mail), 100, &allowed::NOTHING);
    assert_eq!(listed, 3);

    // MANIFEST.md, sections 1 and 2.
    let mut sets: BTreeMap<&str, u64> = BTreeMap::new();
    for place in &evidence.places {
        let set = place
            .path
            .strip_prefix("mail/")
            .and_then(|path| path.split('/').next())
            .expect("a set");
        *sets
            .entry(if set == "lists" { place.path.as_str() } else { set })
            .or_insert(0) += 1;
    }
    let expected = [
        ("enron-inboxes", 15_824),
        ("mail/lists/linux-block-slice.mbox", 4_500),
        ("mail/lists/linux-xfs-slice.mbox", 4_500),
        ("mail/lists/openbmc-early.mbox", 1_499),
        ("mail/lists/usrp-users-early.mbox", 320),
        ("spamassassin-public-corpus", 3_000),
    ];
    assert_eq!(sets.into_iter().collect::<Vec<_>>(), expected);
    let run = evidence.site.last_run();
    assert_eq!(
        (&run["new"], &run["duplicate"]),
        (&29_642.into(), &1.into()),
        "15,823 of the Enron messages are distinct"
    );
    check_indexes(&evidence, &packed);
}

/// Every message of the lists has the SHA-256 of the list's own index: as the search gives it, and of the bytes that come out.
fn check_indexes(evidence: &Evidence, packed: &std::path::Path) {
    let mut expected = Vec::new();
    for path in files::entries(&packed.join("lists")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(list) = name.strip_suffix(".index.tsv.zst") else {
            continue;
        };
        let index = String::from_utf8(corpora::unpacked(&path)).expect("the index is text");
        let rows: Vec<(u64, u64, &str)> = index
            .lines()
            .map(|line| {
                let mut fields = line.split('\t');
                let mut next = || fields.next().expect("four fields");
                (
                    next().parse().expect("a number"),
                    next().parse().expect("a length"),
                    next(),
                )
            })
            .collect();
        let box_path = format!("mail/lists/{list}.mbox");
        let places: Vec<_> = evidence.places.iter().filter(|place| place.path == box_path).collect();
        assert_eq!(places.len(), rows.len(), "{list}");
        for (place, (ordinal, _, digest)) in places.iter().zip(&rows) {
            assert_eq!((place.ordinal, place.sha256.as_str()), (*ordinal, *digest), "{list}");
        }
        expected.extend(rows.iter().map(|(_, length, digest)| ((*digest).to_owned(), *length)));
    }
    assert_eq!(expected.len(), 10_819);
    let hits = evidence.site.hits("path:lists AND type:email");
    let mut found: Vec<(String, u64)> = hits
        .iter()
        .filter(|hit| hit["item"] == hit["family"])
        .map(|hit| {
            (
                hit["sha256"].as_str().expect("a hash").to_owned(),
                hit["size"].as_u64().expect("a size"),
            )
        })
        .collect();
    expected.sort();
    found.sort();
    assert!(
        found == expected,
        "the hashes and lengths of the search are those of the indexes"
    );
    evidence.check_raw_of(&expected, SEED, 200);
}

#[test]
fn tricky_mailboxes_are_split_where_their_own_expectations_say() {
    let Some(folder) = corpora::folder("mbox") else { return };
    let (evidence, listed) = check(Evidence::take_in(Site::new(), &folder), 50, &allowed::MBOX);
    assert_eq!(listed, 0);
    let results = folder.join("messageparser/results");
    let numbers = |kind: &str, name: &str| -> Option<Vec<u64>> {
        let path = results.join(format!("{kind}_{name}.stdout"));
        let text = path
            .is_file()
            .then(|| String::from_utf8(files::read(&path)).expect("text"))?;
        Some(text.lines().map(|line| line.parse().expect("a number")).collect())
    };
    let mut compared = 0;
    for name in [
        "invalid-boundaries",
        "mailarc-2",
        "mailarc-3",
        "malformed",
        "newlines_at_beginning",
    ] {
        let path = format!("mbox/messageparser/mailboxes/{name}.txt");
        let ours: Vec<(u64, u64)> = evidence
            .places
            .iter()
            .filter(|place| place.path == path)
            .map(|place| (place.offset, place.length))
            .collect();
        let lengths = numbers("length", name).expect("every mailbox has its lengths");
        let offsets = numbers("offset", name).unwrap_or_else(|| vec![1]);
        let expected: Vec<(u64, u64)> = offsets.into_iter().zip(lengths).collect();
        if allowed::MBOX_SPLIT_FURTHER.iter().any(|(known, _)| *known == name) {
            // Split where they say, and at more separators.
            assert!(ours.len() > expected.len(), "{name}");
            assert!(
                expected
                    .iter()
                    .all(|(offset, _)| ours.iter().any(|(our, _)| our == offset)),
                "{name}"
            );
        } else {
            assert_eq!(ours, expected, "{name}: offsets and lengths");
        }
        compared += expected.len();
    }
    assert_eq!(compared, 8 + 4 + 13 + 3 + 1);
}

#[test]
fn sample_messages_of_other_parsers_are_counted_listed_and_taken_out_again() {
    let Some(folder) = corpora::folder("mime") else { return };
    let (evidence, listed) = check(Evidence::take_in(Site::new(), &folder), 100, &allowed::MIME);
    assert!((200..300).contains(&listed), "{listed} items without text");
    let offsets: Value =
        serde_json::from_slice(&files::read(&folder.join("mimekit/mbox/issue1189.unix-offsets.json"))).expect("JSON");
    let expected: Vec<u64> = offsets
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["mboxMarkerOffset"].as_u64().expect("an offset"))
        .collect();
    let ours: Vec<u64> = evidence
        .places
        .iter()
        .filter(|place| place.path == "mime/mimekit/mbox/issue1189.mbox.txt")
        .map(|place| place.offset)
        .collect();
    assert!(
        ours == expected && ours.len() == 4,
        "{ours:?} here, {expected:?} expected"
    );
}

#[test]
fn bounces_are_counted_listed_and_taken_out_again() {
    let Some(folder) = corpora::folder("bounces") else {
        return;
    };
    let (evidence, listed) = check(Evidence::take_in(Site::new(), &folder), 50, &allowed::BOUNCES);
    assert!((15..30).contains(&listed), "{listed} items without text");
    assert!(
        evidence.site.count("has:report AND type:email") > 300,
        "bounces are told as such"
    );
}

#[test]
fn replies_of_many_mail_programs_are_counted_listed_and_taken_out_again() {
    let Some(folder) = corpora::folder("threads") else {
        return;
    };
    let (_, listed) = check(Evidence::take_in(Site::new(), &folder), 35, &allowed::NOTHING);
    assert_eq!(listed, 0);
}
