//! Exhibits and custody, from outside.

use embley_tests::{Site, files, made};
use serde_json::Value;
use sha2::{Digest, Sha256};

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

fn show(site: &Site, reference: &str) -> Value {
    site.ok(&["exhibit", "show", reference, "--format", "json"]).json()
}

#[test]
fn an_exhibit_has_three_people_files_parts_and_everything_about_it_one_step_away() {
    let site = site();
    files::write(&site.path("phone <1>.jpg"), b"not really a picture");
    let photo = site.path("phone <1>.jpg");
    let photo = photo.to_str().expect("UTF-8");
    site.run(&[
        "exhibit",
        "add",
        "js/1",
        "1",
        "--produced-by",
        "Jo Smith",
        "--found-by",
        "PC Green",
        "--booked-in-by",
        "Ms White",
        "--produced-on",
        "2020-01-06 10:00",
        "--found-at",
        "Desk <b>7</b>",
        "--description",
        "The \"contract\" & <script>alert(1)</script>",
        "--file",
        photo,
        "--quote",
        "The word of this one is contract.",
    ])
    .expect(0);
    site.run(&["exhibit", "link", "JS/1", "CM/2019/17"]).expect(0);
    let shown = show(&site, "JS/1");
    assert_eq!(shown["schema"], 1);
    assert_eq!(
        (&shown["produced_by"], &shown["produced_on"]),
        (&"Jo Smith".into(), &"2020-01-06T10:00:00+00:00".into())
    );
    assert_eq!(shown["details"]["found_by"], "PC Green");
    assert_eq!(shown["details"]["booked_in_by"], "Ms White");
    assert_eq!(
        (&shown["file_form"], &shown["query"]),
        (&"JS_1".into(), &"exhibit:JS/1".into())
    );
    assert_eq!(shown["items"][0]["item_no"], 1);
    assert_eq!(shown["part_texts"][0]["still_there"], true);
    let hash: String = Sha256::digest(b"not really a picture")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(shown["files"][0]["sha256"], hash.as_str());
    // From the exhibit to the case's timeline and back; from the search to the exhibit.
    assert_eq!(shown["cases"][0]["case_ref"], "CM/2019/17");
    let entries = shown["cases"][0]["entries"].as_array().expect("entries");
    assert!(entries.iter().any(|entry| entry["what"] == "exhibit"), "{entries:?}");
    assert_eq!(site.hits("exhibit:JS/1")[0]["exhibits"][0], "JS/1");
    assert_eq!(site.ok(&["show", "1"]).json()["exhibits"][0], "JS/1");

    // The file is kept: the original may go, and every byte is checked.
    files::remove(&site.path("phone <1>.jpg"));
    assert_eq!(
        site.ok(&["exhibit", "file", "JS/1", "1"]).stdout,
        b"not really a picture"
    );
    site.ok(&["verify", "--deep"]);
    let copy = site.case().join("originals/exhibits").join(&hash);
    files::flip(&copy, 3);
    site.run(&["exhibit", "file", "JS/1", &hash[..8]]).expect(5);
    site.run(&["verify"]).expect(0);
    let found = site.run(&["verify", "--deep", "--format", "json"]).expect(1);
    assert!(
        found.text().contains(&hash) || found.stderr.contains(&hash),
        "{}",
        found.text()
    );
    files::flip(&copy, 3);

    // Withdrawn, not deleted.
    site.run(&[
        "exhibit",
        "remove",
        "JS/1",
        "--file",
        "1",
        "--part",
        "1",
        "--note",
        "another phone",
    ])
    .expect(0);
    let shown = show(&site, "JS/1");
    assert_eq!(shown["files"][0]["withdrawn"]["reason"], "another phone");
    let history = site.ok(&["exhibit", "history", "JS/1", "--format", "json"]).json();
    let said: Vec<&str> = history["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|one| one["action"].as_str())
        .collect();
    for action in ["registered", "description", "found_by", "linked", "added", "withdrawn"] {
        assert!(said.contains(&action), "{action}: {said:?}");
    }
}

#[test]
fn two_people_with_the_same_initials_are_two_exhibits_and_a_warning() {
    let site = site();
    site.run(&["exhibit", "add", "JAS/1", "1", "--produced-by", "Jane Ann Smith"])
        .expect(0);
    site.run(&["exhibit", "add", "JAS/1", "2", "--produced-by", "John Alan Snow"])
        .expect(0)
        .says(&["warning: Jane Ann Smith also produces under these initials (JAS/1)"]);
    site.run(&["exhibit", "show", "JAS/1"])
        .expect(2)
        .says(&["several exhibits", "--produced-by NAME"]);
    let one = site
        .ok(&[
            "exhibit",
            "show",
            "JAS/1",
            "--produced-by",
            "john alan snow",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(one["items"][0]["item_no"], 2);
}

#[test]
fn numbers_are_given_on_request_and_parts_of_items_are_checked() {
    let site = site();
    for (asked, given) in [
        ("JS/+", "JS/1"),
        ("JS/+", "JS/2"),
        ("JS/1/+", "JS/1/1"),
        ("S+", "S1"),
        ("d+", "D1"),
        ("S+", "S2"),
    ] {
        assert_eq!(site.ok(&["exhibit", "add", asked]).text().trim(), given);
    }
    let list = site
        .ok(&["exhibit", "list", "--kind", "statement", "--format", "json"])
        .json();
    let names: Vec<&str> = list["exhibits"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["reference"].as_str())
        .collect();
    assert_eq!(names, ["S1", "S2"]);
    for (args, word) in [
        (
            vec!["exhibit", "add", "JS/9", "1", "2", "--page", "3"],
            "about one item",
        ),
        (
            vec!["exhibit", "add", "JS/9", "1", "--quote", "nowhere in it"],
            "does not hold these words",
        ),
        (vec!["exhibit", "add", "JS/9", "1", "--quote", "o"], "at byte"),
        (
            vec!["exhibit", "add", "JS/9", "1", "--bytes", "5..99999"],
            "no selection",
        ),
        (
            vec!["exhibit", "add", "JS/9", "1", "--file", "/nowhere/at/all"],
            "cannot read",
        ),
        (vec!["exhibit", "add", "J5/9", "1"], "not an exhibit reference"),
        (vec!["exhibit", "add", "JS/9", "1", "--found-on", "soon"], "is no time"),
    ] {
        let ran = site.run(&args);
        assert!(
            ran.code != Some(0) && ran.stderr.contains(word),
            "{args:?}: {}",
            ran.stderr
        );
    }
    site.run(&["exhibit", "show", "JS/9"])
        .expect(2)
        .says(&["there is no exhibit JS/9"]);
}

#[test]
fn custody_is_shown_with_its_gaps_and_printed_without_a_way_out_of_the_page() {
    let site = site();
    site.run(&[
        "exhibit",
        "add",
        "JS/1",
        "--produced-by",
        "Jo <img src=x>",
        "--description",
        "phone & 'case'",
    ])
    .expect(0);
    let enter = |args: &[&str]| {
        let mut all = vec!["exhibit", "continuity", "JS/1", "--add"];
        all.extend_from_slice(args);
        site.run(&all)
    };
    enter(&[
        "seized",
        "--at",
        "2020-03-01 10:00",
        "--by",
        "Jo",
        "--seal-after",
        "A1",
        "--until",
        "2020-03-01 12:00",
    ])
    .expect(0);
    enter(&[
        "examined",
        "--at",
        "2020-03-02 09:00",
        "--by",
        "Lab",
        "--seal-before",
        "A7",
    ])
    .expect(0)
    .says(&[
        "no entry speaks for the time from 2020-03-01T12:00:00+00:00 to 2020-03-02T09:00:00+00:00",
        "seal A7 was found",
    ]);
    enter(&["withdrawn", "--corrects", "2", "--note", "another exhibit"]).expect(0);
    enter(&["withdrawn", "--corrects", "2"])
        .expect(2)
        .says(&["was corrected before", "correct the newer entry"]);
    enter(&["destroyed", "--corrects", "77"])
        .expect(2)
        .says(&["there is no entry of continuity 77"]);
    enter(&["received", "--by", "Store", "--at", "2020-03-01 12:00", "--from", "Jo"]).expect(0);
    let listed = site.ok(&["exhibit", "continuity", "JS/1", "--format", "json"]).json();
    assert_eq!(listed["gaps"].as_array().map(Vec::len), Some(0), "{listed}");
    assert_eq!(listed["entries"].as_array().map(Vec::len), Some(4));
    let pages = [
        site.ok(&["exhibit", "label", "--all"]).text().to_owned(),
        site.ok(&["exhibit", "continuity", "JS/1", "--html"]).text().to_owned(),
    ];
    for page in &pages {
        assert!(
            page.contains("default-src 'none'") && page.contains("Jo &lt;img src=x&gt;"),
            "{page}"
        );
        for bad in [
            "<img", "<script", "http:", "https:", " src=\"", "href", "url(", "@import",
        ] {
            assert!(!page.contains(bad), "{bad} in {page}");
        }
    }
    assert!(pages[1].contains("another exhibit; withdraws entry 2") && pages[1].contains("Nothing was found"));
    let out = site.path("label.html");
    let out = out.to_str().expect("UTF-8");
    site.run(&["exhibit", "label", "JS/1", "--out", out]).expect(0);
    site.run(&["exhibit", "label", "JS/1", "--out", out])
        .expect(2)
        .says(&["is there already"]);
}
