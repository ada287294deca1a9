//! Queries about the small case.

use std::collections::BTreeMap;

use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_search::plan::{BoxError, SetAsk};
use embley_search::{
    DecisionLink, Facet, Hit, HitLinks, Links, Scope, SearchError, SearchOptions, Searcher, Sets, Sort,
};
use embley_store::facts::{Stamp, exhibits, tags};
use roaring::RoaringBitmap;
use serde_json::Value;

use crate::small_case::{ListTexts, NOW, SmallCase};

fn searcher(case: &SmallCase) -> Searcher {
    Searcher::open(&case.open()).expect("index and catalogue belong together")
}

fn numbers(searcher: &Searcher, query: &str, options: SearchOptions<'_>) -> Vec<u32> {
    hits(searcher, query, options).iter().map(|hit| hit.item_no).collect()
}

fn hits(searcher: &Searcher, query: &str, options: SearchOptions<'_>) -> Vec<Hit> {
    let plan = searcher
        .plan_with_texts(query, &ListTexts)
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let answer = searcher.run(&plan, options).expect("the query runs");
    answer
        .hits()
        .expect("the order is read")
        .map(|hit| hit.expect("the hit is read"))
        .collect()
}

fn by_item() -> SearchOptions<'static> {
    SearchOptions {
        sort: Sort::Item,
        ..SearchOptions::default()
    }
}

fn stamp() -> Stamp<'static> {
    Stamp {
        actor: "tester",
        at_micros: NOW,
    }
}

#[test]
fn queries_find_exactly_their_items() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for (query, expected) in [
        ("*", &[1, 2, 3, 4, 5, 6, 7, 8][..]),
        ("fraud", &[2, 3, 5, 7]),
        ("FRAUD NOT lunch", &[2, 5, 7]),
        ("\"gross misconduct\"", &[1, 8]),
        ("gross misconduct", &[1, 2, 8]),
        ("e-mail", &[1]),
        ("cafe", &[2]),
        ("filename:café", &[2]),
        ("mis*", &[1, 2, 7, 8]),
        ("*ment", &[8]),
        ("m?sc*", &[1, 2, 7, 8]),
        ("\"gr?ss mis*\"", &[1, 8]),
        ("fruad~1", &[2, 3, 5, 7]),
        ("discused~", &[1]),
        ("discussing^", &[1]),
        ("/fr.{2}d|lunch/", &[2, 3, 5, 7]),
        ("fraud w/2 theft", &[2]),
        ("theft w/2 fraud", &[2]),
        ("fraud w/1 theft", &[]),
        ("theft pre/9 fraud", &[]),
        ("fraud w/2 lunch", &[3]),
        ("fraud w/1 fraud", &[7]),
        ("fraud not w/2 lunch", &[2, 5, 7]),
        ("body:(fraud not w/2 (lunch OR again))", &[7]),
        ("attachment:(fraud w/5 theft) custodian:jones", &[2]),
        ("hearing w/9 john", &[]),
        ("from:(john w/5 smith)", &[1, 6]),
        ("participant:(smith w/90 ann)", &[]),
        ("NOT (fraud w/2 theft) fraud", &[3, 5, 7]),
        ("subject:gross", &[1]),
        ("body:(fraud OR theft)", &[3, 5, 7]),
        ("attachment:(fraud OR theft)", &[2]),
        ("from:smith", &[1, 6]),
        ("participant:smith", &[1, 3, 6]),
        ("from:john.smith@force.example", &[1, 6]),
        ("address:ann@law.example", &[1, 3]),
        ("domain:law.example", &[1, 3]),
        ("domain:law", &[]),
        ("type:email", &[1, 3, 5, 6]),
        ("type:image/*", &[4]),
        ("has:attachment", &[1, 3]),
        ("has:media", &[4]),
        ("has:encrypted", &[6]),
        ("has:not-searchable", &[4, 6]),
        ("has:no-text", &[]),
        ("NOT has:searched", &[4, 6]),
        ("defect:mail-encrypted", &[6]),
        ("message-id:<3@force.example>", &[3]),
        ("language:en", &[1, 7]),
        ("language:english NOT body:policy", &[1]),
        ("language:eng", &[1, 7]),
        ("language:und", &[2, 3, 5, 8]),
        ("language:none", &[2, 3, 5, 8]),
        ("language:welsh", &[]),
        ("NOT language:*", &[4, 6]),
        ("size:>5k", &[6, 7, 8]),
        ("size:2000", &[2]),
        // 23:30 UTC on the 13th is half past midnight on the 14th in London.
        ("date:2001-05-14", &[1, 2]),
        ("date:2001-05-13", &[]),
        ("date:2002..2003-01", &[5, 7, 8]),
        ("date:>=2003", &[5, 6]),
        ("NOT date:*", &[3, 4]),
        ("custodian:\"smith, john\"", &[1, 2, 6]),
        ("custodian:jones", &[1, 2, 3, 4, 5]),
        ("custodian:*", &[1, 2, 3, 4, 5, 6]),
        ("NOT custodian:*", &[7, 8]),
        ("source:shared", &[7]),
        ("folder:2001", &[1, 2, 6]),
        ("folder:inbox", &[]),
        ("path:\"2001/inbox.mbox\"", &[1, 2, 6]),
        ("path:\"jones-export/all ma*\"", &[1, 2, 3, 4, 5]),
        ("path:policies", &[7]),
        ("label:seen", &[3, 4, 5]),
        ("hash:00000002ab", &[2]),
        ("hash:ff000002ab", &[2]),
        ("item:4", &[4]),
        ("item:99", &[]),
        ("item:0", &[]),
        ("item:item:00000003ab", &[3]),
        ("item:item:00000003ab/2", &[5]),
        ("item:item:00000003*", &[3, 4, 5]),
        ("item:(1 OR 4)", &[1, 4]),
    ] {
        assert_eq!(numbers(&searcher, query, by_item()), expected, "{query}");
        let plan = searcher.plan(query).expect("planned above");
        let set: RoaringBitmap = expected.iter().copied().collect();
        assert_eq!(searcher.items(&plan).expect("the set is there"), set, "{query}");
    }
}

#[test]
fn every_order_ends_with_the_item_number_and_undated_items_come_last() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let sorted = |sort| {
        let options = SearchOptions {
            sort,
            ..SearchOptions::default()
        };
        numbers(&searcher, "*", options)
    };
    assert_eq!(sorted(Sort::Date), [1, 2, 7, 8, 5, 6, 3, 4]);
    assert_eq!(sorted(Sort::DateDescending), [6, 5, 8, 7, 1, 2, 3, 4]);
    assert_eq!(sorted(Sort::Item), [1, 2, 3, 4, 5, 6, 7, 8]);
    // Items 1 and 2 are of the night to 14 May 2001, London time.
    for (date, order, days) in [
        ("2001-05-14", [1, 2, 7, 8, 5, 6, 3, 4], Some(0)),
        ("1999..2000", [1, 2, 7, 8, 5, 6, 3, 4], Some(134)),
        ("2019", [6, 5, 8, 7, 1, 2, 3, 4], Some(-6441)),
    ] {
        let near = searcher.near_date(date).expect("a date");
        assert_eq!(sorted(Sort::NearDate(near)), order, "{date}");
        let options = SearchOptions {
            sort: Sort::NearDate(near),
            ..SearchOptions::default()
        };
        let all = hits(&searcher, "*", options);
        let first = all.iter().find(|hit| hit.item_no == 1).expect("it is found");
        assert_eq!(first.near_days, Some(days), "{date}");
        assert_eq!(all[7].near_days, Some(None), "item 4 has no date");
    }
    assert!(searcher.near_date("2001..").is_err());
    let options = SearchOptions {
        sort: Sort::Relevance,
        ..SearchOptions::default()
    };
    let best = hits(&searcher, "body:fraud", options);
    assert_eq!(best.len(), 3);
    assert!(
        best.windows(2)
            .all(|pair| pair[0].score >= pair[1].score && pair[1].score > Some(0.0))
    );
    assert!(
        hits(&searcher, "fraud", by_item())
            .iter()
            .all(|hit| hit.score.is_none())
    );
}

#[test]
fn pages_are_pieces_of_the_whole_and_the_count_is_always_that_of_the_whole() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for sort in [Sort::Date, Sort::DateDescending, Sort::Relevance, Sort::Item] {
        let whole = numbers(
            &searcher,
            "*",
            SearchOptions {
                sort,
                ..SearchOptions::default()
            },
        );
        for offset in 0..9 {
            for limit in [0, 1, 3, 20, usize::MAX] {
                let options = SearchOptions {
                    sort,
                    offset,
                    limit: Some(limit),
                    ..SearchOptions::default()
                };
                let expected: Vec<u32> = whole.iter().copied().skip(offset).take(limit).collect();
                assert_eq!(numbers(&searcher, "*", options), expected, "{sort:?} {offset} {limit}");
                let plan = searcher.plan("*").expect("a good query");
                assert_eq!(searcher.run(&plan, options).expect("it runs").summary().count, 8);
            }
        }
    }
}

#[test]
fn the_scope_counts_items_or_custodians_or_instances() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let count = |query: &str, scope| {
        let plan = searcher.plan(query).expect("a good query");
        let options = SearchOptions {
            scope,
            limit: Some(0),
            ..SearchOptions::default()
        };
        searcher.run(&plan, options).expect("it runs").summary().count
    };
    for (query, global, custodian, instance) in [
        // 1 and its part: both custodians, three instances. 7 and 8 have no custodian, 8 no instance.
        ("*", 8, 10, 3 + 3 + 1 + 1 + 1 + 1 + 1 + 1),
        ("item:2", 1, 2, 3),
        ("item:7", 1, 1, 1),
        ("item:8", 1, 1, 1),
        ("nothing", 0, 0, 0),
    ] {
        assert_eq!(count(query, Scope::Global), global, "{query}");
        assert_eq!(count(query, Scope::Custodian), custodian, "{query}");
        assert_eq!(count(query, Scope::Instance), instance, "{query}");
    }
}

#[test]
fn every_answer_says_what_was_not_searchable_in_its_scope() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for (query, expected) in [
        ("fraud", &[("encrypted", 1), ("media", 1)][..]),
        ("fraud custodian:jones", &[("media", 1)]),
        ("fraud date:2003", &[("encrypted", 1)]),
        ("fraud date:2001", &[]),
        ("NOT custodian:jones fraud", &[("encrypted", 1)]),
        ("tag:none fraud", &[]),
    ] {
        let plan = searcher.plan(query).expect("a good query");
        let answer = searcher.run(&plan, SearchOptions::default()).expect("it runs");
        let summary = answer.summary();
        assert_eq!(
            summary.not_searchable,
            expected.iter().copied().collect::<BTreeMap<_, _>>(),
            "{query}"
        );
        assert_eq!(summary.not_indexed, 0);
    }
}

#[test]
fn items_beyond_the_index_are_not_seen_and_are_counted() {
    let case = SmallCase::make(5);
    let searcher = searcher(&case);
    assert_eq!(numbers(&searcher, "*", by_item()), [1, 2, 3, 4, 5]);
    assert_eq!(
        numbers(&searcher, "custodian:\"smith, john\"", by_item()),
        Vec::<u32>::new()
    );
    let plan = searcher.plan("fraud").expect("a good query");
    let answer = searcher.run(&plan, SearchOptions::default()).expect("it runs");
    let summary = answer.summary();
    assert_eq!((summary.count, summary.not_indexed), (3, 3));
    assert_eq!(summary.not_searchable, BTreeMap::from([("media", 1)]));
}

#[test]
fn facets_count_all_hits_exactly() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let plan = searcher.plan("*").expect("a good query");
    let options = SearchOptions {
        facets: &Facet::ALL,
        limit: Some(1),
        ..SearchOptions::default()
    };
    let answer = searcher.run(&plan, options).expect("it runs");
    let summary = answer.summary();
    let mut shown = Vec::new();
    for facet in &summary.facets {
        let values: Vec<String> = facet
            .values
            .iter()
            .map(|one| format!("{}={}", one.value.as_deref().unwrap_or("-"), one.count))
            .collect();
        shown.push(format!("{}: {}", facet.facet.name(), values.join(" ")));
    }
    assert_eq!(
        shown,
        [
            "custodian: Jónes=5 Smith, John=3 -=2",
            "sender: john.smith@force.example=2 ann@law.example=1 eve@other.example=1 -=4",
            "recipient: ann@law.example=1 john.smith@force.example=1 -=6",
            "domain: force.example=3 law.example=2 other.example=1 -=4",
            "type: email=4 attachment=2 document=1 record=1",
            "language: und=4 en=2 -=2",
            "year: 2001=2 2002=2 2003=2 -=2",
            "month: 2001-05=2 2002-03=2 2003-01=1 2003-06=1 -=2",
            "day: 2001-05-14=2 2002-03-04=1 2002-03-05=1 2003-01-01=1 2003-06-01=1 -=2",
            "source: jones-export=5 smith-export=3 shared=1 -=1",
            "tag: -=8",
            "exhibit: -=8",
            "privilege: -=8",
            "review: -=8",
            "case: -=8",
            "label: Seen=3 -=5",
            "defect: MAIL-ENCRYPTED=1 -=7",
            "searchability: encrypted=1 media=1 -=6",
        ]
    );
}

#[test]
fn an_address_without_a_sign_finds_words_of_names_too_and_says_so() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for (query, noted) in [
        ("address:joh*", true),
        ("address:smith", true),
        ("address:john.*", false),
        ("address:john.smith@force.example", false),
        ("domain:law*", false),
        ("from:joh*", false),
    ] {
        let plan = searcher.plan(query).expect("it is planned");
        assert_eq!(
            plan.notes.iter().any(|note| note.contains("a word of a name")),
            noted,
            "{query}"
        );
    }
}

struct OneLink;

impl HitLinks for OneLink {
    fn links(&self, items: &[ItemNo]) -> Result<Vec<Links>, BoxError> {
        let link = |item: &ItemNo| Links {
            people: vec![format!("P{item}")],
            decisions: vec![DecisionLink {
                id: "dec:1".into(),
                relation: "before".into(),
                days: Some(-3),
            }],
            thread: None,
            context: None,
        };
        Ok(items.iter().map(link).collect())
    }
}

#[test]
fn a_hit_has_the_names_of_the_command_line_and_what_rows_and_sets_say() {
    let case = SmallCase::make(8);
    let opened = case.open();
    let facts = opened.facts().expect("facts can be written");
    let items: RoaringBitmap = [2].into_iter().collect();
    tags::add(facts.connection(), "Key", &items, "test", stamp()).expect("the tag is made");
    let reference = "JS/1".parse().expect("a reference");
    let exhibit = exhibits::register(facts.connection(), &reference, &exhibits::Said::default(), stamp())
        .expect("the exhibit is made")
        .exhibit;
    exhibits::add_items(facts.connection(), &exhibit, &items, "test", stamp()).expect("the item is added");
    let searcher = searcher(&case);
    let options = SearchOptions {
        texts: Some(&ListTexts),
        links: Some(&OneLink),
        ..by_item()
    };
    let found = hits(&searcher, "theft tag:key exhibit:js/01", options);
    let json = serde_json::to_value(&found[0]).expect("a hit is JSON");
    for name in [
        "item",
        "item_no",
        "kind",
        "date",
        "date_raw",
        "from",
        "to",
        "cc",
        "subject",
        "filename",
        "message_id",
        "sha256",
        "custodians",
        "instances",
        "family",
        "parent",
        "thread",
        "exhibits",
        "tags",
        "cases",
        "people",
        "decisions",
        "defects",
        "score",
        "snippets",
    ] {
        assert!(json.get(name).is_some(), "{name} is missing in {json}");
    }
    let text = |name: &str| json[name].clone();
    let half = "00000001abababababababababababab";
    assert_eq!(text("item"), Value::from(format!("item:{half}/1")));
    assert_eq!(text("family"), Value::from(format!("item:{half}")));
    assert_eq!(text("parent"), text("family"));
    assert_eq!(text("kind"), Value::from("attachment"));
    assert_eq!(text("date"), Value::from("2001-05-13T23:30:00Z"));
    assert_eq!(text("date_local"), Value::from("2001-05-14T00:30:00+01:00"));
    assert_eq!(text("custodians"), serde_json::json!(["Jónes", "Smith, John"]));
    assert_eq!(text("instances"), Value::from(3));
    assert_eq!(text("tags"), serde_json::json!(["Key"]));
    assert_eq!(text("exhibits"), serde_json::json!(["JS/1"]));
    assert_eq!(text("people"), serde_json::json!(["P2"]));
    assert_eq!(
        text("decisions"),
        serde_json::json!([{"id": "dec:1", "relation": "before", "days": -3}])
    );
    assert_eq!(
        text("snippets"),
        serde_json::json!([{
            "field": "attachment",
            "text": "Notes about fraud and theft, misconduct not gross.",
            "ranges": [[22, 27]],
        }])
    );
}

#[test]
fn snippets_come_from_every_field_that_matched_and_mark_phrases_as_such() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let options = SearchOptions {
        texts: Some(&ListTexts),
        ..by_item()
    };
    let shown = |query: &str, item: u32| -> Vec<String> {
        let hits = hits(&searcher, query, options);
        let hit = hits.iter().find(|hit| hit.item_no == item).expect("the item is a hit");
        let one = |snippet: &embley_search::Snippet| {
            let chars: Vec<char> = snippet.text.chars().collect();
            let marks: Vec<String> = snippet
                .ranges
                .iter()
                .map(|range| chars[range[0]..range[1]].iter().collect())
                .collect();
            format!("{}: {}", snippet.field, marks.join("|"))
        };
        hit.snippets.iter().map(one).collect()
    };
    assert_eq!(
        shown("\"gross misconduct\"", 1),
        ["body: gross misconduct", "subject: gross misconduct"]
    );
    assert_eq!(shown("\"gross misconduct\" OR theft", 2), ["attachment: theft"]);
    assert_eq!(shown("smith", 6), ["from: Smith|Smith"]);
    assert_eq!(shown("domain:law.example", 1), ["to: @law.example"]);
    assert_eq!(shown("subject:gross", 1), ["subject: gross"]);
    assert_eq!(shown("caf*", 2), ["filename: Café"]);
    assert_eq!(shown("type:email NOT gross", 3), Vec::<String>::new());
    assert_eq!(shown("*ment", 8), ["subject: assessment"]);
    // The subject holds lunch too, and no fraud near it.
    assert_eq!(shown("fraud w/2 lunch", 3), ["body: fraud|lunch"]);
    assert_eq!(shown("lunch not w/2 fraud", 3), ["subject: lunch"]);
    // Fraud is three from the hull of the two.
    assert_eq!(
        shown("(misconduct w/2 gross) w/2 (theft OR fraud)", 2),
        ["attachment: theft|misconduct|gross"]
    );
    assert_eq!(
        shown("\"gr?ss mis*\" w/5 discussed", 1),
        ["body: gross misconduct|discussed"]
    );
    assert_eq!(shown("from:(john w/1 smith)", 6), ["from: John|Smith|John|Smith"]);
    assert_eq!(
        shown("from:(john.smith@force.example w/3 force)", 6),
        ["from: John.Smith@force.example"]
    );
}

#[test]
fn a_text_that_cannot_be_read_costs_its_hit_the_snippet_and_says_why() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let options = SearchOptions {
        texts: Some(&ListTexts),
        ..by_item()
    };
    let found = hits(&searcher, "policy", options);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].snippet_error.as_deref(), Some("the pack is damaged"));
    assert_eq!(found[0].snippets.len(), 1);
    assert_eq!(found[0].snippets[0].field, "filename");
}

#[test]
fn a_tag_put_on_later_is_seen_after_a_refresh_and_not_before() {
    let case = SmallCase::make(8);
    let mut searcher = searcher(&case);
    assert_eq!(numbers(&searcher, "tag:later", by_item()), Vec::<u32>::new());
    let opened = case.open();
    let facts = opened.facts().expect("facts can be written");
    // One of them is not in the case: it is not seen.
    let items: RoaringBitmap = [1, 5, 99].into_iter().collect();
    tags::add(facts.connection(), "Later", &items, "test", stamp()).expect("the tag is made");
    assert_eq!(numbers(&searcher, "tag:later", by_item()), Vec::<u32>::new());
    searcher.refresh_facts().expect("the catalogue is read anew");
    assert_eq!(numbers(&searcher, "tag:later", by_item()), [1, 5]);
    let found = hits(&searcher, "tag:LATER type:email", by_item());
    assert_eq!(found[0].tags, ["Later"]);
}

#[test]
fn a_query_nested_to_the_limit_is_planned_and_run() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for query in [
        format!("{}fraud{}", "(".repeat(256), ")".repeat(256)),
        format!("{}fraud", "NOT ".repeat(256)),
        format!("fraud{}", " not w/3 absent".repeat(256)),
        format!("{}fraud{}", "(lunch OR ".repeat(256), ")".repeat(256)),
        format!("{}fraud{}", "(* AND (x OR ".repeat(128), "))".repeat(128)),
    ] {
        let found = numbers(&searcher, &query, by_item());
        assert_eq!(found, [2, 3, 5, 7], "{}", &query[..20]);
    }
}

#[test]
fn the_exact_form_is_compared_with_the_texts_and_says_what_it_could_not_read() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let found = |query: &str| {
        let plan = searcher
            .plan_with_texts(query, &ListTexts)
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        let items: Vec<u32> = searcher.items(&plan).expect("the index is read").iter().collect();
        (items, plan)
    };
    assert_eq!(found("=Fraud").0, [5]);
    assert_eq!(found("=fraud").0, [2, 3]);
    assert_eq!(found("=\"No fraud\" OR =FRAUD").0, [3]);
    assert_eq!(found("=fraud NOT =theft").0, [3]);
    assert_eq!(found("filename:=Caf\u{e9}").0, [2]);
    assert_eq!(found("filename:=caf\u{e9}").0, Vec::<u32>::new());
    assert_eq!(found("from:=Smith").0, [1, 6]);
    assert_eq!(found("from:=SMITH").0, Vec::<u32>::new());
    // Item 7 holds fraud, and its text cannot be read.
    let (_, plan) = found("body:=fraud");
    assert!(
        plan.notes[0].starts_with("1 items hold the words of `=fraud`"),
        "{:?}",
        plan.notes
    );
    let options = SearchOptions {
        texts: Some(&ListTexts),
        ..by_item()
    };
    let answer = searcher.run(&plan, options).expect("it runs");
    assert_eq!(
        answer.summary().not_searchable.len(),
        2,
        "what was not searchable still counts"
    );
    let hit = answer.hits().expect("hits").next().expect("a hit").expect("read");
    assert_eq!(hit.snippets[0].ranges, [[3, 8]]);
    assert!(matches!(searcher.plan("=Fraud"), Err(SearchError::Syntax(_))));
}

#[test]
fn explain_shows_the_words_that_patterns_stand_for() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let plan = searcher
        .plan("body:(mis* w/5 fr?ud) OR body:discussing^")
        .expect("a good query");
    let text = searcher.explain(&plan).expect("the index is read");
    for line in [
        "words that begin \"mis\": 1 in this case: misconduct",
        "words like \"fr?ud\": 1 in this case: fraud",
        "words with the stem \"discuss\" of \"discussing\": 1 in this case: discussed",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn relative_dates_are_counted_from_the_moment_the_searcher_is_given() {
    let case = SmallCase::make(8);
    let mut searcher = searcher(&case);
    // 00:10 on 2001-05-15 in London.
    searcher.set_now(989_881_800);
    assert_eq!(numbers(&searcher, "date:yesterday", by_item()), [1, 2]);
    assert_eq!(numbers(&searcher, "date:today", by_item()), Vec::<u32>::new());
    assert_eq!(numbers(&searcher, "date:-1d..", by_item()), [1, 2, 5, 6, 7, 8]);
}

#[test]
fn an_index_that_is_missing_is_named() {
    let case = SmallCase::without_index();
    let opened = case.open();
    match Searcher::open(&opened) {
        Err(SearchError::Index(error)) => assert!(error.to_string().contains("embley reindex"), "{error}"),
        other => panic!("not an index error: {:?}", other.err()),
    }
}

#[test]
fn names_of_sets_are_there_for_hints() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    assert_eq!(
        searcher.sets().names(Field::Custodian).expect("names"),
        ["Jónes", "Smith, John"]
    );
    let plan = searcher.plan("custodian:jonas").expect("a good query");
    assert!(plan.notes[0].contains("did you mean `Jónes`"), "{:?}", plan.notes);
    let any = searcher.sets().find(Field::Custodian, &SetAsk::Any).expect("found");
    assert_eq!(any.names_count, 2);
}

#[test]
fn every_example_of_the_documentation_is_run_or_refused_as_it_says() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let page = include_str!("../../../../docs/search-language.md");
    let (mut block, mut run, mut refused) = ("", 0, 0);
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("```") {
            block = name;
            continue;
        }
        let query = line.split("  ").next().unwrap_or_default();
        match block {
            "query" => {
                let found = hits(&searcher, query, by_item());
                let absent = [
                    "tag:",
                    "exhibit:",
                    "privilege:",
                    "review:relevant",
                    "person:",
                    "case:",
                    "\"how are",
                    "has:no-text",
                ]
                .iter()
                .any(|field| query.starts_with(field));
                assert_eq!(found.is_empty(), absent, "{query}");
                run += 1;
            }
            "refused" => {
                let planned = searcher.plan_with_texts(query, &ListTexts);
                assert!(matches!(planned, Err(SearchError::Syntax(_))), "{query}");
                refused += 1;
            }
            _ => {}
        }
    }
    assert!(run > 40 && refused > 10, "{run} {refused}");
}
