//! Documents on record and attachments of a real case folder, in whatever order they come.

use embley_casework::document_links;
use embley_model::id::ItemNo;
use embley_store::Access;
use embley_store::facts::{Stamp, documents, records};

use crate::folder::Folder;

const TEXT: &str = "Terms of reference for the review of case seven. The reviewer will look at the severity assessment of March and at the reasons given for it, and report to the head of the department by the end of May.";

fn message(number: u32, subject: &str, name: &str, text: &str) -> String {
    format!(
        "From lee@force.example Sun Mar 10 12:00:00 2019
From: Ann Lee <a.lee@force.example>
To: b@force.example
Date: Sun, 10 Mar 2019 12:00:0{number} +0000
Subject: {subject}
Message-ID: <{number}@force.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

see attached
--b
Content-Type: text/plain; name=\"{name}\"
Content-Disposition: attachment; filename=\"{name}\"

{text}
--b--

"
    )
}

fn mail() -> String {
    [
        message(1, "CM/1/19", "tor.txt", TEXT),
        message(2, "CM/1/19 again", "tor-v2.txt", &TEXT.replace("May", "June")),
        message(3, "nothing of the case", "tor-copy.txt", "a plan of the building"),
        message(4, "lunch", "CM-1-19 plan.txt", "soup and bread"),
        message(5, "otherwise written", "cm_0001_2019.txt", "bread and soup"),
        message(6, "in the text", "note.txt", "as to CM1/2019, and not CM/11/2019"),
    ]
    .concat()
}

fn register(folder: &Folder) -> String {
    // The hash of what is attached to the third message: it names no case, and is found by its bytes.
    let third = folder.find("filename:\"tor-copy.txt\" type:attachment");
    let hash = match third.first() {
        Some(item) => {
            let case = folder.open(Access::Read);
            let reader = case.reader().expect("the catalogue opens");
            reader
                .blob_of(ItemNo(*item))
                .expect("read")
                .expect("its bytes")
                .sha256
                .to_hex()
        }
        None => String::new(),
    };
    lines(&hash)
}

fn lines(hash: &str) -> String {
    let case =
        r#"{"record_type":"case","source_system":"t","record_id":"C-1","case_ref":"CM/1/19","opened_at":"2019-03-01"}"#;
    let one = format!(
        r#"{{"record_type":"document","source_system":"t","record_id":"D-1","case_ref":"CM/1/19","register_no":"D1","title":"terms of reference","received_at":"2019-03-11","text":"{TEXT}"}}"#
    );
    let two = format!(
        r#"{{"record_type":"document","source_system":"t","record_id":"D-2","case_ref":"CM/1/19","register_no":"D2","title":"plan","received_at":"2019-03-12","sha256":"{hash}"}}"#
    );
    format!("{case}\n{one}\n{two}\n")
}

/// Links in force as (record id, file name, reason), whatever the numbers of items are.
fn told(folder: &Folder) -> Vec<(String, String, String)> {
    let case = folder.open(Access::Read);
    let reader = case.reader().expect("the catalogue opens");
    let all: roaring::RoaringBitmap = (1..100).collect();
    let mut told = Vec::new();
    for link in documents::links(reader.facts(), &all)
        .expect("read")
        .into_iter()
        .filter(|link| link.holds())
    {
        let record = records::of_item(reader.facts(), link.document)
            .expect("read")
            .expect("a record");
        let name = reader
            .item(link.attachment)
            .expect("read")
            .expect("an item")
            .filename
            .unwrap_or_default();
        let reason = link.found.map_or_else(|| "by hand".to_owned(), |(reason, _)| reason);
        told.push((record.key.record_id, name, reason));
    }
    told.sort();
    told
}

fn row(id: &str, name: &str, reason: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), reason.to_owned())
}

#[test]
fn mail_then_records_finds_the_links_of_records_then_mail() {
    let (mail_first, records_first) = (Folder::new(), Folder::new());
    mail_first.ingest("a.mbox", &mail());
    let register = register(&mail_first);
    let (_, summary) = mail_first.import("records.jsonl", &register);
    assert_eq!((summary.documents, summary.document_links), (2, 3));
    records_first.import("records.jsonl", &register);
    assert_eq!(told(&records_first), []);
    records_first.ingest("a.mbox", &mail());
    let found = told(&mail_first);
    assert_eq!(
        found,
        [
            row("D-1", "tor-v2.txt", "near-duplicate"),
            row("D-1", "tor.txt", "same-words"),
            row("D-2", "tor-copy.txt", "same-bytes"),
        ]
    );
    assert_eq!(told(&records_first), found);
}

#[test]
fn a_case_is_found_by_its_reference_in_file_names_and_attachments_in_whatever_form() {
    let folder = Folder::new();
    folder.ingest("a.mbox", &mail());
    folder.import("records.jsonl", &register(&folder));
    let named = folder.find("case:CM/1/19 AND type:attachment");
    let named: Vec<String> = {
        let case = folder.open(Access::Read);
        let reader = case.reader().expect("the catalogue opens");
        let name = |item: &u32| {
            reader
                .item(ItemNo(*item))
                .expect("read")
                .expect("an item")
                .filename
                .unwrap_or_default()
        };
        named.iter().map(name).collect()
    };
    // By its file name, by another form in a file name, by a joined form in the text of an attachment.
    assert_eq!(named, ["CM-1-19 plan.txt", "cm_0001_2019.txt", "note.txt"]);
}

#[test]
fn a_link_is_denied_and_made_by_hand_and_stays_so() {
    let folder = Folder::new();
    folder.ingest("a.mbox", &mail());
    folder.import("records.jsonl", &register(&folder));
    let number = |query: &str| ItemNo(*folder.find(query).first().expect("one item"));
    let document = number("type:record AND \"terms of reference\"");
    let version = number("filename:\"tor-v2.txt\" AND type:attachment");
    let plan = number("filename:plan AND type:attachment");
    let ann = Stamp {
        actor: "ann",
        at_micros: 9,
    };
    let case = folder.open(Access::Facts);
    let facts = case.facts().expect("facts open");
    let reader = case.reader().expect("the catalogue opens");
    let say = |attachment, linked| {
        document_links::by_hand(
            facts.connection(),
            &reader,
            (document, attachment),
            linked,
            "read both",
            ann,
        )
    };
    assert!(say(version, false).expect("decided"));
    assert!(say(plan, true).expect("decided"));
    let wrong = document_links::by_hand(facts.connection(), &reader, (plan, version), true, "x", ann);
    assert!(
        wrong
            .expect_err("an attachment is no register")
            .to_string()
            .contains("no document")
    );
    drop((reader, facts, case));
    let expected = [
        row("D-1", "CM-1-19 plan.txt", "by hand"),
        row("D-1", "tor.txt", "same-words"),
        row("D-2", "tor-copy.txt", "same-bytes"),
    ];
    assert_eq!(told(&folder), expected);
    folder.ingest(
        "b.mbox",
        &message(7, "CM/1/19 once more", "tor-v3.txt", &TEXT.replace("May", "August")),
    );
    let after = told(&folder);
    assert!(after.contains(&row("D-1", "tor-v3.txt", "near-duplicate")), "{after:?}");
    assert_eq!(after.len(), 4, "what was denied stays denied: {after:?}");
}
