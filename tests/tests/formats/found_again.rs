//! Containers that are found at several places, members without bytes or with impossible names.

use embley_tests::{Site, files, packed};

use crate::evidence::{check_deep, places};

/// A note in a zip in a zip.
fn nested(word: &str) -> Vec<u8> {
    let inner = packed::zip(&[("note.txt", format!("the word {word}").as_bytes())]);
    packed::zip(&[("inner.zip", &inner)])
}

#[test]
fn what_an_archive_holds_is_known_at_every_place_where_the_archive_was_found() {
    let source = Site::bare();
    let mail = source.path("mail");
    let archive = nested("xqeverywhere");
    for who in ["ann", "ben"] {
        files::write(&mail.join(who).join("files.zip"), &archive);
    }
    let by_folder = ["--custodian-from-path", "1"];
    let take = |site: &Site| {
        let ran = site.ingest(&[mail.as_os_str(), by_folder[0].as_ref(), by_folder[1].as_ref()]);
        ran.expect(0);
        assert_eq!(site.last_run()["balanced"], true);
    };
    let site = Site::new();
    take(&site);
    let found = |site: &Site, who: &str| site.count(&format!("xqeverywhere AND custodian:{who}"));
    assert_eq!(
        (found(&site, "ann"), found(&site, "ben"), site.count("xqeverywhere")),
        (1, 1, 1)
    );
    let item = site.hits("xqeverywhere")[0]["item_no"].as_u64().expect("a number");
    let expected = [
        ("mail/ann/files.zip/inner.zip/note.txt", "new"),
        ("mail/ben/files.zip/inner.zip/note.txt", "duplicate"),
    ];
    assert_eq!(
        places(&site, item),
        expected.map(|(path, status)| (path.to_owned(), status.to_owned()))
    );
    // The same archive comes again later, from somebody else.
    files::write(&mail.join("cai").join("again.zip"), &archive);
    take(&site);
    assert_eq!(found(&site, "cai"), 1);
    assert_eq!(places(&site, item).len(), 3);
    // Nothing comes of a run in which nothing is new.
    take(&site);
    assert_eq!(places(&site, item).len(), 3);
    check_deep(&site);
}

#[test]
fn a_member_that_gives_no_item_is_listed_where_the_words_after_the_run_point() {
    let source = Site::bare();
    let sealed = packed::zip_sealed(&[("secret.txt", b"xqsealed")], "unknown");
    files::write(&source.path("made").join("sealed.zip"), sealed);
    let site = Site::new();
    let ran = site.ingest(&[source.path("made")]).expect(3);
    ran.says(&["embley exceptions --class excepted"]);
    let listed = site
        .ok(&["exceptions", "--class", "excepted", "--format", "json"])
        .json();
    let lines = listed["exceptions"].as_array().expect("a list");
    assert_eq!(lines.len(), 1, "{listed:#}");
    assert_eq!(lines[0]["code"], "ARC-ENCRYPTED");
    assert_eq!(lines[0]["path"], "made/sealed.zip/secret.txt");
}

#[test]
fn a_name_longer_than_any_file_has_is_cut_and_stays_its_own() {
    let source = Site::bare();
    let (long, other) = ("n".repeat(5_000), format!("{}m", "n".repeat(5_000)));
    let archive = packed::zip(&[(&long, b"xqfirst words"), (&other, b"xqsecond words")]);
    files::write(&source.path("made").join("long.zip"), archive);
    let site = Site::new();
    site.ingest(&[source.path("made")]).expect(0);
    let path = |word: &str| {
        let item = site.hits(word)[0]["item_no"].as_u64().expect("a number");
        places(&site, item).remove(0).0
    };
    let (first, second) = (path("xqfirst"), path("xqsecond"));
    assert_ne!(first, second);
    assert!(first.len() < 300 && second.len() < 300, "{first}");
    assert_eq!(site.count("defect:ARC-NAME AND (xqfirst OR xqsecond)"), 2);
}
