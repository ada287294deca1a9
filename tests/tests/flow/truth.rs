//! An ingest of a made corpus, held against what its maker knows about it.

use embley_corpus::Truth;
use embley_tests::{Site, made};
use serde_json::{Value, json};

/// A site with a corpus of all layouts, taken in with custodians from the path.
fn site(messages: u64, seed: u64) -> (Site, Truth) {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), messages, seed);
    let mail = site.path("made/mail");
    site.ingest(&[mail.as_os_str(), "--custodian-from-path".as_ref(), "1".as_ref()])
        .expect(0)
        .says(&["all sums close"]);
    (site, truth)
}

#[test]
fn every_sum_of_the_case_is_the_one_its_maker_counted() {
    let (site, truth) = site(3_000, 11);
    let run = site.last_run();
    let children = truth.items.attachment + truth.items.email - truth.items.email_top;
    let found = json!({
        "state": run["state"], "balanced": run["balanced"], "discovered": run["discovered"], "new": run["new"],
        "duplicate": run["duplicate"], "unchanged": run["unchanged"], "excluded": run["excluded"], "excepted": run["excepted"],
        "children": run["children"], "items": run["items"], "instances": run["instances"],
    });
    let expected = json!({
        "state": "done", "balanced": true, "discovered": truth.messages, "new": truth.distinct_messages,
        "duplicate": truth.duplicate_messages, "unchanged": 0, "excluded": 0, "excepted": 0,
        "children": {"discovered": children, "items": children, "excepted": 0},
        "items": {
            "email": truth.items.email, "email_top": truth.items.email_top, "attachment": truth.items.attachment,
            "document": truth.items.document, "record": 0,
        },
        "instances": truth.messages,
    });
    assert_eq!(found, expected);
    assert!(
        truth.duplicate_messages > 100 && truth.items.attachment > 100,
        "the corpus must hold what is counted"
    );
}

#[test]
fn planted_words_and_phrases_are_found_where_they_were_planted_and_nowhere_else() {
    let (site, truth) = site(3_000, 12);
    let mut asked = 0;
    for needle in &truth.needles {
        let query = format!("{}:{}", needle.field, needle.query);
        assert_eq!(site.count(&query), needle.items, "{query} ({:?})", needle.place);
        assert_eq!(
            site.count(&needle.query),
            needle.items,
            "{} ({:?})",
            needle.query,
            needle.place
        );
        asked += 1;
    }
    for phrase in &truth.phrases {
        assert_eq!(
            site.count(&format!("\"{}\"", phrase.phrase)),
            phrase.items,
            "{}",
            phrase.phrase
        );
        let all_words = phrase.phrase.split(' ').collect::<Vec<_>>().join(" AND ");
        let with_decoys = site.count(&all_words);
        assert!(
            with_decoys >= phrase.items + phrase.decoy_items,
            "{all_words}: {with_decoys}"
        );
        asked += 1;
    }
    assert!(asked > 20, "only {asked} planted texts");
}

#[test]
fn custodians_hold_what_their_folders_held() {
    let (site, truth) = site(2_000, 13);
    for custodian in &truth.custodians {
        let query = format!("custodian:\"{}\"", custodian.folder);
        let roots: Vec<Value> = site
            .hits(&query)
            .into_iter()
            .filter(|hit| hit["parent"].is_null())
            .collect();
        assert_eq!(roots.len() as u64, custodian.distinct, "{query}");
        let all_are_his = roots.iter().all(|hit| {
            hit["custodians"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == custodian.folder.as_str()))
        });
        assert!(all_are_his, "{query}");
    }
    for mailbox in &truth.mailboxes {
        let query = format!("path:\"{}\"", mailbox.path);
        let hits = site.hits(&query);
        assert!(!hits.is_empty() || mailbox.messages == 0, "{query}");
    }
}

#[test]
fn the_instances_of_a_needle_are_the_places_it_was_put_in() {
    let (site, truth) = site(2_000, 14);
    let mut with_copies = 0;
    for needle in truth.needles.iter().filter(|needle| needle.items == 1) {
        let hit = site.hits(&needle.query).remove(0);
        let number = hit["item_no"].as_u64().expect("a number").to_string();
        let listed = site.ok(&["show", &number, "--instances", "--format", "json"]).json();
        let mut found: Vec<(String, u64)> = listed["instances"]
            .as_array()
            .expect("instances")
            .iter()
            .map(|one| {
                (
                    one["path"].as_str().expect("a path").to_owned(),
                    one["ordinal"].as_u64().expect("an ordinal"),
                )
            })
            .collect();
        let mut planted: Vec<(String, u64)> = needle
            .at
            .iter()
            .map(|place| (place.file.clone(), place.ordinal))
            .collect();
        found.sort();
        planted.sort();
        assert_eq!(found, planted, "{}", needle.written);
        with_copies += usize::from(planted.len() > 1);
    }
    assert!(
        with_copies > 0,
        "no needle has a copy, so duplicates were not looked at"
    );
}
