//! Tags with rules: against a plain statement of the rules, whatever is done and undone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::tag_rules::{self, Said as Rules};
use super::tags;
use super::work_tests::{ANN, BOB, bitmap, database, exclusive, put};
use super::{FactsError, sets};

#[test]
fn of_an_exclusive_set_an_item_carries_one_tag_and_the_change_is_taken_back_whole() {
    let conn = database();
    exclusive(&conn, &["in", "out"]);
    tags::add(&conn, "in", &bitmap(&[1, 2, 3]), "", ANN).expect("tagged");
    let moved = tags::put_on(&conn, &put("out", &bitmap(&[2, 3, 4]), ""), BOB).expect("tagged");
    assert_eq!((moved.change.changed, moved.moved), (3, 2));
    let of = |tag: &str| tags::items(&conn, tag).expect("read").expect("it is there");
    assert_eq!((of("in"), of("out")), (bitmap(&[1]), bitmap(&[2, 3, 4])));
    let undone = tags::undo(&conn, moved.change.event.expect("an event"), "", "", ANN).expect("undone");
    assert_eq!((undone.changed, undone.held_back), (3, 0));
    assert_eq!((of("in"), of("out")), (bitmap(&[1, 2, 3]), bitmap(&[])));
    // The undoing is a change, and can be taken back by its event.
    tags::undo(&conn, undone.event.expect("an event"), "", "", ANN).expect("undone");
    assert_eq!((of("in"), of("out")), (bitmap(&[1]), bitmap(&[2, 3, 4])));
    assert_eq!(sets::verify(&conn).expect("checked"), Vec::<String>::new());
}

#[test]
fn a_set_that_asks_for_a_note_refuses_a_change_without_one_and_keeps_it() {
    let conn = database();
    let said = Rules {
        note_required: Some(true),
        tags: &["why".to_owned()],
        colour: Some("Red"),
        ..Rules::default()
    };
    tag_rules::define(&conn, "reasons", &said, ANN).expect("the set is made");
    let refused = tags::add(&conn, "why", &bitmap(&[1]), "", ANN).expect_err("refused");
    assert!(
        matches!(&refused, FactsError::NotAllowed { .. }) && refused.hint().is_some(),
        "{refused}"
    );
    let done = tags::put_on(&conn, &put("why", &bitmap(&[1]), " because "), ANN).expect("tagged");
    let event = done.change.event.expect("an event");
    assert_eq!(tags::note_of(&conn, event).expect("read").as_deref(), Some("because"));
    assert!(tags::remove(&conn, "why", &bitmap(&[1]), "", ANN).is_err());
    assert!(tags::undo(&conn, event, "", "", ANN).is_err());
    tags::undo(&conn, event, "", "a slip", ANN).expect("undone");
    let all = tag_rules::all(&conn).expect("read");
    assert_eq!((all[0].colour.as_str(), all[0].note_required), ("#c62828", true));
}

#[test]
fn a_set_becomes_exclusive_only_when_no_item_has_two_of_its_tags() {
    let conn = database();
    tags::add(&conn, "a", &bitmap(&[1, 2]), "", ANN).expect("tagged");
    tags::add(&conn, "b", &bitmap(&[2]), "", ANN).expect("tagged");
    let tags = ["a".to_owned(), "b".to_owned()];
    let said = Rules {
        exclusive: Some(true),
        tags: &tags,
        ..Rules::default()
    };
    let refused = tag_rules::define(&conn, "s", &said, ANN)
        .expect_err("refused")
        .to_string();
    assert!(refused.contains("1 items") && refused.contains("item 2"), "{refused}");
    assert!(
        tag_rules::all(&conn).expect("read").is_empty(),
        "nothing is changed then"
    );
    tags::remove(&conn, "b", &bitmap(&[2]), "", ANN).expect("taken off");
    tag_rules::define(&conn, "s", &said, ANN).expect("the set is made");
    // A tag is in one set.
    let other = Rules {
        tags: &tags[..1],
        ..Rules::default()
    };
    assert!(tag_rules::define(&conn, "t", &other, ANN).is_err());
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, BTreeSet<u32>),
    Take(usize, BTreeSet<u32>),
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let items = || prop::collection::btree_set(0_u32..20, 1..6);
    prop_oneof![
        3 => (0_usize..4, items()).prop_map(|(tag, items)| Step::Put(tag, items)),
        1 => (0_usize..4, items()).prop_map(|(tag, items)| Step::Take(tag, items)),
        2 => (0_usize..40).prop_map(Step::Undo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever is done and undone, before and after the set is made exclusive, no item has two of its tags afterwards; tag 3 is in no set.
    #[test]
    fn no_item_ever_has_two_tags_of_an_exclusive_set(before in prop::collection::vec(step(), 0..12), after in prop::collection::vec(step(), 1..25)) {
        let conn = database();
        let names = ["a", "b", "c", "free"];
        let mut events: Vec<i64> = Vec::new();
        let mut made = false;
        for (at, step) in before.iter().chain(&after).enumerate() {
            if at >= before.len() && !made {
                for name in &names[..3] {
                    if tags::items(&conn, name).expect("read").is_some() {
                        tags::remove(&conn, name, &(0..20).collect(), "", ANN).expect("cleared");
                    }
                }
                exclusive(&conn, &names[..3]);
                made = true;
            }
            match step {
                Step::Put(tag, items) => {
                    let items = items.iter().copied().collect();
                    events.extend(tags::put_on(&conn, &put(names[*tag], &items, ""), ANN).expect("put").change.event);
                }
                Step::Take(tag, items) => {
                    if tags::items(&conn, names[*tag]).expect("read").is_some() {
                        let items = items.iter().copied().collect();
                        events.extend(tags::take_off(&conn, &put(names[*tag], &items, ""), ANN).expect("taken").event);
                    }
                }
                Step::Undo(pick) if !events.is_empty() => {
                    match tags::undo(&conn, events[pick % events.len()], "", "", BOB) {
                        Ok(done) => events.extend(done.event),
                        Err(FactsError::NothingToUndo { .. }) => {}
                        Err(other) => return Err(TestCaseError::fail(other.to_string())),
                    }
                }
                Step::Undo(_) => {}
            }
            if made {
                let mut seen = RoaringBitmap::new();
                for name in &names[..3] {
                    let items = tags::items(&conn, name).expect("read").unwrap_or_default();
                    prop_assert!(seen.is_disjoint(&items), "after step {}", at);
                    seen |= items;
                }
            }
        }
        prop_assert_eq!(sets::verify(&conn).expect("checked"), Vec::<String>::new());
    }
}
