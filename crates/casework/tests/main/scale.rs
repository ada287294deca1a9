//! Figures at size: `cargo test --release -p embley-casework -- --ignored --nocapture`. They are printed, and held only to
//! limits that a much slower machine keeps too.

use std::fmt::Write as _;
use std::time::Instant;

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

/// Seconds that `work` takes, said aloud.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a measurement says what it measured"
)]
fn measured<T>(what: &str, limit_secs: f64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    let secs = start.elapsed().as_secs_f64();
    eprintln!("{what}: {:.1} ms", secs * 1_000.0);
    assert!(secs < limit_secs, "{what} took {secs:.1} s");
    done
}

#[test]
#[ignore = "figures at size"]
fn a_hundred_thousand_items_are_tagged_and_untagged_in_a_moment() {
    let folder = Folder::new();
    let case = folder.open(Access::Facts);
    let facts = case.facts().expect("facts open");
    let conn = facts.connection();
    // Every tenth of a million: no runs to compress.
    let items: RoaringBitmap = (0..1_000_000).step_by(10).collect();
    let change = measured("tag 100,000 of 1,000,000 items", 2.0, || {
        tags::add(conn, "t", &items, "", ANN).expect("tagged")
    });
    measured("undo", 2.0, || {
        sets::undo(conn, change.event.expect("an event"), "", ANN).expect("undone")
    });
    let names: Vec<Names> = (0..5_000_u32)
        .map(|one| Names {
            case_ref: format!("CM/{one}/19"),
            ticket: Ticket(1),
            items: (0..200).map(|at| (one * 7 + at * 4_999) % 1_000_000).collect(),
        })
        .collect();
    measured("write 5,000 case sets", 30.0, || {
        cases::put_names(conn, &names).expect("written")
    });
    let mut held = measured("read all sets", 10.0, || FactSets::load(conn).expect("read"));
    measured("refresh without a change", 2.0, || {
        held.refresh(conn).expect("refreshed")
    });
    let page: Vec<ItemNo> = (0..20).map(|at| ItemNo(at * 50_000)).collect();
    measured("look up a page of 20", 1.0, || held.of(conn, &page).expect("looked up"));
}

#[test]
#[ignore = "figures at size"]
fn a_timeline_of_ten_thousand_items_and_an_import_of_a_hundred_thousand_rows() {
    let folder = Folder::new();
    let mut mailbox = String::new();
    for at in 0..10_000 {
        let _ = write!(
            mailbox,
            "From a@b.example Sun Mar 10 12:00:00 2019\nFrom: a{at}@b.example\nTo: c@d.example\nDate: Sun, 10 Mar 2019 12:{:02}:{:02} +0000\nSubject: number {at}\nMessage-ID: <{at}@b.example>\n\nabout CM/1/19 again\n\n",
            at / 60 % 60,
            at % 60
        );
    }
    measured("ingest 10,000 messages", 600.0, || folder.ingest("a.mbox", &mailbox));
    let mut lines = String::new();
    for at in 0..100_000 {
        let _ = writeln!(
            lines,
            r#"{{"record_type":"log_entry","source_system":"t","record_id":"L-{at}","case_ref":"CM/{}/19","entry_at":"2019-03-10T12:00:00Z","author_id":"P-{}","category":"note","text":"entry number {at} of the log, with some words to search"}}"#,
            at / 25,
            at % 300
        );
    }
    let (report, _) = measured("import 100,000 records in 4,000 cases, links included", 600.0, || {
        folder.import("log.jsonl", &lines)
    });
    assert_eq!(report.new, 100_000);
    measured("import them again", 600.0, || folder.import("log.jsonl", &lines));
    let made = measured("timeline of 10,000 items", 20.0, || folder.timeline("CM/1/19"));
    assert_eq!(made.entries.len(), 10_025);
}
