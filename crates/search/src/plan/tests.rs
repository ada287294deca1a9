use std::collections::BTreeMap;
use std::sync::Arc;

use embley_index::Node;
use embley_model::field::Field;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::fold::simplify;
use super::scope::possible;
use super::{BoxError, Found, Mark, Plan, PlanContext, SetAsk, Sets, prepare};
use crate::error::{SearchError, SyntaxError};

/// Named sets in memory; whatever else is asked for is recorded in the items' numbers.
struct FakeSets(BTreeMap<(Field, &'static str), Vec<u32>>);

impl Sets for FakeSets {
    fn find(&self, field: Field, ask: &SetAsk) -> Result<Found, BoxError> {
        let mut found = Found::default();
        for ((of, name), items) in &self.0 {
            let fits = match ask {
                SetAsk::Any => true,
                SetAsk::Is(value) => name.eq_ignore_ascii_case(value),
                SetAsk::Begins(value) => name.to_lowercase().starts_with(&value.to_lowercase()),
                SetAsk::Words { words, last_is_prefix } => *name == format!("{} {last_is_prefix}", words.join(" ")),
            };
            if *of == field && fits {
                found.items.extend(items.iter().copied());
                found.names_count += 1;
            }
        }
        Ok(found)
    }

    fn names(&self, field: Field) -> Result<Vec<String>, BoxError> {
        if field == Field::Source {
            return Err("the disk is gone".into());
        }
        Ok(self
            .0
            .keys()
            .filter(|(of, _)| *of == field)
            .map(|(_, name)| (*name).to_owned())
            .collect())
    }
}

fn sets() -> FakeSets {
    FakeSets(BTreeMap::from([
        ((Field::Custodian, "Smith, John"), vec![1, 2, 3]),
        ((Field::Custodian, "Smythe"), vec![3, 4]),
        ((Field::Tag, "urgent"), vec![2]),
        ((Field::Tag, "empty"), vec![]),
        ((Field::Path, "mail inbox false"), vec![1]),
        ((Field::Path, "mail inb true"), vec![1, 9]),
        ((Field::Hash, "0123456789ab"), vec![7]),
        ((Field::Item, "12"), vec![12]),
        ((Field::Item, "item:0123abcd/2.1"), vec![13]),
        ((Field::Label, "seen"), vec![5]),
        ((Field::Has, "no-text"), vec![6]),
    ]))
}

fn planned(query: &str) -> Result<Plan, SearchError> {
    let sets = sets();
    prepare(
        query,
        &PlanContext {
            sets: &sets,
            zone: TimeZone::UTC,
        },
    )
}

fn good(query: &str) -> Plan {
    planned(query).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn refused(query: &str) -> SyntaxError {
    match planned(query) {
        Err(SearchError::Syntax(error)) => error,
        other => panic!("{query} was not refused: {other:?}"),
    }
}

fn shown(query: &str) -> String {
    super::show::node(&good(query).node).trim_end().replace("\n", " / ")
}

const ANY: &str = "subject, body, attachment, filename, from, to, cc, bcc";

#[test]
fn words_become_terms_and_what_folds_to_several_words_a_phrase() {
    for (query, expected) in [
        ("Fraud", format!("term \"fraud\" in {ANY}")),
        ("CAFÉ", format!("term \"cafe\" in {ANY}")),
        ("e-mail", format!("phrase [\"e\", \"mail\"] in {ANY}")),
        ("漢字", format!("phrase [\"漢\", \"字\"] in {ANY}")),
        ("\"Fraud\"", format!("term \"fraud\" in {ANY}")),
        ("mis*", format!("terms that begin \"mis\" in {ANY}")),
        (
            "e-mai*",
            format!("phrase [\"e\"] and a term that begins \"mai\" in {ANY}"),
        ),
        (
            "subject:\"gross misconduct\"",
            "phrase [\"gross\", \"misconduct\"] in subject".to_owned(),
        ),
        ("from:smith", "term \"smith\" in from".to_owned()),
        (
            "from:John.Smith@Example.org",
            "term \"john.smith@example.org\" in from".to_owned(),
        ),
        ("to:@example.org", "term \"@example.org\" in to".to_owned()),
        (
            "from:john.smith@*",
            "terms that begin \"john.smith@\" in from".to_owned(),
        ),
        ("participant:smith", "term \"smith\" in from, to, cc, bcc".to_owned()),
        ("address:J@X.org", "term \"j@x.org\" in from, to, cc, bcc".to_owned()),
        ("address:j*", "terms that begin \"j\" in from, to, cc, bcc".to_owned()),
        ("domain:X.org", "term \"@x.org\" in from, to, cc, bcc".to_owned()),
        ("domain:@x.org", "term \"@x.org\" in from, to, cc, bcc".to_owned()),
        ("type:EMAIL", "value \"email\" of type".to_owned()),
        ("type:image/*", "values that begin \"image/\" of type".to_owned()),
        ("has:attachment", "value \"attachment\" of has".to_owned()),
        ("defect:limit-depth", "value \"limit-depth\" of defect".to_owned()),
        ("defect:mail-*", "values that begin \"mail-\" of defect".to_owned()),
        ("message-id:<A@b>", "value \"a@b\" of message-id".to_owned()),
        ("size:>10k", "size from 10240 excluded to anything".to_owned()),
        (
            "date:2001",
            "date from 2001-01-01T00:00:00Z on to 2002-01-01T00:00:00Z excluded".to_owned(),
        ),
        ("subject:*", "any value of subject".to_owned()),
        ("date:*", "any value of date".to_owned()),
        ("*", "every item".to_owned()),
        ("NOT *", "no item".to_owned()),
        ("NOT NOT a", format!("term \"a\" in {ANY}")),
    ] {
        assert_eq!(shown(query), expected, "{query}");
    }
}

#[test]
fn sets_are_joined_before_the_index_is_asked() {
    for (query, expected) in [
        ("custodian:\"smith, john\"", "set of 3 items"),
        ("custodian:sm*", "set of 4 items"),
        ("custodian:\"Smith, J*\"", "set of 3 items"),
        ("custodian:(\"smith, john\" OR smythe)", "set of 4 items"),
        ("custodian:\"smith, john\" custodian:smythe", "set of 1 items"),
        ("custodian:*", "set of 4 items"),
        ("tag:urgent custodian:smythe", "no item"),
        ("tag:empty OR tag:urgent", "set of 1 items"),
        ("subject:x tag:empty", "no item"),
        ("subject:x OR tag:empty", "term \"x\" in subject"),
        ("subject:x NOT tag:empty", "term \"x\" in subject"),
        (
            "tag:urgent subject:x (subject:y *)",
            "AND /   term \"x\" in subject /   term \"y\" in subject /   set of 1 items",
        ),
        ("path:mail/inbox", "set of 1 items"),
        ("path:\"Mail/Inb*\"", "set of 2 items"),
        ("hash:sha256:0123456789AB", "set of 1 items"),
        ("item:12", "set of 1 items"),
        ("item:item:0123ABCD/2.1", "set of 1 items"),
        ("label:seen", "OR /   value \"seen\" of label /   set of 1 items"),
        ("has:no-text", "OR /   value \"no-text\" of has /   set of 1 items"),
    ] {
        assert_eq!(shown(query), expected, "{query}");
    }
}

#[test]
fn a_name_that_nothing_has_gives_no_items_and_says_so() {
    let plan = good("tag:urgend fraud");
    assert_eq!(plan.node, Node::Nothing);
    assert_eq!(
        plan.notes,
        ["nothing in this case fits `tag:urgend`; did you mean `urgent`?"]
    );
    assert!(good("tag:empty").notes.is_empty());
    assert_eq!(
        good("fraud or theft").notes,
        ["`or` in lower case is searched as a word; the operator is OR"]
    );
}

#[test]
fn a_set_that_cannot_be_read_is_an_error_with_its_cause() {
    let error = planned("source:x").expect_err("the names cannot be read");
    assert_eq!(error.to_string(), "the sets of `source` cannot be read");
    let cause = std::error::Error::source(&error).expect("a cause");
    assert_eq!(cause.to_string(), "the disk is gone");
}

#[test]
fn what_cannot_run_yet_is_refused_by_name_and_place() {
    for (query, offset, message) in [
        ("fraud w/5 theft", 6, "not available yet: proximity `w/5`"),
        ("subject:(a pre/3 b)", 11, "not available yet: proximity `pre/3`"),
        ("a not w/3 b", 2, "not available yet: proximity `not w/3`"),
        ("a NEAR b", 2, "not available yet: proximity `NEAR`"),
        ("x bri?e", 2, "not available yet: wildcard `bri?e`"),
        ("*ment", 0, "not available yet: wildcard `*ment`"),
        (
            "\"bri* minister\"",
            0,
            "not available yet: wildcard in a phrase `\"bri* minister\"`",
        ),
        ("bribe~1", 0, "not available yet: fuzzy word `bribe~1`"),
        ("/br.be/", 0, "not available yet: regular expression `/br.be/`"),
        ("language:en", 0, "not available yet: the field `language:`"),
        ("tag:u?gent", 4, "not available yet: wildcard `u?gent`"),
    ] {
        let error = refused(query);
        assert_eq!((error.offset, error.message.as_str()), (offset, message), "{query}");
    }
}

#[test]
fn what_cannot_be_meant_is_an_error_that_names_the_nearest() {
    for (query, offset, message, hint) in [
        ("fraud -- x", 6, "`-` is not an operator", ""),
        ("fraud ... x", 6, "there is no letter or digit in `...`", "take it away"),
        ("\"?!\"", 0, "there is no letter or digit in `?!`", ""),
        ("subject:_ a", 8, "there is no letter or digit in `_`", ""),
        (
            "john.*",
            0,
            "`john.*` has a sign between the word and its `*`",
            "right behind",
        ),
        ("address:@ a", 8, "there is no letter or digit in `@`", ""),
        (
            "has:atachment",
            4,
            "no property is called `atachment`",
            "did you mean `has:attachment`?",
        ),
        (
            "has:wings",
            4,
            "no property is called `wings`",
            "there are attachment, html",
        ),
        ("type:mail", 5, "no type is called `mail`", "did you mean `type:email`?"),
        ("type:pdf", 5, "no type is called `pdf`", "a media type has a slash"),
        (
            "defect:LIMIT-DEPHT",
            7,
            "no defect code is called `LIMIT-DEPHT`",
            "did you mean `defect:LIMIT-DEPTH`?",
        ),
        ("defect:ZZZ", 7, "no defect code is called `ZZZ`", "embley exceptions"),
        ("hash:abc", 5, "`abc` is not a hash", "BLAKE3"),
        ("hash:xyzxyzxyz", 5, "`xyzxyzxyz` is not a hash", ""),
        (
            "item:0x12",
            5,
            "`0x12` is neither an item number nor an item id",
            "item:1234",
        ),
    ] {
        let error = refused(query);
        assert_eq!(error.offset, offset, "{query}: {error}");
        assert!(error.message.starts_with(message), "{query}: {error}");
        assert!(
            error.hint.clone().unwrap_or_default().contains(hint),
            "{query}: {error}"
        );
    }
}

#[test]
fn positive_leaves_are_marked_and_negated_ones_are_not() {
    let marks = |query: &str| -> Vec<Mark> { good(query).highlights.into_iter().map(|one| one.mark).collect() };
    assert_eq!(
        marks("fraud \"gross misconduct\" mis* NOT theft tag:urgent fraud"),
        [
            Mark::Word("fraud".into()),
            Mark::Phrase(vec!["gross".into(), "misconduct".into()]),
            Mark::Prefix("mis".into()),
        ]
    );
    assert_eq!(marks("NOT (a OR NOT b)"), [Mark::Word("b".into())]);
    assert_eq!(marks("domain:x.org"), [Mark::Address("@x.org".into())]);
    assert_eq!(marks("e-mai*"), [Mark::PhrasePrefix(vec!["e".into()], "mai".into())]);
}

#[test]
fn the_scope_keeps_conditions_that_need_no_text() {
    for (query, expected) in [
        ("fraud", "every item"),
        ("fraud custodian:smythe", "set of 2 items"),
        ("fraud OR custodian:smythe", "every item"),
        ("NOT fraud", "every item"),
        ("NOT custodian:smythe fraud", "NOT /   set of 2 items"),
        ("NOT (fraud AND custodian:smythe)", "every item"),
        ("NOT (fraud OR custodian:smythe)", "NOT /   set of 2 items"),
        ("type:email subject:x", "value \"email\" of type"),
        ("tag:nothing fraud", "no item"),
    ] {
        let scope = super::show::node(&good(query).scope).trim_end().replace("\n", " / ");
        assert_eq!(scope, expected, "{query}");
    }
}

#[test]
fn explain_shows_tree_plan_and_scope() {
    let text = good("(fraud OR theft) custodian:smythe tag:urgend").explain();
    for line in [
        "query: (fraud OR theft) AND custodian:smythe AND tag:urgend",
        "    in custodian",
        "      word smythe",
        "plan",
        "  no item",
        "scope of what may not be searchable",
        "nothing in this case fits `tag:urgend`",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

/// An item: which of four texts and four keywords it has, and its number for sets.
#[derive(Clone, Copy, Debug)]
struct Item {
    texts: u8,
    keys: u8,
    number: u32,
}

fn matches(node: &Node, item: Item) -> bool {
    let bit = |bits: u8, name: &str| bits & (1 << name.parse::<u8>().expect("a digit")) != 0;
    match node {
        Node::All => true,
        Node::Nothing => false,
        Node::Term { token, .. } => bit(item.texts, token),
        Node::Keyword { value, .. } => bit(item.keys, value),
        Node::Items(items) => items.contains(item.number),
        Node::And(parts) => parts.iter().all(|part| matches(part, item)),
        Node::Or(parts) => parts.iter().any(|part| matches(part, item)),
        Node::Not(inner) => !matches(inner, item),
        other => panic!("not made here: {other:?}"),
    }
}

fn any_node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Node::All),
        Just(Node::Nothing),
        (0u8..4).prop_map(|n| Node::Term {
            fields: vec![Field::Body],
            token: n.to_string()
        }),
        (0u8..4).prop_map(|n| Node::Keyword {
            field: Field::Has,
            value: n.to_string()
        }),
        proptest::collection::vec(0u32..4, 0..4)
            .prop_map(|items| Node::Items(Arc::new(items.into_iter().collect::<RoaringBitmap>()))),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let many = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            many.clone().prop_map(Node::And),
            many.prop_map(Node::Or),
            inner.prop_map(|node| Node::Not(Box::new(node))),
        ]
    })
}

fn any_item() -> impl Strategy<Value = Item> {
    (0u8..16, 0u8..16, 0u32..4).prop_map(|(texts, keys, number)| Item { texts, keys, number })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn simplifying_changes_no_answer(node in any_node(), items in proptest::collection::vec(any_item(), 20)) {
        let simple = simplify(node.clone());
        for item in items {
            prop_assert_eq!(matches(&node, item), matches(&simple, item), "{:?} -> {:?}", node, simple);
        }
    }

    #[test]
    fn the_scope_holds_every_item_that_some_text_would_let_in(node in any_node(), item in any_item()) {
        let scope = simplify(possible(&node));
        let could = (0u8..16).any(|texts| matches(&node, Item { texts, ..item }));
        prop_assert!(!could || matches(&scope, item), "{:?} -> {:?}", node, scope);
    }
}
