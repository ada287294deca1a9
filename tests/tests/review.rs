//! Tags, notes, batches and codings, from outside.

use embley_tests::{Program, Ran, Site, files, made};

/// Five messages; 1 and 4 hold the word contract.
fn site() -> Site {
    let site = Site::new();
    let words = ["contract", "lunch", "tea", "contract", "rain"];
    let messages: Vec<Vec<u8>> = (1..)
        .zip(words)
        .map(|(number, word)| made::message(number, word))
        .collect();
    files::write(&site.path("one.mbox"), made::mailbox(&messages));
    site.ingest(&[site.path("one.mbox").as_os_str()]).expect(0);
    site
}

fn by(site: &Site, who: &str, args: &[&str]) -> Ran {
    let program: Program = site.program(args);
    program.env("EMBLEY_USER", who).run()
}

/// The number behind a word in what a command said.
fn number_behind(ran: &Ran, words: &str) -> String {
    let at = ran
        .stderr
        .find(words)
        .unwrap_or_else(|| panic!("{words:?} is not in {}", ran.stderr))
        + words.len();
    ran.stderr[at..].chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn tags_reach_families_threads_and_copies_and_are_taken_back_as_one() {
    let site = Site::new();
    let mut reply = String::from_utf8(made::message(2, "lunch")).expect("UTF-8");
    reply.insert_str(0, "References: <1.contract@mail.example>\n");
    let attached = "Message-ID: <9.x@mail.example>\nDate: Mon, 6 Jan 2020 12:00:00 +0000\nFrom: a@mail.example\nTo: b@mail.example\n\
        Subject: with a file\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee here\n\
        --b\nContent-Type: text/plain; name=\"a.txt\"\nContent-Disposition: attachment; filename=\"a.txt\"\n\nthe same text in two files\n--b--\n";
    let other = attached.replace("<9.x@", "<10.x@").replace("see here", "and here");
    let all = [
        made::message(1, "contract"),
        reply.into_bytes(),
        attached.as_bytes().to_vec(),
        other.into_bytes(),
    ];
    files::write(&site.path("one.mbox"), made::mailbox(&all));
    site.ingest(&[site.path("one.mbox").as_os_str()]).expect(0);
    let tagged = |tag: &str| {
        site.hits(&format!("tag:{tag}"))
            .iter()
            .filter_map(|hit| hit["item_no"].as_u64())
            .collect::<Vec<_>>()
    };
    site.run(&["tag", "add", "thread", "--query", "contract", "--threads"])
        .expect(0);
    assert_eq!(tagged("thread"), [1, 2]);
    site.run(&[
        "tag",
        "add",
        "family",
        "--query",
        "see AND type:attachment",
        "--level",
        "family",
    ])
    .expect(0);
    assert_eq!(tagged("family"), [3, 4]);
    let file = site.hits("type:attachment")[0]["item_no"]
        .as_u64()
        .expect("a number")
        .to_string();
    site.run(&["tag", "add", "copies", &file, "--duplicates"]).expect(0);
    assert_eq!(tagged("copies"), [4, 6]);
    let ran = site.run(&["tag", "add", "all", "--query", "*"]).expect(0);
    assert_eq!(tagged("all"), [1, 2, 3, 4, 5, 6]);
    let event = number_behind(&ran, "`embley tag undo ");
    site.run(&["tag", "remove", "all", "2"]).expect(0);
    site.run(&["tag", "add", "all", "2"]).expect(0);
    site.run(&["tag", "undo", &event])
        .expect(0)
        .says(&["for 5 items; 1 were changed again later"]);
    assert_eq!(tagged("all"), [2]);
    site.run(&["tag", "undo", &event])
        .expect(2)
        .says(&["nothing left to undo"]);
    let history = site.ok(&["tag", "history", "all", "--format", "json"]).json();
    assert_eq!(history["changes"].as_array().map(Vec::len), Some(4));
    assert_eq!(history["changes"][0]["reason"], "query: *");
}

#[test]
fn rules_of_tags_hold_and_are_shown() {
    let site = site();
    site.run(&[
        "tag",
        "set",
        "Outcome",
        "--tag",
        "keep",
        "--tag",
        "drop",
        "--exclusive",
        "yes",
        "--note-required",
        "yes",
        "--colour",
        "green",
    ])
    .expect(0);
    site.run(&["tag", "add", "keep", "1"])
        .expect(2)
        .says(&["changed with a note", "--note TEXT"]);
    site.run(&["tag", "add", "keep", "1", "2", "--note", "first look"])
        .expect(0);
    site.run(&["tag", "add", "drop", "2", "--note", "second look"])
        .expect(0)
        .says(&["1 items left another tag"]);
    assert_eq!((site.count("tag:keep"), site.count("tag:drop")), (1, 1));
    let list = site.ok(&["tag", "list", "--format", "json"]).json();
    assert_eq!(
        (&list["tags"][1]["set"], &list["tags"][1]["colour"]),
        (&"Outcome".into(), &"#2e7d32".into())
    );
    assert_eq!(list["sets"][0]["exclusive"], true);
    site.run(&["tag", "colour", "drop", "#zz"])
        .expect(2)
        .says(&["is no colour"]);
}

#[test]
fn notes_are_edited_by_new_versions() {
    let site = site();
    site.run(&["exhibit", "add", "JS/1", "1"]).expect(0);
    site.run(&["note", "add", "1", "--text", "look again"])
        .expect(0)
        .says(&["note 1"]);
    site.run(&["note", "add", "--exhibit", "JS/1", "--text", "of the exhibit"])
        .expect(0);
    site.run(&["note", "edit", "1", "--text", "looked again"]).expect(0);
    assert_eq!(
        site.ok(&["show", "1"]).json()["notes"][0]["newest"]["text"],
        "looked again"
    );
    let list = site.ok(&["note", "list", "1", "--history", "--format", "json"]).json();
    let texts: Vec<&str> = list["notes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["text"].as_str())
        .collect();
    assert_eq!(texts, ["look again", "looked again"]);
    assert_eq!(
        site.ok(&["exhibit", "show", "JS/1", "--format", "json"]).json()["notes"][0]["versions"][0]["text"],
        "of the exhibit"
    );
    site.run(&["note", "withdraw", "1", "--reason", "done"]).expect(0);
    let list = site.ok(&["note", "list", "--format", "json"]).json();
    assert_eq!(list["notes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_review_goes_from_batches_over_codings_to_rates_of_disagreement() {
    let site = site();
    site.run(&[
        "batch",
        "create",
        "First look",
        "--query",
        "*",
        "--size",
        "3",
        "--form",
        "nothing",
    ])
    .expect(2)
    .says(&["there is no coding form \"nothing\"; there are relevance"]);
    site.run(&[
        "batch",
        "create",
        "First look",
        "--query",
        "*",
        "--size",
        "3",
        "--form",
        "relevance",
    ])
    .expect(0)
    .says(&["5 items in 2 batches"]);
    by(&site, "ann", &["batch", "checkout"])
        .expect(0)
        .says(&["batch 1 is yours"]);
    by(&site, "bob", &["batch", "checkout", "1"])
        .expect(2)
        .says(&["ann has batch 1"]);
    by(&site, "bob", &["batch", "checkout"])
        .expect(0)
        .says(&["batch 2 is yours"]);
    by(&site, "cyn", &["batch", "checkout"])
        .expect(1)
        .says(&["no open batch"]);
    let answers = [
        "--form",
        "relevance",
        "--answer",
        "relevance=relevant",
        "--answer",
        "privilege=no",
    ];
    let code = |who: &str, items: &[&str], batch: &str| {
        let mut args = vec!["coding", "set"];
        args.extend_from_slice(items);
        args.extend_from_slice(&answers);
        args.extend_from_slice(&["--batch", batch]);
        by(&site, who, &args)
    };
    by(
        &site,
        "ann",
        &[
            "coding",
            "set",
            "1",
            "--form",
            "relevance",
            "--answer",
            "relevance=maybe",
        ],
    )
    .expect(2)
    .says(&["none of relevant", "privilege is required"]);
    code("ann", &["4"], "1").expect(2).says(&["not in batch 1"]);
    code("bob", &["1"], "1").expect(2).says(&["not with bob"]);
    code("ann", &["1", "2"], "1").expect(0).says(&["2 items coded"]);
    by(&site, "ann", &["batch", "done", "1"])
        .expect(2)
        .says(&["1 items of batch 1 are not coded", "item 3"]);
    code("ann", &["3"], "1").expect(0);
    by(&site, "ann", &["batch", "done", "1"]).expect(0);
    let second = [
        "batch",
        "second",
        "First look",
        "--sample",
        "2",
        "--seed",
        "s",
        "--format",
        "json",
    ];
    let made = by(&site, "ann", &second).expect(0).json();
    assert_eq!(
        (&made["batches"][0]["items"], &made["batches"][0]["not_for"]),
        (&2.into(), &"ann".into())
    );
    let number = made["batches"][0]["batch_id"].to_string();
    by(&site, "ann", &["batch", "checkout", &number])
        .expect(2)
        .says(&["for somebody else"]);
    by(&site, "cyn", &["batch", "checkout", &number]).expect(0);
    // The second reviewer does not see what the first one said.
    let shown = by(&site, "cyn", &["batch", "show", &number, "--format", "json"])
        .expect(0)
        .json();
    let items: Vec<String> = shown["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|one| one["item_no"].to_string())
        .collect();
    assert!(
        shown["items"]
            .as_array()
            .expect("items")
            .iter()
            .all(|one| one["answers"].is_null())
    );
    code("cyn", &[&items[0]], &number).expect(0);
    by(
        &site,
        "cyn",
        &[
            "coding",
            "set",
            &items[1],
            "--form",
            "relevance",
            "--answer",
            "relevance=not relevant",
            "--answer",
            "privilege=no",
            "--batch",
            &number,
        ],
    )
    .expect(0);
    by(&site, "cyn", &["batch", "done", &number]).expect(0);
    let compared = site
        .ok(&[
            "coding",
            "compare",
            "--form",
            "relevance",
            "--review",
            "first look",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(
        (&compared["coded"], &compared["coded_twice"], &compared["differ"]),
        (&3.into(), &2.into(), &1.into())
    );
    assert_eq!(compared["fields"][0]["rate"]["rate"], 0.5);
    assert_eq!(compared["differences"][0]["item_no"].to_string(), items[1]);
    let list = site.ok(&["coding", "list", &items[1], "--format", "json"]).json();
    assert_eq!(list["codings"].as_array().map(Vec::len), Some(2));
    let journal = site
        .ok(&["journal", "--kind", "batch", "--by", "cyn", "--format", "json"])
        .json();
    let said: Vec<&str> = journal["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|one| one["action"].as_str())
        .collect();
    assert_eq!(said, ["checked out", "done"]);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn many_people_who_check_out_at_once_each_get_another_batch() {
    let site = site();
    site.run(&["batch", "create", "r", "--query", "*", "--size", "1"])
        .expect(0);
    for round in 0..3 {
        let running: Vec<_> = (0..8)
            .map(|at| {
                let program = site.program(&["batch", "checkout", "--format", "json"]);
                program.env("EMBLEY_USER", format!("person {round} {at}")).start()
            })
            .collect();
        let mut taken: Vec<i64> = Vec::new();
        let mut none = 0;
        for one in running {
            let ran = one.wait();
            match ran.code {
                Some(0) => taken.push(ran.json()["batches"][0]["batch_id"].as_i64().expect("a number")),
                Some(1) => none += 1,
                _ => panic!("{}", ran.stderr),
            }
        }
        taken.sort_unstable();
        assert_eq!(
            (taken.as_slice(), none),
            ([1, 2, 3, 4, 5].as_slice(), 3),
            "each batch once"
        );
        for batch in &taken {
            site.run(&["batch", "release", &batch.to_string(), "--note", "the next round"])
                .expect(0);
        }
    }
    site.ok(&["verify", "--deep"]);
}
