//! A kill between any two steps of a change of facts leaves all of it or nothing; two writers at once leave both.

use embley_model::failpoint::FACT_NAMES;
use embley_tests::{Program, Ran, Site, files, made};

const SIGKILL: i32 = 9;
const MESSAGES: u32 = 40;

fn site() -> Site {
    let site = Site::new();
    let messages: Vec<Vec<u8>> = (1..=MESSAGES).map(|number| made::message(number, "contract")).collect();
    files::write(&site.path("one.mbox"), made::mailbox(&messages));
    site.ingest(&[site.path("one.mbox").as_os_str()]).expect(0);
    files::write(&site.path("photo.jpg"), vec![7; 3 << 20]);
    // An exclusive set, so that a change of a tag is several events.
    site.run(&["tag", "set", "s", "--tag", "in", "--tag", "out", "--exclusive", "yes"])
        .expect(0);
    site.run(&["tag", "add", "in", "--query", "*"]).expect(0);
    site.run(&["batch", "create", "r", "--query", "*", "--size", "20"])
        .expect(0);
    site
}

/// What people listed: the whole of the facts.
fn facts(site: &Site) -> String {
    let mut all = String::new();
    for args in [
        &["journal", "--all", "--format", "jsonl"][..],
        &["tag", "list", "--format", "jsonl"],
        &["batch", "list", "--format", "jsonl"],
        &["exhibit", "list", "--format", "jsonl"],
    ] {
        for line in site.ok(args).text().lines() {
            let mut value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            for name in ["at", "at_micros", "created_at_micros", "created_at"] {
                value.as_object_mut().expect("an object").remove(name);
            }
            all.push_str(&format!("{value}\n"));
        }
    }
    all
}

fn killed(program: Program, step: &str, passage: u32) -> Ran {
    program.env("EMBLEY_FAILPOINT", format!("{step}:{passage}")).run()
}

#[test]
fn a_change_killed_at_any_step_is_whole_or_not_there() {
    let source = site();
    let photo = source.path("photo.jpg");
    let photo = photo.to_str().expect("UTF-8");
    let commands: [&[&str]; 5] = [
        &["tag", "add", "out", "--query", "*"],
        &["batch", "checkout"],
        &["exhibit", "add", "JS/1", "1", "2", "--found-by", "Jo", "--file", photo],
        &[
            "coding",
            "set",
            "1",
            "2",
            "--form",
            "relevance",
            "--answer",
            "relevance=relevant",
            "--answer",
            "privilege=no",
        ],
        &["tag", "undo", "1"],
    ];
    let before = facts(&source);
    let mut reached: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    let mut kills = 0;
    for args in commands {
        let whole = source.copy();
        whole.ok(args);
        let after = facts(&whole);
        assert_ne!(before, after, "{args:?} changes something");
        for step in FACT_NAMES {
            for passage in 1..=3 {
                let site = source.copy();
                let ran = killed(site.program(args), step, passage);
                if ran.signal != Some(SIGKILL) {
                    ran.expect(0);
                    break;
                }
                kills += 1;
                reached.insert(step);
                let left = facts(&site);
                let committed = *step == "fact-committed";
                assert_eq!(
                    left,
                    if committed { after.clone() } else { before.clone() },
                    "{args:?} killed at {step}:{passage}"
                );
                site.ok(&["verify", "--deep"]);
                if !committed {
                    site.ok(args);
                    assert_eq!(facts(&site), after, "{args:?} again after {step}:{passage}");
                    site.ok(&["verify", "--deep"]);
                }
            }
        }
    }
    assert_eq!(reached.len(), FACT_NAMES.len(), "every step is reached: {reached:?}");
    assert!(kills > 20, "{kills}");
}

#[test]
fn a_step_that_fails_is_named_and_nothing_is_half_done() {
    let source = site();
    let before = facts(&source);
    let photo = source.path("photo.jpg");
    let photo = photo.to_str().expect("UTF-8");
    for (args, steps) in [
        (
            &["tag", "add", "out", "--query", "*"][..],
            &["fact-begin", "fact-event", "fact-set", "fact-commit"][..],
        ),
        (&["batch", "checkout"], &["fact-batch"]),
        (
            &["exhibit", "add", "JS/1", "--file", photo],
            &["exhibit-copying", "exhibit-copied"],
        ),
    ] {
        for step in steps {
            let site = source.copy();
            let armed = site.program(args).env("EMBLEY_FAILPOINT", format!("{step}:1:error"));
            armed.run().expect(70).says(&[&format!("failpoint {step}")]);
            assert_eq!(facts(&site), before, "{args:?} failed at {step}");
        }
    }
}

#[test]
fn a_copy_that_was_begun_is_finished_by_the_same_command() {
    let site = site();
    let photo = site.path("photo.jpg");
    let args = ["exhibit", "add", "JS/1", "--file", photo.to_str().expect("UTF-8")];
    let ran = killed(site.program(&args), "exhibit-copying", 2);
    assert_eq!(ran.signal, Some(SIGKILL));
    site.ok(&["verify", "--deep"]);
    site.ok(&args);
    let shown = site.ok(&["exhibit", "show", "JS/1", "--format", "json"]).json();
    assert_eq!(shown["files"][0]["size"], 3 << 20);
    let read = site.ok(&["exhibit", "file", "JS/1", "1"]);
    assert_eq!(read.stdout, files::read(&photo));
    assert_eq!(files::entries(&site.case().join("originals/exhibits")).len(), 1);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn two_writers_at_once_leave_the_work_of_both() {
    let site = site();
    let running: Vec<_> = (1..=8)
        .map(|at| {
            let tag = format!("tag {}", at % 2);
            let item = at.to_string();
            site.program(&["tag", "add", &tag, &item]).start()
        })
        .collect();
    for one in running {
        one.wait().expect(0);
    }
    assert_eq!((site.count("tag:\"tag 0\""), site.count("tag:\"tag 1\"")), (4, 4));
    site.ok(&["verify", "--deep"]);
}
