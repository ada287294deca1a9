//! Notes, batches, codings, continuity and the journal: against plain models, and against whoever would change what is on record.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::batches::{self, NewReview, State};
use super::codings::{self, Answered};
use super::continuity::{self, Handling, Moment, NewEntry};
use super::custody::{self, GapKind};
use super::details::{self, Detail};
use super::exhibit_parts::{self, NewPart, Selection};
use super::exhibits::{self, Exhibit, Said};
use super::journal::{self, Kind, Which};
use super::notes::{self, On};
use super::tag_rules::{self, Said as Rules};
use super::tags::{self, Put};
use super::{AskedRef, FactsError, Stamp, create_tables};

pub(super) const ANN: Stamp<'static> = Stamp {
    actor: "Ann",
    at_micros: 1_000,
};
pub(super) const BOB: Stamp<'static> = Stamp {
    actor: "Bob",
    at_micros: 2_000,
};

pub(super) fn database() -> Connection {
    let conn = Connection::open_in_memory().expect("a database in memory");
    create_tables(&conn).expect("the tables are made");
    conn
}

pub(super) fn bitmap(items: &[u32]) -> RoaringBitmap {
    items.iter().copied().collect()
}

pub(super) fn put<'a>(tag: &'a str, items: &'a RoaringBitmap, note: &'a str) -> Put<'a> {
    Put {
        tag,
        items,
        reason: "query: x",
        note,
    }
}

pub(super) fn exclusive(conn: &Connection, tags: &[&str]) {
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let said = Rules {
        exclusive: Some(true),
        tags: &tags,
        ..Rules::default()
    };
    tag_rules::define(conn, "outcome", &said, ANN).expect("the set is made");
}

fn exhibit(conn: &Connection, reference: &str) -> Exhibit {
    let reference = reference.parse().expect("a reference");
    exhibits::register(conn, &reference, &Said::default(), ANN)
        .expect("registered")
        .exhibit
}

#[test]
fn notes_keep_every_version_and_nothing_can_be_changed_or_deleted() {
    let conn = database();
    let held = exhibit(&conn, "JS/1");
    let on_item = notes::add(&conn, On::Item(ItemNo(7)), " first ", ANN).expect("made");
    let on_exhibit = notes::add(&conn, On::Exhibit(&held), "of it", ANN).expect("made");
    assert!(notes::edit(&conn, on_item, "second", BOB).expect("edited"));
    assert!(!notes::edit(&conn, on_item, "second", BOB).expect("nothing to do"));
    notes::withdraw(&conn, on_item, "wrong item", ANN).expect("withdrawn");
    assert!(notes::edit(&conn, on_item, "third", ANN).is_err());
    assert!(notes::withdraw(&conn, 99, "", ANN).is_err());
    assert!(notes::add(&conn, On::Item(ItemNo(7)), "  ", ANN).is_err());
    let all = notes::of(&conn, On::Item(ItemNo(7))).expect("read");
    let texts: Vec<&str> = all[0].versions.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["first", "second", "wrong item"]);
    assert_eq!(
        notes::of(&conn, On::Exhibit(&held)).expect("read")[0].note_id,
        on_exhibit
    );
    for sql in [
        "UPDATE note_version SET text = ''",
        "DELETE FROM note_version",
        "DELETE FROM note",
        "UPDATE note SET item_no = 1",
    ] {
        assert!(conn.execute(sql, []).is_err(), "{sql}");
    }
}

fn review<'a>(items: &'a RoaringBitmap, name: &'a str, size: u64, form: &'a str) -> NewReview<'a> {
    NewReview {
        name,
        query: "x",
        level: "item",
        form,
        items,
        roots: None,
        size,
        again: false,
    }
}

#[test]
fn batches_divide_the_hits_once_and_families_stay_together() {
    let conn = database();
    let items: RoaringBitmap = (1..=10).collect();
    let (_, made) = batches::create(&conn, &review(&items, "first", 4, ""), ANN).expect("made");
    let sizes: Vec<u64> = made.iter().map(|one| one.items).collect();
    assert_eq!(sizes, [4, 4, 2]);
    let mut sum = RoaringBitmap::new();
    for one in &made {
        let members = batches::members(&conn, one.batch_id).expect("read");
        assert!(sum.is_disjoint(&members));
        sum |= members;
    }
    assert_eq!(sum, items);
    // What a review holds is left out of the next one, unless it is wanted again.
    let more: RoaringBitmap = (5..=12).collect();
    let (next, made) = batches::create(&conn, &review(&more, "second", 10, ""), ANN).expect("made");
    assert_eq!((next.left_out, made.len(), made[0].items), (6, 1, 2));
    assert!(batches::create(&conn, &review(&more, "third", 10, ""), ANN).is_err());
    assert!(
        batches::create(&conn, &review(&more, "First ", 10, ""), ANN).is_err(),
        "names are compared without case"
    );
    // Families of 3, 1, 5 and 2 items, in batches of 4: the large one is a batch of its own.
    let roots = bitmap(&[21, 24, 25, 30]);
    let family = NewReview {
        roots: Some(&roots),
        level: "family",
        ..review(&more, "families", 4, "")
    };
    let items: RoaringBitmap = (21..=31).collect();
    let (_, made) = batches::create(
        &conn,
        &NewReview {
            items: &items,
            ..family
        },
        ANN,
    )
    .expect("made");
    let sizes: Vec<u64> = made.iter().map(|one| one.items).collect();
    assert_eq!(sizes, [4, 5, 2]);
}

#[test]
fn a_batch_is_with_one_person_and_every_step_is_on_record() {
    let conn = database();
    let items: RoaringBitmap = (1..=4).collect();
    let (_, made) = batches::create(&conn, &review(&items, "r", 2, "relevance"), ANN).expect("made");
    let first = batches::check_out(&conn, None, ANN)
        .expect("asked")
        .expect("one is open");
    let second = batches::check_out(&conn, Some("R"), BOB)
        .expect("asked")
        .expect("one is open");
    assert_ne!(first.batch_id, second.batch_id);
    assert_eq!(batches::check_out(&conn, None, BOB).expect("asked"), None);
    assert!(batches::check_out_this(&conn, first.batch_id, BOB).is_err());
    // Somebody else's batch is taken with a reason only.
    assert!(batches::release(&conn, first.batch_id, "", BOB).is_err());
    assert!(batches::finish(&conn, first.batch_id, "", BOB).is_err());
    let refused = batches::finish(&conn, first.batch_id, "", ANN)
        .expect_err("not coded")
        .to_string();
    assert!(refused.contains("2 items"), "{refused}");
    let members = batches::members(&conn, first.batch_id).expect("read");
    let answered = Answered {
        form: "relevance",
        form_text: "text",
        items: &members,
        batch_id: Some(first.batch_id),
        answers: "{}",
    };
    codings::answer(&conn, &answered, ANN).expect("coded");
    assert_eq!(
        batches::finish(&conn, first.batch_id, "", ANN).expect("done").state,
        State::Done
    );
    assert!(batches::reopen(&conn, first.batch_id, " ", ANN).is_err());
    batches::release(&conn, second.batch_id, "on leave", ANN).expect("released");
    let again = batches::check_out(&conn, None, ANN)
        .expect("asked")
        .expect("it is open again");
    assert_eq!(again.batch_id, second.batch_id);
    // The second round is not for who coded it first.
    let chosen = [("Ann".to_owned(), members)];
    let again = batches::second(&conn, "r", &chosen, 10, BOB).expect("made");
    assert_eq!((again[0].round, again[0].not_for.as_str()), (2, "ann"));
    assert!(batches::check_out_this(&conn, again[0].batch_id, ANN).is_err());
    assert_eq!(batches::check_out(&conn, None, ANN).expect("asked"), None);
    assert!(batches::check_out(&conn, None, BOB).expect("asked").is_some());
    assert!(
        batches::second(&conn, "r", &chosen, 10, BOB).is_err(),
        "nothing is left for a second look"
    );
    assert_eq!(batches::verify(&conn).expect("checked"), Vec::<String>::new());
    let steps: Vec<String> = batches::events(&conn)
        .expect("read")
        .into_iter()
        .filter(|event| event.batch_id == made[1].batch_id)
        .map(|event| format!("{} {} -> {}", event.action, event.before, event.after))
        .collect();
    assert_eq!(
        steps,
        [
            "made open -> open",
            "checked out open -> out: Bob",
            "released out: Bob -> open",
            "checked out open -> out: Ann"
        ]
    );
    for sql in [
        "DELETE FROM review_batch",
        "UPDATE review_batch SET members = x''",
        "UPDATE batch_event SET actor = 'x'",
        "DELETE FROM batch_event",
        "DELETE FROM review",
        "DELETE FROM coding",
        "UPDATE coding SET answers = ''",
        "DELETE FROM coding_form",
    ] {
        assert!(conn.execute(sql, []).is_err(), "{sql}");
    }
}

#[test]
fn codings_keep_every_answer_and_the_newest_of_each_reviewer_holds() {
    let conn = database();
    let items = bitmap(&[1, 2]);
    let one = |answers| Answered {
        form: "f",
        form_text: "text",
        items: &items,
        batch_id: None,
        answers,
    };
    assert_eq!(codings::answer(&conn, &one("{\"a\":1}"), ANN).expect("coded"), (2, 0));
    assert_eq!(codings::answer(&conn, &one("{\"a\":1}"), ANN).expect("coded"), (0, 2));
    assert_eq!(codings::answer(&conn, &one("{\"a\":2}"), ANN).expect("coded"), (2, 0));
    assert_eq!(codings::answer(&conn, &one("{\"a\":1}"), BOB).expect("coded"), (2, 0));
    let all = codings::history(&conn, codings::Which::default()).expect("read");
    assert_eq!(all.len(), 6);
    let present = codings::present(&conn, codings::Which::default()).expect("read");
    let held: Vec<(u32, &str, &str)> = present
        .iter()
        .map(|one| (one.item_no.0, one.reviewer.as_str(), one.answers.as_str()))
        .collect();
    let expected = [
        (1, "Ann", "{\"a\":2}"),
        (1, "Bob", "{\"a\":1}"),
        (2, "Ann", "{\"a\":2}"),
        (2, "Bob", "{\"a\":1}"),
    ];
    assert_eq!(held, expected);
    assert_eq!(codings::coded(&conn, "f", "ANN ").expect("read"), items);
}

#[test]
fn the_register_numbers_on_request_and_statements_have_one_number_whoever_made_them() {
    let conn = database();
    let next = |text: &str| match text.parse::<AskedRef>().expect("a request") {
        AskedRef::Next(next) => exhibits::next_free(&conn, &next).expect("a number"),
        AskedRef::Given(given) => given,
    };
    for expected in ["S1", "S2"] {
        let reference = next("S+");
        assert_eq!(reference.to_string(), expected);
        exhibits::register(&conn, &reference, &Said::default(), ANN).expect("registered");
    }
    exhibit(&conn, "S/9");
    assert_eq!(
        (next("S+").to_string(), next("S/+").to_string()),
        ("S3".to_owned(), "S/10".to_owned())
    );
    let by = |name| Said {
        produced_by: Some(name),
        ..Said::default()
    };
    let reference = "S1".parse().expect("a reference");
    let one = exhibits::register(&conn, &reference, &by("Jo"), ANN).expect("registered");
    let two = exhibits::register(&conn, &reference, &by("Sue"), BOB).expect("registered");
    assert_eq!((one.created, two.created, two.clashes.len()), (false, false, 0));
    assert_eq!(two.exhibit.produced_by, "Sue");
    let changes = exhibits::changes(&conn, &two.exhibit).expect("read");
    let said: Vec<(&str, &str, &str)> = changes
        .iter()
        .map(|one| (one.before.as_str(), one.after.as_str(), one.actor.as_str()))
        .collect();
    assert_eq!(said, [("", "Jo", "Ann"), ("Jo", "Sue", "Bob")]);
}

#[test]
fn found_by_produced_by_and_booked_in_by_are_three_people_with_a_history_each() {
    let conn = database();
    let held = exhibit(&conn, "JS/1");
    let said = [(Detail::FoundBy, "PC Green"), (Detail::BookedInBy, "Ms White")];
    assert_eq!(details::say(&conn, &held, &said, ANN).expect("said"), 2);
    assert_eq!(details::say(&conn, &held, &said, BOB).expect("said"), 0);
    details::say(&conn, &held, &[(Detail::FoundBy, "PC Grey")], BOB).expect("said");
    let now = details::of(&conn, &held).expect("read");
    let expected = BTreeMap::from([
        (Detail::FoundBy, "PC Grey".to_owned()),
        (Detail::BookedInBy, "Ms White".to_owned()),
    ]);
    assert_eq!(now, expected);
    let changes = exhibits::changes(&conn, &held).expect("read");
    let last = changes.last().expect("a change");
    assert_eq!(
        (
            changes.len(),
            last.field.as_str(),
            last.before.as_str(),
            last.after.as_str(),
            last.actor.as_str()
        ),
        (3, "found_by", "PC Green", "PC Grey", "Bob")
    );
    assert!(conn.execute("DELETE FROM exhibit_detail", []).is_err());
}

fn entered(
    conn: &Connection,
    held: &Exhibit,
    handling: Handling,
    hour: i64,
    corrects: Option<i64>,
) -> Result<i64, FactsError> {
    let at = Moment {
        said: format!("1970-01-01T{hour:02}:00:00Z"),
        utc_micros: hour * 3_600_000_000,
    };
    let new = NewEntry {
        handling,
        at: &at,
        until: None,
        by: "Jo",
        from: "",
        to: "",
        place: "",
        seal_before: "",
        seal_after: "",
        hash_before: "",
        hash_after: "",
        note: "",
        corrects,
    };
    let late = Stamp {
        actor: "Ann",
        at_micros: 90_000_000_000,
    };
    continuity::add(conn, held, &new, late)
}

#[test]
fn entries_of_continuity_are_corrected_by_new_ones_once_each() {
    let conn = database();
    let (held, other) = (exhibit(&conn, "JS/1"), exhibit(&conn, "JS/2"));
    let first = entered(&conn, &held, Handling::Stored, 3, None).expect("entered");
    let gaps = |held: &Exhibit| custody::gaps(&continuity::of(&conn, held).expect("read"));
    assert_eq!(gaps(&held)[0].kind, GapKind::Beginning);
    assert!(
        entered(&conn, &other, Handling::Seized, 2, Some(first)).is_err(),
        "an entry of another exhibit"
    );
    assert!(
        entered(&conn, &held, Handling::Withdrawn, 2, None).is_err(),
        "it names nothing"
    );
    let second = entered(&conn, &held, Handling::Seized, 2, Some(first)).expect("entered");
    assert!(
        entered(&conn, &held, Handling::Seized, 1, Some(first)).is_err(),
        "it was corrected before"
    );
    assert_eq!(gaps(&held), Vec::new());
    entered(&conn, &held, Handling::Withdrawn, 2, Some(second)).expect("entered");
    assert_eq!(gaps(&held)[0].entry, None, "nothing that counts is on record any more");
    assert_eq!(continuity::of(&conn, &held).expect("read").len(), 3, "all of it stays");
    for sql in [
        "UPDATE continuity_entry SET by_whom = 'x'",
        "DELETE FROM continuity_entry",
    ] {
        assert!(conn.execute(sql, []).is_err(), "{sql}");
    }
}

#[test]
fn a_selection_knows_whether_its_text_is_still_there() {
    let text = "Grüße aus London. Grüße aus Bath.";
    let one = Selection::quoted(text, "London").expect("it is there once");
    assert_eq!(&text[one.first as usize..one.last as usize], "London");
    assert!(one.still_in(text) && !one.still_in("Grüße aus Bombay.") && !one.still_in(""));
    assert!(Selection::quoted(text, "Grüße").is_err(), "it is there twice");
    assert!(Selection::quoted(text, "Paris").is_err() && Selection::quoted(text, "").is_err());
    for (first, last) in [(0, 0), (3, 2), (2, 3), (0, 999), (u64::MAX, u64::MAX)] {
        assert!(Selection::of(text, first, last).is_err(), "{first}..{last}");
    }
    let conn = database();
    let held = exhibit(&conn, "JS/1");
    let part = NewPart {
        item: ItemNo(3),
        page: None,
        selection: Some(one),
    };
    let number = exhibit_parts::add(&conn, &held, &part, ANN).expect("added");
    let none = NewPart {
        selection: None,
        ..part
    };
    assert!(exhibit_parts::add(&conn, &held, &none, ANN).is_err());
    exhibit_parts::withdraw(&conn, &held, number, "wrong words", BOB).expect("withdrawn");
    assert!(exhibit_parts::withdraw(&conn, &held, number, "", BOB).is_err());
    assert_eq!(exhibit_parts::of(&conn, &held).expect("read").len(), 1);
    assert!(conn.execute("DELETE FROM exhibit_part", []).is_err());
}

#[test]
fn the_journal_tells_who_changed_what_from_what_to_what() {
    let conn = database();
    exclusive(&conn, &["in", "out"]);
    tags::put_on(&conn, &put("in", &bitmap(&[1, 2]), "first look"), ANN).expect("tagged");
    let moved = tags::put_on(&conn, &put("out", &bitmap(&[2]), ""), BOB).expect("tagged");
    tags::undo(&conn, moved.change.event.expect("an event"), "", "", ANN).expect("undone");
    let held = exhibit(&conn, "JS/1");
    exhibits::add_items(&conn, &held, &bitmap(&[1]), "", BOB).expect("added");
    notes::add(&conn, On::Exhibit(&held), "of it", BOB).expect("made");
    let all = journal::read(&conn, Which::default()).expect("read");
    let kinds: BTreeSet<Kind> = all.iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        BTreeSet::from([Kind::Tag, Kind::TagRule, Kind::ExhibitItems, Kind::Exhibit, Kind::Note])
    );
    assert!(all.windows(2).all(|pair| pair[0].at_micros <= pair[1].at_micros));
    let of_tag = journal::read(
        &conn,
        Which {
            tag: Some("OUT"),
            kind: Some(Kind::Tag),
            ..Which::default()
        },
    );
    let of_tag = of_tag.expect("read");
    let said: Vec<(&str, &str, &str, &str, Option<u64>)> = of_tag
        .iter()
        .map(|one| {
            (
                one.actor.as_str(),
                one.action.as_str(),
                one.before.as_str(),
                one.after.as_str(),
                one.items,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("Ann", "removed", "with", "without", Some(1)),
            ("Bob", "added", "without", "with", Some(1))
        ]
    );
    assert_eq!(of_tag[0].undoes, of_tag[1].event);
    let of_item = journal::read(
        &conn,
        Which {
            item: Some(ItemNo(1)),
            ..Which::default()
        },
    );
    let reasons: Vec<String> = of_item
        .expect("read")
        .into_iter()
        .map(|one| format!("{}: {}", one.subject, one.reason))
        .collect();
    assert_eq!(reasons, ["in: query: x; first look", "JS/1: "]);
    let of_exhibit = journal::read(
        &conn,
        Which {
            exhibit: Some(&held),
            actor: Some("bob"),
            ..Which::default()
        },
    );
    assert_eq!(of_exhibit.expect("read").len(), 2);
}

#[test]
fn the_newest_changes_are_those_at_the_end_of_all_and_say_what_was_before() {
    let conn = database();
    let items = bitmap(&[1, 2, 3]);
    for (at_micros, (who, said)) in (10..).zip([("Ann", "1"), ("Bob", "2"), ("Ann", "3")]) {
        let answered = Answered {
            form: "relevance",
            form_text: "text",
            items: &items,
            batch_id: None,
            answers: said,
        };
        codings::answer(&conn, &answered, Stamp { actor: who, at_micros }).expect("coded");
    }
    tags::add(
        &conn,
        "late",
        &items,
        "",
        Stamp {
            actor: "Ann",
            at_micros: 99,
        },
    )
    .expect("tagged");
    for actor in [None, Some("ann")] {
        let which = Which {
            actor,
            ..Which::default()
        };
        let all = journal::read(&conn, which).expect("read");
        for limit in 0..=all.len() {
            let (newest, total) = journal::newest(&conn, which, Some(limit as u64)).expect("read");
            assert_eq!(
                (newest.as_slice(), total),
                (&all[all.len() - limit..], all.len() as u64)
            );
        }
        let before: Vec<&str> = all.iter().map(|one| one.before.as_str()).collect();
        let expected = match actor {
            None => vec!["", "", "", "", "", "", "1", "1", "1", "without"],
            Some(_) => vec!["", "", "", "1", "1", "1", "without"],
        };
        assert_eq!(before, expected);
    }
}
