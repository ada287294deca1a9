//! Mail, records, exhibits and tags of one case, linked.

use embley_casework::hits::CaseHits;
use embley_casework::timeline::Timeline;
use embley_model::id::ItemNo;
use embley_search::SearchOptions;
use embley_store::Access;
use embley_store::facts::exhibits::{self, Said};
use embley_store::facts::links::{self, Target};
use embley_store::facts::sets::bitmap_of;
use embley_store::facts::{Stamp, records, tags};

use crate::folder::Folder;

const ANN: Stamp<'static> = Stamp {
    actor: "ann",
    at_micros: 1_000,
};

const MAIL: &str = "From lee@force.example Sun Mar 10 12:00:00 2019
From: Ann Lee <a.lee@force.example>
To: b@force.example
Date: Sun, 10 Mar 2019 12:00:00 +0000
Subject: Re: CM/1/19
Message-ID: <one@force.example>

as discussed

From x@force.example Sat Mar  9 12:00:00 2019
From: x@force.example
To: b@force.example
Date: Sat, 9 Mar 2019 12:00:00 +0000
Subject: lunch
Message-ID: <two@force.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

see attached
--b
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment; filename=notes.txt

notes on CM/1/19 and the quokka
--b--

From x@force.example Fri Mar  8 12:00:00 2019
From: x@force.example
To: b@force.example
Date: Fri, 8 Mar 2019 12:00:00 +0000
Subject: other
Message-ID: <three@force.example>

CM/1/190 only

";

const RECORDS: &str = r#"{"record_type":"case","source_system":"tribune","record_id":"C-1","case_ref":"CM/1/19","case_type":"conduct_matter","came_to_attention_at":"2019-03-01"}
{"record_type":"role_appointment","source_system":"tribune","record_id":"R-1","case_ref":"CM/1/19","person_id":"P-7","role":"investigator","appointed_at":"2019-03-05"}
{"record_type":"decision","source_system":"tribune","record_id":"D-1","case_ref":"CM/1/19","decision_type":"severity_assessment","outcome":"misconduct","decided_at":"2019-03-12T09:00:00+00:00","decided_by":"P-9","rationale_text":"the wombat clause"}
not a record
"#;

fn told(timeline: &Timeline) -> Vec<(Option<String>, &'static str, Option<String>, String)> {
    let entries = timeline.entries.iter();
    // A sentence about a part names its message by number, which depends on the order of input.
    entries
        .map(|one| {
            let sentence = one.sentence.split(" of item ").next().unwrap_or_default().to_owned();
            (one.local.clone(), one.kind.word(), one.item.clone(), sentence)
        })
        .collect()
}

#[test]
fn mail_then_records_gives_the_timeline_of_records_then_mail() {
    let (mail_first, records_first) = (Folder::new(), Folder::new());
    assert_eq!(mail_first.ingest("a.mbox", MAIL), 3);
    let (report, summary) = mail_first.import("records.jsonl", RECORDS);
    assert_eq!((report.rows, report.new, report.excepted), (4, 3, 1));
    assert_eq!((summary.cases, summary.named), (1, 1));
    records_first.import("records.jsonl", RECORDS);
    records_first.ingest("a.mbox", MAIL);
    let one = mail_first.timeline("CM/1/19");
    let kinds: Vec<&str> = one.entries.iter().map(|entry| entry.kind.word()).collect();
    assert_eq!(kinds, ["case-date", "role-start", "attachment", "email", "decision"]);
    assert_eq!(told(&one), told(&records_first.timeline("CM/1/19")));
    for folder in [&mail_first, &records_first] {
        let named = folder.find("case:CM/1/19");
        assert_eq!(named.len(), 5, "three records, a message and an attachment");
    }
}

#[test]
fn records_are_found_by_their_words_and_an_update_replaces_them() {
    let folder = Folder::new();
    folder.ingest("a.mbox", MAIL);
    folder.import("records.jsonl", RECORDS);
    let found = folder.find("wombat");
    assert_eq!(found.len(), 1);
    assert_eq!(folder.find("type:record").len(), 3);
    assert!(
        folder.find("rationale_text").is_empty(),
        "names of fields are not words"
    );
    let (report, _) = folder.import("later.jsonl", &RECORDS.replace("wombat", "numbat"));
    assert_eq!(
        (report.new, report.updated, report.unchanged, report.excepted),
        (0, 1, 2, 1)
    );
    assert_eq!(folder.find("numbat"), found, "the item number stays");
    assert!(folder.find("wombat").is_empty(), "the earlier version leaves the index");
    let case = folder.open(Access::Facts);
    let facts = case.facts().expect("facts open");
    let versions = records::versions(facts.connection(), ItemNo(found[0])).expect("read");
    assert_eq!(versions.len(), 2, "and stays in the store");
    drop(facts);
    drop(case);
    let before = told(&folder.timeline("CM/1/19"));
    folder.reindex();
    assert_eq!(folder.find("numbat"), found);
    assert!(folder.find("wombat").is_empty());
    assert_eq!(told(&folder.timeline("CM/1/19")), before);
}

#[test]
fn a_second_import_of_the_same_file_changes_nothing() {
    let folder = Folder::new();
    folder.import("records.jsonl", RECORDS);
    let (report, _) = folder.import("records.jsonl", RECORDS);
    assert_eq!(
        (
            report.rows,
            report.new,
            report.updated,
            report.unchanged,
            report.excepted
        ),
        (4, 0, 0, 3, 1)
    );
    assert_eq!(folder.find("type:record").len(), 3);
}

#[test]
fn hits_carry_exhibits_tags_cases_and_decisions() {
    let folder = Folder::new();
    folder.ingest("a.mbox", MAIL);
    folder.import("records.jsonl", RECORDS);
    let quokka = folder.find("quokka");
    assert_eq!(quokka.len(), 1);
    let case = folder.open(Access::Facts);
    let facts = case.facts().expect("facts open");
    let conn = facts.connection();
    let items = bitmap_of([ItemNo(quokka[0])]);
    let reference = "JS/1".parse().expect("a reference");
    let said = Said {
        produced_by: Some("John Smith"),
        ..Said::default()
    };
    let exhibit = exhibits::register(conn, &reference, &said, ANN)
        .expect("registered")
        .exhibit;
    exhibits::add_items(conn, &exhibit, &items, "quokka", ANN).expect("added");
    links::add(conn, &exhibit, &Target::Decision("dec:tribune/D-1".to_owned()), "", ANN).expect("linked");
    tags::add(conn, "relevant", &items, "quokka", ANN).expect("tagged");

    let searcher = folder.searcher();
    let hits = CaseHits::new(&searcher);
    let plan = searcher
        .plan("quokka tag:relevant exhibit:\"JS/1\"")
        .expect("the query is right");
    let options = SearchOptions {
        links: Some(&hits),
        ..SearchOptions::default()
    };
    let answer = searcher.run(&plan, options).expect("the query runs");
    let hits = answer.hits().expect("the hits begin");
    let all: Vec<_> = hits.map(|hit| hit.expect("the hit is read")).collect();
    assert_eq!(all.len(), 1);
    let json = serde_json::to_value(&all[0]).expect("plain data");
    assert_eq!(json["exhibits"], serde_json::json!(["JS/1"]));
    assert_eq!(json["tags"], serde_json::json!(["relevant"]));
    assert_eq!(json["cases"], serde_json::json!(["CM/1/19"]));
    let decision = serde_json::json!([{ "id": "dec:tribune/D-1", "relation": "exhibit-of-decision", "days": -3 }]);
    assert_eq!(json["decisions"], decision, "three days before the decision");
    let made = folder.timeline("CM/1/19");
    let kinds: Vec<&str> = made.entries.iter().map(|entry| entry.kind.word()).collect();
    assert_eq!(
        kinds,
        ["case-date", "role-start", "attachment", "exhibit", "email", "decision"]
    );
    assert_eq!(made.entries[2].exhibits, ["JS/1"]);
}
