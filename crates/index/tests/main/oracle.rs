//! The index against an evaluator that looks at every token: random corpora, layouts and queries.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use embley_index::{IndexStore, Node, Order, Snapshot, Want, verify};
use embley_model::field::Field;
use embley_model::item::ItemKind;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use roaring::RoaringBitmap;

use crate::corpus::{Item, Oracle, Piece, commit};

/// Amid the dates of the made items.
const NEAR: Order = Order::Near { first: 1, end: 3 };

const WORDS: &[&str] = &[
    "a", "b", "ab", "abc", "abd", "bribe", "bribery", "Bribed", "minister", "the", "of", "é", "e", "日", "14a",
];
const TEXT_FIELDS: &[Field] = &[Field::Subject, Field::Body, Field::Attachment, Field::From, Field::To];
const LABELS: &[&str] = &["Inbox", "inbox ", "Inbox/Old", "Sent Items", ""];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS), 0..10).prop_map(|words| words.join(" "))
}

fn piece() -> impl Strategy<Value = Piece> {
    let word = || prop::sample::select(&WORDS[..6]);
    prop_oneof![
        3 => text().prop_map(Piece::Text),
        1 => (text(), word(), word()).prop_map(|(name, local, host)| Piece::Address(name, format!("{local}.x@{host}.b"))),
    ]
}

pub(crate) fn item() -> impl Strategy<Value = Item> {
    let texts = prop::collection::btree_map(
        prop::sample::select(TEXT_FIELDS),
        prop::collection::vec(piece(), 1..3),
        0..4,
    );
    let keywords = prop::collection::vec(prop::sample::select(LABELS), 0..3);
    (
        prop::sample::select(&ItemKind::ALL[..]),
        prop::option::of(-3_i64..6),
        0_u64..5,
        texts,
        keywords,
    )
        .prop_map(|(kind, date, size, texts, labels)| Item {
            kind,
            date,
            size,
            texts: texts.into_iter().collect(),
            keywords: labels
                .into_iter()
                .map(|label| (Field::Label, label.to_owned()))
                .collect(),
        })
}

/// Items, the segment each goes to, gaps between item numbers, which items are superseded and by what, and
/// whether segments are merged at the end.
#[derive(Clone, Debug)]
struct Layout {
    items: Vec<(Item, usize, bool)>,
    superseded: Vec<(prop::sample::Index, Item)>,
    merge_to: Option<usize>,
}

fn layout() -> impl Strategy<Value = Layout> {
    let items = prop::collection::vec((item(), 0..3_usize, prop::bool::weighted(0.1)), 1..40);
    let superseded = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec((any::<prop::sample::Index>(), item()), 1..4)
    ];
    (items, superseded, prop::option::of(1..3_usize)).prop_map(|(items, superseded, merge_to)| Layout {
        items,
        superseded,
        merge_to,
    })
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    prop_oneof![
        Just(embley_model::field::DEFAULT.to_vec()),
        prop::sample::select(TEXT_FIELDS).prop_map(|field| vec![field]),
        Just(embley_model::field::ROLES.to_vec()),
    ]
}

fn token() -> impl Strategy<Value = String> {
    const OTHERS: &[&str] = &["a.x@b.b", "@b.b", "absent", "brib*", "x", "e"];
    prop_oneof![5 => prop::sample::select(WORDS), 1 => prop::sample::select(OTHERS)].prop_map(str::to_lowercase)
}

fn bound() -> impl Strategy<Value = Bound<i64>> {
    prop_oneof![
        Just(Bound::Unbounded),
        (-4_i64..7).prop_map(Bound::Included),
        (-4_i64..7).prop_map(Bound::Excluded),
    ]
}

pub(crate) fn node() -> impl Strategy<Value = Node> {
    let label = || prop::sample::select(LABELS);
    let leaf = prop_oneof![
        1 => Just(Node::All),
        1 => Just(Node::Nothing),
        6 => (fields(), token()).prop_map(|(fields, token)| Node::Term { fields, token }),
        6 => (fields(), prop::collection::vec(token(), 0..4)).prop_map(|(fields, tokens)| Node::Phrase { fields, tokens }),
        2 => (fields(), prop::collection::vec(token(), 0..3), prop::sample::select(&["", "a", "br", "e"][..]))
            .prop_map(|(fields, tokens, prefix)| Node::PhrasePrefix { fields, tokens, prefix: prefix.to_owned() }),
        3 => (fields(), prop::sample::select(&["", "a", "ab", "bribe", "@", "zz", "日"][..]))
            .prop_map(|(fields, prefix)| Node::Prefix { fields, prefix: prefix.to_owned() }),
        2 => label().prop_map(|value| Node::Keyword { field: Field::Label, value: value.to_owned() }),
        1 => prop::sample::select(&["email", "record", "docu"][..])
            .prop_map(|value| Node::Keyword { field: Field::Type, value: value.to_owned() }),
        1 => prop::sample::select(&["in", "Sent", "zz"][..])
            .prop_map(|prefix| Node::KeywordPrefix { field: Field::Label, prefix: prefix.to_owned() }),
        2 => (bound(), bound()).prop_map(|(low, high)| Node::Range { field: Field::Date, low, high }),
        1 => (bound(), bound()).prop_map(|(low, high)| Node::Range { field: Field::Size, low, high }),
        1 => prop::sample::select(&[Field::Date, Field::Label, Field::Body, Field::Size, Field::To][..])
            .prop_map(|field| Node::Exists { field }),
        2 => prop::collection::btree_set(0_u32..60, 0..30)
            .prop_map(|items| Node::Items(Arc::new(items.into_iter().collect()))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Node::And),
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Node::Or),
            2 => inner.prop_map(|child| Node::Not(Box::new(child))),
        ]
    })
}

/// Builds the index of a layout in two commits and gives the items that are then in it.
fn build(folder: &std::path::Path, layout: &Layout) -> Vec<(u32, Item)> {
    let mut numbered: Vec<(u32, Item)> = Vec::new();
    let mut groups: Vec<Vec<(u32, &Item)>> = vec![Vec::new(); 3];
    let mut no = 0;
    for (item, segment, gap) in &layout.items {
        no += if *gap { 5 } else { 1 };
        numbered.push((no, item.clone()));
        groups[*segment].push((no, item));
    }
    let mut store = IndexStore::open_or_create(folder).expect("a new folder");
    commit(&mut store, &groups, 1);
    let mut replaced = BTreeMap::new();
    for (at, item) in &layout.superseded {
        replaced.insert(at.index(numbered.len()), item);
    }
    if !replaced.is_empty() {
        let numbers: RoaringBitmap = replaced.keys().map(|at| numbered[*at].0).collect();
        store.delete_items(&numbers);
        let group: Vec<(u32, &Item)> = replaced.iter().map(|(at, item)| (numbered[*at].0, *item)).collect();
        commit(&mut store, &[group], 2);
        for (at, item) in &replaced {
            numbered[*at].1 = (*item).clone();
        }
    }
    if let Some(max_segments) = layout.merge_to {
        let merged = store.merge(max_segments).expect("the folder can be written");
        assert!(merged.after <= max_segments);
        // A second merge has nothing to do unless superseded items keep a segment apart.
        assert_eq!(store.segment_count(), merged.after);
    }
    numbered
}

fn check(
    snapshot: &Snapshot,
    oracle: &Oracle,
    exact_scores: bool,
    node: &Node,
    offset: usize,
    limit: usize,
) -> Result<usize, TestCaseError> {
    let expected = oracle.matching(node);
    // Items that were superseded count in the statistics of words until they are merged away.
    let scores = |order| exact_scores.then(|| oracle.ordered(node, order).into_iter().collect::<BTreeMap<_, _>>());
    let counted = snapshot.run(node, Want::default()).expect("a whole index");
    prop_assert_eq!(counted.count as usize, expected.len());
    prop_assert!(counted.items.is_none() && counted.top.is_empty());
    for order in [Order::ItemNo, Order::DateAsc, Order::DateDesc, NEAR, Order::Relevance] {
        let want = Want {
            items: true,
            top: Some((order, offset, limit)),
        };
        let found = snapshot.run(node, want).expect("a whole index");
        prop_assert_eq!(found.count as usize, expected.len());
        let items: Vec<u32> = found.items.iter().flatten().collect();
        prop_assert_eq!(&items, &expected);
        let ordered = oracle.ordered(node, order);
        let page: Vec<(u32, f32)> = ordered.iter().copied().skip(offset).take(limit).collect();
        same_order(&found.top, &page, &scores(order), order)?;
        let streamed: Vec<(u32, f32)> = snapshot.stream(node, order).expect("a whole index").collect();
        same_order(&streamed, &ordered, &scores(order), order)?;
    }
    Ok(expected.len())
}

/// Equal, or for relevance equal but for rounding in the scores; without `scores` only the order by score and
/// number is checked.
fn same_order(
    found: &[(u32, f32)],
    expected: &[(u32, f32)],
    scores: &Option<BTreeMap<u32, f32>>,
    order: Order,
) -> Result<(), TestCaseError> {
    if order != Order::Relevance {
        prop_assert_eq!(found, expected);
        return Ok(());
    }
    prop_assert_eq!(found.len(), expected.len());
    for (at, ((item, score), (_, wanted))) in found.iter().zip(expected).enumerate() {
        if let Some(scores) = scores {
            let own = scores[item];
            prop_assert!(
                (score - own).abs() <= 1e-4 * own.max(1.0),
                "item {} scores {} for {}",
                item,
                score,
                own
            );
            prop_assert!((score - wanted).abs() <= 1e-4 * wanted.max(1.0));
        }
        if at > 0 {
            let (before, higher) = found[at - 1];
            prop_assert!(higher > *score || (higher == *score && before < *item));
        }
    }
    Ok(())
}

#[test]
fn every_query_finds_what_looking_at_every_token_finds() {
    let (pairs, hits, some) = (Cell::new(0_usize), Cell::new(0_usize), Cell::new(0_usize));
    let mut runner = TestRunner::new(Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    });
    let queries = prop::collection::vec((node(), 0..4_usize, 0..12_usize), 40);
    runner
        .run(&(layout(), queries), |(layout, queries)| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let items = build(folder.path(), &layout);
            prop_assert_eq!(verify(folder.path()).expect("an index"), Vec::new());
            let oracle = Oracle::new(items.iter().map(|(no, item)| (*no, item)));
            let snapshot = Snapshot::open(folder.path()).expect("an index");
            prop_assert_eq!(snapshot.item_count() as usize, items.len());
            for (node, offset, limit) in &queries {
                let found = check(&snapshot, &oracle, layout.superseded.is_empty(), node, *offset, *limit)?;
                pairs.set(pairs.get() + 1);
                hits.set(hits.get() + found);
                some.set(some.get() + usize::from(found > 0 && found < items.len()));
            }
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
    assert!(pairs.get() >= 4000);
    assert!(
        some.get() * 4 > pairs.get(),
        "too few queries tell items apart: {}",
        some.get()
    );
    assert!(hits.get() > 8000);
}

#[test]
fn answers_are_the_same_for_any_number_of_threads_and_segments() {
    let mut runner = TestRunner::deterministic();
    let items: Vec<Item> = (0..300)
        .map(|_| {
            item()
                .new_tree(&mut runner)
                .expect("a strategy without filters")
                .current()
        })
        .collect();
    let mut layouts = Vec::new();
    for segment_count in [1, 4] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut groups = vec![Vec::new(); segment_count];
        for (no, item) in items.iter().enumerate() {
            groups[no / 10 % segment_count].push((no as u32, item));
        }
        let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
        commit(&mut store, &groups, 1);
        layouts.push((Snapshot::open(folder.path()).expect("an index"), folder));
    }
    assert_eq!(layouts[1].0.segment_count(), 4);
    for _ in 0..100 {
        let node = node()
            .new_tree(&mut runner)
            .expect("a strategy without filters")
            .current();
        for order in [Order::DateDesc, Order::Relevance, Order::ItemNo] {
            let want = Want {
                items: true,
                top: Some((order, 1, 20)),
            };
            let mut outcomes = Vec::new();
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .expect("threads");
                for (snapshot, _) in &layouts {
                    outcomes.push(pool.install(|| snapshot.run(&node, want)).expect("an index"));
                }
            }
            assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{node:?}");
        }
    }
}

#[test]
fn columns_of_many_items_with_and_without_gaps_are_read_as_those_of_few() {
    let mut runner = TestRunner::deterministic();
    let items: Vec<Item> = (0..5000_u32)
        .map(|no| {
            let mut item = Item::body(if no % 3 == 0 { "often" } else { "seldom" });
            item.date = (no % 7 != 0 && no / 1000 != 2 || no % 1000 > 500)
                .then(|| i64::from(no.wrapping_mul(2_654_435_761) % 1000) - 500);
            item.size = u64::from(no % 11);
            item
        })
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    let numbered: Vec<(u32, &Item)> = items
        .iter()
        .enumerate()
        .map(|(no, item)| (no as u32 * 2, item))
        .collect();
    commit(&mut store, std::slice::from_ref(&numbered), 1);
    let snapshot = Snapshot::open(folder.path()).expect("an index");
    let oracle = Oracle::new(numbered);
    let bounds = (
        prop_oneof![Just(Bound::Unbounded), (-600_i64..600).prop_map(Bound::Included)],
        bound(),
    );
    for _ in 0..40 {
        let (low, high) = bounds
            .new_tree(&mut runner)
            .expect("a strategy without filters")
            .current();
        let often = Node::Term {
            fields: vec![Field::Body],
            token: "often".to_owned(),
        };
        for field in [Field::Date, Field::Size] {
            for (low, high) in [(low, high), (high, low)] {
                let range = Node::Range { field, low, high };
                for node in [range.clone(), Node::And(vec![often.clone(), range])] {
                    let expected = oracle.matching(&node);
                    for order in [Order::DateAsc, Order::DateDesc, NEAR] {
                        let want = Want {
                            items: true,
                            top: Some((order, 3, 30)),
                        };
                        let found = snapshot.run(&node, want).expect("an index");
                        assert_eq!(found.items.iter().flatten().collect::<Vec<_>>(), expected);
                        let page: Vec<_> = oracle.ordered(&node, order).into_iter().skip(3).take(30).collect();
                        assert_eq!(found.top, page);
                    }
                }
            }
        }
    }
}

#[test]
fn phrases_over_long_lists_are_found_whichever_way_they_are_read() {
    // Lists of many blocks, common and rare words, many occurrences a document; lengths to 40 are kept exactly.
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let items: Vec<Item> = (0..3000)
        .map(|_| {
            let words: Vec<String> = (0..next(40))
                .map(|_| format!("w{}", next(12) * next(12) * next(2) / 10))
                .collect();
            Item::body(&words.join(" "))
        })
        .collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    let numbered: Vec<(u32, &Item)> = items.iter().enumerate().map(|(no, item)| (no as u32, item)).collect();
    commit(&mut store, std::slice::from_ref(&numbered), 1);
    let snapshot = Snapshot::open(folder.path()).expect("an index");
    let oracle = Oracle::new(numbered);
    let rare = Node::Items(Arc::new((0..3000_u32).filter(|no| no % 37 == 0).collect()));
    let phrases = [
        &["w0", "w0"][..],
        &["w0", "w1"],
        &["w1", "w0", "w2"],
        &["w11", "w0"],
        &["w0", "w0", "w0", "w9"],
        &["w12", "w10"],
    ];
    let mut matched = 0;
    for tokens in phrases {
        let phrase = Node::Phrase {
            fields: vec![Field::Body, Field::Subject],
            tokens: tokens.iter().map(|token| (*token).to_owned()).collect(),
        };
        for node in [phrase.clone(), Node::And(vec![phrase, rare.clone()])] {
            let expected = oracle.ordered(&node, Order::Relevance);
            let found: Vec<_> = snapshot.stream(&node, Order::Relevance).expect("an index").collect();
            let scores = Some(expected.iter().copied().collect());
            same_order(&found, &expected, &scores, Order::Relevance).expect("the same order");
            matched += found.len();
        }
    }
    assert!(matched > 1000, "{matched}");
}
