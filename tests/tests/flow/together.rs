//! Same input, same answer: any number of threads, records before mail or after it.

use std::path::Path;

use embley_tests::site::same_text;
use embley_tests::{Site, made};

#[test]
fn one_two_and_five_threads_make_the_same_case() {
    let source = Site::bare();
    made::corpus(&source.path("made"), 2_500, 41);
    let mut first: Option<(String, String)> = None;
    for threads in ["1", "2", "5"] {
        let site = Site::new();
        let mail = source.path("made/mail");
        // Small ranges and segments, so that there is something to get out of order.
        let small = [
            "--test-range-bytes",
            "65536",
            "--test-segment-bytes",
            "2000000",
            "--test-checkpoint-bytes",
            "400000",
        ];
        let mut args = vec![
            mail.to_str().expect("UTF-8"),
            "--custodian-from-path",
            "1",
            "--threads",
            threads,
        ];
        args.extend(small);
        site.ingest(&args).expect(0);
        let now = (site.dump(), site.answers());
        let (dump, answers) = first.get_or_insert_with(|| now.clone());
        same_text(&format!("the case with {threads} threads"), dump, &now.0);
        same_text(&format!("answers with {threads} threads"), answers, &now.1);
    }
}

#[test]
fn sources_in_the_order_given_are_numbered_in_that_order() {
    let site = Site::new();
    for (name, number) in [("z.eml", 1), ("a.eml", 2)] {
        embley_tests::files::write(&site.path(name), made::message(number, &format!("xqnumber{number}")));
    }
    site.ingest(&[site.path("z.eml"), site.path("a.eml")]).expect(0);
    assert_eq!(site.hits("xqnumber1")[0]["item_no"], 1);
    assert_eq!(site.hits("xqnumber2")[0]["item_no"], 2);
}

fn import(site: &Site, records: &Path) {
    for name in ["person", "case", "role_appointment", "decision"] {
        let file = records.join(format!("{name}.jsonl"));
        site.ok(&["records".as_ref(), "import".as_ref(), file.as_os_str()]);
    }
}

/// Timelines of all cases as CSV, without item numbers: those follow the order of arrival.
fn timelines(site: &Site, cases: &[String]) -> String {
    let mut all = String::new();
    for case in cases {
        let document = site.ok(&["timeline", case, "--format", "json"]).json();
        let mut entries = document["entries"].clone();
        strip_numbers(&mut entries);
        all.push_str(&format!("== {case}\n"));
        for entry in entries.as_array().expect("entries") {
            all.push_str(&format!("{entry}\n"));
        }
    }
    all
}

/// Takes item numbers out, wherever they stand.
fn strip_numbers(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.retain(|name, _| !matches!(name.as_str(), "item_no" | "root" | "run"));
            members.values_mut().for_each(strip_numbers);
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(strip_numbers),
        _ => {}
    }
}

#[test]
fn mail_then_records_and_records_then_mail_give_the_same_timelines() {
    let source = Site::bare();
    let truth = made::corpus(&source.path("made"), 2_000, 42);
    let cases: Vec<String> = truth.cases.iter().map(|case| case.case_ref.clone()).collect();
    let mail = source.path("made/mail");
    let ingest = |site: &Site| {
        site.ingest(&[mail.as_os_str(), "--custodian-from-path".as_ref(), "1".as_ref()])
            .expect(0)
    };
    let (one, other) = (Site::new(), Site::new());
    ingest(&one);
    import(&one, &source.path("made/records"));
    import(&other, &source.path("made/records"));
    ingest(&other);
    let lines = timelines(&one, &cases);
    same_text("timelines", &lines, &timelines(&other, &cases));
    assert!(
        lines.lines().count() > 60,
        "the timelines hold next to nothing:\n{lines}"
    );
    for case in &truth.cases {
        for site in [&one, &other] {
            assert_eq!(
                site.count(&format!("case:\"{}\" AND type:email", case.case_ref)),
                case.messages,
                "{}",
                case.case_ref
            );
        }
    }
    let items = one.status()["totals"]["items"]["record"].as_u64().expect("a count");
    let records = &truth.records;
    assert_eq!(
        items,
        records.persons + records.cases + records.role_appointments + records.decisions
    );
    one.ok(&["verify", "--deep"]);
    other.ok(&["verify", "--deep"]);
    // The same records again: nothing new.
    import(&one, &source.path("made/records"));
    assert_eq!(one.status()["totals"]["items"]["record"], items);
    // And a new index knows them too.
    let before = one.answers();
    one.ok(&["reindex", "--progress", "none"]);
    same_text("answers after a new index", &before, &one.answers());
}
