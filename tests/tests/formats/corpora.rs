//! Third-party documents, archives and messages of Outlook, whole sets of them.

use embley_tests::{Site, corpora, files};

use crate::shelf::Shelf;

/// Takes in a set as it lies there.
fn set(name: &str) -> Option<Shelf> {
    Some(Shelf::take_in(&corpora::folder(name)?))
}

#[test]
fn documents_are_read_or_say_why_not() {
    let Some(shelf) = set("docs") else { return };
    assert!(shelf.hits.len() > 1_700, "{} items", shelf.hits.len());
    // A compressed file that unpacks to itself ends at the second look: its bytes are known.
    let quine = shelf
        .paths
        .iter()
        .filter(|(path, _)| path.contains("/quine.gz"))
        .count();
    assert_eq!(quine, 2);
    // Words that stand in files of the test set's own descriptions.
    for (query, at_least) in [
        ("filename:testPDF.pdf", 1),
        ("type:application/pdf AND NOT has:not-searchable", 250),
    ] {
        assert!(
            shelf.site.count(query) >= at_least,
            "{query}: {}",
            shelf.site.count(query)
        );
    }
}

#[test]
fn archives_are_emptied_or_say_why_not() {
    let Some(shelf) = set("archives") else { return };
    assert!(shelf.paths.len() > 900, "{} files", shelf.paths.len());
    let listed = shelf.site.ok(&["exceptions", "--all", "--format", "jsonl"]);
    for code in [
        "ARC-TRUNCATED",
        "ARC-STRUCTURE",
        "ARC-SPLIT",
        "ARC-METHOD",
        "ARC-CHECKSUM",
        "ARC-LINK",
    ] {
        assert!(listed.text().contains(code), "nothing has {code}");
    }
    // The same file in every TAR, CPIO and AR of long names: one item, found in each of them.
    let short = shelf
        .paths
        .iter()
        .filter(|(path, _)| path.ends_with("/file.txt"))
        .count();
    assert!(short >= 13, "file.txt came out of {short} archives");
    let distinct = shelf.hits.iter().filter(|hit| hit["filename"] == "file.txt").count();
    assert!(distinct <= 3, "{distinct} different ones");
}

#[test]
fn messages_of_outlook_are_read_or_say_why_not() {
    let Some(shelf) = set("msg") else { return };
    // Each MSG gives one message, but those that cannot be read. The same file in two places is opened in the first.
    let mut without = Vec::new();
    for hit in shelf.hits.iter().filter(|hit| hit["kind"] == "document") {
        let places = shelf.places(hit);
        let is_message = |path: &&String| path.ends_with(".msg") && path.matches(".msg").count() == 1;
        let Some(path) = places.iter().find(is_message) else {
            continue;
        };
        if places.iter().all(|place| shelf.entries_below(place) == 0) {
            without.push((path, hit["defects"].as_array().is_none_or(Vec::is_empty)));
        }
    }
    let silent: Vec<&String> = without
        .iter()
        .filter(|(_, silent)| *silent)
        .map(|(path, _)| *path)
        .collect();
    assert!(
        silent.is_empty(),
        "MSG files that gave no message and no reason: {silent:#?}"
    );
    assert!(without.len() <= 3, "MSG files that gave no message: {without:#?}");
    // What another reader made of the same files (Email::Outlook::Message).
    let folder = corpora::folder("msg/email-outlook-message").expect("it is there");
    let mut compared = 0;
    for path in files::all_files(&folder) {
        let (Some(name), true) = (path.file_stem(), path.extension().is_some_and(|end| end == "eml")) else {
            continue;
        };
        let expected = String::from_utf8_lossy(&files::read(&path)).into_owned();
        let subject = expected.lines().find_map(|line| line.strip_prefix("Subject: "));
        let Some(subject) = subject.filter(|subject| !subject.starts_with("=?")) else {
            continue;
        };
        let below = format!("/{}.msg/", name.to_string_lossy());
        let found = shelf.paths.iter().find(|(path, _)| path.contains(&below));
        let Some((found, _)) = found else { continue };
        let hit = shelf.hit_at(found).expect("its item");
        assert_eq!(hit["subject"], subject.trim(), "{found}");
        compared += 1;
    }
    assert!(compared >= 2, "{compared} subjects compared");
}

#[test]
fn tnef_streams_are_read_or_say_why_not_and_give_the_files_that_other_readers_give() {
    let Some(shelf) = set("tnef") else { return };
    // The baselines of verdammelt/tnef: each is a file that stands in one of the streams, byte for byte.
    let baselines = corpora::folder("tnef/verdammelt-tnef/baselines").expect("it is there");
    let parts: Vec<&str> = shelf
        .hits
        .iter()
        .filter(|hit| hit["kind"] == "attachment")
        .filter_map(|hit| hit["sha256"].as_str())
        .collect();
    let mut known = 0;
    let mut missing = Vec::new();
    for path in files::all_files(&baselines) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Listings, and bodies that the other program names itself.
        if name.ends_with(".list.baseline") || name.starts_with("message.") || !name.ends_with(".baseline") {
            continue;
        }
        let digest = crate::evidence::sha256(&files::read(&path));
        if parts.contains(&digest.as_str()) {
            known += 1;
        } else {
            missing.push(name);
        }
    }
    assert!(
        known >= 15,
        "{known} of the baselines are parts here; not: {missing:#?}"
    );
}

#[test]
fn calendars_and_cards_are_read_or_say_why_not() {
    let Some(shelf) = set("ics-vcf") else { return };
    // 70 files, and six pictures and documents inside of them.
    assert_eq!(shelf.hits.len(), 76);
}

#[test]
fn a_disk_folder_of_mixed_evidence_is_read_or_says_why_not() {
    let Some(packed) = corpora::folder("disk") else { return };
    let source = Site::bare();
    let folder = source.path("disk");
    corpora::unpack_tar(&packed.join("hoover-testdata.tar.zst"), &folder);
    let shelf = Shelf::take_in(&folder);
    // MANIFEST.md: four byte-equal documents are one item.
    let duplicates = shelf
        .hits
        .iter()
        .filter(|hit| hit["instances"].as_u64() >= Some(4) && hit["media_type"] == "application/pdf");
    assert!(duplicates.count() >= 1);
    // An archive in an archive; the same archive in two places is opened once, and what it holds has one place each.
    assert!(
        shelf.paths.iter().any(|(path, _)| path.contains("archives.zip/")),
        "nested archives are emptied"
    );
    assert!(shelf.site.count("type:email") > 20);
    assert!(
        shelf.site.count("defect:ARC-ENCRYPTED") > 0,
        "one of the archives has a password"
    );
}

#[test]
fn messages_of_other_parsers_are_read_or_say_why_not() {
    let Some(shelf) = set("mime") else { return };
    assert!(shelf.hits.len() > 2_000);
}
