//! Families, marks and states from end to end: messages with attachments in, hits of families out.

use embley_tests::{Site, files};
use serde_json::Value;

/// A message with a text and attachments, each a name, a media type and its text.
fn message(number: u32, text: &str, attachments: &[(&str, &str, &str)]) -> String {
    let mut mail = format!(
        "From: a{number}@force.example\r\nTo: b@force.example\r\nSubject: number {number}\r\n\
         Message-ID: <{number}@force.example>\r\nDate: Mon, 14 May 2001 10:0{number}:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    );
    for (name, media_type, body) in attachments {
        mail.push_str(&format!(
            "--x\r\nContent-Type: {media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{body}\r\n"
        ));
    }
    mail.push_str("--x--\r\n");
    mail
}

/// Items 1 (message) and 2 (notes), 3 (message), 4 (message), 5 (image) and 6 (notes).
fn site() -> Site {
    let site = Site::new();
    let mails = [
        message(
            1,
            "the quokka was seen",
            &[("notes.txt", "text/plain", "about a wombat")],
        ),
        message(2, "a quokka and a wombat", &[]),
        message(
            3,
            "nothing to see",
            &[
                ("plan.png", "image/png", "not much of an image"),
                ("more.txt", "text/plain", "another wombat"),
            ],
        ),
    ];
    for (number, mail) in (1..).zip(&mails) {
        files::write(&site.path(&format!("in/{number}.eml")), mail.as_bytes());
    }
    site.ingest(&[site.path("in")]).expect(0);
    site
}

fn search(site: &Site, args: &[&str]) -> Value {
    let mut all = vec!["search", "--format", "json"];
    all.extend(args);
    let ran = site.run(&all);
    assert!(matches!(ran.code, Some(0 | 1)), "{args:?}: {ran:?}");
    ran.json()
}

fn numbers(of: &Value) -> Vec<u64> {
    let list = of.as_array().expect("a list");
    list.iter()
        .map(|one| one["item_no"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn words_in_a_message_and_in_its_attachment_are_one_family() {
    let site = site();
    let both = "quokka wombat";
    assert_eq!(numbers(&search(&site, &[both])["hits"]), [3]);
    let found = search(&site, &["--level", "family", both]);
    assert_eq!(found["level"], "family");
    assert_eq!(found["count"], 2);
    assert_eq!(numbers(&found["hits"]), [1, 3]);
    let matched = &found["hits"][0]["matched"];
    assert_eq!(numbers(matched), [1, 2]);
    assert_eq!(matched[1]["filename"], "notes.txt");
    assert_eq!(matched[1]["kind"], "attachment");
    assert_eq!(matched[1]["snippets"][0]["text"], "about a wombat");
    assert_eq!(
        numbers(&search(&site, &["--level", "family", "wombat NOT quokka"])["hits"]),
        [4]
    );
    assert_eq!(
        numbers(&search(&site, &["--level", "family", "NOT wombat"])["hits"]),
        Vec::<u64>::new()
    );
    // Streamed out as well as counted, and in the shapes for people.
    let ran = site.ok(&["search", "--level", "family", "--all", "--format", "jsonl", "wombat"]);
    assert_eq!(ran.lines().len(), 3);
    let table = site
        .ok(&["search", "--level", "family", "--format", "table", both])
        .text()
        .to_owned();
    assert!(
        table.contains("    in #2  attachment  notes.txt\n        attachment: about a [wombat]"),
        "{table}"
    );
    let csv = site
        .ok(&["search", "--level", "family", "--format", "csv", both])
        .text()
        .to_owned();
    assert!(csv.lines().nth(1).expect("a hit").ends_with(",1; 2,"), "{csv}");
    let plan = site
        .ok(&["search", "--level", "family", "--explain", both])
        .text()
        .to_owned();
    assert!(plan.contains("families of: term \"wombat\""), "{plan}");
    assert_eq!(
        site.ok(&["search", "--level", "family", "--count", "wombat"])
            .text()
            .trim(),
        "3"
    );
    // The index made again says the same.
    site.ok(&["reindex", "--progress", "none"]);
    assert_eq!(search(&site, &["--level", "family", both])["hits"], found["hits"]);
}

#[test]
fn what_could_not_be_searched_is_listed() {
    let site = site();
    let found = search(&site, &["quokka"]);
    assert_eq!(found["not_searchable_total"], 1);
    let listed = search(&site, &["--not-searchable", "quokka"]);
    assert_eq!(listed["not_searchable"], found["not_searchable"]);
    assert_eq!(numbers(&listed["hits"]), [5]);
    let reason = listed["hits"][0]["reasons"][0].as_str().expect("a reason").to_owned();
    assert_eq!(found["not_searchable"][&reason], 1);
    let listed = search(&site, &["--level", "family", "--not-searchable", "quokka"]);
    assert_eq!(numbers(&listed["hits"]), [4]);
    assert_eq!(numbers(&listed["hits"][0]["not_searchable"]), [5]);
    let none = site.ok(&["search", "--not-searchable", "--count", "quokka NOT type:image/*"]);
    assert_eq!(none.text().trim(), "0");
    let table = site
        .ok(&["search", "--not-searchable", "--format", "table", "quokka"])
        .text()
        .to_owned();
    assert!(table.contains(&format!("not searchable: {reason}")), "{table}");
}

#[test]
fn states_and_marks_are_put_on_items_files_of_ids_and_queries() {
    let site = site();
    files::write(&site.path("ids"), b"4\n6\n");
    let ids = site.path("ids").display().to_string();
    site.ok(&["review", "set", "relevant", "--query", "wombat"]);
    site.ok(&["review", "set", "not-relevant", "--ids", &ids]);
    let ran = site.ok(&["review", "set", "Odd", "1"]);
    assert!(ran.stderr.contains("Odd is a new review state"), "{}", ran.stderr);
    site.ok(&["privilege", "mark", "legal", "--query", "quokka"]);
    site.ok(&["privilege", "unmark", "legal", "3"]);
    assert_eq!(site.count("review:relevant"), 2);
    assert_eq!(site.count("review:not-relevant"), 2);
    assert_eq!(site.count("review:not-reviewed"), 1);
    let hit = &site.hits("item:1")[0];
    assert_eq!((&hit["review"], &hit["privilege"][0]), (&"Odd".into(), &"legal".into()));
    assert!(site.hits("item:5")[0]["review"].is_null());
    let facets = search(&site, &["--facets", "review,privilege", "*"]);
    assert_eq!(facets["facets"][0]["facet"], "review");
    assert_eq!(facets["facets"][1]["values"][0]["value"], "legal");
    let states = site.ok(&["review", "list", "--format", "json"]).json();
    let shown: Vec<_> = states["states"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|state| (state["state"].as_str().expect("a name"), state["items"].as_u64()))
        .collect();
    assert_eq!(
        shown,
        [
            ("not-relevant", Some(2)),
            ("Odd", Some(1)),
            ("relevant", Some(2)),
            ("not-reviewed", Some(1)),
        ]
    );
    site.ok(&["review", "clear", "--query", "*"]);
    assert_eq!(site.count("review:*"), 0);
    let marks = site.ok(&["privilege", "list", "--format", "json"]).json();
    assert_eq!(marks["marks"][0]["items"], 1);
    // Neither is a filter on what is shown, and what cannot be a state is refused.
    assert_eq!(site.count("*"), 6);
    site.run(&["review", "set", "not-reviewed", "1"]).expect(2);
    site.run(&["review", "set", "relevant"]).expect(2);
    site.run(&["privilege", "unmark", "medical", "1"]).expect(2);
    site.ok(&["verify", "--deep"]);
}
