//! Review states and marks of privilege against plain models, in a database in memory.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use proptest::prelude::*;
use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::member::FactSets;
use super::sets::{self, SetKind};
use super::{FactsError, Stamp, privilege, review};

/// One time for every change: what keeps them apart must not be the clock.
const ANN: Stamp<'static> = Stamp {
    actor: "ann",
    at_micros: 1_000,
};
const STATES: [&str; 3] = ["relevant", "not-relevant", "Needs second look"];

fn database() -> Connection {
    let conn = Connection::open_in_memory().expect("a database in memory opens");
    super::create_tables(&conn).expect("the tables are made");
    conn
}

fn bitmap(items: &[u32]) -> RoaringBitmap {
    items.iter().copied().collect()
}

/// The state of each item, and what each change changed: the state before it.
#[derive(Default)]
struct Model {
    states: BTreeMap<u32, usize>,
    changes: Vec<BTreeMap<u32, Option<usize>>>,
}

impl Model {
    fn put(&mut self, wanted: BTreeMap<u32, Option<usize>>) -> bool {
        let mut before = BTreeMap::new();
        for (item, state) in wanted {
            let old = self.states.get(&item).copied();
            if old == state {
                continue;
            }
            before.insert(item, old);
            match state {
                Some(state) => self.states.insert(item, state),
                None => self.states.remove(&item),
            };
        }
        let changed = !before.is_empty();
        if changed {
            self.changes.push(before);
        }
        changed
    }

    fn undo(&mut self, at: usize) -> bool {
        let later = |item: &u32| self.changes[at + 1..].iter().any(|change| change.contains_key(item));
        let wanted = self.changes[at].iter().filter(|(item, _)| !later(item));
        let wanted = wanted.map(|(item, state)| (*item, *state)).collect();
        self.put(wanted)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set(usize, BTreeSet<u32>),
    Clear(BTreeSet<u32>),
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let items = || prop::collection::btree_set(1_u32..25, 0..10);
    prop_oneof![
        4 => (0..STATES.len(), items()).prop_map(|(state, items)| Step::Set(state, items)),
        1 => items().prop_map(Step::Clear),
        2 => (0_usize..20).prop_map(Step::Undo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn an_item_has_one_state_and_a_change_is_taken_back_as_a_whole(steps in prop::collection::vec(step(), 1..25)) {
        let conn = database();
        let mut model = Model::default();
        // The last event of each change.
        let mut events: Vec<i64> = Vec::new();
        for step in steps {
            let done = match step {
                Step::Set(state, items) => {
                    let changed = model.put(items.iter().map(|item| (*item, Some(state))).collect());
                    let done = review::set(&conn, STATES[state], &items.iter().copied().collect(), "r", ANN);
                    let done = done.expect("a state is set");
                    prop_assert_eq!(done.event.is_some(), changed);
                    prop_assert_eq!(done.changed + done.as_before, items.len() as u64);
                    done
                }
                Step::Clear(items) => {
                    let changed = model.put(items.iter().map(|item| (*item, None)).collect());
                    let done = review::clear(&conn, &items.iter().copied().collect(), "r", ANN).expect("cleared");
                    prop_assert_eq!(done.event.is_some(), changed);
                    done
                }
                Step::Undo(_) if events.is_empty() => continue,
                Step::Undo(pick) => {
                    let at = pick % events.len();
                    match review::undo(&conn, events[at], "r", ANN) {
                        Ok(done) => {
                            prop_assert!(model.undo(at));
                            done
                        }
                        Err(FactsError::NothingToUndo { .. }) => {
                            prop_assert!(!model.undo(at));
                            continue;
                        }
                        Err(other) => return Err(TestCaseError::fail(other.to_string())),
                    }
                }
            };
            if let Some(event) = done.event {
                let changed = model.changes.last().map_or(0, |change| change.len() as u64);
                prop_assert_eq!(done.changed, changed);
                events.push(event);
            }
            let held = FactSets::load(&conn).expect("read");
            let page: Vec<ItemNo> = (1..25).map(ItemNo).collect();
            for (item, found) in page.iter().zip(held.of(&conn, &page).expect("looked up")) {
                let expected = model.states.get(&item.0).map(|state| STATES[*state]);
                prop_assert_eq!(found.review.as_deref(), expected, "item {}", item);
            }
        }
        prop_assert_eq!(sets::verify(&conn).expect("checked"), Vec::<String>::new());
    }
}

#[test]
fn any_event_of_a_change_stands_for_all_of_them() {
    let conn = database();
    review::set(&conn, "relevant", &bitmap(&[1, 2]), "", ANN).expect("set");
    review::set(&conn, "needs-second-look", &bitmap(&[3]), "", ANN).expect("set");
    let moved = review::set(&conn, "not-relevant", &bitmap(&[2, 3, 4]), "query: lunch", ANN).expect("set");
    assert_eq!((moved.changed, moved.moved, moved.as_before), (3, 2, 0));
    let counts = |conn: &Connection| -> Vec<(String, u64)> {
        let states = review::list(conn).expect("listed");
        states.into_iter().map(|state| (state.name, state.count)).collect()
    };
    let after = [("needs-second-look", 0), ("not-relevant", 3), ("relevant", 1)];
    assert_eq!(counts(&conn), after.map(|(name, count)| (name.to_owned(), count)));
    // One reason, one actor and one time in each of its three events.
    let of = |name: &str| {
        let set = sets::find(&conn, SetKind::Review, name).expect("read").expect("there");
        let events = sets::events(&conn, set.set_id).expect("read");
        events.last().cloned().expect("an event")
    };
    let (out, into) = (of("relevant"), of("not-relevant"));
    assert_eq!((out.count, into.count), (1, 3));
    assert_eq!((&out.reason, out.at_micros), (&into.reason, into.at_micros));
    // By the event of the state that items left, and by the general function.
    let undone = sets::undo(&conn, out.event_id, "", ANN).expect("undone");
    assert_eq!((undone.changed, undone.held_back), (3, 0));
    let before = [("needs-second-look", 1), ("not-relevant", 0), ("relevant", 2)];
    assert_eq!(counts(&conn), before.map(|(name, count)| (name.to_owned(), count)));
    let again = review::undo(&conn, into.event_id, "", ANN);
    assert!(matches!(again, Err(FactsError::NothingToUndo { .. })), "{again:?}");
    review::undo(&conn, undone.event.expect("an event"), "", ANN).expect("an undo is undone");
    assert_eq!(counts(&conn), after.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn names_that_say_nothing_or_the_absence_are_refused() {
    let conn = database();
    for name in ["", "  ", "a\"b", "Not-Reviewed", &"x".repeat(121)] {
        let refused = review::set(&conn, name, &bitmap(&[1]), "", ANN);
        assert!(
            matches!(refused, Err(FactsError::BadName { .. })),
            "{name:?}: {refused:?}"
        );
    }
    assert!(review::list(&conn).expect("listed").is_empty());
    assert!(privilege::mark(&conn, "\u{1b}", &bitmap(&[1]), "", ANN).is_err());
    let missing = review::undo(&conn, 7, "", ANN);
    assert!(matches!(missing, Err(FactsError::NotFound { .. })), "{missing:?}");
}

#[test]
fn marks_of_privilege_are_sets_of_their_own() {
    let conn = database();
    let marked = privilege::mark(&conn, "Legal", &bitmap(&[1, 2]), "ids from a", ANN).expect("marked");
    assert_eq!((marked.changed, marked.members), (2, 2));
    privilege::mark(&conn, "journalistic", &bitmap(&[2]), "", ANN).expect("marked");
    super::tags::add(&conn, "legal", &bitmap(&[9]), "", ANN).expect("a tag of the same name");
    let held = FactSets::load(&conn).expect("read");
    let found = held.of(&conn, &[ItemNo(2), ItemNo(9)]).expect("looked up");
    assert_eq!(found[0].privilege, ["journalistic", "Legal"]);
    assert!(found[1].privilege.is_empty() && found[1].tags == ["legal"]);
    let gone = privilege::unmark(&conn, "LEGAL", &bitmap(&[1, 5]), "", ANN).expect("unmarked");
    assert_eq!((gone.changed, gone.as_before, gone.members), (1, 1, 1));
    sets::undo(&conn, gone.event.expect("an event"), "", ANN).expect("undone");
    assert_eq!(privilege::find(&conn, "legal").expect("there").count, 2);
    assert!(privilege::unmark(&conn, "medical", &bitmap(&[1]), "", ANN).is_err());
    assert_eq!(sets::verify(&conn).expect("checked"), Vec::<String>::new());
}
