//! Many items, rows and sets at once: what a change of a hundred thousand memberships and an import of thousands of rows leave behind. What they cost is
//! for `scripts/bench`; here only the answers count.

use std::fmt::Write as _;

use embley_model::id::ItemNo;
use embley_model::id::Ticket;
use embley_store::Access;
use embley_store::facts::cases::{self, Names};
use embley_store::facts::member::FactSets;
use embley_store::facts::{Stamp, sets, tags};
use roaring::RoaringBitmap;

use crate::folder::Folder;

const ANN: Stamp<'static> = Stamp {
    actor: "ann",
    at_micros: 1_000,
};

#[test]
fn a_hundred_thousand_items_are_tagged_by_one_event_and_untagged_by_undoing_it() {
    let folder = Folder::new();
    let case = folder.open(Access::Facts);
    let facts = case.facts().expect("facts open");
    let conn = facts.connection();
    // Every tenth of a million: no runs to compress.
    let items: RoaringBitmap = (0..1_000_000).step_by(10).collect();
    let change = tags::add(conn, "t", &items, "", ANN).expect("tagged");
    let tagged = |page: &[u32]| {
        let held = FactSets::load(conn).expect("read");
        let page: Vec<ItemNo> = page.iter().copied().map(ItemNo).collect();
        let found = held.of(conn, &page).expect("looked up");
        found.iter().filter(|one| !one.tags.is_empty()).count()
    };
    assert_eq!(change.changed, 100_000);
    assert_eq!(tagged(&[0, 1, 10, 11, 999_990, 999_991]), 3);
    let undone = sets::undo(conn, change.event.expect("an event"), "", ANN).expect("undone");
    assert_eq!(undone.changed, 100_000);
    assert_eq!(tagged(&[0, 1, 10, 11, 999_990, 999_991]), 0);
}

#[test]
fn sets_of_many_cases_are_read_as_they_were_written() {
    let folder = Folder::new();
    let case = folder.open(Access::Facts);
    let facts = case.facts().expect("facts open");
    let conn = facts.connection();
    let names: Vec<Names> = (0..1_000_u32)
        .map(|one| Names {
            case_ref: format!("CM/{one}/19"),
            ticket: Ticket(1),
            items: (0..200).map(|at| (one * 7 + at * 4_999) % 1_000_000).collect(),
        })
        .collect();
    cases::put_names(conn, &names).expect("written");
    let held = FactSets::load(conn).expect("read");
    for one in [&names[0], &names[500], &names[999]] {
        let page: Vec<ItemNo> = one.items.iter().take(20).map(ItemNo).collect();
        for found in held.of(conn, &page).expect("looked up") {
            assert!(
                found.cases.contains(&one.case_ref),
                "{} is not among {:?}",
                one.case_ref,
                found.cases
            );
        }
    }
}

#[test]
fn an_import_of_thousands_of_rows_makes_a_timeline_with_every_one() {
    let folder = Folder::new();
    let mut mailbox = String::new();
    for at in 0..1_000 {
        let _ = write!(
            mailbox,
            "From a@b.example Sun Mar 10 12:00:00 2019\nFrom: a{at}@b.example\nTo: c@d.example\nDate: Sun, 10 Mar 2019 12:{:02}:{:02} +0000\nSubject: number {at}\nMessage-ID: <{at}@b.example>\n\nabout CM/1/19 again\n\n",
            at / 60 % 60,
            at % 60
        );
    }
    folder.ingest("a.mbox", &mailbox);
    let mut lines = String::new();
    for at in 0..5_000 {
        let _ = writeln!(
            lines,
            r#"{{"record_type":"log_entry","source_system":"t","record_id":"L-{at}","case_ref":"CM/{}/19","entry_at":"2019-03-10T12:00:00Z","author_id":"P-{}","category":"note","text":"entry number {at} of the log, with some words to search"}}"#,
            at / 25,
            at % 300
        );
    }
    let (report, _) = folder.import("log.jsonl", &lines);
    assert_eq!(report.new, 5_000);
    let (again, _) = folder.import("log.jsonl", &lines);
    assert_eq!((again.new, again.unchanged), (0, 5_000));
    assert_eq!(folder.timeline("CM/1/19").entries.len(), 1_025);
}
