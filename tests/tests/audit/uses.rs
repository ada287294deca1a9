//! What the entries say, what they do not say, and what is made of them.

use embley_store::{Case, InitOptions};
use embley_tests::{Site, files, made};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::commands::entries;

fn with_mail() -> Site {
    let site = Site::new();
    for number in 1..4 {
        files::write(
            &site.path(&format!("mail/{number}.eml")),
            made::message(number, &format!("xqword{number}")),
        );
    }
    site.ingest(&[site.path("mail")]).expect(0);
    site
}

fn last_result(site: &Site) -> Value {
    entries(site).pop().expect("an entry")["event"]["result"].clone()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_search_is_recorded_by_its_query_counts_and_digest_and_never_by_text() {
    let site = with_mail();
    let ran = site
        .run(&["--user", "ann", "search", "xqword2", "--format", "json"])
        .expect(0);
    let result = last_result(&site);
    assert_eq!(result["search"]["query"], "xqword2");
    assert_eq!(
        (&result["search"]["hits"], &result["shown_sha256"]),
        (&1.into(), &sha256(&ran.stdout).into())
    );
    site.ok(&["show", "2", "--text"]);
    let body = String::from_utf8(made::message(2, "xqword2")).expect("UTF-8");
    let subject = body
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .expect("a subject");
    let log = String::from_utf8(files::read(&site.case().join("audit/log.jsonl"))).expect("UTF-8");
    assert!(!log.contains(subject), "the log holds text of an item");
    let history = site.ok(&["history", "--format", "json"]).json();
    assert_eq!(
        (&history["history"][0]["actor"], &history["history"][0]["hits"]),
        (&"ann".into(), &1.into())
    );
    assert_eq!(history["total"], 1);
}

#[test]
fn runs_certificates_and_spreadsheets_are_anchored_by_their_digests() {
    let site = with_mail();
    let run = entries(&site)
        .into_iter()
        .rev()
        .find(|entry| entry["event"]["result"]["run"].is_object());
    let run = run.expect("the outcome of the ingest")["event"]["result"]["run"].clone();
    assert_eq!((&run["id"], &run["sums"]["new"]), (&"run:0001".into(), &3.into()));
    let summary = files::read(&site.case().join("runs/000001/summary.json"));
    assert_eq!(run["record_sha256"]["summary.json"], sha256(&summary));
    let (key, out) = (site.path("key.pem"), site.path("out.json"));
    let (key, file) = (key.display().to_string(), out.display().to_string());
    site.ok(&["certificate", "xqword1", "--out", &file, "--key", &key]);
    assert_eq!(last_result(&site)["files"][0]["sha256"], sha256(&files::read(&out)));
    files::write(&site.path("terms.txt"), "xqword1\n");
    let (list, sheet) = (site.path("terms.txt").display().to_string(), site.path("t.xlsx"));
    let file = sheet.display().to_string();
    site.ok(&["terms", &list, "--xlsx", &file]);
    assert_eq!(last_result(&site)["files"][0]["sha256"], sha256(&files::read(&sheet)));
    let (page, label) = (site.path("page.html"), site.path("label.html"));
    site.ok(&["timeline", "C/1", "--html", &page.display().to_string()]);
    assert_eq!(last_result(&site)["files"][0]["sha256"], sha256(&files::read(&page)));
    site.ok(&[
        "exhibit",
        "add",
        "JS/1",
        "1",
        "--produced-by",
        "J Smith",
        "--description",
        "mail",
    ]);
    site.ok(&["exhibit", "label", "JS/1", "--out", &label.display().to_string()]);
    assert_eq!(last_result(&site)["files"][0]["sha256"], sha256(&files::read(&label)));
    site.ok(&["disclosure", "set", "unused", "1"]);
    let folder = site.path("mg6c").display().to_string();
    site.ok(&["schedule", "mg6c", "--issue", "--out", &folder, "--key", &key]);
    let result = last_result(&site);
    assert_eq!(
        result["manifest_sha256"],
        sha256(&files::read(&site.path("mg6c/manifest.sha256")))
    );
    assert_eq!(
        (&result["issued"]["serial"], &result["issued"]["entries"]),
        (&1.into(), &1.into())
    );
}

/// A reader that goes away takes neither the folder nor the verdict with it.
#[test]
fn what_nobody_reads_is_written_and_judged_all_the_same() {
    let site = with_mail();
    let key = site.path("key.pem").display().to_string();
    let folder = site.path("mg6d");
    site.program(&[
        "schedule",
        "mg6d",
        "--issue",
        "--out",
        &folder.display().to_string(),
        "--key",
        &key,
        "--format",
        "json",
    ])
    .run_unread()
    .expect(0);
    assert_eq!(
        last_result(&site)["manifest_sha256"],
        sha256(&files::read(&folder.join("manifest.sha256")))
    );
    let path = site.case().join("audit/log.jsonl");
    let log = String::from_utf8(files::read(&path)).expect("UTF-8");
    files::write(&path, log.replacen("tester", "nobody", 1));
    for command in [
        &["audit", "verify", "--format", "json"][..],
        &["verify", "--format", "json"],
    ] {
        site.program(command).run_unread().expect(1);
    }
}

#[test]
fn what_fails_and_what_is_refused_is_recorded_with_its_reason() {
    let site = with_mail();
    site.run(&["search", "broken AND"]).expect(2);
    let failed = entries(&site).pop().expect("an entry");
    assert_eq!(
        (&failed["event"]["outcome"], &failed["event"]["code"]),
        (&"failed".into(), &2.into())
    );
    assert!(
        failed["event"]["result"]["why"]
            .as_str()
            .is_some_and(|why| !why.is_empty()),
        "{failed}"
    );
    let inside = site.case().join("key.pem").display().to_string();
    site.run(&["audit", "checkpoint", "--key", &inside])
        .expect(2)
        .says(&["inside the case folder"]);
    assert_eq!(entries(&site).pop().expect("an entry")["event"]["outcome"], "refused");
    let list = |args: &[&str]| {
        let all = [&["audit", "list", "--format", "json"], args].concat();
        site.ok(&all).json()["entries"].as_array().expect("rows").clone()
    };
    assert_eq!(list(&["--command", "search"]).len(), 1);
    assert_eq!(list(&["--command", "audit checkpoint"])[0]["ended"], "refused");
    assert_eq!(list(&["--who", "nobody"]).len(), 0);
    assert!(list(&["--command", "audit", "--limit", "2"]).len() == 2);
    let at = list(&["--command", "ingest"])[0]["at"]
        .as_str()
        .expect("a time")
        .to_owned();
    assert_eq!(list(&["--from", &at, "--to", &at])[0]["command"], "ingest");
    assert_eq!(list(&["--to", "2001-01-01"]).len(), 0);
    assert!(list(&["--from", &at[..10]]).len() > 2);
    site.run(&["audit", "list", "--from", "tomorrow"])
        .expect(2)
        .says(&["neither a day"]);
}

#[test]
fn a_changed_log_is_named_by_audit_verify_and_by_verify() {
    let site = with_mail();
    let path = site.case().join("audit/log.jsonl");
    let log = String::from_utf8(files::read(&path)).expect("UTF-8");
    files::write(&path, log.replacen("tester", "nobody", 1));
    let report = site.run(&["audit", "verify", "--format", "json"]).expect(1).json();
    assert_eq!(
        (&report["findings"][0]["what"], &report["findings"][0]["entry"]),
        (&"edited".into(), &0.into())
    );
    let report = site.run(&["verify", "--format", "json"]).expect(1).json();
    assert_eq!(report["findings"][0]["thing"], "audit log");
    let now = String::from_utf8(files::read(&path)).expect("UTF-8");
    files::write(&path, now.replacen("nobody", "tester", 1));
    site.ok(&["verify"]);
    // A log that was cut is not continued, but it is checked, and the answer says that this was not recorded.
    let whole = files::read(&path);
    files::write(&path, &whole[..whole.len() - 10]);
    site.run(&["search", "xqword1"])
        .expect(5)
        .says(&["the catalogue has seen"]);
    let ran = site.run(&["audit", "verify", "--format", "json"]).expect(1);
    let report = ran.json();
    assert_eq!(
        (&report["findings"][0]["what"], &report["recorded"]),
        (&"truncated".into(), &false.into())
    );
    ran.says(&["cannot be continued", "not recorded"]);
    assert_eq!(
        site.run(&["search", "xqword1", "--count", "--no-audit"])
            .expect(0)
            .text(),
        "1\n"
    );
    files::write(&path, whole);
    assert_eq!(site.count("xqword1"), 1);
}

#[test]
fn an_older_state_of_the_case_is_told_by_a_checkpoint_kept_elsewhere_only() {
    let site = with_mail();
    let before = site.copy();
    let key = site.path("key.pem").display().to_string();
    let kept = site.path("kept.note");
    files::write(&kept, site.ok(&["audit", "checkpoint", "--key", &key]).stdout);
    let kept = kept.display().to_string();
    site.ok(&["audit", "verify", "--checkpoint", &kept]);
    let report = before
        .run(&["audit", "verify", "--checkpoint", &kept, "--format", "json"])
        .expect(1)
        .json();
    assert_eq!(report["findings"][0]["what"], "truncated", "{report}");
}

#[test]
fn others_prove_an_entry_without_this_program() {
    let site = with_mail();
    let key = site.path("key.pem").display().to_string();
    site.ok(&["audit", "checkpoint", "--key", &key]);
    let proof = String::from_utf8(site.ok(&["audit", "prove", "1"]).stdout).expect("UTF-8");
    let lines: Vec<&str> = proof.lines().collect();
    assert_eq!(&lines[..2], ["c2sp.org/tlog-proof@v1", "index 1"]);
    let size: u64 = site
        .ok(&["audit", "list", "--command", "checkpoint", "--format", "json"])
        .json()["entries"][0]["event"]["size"]
        .as_u64()
        .expect("a size");
    let path = lines.iter().skip(2).take_while(|line| !line.is_empty()).count();
    assert!(path >= 2 && proof.contains(&format!("\n{size}\n")), "{proof}");
    let size = size.to_string();
    let growth = site.ok(&["audit", "prove", "--old", "1", "--new", &size]);
    assert!(growth.text().lines().count() > 1, "{growth:?}");
    site.run(&["audit", "prove", "99999"]).expect(2).says(&["entry 99999"]);
}

#[test]
fn a_case_made_before_there_was_a_log_begins_one_with_its_next_command() {
    let site = with_mail();
    files::remove(&site.case().join("audit"));
    // Its catalogue knows of a log, so it is not taken for an older case.
    site.run(&["status"]).expect(5).says(&["the catalogue has seen"]);
    let older = Site::bare();
    let options = InitOptions {
        name: "Older".to_owned(),
        reference: String::new(),
        zone: String::new(),
        at_micros: 1_600_000_000_000_000,
    };
    Case::init(older.case(), &options).expect("a case");
    older.ok(&["status"]);
    let all = entries(&older);
    assert_eq!(all[0]["event"]["kind"], "begin");
    assert_eq!(all[1]["event"]["command"], "status");
    older.ok(&["audit", "verify"]);
}
