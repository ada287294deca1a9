//! Records of case systems by field map, changed decisions, people, from outside.

use embley_tests::{Site, corpora, files};
use serde_json::Value;

const MAP: &str = r#"
format = 2
name = "sample"
about = "A sample."
source_system = "sample"
zone = "Europe/London"
dates = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
[words.finding]
SU = "sustained"
NS = "not sustained"
[[input]]
name = "accused"
files = ["accused*"]
[[input.record]]
type = "party"
id = "{Row}-party"
[input.record.fields]
case_ref = "CM/{Case}/19"
person_id = "Officer"
capacity = { value = "officer_concerned" }
[[input.record]]
type = "decision"
id = "{Row}-recommended"
when = [{ any = ["Recommended"] }]
[input.record.fields]
case_ref = "CM/{Case}/19"
decision_type = { value = "misconduct_outcome" }
subject_person_ids = "Officer"
outcome = { from = "Recommended", words = "finding" }
[[input.record]]
type = "decision"
id = "{Row}-final"
when = [{ any = ["Final"] }]
[input.record.fields]
case_ref = "CM/{Case}/19"
decision_type = { value = "misconduct_outcome" }
subject_person_ids = "Officer"
outcome = { from = "Final", words = "finding" }
decided_at = "When"
supersedes_decision_id = "{Row}-recommended"
"#;

const ROWS: &str = "Row,Case,Officer,Recommended,Final,When,Remark\n\
    1,7,P-1,SU,NS,04/03/2019 10:30,chrysanthemum\n\
    2,7,P-2,NS,NS,05/03/2019,\n\
    3,8,P-1,SU,QQ,soon,\n\
    ,9,P-1,SU,NS,05/03/2019,\n\
    5,9,P-3,,,,\n";

fn sample(site: &Site) -> (String, String) {
    files::write(&site.path("sample.toml"), MAP);
    files::write(&site.path("accused.csv"), ROWS);
    let text = |name: &str| site.path(name).to_string_lossy().into_owned();
    (text("sample.toml"), text("accused.csv"))
}

fn of_type<'v>(report: &'v Value, word: &str) -> &'v Value {
    &report["types"][word]
}

#[test]
fn a_dry_run_says_what_maps_to_what_and_writes_nothing() {
    let site = Site::new();
    let (map, rows) = sample(&site);
    let told = site
        .run(&[
            "records",
            "import",
            &rows,
            "--mapping",
            &map,
            "--dry-run",
            "--format",
            "json",
        ])
        .expect(3)
        .says(&[
            "dry run: nothing was written",
            "row 5: the id is made of Row, which is empty",
        ])
        .json();
    let run = &told["dry_runs"][0];
    let column = |name: &str| {
        let columns = run["columns"].as_array().expect("columns");
        columns
            .iter()
            .find(|one| one["column"] == name)
            .expect("the column")
            .clone()
    };
    assert_eq!(column("Remark")["fills"], serde_json::json!([]));
    assert_eq!(column("Remark")["samples"], serde_json::json!(["chrysanthemum"]));
    let fills = column("Final")["fills"].to_string();
    assert!(fills.contains("decision.outcome"), "{fills}");
    assert_eq!(run["report"]["unknown_words"]["finding"]["QQ"], 1);
    assert_eq!(run["report"]["unmapped_columns"], serde_json::json!(["Remark"]));
    assert_eq!(run["report"]["unread_fields"]["decided_at"], 1);
    assert_eq!(site.ok(&["records", "list", "--format", "json"]).json()["total"], 0);
}

#[test]
fn one_row_gives_several_records_and_a_second_import_changes_what_changed() {
    let site = Site::new();
    let (map, rows) = sample(&site);
    let import = ["records", "import", rows.as_str(), "--mapping", map.as_str()];
    let report = site.run(&import).expect(3).json()["import"].clone();
    assert_eq!((&report["rows"], &report["due"]), (&5.into(), &13.into()));
    let decisions = of_type(&report, "decision");
    assert_eq!(
        (
            &decisions["due"],
            &decisions["new"],
            &decisions["excepted"],
            &decisions["not_due"]
        ),
        (&8.into(), &6.into(), &2.into(), &2.into())
    );
    assert_eq!(of_type(&report, "party")["new"], 4);

    // Columns that no rule reads are searched like all others.
    let hits = site.ok(&["search", "chrysanthemum", "--count"]).text().to_owned();
    assert_eq!(hits.trim(), "3");
    let timeline = site.ok(&["timeline", "CM/7/19", "--format", "json"]).json();
    let entries = timeline["entries"].as_array().expect("entries");
    assert!(
        entries.len() >= 4 && timeline["undated"].as_u64() < Some(entries.len() as u64),
        "{timeline}"
    );

    files::write(
        &site.path("accused.csv"),
        ROWS.replace("2,7,P-2,NS,NS", "2,7,P-2,NS,SU"),
    );
    let again = site.run(&import).expect(3).json()["import"].clone();
    assert_eq!(of_type(&again, "decision")["updated"], 2, "{again}");
    assert_eq!(of_type(&again, "party")["updated"], 1);
    assert_eq!((&again["new"], &again["unchanged"]), (&0.into(), &7.into()));
    let third = site.run(&import).expect(3).json()["import"].clone();
    assert_eq!((&third["updated"], &third["unchanged"]), (&0.into(), &10.into()));
    site.ok(&["verify"]);
}

#[test]
fn recommended_and_final_findings_are_compared() {
    let site = Site::new();
    let (map, rows) = sample(&site);
    site.run(&["records", "import", &rows, "--mapping", &map]).expect(3);
    let found = site
        .run(&["records", "changes", "--changed", "--format", "json"])
        .expect(0)
        .says(&["3 pairs = 1 same + 2 outcome changed"])
        .json();
    let pairs = found["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), 2);
    assert_eq!(pairs[0]["earlier"]["outcome"], "sustained");
    assert_eq!(
        (&pairs[0]["later"]["outcome"], &pairs[0]["link"]),
        (&"not sustained".into(), &"said".into())
    );
    let counts = site
        .ok(&["records", "changes", "--counts", "--format", "csv"])
        .text()
        .to_owned();
    assert!(counts.contains("sustained,not sustained,1"), "{counts}");
    let none = site.ok(&[
        "records",
        "changes",
        "--type",
        "severity_assessment",
        "--format",
        "json",
    ]);
    assert_eq!(none.json()["sums"]["decisions"], 0);
}

#[test]
fn a_map_that_fits_no_file_names_its_inputs() {
    let site = Site::new();
    let (map, _) = sample(&site);
    files::write(
        &site.path("sample.toml"),
        format!("{MAP}\n[[input]]\nname = \"other\"\n[[input.record]]\ntype = \"case\"\nid = \"A\"\nfields = {{}}\n"),
    );
    files::write(&site.path("x.csv"), "A\n1\n");
    let file = site.path("x.csv").to_string_lossy().into_owned();
    site.run(&["records", "import", &file, "--mapping", &map])
        .expect(2)
        .says(&["no input has the file name", "accused (accused*)", "--input"]);
    site.ok(&["records", "import", &file, "--mapping", &map, "--input", "other"]);
    let maps = site.ok(&["records", "maps", "--format", "json"]).text().to_owned();
    assert!(
        maps.contains("chicago-complaints") && maps.contains("Synthetic"),
        "{maps}"
    );
    site.run(&["records", "import", &file, "--mapping", "no-such"])
        .expect(2)
        .says(&["tribune-like"]);
}

#[test]
fn an_address_is_somebodys_on_the_day_of_the_message_and_a_merge_is_taken_back() {
    let site = Site::new();
    let message = |day: &str, from: &str, word: &str| {
        format!(
            "From: Duty Desk <{from}>\r\nTo: b@force.example\r\nDate: {day} 10:00:00 +0000\r\nSubject: {word}\r\n\r\nx\r\n"
        )
    };
    files::write(
        &site.path("mail/1.eml"),
        message("Thu, 1 Mar 2018", "desk@force.example", "one"),
    );
    files::write(
        &site.path("mail/2.eml"),
        message("Wed, 1 Aug 2018", "DESK@force.example", "two"),
    );
    files::write(
        &site.path("mail/3.eml"),
        message("Wed, 1 Aug 2018", "alee@force.example", "three"),
    );
    site.ingest(&[site.path("mail").as_os_str()]).expect(0);
    files::write(
        &site.path("people.jsonl"),
        concat!(
            r#"{"record_type":"person","source_system":"t","record_id":"P-1","person_id":"P-1","full_name":"Ann Lee","aliases":[{"kind":"smtp","value":"desk@force.example","from":"2018-01-01","to":"2018-06-30"}]}"#,
            "\n",
            r#"{"record_type":"person","source_system":"t","record_id":"P-2","person_id":"P-2","full_name":"Bob Ray","aliases":[{"kind":"smtp","value":"desk@force.example","from":"2018-07-01"}]}"#,
            "\n",
            r#"{"record_type":"decision","source_system":"t","record_id":"D-1","case_ref":"CM/1/18","decided_by":"P-1","decision_type":"recording"}"#,
            "\n",
        ),
    );
    let people = site.path("people.jsonl").to_string_lossy().into_owned();
    site.ok(&["records", "import", &people]);
    let count = |query: &str| site.run(&["search", query, "--count"]).text().trim().to_owned();
    // Message one, her record, the decision she took.
    assert_eq!(count("person:P-1"), "3");
    assert_eq!(count("person:\"bob ray\" AND type:email"), "1");
    let hits = site.ok(&["search", "subject:two", "--format", "json"]).json();
    assert_eq!(hits["hits"][0]["people"], serde_json::json!(["Bob Ray (P-2)"]));

    let suggested = site.ok(&["people", "suggest", "--format", "json"]).text().to_owned();
    assert!(
        suggested.contains("alee@force.example") && suggested.contains("initials_and_surname"),
        "{suggested}"
    );
    site.ok(&[
        "people",
        "merge",
        "alee@force.example",
        "P-1",
        "--reason",
        "statement S3",
    ]);
    assert_eq!(count("person:P-1"), "4");
    let shown = site
        .ok(&["people", "show", "P-1", "--format", "json"])
        .text()
        .to_owned();
    assert!(shown.contains("statement S3"), "{shown}");
    site.ok(&["people", "split", "alee@force.example", "--reason", "another one"]);
    assert_eq!(count("person:P-1"), "3");
    let again = site.ok(&["people", "suggest", "--format", "json"]).text().to_owned();
    assert!(!again.contains("alee@force.example"), "{again}");
    site.ok(&["people", "alias", "P-2", "alee@force.example", "--reason", "rota"]);
    assert_eq!(count("person:P-2 AND type:email"), "2");
    site.run(&[
        "people",
        "alias",
        "P-2",
        "x@y.example",
        "--from",
        "soon",
        "--reason",
        "x",
    ])
    .expect(2)
    .says(&["soon"]);
    site.run(&["people", "show", "nobody"])
        .expect(2)
        .says(&["nobody on record"]);
}

#[test]
fn the_workbook_of_recommendations_imports_whole() {
    let Some(folder) = corpora::folder("case-records") else {
        return;
    };
    let site = Site::new();
    let book = folder
        .join("bbc-iopc/rfiles/recs30june_wforces_refs.xlsx")
        .to_string_lossy()
        .into_owned();
    let report = site
        .ok(&["records", "import", &book, "--mapping", "iopc-recommendations"])
        .json()["import"]
        .clone();
    let documents = of_type(&report, "document");
    // 1,322 rows below the header, of which one repeats the header.
    assert_eq!(
        (&report["rows"], &documents["new"], &documents["not_due"]),
        (&1321.into(), &1320.into(), &1.into())
    );
    assert_eq!(report["unread_fields"], serde_json::json!({"received_at": 2}));
    let hits = site.ok(&["search", "case:2020/135205", "--count"]).text().to_owned();
    assert!(hits.trim().parse::<u32>().is_ok_and(|hits| hits >= 1), "{hits}");
}

#[test]
fn real_complaint_records_import_with_sums_closed() {
    let Some(folder) = corpora::folder("case-records") else {
        return;
    };
    let site = Site::new();
    let file = |name: &str| {
        let path = folder.join(format!(
            "chicago-police-complaints/complaints-{name}_2000-2016_2016-11.csv.gz"
        ));
        path.to_string_lossy().into_owned()
    };
    // The smallest of the files and the profiles; all of them are measured in docs/records.md.
    let (witnesses, profiles) = (file("witnesses"), file("accused").replace("11.csv", "11_profiles.csv"));
    let told = site
        .ok(&[
            "records",
            "import",
            &witnesses,
            &profiles,
            "--mapping",
            "chicago-complaints",
        ])
        .json();
    assert_eq!(of_type(&told["imports"][0], "party")["new"], 27_922);
    assert_eq!(of_type(&told["imports"][1], "person")["new"], 16_021);
    site.ok(&["verify"]);
}

#[test]
fn a_document_on_record_is_linked_to_its_attachment_and_the_link_is_corrected_by_hand() {
    let site = Site::new();
    let text = "The panel met on the ninth of June and heard both officers and the complainant before it came to its view of the matter.";
    let mail = format!(
        "Message-ID: <1@x.example>\nDate: Mon, 6 Jan 2020 10:00:00 +0000\nFrom: a@x.example\nTo: b@x.example\nSubject: X/1\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nas promised\n--b\nContent-Type: text/plain; name=minutes.txt\n\
         Content-Disposition: attachment; filename=minutes.txt\n\n{text}\n--b--\n"
    );
    files::write(&site.path("a.eml"), mail);
    let case = serde_json::json!({"record_type": "case", "source_system": "t", "record_id": "1", "case_ref": "X/1", "opened_at": "2020-01-01"});
    let document = serde_json::json!({"record_type": "document", "source_system": "t", "record_id": "D-1", "case_ref": "X/1", "register_no": "D1",
        "title": "minutes", "received_at": "2020-01-07", "text": text.to_uppercase()});
    files::write(&site.path("r.jsonl"), format!("{case}\n{document}\n"));
    site.ok(&["records".as_ref(), "import".as_ref(), site.path("r.jsonl").as_os_str()]);
    site.ingest(&[site.path("a.eml")]).expect(0);

    let links = || site.ok(&["records", "links", "--in", "X/1", "--format", "json"]).json()["links"].clone();
    let first = links();
    assert_eq!(first.as_array().map(Vec::len), Some(1), "{first}");
    assert_eq!(
        (&first[0]["reason"], &first[0]["holds"]),
        (&"same-words".into(), &true.into()),
        "{first}"
    );
    let item = first[0]["item_no"].to_string();
    let twins = || {
        let made = site.ok(&["timeline", "X/1", "--format", "json"]).json();
        let entries = made["entries"].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|entry| entry["twins"].is_array())
            .map(|entry| {
                let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                (word(&entry["kind"]), word(&entry["twins"][0]["reason"]))
            })
            .collect::<Vec<(String, String)>>()
    };
    let both = ["attachment", "recorded-document"].map(|kind| (kind.to_owned(), "same-words".to_owned()));
    assert_eq!(twins(), both);
    site.run(&["records", "link", "doc:t/D-9", &item, "--reason", "x"])
        .expect(2)
        .says(&["no document on record has the id"]);
    site.run(&["records", "link", "1", &item, "--reason", "x"])
        .expect(2)
        .says(&["is no document on the register"]);
    site.ok(&[
        "records",
        "link",
        "doc:t/D-1",
        &item,
        "--not",
        "--reason",
        "another meeting",
    ]);
    assert_eq!(links()[0]["holds"], false);
    assert!(twins().is_empty());
    site.ok(&["records", "link", "doc:t/D-1", &item, "--reason", "the same after all"]);
    assert_eq!(twins()[0].1, "by-hand");
    let kinds = site.ok(&[
        "timeline",
        "X/1",
        "--kind",
        "recorded-document,case-date",
        "--format",
        "jsonl",
    ]);
    assert_eq!(kinds.lines().len(), 2);
    site.run(&["timeline", "X/1", "--kind", "verdict"])
        .expect(2)
        .says(&["no kind of entry", "role-start"]);
    site.run(&["timeline"]).expect(2);
}

#[test]
fn what_a_record_said_in_each_import_is_shown_field_by_field() {
    let site = Site::new();
    let (map, rows) = sample(&site);
    let import = ["records", "import", rows.as_str(), "--mapping", map.as_str()];
    site.run(&import).expect(3);
    files::write(
        &site.path("accused.csv"),
        ROWS.replace("1,7,P-1,SU,NS", "1,7,P-1,SU,SU"),
    );
    site.run(&import).expect(3);
    let history = |id: &str| site.ok(&["records", "history", id, "--format", "json"]).json();
    let told = history("dec:sample/1-final");
    let changes: Vec<(u64, String, String, String)> = told["versions"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| !one["change"].is_null())
        .map(|one| {
            let word = |name: &str| one["change"][name].as_str().unwrap_or_default().to_owned();
            (
                one["version"].as_u64().unwrap_or(0),
                word("field"),
                word("before"),
                word("after"),
            )
        })
        .collect();
    let line = |field: &str, before: &str, after: &str| (2, field.to_owned(), before.to_owned(), after.to_owned());
    assert_eq!(
        changes,
        [
            line("outcome", "not sustained", "sustained"),
            line("raw.Final", "NS", "SU")
        ],
        "{told}"
    );
    assert_eq!(history(&told["item_no"].to_string()), told, "by its item too");
    // Two rows of one file with one id: the later one holds, and it is said.
    let lines = ["a", "b"].map(|outcome| {
        serde_json::json!({"record_type": "decision", "source_system": "sample", "record_id": "9", "case_ref": "CM/7/19", "outcome": outcome}).to_string()
    });
    files::write(&site.path("twice.jsonl"), lines.join("\n"));
    let twice = site.path("twice.jsonl");
    site.run(&["records".as_ref(), "import".as_ref(), twice.as_os_str()])
        .expect(0)
        .says(&["1 rows say otherwise than an earlier row of the file with the same id"]);
    assert_eq!(history("dec:sample/9")["versions"].as_array().map(Vec::len), Some(2));
    // What was not changed has one content.
    assert_eq!(
        history("dec:sample/2-final")["versions"].as_array().map(Vec::len),
        Some(1)
    );
    site.run(&["records", "history", "dec:sample/none"])
        .expect(2)
        .says(&["no record has the id"]);
}

#[test]
fn what_names_a_case_or_a_person_is_told_with_a_reason_and_corrected_by_hand() {
    let site = Site::new();
    let mail = |id: &str, subject: &str, text: &str| {
        let head = format!(
            "Message-ID: <{id}@x.example>\nDate: Mon, 6 Jan 2020 10:00:00 +0000\nFrom: a@x.example\nTo: b@x.example\n"
        );
        files::write(
            &site.path("mail").join(format!("{id}.eml")),
            format!("{head}Subject: {subject}\n\n{text}\n"),
        );
    };
    mail("1", "CM/19/2019", "Ann Lee was on duty.");
    mail("2", "the lift", "order CM19/2019 for the lift has come");
    mail("3", "the gate", "what happened at the gate");
    let case = serde_json::json!({"record_type": "case", "source_system": "t", "record_id": "1", "case_ref": "CM/19/2019", "opened_at": "2020-01-01"});
    let person = serde_json::json!({"record_type": "person", "source_system": "t", "record_id": "P-1", "person_id": "P-1", "full_name": "Ann Lee"});
    files::write(&site.path("r.jsonl"), format!("{case}\n{person}\n"));
    site.ok(&["records".as_ref(), "import".as_ref(), site.path("r.jsonl").as_os_str()]);
    site.ingest(&[site.path("mail")]).expect(0);

    let item = |word: &str| site.hits(word)[0]["item_no"].to_string();
    let (named, lift, gate) = (item("duty"), item("lift"), item("gate"));
    let links = |args: &[&str]| {
        let told = site.ok(&[args, &["--format", "json"]].concat()).json()["links"].clone();
        let all = told.as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| {
                let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
                (one["item_no"].to_string(), word("confidence"), one["holds"] == true)
            })
            .collect::<Vec<_>>()
    };
    let of_case = || links(&["records", "case-links", "cm/19/2019"]);
    let on_timeline = || {
        let made = site
            .ok(&["timeline", "CM/19/2019", "--kind", "email", "--format", "json"])
            .json();
        let all = made["entries"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["item_no"].to_string()).collect::<Vec<_>>()
    };
    let line = |item: &String, confidence: &str, holds: bool| (item.clone(), confidence.to_owned(), holds);
    assert_eq!(of_case(), [line(&named, "high", true), line(&lift, "medium", true)]);
    assert_eq!(on_timeline(), [named.clone(), lift.clone()]);

    let say = |item: &str, more: &[&str]| {
        let args = [
            &["records", "case-link", "CM/19/2019", item, "--reason", "read it"],
            more,
        ]
        .concat();
        site.run(&args).expect(0);
    };
    say(&lift, &["--not"]);
    say(&gate, &[]);
    let corrected = [
        line(&named, "high", true),
        line(&lift, "said", false),
        line(&gate, "said", true),
    ];
    assert_eq!(of_case(), corrected);
    assert_eq!(on_timeline(), [named.clone(), gate.clone()]);
    assert_eq!(site.count("case:\"CM/19/2019\" AND type:email"), 2, "queries too");
    // Nothing that is found later takes it back.
    mail("4", "CM/19/2019", "more of it");
    site.ingest(&[site.path("mail")]).expect(0);
    assert_eq!(site.count("case:\"CM/19/2019\" AND type:email"), 3);
    assert!(!on_timeline().contains(&lift) && on_timeline().contains(&gate));
    say(&lift, &[]);
    assert!(on_timeline().contains(&lift), "and taken back by hand");

    let of_person = || links(&["people", "mentions", "P-1"]);
    assert_eq!(of_person(), [line(&named, "medium", true)]);
    site.run(&["people", "mention", "P-1", &named, "--not", "--reason", "another one"])
        .expect(0);
    assert_eq!(of_person(), [line(&named, "said", false)]);
    site.run(&["people", "mention", "P-9", &named, "--reason", "x"])
        .expect(2);
    site.run(&["records", "case-link", "CM/1/1", &named, "--reason", "x"])
        .expect(2)
        .says(&["no record in the material loaded names"]);
    let record = item("type:record");
    site.run(&["records", "case-link", "CM/19/2019", &record, "--reason", "x"])
        .expect(2)
        .says(&["is a record"]);
}
