//! A log that was cut: what every command says, and how work goes on.

use embley_tests::{Site, files, made};

use crate::commands::entries;

/// A case with some work on record, whose log lost its last two entries.
fn with_a_cut_log() -> Site {
    let site = Site::new();
    files::write(&site.path("mail/1.eml"), made::message(1, "xqword1"));
    site.ingest(&[site.path("mail")]).expect(0);
    site.ok(&["user", "add", "tester", "--role", "administrator"]);
    site.ok(&["user", "add", "rea", "--role", "reader"]);
    site.ok(&["search", "xqword1"]);
    let path = site.case().join("audit/log.jsonl");
    let log = String::from_utf8(files::read(&path)).expect("UTF-8");
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    files::write(&path, lines[..lines.len() - 2].concat());
    site
}

#[test]
fn work_goes_on_behind_a_cut_log_and_every_verification_says_what_is_missing() {
    let site = with_a_cut_log();
    let cut = files::read(&site.case().join("audit/log.jsonl"));
    site.run(&["search", "xqword1"])
        .expect(5)
        .says(&["audit restart --reason"]);
    site.run(&["audit", "verify"]).expect(1);
    let restart = ["audit", "restart", "--reason", "the disk failed"];
    site.run(&["--no-audit", "audit", "restart", "--reason", "x"]).expect(2);
    site.run(&["--user", "rea", "audit", "restart", "--reason", "x"])
        .expect(2)
        .says(&["auditor"]);
    assert!(site.case().join("audit/0002").symlink_metadata().is_err());
    site.run(&restart)
        .expect(0)
        .says(&["kept as it was found", "1 findings"]);
    site.ok(&["search", "xqword1"]);
    site.run(&restart).expect(2).says(&["can be continued"]);
    assert_eq!(files::read(&site.case().join("audit/log.jsonl")), cut);
    let ran = site.run(&["audit", "verify", "--format", "json"]).expect(1);
    let verified = ran.json();
    assert_eq!(verified["sound"], false);
    let findings = verified["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        (&findings[0]["what"], &findings[0]["known"]),
        (&"truncated".into(), &true.into())
    );
    assert_eq!(verified["segments"][0]["reason"], "the disk failed");
    let said = site.run(&["verify"]).expect(1);
    assert!(said.text().contains("on record"), "{}", said.text());
    // Both logs are listed, and the first entries of the new one are the restart and how it came about.
    let list = site.ok(&["audit", "list", "--all", "--format", "json"]).json();
    let list = list["entries"].as_array().expect("rows").clone();
    let of = |segment: u64| {
        list.iter()
            .filter(|one| one["segment"].as_u64().unwrap_or(1) == segment)
            .count()
    };
    assert!(of(1) >= 4 && of(2) >= 4, "{} and {}", of(1), of(2));
    let begun = list.iter().find(|one| one["kind"] == "restart").expect("the restart");
    assert_eq!(begun["event"]["reason"], "the disk failed");
    assert_eq!(begun["event"]["before"]["bytes"], cut.len());
    let outcome = list
        .iter()
        .find(|one| one["command"] == "audit restart" && one["ended"] == "done");
    assert_eq!(outcome.expect("its outcome")["result"]["restarted"]["segment"], 2);
    assert_eq!(site.ok(&["history", "--all", "--format", "json"]).json()["total"], 1);
    // A key, and a checkpoint of the new one.
    let key = site.path("key.pem").display().to_string();
    let note = site.ok(&["audit", "checkpoint", "--key", &key]).text().to_owned();
    assert!(
        note.lines().next().is_some_and(|origin| origin.ends_with("/segment/2")),
        "{note}"
    );
    site.ok(&["audit", "prove", "1"]);
    // Of the old one there is no checkpoint.
    site.run(&["audit", "prove", "1", "--segment", "1"])
        .expect(2)
        .says(&["checkpoint behind entry 1"]);
    assert!(entries(&site).len() > 2);
}
