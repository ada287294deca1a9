//! Queries that the engine's own parser answers wrongly in silence; here they mean what they say.

use std::ops::Bound;

use embley_index::{Node, Order, Want};
use embley_model::field::{DEFAULT, Field, ROLES};

use crate::corpus::{Item, Piece, index_of};

const NONE: [u32; 0] = [];

fn found(items: &[Item], node: &Node) -> Vec<u32> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let snapshot = index_of(folder.path(), items);
    let want = Want {
        items: true,
        top: Some((Order::ItemNo, 0, 100)),
    };
    let outcome = snapshot.run(node, want).expect("an index");
    let items: Vec<u32> = outcome.items.iter().flatten().collect();
    assert_eq!(outcome.count as usize, items.len());
    items
}

fn bodies() -> Vec<Item> {
    [
        "the bribe to the minister",
        "bribery near home",
        "minister took a bribe",
        "nothing",
    ]
    .map(Item::body)
    .to_vec()
}

fn phrase(words: &[&str]) -> Node {
    Node::Phrase {
        fields: DEFAULT.to_vec(),
        tokens: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

fn term(token: &str) -> Node {
    Node::Term {
        fields: DEFAULT.to_vec(),
        token: token.to_owned(),
    }
}

#[test]
fn operators_inside_a_token_are_plain_characters() {
    for token in [
        "brib*",
        "bribe~1",
        "bri?e",
        "/brib.*/",
        "\"bribe\"",
        "bribe^2",
        "body:bribe",
        "near",
    ] {
        let expected: &[u32] = if token == "near" { &[1] } else { &[] };
        assert_eq!(found(&bodies(), &term(token)), expected, "{token}");
    }
}

#[test]
fn a_prefix_finds_every_continuation_and_a_term_only_itself() {
    let prefix = Node::Prefix {
        fields: DEFAULT.to_vec(),
        prefix: "brib".to_owned(),
    };
    assert_eq!(found(&bodies(), &prefix), [0, 1, 2]);
    assert_eq!(found(&bodies(), &term("bribe")), [0, 2]);
}

#[test]
fn a_phrase_is_ordered_and_adjacent() {
    assert_eq!(found(&bodies(), &phrase(&["bribe", "minister"])), NONE);
    assert_eq!(found(&bodies(), &phrase(&["minister", "took"])), [2]);
    assert_eq!(found(&bodies(), &phrase(&["took", "minister"])), NONE);
    assert_eq!(found(&[Item::body("that that is")], &phrase(&["that", "that"])), [0]);
    assert_eq!(found(&[Item::body("that is that")], &phrase(&["that", "that"])), NONE);
}

#[test]
fn pure_negations_and_empty_groups_have_their_plain_meaning() {
    assert_eq!(found(&bodies(), &Node::Not(Box::new(term("bribe")))), [1, 3]);
    let neither = [term("bribe"), term("bribery")]
        .map(|node| Node::Not(Box::new(node)))
        .to_vec();
    assert_eq!(found(&bodies(), &Node::And(neither.clone())), [3]);
    assert_eq!(found(&bodies(), &Node::Or(neither)), [0, 1, 2, 3]);
    assert_eq!(found(&bodies(), &Node::And(Vec::new())), [0, 1, 2, 3]);
    assert_eq!(found(&bodies(), &Node::Or(Vec::new())), NONE);
    assert_eq!(found(&bodies(), &phrase(&[])), NONE);
}

#[test]
fn no_phrase_joins_two_addresses_or_two_parts() {
    let mut item = Item::body("one");
    item.texts = vec![
        (
            Field::To,
            vec![
                Piece::Address("Ann Lee".into(), "ann@met.example".into()),
                Piece::Address("Bob Ray".into(), "bob@cid.example".into()),
            ],
        ),
        (
            Field::Attachment,
            vec![Piece::Text("first end".into()), Piece::Text("second start".into())],
        ),
    ];
    let items = [item];
    assert_eq!(found(&items, &phrase(&["ann", "lee"])), [0]);
    assert_eq!(found(&items, &phrase(&["lee", "ann"])), NONE);
    assert_eq!(found(&items, &phrase(&["example", "bob"])), NONE);
    assert_eq!(found(&items, &phrase(&["end", "second"])), NONE);
    assert_eq!(found(&items, &phrase(&["met", "example"])), [0]);
    let roles = |token: &str| Node::Term {
        fields: ROLES.to_vec(),
        token: token.to_owned(),
    };
    assert_eq!(found(&items, &roles("ann@met.example")), [0]);
    assert_eq!(found(&items, &roles("@cid.example")), [0]);
    assert_eq!(found(&items, &roles("bob@met.example")), NONE);
}

#[test]
fn words_over_old_length_limits_are_found_whole() {
    let long = "x".repeat(120);
    let longest = "y".repeat(300);
    let items = [Item::body(&format!("see {long}")), Item::body(&longest)];
    assert_eq!(found(&items, &term(&long)), [0]);
    assert_eq!(found(&items, &term(&"y".repeat(200))), [1]);
}

#[test]
fn bounds_at_the_ends_of_the_number_line_do_not_wrap() {
    let mut dated = Item::body("x");
    dated.date = Some(i64::MAX);
    let mut early = Item::body("x");
    early.date = Some(-5);
    let items = [dated, early, Item::body("x")];
    let range = |low, high| Node::Range {
        field: Field::Date,
        low,
        high,
    };
    assert_eq!(found(&items, &range(Bound::Unbounded, Bound::Unbounded)), [0, 1]);
    assert_eq!(found(&items, &range(Bound::Excluded(i64::MAX), Bound::Unbounded)), NONE);
    assert_eq!(found(&items, &range(Bound::Unbounded, Bound::Excluded(i64::MIN))), NONE);
    assert_eq!(found(&items, &range(Bound::Included(-5), Bound::Excluded(0))), [1]);
}

#[test]
fn a_field_used_as_what_it_is_not_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let snapshot = index_of(folder.path(), &bodies());
    let refused = [
        Node::Term {
            fields: vec![Field::Label],
            token: "x".into(),
        },
        Node::Keyword {
            field: Field::Body,
            value: "x".into(),
        },
        Node::Range {
            field: Field::Body,
            low: Bound::Unbounded,
            high: Bound::Unbounded,
        },
        Node::Exists { field: Field::Tag },
        Node::Prefix {
            fields: vec![Field::Participant],
            prefix: "x".into(),
        },
    ];
    for node in refused {
        let why = snapshot.run(&node, Want::default()).expect_err("misuse");
        assert_eq!(why.class(), embley_index::ErrorClass::Input, "{why}");
    }
}
