//! A snapshot that hides items answers as one in which they never were: hits, order, scores, words, statistics.

use embley_index::{IndexStore, Node, Order, Snapshot, Want, WordPattern};
use embley_model::field::Field;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use roaring::RoaringBitmap;

use crate::corpus::{Item, commit};
use crate::oracle::{item, node};

const ITEMS: u32 = 80;

fn snapshot_of(items: &[(u32, &Item)], segments: u32) -> (Snapshot, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut groups = vec![Vec::new(); segments as usize];
    for (no, item) in items {
        groups[(no / 8 % segments) as usize].push((*no, *item));
    }
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(&mut store, &groups, 1);
    (Snapshot::open(folder.path()).expect("an index"), folder)
}

#[test]
fn what_is_hidden_changes_nothing_that_what_was_never_there_would_not() {
    let mut runner = TestRunner::deterministic();
    let items: Vec<Item> = (0..ITEMS)
        .map(|_| {
            let tree = item().new_tree(&mut runner);
            tree.expect("a strategy without filters").current()
        })
        .collect();
    let all: Vec<(u32, &Item)> = (1..).zip(&items).collect();
    let mut different = 0;
    for (round, segments) in [1, 4, 1, 4].into_iter().enumerate() {
        let hidden: RoaringBitmap = (1..=ITEMS)
            .filter(|no| (no.wrapping_mul(2_654_435_761) >> 28) as usize % 5 == round)
            .collect();
        assert!(!hidden.is_empty());
        let (mut hiding, _one) = snapshot_of(&all, segments);
        let (whole, _whole) = snapshot_of(&all, segments);
        let left: Vec<(u32, &Item)> = all.iter().copied().filter(|(no, _)| !hidden.contains(*no)).collect();
        let (without, _other) = snapshot_of(&left, 1);
        hiding.hide(&hidden).expect("an index");
        assert!(hiding.hides(&hidden) && !whole.hides(&hidden));
        assert_eq!(hiding.item_count(), without.item_count());
        for _ in 0..150 {
            let node = node()
                .new_tree(&mut runner)
                .expect("a strategy without filters")
                .current();
            for order in [Order::ItemNo, Order::DateAsc, Order::DateDesc, Order::Relevance] {
                let want = Want {
                    items: true,
                    top: Some((order, 0, 1000)),
                };
                let found = hiding.run(&node, want).expect("an index");
                assert_eq!(found, without.run(&node, want).expect("an index"), "{node:?} {order:?}");
                different += u32::from(found != whole.run(&node, want).expect("an index"));
            }
            assert_eq!(
                hiding.bits(&node).expect("an index").to_bitmap(),
                without.bits(&node).expect("an index").to_bitmap()
            );
        }
        for pattern in ["", "a", "b", "m"].map(WordPattern::prefix) {
            for field in [Field::Body, Field::Subject, Field::From] {
                let words = |snapshot: &Snapshot| snapshot.words(&[field], &pattern).expect("an index");
                assert_eq!(words(&hiding), words(&without), "{field:?} {pattern}");
                for word in words(&whole) {
                    let freq = |snapshot: &Snapshot| snapshot.doc_freq(field, &word).expect("an index");
                    assert_eq!(freq(&hiding), freq(&without), "{word}");
                }
            }
        }
        let visible: RoaringBitmap = left.iter().map(|(no, _)| *no).collect();
        let everything: RoaringBitmap = (1..=ITEMS).collect();
        assert_eq!(
            hiding.dates_of(&everything).expect("an index"),
            without.dates_of(&visible).expect("an index")
        );
        // And back: nothing is lost by it.
        hiding.hide(&RoaringBitmap::new()).expect("an index");
        let count = |snapshot: &Snapshot| {
            snapshot
                .run(
                    &Node::All,
                    Want {
                        items: false,
                        top: None,
                    },
                )
                .expect("an index")
                .count
        };
        assert_eq!(count(&hiding), count(&whole));
    }
    assert!(different > 100, "only {different} answers were changed by hiding");
}
