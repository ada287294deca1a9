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
use crate::family::Level;

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
            // 2001-05-14, a Monday.
            now: 989_836_200,
            exact: None,
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
    super::show::node(&good(query).node, Level::Item)
        .trim_end()
        .replace("\n", " / ")
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
fn proximity_and_patterns_become_spans_and_words() {
    for (query, expected) in [
        (
            "subject:(fraud w/5 theft)",
            "(\"fraud\" within 5 of \"theft\") in subject",
        ),
        ("a PRE/3 b", &format!("(\"a\" at most 3 before \"b\") in {ANY}")),
        ("subject:(a not w/300 b)", "(\"a\" not within 300 of \"b\") in subject"),
        (
            "subject:(a w/5 b w/3 \"c d\")",
            "((\"a\" within 5 of \"b\") within 3 of [\"c\", \"d\"]) in subject",
        ),
        (
            "subject:((a OR e-mail) w/5 (b pre/1 Bri*))",
            "((\"a\" or [\"e\", \"mail\"]) within 5 of (\"b\" at most 1 before <words that begin \"bri\">)) in subject",
        ),
        (
            "from:(john.smith@x.org w/3 Ann)",
            "(\"john.smith@x.org\" within 3 of \"ann\") in from",
        ),
        ("subject:BRI?E", "words like \"bri?e\" in subject"),
        ("subject:*ment", "words like \"*ment\" in subject"),
        ("subject:a**b", "words like \"a*b\" in subject"),
        ("subject:e-m?il", "[\"e\", <words like \"m?il\">] in subject"),
        (
            "subject:\"bri* minister\"",
            "[<words like \"bri*\">, \"minister\"] in subject",
        ),
        ("subject:Bribé~", "words at most 1 edits from \"bribe\" in subject"),
        ("subject:bribe~2", "words at most 2 edits from \"bribe\" in subject"),
        ("subject:/br[iy]be/", "words of the form /br[iy]be/ in subject"),
        (
            "subject:Bribed^",
            "words with the stem \"bribe\" of \"bribed\" in subject",
        ),
        ("subject:\"Fr?ud\"", "words like \"fr?ud\" in subject"),
        (
            "subject:(a /* one */ w/5 /* two */ b)",
            "(\"a\" within 5 of \"b\") in subject",
        ),
    ] {
        assert_eq!(shown(query), expected, "{query}");
    }
}

#[test]
fn what_is_not_run_is_refused_by_name_and_place() {
    for (query, offset, message, hint) in [
        ("a NEAR b", 2, "`NEAR` is not an operator here", "`w/5`"),
        ("a near/9 b", 2, "`NEAR/9` is not an operator here", "`w/9`"),
        ("a w/0 b", 2, "`w/0` can find nothing", "1 or more"),
        (
            "(a AND b) w/5 c",
            0,
            "AND has no place in proximity",
            "`(a w/5 c) AND (b w/5 c)`",
        ),
        (
            "c pre/2 (a b)",
            8,
            "AND has no place in proximity",
            "`(c pre/2 a) AND (c pre/2 b)`",
        ),
        ("a w/5 (NOT b)", 6, "NOT has no place in proximity", "`a not w/5 b`"),
        ("a w/5 (b OR (c d))", 12, "AND has no place in proximity", "`w/n`"),
        ("a w/5 *", 6, "`*` alone stands for everything", "wildcards"),
        (
            "subject:a w/5 b",
            0,
            "`subject:` stands inside proximity",
            "`subject:(a w/5 b)`",
        ),
        ("tag:(a w/5 b)", 7, "`tag:` holds whole values", "AND"),
        ("domain:(a w/5 b)", 10, "`domain:` holds whole values", "AND"),
        (
            "x =Will",
            2,
            "the exact form `=Will` needs the texts of items",
            "embley search",
        ),
        (
            "a w/5 =Will",
            6,
            "the exact form `=Will` has no place in proximity",
            "beside",
        ),
        ("x bribe~3", 2, "`bribe~3`: at most 2 edits are allowed", "`word^`"),
        (
            "e-mail~1",
            0,
            "`e-mail~1` is 2 words, and a fuzzy word is one",
            "`pre/1`",
        ),
        ("e-mail^", 0, "`e-mail^` is 2 words, and a stem is one", "`pre/1`"),
        (
            "a /b^r/",
            4,
            "this regular expression cannot be used: anchors",
            "whole words",
        ),
        (
            "a /b(r/",
            4,
            "this regular expression cannot be used: unclosed group",
            "",
        ),
        ("/caf\u{e9}/", 4, "this regular expression cannot be used: `\u{e9}`", ""),
        (
            "\"gross * misconduct\"",
            0,
            "in `\"gross * misconduct\"` a `*` stands alone",
            "`w/2`",
        ),
        ("e-*l-*", 0, "in `e-*l-*` a `*` stands alone", ""),
        ("from:j*@x.org", 5, "`j*@x.org` is neither words", "`address:`"),
        ("tag:u?gent", 4, "not available yet: wildcard `u?gent`", "whole"),
        ("language:wels", 9, "no language is called `wels`", "`language:welsh`"),
        ("language:en*", 9, "`en*` is no language", "`language:*`"),
        ("date:today..2000", 5, "the range `today..2000` runs backwards", ""),
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
fn relative_dates_are_counted_from_the_day_that_is_given() {
    let from_to = |low: &str, high: &str| format!("date from {low}T00:00:00Z on to {high}T00:00:00Z excluded");
    for (query, expected) in [
        ("date:today", from_to("2001-05-14", "2001-05-15")),
        ("date:yesterday", from_to("2001-05-13", "2001-05-14")),
        ("date:-7d", from_to("2001-05-07", "2001-05-08")),
        ("date:-2w..yesterday", from_to("2001-04-30", "2001-05-14")),
        ("date:last-30-days", from_to("2001-04-14", "2001-05-15")),
        ("date:last-3-months", from_to("2001-02-14", "2001-05-15")),
        ("date:this-week", from_to("2001-05-14", "2001-05-21")),
        ("date:last-week", from_to("2001-05-07", "2001-05-14")),
        ("date:this-month", from_to("2001-05-01", "2001-06-01")),
        ("date:last-month", from_to("2001-04-01", "2001-05-01")),
        ("date:this-year", from_to("2001-01-01", "2002-01-01")),
        ("date:last-year", from_to("2000-01-01", "2001-01-01")),
        ("date:2000..-1y", from_to("2000-01-01", "2000-05-15")),
        ("date:-7d..", "date from 2001-05-07T00:00:00Z on to anything".to_owned()),
        (
            "date:<this-year",
            "date from anything to 2001-01-01T00:00:00Z excluded".to_owned(),
        ),
    ] {
        assert_eq!(shown(query), expected, "{query}");
        let note = "dates relative to the present are counted from 2001-05-14";
        assert_eq!(good(query).notes, [note], "{query}");
    }
    assert!(good("date:2001").notes.is_empty());
    assert!(shown("date:-2000y").contains("0001-05-14"));
}

#[test]
fn the_word_near_is_not_searched_in_silence() {
    assert_eq!(
        good("a near b").notes,
        ["`near` is searched as a word; nearness is written `w/5`"]
    );
    assert!(good("a \"near\" b").notes.is_empty());
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
        let scope = super::show::node(&good(query).scope, Level::Item)
            .trim_end()
            .replace("\n", " / ");
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
        let simple = simplify(node.clone(), Level::Item);
        for item in items {
            prop_assert_eq!(matches(&node, item), matches(&simple, item), "{:?} -> {:?}", node, simple);
        }
    }

    #[test]
    fn the_scope_holds_every_item_that_some_text_would_let_in(node in any_node(), item in any_item()) {
        let scope = simplify(possible(&node), Level::Item);
        let could = (0u8..16).any(|texts| matches(&node, Item { texts, ..item }));
        prop_assert!(!could || matches(&scope, item), "{:?} -> {:?}", node, scope);
    }
}
