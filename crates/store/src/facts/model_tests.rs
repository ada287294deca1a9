//! Facts against plain models and by example, in a database in memory.

use std::collections::BTreeSet;

use embley_model::id::{ItemNo, RunNo, Ticket};
use embley_model::record::{Record, RecordType};
use proptest::prelude::*;
use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::cases::{self, Names};
use super::exhibits::{self, Said};
use super::links::{self, Target};
use super::member::FactSets;
use super::records::{self, VersionRow};
use super::sets::{self, Action};
use super::{ExhibitRef, FactsError, Stamp, tags};

const ANN: Stamp<'static> = Stamp {
    actor: "ann",
    at_micros: 1_000,
};
const BOB: Stamp<'static> = Stamp {
    actor: "bob",
    at_micros: 2_000,
};

fn database() -> Connection {
    let conn = Connection::open_in_memory().expect("a database in memory opens");
    super::create_tables(&conn).expect("the tables are made");
    conn
}

fn bitmap(items: &[u32]) -> RoaringBitmap {
    items.iter().copied().collect()
}

fn reference(text: &str) -> ExhibitRef {
    text.parse().expect("the sample is a reference")
}

// ---- sets and events ------------------------------------------------------------------------------------------

/// A plain model: for each item the numbers of the events that changed it, in order.
#[derive(Default)]
struct Model {
    members: BTreeSet<u32>,
    events: Vec<(Action, BTreeSet<u32>)>,
}

impl Model {
    fn change(&mut self, action: Action, items: &BTreeSet<u32>) -> bool {
        let delta: BTreeSet<u32> = items
            .iter()
            .copied()
            .filter(|item| self.members.contains(item) == (action == Action::Removed))
            .collect();
        self.record(action, delta)
    }

    fn undo(&mut self, at: usize) -> bool {
        let (action, done) = self.events[at].clone();
        let touched_later = |item: &u32| self.events[at + 1..].iter().any(|(_, delta)| delta.contains(item));
        let still: BTreeSet<u32> = done.into_iter().filter(|item| !touched_later(item)).collect();
        let back = if action == Action::Added {
            Action::Removed
        } else {
            Action::Added
        };
        self.record(back, still)
    }

    fn record(&mut self, action: Action, delta: BTreeSet<u32>) -> bool {
        if delta.is_empty() {
            return false;
        }
        for item in &delta {
            match action {
                Action::Added => self.members.insert(*item),
                Action::Removed => self.members.remove(item),
            };
        }
        self.events.push((action, delta));
        true
    }
}

#[derive(Clone, Debug)]
enum Step {
    Change(bool, BTreeSet<u32>),
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (any::<bool>(), prop::collection::btree_set(0u32..40, 0..12)).prop_map(|(add, items)| Step::Change(add, items)),
        1 => (0usize..30).prop_map(Step::Undo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn events_and_undo_agree_with_a_plain_model(steps in prop::collection::vec(step(), 1..40)) {
        let conn = database();
        tags::add(&conn, "t", &RoaringBitmap::new(), "", ANN).expect("an empty tag is made");
        let set_id = tags::find(&conn, "t").expect("it is there").set_id;
        let mut model = Model::default();
        let mut events: Vec<i64> = Vec::new();
        for step in steps {
            match step {
                Step::Change(add, items) => {
                    let action = if add { Action::Added } else { Action::Removed };
                    let done = sets::change(&conn, set_id, action, &items.iter().copied().collect(), "", ANN)
                        .expect("a change works");
                    prop_assert_eq!(done.event.is_some(), model.change(action, &items));
                    prop_assert_eq!(done.changed + done.as_before, items.len() as u64);
                    events.extend(done.event);
                }
                Step::Undo(_) if events.is_empty() => {}
                Step::Undo(pick) => {
                    let at = pick % events.len();
                    match sets::undo(&conn, events[at], "", BOB) {
                        Ok(done) => {
                            prop_assert!(model.undo(at));
                            events.extend(done.event);
                        }
                        Err(FactsError::NothingToUndo { .. }) => prop_assert!(!model.undo(at)),
                        Err(other) => return Err(TestCaseError::fail(other.to_string())),
                    }
                }
            }
            let held = sets::members(&conn, set_id).expect("the members are read");
            prop_assert_eq!(held.iter().collect::<BTreeSet<_>>(), model.members.clone());
        }
        prop_assert_eq!(sets::events(&conn, set_id).expect("events are read").len(), model.events.len());
        prop_assert_eq!(sets::verify(&conn).expect("sets are checked"), Vec::<String>::new());
    }
}

#[test]
fn a_bulk_change_is_one_event_and_undo_takes_back_exactly_what_it_changed() {
    let conn = database();
    tags::add(&conn, "Relevant", &bitmap(&[5, 7]), "by hand", ANN).expect("tagged");
    let all: RoaringBitmap = (0..100_000).collect();
    let bulk = tags::add(&conn, "relevant ", &all, "body:gift", BOB).expect("tagged");
    assert_eq!((bulk.changed, bulk.as_before, bulk.members), (99_998, 2, 100_000));
    let row = tags::find(&conn, "RELEVANT").expect("names are compared without case");
    assert_eq!((row.name.as_str(), row.count, row.version), ("Relevant", 100_000, 2));
    let undone = sets::undo(&conn, bulk.event.expect("an event"), "", ANN).expect("undone");
    assert_eq!((undone.changed, undone.members), (99_998, 2));
    assert_eq!(tags::items(&conn, "relevant").expect("read"), Some(bitmap(&[5, 7])));
    let events = sets::events(&conn, row.set_id).expect("read");
    assert_eq!(events.len(), 3);
    assert_eq!(
        (events[2].undoes, events[2].actor.as_str(), events[2].at_micros),
        (bulk.event, "ann", 1_000)
    );
}

#[test]
fn an_undo_leaves_items_alone_that_somebody_changed_again_later() {
    let conn = database();
    let first = tags::add(&conn, "t", &bitmap(&[1, 2, 3]), "", ANN)
        .expect("tagged")
        .event
        .expect("an event");
    tags::remove(&conn, "t", &bitmap(&[2]), "", BOB).expect("taken off");
    tags::add(&conn, "t", &bitmap(&[2]), "on purpose", BOB).expect("tagged again");
    let undone = sets::undo(&conn, first, "", ANN).expect("undone");
    assert_eq!((undone.changed, undone.held_back), (2, 1));
    assert_eq!(tags::items(&conn, "t").expect("read"), Some(bitmap(&[2])));
    let again = sets::undo(&conn, first, "", ANN).expect_err("nothing is left");
    assert!(matches!(again, FactsError::NothingToUndo { .. }), "{again}");
}

#[test]
fn nothing_changed_is_no_event() {
    let conn = database();
    tags::add(&conn, "t", &bitmap(&[1]), "", ANN).expect("tagged");
    let same = tags::add(&conn, "t", &bitmap(&[1]), "", ANN).expect("tagged");
    assert_eq!((same.event, same.changed, same.as_before), (None, 0, 1));
}

#[test]
fn events_and_versions_cannot_be_changed_or_deleted() {
    let conn = database();
    tags::add(&conn, "t", &bitmap(&[1]), "", ANN).expect("tagged");
    for sql in [
        "UPDATE fact_event SET actor = 'x'",
        "DELETE FROM fact_event",
        "DELETE FROM fact_set",
    ] {
        assert!(conn.execute(sql, []).is_err(), "{sql}");
    }
    assert_eq!(
        conn.query_row("SELECT actor FROM fact_event", [], |row| row.get::<_, String>(0))
            .expect("it is there"),
        "ann"
    );
}

#[test]
fn a_failed_change_inside_a_transaction_of_the_caller_leaves_the_rest_of_it() {
    let conn = database();
    conn.execute_batch("BEGIN").expect("begun");
    tags::add(&conn, "kept", &bitmap(&[1]), "", ANN).expect("tagged");
    assert!(sets::undo(&conn, 99, "", ANN).is_err());
    conn.execute_batch("COMMIT").expect("committed");
    assert_eq!(tags::list(&conn).expect("read").len(), 1);
}

#[test]
fn a_damaged_set_is_named() {
    let conn = database();
    tags::add(&conn, "t", &bitmap(&[1]), "", ANN).expect("tagged");
    conn.execute("UPDATE fact_set SET members = x'0102'", [])
        .expect("written");
    let said = tags::items(&conn, "t")
        .expect_err("the bytes are no bitmap")
        .to_string();
    assert!(said.contains("set of items is damaged at fact_set 1"), "{said}");
    let empty = super::bitmap_bytes(&RoaringBitmap::new()).expect("bytes");
    conn.execute("UPDATE fact_set SET members = ?1", [empty])
        .expect("written");
    assert_eq!(
        sets::verify(&conn).expect("checked"),
        ["set \"t\" is not the sum of its events"]
    );
}

#[test]
fn names_of_tags_are_checked() {
    let conn = database();
    for name in ["", "  ", "a\nb", "a\"b", &"x".repeat(121)] {
        assert!(tags::add(&conn, name, &bitmap(&[1]), "", ANN).is_err(), "{name:?}");
    }
    assert!(tags::list(&conn).expect("read").is_empty());
}

// ---- exhibits -------------------------------------------------------------------------------------------------

fn said<'a>(produced_by: &'a str, description: &'a str) -> Said<'a> {
    Said {
        produced_by: (!produced_by.is_empty()).then_some(produced_by),
        produced_on: None,
        description: (!description.is_empty()).then_some(description),
    }
}

#[test]
fn two_producers_with_the_same_initials_are_two_exhibits_and_a_warning() {
    let conn = database();
    let one = exhibits::register(&conn, &reference("JS/1"), &said("John Smith", "phone"), ANN).expect("registered");
    assert!(one.created && one.clashes.is_empty());
    let two = exhibits::register(&conn, &reference("JS/1"), &said("Jane Stone", "laptop"), ANN).expect("registered");
    assert!(two.created);
    assert_eq!(two.clashes.len(), 1);
    assert_eq!(two.clashes[0].produced_by, "John Smith");
    let same = exhibits::register(&conn, &reference("JS/1"), &said("JOHN  SMITH", ""), BOB).expect("registered");
    assert!(!same.created);
    assert_eq!(same.exhibit.exhibit_id, one.exhibit.exhibit_id);
    let unsaid = exhibits::register(&conn, &reference("JS/1"), &said("", ""), BOB).expect_err("which one is not said");
    assert!(unsaid.to_string().contains("Jane Stone, John Smith"), "{unsaid}");
    assert!(exhibits::find(&conn, &reference("JS/1"), Some("jane stone")).is_ok());
}

#[test]
fn what_was_said_before_about_an_exhibit_is_kept() {
    let conn = database();
    exhibits::register(&conn, &reference("JS/1"), &said("", "phone"), ANN).expect("registered");
    let named =
        exhibits::register(&conn, &reference("JS/1"), &said("John Smith", "black phone"), BOB).expect("amended");
    assert!(!named.created);
    assert_eq!(
        (named.exhibit.produced_by.as_str(), named.exhibit.description.as_str()),
        ("John Smith", "black phone")
    );
    let changes = exhibits::changes(&conn, &named.exhibit).expect("read");
    let told: Vec<_> = changes
        .iter()
        .map(|one| (one.field.as_str(), one.before.as_str(), one.actor.as_str()))
        .collect();
    assert_eq!(told, [("produced_by", "", "bob"), ("description", "phone", "bob")]);
}

#[test]
fn the_register_is_in_numeric_order_and_search_joins_equal_references() {
    let conn = database();
    for (text, producer, item) in [
        ("JS/10", "", 1),
        ("JS/2", "A", 2),
        ("AB/1", "", 3),
        ("JS/2", "B", 4),
        ("JS/2/1", "", 5),
    ] {
        let entry = exhibits::register(&conn, &reference(text), &said(producer, ""), ANN).expect("registered");
        exhibits::add_items(&conn, &entry.exhibit, &bitmap(&[item]), "", ANN).expect("added");
    }
    let texts: Vec<String> = exhibits::list(&conn)
        .expect("read")
        .iter()
        .map(|one| one.reference.to_string())
        .collect();
    assert_eq!(texts, ["AB/1", "JS/2", "JS/2", "JS/2/1", "JS/10"]);
    assert_eq!(
        exhibits::items(&conn, &reference("JS/2")).expect("read"),
        Some(bitmap(&[2, 4]))
    );
    assert_eq!(exhibits::items(&conn, &reference("JS/3")).expect("read"), None);
}

#[test]
fn a_link_is_made_once_and_ended_never_deleted() {
    let conn = database();
    let exhibit = exhibits::register(&conn, &reference("JS/1"), &said("", ""), ANN)
        .expect("registered")
        .exhibit;
    let case = Target::read(" CM/1/19");
    assert_eq!(case, Target::Case("CM/1/19".to_owned()));
    assert_eq!(Target::read("dec:t/D-1"), Target::Decision("dec:t/D-1".to_owned()));
    assert!(links::add(&conn, &exhibit, &case, "", ANN).expect("linked"));
    assert!(!links::add(&conn, &exhibit, &Target::Case("cm/1/19 ".to_owned()), "", BOB).expect("linked already"));
    links::end(&conn, &exhibit, &case, BOB).expect("ended");
    assert!(links::end(&conn, &exhibit, &case, BOB).is_err());
    assert!(links::of_exhibit(&conn, &exhibit).expect("read").is_empty());
    let rows: i64 = conn
        .query_row("SELECT count(*) FROM exhibit_link", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(rows, 1);
    assert!(conn.execute("DELETE FROM exhibit_link", []).is_err());
}

// ---- records and cases ----------------------------------------------------------------------------------------

fn put(conn: &Connection, item: u32, line: &str) -> super::Result<u32> {
    let (record, _) = Record::read(line.as_bytes()).expect("the sample is a record");
    let new = VersionRow {
        item: ItemNo(item),
        content: records::content_hash(&record),
        body: line.as_bytes().to_vec(),
        case_refs: record.case_refs().into_iter().map(str::to_owned).collect(),
        people: Vec::new(),
        key: record.key,
        run: RunNo(1),
        source: "records.jsonl".to_owned(),
        source_row: 1,
        actor: "ann".to_owned(),
        at_micros: 1_000,
    };
    records::put(conn, &new)
}

const OPEN: &str = r#"{"record_type":"case","source_system":"t","record_id":"7","case_ref":"CM/1/19","status":"open"}"#;
const CLOSED: &str =
    r#"{"record_type":"case","source_system":"t","record_id":"7","case_ref":"CM/2/19","status":"closed"}"#;

#[test]
fn an_update_keeps_the_item_and_every_earlier_version() {
    let conn = database();
    assert_eq!(put(&conn, 4, OPEN).expect("new"), 1);
    assert_eq!(put(&conn, 4, OPEN).expect("the same again"), 1);
    assert_eq!(put(&conn, 4, CLOSED).expect("updated"), 2);
    assert!(put(&conn, 5, OPEN).is_err(), "a record is one item for ever");
    let versions = records::versions(&conn, ItemNo(4)).expect("read");
    assert_eq!(
        versions.iter().map(|one| one.body.as_slice()).collect::<Vec<_>>(),
        [OPEN.as_bytes(), CLOSED.as_bytes()]
    );
    let newest = records::of_item(&conn, ItemNo(4)).expect("read").expect("it is there");
    assert_eq!(
        (newest.version, newest.record().expect("a record").text("status")),
        (2, Some("closed"))
    );
    assert!(
        records::of_case(&conn, "CM/1/19").expect("read").is_empty(),
        "the newest version decides its case"
    );
    assert_eq!(records::of_case(&conn, "cm/2/19").expect("read").len(), 1);
    for text in ["7", "t/7", "case:t/7"] {
        assert_eq!(
            records::named(&conn, RecordType::Case, text).expect("read").len(),
            1,
            "{text}"
        );
    }
    assert!(conn.execute("DELETE FROM record_version", []).is_err());
    assert!(conn.execute("UPDATE record_version SET body = x''", []).is_err());
}

#[test]
fn items_of_a_case_are_those_that_name_it_and_its_records() {
    let conn = database();
    assert_eq!(cases::items(&conn, "CM/1/19").expect("read"), None);
    put(&conn, 4, OPEN).expect("new");
    assert_eq!(cases::items(&conn, "CM/1/19").expect("read"), Some(bitmap(&[4])));
    let names = Names {
        case_ref: "CM/1/19".to_owned(),
        ticket: Ticket(3),
        items: bitmap(&[1, 2, 4]),
    };
    cases::put_names(&conn, std::slice::from_ref(&names)).expect("written");
    assert_eq!(cases::items(&conn, "cm/1/19").expect("read"), Some(bitmap(&[1, 2, 4])));
    assert_eq!(cases::names(&conn, "CM/1/19").expect("read"), Some(names));
}

#[test]
fn a_page_of_hits_sees_changes_made_after_the_sets_were_loaded() {
    let conn = database();
    let mut held = FactSets::load(&conn).expect("loaded");
    put(&conn, 4, OPEN).expect("new");
    for text in ["JS/10", "JS/9"] {
        let entry = exhibits::register(&conn, &reference(text), &said("", ""), ANN).expect("registered");
        exhibits::add_items(&conn, &entry.exhibit, &bitmap(&[4]), "", ANN).expect("added");
    }
    tags::add(&conn, "zeta", &bitmap(&[4]), "", ANN).expect("tagged");
    tags::add(&conn, "Alpha", &bitmap(&[3, 4]), "", ANN).expect("tagged");
    held.refresh(&conn).expect("refreshed");
    let page = held.of(&conn, &[ItemNo(3), ItemNo(4), ItemNo(9)]).expect("looked up");
    assert_eq!(page[0].tags, ["Alpha"]);
    assert_eq!(
        (page[1].exhibits.join(" "), page[1].tags.join(" ")),
        ("JS/9 JS/10".to_owned(), "Alpha zeta".to_owned())
    );
    assert_eq!(page[1].cases, ["CM/1/19"]);
    assert_eq!(page[2], super::member::Membership::default());
    tags::remove(&conn, "zeta", &bitmap(&[4]), "", ANN).expect("taken off");
    held.refresh(&conn).expect("refreshed");
    assert_eq!(held.of(&conn, &[ItemNo(4)]).expect("looked up")[0].tags, ["Alpha"]);
}
