//! A stop between any two steps, and many processes at once.

use embley_model::failpoint::AUDIT_NAMES;
use embley_tests::{Site, files, made};
use serde_json::Value;

use crate::commands::entries;

const SIGKILL: i32 = 9;

fn with_mail() -> Site {
    let site = Site::new();
    files::write(&site.path("mail/1.eml"), made::message(1, "xqword1"));
    site.ingest(&[site.path("mail")]).expect(0);
    site
}

fn verified(site: &Site) -> Value {
    site.run(&["audit", "verify", "--format", "json"]).expect(0).json()
}

#[test]
fn a_stop_at_any_step_leaves_a_log_that_holds_and_says_what_was_not_finished() {
    let mut killed = 0;
    for passage in [1, 2] {
        for name in AUDIT_NAMES {
            let site = with_mail();
            let before = entries(&site).len();
            let armed = site
                .program(&["tag", "add", "late", "1"])
                .env("EMBLEY_FAILPOINT", format!("{name}:{passage}"));
            assert_eq!(armed.run().signal, Some(SIGKILL), "{name}:{passage}");
            killed += 1;
            let report = verified(&site);
            // Whatever is durable counts: the line is there from its writing on.
            let intent = passage == 2 || *name != "audit-begin";
            let outcome = passage == 2 && *name != "audit-begin";
            let unfinished = report["unfinished"].as_array().expect("a list");
            assert_eq!(
                unfinished.len(),
                usize::from(intent && !outcome),
                "{name}:{passage}: {report}"
            );
            let entries = entries(&site);
            assert_eq!(
                entries[before..]
                    .iter()
                    .filter(|entry| entry["event"]["command"] == "tag add")
                    .count(),
                usize::from(intent) + usize::from(outcome),
                "{name}:{passage}"
            );
            // The tag is on record exactly when the action came to run.
            let tags = site.ok(&["tag", "list", "--format", "json"]).json();
            assert_eq!(
                tags["tags"].as_array().map(Vec::len),
                Some(usize::from(passage == 2)),
                "{name}:{passage}"
            );
            // The next commands go on, and the same is still said.
            site.ok(&["tag", "add", "late", "1"]);
            assert_eq!(verified(&site)["unfinished"], report["unfinished"], "{name}:{passage}");
        }
    }
    assert_eq!(killed, AUDIT_NAMES.len() * 2);
}

#[test]
fn an_error_of_the_disk_at_any_step_stops_the_command_or_says_that_its_outcome_is_missing() {
    for name in AUDIT_NAMES {
        let site = with_mail();
        let run = |passage: u32| {
            site.program(&["search", "xqword1", "--count"])
                .env("EMBLEY_FAILPOINT", format!("{name}:{passage}:error"))
                .run()
                .expect(70)
                .says(&[&format!("failpoint {name}")])
        };
        assert_eq!(run(1).text(), "", "{name}: nothing is shown that is not recorded");
        let late = run(2);
        assert_eq!(late.text(), "1\n");
        late.says(&["its outcome could not be recorded"]);
        verified(&site);
        assert_eq!(site.count("xqword1"), 1);
    }
}

#[test]
fn an_ingest_that_is_killed_is_an_action_without_an_outcome() {
    let site = with_mail();
    files::write(&site.path("more.eml"), made::message(9, "xqmore"));
    let armed = site
        .ingest_program(&[site.path("more.eml")])
        .env("EMBLEY_FAILPOINT", "pack-sync:1");
    assert_eq!(armed.run().signal, Some(SIGKILL));
    let report = verified(&site);
    assert_eq!(report["unfinished"][0]["command"], "ingest", "{report}");
    let listed = site
        .ok(&["audit", "list", "--command", "ingest", "--format", "json"])
        .json();
    assert_eq!(listed["entries"][0]["ended"], "not ended");
    site.ok(&["verify"]);
}

#[test]
fn many_processes_write_one_log_while_an_ingest_runs() {
    let site = with_mail();
    files::write(&site.path("more.eml"), made::message(9, "xqmore"));
    let mut ingest = site
        .ingest_program(&[site.path("more.eml")])
        .env("EMBLEY_FAILPOINT", "pack-sync:1:stop")
        .start();
    ingest.wait_until_halted();
    let running: Vec<_> = (0..12)
        .map(|number| {
            let tag = format!("t{number}");
            if number % 2 == 0 {
                site.program(&["tag", "add", &tag, "1"]).start()
            } else {
                site.program(&["search", "xqword1"]).start()
            }
        })
        .collect();
    for one in running {
        one.wait().expect(0);
    }
    let report = verified(&site);
    assert_eq!(
        report["unfinished"].as_array().map(Vec::len),
        Some(1),
        "only the ingest: {report}"
    );
    ingest.signal(rustix::process::Signal::CONT);
    ingest.wait().expect(0);
    let report = verified(&site);
    assert_eq!(report["unfinished"].as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(
        site.ok(&["tag", "list", "--format", "json"]).json()["tags"]
            .as_array()
            .map(Vec::len),
        Some(6)
    );
}
