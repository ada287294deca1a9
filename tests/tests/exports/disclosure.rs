//! Decisions about items, schedules drafted from them, schedules issued for ever.

use std::process::Command;

use embley_tests::Site;
use serde_json::Value;

use super::scene::{self, listing, text, verified};

fn schedule(site: &Site, args: &[&str]) -> Value {
    let mut all = vec!["schedule"];
    all.extend(args);
    all.extend(["--format", "json"]);
    site.ok(&all).json()
}

fn numbers(value: &Value) -> Vec<String> {
    let rows = value["entries"].as_array().expect("entries");
    rows.iter()
        .map(|row| row["no"].as_str().expect("a number").to_owned())
        .collect()
}

/// Items: 1 hostile message (2 csv, 3 png, 4 secret.txt), 5 letter, 6 forwarding message (7 inner), 8 contract, 9 lunch.
fn decided() -> Site {
    let site = scene::scene();
    site.ok(&["disclosure", "set", "unused", "5", "8"]);
    site.ok(&["disclosure", "set", "sensitive", "9", "--reason", "names a source"]);
    site.ok(&["disclosure", "set", "used", "6"]);
    site
}

#[test]
fn numbers_go_on_over_later_schedules_and_an_issued_one_never_changes() {
    let site = decided();
    let draft = schedule(&site, &["mg6c", "--officer", "DC Smith"]);
    assert_eq!(numbers(&draft), ["1", "2"]);
    assert_eq!(draft["schedule"]["issued"], false);
    // A draft is not kept: the next one has the same numbers.
    let first = schedule(&site, &["mg6c", "--issue", "--officer", "DC Smith"]);
    assert_eq!(
        (numbers(&first), &first["schedule"]["serial"]),
        (vec!["1".to_owned(), "2".to_owned()], &1.into())
    );
    let nil = schedule(&site, &["mg6c", "--issue"]);
    assert!(numbers(&nil).is_empty());
    site.ok(&["disclosure", "set", "unused", "6"]);
    site.ok(&["disclosure", "set", "not-relevant", "5"]);
    let third = schedule(&site, &["mg6c", "--issue"]);
    assert_eq!(
        (numbers(&third), &third["schedule"]["serial"]),
        (vec!["3".to_owned()], &3.into())
    );
    let shown = schedule(&site, &["mg6c", "--show", "1"]);
    assert_eq!(shown, first, "what changed since does not change it");
    site.run(&["schedule", "mg6c", "--show", "4"])
        .expect(2)
        .says(&["mg6c 4"]);
    let list = site.ok(&["schedule", "list", "--format", "json"]).json();
    let all: Vec<(&str, u64, u64)> = list["schedules"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let number = |name: &str| one[name].as_u64().expect("a number");
            (
                one["form"].as_str().expect("a form"),
                number("first_no"),
                number("entries"),
            )
        })
        .collect();
    assert_eq!(all, [("mg6c", 1, 2), ("mg6c", 3, 0), ("mg6c", 3, 1)]);
    site.run(&["verify", "--deep"]).expect(0);
}

#[test]
fn nothing_sensitive_comes_onto_an_mg6c() {
    let site = scene::scene();
    // The attachment that names the informant is sensitive; all of its family, and a copy of its bytes elsewhere, are unused.
    let copy = embley_tests::made::entry(
        b"Message-ID: <9@mail.example>\nDate: Thu, 9 Jan 2020 10:00:00 +0000\nFrom: oak@mail.example\nSubject: copy\nMIME-Version: 1.0\n\
          Content-Type: multipart/mixed; boundary=d\n\n--d\nContent-Type: text/plain\n\nHello.\n--d\nContent-Type: text/plain; name=harmless.txt\n\
          Content-Disposition: attachment; filename=harmless.txt\n\nThe informant is J.\n--d--\n",
    );
    embley_tests::files::write(&site.path("copy.mbox"), copy);
    site.ingest(&[site.path("copy.mbox").as_os_str()]).expect(0);
    let hits = site.hits("filename:harmless");
    let same = hits[0]["item_no"].as_u64().expect("a number").to_string();
    site.ok(&["disclosure", "set", "unused", "--query", "*"]);
    site.ok(&["disclosure", "set", "sensitive", "4", "--reason", "identifies a source"]);
    site.ok(&["privilege", "mark", "legal", "8"]);
    let ran = site.ok(&["schedule", "mg6c", "--format", "json"]);
    let said = ran.stderr.clone();
    let draft = ran.json();
    for word in [
        "4 unused items are not listed: their family",
        "1 unused items are not listed: they have the same bytes",
        "possibly privileged",
    ] {
        assert!(said.contains(word), "{word:?} is not in\n{said}");
    }
    let text = draft.to_string();
    for word in ["secret", "informant", "source", "HYPERLINK", "harmless", "note 5"] {
        assert!(!text.contains(word), "{word} is on the MG6C: {text}");
    }
    assert_eq!(draft["entries"].as_array().map(Vec::len), Some(4), "{text}");
    // Described in words of the officer's own, the message is listed so.
    site.ok(&["disclosure", "describe", "1", "An e-mail with a table"]);
    let draft = schedule(&site, &["mg6c"]).to_string();
    assert!(
        draft.contains("An e-mail with a table") && !draft.contains("HYPERLINK"),
        "{draft}"
    );
    // The same bytes are never listed, however they are described.
    site.ok(&["disclosure", "describe", &same, "A harmless text"]);
    let draft = schedule(&site, &["mg6c"]).to_string();
    assert!(!draft.contains("harmless"), "{draft}");
    // On the MG6D it stands with its reason, and only there.
    let secret = schedule(&site, &["mg6d", "--issue"]);
    assert_eq!(numbers(&secret), ["1"]);
    let row = &secret["entries"][0];
    assert!(
        row["description"]
            .as_str()
            .is_some_and(|words| words.contains("secret.txt")),
        "{row}"
    );
    assert_eq!(row["reason_for_sensitivity"], "identifies a source");
    assert!(
        secret["schedule"]["banner"]
            .as_str()
            .is_some_and(|banner| banner.contains("NOT TO BE DISCLOSED"))
    );
}

#[test]
fn decisions_say_who_when_before_after_and_why() {
    let site = decided();
    site.run(&["disclosure", "set", "sensitive", "5"])
        .expect(2)
        .says(&["only with a reason"]);
    site.run(&["disclosure", "set", "meets-test", "8"]).expect(2);
    site.ok(&["disclosure", "set", "sensitive", "5", "--reason", "x"]);
    let history = site.ok(&["disclosure", "history", "5", "--format", "json"]).json();
    let events: Vec<(&str, &str, &str)> = history["decisions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let word = |name: &str| one[name].as_str().expect("a text");
            (word("actor"), word("before"), word("after"))
        })
        .collect();
    assert_eq!(events, [("tester", "", "unused"), ("tester", "unused", "sensitive")]);
    site.ok(&["disclosure", "clear", "5"]);
    let list = site.ok(&["disclosure", "list", "--format", "json"]).json();
    let count = |state: &str| {
        let all = list["states"].as_array().expect("a list");
        all.iter().find(|one| one["state"] == state).expect("the state")["items"].as_u64()
    };
    assert_eq!(
        (count("unused"), count("sensitive"), count("used")),
        (Some(1), Some(1), Some(1))
    );
}

#[test]
fn a_nil_mg6d_is_issued_and_signed_like_any_other() {
    let site = scene::scene();
    let out = site.path("nil");
    let key = site.path("key.pem");
    site.ok(&[
        "schedule",
        "mg6d",
        "--issue",
        "--officer",
        "DC Smith",
        "--out",
        &out.to_string_lossy(),
        "--key",
        &key.to_string_lossy(),
    ]);
    assert_eq!(
        listing(&out),
        [
            "export.json",
            "manifest.sha256",
            "manifest.sig.json",
            "mg6d.csv",
            "mg6d.html",
            "mg6d.json",
            "mg6d.pdf"
        ]
    );
    let page = text(&out, "mg6d.html");
    for word in [
        "NIL: there is no sensitive unused material",
        "NOT TO BE DISCLOSED TO THE DEFENCE",
        "Signature",
        "DC Smith",
        "MG6D no. 1 (issued)",
    ] {
        assert!(page.contains(word), "{word}");
    }
    verified(&out, &[]).expect(0);
    let ran = Command::new("pdftotext")
        .args(["-layout"])
        .arg(out.join("mg6d.pdf"))
        .arg("-")
        .output()
        .expect("pdftotext runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    for word in [
        "NOT TO BE DISCLOSED TO THE DEFENCE",
        "NIL: there is no sensitive",
        "Signature",
    ] {
        assert!(said.contains(word), "{word:?} is not in\n{said}");
    }
}

#[test]
fn the_report_and_the_exhibit_list_say_what_is_on_record() {
    let site = decided();
    site.ok(&[
        "exhibit",
        "add",
        "AB/1",
        "5",
        "--produced-by",
        "Ash Birch",
        "--description",
        "a letter",
    ]);
    site.ok(&[
        "disclosure",
        "set",
        "meets-test",
        "5",
        "9",
        "--reason",
        "contradicts the statement of Elm",
    ]);
    schedule(&site, &["mg6c", "--issue"]);
    let ran = site
        .ok(&["schedule", "mg6e", "--format", "json"])
        .says(&["1 items that may undermine"]);
    let report = ran.json();
    let rows: Vec<(&str, &str)> = report["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|row| {
            (
                row["schedule"].as_str().expect("a text"),
                row["no"].as_str().expect("a text"),
            )
        })
        .collect();
    assert_eq!(rows, [("MG6C", "1"), ("not scheduled", "")]);
    let statements = report["schedule"]["statements"].to_string();
    for words in [
        "1 items are used",
        "2 items are relevant, unused and not sensitive",
        "5 items have no status on record",
        "2 items are on record that may",
    ] {
        assert!(statements.contains(words), "{words:?}: {statements}");
    }
    let list = schedule(&site, &["mg12"]);
    let row = &list["entries"][0];
    assert_eq!(
        (&row["exhibit"], &row["produced_by"], &row["items"]),
        (&"AB/1".into(), &"Ash Birch".into(), &"1".into())
    );
    // Cells of CSV are harmless.
    site.ok(&["disclosure", "describe", "8", "=cmd|' /C calc'!A0"]);
    let out = site.path("cells");
    let key = site.path("key.pem");
    site.ok(&[
        "schedule",
        "mg6c",
        "--show",
        "1",
        "--out",
        &out.to_string_lossy(),
        "--as",
        "csv",
        "--key",
        &key.to_string_lossy(),
    ]);
    assert_eq!(
        listing(&out),
        ["export.json", "manifest.sha256", "manifest.sig.json", "mg6c.csv"]
    );
    assert!(
        !text(&out, "mg6c.csv").contains("calc"),
        "an issued schedule does not change"
    );
}
