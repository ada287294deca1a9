use embley_model::field::Field;
use proptest::prelude::*;

use super::{MAX_DEPTH, MAX_QUERY_BYTES, parse};
use crate::tree::{DateSpec, Expr, ExprNode, Interval, Leaf, Near, Pattern, Piece, Span, Unit};

/// The query, parsed, printed canonically.
fn canonical(query: &str) -> String {
    match parse(query) {
        Ok(tree) => tree.to_string(),
        Err(error) => panic!("{}", error.render(query)),
    }
}

#[test]
fn queries_are_read_with_the_usual_precedence() {
    for (query, expected) in [
        ("fraud", "fraud"),
        ("*", "*"),
        ("a b", "a AND b"),
        ("a AND b OR c", "a AND b OR c"),
        ("a OR b c", "a OR b AND c"),
        ("(a OR b) c", "(a OR b) AND c"),
        ("a (b c)", "a AND (b AND c)"),
        ("NOT a b", "NOT a AND b"),
        ("NOT (a b)", "NOT (a AND b)"),
        ("NOT NOT a", "NOT NOT a"),
        ("a NOT b", "a AND NOT b"),
        ("a AND NOT b OR c", "a AND NOT b OR c"),
        ("((((a))))", "a"),
        ("a(b)c", "a AND b AND c"),
        ("\"a\"OR\"b\"", "\"a\" OR \"b\""),
        ("\"a\"/* c */ \"b\"", "\"a\" AND \"b\""),
        ("date:2001-05..2001", "date:2001-05..2001"),
        ("date:2001-05-14T10:00..2001-05-14", "date:2001-05-14T10:00..2001-05-14"),
        ("date:2001-05-14..2001-05", "date:2001-05-14..2001-05"),
        ("and or not near", "and AND or AND not AND near"),
        ("\t a \n b ", "a AND b"),
        ("\"fit for duty\" misconduct*", "\"fit for duty\" AND misconduct*"),
        ("“fit for duty”", "\"fit for duty\""),
        ("„fit“", "\"fit\""),
        ("subject:fraud", "subject:fraud"),
        ("SUBJECT:(fraud OR theft)", "subject:(fraud OR theft)"),
        ("subject:\"gross misconduct\"", "subject:\"gross misconduct\""),
        ("subject:*", "subject:*"),
        ("subject:re:fraud", "subject:re\\:fraud"),
        ("NOT subject:(a b)", "NOT subject:(a AND b)"),
        ("12:30", "12\\:30"),
        ("e-mail", "e-mail"),
        ("john.smith@example.org", "john.smith@example.org"),
        ("AT&T", "AT&T"),
        ("and/or", "and/or"),
        ("w/o", "w/o"),
        ("smith\\ john", "smith\\ john"),
        ("\"say \\\"no\\\"\"", "\"say \\\"no\\\"\""),
        ("custodian:\"Smith, John\"", "custodian:\"Smith, John\""),
        ("custodian:smith*", "custodian:smith*"),
        ("path:/home/mail/x~1", "path:\\/home/mail/x\\~1"),
        ("item:item:3f2a00/2.1", "item:item\\:3f2a00/2.1"),
        ("tag:-urgent", "tag:\\-urgent"),
        ("has:attachment type:email", "has:attachment AND type:email"),
        ("message-id:<a@b>", "message-id:\\<a@b>"),
        ("\"how are you?\"", "\"how are you\\?\""),
        ("date:2001", "date:2001"),
        ("date:2001-05..2001-07", "date:2001-05..2001-07"),
        ("date:>=2001-05-14", "date:>=2001-05-14"),
        ("date:..2001", "date:..2001"),
        ("date:2001..", "date:2001.."),
        (
            "date:2001-05-14T09:30..2001-05-14T09:30:15",
            "date:2001-05-14T09:30..2001-05-14T09:30:15",
        ),
        ("date:\"2001-05-14\"", "date:2001-05-14"),
        ("date:(2001 OR 2003)", "date:(2001 OR 2003)"),
        ("date:*", "date:*"),
        ("size:>10k", "size:>10240"),
        ("size:1M..2MB", "size:1048576..2097152"),
        ("size:<=1gib", "size:<=1073741824"),
    ] {
        assert_eq!(canonical(query), expected, "{query}");
    }
}

#[test]
fn patterns_distances_comments_and_dates_are_read_as_such() {
    for (query, expected) in [
        ("a w/5 b", "a w/5 b"),
        ("a W/5 b c", "a w/5 b AND c"),
        ("a pre/3 (b OR c)", "a pre/3 (b OR c)"),
        ("a not w/10 b", "a not w/10 b"),
        ("a NOT W/10 b", "a not w/10 b"),
        ("a NEAR b", "a NEAR b"),
        ("a near/4 b", "a NEAR/4 b"),
        ("NOT a w/5 b", "NOT a w/5 b"),
        ("a w/5 b w/3 c", "(a w/5 b) w/3 c"),
        ("a w/5 \"b c\" OR d", "a w/5 \"b c\" OR d"),
        ("subject:(a w/5 b)", "subject:(a w/5 b)"),
        ("(not) w/5 b", "(not) w/5 b"),
        ("bri?e", "bri?e"),
        ("*ment", "*ment"),
        ("a*b", "a*b"),
        ("a**", "a**"),
        ("\"bri* minister\"", "\"bri* minister\""),
        ("\"bri?e minister\"", "\"bri?e minister\""),
        ("bribe~", "bribe~"),
        ("bribe~2", "bribe~2"),
        ("/br[iy]be (a|b)/", "/br[iy]be (a|b)/"),
        ("subject:/a\\/b/ c", "subject:/a\\/b/ AND c"),
        ("bribe^", "bribe^"),
        ("=Will", "=Will"),
        ("=\"Will Smith\" OR =e-Mail", "=\"Will Smith\" OR =e-Mail"),
        ("subject:(=A =\"b\")", "subject:(=A AND =\"b\")"),
        ("(bribe^ OR a) w/3 b", "(bribe^ OR a) w/3 b"),
        ("/* all of it */ a/* b", "a/* AND b"),
        ("a /* x * / y */ AND /**/ b", "a AND b"),
        ("a not /* far */ w/3 b", "a not w/3 b"),
        ("date:14/05/2001", "date:2001-05-14"),
        ("date:\"14 May 2001\"", "date:2001-05-14"),
        ("date:\"1st jan 2001..3 Sept 2002\"", "date:2001-01-01..2002-09-03"),
        ("date:\"May 2001\"", "date:2001-05"),
        ("date:>=1/2/2001", "date:>=2001-02-01"),
        ("date:TODAY", "date:today"),
        ("date:-7d..yesterday", "date:-7d..yesterday"),
        ("date:last-30-days", "date:last-30-days"),
        ("date:last-1-year..", "date:last-1-years.."),
        ("date:this-week", "date:this-week"),
        ("date:<last-year", "date:<last-year"),
    ] {
        assert_eq!(canonical(query), expected, "{query}");
    }
    let near = |query: &str| match parse(query).map(|tree| tree.node) {
        Ok(ExprNode::Near { near, .. }) => near,
        other => panic!("{query} is not a distance: {other:?}"),
    };
    assert_eq!(near("a w/5 b"), Near::Within(5));
    assert_eq!(near("a not w/5 b"), Near::NotWithin(5));
    assert_eq!(near("a pre/5 b"), Near::Before(5));
    assert_eq!(near("a NEAR b"), Near::Named(None));
}

#[test]
fn an_error_points_at_its_character_and_says_what_to_do() {
    for (query, column, message, hint) in [
        ("", 1, "the query is empty", "write `*` for everything"),
        (" \n ", 1, "the query is empty", "write `*` for everything"),
        ("a AND", 3, "`AND` needs something on its right", "put it in quotes"),
        ("a AND )", 3, "`AND` needs something on its right", "quotes"),
        ("AND a", 1, "`AND` needs something on its left", "quotes"),
        (
            "a OR OR b",
            3,
            "`OR` needs something on its right, and `OR` follows",
            "quotes",
        ),
        ("a NOT", 3, "`NOT` needs something on its right", "quotes"),
        (
            "NOT AND a",
            1,
            "`NOT` needs something on its right, and `AND` follows",
            "quotes",
        ),
        ("w/5 b", 1, "`w/5` needs something on its left", "quotes"),
        ("a w/5", 3, "`w/5` needs something on its right", "quotes"),
        (
            "a w/5 NOT b",
            3,
            "`w/5` needs something on its right, and `NOT` follows",
            "quotes",
        ),
        ("é (a OR b", 3, "this parenthesis is not closed", ""),
        ("a b)", 4, "no parenthesis is open here", "\\)"),
        ("a ()", 3, "there is nothing between the parentheses", ""),
        ("a \"b c", 3, "this quote is not closed", "\\\""),
        ("a \" \"", 3, "there is nothing between the quotes", ""),
        (
            "a sbject:b",
            3,
            "no field is called `sbject`",
            "did you mean `subject:`?",
        ),
        (
            "zzzzzz:b",
            1,
            "no field is called `zzzzzz`",
            "the fields are subject, body",
        ),
        ("a :b", 3, "the name of a field is missing before the colon", "quotes"),
        (
            "subject: fraud",
            1,
            "a value is missing after `subject:`",
            "right behind the colon",
        ),
        ("subject:", 1, "a value is missing after `subject:`", ""),
        (
            "subject:(a from:b)",
            12,
            "`from:` stands inside `subject:`, and fields do not nest",
            "subject:(...) AND from:",
        ),
        ("a -b", 3, "`-` is not an operator here", "NOT"),
        ("a -\"b c\"", 3, "`-` is not an operator here", "NOT"),
        ("+a b", 1, "`+` is not an operator here", "AND"),
        ("!a", 1, "`!` is not an operator here", "NOT"),
        ("a && b", 3, "`&&` is not an operator here", "write AND"),
        ("a | b", 3, "`|` is not an operator here", "write OR"),
        (
            "\"gross mis\"*",
            12,
            "`*` stands right behind the quotes",
            "\"gross mis*\"",
        ),
        ("\"how are you\"?", 14, "`?` stands right behind the quotes", ""),
        ("(fraud OR theft)*", 17, "`*` stands right behind the parentheses", ""),
        ("=\"Gross\"*", 9, "`*` stands right behind the quotes", ""),
        (
            "date:\"May 2001\"..2002",
            16,
            "`..2002` stands right behind the quotes",
            "into them",
        ),
        (
            "\"say \"\"no\"\"\"",
            7,
            "`\"` stands right behind the quotes",
            "white space",
        ),
        (
            "\"fraud\"theft",
            8,
            "`theft` stands right behind the quotes",
            "white space",
        ),
        ("~user", 1, "`~` belongs after a whole word", "quotes"),
        ("bri*e~1", 1, "`~` belongs after a whole word", "quotes"),
        ("a~999", 1, "`~` belongs after a whole word", "quotes"),
        ("/abc", 1, "this regular expression is not closed", "quotes"),
        ("//", 1, "there is nothing between the slashes", "quotes"),
        (
            "/home/user",
            1,
            "a regular expression ends at its second slash",
            "quotes",
        ),
        ("C:\\Users x", 1, "no field is called `C`", "quotes"),
        ("path:C:\\Users", 8, "`\\U` has no meaning", "`\\\\` for a backslash"),
        ("a\\", 2, "a backslash stands at the end", "`\\\\`"),
        ("2001..2003", 1, "a range needs a field", "date:2001-05..2001-07"),
        (">10k", 1, "a range needs a field", "size:>10k"),
        ("date:2001-13", 6, "there is no date 2001-13", "2001-05-14"),
        ("date:2001-02-30", 6, "there is no date 2001-02-30", "2001-05-14"),
        ("date:05/14/2001", 6, "there is no month 14", "2001-05-14"),
        ("date:31/02/2001", 6, "there is no date 2001-02-31", "2001-05-14"),
        ("date:1/2/01", 10, "`1/2/01` cannot be read as a date", "2001-05-14"),
        (
            "date:\"14 Mai 2001\"",
            10,
            "`14 Mai 2001` cannot be read",
            "14 May 2001",
        ),
        ("date:this-day", 11, "a single day is `today`", "today"),
        ("date:last-3-fortnights", 13, "`fortnights` is not days", "last-30-days"),
        ("date:-7q", 8, "`q` is not d, w, m or y", "-7d"),
        ("a /* b", 3, "this comment is not closed", "`*/`"),
        ("a^2", 1, "`^` belongs after a whole word", "`word^`"),
        ("br*^", 1, "`^` belongs after a whole word", "`word^`"),
        (
            "a =Wor*",
            3,
            "the exact form `=` is of words as they are typed",
            "backslash",
        ),
        (
            "a =\"b c*\"",
            3,
            "the exact form `=` is of words as they are typed",
            "backslash",
        ),
        ("date:2001-5", 10, "`2001-5` cannot be read as a date", "2001-05"),
        (
            "date:2001..20x1",
            14,
            "`2001..20x1` cannot be read as a date",
            "2001-05",
        ),
        ("date:2002..2001-05", 6, "the range `2002..2001-05` runs backwards", ""),
        (
            "date:2001-05-15..2001-05-14T23:59",
            6,
            "the range `2001-05-15..2001-05-14T23:59` runs backwards",
            "",
        ),
        ("date:2003..2001", 6, "the range `2003..2001` runs backwards", ""),
        ("date:2001-05-14T25:00", 6, "there is no time 25:00", ""),
        ("date:..", 8, "`..` cannot be read as a date", ""),
        ("size:10q", 8, "`q` is not a unit of size", "1k is 1024"),
        ("size:99999999999G", 6, "`99999999999G` is too large", ""),
        ("size:big", 6, "`big` cannot be read as a number", "10k"),
        ("size:2M..1M", 6, "the range `2M..1M` runs backwards", ""),
    ] {
        let error = match parse(query) {
            Err(error) => error,
            Ok(tree) => panic!("{query} was read as {tree}"),
        };
        assert_eq!(error.column, column, "{query}: {error}");
        assert!(error.message.starts_with(message), "{query}: {error}");
        assert!(
            error.hint.clone().unwrap_or_default().contains(hint),
            "{query}: {error}"
        );
        assert!(error.offset + error.length <= query.len());
        assert!(error.render(query).contains('^'));
    }
}

#[test]
fn spans_are_the_bytes_of_each_part() {
    let query = "é AND subject:(\"b c\" OR d*)";
    let tree = parse(query).expect("a good query");
    let ExprNode::And(parts) = &tree.node else {
        panic!("not an AND: {tree:?}")
    };
    let text = |span: Span| &query[span.start..span.end];
    assert_eq!(text(tree.span), query);
    assert_eq!(text(parts[0].span), "é");
    let ExprNode::Field { field, name, inner } = &parts[1].node else {
        panic!("not a field: {tree:?}")
    };
    assert_eq!((*field, text(*name)), (Field::Subject, "subject"));
    let ExprNode::Or(leaves) = &inner.node else {
        panic!("not an OR: {tree:?}")
    };
    assert_eq!(text(leaves[0].span), "\"b c\"");
    assert_eq!(text(leaves[1].span), "d*");
}

#[test]
fn nesting_is_limited_and_the_limit_does_not_exhaust_the_stack() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let error = parse(&nested(MAX_DEPTH + 1)).expect_err("too deep");
    assert_eq!(error.offset, MAX_DEPTH);
    assert!(error.message.contains("256 levels deep"));
    assert!(parse(&format!("{}a", "NOT ".repeat(MAX_DEPTH))).is_ok());
    assert!(parse(&format!("{}a", "NOT ".repeat(100_000 / 4))).is_err());
    let chain = format!("a{}", " w/1 a".repeat(MAX_DEPTH));
    assert!(parse(&chain).is_ok());
    assert!(parse(&format!("{chain} w/1 a")).is_err());
    assert!(parse(&nested(100_000)).is_err());
}

#[test]
fn a_query_beyond_the_size_limit_is_refused_and_one_at_the_limit_is_not() {
    let long = "word ".repeat(MAX_QUERY_BYTES / 5);
    assert!(parse(&long).is_ok());
    let error = parse(&format!("{long}more words")).expect_err("too long");
    assert!(error.message.contains("at most 262144"), "{error}");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[a-zA-Z0-9 .:,;/\\\\\"*?~()<>&|!+=_@'“é漢-]{1,10}",
        "\\PC{1,6}",
        Just("w/5".to_owned()),
        Just("near/7".to_owned()),
        Just("not".to_owned()),
        Just("..5".to_owned()),
    ]
}

fn word() -> impl Strategy<Value = String> {
    text().prop_filter("operators are not words", |text| {
        !matches!(text.as_str(), "AND" | "OR" | "NOT" | "NEAR")
    })
}

fn pattern(inner: &'static str) -> impl Strategy<Value = Pattern> {
    let text = inner.prop_map(Piece::Text);
    (
        text.clone(),
        prop_oneof![Just(Piece::Star), Just(Piece::Question)],
        text,
    )
        .prop_map(|(a, wild, b)| Pattern(vec![a, wild, b]))
}

fn date() -> impl Strategy<Value = DateSpec> {
    let unit = proptest::sample::select(&Unit::ALL[..]);
    let relative = prop_oneof![
        Just(DateSpec::Today),
        Just(DateSpec::Yesterday),
        (0u16..10_000, unit.clone()).prop_map(|(count, unit)| DateSpec::Ago(count, unit)),
        (0u16..10_000, unit.clone()).prop_map(|(count, unit)| DateSpec::Past(count, unit)),
        unit.clone().prop_map(|unit| match unit {
            Unit::Day => DateSpec::Today,
            unit => DateSpec::This(unit),
        }),
        unit.prop_map(|unit| match unit {
            Unit::Day => DateSpec::Yesterday,
            unit => DateSpec::Last(unit),
        }),
    ];
    prop_oneof![2 => absolute_date(), 1 => relative]
}

fn absolute_date() -> impl Strategy<Value = DateSpec> {
    (1i16..=9999, 1i8..=12, 1i8..=28, 0i8..24, 0i8..60, 0i8..60, 0..5).prop_map(|(y, mo, d, h, mi, s, form)| match form
    {
        0 => DateSpec::Year(y),
        1 => DateSpec::Month(y, mo),
        2 => DateSpec::Day(y, mo, d),
        3 => DateSpec::Minute(y, mo, d, h, mi),
        _ => DateSpec::Second(y, mo, d, h, mi, s),
    })
}

fn interval<T: Clone + std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Interval<T>> {
    (one, 0..7).prop_map(|(value, form)| match form {
        0 => Interval::In(value),
        1 => Interval::Between(Some(value.clone()), Some(value)),
        2 => Interval::Between(None, Some(value)),
        3 => Interval::Between(Some(value), None),
        4 => Interval::Above(value),
        5 => Interval::AtLeast(value),
        _ => Interval::AtMost(value),
    })
}

fn whole_leaf() -> impl Strategy<Value = ExprNode> {
    prop_oneof![
        word().prop_map(Leaf::Word),
        text()
            .prop_filter("not only white space", |text| !text.trim().is_empty())
            .prop_map(Leaf::Phrase),
        text().prop_map(Leaf::Prefix),
        pattern("[a-z.:/ -]{1,4}").prop_map(Leaf::Wildcard),
        pattern("[a-z]{1,4}").prop_map(Leaf::PhrasePattern),
    ]
    .prop_map(ExprNode::Leaf)
}

fn leaf() -> impl Strategy<Value = ExprNode> {
    prop_oneof![
        4 => whole_leaf(),
        1 => (word(), proptest::option::of(0u8..20))
            .prop_map(|(word, distance)| ExprNode::Leaf(Leaf::Fuzzy { word, distance })),
        1 => "[a-z()| \\[\\]]{1,8}".prop_map(|text| ExprNode::Leaf(Leaf::Regex(text))),
        1 => word().prop_map(|word| ExprNode::Leaf(Leaf::Stem(word))),
        1 => (text().prop_filter("not only white space", |text| !text.trim().is_empty()), any::<bool>())
            .prop_map(|(text, quoted)| ExprNode::Leaf(Leaf::Exact { text, quoted })),
        1 => Just(ExprNode::All),
    ]
}

fn plain(node: ExprNode) -> Expr {
    Expr::new(node, Span::default())
}

fn tree(leaf: BoxedStrategy<ExprNode>) -> impl Strategy<Value = Expr> {
    leaf.prop_map(plain).prop_recursive(5, 40, 4, |inner| {
        let many = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            many.clone().prop_map(|parts| plain(ExprNode::And(parts))),
            many.prop_map(|parts| plain(ExprNode::Or(parts))),
            inner.clone().prop_map(|part| plain(ExprNode::Not(Box::new(part)))),
            (inner.clone(), inner, 0u32..9, 0..4).prop_map(|(left, right, words, form)| {
                plain(ExprNode::Near {
                    near: match form {
                        0 => Near::Within(words),
                        1 => Near::Before(words),
                        2 => Near::NotWithin(words),
                        _ => Near::Named(Some(words).filter(|words| *words > 4)),
                    },
                    operator: Span::default(),
                    left: Box::new(left),
                    right: Box::new(right),
                })
            }),
        ]
    })
}

fn field(field: Field, inner: Expr) -> Expr {
    plain(ExprNode::Field {
        field,
        name: Span::default(),
        inner: Box::new(inner),
    })
}

fn any_tree() -> impl Strategy<Value = Expr> {
    let words = tree(leaf().boxed()).prop_map(|inner| field(Field::Subject, inner));
    let whole = tree(whole_leaf().boxed()).prop_map(|inner| field(Field::Path, inner));
    let dates = tree(
        interval(date())
            .prop_map(|range| ExprNode::Leaf(Leaf::Dates(range)))
            .boxed(),
    )
    .prop_map(|inner| field(Field::Date, inner));
    let sizes = tree(
        interval(0u64..1 << 62)
            .prop_map(|range| ExprNode::Leaf(Leaf::Numbers(range)))
            .boxed(),
    )
    .prop_map(|inner| field(Field::Size, inner));
    tree(
        prop_oneof![
            leaf(),
            words.prop_map(|expr| expr.node),
            whole.prop_map(|expr| expr.node),
            dates.prop_map(|expr| expr.node),
            sizes.prop_map(|expr| expr.node),
        ]
        .boxed(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn printing_a_tree_and_parsing_the_print_gives_the_same_tree(tree in any_tree()) {
        let printed = tree.to_string();
        match parse(&printed) {
            Ok(again) => prop_assert_eq!(again.without_spans(), tree, "{}", printed),
            Err(error) => prop_assert!(false, "{}", error.render(&printed)),
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place_inside_it(query in "\\PC{0,40}") {
        check(&query)?;
    }

    #[test]
    fn any_mix_of_signs_is_read_or_refused_with_a_place_inside_it(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "b*", "\"", "(", ")", " ", " AND ", " OR ", " NOT ", "subject:", "date:", "size:", "custodian:",
                "2001", "..", ">", "=", "\\", "~", "/", "*", "?", "^", "=", "/*", "*/", "today", "last-3-days", "w/5", " not w/3 ", "NEAR", "é", "“", "”", "-", ":",
            ]),
            0..20,
        )
    ) {
        check(&parts.concat())?;
    }
}

/// Parses; what is read prints to something that reads the same, what is refused is refused inside the text.
fn check(query: &str) -> Result<(), TestCaseError> {
    match parse(query) {
        Ok(tree) => {
            let printed = tree.to_string();
            let again = parse(&printed).map_err(|error| TestCaseError::fail(error.render(&printed)))?;
            prop_assert_eq!(again.without_spans(), tree.without_spans(), "{} -> {}", query, printed);
        }
        Err(error) => {
            prop_assert!(error.offset + error.length <= query.len());
            prop_assert!(query.is_char_boundary(error.offset));
            prop_assert!(!error.render(query).is_empty());
        }
    }
    Ok(())
}
