//! What was typed cannot be meant: faults in queries, unknown words, folders that are no case.

use embley_tests::{Program, Site, files};

use crate::{text, with_mail};

#[test]
fn what_is_no_case_is_told_how_to_become_one() {
    let site = Site::bare();
    files::make_folder(&site.path("folder"));
    for name in ["folder", "nothing"] {
        let path = site.path(name);
        Program::new(&["--case", text(&path), "status"]).run().expect(2).says(&[
            text(&path),
            "is not a case",
            "embley init",
        ]);
    }
    Program::new(&["status"])
        .from(site.root())
        .run()
        .expect(2)
        .says(&["no case given", "--case"]);
    site.init();
    Program::new(&["status"])
        .from(&site.case().join("originals"))
        .run()
        .expect(0);
    Program::new(&["init", text(site.case()), "--name", "again"])
        .run()
        .expect(2)
        .says(&[text(site.case()), "cannot make a case"]);
}

#[test]
fn a_fault_in_a_query_is_pointed_at() {
    let site = with_mail();
    // Query, words, and the character (from 0) under which the mark begins.
    for (query, words, at) in [
        ("sbject:fraud", "no field is called `sbject`", 0),
        ("alpha AND (beta", "not closed", 10),
        ("alpha AND defect:NOPE", "no defect code is called `NOPE`", 17),
        ("type:bogus", "no type is called `bogus`", 5),
        ("has:bogus", "no property is called `bogus`", 4),
        ("date:2020-13-45", "there is no date 2020-13-45", 5),
        ("äöü AND sbject:x", "no field is called `sbject`", 8),
        ("", "the query is empty", 0),
    ] {
        for command in [
            &["search", query][..],
            &["search", "--count", query][..],
            &["tag", "add", "x", "--query", query][..],
        ] {
            let ran = site.run(command).expect(2).says(&[words]);
            let lines: Vec<&str> = ran.stderr.lines().collect();
            let mark = lines
                .iter()
                .position(|line| line.trim_start().starts_with('^'))
                .expect("a mark");
            assert_eq!(lines[mark - 1], format!("  {query}"), "{}", ran.stderr);
            assert_eq!(lines[mark].find('^'), Some(at + 2), "{query}\n{}", ran.stderr);
        }
    }
    assert_eq!(
        site.ok(&["tag", "list", "--format", "json"]).json()["tags"],
        serde_json::json!([])
    );
}

#[test]
fn unknown_words_of_other_commands_are_answered_with_the_known_ones() {
    let site = with_mail();
    site.run(&["exceptions", "--class", "terrible"])
        .expect(2)
        .says(&["terrible", "note, warning, loss, excepted"]);
    site.run(&["search", "x", "--facets", "colour"])
        .expect(2)
        .says(&["colour", "custodian"]);
    site.run(&["show", "9999"]).expect(2).says(&["there is no item 9999"]);
    site.run(&["show", "zzz"])
        .expect(2)
        .says(&["zzz", "neither an item number nor an item id"]);
    site.run(&["exhibit", "add", "no reference", "1"])
        .expect(2)
        .says(&["no reference"]);
    site.run(&["runs", "show", "run:77"]).expect(2).says(&["run:0077"]);
    site.run(&["timeline", "X/1", "--from", "yesterday"])
        .expect(2)
        .says(&["yesterday", "YYYY-MM-DD"]);
    site.run(&["frobnicate"]).expect(2).says(&["frobnicate"]);
    site.run(&["ingest"]).expect(2);
    site.run(&["ingest", "--memory", "1T", "x"])
        .expect(2)
        .says(&["unknown unit"]);
    Program::new(&["init", text(&site.path("zoned")), "--name", "x", "--zone", "Mars/Base"])
        .run()
        .expect(2)
        .says(&["Mars/Base"]);
}
