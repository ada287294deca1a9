//! The same words asked of the program and of an independent reader (Python's mailbox and email): the same sets of messages.
//!
//! What differs is held by `scripts/oracle/differential.py` to the rule of an RFC for that very word in that very message; a difference
//! without a rule fails, and so do differences in more than 0.1 % of the messages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use embley_tests::{Site, binary, corpora, made, oracle};
use serde_json::Value;

const WORDS: &str = "200";
const SEED: &str = "1";

/// Asks both about one folder, in a case of its own; returns what was compared. Containers and documents stay closed: the other reader opens none.
fn compare(folder: &Path) -> Value {
    let site = Site::new();
    site.ingest(&[folder.as_os_str(), "--no-open".as_ref()]).expect(0);
    let args = [
        "make".as_ref(),
        folder.as_os_str(),
        "--words".as_ref(),
        WORDS.as_ref(),
        "--seed".as_ref(),
        SEED.as_ref(),
    ];
    let (code, _, said) = oracle::ask("differential.py", &args, site.root(), "words.json");
    assert_eq!(code, 0, "{said}");
    let words = site.path("words.json");
    let args = [
        "compare".as_ref(),
        words.as_os_str(),
        "--case".as_ref(),
        site.case().as_os_str(),
        "--embley".as_ref(),
        binary().as_os_str(),
        // The share is judged over all sets together.
        "--tolerance".as_ref(),
        "1".as_ref(),
    ];
    let (code, report, said) = oracle::ask("differential.py", &args, site.root(), "report.json");
    assert_eq!(
        code,
        0,
        "{}: a difference that no rule covers\n{said}",
        folder.display()
    );
    assert_eq!(
        (&report["unexplained"], &report["messages_lost"]),
        (&0.into(), &0.into()),
        "{said}"
    );
    report
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("{name}: {report}"))
}

/// Panics unless at most one message in a thousand differs; names those that do.
fn judge(reports: &BTreeMap<String, Value>) -> u64 {
    let sum = |name: &str| reports.values().map(|report| number(report, name)).sum::<u64>();
    let (messages, differ) = (sum("messages"), sum("messages_that_differ"));
    let mut list = Vec::new();
    for (set, report) in reports {
        for one in report["list"].as_array().expect("a list") {
            list.push(format!(
                "{set}: {} {} {} {}",
                one["path"], one["side"], one["word"], one["rules"]
            ));
        }
    }
    assert!(
        differ * 1000 <= messages,
        "{differ} of {messages} messages differ\n{}",
        list.join("\n")
    );
    messages
}

#[test]
fn on_made_mail_both_find_the_same_messages() {
    let site = Site::bare();
    let truth = made::corpus(&site.path("made"), 3_000, 21);
    let report = compare(&site.path("made/mail"));
    let loose = truth.items.document;
    assert_eq!(
        (number(&report, "words"), number(&report, "items")),
        (200, truth.items.email_top + loose)
    );
    assert!(
        number(&report, "rare") >= 66 && number(&report, "pairs_agreed") > 5_000,
        "{report}"
    );
    judge(&BTreeMap::from([("made".to_owned(), report)]));
}

#[test]
fn on_third_party_mail_both_find_the_same_messages() {
    let Some(mail) = corpora::folder("mail") else { return };
    let site = Site::bare();
    corpora::unpack_mail(&mail, &site.path("mail"));
    let mut folders: Vec<(String, PathBuf)> = ["lists", "enron-inboxes", "spamassassin-public-corpus"]
        .iter()
        .map(|name| ((*name).to_owned(), site.path("mail").join(name)))
        .collect();
    folders.extend(
        ["mime", "bounces", "mbox", "threads"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), corpora::folder(name)?))),
    );
    assert_eq!(folders.len(), 7, "a part of the third-party mail is missing");
    // The largest first, on two threads.
    let left = Mutex::new(folders.into_iter());
    let reports = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = left.lock().expect("nobody panicked").next();
                    let Some((name, folder)) = next else { break };
                    let report = compare(&folder);
                    reports.lock().expect("nobody panicked").insert(name, report);
                }
            });
        }
    });
    let reports = reports.into_inner().expect("nobody panicked");
    assert!(
        judge(&reports) > 31_000,
        "29,642 messages of three sets, and some 2,200 samples"
    );
    for (name, report) in &reports {
        let words = number(report, "words");
        assert!(
            words == 200 && number(report, "rare") >= 66 || name == "threads" && words > 80,
            "{name}: {report}"
        );
    }
    for name in ["lists", "enron-inboxes"] {
        assert!(number(&reports[name], "pairs_agreed") > 100_000, "{name}");
    }
}
