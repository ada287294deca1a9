//! A log that was cut: a new one is begun behind it, which says so; the old one stays as it was found and is never called sound again.

use std::fs;

use embley_store::audit::{AuditReport, Checkpoint, Damage, Handover, VerifyOptions};

use crate::audit::{Bench, author, put};

/// Takes the last lines of the newest segment away.
fn cut(bench: &Bench, lines: usize) -> Vec<u8> {
    let path = bench.log().log_path();
    let whole = fs::read(&path).expect("a log");
    let all: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let left = all[..all.len() - lines].concat();
    put(&path, &left);
    left
}

fn refused(bench: &Bench) -> String {
    let error = bench
        .log()
        .intent("search", serde_json::Map::new(), author(900))
        .expect_err("refused");
    error.to_string()
}

/// What is found, where, and whether it is on record.
fn found(report: &AuditReport) -> Vec<(Damage, &str, bool)> {
    let file = |place: &'_ str| -> usize { place.find("audit/").unwrap_or(0) };
    let all = report.findings.iter();
    all.map(|one| {
        let place = &one.place[file(&one.place)..];
        (one.what, place.split(',').next().unwrap_or_default(), one.known)
    })
    .collect()
}

#[test]
fn a_log_that_was_cut_is_begun_again_and_stays_on_record_as_cut() {
    let bench = Bench::new();
    bench.work(0..4);
    let error = bench.log().restart("no need", author(50)).expect_err("it goes on");
    assert!(error.to_string().contains("can be continued"), "{error}");
    let left = cut(&bench, 2);
    assert!(refused(&bench).contains("audit restart"), "{}", refused(&bench));
    let made = bench
        .log()
        .restart("disk failed, no copy", author(60))
        .expect("begun again");
    assert_eq!(
        (
            made.segment,
            made.before.bytes,
            made.before.lines,
            made.before.seen_by_catalogue
        ),
        (2, left.len() as u64, 7, Some(9))
    );
    assert!(made.before.findings[0].starts_with("truncated: "), "{:?}", made.before);
    bench.work(10..13);
    let report = bench.verify();
    assert_eq!(found(&report), [(Damage::Truncated, "audit/log.jsonl", true)]);
    assert!(!report.is_sound());
    assert_eq!((report.entries, report.segments.len()), (1 + 6, 1));
    let first = &report.segments[0];
    assert_eq!(
        (
            first.file.as_str(),
            first.entries,
            first.findings_count,
            first.reason.as_str()
        ),
        ("audit/log.jsonl", 7, 1, "disk failed, no copy")
    );
    assert!(
        report.notes.iter().any(|note| note.contains("disk failed, no copy")),
        "{:?}",
        report.notes
    );
    assert_eq!(fs::read(bench.case().join("audit/log.jsonl")).expect("kept"), left);
    // Both are read.
    let mut lines = Vec::new();
    bench
        .log()
        .for_each(|line| {
            lines.push((line.segment, line.entry().expect("an entry").seq));
            Ok(())
        })
        .expect("read");
    assert_eq!(lines.len(), 7 + 7);
    assert_eq!((lines[6], lines[7], lines[13]), ((1, 6), (2, 0), (2, 6)));
    // The new one is as closely watched, and can be begun again in its turn.
    cut(&bench, 1);
    assert!(refused(&bench).contains("7 entries"), "{}", refused(&bench));
    bench.log().restart("again", author(70)).expect("begun again");
    bench.work(20..21);
    let report = bench.verify();
    assert_eq!(
        found(&report),
        [
            (Damage::Truncated, "audit/log.jsonl", true),
            (Damage::Truncated, "audit/0002/log.jsonl", true)
        ]
    );
    assert_eq!((report.entries, report.segments.len()), (3, 2));
}

#[test]
fn nothing_that_was_kept_can_be_changed_or_taken_away_unseen() {
    let bench = Bench::new();
    bench.work(0..4);
    let left = cut(&bench, 2);
    bench.log().restart("cut", author(60)).expect("begun again");
    bench.work(10..12);
    let (old, new) = (
        bench.case().join("audit/log.jsonl"),
        bench.case().join("audit/0002/log.jsonl"),
    );
    // More of the old one is cut off.
    put(&old, &left[..left.len() - 30]);
    let report = bench.verify();
    let all = found(&report);
    assert!(
        all.contains(&(Damage::Edited, "audit/0002/log.jsonl", false)),
        "{all:?}"
    );
    put(&old, &left);
    // A byte of the new one.
    let whole = fs::read(&new).expect("a log");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    put(&new, &changed);
    let report = bench.verify();
    let all = found(&report);
    assert!(
        all.contains(&(Damage::Edited, "audit/0002/log.jsonl", false)),
        "{all:?}"
    );
    // The first entry of the new one, which names the old one.
    let text = String::from_utf8(whole.clone()).expect("UTF-8");
    put(
        &new,
        text.replacen("\"reason\":\"cut\"", "\"reason\":\"ok!\"", 1).as_bytes(),
    );
    let all = bench.verify();
    assert!(
        found(&all).contains(&(Damage::Edited, "audit/0002/log.jsonl", false)),
        "{:?}",
        all.findings
    );
    put(&new, &whole);
    assert_eq!(found(&bench.verify()), [(Damage::Truncated, "audit/log.jsonl", true)]);
    // The new one is gone: the old one does not go on as if nothing had been.
    fs::rename(bench.case().join("audit/0002"), bench.case().join("gone")).expect("moved");
    assert!(refused(&bench).contains("audit/0002/log.jsonl"), "{}", refused(&bench));
    let all = bench.verify();
    assert!(
        found(&all).contains(&(Damage::Removed, "audit/0002/log.jsonl", false)),
        "{:?}",
        all.findings
    );
    let made = bench.log().restart("gone", author(80)).expect("begun again");
    assert_eq!(
        (made.segment, made.before.file.as_str(), made.before.bytes),
        (3, "audit/0002/log.jsonl", 0)
    );
    bench.work(30..31);
    let all = bench.verify();
    assert!(
        found(&all).contains(&(Damage::Removed, "audit/0002/log.jsonl", true)),
        "{:?}",
        all.findings
    );
    assert!(all.findings.iter().all(|one| one.known), "{:?}", all.findings);
}

#[test]
fn keys_are_handed_on_over_segments_and_checkpoints_do_not_mix() {
    let bench = Bench::new();
    bench.work(0..4);
    let (one, two) = (bench.key("one.pem"), bench.key("two.pem"));
    let first = bench
        .log()
        .checkpoint(&one, Handover::None, author(20))
        .expect("a checkpoint");
    bench.work(4..8);
    cut(&bench, 3);
    let made = bench.log().restart("cut", author(60)).expect("begun again");
    assert_eq!(made.before.checkpoint.as_ref(), Some(&first.note));
    bench.work(10..14);
    let error = bench
        .log()
        .checkpoint(&two, Handover::None, author(70))
        .expect_err("another key");
    assert!(error.to_string().contains("--old-key"), "{error}");
    let same = bench
        .log()
        .checkpoint(&one, Handover::None, author(71))
        .expect("a checkpoint");
    assert_eq!(same.replaced, None);
    let (before, now) = (first.note.lines().next(), same.note.lines().next());
    assert!(
        before != now && now.is_some_and(|origin| origin.ends_with("/segment/2")),
        "{now:?}"
    );
    let handover = Handover::Signed {
        old: &one,
        why: "new officer",
    };
    let last = bench
        .log()
        .checkpoint(&two, handover, author(72))
        .expect("a checkpoint");
    let kept = [&first.note, &same.note, &last.note].map(|note| Checkpoint::parse(note).expect("a checkpoint"));
    let options = VerifyOptions {
        outside: kept.to_vec(),
        key: Some(one.public()),
        ..VerifyOptions::default()
    };
    let report = bench.log().verify(&options).expect("a report");
    assert_eq!(
        found(&report),
        [(Damage::Truncated, "audit/log.jsonl", true)],
        "{:?}",
        report.findings
    );
    assert_eq!((report.checkpoints.len(), report.segments[0].checkpoints.len()), (2, 1));
    let (line, proof) = bench.log().prove(3).expect("a proof");
    assert!(proof.holds(line.as_bytes(), &one.public()));
    let (line, proof) = bench.log().of_segment(1).prove(3).expect("a proof");
    assert!(proof.holds(line.as_bytes(), &one.public()));
    // The checkpoint of another segment is not one of this.
    let copy = bench
        .case()
        .join(format!("audit/0002/checkpoints/{:012}.note", same.size));
    put(&copy, first.note.as_bytes());
    assert!(!bench.verify().findings.iter().all(|one| one.known));
}

/// Stopped while it was begun: the folder is there, the log is not, and the next try begins it.
#[test]
fn a_restart_that_was_stopped_is_none() {
    let bench = Bench::new();
    bench.work(0..4);
    cut(&bench, 2);
    fs::create_dir(bench.case().join("audit/0002")).expect("a folder");
    assert!(refused(&bench).contains("audit restart"), "{}", refused(&bench));
    assert_eq!(bench.log().restart("cut", author(60)).expect("begun again").segment, 2);
    bench.work(10..11);
}
