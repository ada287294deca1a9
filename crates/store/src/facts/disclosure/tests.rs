//! Decisions of disclosure as events.

use super::*;

fn case() -> Connection {
    let conn = Connection::open_in_memory().expect("a database");
    crate::facts::create_tables(&conn).expect("tables");
    conn
}

fn of(numbers: &[u32]) -> RoaringBitmap {
    numbers.iter().copied().collect()
}

fn stamp(at_micros: i64) -> Stamp<'static> {
    Stamp {
        actor: "officer",
        at_micros,
    }
}

fn give(conn: &Connection, state: State, items: &[u32], reason: &str, at: i64) -> Decided {
    let why = Why { reason, how: "" };
    set(conn, state.axis(), Some(state), &of(items), why, stamp(at)).expect("set")
}

#[test]
fn an_item_has_one_status_and_each_change_says_before_and_after() {
    let conn = case();
    assert!(events(&conn, None).expect("no events").is_empty());
    assert_eq!(
        give(&conn, State::Unused, &[1, 2, 3], "", 1),
        Decided {
            changed: 3,
            moved: 0,
            as_before: 0
        }
    );
    let moved = give(&conn, State::Sensitive, &[2, 4], "names an informant", 2);
    assert_eq!((moved.changed, moved.moved, moved.as_before), (2, 1, 0));
    give(&conn, State::MeetsTest, &[1, 2], "contradicts a statement", 3);
    assert_eq!(items(&conn, State::Unused).expect("items"), of(&[1, 3]));
    assert_eq!(items(&conn, State::Sensitive).expect("items"), of(&[2, 4]));
    let about: Vec<(String, String)> = events(&conn, Some(ItemNo(2)))
        .expect("events")
        .into_iter()
        .map(|event| (event.before, event.after))
        .collect();
    assert_eq!(
        about,
        [("", "unused"), ("unused", "sensitive"), ("", "meets-test")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    let cleared = set(&conn, Axis::Status, None, &of(&[2, 9]), Why::default(), stamp(4)).expect("cleared");
    assert_eq!((cleared.changed, cleared.as_before), (1, 1));
    assert_eq!(items(&conn, State::Sensitive).expect("items"), of(&[4]));
    assert_eq!(items(&conn, State::MeetsTest).expect("items"), of(&[1, 2]));
}

#[test]
fn a_reason_is_asked_for_and_the_last_one_counts() {
    let conn = case();
    let refused = set(
        &conn,
        Axis::Status,
        Some(State::Sensitive),
        &of(&[1]),
        Why::default(),
        stamp(1),
    );
    assert!(refused.is_err());
    give(&conn, State::Sensitive, &[1, 2], "first", 1);
    give(&conn, State::Unused, &[2], "", 2);
    give(&conn, State::Sensitive, &[2], "second", 3);
    let reasons: Vec<(String, Vec<u32>)> = reasons(&conn, State::Sensitive)
        .expect("reasons")
        .into_iter()
        .map(|one| (one.reason, one.items.iter().collect()))
        .collect();
    assert_eq!(reasons, [("second".to_owned(), vec![2]), ("first".to_owned(), vec![1])]);
}

#[test]
fn events_and_descriptions_are_only_ever_added() {
    let conn = case();
    give(&conn, State::Used, &[1], "", 1);
    describe(&conn, ItemNo(1), " a letter ", stamp(1)).expect("described");
    describe(&conn, ItemNo(1), "a letter of 3 May", stamp(2)).expect("described");
    assert!(describe(&conn, ItemNo(1), " ", stamp(2)).is_err());
    assert_eq!(
        descriptions(&conn)
            .expect("descriptions")
            .get(&ItemNo(1))
            .map(String::as_str),
        Some("a letter of 3 May")
    );
    for sql in [
        "UPDATE disclosure_event SET actor = 'x'",
        "DELETE FROM disclosure_event",
        "UPDATE disclosure_words SET after = 'x'",
        "DELETE FROM disclosure_words",
    ] {
        assert!(conn.execute(sql, []).is_err(), "{sql}");
    }
}
