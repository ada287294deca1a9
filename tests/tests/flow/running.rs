//! While an ingest runs: progress, a stop, a lost entry, and other people's work.

use embley_tests::site::same_text;
use embley_tests::{Running, Site, made};
use rustix::process::Signal;
use serde_json::Value;

const MESSAGES: u64 = 2_000;

/// An ingest with small checkpoints that is halted when the pack has been synced for the third time.
fn halted(site: &Site, mail: &std::path::Path) -> Running {
    let path = mail.to_str().expect("UTF-8");
    let args = [
        "ingest",
        path,
        "--progress",
        "json",
        "--threads",
        "2",
        "--test-range-bytes",
        "65536",
        "--test-checkpoint-bytes",
        "500000",
        "--test-segment-bytes",
        "1000000",
    ];
    let mut running = site.program(&args).env("EMBLEY_FAILPOINT", "pack-sync:3:stop").start();
    running.wait_until_halted();
    running
}

fn undisturbed(mail: &std::path::Path) -> Site {
    let site = Site::new();
    site.ingest(&[mail.to_str().expect("UTF-8"), "--test-range-bytes", "65536"])
        .expect(0);
    site
}

#[test]
fn ctrl_c_ends_with_130_and_the_same_command_finishes_to_the_same_case() {
    let source = Site::bare();
    made::corpus(&source.path("made"), MESSAGES, 51);
    let mail = source.path("made/mail");
    let site = Site::new();
    let running = halted(&site, &mail);
    running.signal(Signal::INT);
    running.signal(Signal::CONT);
    let ran = running
        .wait()
        .expect(130)
        .says(&["stopped after the batch in hand; run the same command again to go on"]);
    let last: Value = ran
        .stderr
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .expect("a line of progress");
    let taken = last["progress"]["new"].as_u64().expect("a count");
    assert!(
        taken > 0 && taken < MESSAGES,
        "{taken} of {MESSAGES} were taken in before the stop"
    );
    assert_eq!(site.last_run()["state"], "stopped");
    assert!(site.count("*") > 0, "what is in can be searched");
    site.ok(&["verify"]);
    site.ingest(&[mail.to_str().expect("UTF-8"), "--test-range-bytes", "65536"])
        .expect(0)
        .says(&["went on where it had stopped"]);
    let whole = undisturbed(&mail);
    same_text("the case", &whole.dump(), &site.dump());
    same_text("answers", &whole.answers(), &site.answers());
}

#[test]
fn another_command_finishes_a_stopped_run_first() {
    let source = Site::bare();
    let truth = made::corpus(&source.path("made"), MESSAGES, 52);
    let mail = source.path("made/mail");
    let site = Site::new();
    let running = halted(&site, &mail);
    running.signal(Signal::INT);
    running.signal(Signal::CONT);
    running.wait().expect(130);
    let extra = source.path("extra.eml");
    embley_tests::files::write(&extra, made::message(1, "xqextra"));
    site.ingest(&[&extra]).expect(0);
    let status = site.status();
    let runs = status["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 2, "{status}");
    assert!(
        runs.iter().all(|run| run["state"] == "done" && run["balanced"] == true),
        "{status}"
    );
    assert_eq!(runs[0]["discovered"], truth.messages);
    assert_eq!(site.count("xqextra"), 1);
}

#[test]
fn tags_exhibits_and_searches_work_while_an_ingest_runs() {
    let source = Site::bare();
    let truth = made::corpus(&source.path("made"), MESSAGES, 53);
    let mail = source.path("made/mail");
    let site = Site::new();
    let first = source.path("first.eml");
    embley_tests::files::write(&first, made::message(1, "xqfirst"));
    site.ingest(&[&first]).expect(0);
    let mut running = halted(&site, &mail);
    assert_eq!(site.count("xqfirst"), 1);
    site.ok(&["tag", "add", "urgent", "--query", "xqfirst"])
        .says(&["1 items tagged"]);
    site.ok(&["exhibit", "add", "AB/1", "1", "--produced-by", "Ash Birch"]);
    site.ok(&["exhibit", "link", "AB/1", "PSD/2020/0001"]);
    assert_eq!(site.count("tag:urgent AND exhibit:\"AB/1\""), 1);
    assert_eq!(site.hits("xqfirst")[0]["tags"], serde_json::json!(["urgent"]));
    site.ok(&["show", "1", "--raw"]);
    site.ok(&["status"]);
    site.run(&["ingest", mail.to_str().expect("UTF-8")])
        .expect(6)
        .says(&["in use", "ingest"]);
    site.run(&["reindex"]).expect(6).says(&["in use"]);
    assert!(
        running.goes_on(),
        "the ingest ended too early to have been beside the others"
    );
    running.signal(Signal::CONT);
    running.wait().expect(0);
    assert_eq!(site.count("tag:urgent AND exhibit:\"AB/1\""), 1);
    let run = site.last_run();
    assert_eq!(run["discovered"], truth.messages);
    site.ok(&["tag", "remove", "urgent", "--query", "xqfirst"]);
    assert_eq!(site.count("tag:urgent"), 0);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn an_entry_lost_behind_the_splitter_makes_the_run_fail_by_name() {
    let source = Site::bare();
    made::corpus(&source.path("made"), 600, 54);
    let site = Site::new();
    let ran = site.ingest(&[
        source.path("made/mail").to_str().expect("UTF-8"),
        "--test-lose-entry",
        "2",
    ]);
    ran.expect(5).says(&["run:0001", "do not close", "discovered"]);
    let run = site.last_run();
    assert_eq!(
        (&run["state"], &run["balanced"]),
        (&Value::from("failed"), &Value::from(false)),
        "{run}"
    );
}

#[test]
fn progress_as_json_counts_up_to_what_the_run_reports() {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), 1_000, 55);
    let mail = site.path("made/mail");
    let ran = site
        .run(&[
            "ingest".as_ref(),
            mail.as_os_str(),
            "--progress".as_ref(),
            "json".as_ref(),
        ])
        .expect(0);
    let lines: Vec<Value> = ran
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let last = &lines.last().expect("at least one line")["progress"];
    assert_eq!(
        (&last["discovered"], &last["new"]),
        (&truth.messages.into(), &truth.distinct_messages.into())
    );
    let counts: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["progress"]["discovered"].as_u64())
        .collect();
    assert!(counts.is_sorted(), "{counts:?}");
}
