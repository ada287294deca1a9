//! Sources again: nothing new, something added, changed or gone; custodians, exclusions and manifests.

use embley_tests::{Site, files, made};
use serde_json::{Value, json};

/// The sums of the last run that a second look changes.
fn sums(site: &Site) -> Value {
    let run = site.last_run();
    json!({
        "discovered": run["discovered"], "new": run["new"], "duplicate": run["duplicate"], "unchanged": run["unchanged"],
        "excluded": run["excluded"], "excepted": run["excepted"], "instances": run["instances"],
    })
}

fn expected(outcome: [u64; 5], instances: u64) -> Value {
    let [new, duplicate, unchanged, excluded, excepted] = outcome;
    json!({
        "discovered": outcome.iter().sum::<u64>(), "new": new, "duplicate": duplicate, "unchanged": unchanged,
        "excluded": excluded, "excepted": excepted, "instances": instances,
    })
}

#[test]
fn a_second_run_finds_nothing_new() {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), 1_500, 31);
    let mail = site.path("made/mail");
    site.ingest(&[&mail]).expect(0);
    let before = site.dump_of_evidence();
    site.ingest(&[&mail])
        .expect(0)
        .says(&["unchanged files were told by size, time and inode"]);
    assert_eq!(sums(&site), expected([0, 0, truth.messages, 0, 0], truth.messages));
    embley_tests::site::same_text("the case", &before, &site.dump_of_evidence());
}

#[test]
fn reading_every_byte_again_finds_nothing_new_either() {
    let site = Site::new();
    let truth = made::corpus(&site.path("made"), 800, 32);
    let mail = site.path("made/mail");
    site.ingest(&[&mail]).expect(0);
    let items = site.count("*");
    site.ingest(&[mail.as_os_str(), "--rehash".as_ref()])
        .expect(0)
        .says(&["all sums close"]);
    let run = site.last_run();
    assert_eq!(
        (&run["new"], &run["discovered"]),
        (&json!(0), &json!(truth.messages)),
        "{run}"
    );
    assert_eq!(run["unchanged"], truth.messages, "{run}");
    assert_eq!(site.count("*"), items);
    assert!(
        run["bytes"].as_u64() > Some(1_000_000),
        "the bytes were not read: {run}"
    );
}

#[test]
fn what_was_added_to_a_mailbox_is_new_and_the_rest_is_unchanged() {
    let site = Site::new();
    let inbox = site.path("inbox.mbox");
    let messages: Vec<Vec<u8>> = (0..50).map(|number| made::message(number, "xqfirst")).collect();
    files::write(&inbox, made::mailbox(&messages));
    site.ingest(&[&inbox]).expect(0);
    assert_eq!(sums(&site), expected([50, 0, 0, 0, 0], 50));
    let more: Vec<Vec<u8>> = (50..57).map(|number| made::message(number, "xqsecond")).collect();
    files::append(&inbox, &made::mailbox(&more));
    files::append(&inbox, &made::entry(&messages[3]));
    site.ingest(&[&inbox]).expect(0);
    let run = sums(&site);
    assert_eq!((&run["new"], &run["discovered"]), (&json!(7), &json!(58)), "{run}");
    assert_eq!(site.count("xqsecond"), 7);
    assert_eq!(site.count("xqfirst"), 50);
}

#[test]
fn a_changed_file_is_a_new_version_and_a_vanished_one_is_kept_and_marked() {
    let site = Site::new();
    let mail = site.path("mail");
    for number in 0..6 {
        files::write(
            &mail.join(format!("{number}.eml")),
            made::message(number, &format!("xqold{number}")),
        );
    }
    files::write(&mail.join("sub/gone.eml"), made::message(9, "xqfolder"));
    site.ingest(&[&mail]).expect(0);
    files::write(&mail.join("2.eml"), made::message(2, "xqnew"));
    files::remove(&mail.join("4.eml"));
    files::remove(&mail.join("sub"));
    site.ingest(&[&mail])
        .expect(0)
        .says(&["2 files that were there before are gone; their items are kept"]);
    let run = sums(&site);
    assert_eq!(
        (&run["new"], &run["unchanged"], &run["discovered"]),
        (&json!(1), &json!(4), &json!(5)),
        "{run}"
    );
    for word in ["xqold2", "xqnew", "xqold4", "xqfolder"] {
        assert_eq!(site.count(word), 1, "{word}");
    }
    assert!(site.dump().contains("absent Some("), "no file is marked");
    // It comes back: again a version of its own, and its bytes are known.
    files::write(&mail.join("4.eml"), made::message(4, "xqold4"));
    site.ingest(&[&mail]).expect(0);
    assert_eq!(sums(&site)["new"], 0);
    assert_eq!(site.count("xqold4"), 1);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn a_source_under_another_custodian_is_refused_unless_reassigned() {
    let site = Site::new();
    let inbox = site.path("inbox.mbox");
    files::write(&inbox, made::mailbox(&[made::message(1, "xqone")]));
    site.ingest(&[inbox.as_os_str(), "--custodian".as_ref(), "Ash".as_ref()])
        .expect(0);
    let before = site.dump();
    site.ingest(&[inbox.as_os_str(), "--custodian".as_ref(), "Rowan".as_ref()])
        .expect(2)
        .says(&["another custodian", "Ash", "--reassign"]);
    embley_tests::site::same_text("a refusal changes nothing", &before, &site.dump());
    site.ingest(&[
        inbox.as_os_str(),
        "--custodian".as_ref(),
        "Rowan".as_ref(),
        "--reassign".as_ref(),
    ])
    .expect(0);
    assert_eq!(site.count("custodian:Rowan"), 1);
    assert_eq!(
        site.count("custodian:Ash"),
        0,
        "reassigned means that it is no longer the other one's"
    );
    assert_eq!(site.count("xqone"), 1);
}

#[test]
fn the_same_mail_of_two_custodians_is_one_item_that_both_hold() {
    let site = Site::new();
    for name in ["a.mbox", "b.mbox"] {
        files::write(&site.path(name), made::mailbox(&[made::message(1, "xqshared")]));
    }
    site.ingest(&[site.path("a.mbox").as_os_str(), "--custodian".as_ref(), "Ash".as_ref()])
        .expect(0);
    site.ingest(&[
        site.path("b.mbox").as_os_str(),
        "--custodian".as_ref(),
        "Rowan".as_ref(),
    ])
    .expect(0);
    assert_eq!(sums(&site), expected([0, 1, 0, 0, 0], 2));
    let hits = site.hits("xqshared");
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0]["custodians"], json!(["Ash", "Rowan"]));
    assert_eq!(hits[0]["instances"], 2);
    assert_eq!((site.count("custodian:Ash"), site.count("custodian:Rowan")), (1, 1));
    for (scope, count) in [("global", "1"), ("custodian", "2"), ("instance", "2")] {
        let ran = site.ok(&["search", "xqshared", "--count", "--scope", scope]);
        assert_eq!(ran.text().trim(), count, "{scope}");
    }
}

#[test]
fn what_a_glob_leaves_out_is_counted_as_excluded() {
    let site = Site::new();
    let mail = site.path("mail");
    for name in ["keep/1.eml", "keep/2.eml", "junk/3.eml", "junk/deep/4.eml", "5.tmp"] {
        let number = name
            .bytes()
            .find(u8::is_ascii_digit)
            .map_or(0, |digit| u32::from(digit - b'0'));
        files::write(&mail.join(name), made::message(number, &format!("xqnumber{number}")));
    }
    site.ingest(&[
        mail.as_os_str(),
        "--exclude".as_ref(),
        "junk/**".as_ref(),
        "--exclude".as_ref(),
        "*.tmp".as_ref(),
    ])
    .expect(0);
    assert_eq!(sums(&site), expected([2, 0, 0, 3, 0], 2));
    assert_eq!(site.count("xqnumber3 OR xqnumber4 OR xqnumber5"), 0);
    assert_eq!(site.count("xqnumber1 OR xqnumber2"), 2);
}

#[test]
fn known_hashes_are_left_out_and_counted() {
    use sha2::{Digest, Sha256};
    let site = Site::new();
    let mail = site.path("mail");
    let known = made::message(1, "xqknown");
    files::write(&mail.join("1.eml"), &known);
    files::write(&mail.join("2.eml"), made::message(2, "xqunknown"));
    let hash: String = Sha256::digest(&known)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let list = site.path("known.txt");
    files::write(&list, format!("{hash}\n"));
    site.ingest(&[mail.as_os_str(), "--known-hashes".as_ref(), list.as_os_str()])
        .expect(0);
    assert_eq!(sums(&site), expected([1, 0, 0, 1, 0], 1));
    assert_eq!((site.count("xqknown"), site.count("xqunknown")), (0, 1));
}

#[test]
fn a_manifest_takes_in_a_batch_of_exports() {
    let site = Site::new();
    files::write(
        &site.path("exports/a.mbox"),
        made::mailbox(&[made::message(1, "xqalpha")]),
    );
    files::write(
        &site.path("exports/b.mbox"),
        made::mailbox(&[made::message(2, "xqbeta"), made::message(3, "xqgamma")]),
    );
    let manifest = site.path("exports/list.csv");
    files::write(
        &manifest,
        "path,custodian,label\na.mbox,Ash,first export\nb.mbox,Rowan,\n",
    );
    site.ingest(&["--manifest".as_ref(), manifest.as_os_str()]).expect(0);
    assert_eq!(sums(&site), expected([3, 0, 0, 0, 0], 3));
    assert_eq!((site.count("custodian:Ash"), site.count("custodian:Rowan")), (1, 2));
    assert_eq!(
        (site.count("source:\"first export\""), site.count("source:\"b.mbox\"")),
        (1, 2)
    );
    files::write(&manifest, "path,custodian,label\na.mbox\n");
    site.ingest(&["--manifest".as_ref(), manifest.as_os_str()])
        .expect(2)
        .says(&["manifest", "row 2"]);
}

#[test]
fn custodians_come_from_the_path_when_asked_for() {
    let site = Site::new();
    let mail = site.path("export/2020");
    for (path, number) in [("Ash/inbox.mbox", 1), ("Rowan/inbox.mbox", 2), ("loose.eml", 3)] {
        let message = made::message(number, &format!("xqnumber{number}"));
        files::write(
            &mail.join(path),
            if path.ends_with("mbox") {
                made::mailbox(&[message])
            } else {
                message
            },
        );
    }
    site.ingest(&[
        site.path("export").as_os_str(),
        "--custodian-from-path".as_ref(),
        "2".as_ref(),
    ])
    .expect(0);
    for (custodian, word) in [("Ash", "xqnumber1"), ("Rowan", "xqnumber2")] {
        assert_eq!(
            site.hits(&format!("custodian:{custodian}"))[0]["subject"],
            format!("note {}", &word[8..])
        );
    }
}
