//! Saved searches and the history, from outside.

use embley_tests::{Site, files, made, packed};
use serde_json::Value;

fn box_of(site: &Site, name: &str, words: &[&str], first: u32) {
    let messages: Vec<Vec<u8>> = (first..)
        .zip(words)
        .map(|(number, word)| made::message(number, word))
        .collect();
    files::write(&site.path(name), made::mailbox(&messages));
}

fn saved<'v>(list: &'v Value, name: &str) -> &'v Value {
    let all = list["saved"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == name).expect("the saved search")
}

#[test]
fn a_saved_search_says_after_an_ingest_what_is_new_until_somebody_runs_it() {
    let site = Site::new();
    box_of(&site, "one.mbox", &["contract", "lunch", "contract"], 1);
    site.ingest(&[site.path("one.mbox").as_os_str()]).expect(0);
    site.run(&["saved", "add", "Contracts", "contract", "--note", "supplier"])
        .expect(0);
    site.run(&["saved", "add", "contracts", "lunch"])
        .expect(2)
        .says(&["there is one with this name"]);
    site.run(&["saved", "add", "broken", "lunch AND"])
        .expect(2)
        .says(&["^"]);
    site.run(&["saved", "add", "Lunch", "lunch"]).expect(0);
    let ran = site
        .run(&["saved", "run", "CONTRACTS", "--format", "json"])
        .expect(0)
        .says(&["it was not run before"]);
    assert_eq!(ran.json()["count"], 2);

    box_of(&site, "two.mbox", &["contract", "tea"], 10);
    let ingested = site.ingest(&[site.path("two.mbox").as_os_str()]).expect(0);
    ingested.says(&[
        "\"Contracts\" 1 new hits since it was run",
        "\"Lunch\" 0 new hits of 1 (not run yet)",
    ]);
    let list = site.ok(&["saved", "list", "--format", "json"]).json();
    let contracts = &saved(&list, "Contracts")["last"];
    assert_eq!(
        (&contracts["hits"], &contracts["new"], &contracts["after_run"]),
        (&3.into(), &1.into(), &"run:0002".into())
    );

    // Counting and keeping leave what is new as it is.
    assert_eq!(
        site.ok(&["saved", "run", "Contracts", "--new", "--count"])
            .text()
            .trim(),
        "1"
    );
    let new = site
        .ok(&["saved", "run", "Contracts", "--new", "--keep", "--format", "json"])
        .json();
    assert_eq!((&new["count"], &new["hits"][0]["item_no"]), (&1.into(), &4.into()));
    site.run(&["saved", "run", "Contracts", "--new", "--format", "json"])
        .expect(0)
        .says(&["1 new, 0 gone"]);
    site.run(&["saved", "run", "Contracts", "--new"])
        .expect(1)
        .says(&["0 new, 0 gone"]);

    // An ingest that finds nothing new says nothing and records nothing.
    let before = site.ok(&["saved", "show", "Contracts", "--format", "json"]).json();
    site.ingest(&[site.path("two.mbox").as_os_str()]).expect(0);
    assert_eq!(
        site.ok(&["saved", "show", "Contracts", "--format", "json"]).json(),
        before
    );

    // What it asked before and what it found stays on record.
    site.run(&["saved", "change", "Contracts", "contract OR tea"]).expect(0);
    site.run(&["saved", "run", "Contracts"])
        .expect(0)
        .says(&["1 new, 0 gone"]);
    site.run(&["saved", "remove", "Contracts"]).expect(0);
    site.run(&["saved", "run", "Contracts"])
        .expect(2)
        .says(&["there is no saved search \"Contracts\""]);
    let shown = site.ok(&["saved", "show", "Contracts", "--format", "json"]).json();
    let what: Vec<&str> = shown["history"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["what"].as_str())
        .collect();
    assert_eq!(
        what,
        [
            "saved",
            "was run",
            "ran after run:0002",
            "was run",
            "was run",
            "changed",
            "was run",
            "ended"
        ]
    );
    assert_eq!(shown["in_use"], false);
    let list = site.ok(&["saved", "list", "--format", "json"]).json();
    assert_eq!(list["saved"].as_array().map(Vec::len), Some(1));
    site.run(&["verify", "--deep"]).expect(0);
}

#[test]
fn a_search_that_asks_for_a_tag_is_alerted_by_the_tag_too() {
    let site = Site::new();
    box_of(&site, "one.mbox", &["contract", "lunch"], 1);
    site.ingest(&[site.path("one.mbox").as_os_str()]).expect(0);
    site.run(&["tag", "add", "key", "1"]).expect(0);
    site.run(&["saved", "add", "keys", "tag:key"]).expect(0);
    site.run(&["saved", "run", "keys"]).expect(0);
    site.run(&["tag", "remove", "key", "1"]).expect(0);
    site.run(&["tag", "add", "key", "2"]).expect(0);
    box_of(&site, "two.mbox", &["tea"], 10);
    site.ingest(&[site.path("two.mbox").as_os_str()])
        .expect(0)
        .says(&["\"keys\" 1 new hits since it was run, 1 gone"]);
}

#[test]
fn text_that_is_opened_later_reaches_saved_searches_too() {
    let site = Site::new();
    files::write(&site.path("in/deed.docx"), packed::docx("the contract is signed"));
    site.ingest(&[site.path("in").as_os_str(), "--no-open".as_ref()])
        .expect(0);
    site.run(&["saved", "add", "Contracts", "contract"]).expect(0);
    site.run(&["saved", "run", "Contracts"]).expect(1);
    // No new item: the document that was there gets its text.
    site.ingest(&[site.path("in").as_os_str()])
        .expect(0)
        .says(&["0 new", "\"Contracts\" 1 new hits since it was run"]);
}

#[test]
fn every_search_is_in_the_history() {
    let site = Site::new();
    box_of(&site, "one.mbox", &["contract", "lunch"], 1);
    site.ingest(&[site.path("one.mbox").as_os_str()]).expect(0);
    site.run(&["--user", "ann", "search", "contract"]).expect(0);
    site.run(&["--user", "bob", "search", "nothing", "--count"]).expect(1);
    site.run(&["search", "broken AND"]).expect(2);
    site.run(&["--user", "ann", "saved", "add", "L", "lunch"]).expect(0);
    site.run(&["--user", "ann", "saved", "run", "L"]).expect(0);
    let history = site.ok(&["history", "--format", "json"]).json();
    let rows: Vec<(String, String, u64)> = history["history"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (text("actor"), text("query"), row["hits"].as_u64().unwrap_or(99))
        })
        .collect();
    let expected = [("ann", "lunch", 1), ("bob", "nothing", 0), ("ann", "contract", 1)];
    assert_eq!(
        rows,
        expected.map(|(actor, query, hits)| (actor.to_owned(), query.to_owned(), hits))
    );
    assert_eq!(
        site.ok(&["history", "--limit", "1", "--format", "json"]).json()["total"],
        3
    );
}
