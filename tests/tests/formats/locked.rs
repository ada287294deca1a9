//! What waits: encrypted archives until their password is given, everything until a run may open it.

use std::path::Path;

use embley_tests::site::same_text;
use embley_tests::{Site, files, packed};

use crate::evidence::{check_deep, make, places, taken_in};

const PASSWORD: &str = "open sesame";

#[test]
fn an_encrypted_archive_is_kept_and_said_and_a_password_given_later_opens_it() {
    let source = Site::bare();
    let folder = source.path("made");
    let secret = b"the words xqsecret\n";
    files::write(
        &folder.join("sealed.zip"),
        packed::zip_sealed(&[("in/secret.txt", secret)], PASSWORD),
    );
    let site = Site::new();
    let ran = site.ingest(&[&folder]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    assert_eq!(site.count("xqsecret"), 0);
    let listed = site.ok(&["exceptions", "--all", "--format", "jsonl"]);
    assert!(listed.text().contains("ARC-ENCRYPTED"), "{}", listed.text());
    let register = |site: &Site| -> Vec<serde_json::Value> {
        let listed = site
            .ok(&["exceptions", "--class", "excepted", "--format", "json"])
            .json();
        let lines = listed["exceptions"].as_array().expect("a list");
        lines.iter().map(|line| line["resolved"].clone()).collect()
    };
    assert!(register(&site).iter().all(serde_json::Value::is_null));
    let wrong = source.path("wrong.txt");
    files::write(&wrong, "guess\nanother\n");
    let again = |passwords: &Path| {
        let passwords = passwords.as_os_str();
        let ran = site.ingest(&[
            folder.as_os_str(),
            "--retry".as_ref(),
            "--passwords".as_ref(),
            passwords,
        ]);
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    };
    again(&wrong);
    assert_eq!(site.count("xqsecret"), 0);
    let right = source.path("right.txt");
    files::write(&right, format!("guess\n{PASSWORD}\n"));
    again(&right);
    let hits = site.hits("xqsecret");
    assert_eq!(hits.len(), 1, "the password came and nothing was opened");
    let item = hits[0]["item_no"].as_u64().expect("a number");
    assert_eq!(places(&site, item)[0].0, "made/sealed.zip/in/secret.txt");
    // The register keeps what each run said, and says which run made it good.
    let lines = register(&site);
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line == "run:0003"),
        "{lines:?}"
    );
    assert!(site.ok(&["show", &item.to_string(), "--raw"]).stdout == secret);
    assert_eq!(site.last_run()["balanced"], true);
    check_deep(&site);
}

#[test]
fn an_encrypted_archive_opens_at_once_when_its_password_is_given() {
    let source = Site::bare();
    let folder = source.path("made");
    files::write(
        &folder.join("sealed.zip"),
        packed::zip_sealed(&[("secret.txt", b"the words xqsecret\n")], PASSWORD),
    );
    let passwords = source.path("passwords.txt");
    files::write(&passwords, format!("guess\n{PASSWORD}\n"));
    let site = Site::new();
    site.ingest(&[folder.as_os_str(), "--passwords".as_ref(), passwords.as_os_str()])
        .expect(0);
    assert_eq!(site.count("xqsecret"), 1);
    let listed = site.ok(&["exceptions", "--all", "--format", "jsonl"]);
    assert!(listed.text().contains("ARC-PASSWORD"), "{}", listed.text());
    // Passwords are not kept anywhere in the case.
    for path in files::all_files(site.case()) {
        let bytes = files::read(&path);
        let found = bytes.windows(PASSWORD.len()).any(|piece| piece == PASSWORD.as_bytes());
        assert!(!found, "{} holds the password", path.display());
    }
}

#[test]
fn what_was_left_closed_is_opened_by_the_next_run_to_the_same_texts() {
    let source = Site::bare();
    let evidence = make(source.root());
    let whole = taken_in(&evidence, &[]);
    let site = taken_in(&evidence, &["--no-open"]);
    assert_eq!(site.count("xqcarrier"), 1);
    for word in ["xqdocx", "xqpdf", "xqnote", "xqletter", "xqtnefbody"] {
        assert_eq!(site.count(word), 0, "{word} was to stay closed");
    }
    let closed = site.last_run()["not_searchable"]["format-not-supported"].as_u64();
    assert!(
        closed >= Some(10),
        "what is closed is counted as not searchable: {closed:?}"
    );
    let folder = evidence.folder.to_str().expect("UTF-8");
    site.ingest(&[folder]).expect(0);
    for known in &evidence.known {
        let hits = site.hits(known.word);
        assert_eq!(hits.len(), 1, "{}", known.word);
        assert_eq!(
            places(&site, hits[0]["item_no"].as_u64().expect("a number"))[0].0,
            known.path
        );
    }
    // Numbers differ in no way: what waited is in the order of its items.
    same_text("files and items", &without_runs(&whole), &without_runs(&site));
    check_deep(&site);
}

/// Hits without what tells in which run something came.
fn without_runs(site: &Site) -> String {
    let hits = site.hits("*");
    let lines: Vec<String> = hits.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
