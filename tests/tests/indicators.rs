//! Indicators and the dip sample, from outside.

use embley_tests::{Site, files};
use serde_json::Value;

const RECORDS: &str = r#"{"record_type":"case","source_system":"tribune","record_id":"CM/1/20","case_ref":"CM/1/20","case_type":"conduct_matter","schedule_3":false,"came_to_attention_at":"2020-03-02","opened_at":"2020-03-02"}
{"record_type":"person","source_system":"tribune","record_id":"P-1","person_id":"P-1","full_name":"Ian Vest"}
{"record_type":"role_appointment","source_system":"tribune","record_id":"R-1","case_ref":"CM/1/20","person_id":"P-1","role":"investigator","appointed_at":"2020-03-02"}
{"record_type":"role_appointment","source_system":"tribune","record_id":"R-2","case_ref":"CM/1/20","person_id":"P-2","role":"appropriate_authority_delegate","appointed_at":"2020-03-02"}
{"record_type":"decision","source_system":"tribune","record_id":"D-1","case_ref":"CM/1/20","decision_type":"severity_assessment","decided_at":"2020-03-10","decided_by":"P-1"}
"#;

const CORRECTED: &str = r#"{"record_type":"decision","source_system":"tribune","record_id":"D-1","case_ref":"CM/1/20","decision_type":"severity_assessment","decided_at":"2020-03-10","decided_by":"P-2"}
"#;

fn site() -> Site {
    let site = Site::new();
    import(&site, "records.jsonl", RECORDS);
    site
}

fn import(site: &Site, name: &str, text: &str) {
    files::write(&site.path(name), text);
    let path = site.path(name);
    let path = path.to_str().expect("a plain path");
    site.run(&["records", "import", path, "--mapping", "canonical"])
        .expect(0);
}

fn list(site: &Site, more: &[&str]) -> Value {
    let mut args = vec!["indicators", "--format", "json"];
    args.extend(more);
    site.ok(&args).json()
}

#[test]
fn an_indicator_is_raised_concluded_exported_and_gone_when_the_record_is_corrected() {
    let site = site();
    let first = list(&site, &[]);
    let one = &first["indicators"][0];
    assert_eq!(
        (first["indicators"].as_array().map(Vec::len), &one["rule"]),
        (Some(1), &"N2".into()),
        "{first}"
    );
    assert_eq!(
        (&one["state"], &one["draft"], &one["confidence"]),
        (&"new".into(), &true.into(), &"high".into())
    );
    assert!(
        one["items"][0].as_str().is_some_and(|id| id.starts_with("item:")),
        "{one}"
    );
    let id = one["id"].as_str().expect("an id").to_owned();

    site.run(&["indicators", "export"])
        .expect(2)
        .says(&["have no conclusion", &id]);
    let draft = site.ok(&["indicators", "export", "--draft"]).text().to_owned();
    assert!(draft.lines().all(|line| line.contains("\"draft\":true")), "{draft}");
    site.run(&["indicators", "conclude", &id, "--as", "finding", "--text", "x"])
        .expect(2);
    let short = &id[..14];
    site.run(&[
        "indicators",
        "conclude",
        short,
        "--as",
        "tasked_review",
        "--text",
        "see R1",
    ])
    .expect(0);
    let exported = site.ok(&["indicators", "export", "--format", "csv"]).text().to_owned();
    assert!(exported.contains("tasked_review: see R1"), "{exported}");

    let second = list(&site, &["cm/1/20", "--rule", "n2"]);
    assert_eq!(second["indicators"][0]["state"], "same");
    import(&site, "corrected.jsonl", CORRECTED);
    let third = list(&site, &["--keep"]);
    assert_eq!(third["gone"].as_array().map(Vec::len), Some(1), "{third}");
    // What makes the first one go is that the row was rewritten, and that is said.
    assert_eq!(
        (
            third["indicators"].as_array().map(Vec::len),
            &third["indicators"][0]["rule"]
        ),
        (Some(1), &"N9".into()),
        "{third}"
    );
    let told = third["indicators"][0]["for"][0].as_str().unwrap_or_default();
    assert!(told.starts_with("decided by \"P-1\" became \"P-2\" between "), "{told}");
    let runs = site.ok(&["indicators", "runs", "--format", "json"]).json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "--keep leaves no run");
}

#[test]
fn rules_of_a_folder_are_used_and_a_wrong_one_is_named() {
    let site = site();
    let rules = site.path("case/rules");
    std::fs::create_dir_all(&rules).expect("a folder is made");
    let built_in = include_str!("../../config/rules/indicators.toml");
    let line = |state: &str| format!("id = \"N2\"\nversion = 1\non = {state}\n");
    let off = built_in.replacen(&line("true"), &line("false"), 1);
    files::write(&rules.join("indicators.toml"), off);
    let ran = site
        .run(&["indicators", "--format", "json"])
        .expect(0)
        .says(&["N2: it is switched off"]);
    assert_eq!(ran.json()["indicators"].as_array().map(Vec::len), Some(0));
    files::write(
        &rules.join("indicators.toml"),
        built_in.replacen("version = 1", "version = \"x\"", 2),
    );
    site.run(&["indicators"])
        .expect(2)
        .says(&["indicators.toml", "version"]);
    site.run(&["indicators", "--rule", "N99"]).expect(2);
    site.run(&["indicators", "--rules", "nowhere"])
        .expect(2)
        .says(&["no such folder"]);
}

#[test]
fn a_dip_sample_is_drawn_again_by_its_seed() {
    let site = site();
    let draw = || {
        site.ok(&["dip-sample", "--size", "1", "--seed", "7", "--format", "json"])
            .json()
    };
    let one = draw();
    assert_eq!(one, draw());
    assert_eq!((&one["population"], &one["size"]), (&1.into(), &1.into()));
    assert_eq!(one["cases"][0]["checks"]["severity_assessment"], "on_record");
    assert_eq!(one["rates"]["severity_assessment"]["found"], 1);
    assert_eq!(one["cases"][0]["checks"]["notices_served"], "not_loaded");
    site.run(&["dip-sample", "--size", "0"]).expect(2).says(&["0 cases"]);
}

/// One message of an mbox that names the case.
fn mail(id: &str, day: u32, from: &str, headers: &str, body: &str) -> String {
    format!(
        "From x@y Thu Jan  1 00:00:00 1970\nMessage-ID: <{id}@example.org>\nFrom: {from}\nTo: Ann Lee <ann@example.org>\n\
         Date: {day:02} Mar 2020 10:00:00 +0000\nSubject: CM/1/20\n{headers}\n{body}\n\n"
    )
}

const SAID: &str = "I met the officer on Monday about the case.\nShe did not declare an interest in it,\nand the minutes of the meeting say so.";

#[test]
fn threads_of_the_case_show_missing_messages_and_altered_quotations() {
    let site = site();
    let (jo, kim) = ("Jo Smith <jo@example.org>", "Kim Park <kim@example.org>");
    let altered = SAID.replace('\n', "\n> ").replace("did not declare", "did declare");
    let chain = "References: <first@example.org> <lost@example.org>\n";
    let of_kim = [
        mail("first", 4, jo, "", SAID),
        mail(
            "second",
            5,
            kim,
            "In-Reply-To: <first@example.org>\n",
            &format!("I see.\n> {altered}"),
        ),
        mail("third", 6, kim, chain, "I agree with what you say there about it."),
        mail(
            "fourth",
            7,
            kim,
            chain,
            "On second thoughts I do not agree with any of that.",
        ),
    ];
    files::write(&site.path("kim.mbox"), of_kim.concat());
    let of_jo = [
        mail("before", 1, jo, "", "Lunch on Monday?"),
        mail("after", 20, jo, "", "Lunch on Tuesday?"),
    ];
    files::write(&site.path("jo.mbox"), of_jo.concat());
    for (name, custodian) in [("kim.mbox", "Kim Park"), ("jo.mbox", "Jo Smith")] {
        let path = site.path(name);
        site.ingest(&[path.to_str().expect("a plain path"), "--custodian", custodian])
            .expect(0);
    }
    let found = list(&site, &["CM/1/20", "--rule", "N13", "--rule", "N14"]);
    let all = found["indicators"].as_array().expect("a list");
    let said = |words: &str| {
        all.iter()
            .filter(|one| one["sentence"].as_str().is_some_and(|text| text.contains(words)))
            .count()
    };
    assert_eq!(said("refers to a message <lost@example.org>"), 1, "{found}");
    assert_eq!(
        said("with Jo Smith as sender, are held with others and not with Jo Smith"),
        1,
        "{found}"
    );
    assert_eq!(said("quotes item"), 1, "{found}");
    assert_eq!(all.len(), 3, "{found}");
    let quoted = all.iter().find(|one| one["rule"] == "N14").expect("there is one");
    assert!(
        quoted["for"][0]
            .as_str()
            .is_some_and(|text| text.contains("did declare")),
        "{quoted}"
    );
    assert!(all.iter().all(|one| {
        one["sentence"]
            .as_str()
            .is_some_and(|text| text.starts_with("In the material loaded, "))
    }));
    // An export that begins later is another scope of dates.
    let other = self::site();
    files::write(&other.path("kim.mbox"), of_kim.concat());
    files::write(&other.path("jo.mbox"), of_jo[1].clone());
    for (name, custodian) in [("kim.mbox", "Kim Park"), ("jo.mbox", "Jo Smith")] {
        let path = other.path(name);
        other
            .ingest(&[path.to_str().expect("a plain path"), "--custodian", custodian])
            .expect(0);
    }
    let found = list(&other, &["CM/1/20", "--rule", "N13", "--explained"]);
    let all = found["indicators"].as_array().expect("a list");
    let sender = all
        .iter()
        .find(|one| one["sentence"].as_str().is_some_and(|text| text.contains("as sender")));
    assert_eq!(sender.expect("there is one")["confidence"], "explained", "{found}");
}
