//! The folder made in code: every text, every path, every byte.

use embley_tests::site::same_text;
use embley_tests::{Site, files};
use serde_json::{Value, json};

use crate::evidence::{CONTACTS, DISTINCT_CONTACTS, check_deep, make, places, sha256, taken_in};

#[test]
fn every_text_in_documents_and_containers_is_found_where_it_lies_and_comes_out_again() {
    let source = Site::bare();
    let evidence = make(source.root());
    let site = taken_in(&evidence, &[]);
    for known in &evidence.known {
        let hits = site.hits(known.word);
        assert_eq!(hits.len(), 1, "{}: {hits:#?}", known.word);
        let hit = &hits[0];
        let item = hit["item_no"].as_u64().expect("a number");
        let found = places(&site, item);
        assert_eq!(found, [(known.path.to_owned(), "new".to_owned())], "{}", known.word);
        assert_eq!(hit["searchability"], "searched", "{}: {hit}", known.word);
        if let Some(bytes) = &known.bytes {
            assert_eq!(hit["sha256"], sha256(bytes), "{}", known.word);
            let raw = site.ok(&["show", &item.to_string(), "--raw"]).stdout;
            assert!(raw == *bytes, "{}: --raw is not what was put in", known.word);
        }
        let text = site.ok(&["show", &item.to_string(), "--text"]);
        assert!(text.text().contains(known.word), "{}: not in --text", known.word);
    }
    assert!(evidence.known.len() > 15);
    // What a reader made of properties is an e-mail, its file a part of it.
    assert_eq!(site.count("xqtnefbody AND type:email"), 1);
    assert_eq!(site.count("xqtneffile AND type:attachment"), 1);
    let contacts = site.hits("path:\"contacts.pst\" AND type:email");
    let found: u64 = contacts.iter().filter_map(|hit| hit["instances"].as_u64()).sum();
    assert_eq!((found, contacts.len()), (CONTACTS, DISTINCT_CONTACTS), "{contacts:#?}");
    check_deep(&site);
}

#[test]
fn a_message_loose_and_in_an_archive_is_one_item_found_twice() {
    let source = Site::bare();
    let evidence = make(source.root());
    let site = taken_in(&evidence, &[]);
    let hits = site.hits("xqtwice");
    assert_eq!(hits.len(), 1, "{hits:#?}");
    let item = hits[0]["item_no"].as_u64().expect("a number");
    let expected = [
        ("made/mail/loose.eml", "new"),
        ("made/copies.zip/copy.eml", "duplicate"),
    ];
    let expected = expected.map(|(path, status)| (path.to_owned(), status.to_owned()));
    assert_eq!(places(&site, item), expected);
    assert_eq!(hits[0]["sha256"], sha256(&evidence.twice));
    assert_eq!(site.last_run()["balanced"], true);
}

#[test]
fn a_second_run_finds_nothing_new_and_opens_nothing_again() {
    let source = Site::bare();
    let evidence = make(source.root());
    let site = taken_in(&evidence, &[]);
    let before = site.dump_of_evidence();
    let folder = evidence.folder.to_str().expect("UTF-8");
    let first = opened_in(&site, "run:0001");
    assert!(
        first["looked_at"].as_u64() > Some(15) && first["containers"].as_u64() > Some(5),
        "{first}"
    );
    site.ingest(&[folder]).expect(0).says(&["all sums close"]);
    let run = site.last_run();
    assert_eq!((&run["new"], &run["excepted"]), (&json!(0), &json!(0)), "{run}");
    let direct = files::all_files(&evidence.folder).len();
    assert_eq!(
        run["discovered"], direct,
        "members of containers that were opened are not discovered again: {run}"
    );
    let second = opened_in(&site, "run:0002");
    assert!(
        second
            .as_object()
            .is_some_and(|sums| sums.values().all(|count| *count == 0)),
        "opened again: {second}"
    );
    same_text("the case", &before, &site.dump_of_evidence());
    check_deep(&site);
}

/// What a run says that it opened.
fn opened_in(site: &Site, run: &str) -> Value {
    site.ok(&["runs", "show", run]).json()["report"]["opened"].clone()
}

#[test]
fn a_new_index_gives_the_same_answers_about_members_and_documents() {
    let source = Site::bare();
    let evidence = make(source.root());
    let site = taken_in(&evidence, &[]);
    let before = site.answers();
    assert!(before.lines().count() > 35, "only {} answers", before.lines().count());
    files::remove(&site.case().join("index"));
    site.ok(&["reindex", "--progress", "none"]);
    same_text("answers", &before, &site.answers());
    for known in &evidence.known {
        assert_eq!(site.count(known.word), 1, "{} after reindex", known.word);
    }
}

#[test]
fn one_and_three_threads_give_the_same_case() {
    let source = Site::bare();
    let evidence = make(source.root());
    let one = taken_in(&evidence, &["--threads", "1"]);
    let three = taken_in(&evidence, &["--threads", "3"]);
    same_text("the case", &one.dump(), &three.dump());
    same_text("answers", &one.answers(), &three.answers());
    assert!(one.count("*") > 30);
}

#[test]
fn a_known_text_in_a_later_container_is_searched_as_the_first_one_is() {
    // The same document, loose, in an archive of a later round, and attached to a message in that archive.
    use embley_tests::packed;
    let source = Site::bare();
    let document = packed::docx("the words xqagain");
    let kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let message = packed::mail("again", "see the file", &[("again.docx", kind, &document)]);
    let tnef = packed::tnef("again", "see the file too", "again.docx", &document);
    let folder = source.path("made");
    files::write(&folder.join("a.docx"), &document);
    files::write(
        &folder.join("b.zip"),
        packed::zip(&[("copy.docx", &document), ("c.eml", &message), ("winmail.dat", &tnef)]),
    );
    let site = Site::new();
    site.ingest(&[&folder]).expect(0);
    let hits = site.hits("xqagain");
    let kinds: Vec<(&str, &str)> = hits
        .iter()
        .map(|hit| {
            (
                hit["kind"].as_str().unwrap_or_default(),
                hit["searchability"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let mut sorted = kinds.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            ("attachment", "searched"),
            ("attachment", "searched"),
            ("document", "searched")
        ],
        "{hits:#?}"
    );
    assert_eq!(site.count("xqagain AND has:not-searchable"), 0);
    assert_eq!(site.count("defect:TYPE-NOT-SEARCHABLE"), 0);
    check_deep(&site);
}

#[test]
fn texts_with_a_structure_are_found_by_what_they_mean() {
    let source = Site::bare();
    let folder = source.path("made");
    let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:J=C3=BCrgen=20Xqcard\r\nEND:VCARD\r\n";
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:long xqfol\r\n ded word\r\nORGANIZER:mailto:jo@xqorganiser.example\r\nCREATED:20190310T120000Z\r\nLAST-MODIFIED:20200102T030405Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    files::write(&folder.join("card.vcf"), card);
    files::write(&folder.join("day.ics"), calendar);
    files::write(&folder.join("data.json"), "{\"key\":\"xqjs\\u006fn\"}");
    files::write(
        &folder.join("data.xml"),
        "<?xml version=\"1.0\"?><a b=\"xqattribute\">xq&#120;ml</a>",
    );
    let site = Site::new();
    site.ingest(&[&folder]).expect(0);
    let missing: Vec<&str> = ["jürgen", "xqfolded", "xqjson", "xqattribute", "xqxml"]
        .into_iter()
        .filter(|word| site.count(word) != 1)
        .collect();
    assert!(missing.is_empty(), "not found: {missing:?}");
    // What a document says of itself is asked for by fields of their own.
    for query in [
        "author:xqorganiser",
        "created:2019-03-10",
        "modified:2020-01-02",
        "created:2019 AND modified:>2019",
    ] {
        assert_eq!(site.count(query), 1, "{query}");
    }
    assert_eq!(site.count("created:2020"), 0);
    assert_eq!(site.count("defect:TYPE-NOT-DECODED"), 0);
    assert_eq!(site.count("has:partly-decoding"), 0);
    // Without the readers they are searched as they stand, and say so.
    let site = Site::new();
    site.ingest(&[folder.as_os_str(), "--no-open".as_ref()]).expect(0);
    assert_eq!(site.count("defect:TYPE-NOT-DECODED"), 4);
    assert_eq!((site.count("xqattribute"), site.count("xqjson")), (1, 0));
}

#[test]
fn a_part_declared_as_bytes_is_opened_by_what_it_is() {
    use embley_tests::packed;
    let source = Site::bare();
    let folder = source.path("made");
    let bytes = "application/octet-stream";
    let (document, text) = (packed::docx("the words xqhiddendocument"), b"the words xqhiddentext\n");
    let message = packed::mail(
        "bytes",
        "two files",
        &[("a.bin", bytes, &document), ("b.bin", bytes, text)],
    );
    files::write(&folder.join("a.eml"), message);
    let site = Site::new();
    site.ingest(&[&folder]).expect(0);
    for word in ["xqhiddendocument", "xqhiddentext"] {
        let hits = site.hits(word);
        assert_eq!(hits.len(), 1, "{word}");
        assert_eq!(hits[0]["searchability"], "searched", "{word}");
    }
}
