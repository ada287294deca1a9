//! Queries at the level of families, and lists of what was not searchable, about the small case.
//!
//! Its families are 1 (a message and its notes), 3 (a message, an image, a message in it), and 6, 7 and 8 by themselves.

use embley_model::id::ItemNo;
use embley_search::{Facet, Hit, Level, Scope, SearchOptions, Searcher, Sort};
use embley_store::facts::{Stamp, tags};
use roaring::RoaringBitmap;

use crate::small_case::{ListTexts, NOW, SmallCase};

fn searcher(case: &SmallCase) -> Searcher {
    Searcher::open(&case.open()).expect("index and catalogue belong together")
}

fn hits(searcher: &Searcher, query: &str, options: SearchOptions<'_>) -> Vec<Hit> {
    let plan = searcher
        .plan_with_texts(query, &ListTexts)
        .unwrap_or_else(|error| panic!("{query}: {error}"))
        .at(Level::Family);
    let answer = searcher.run(&plan, options).expect("the query runs");
    let hits = answer.hits().expect("the order is read");
    hits.map(|hit| hit.expect("the hit is read")).collect()
}

fn by_item() -> SearchOptions<'static> {
    SearchOptions {
        sort: Sort::Item,
        ..SearchOptions::default()
    }
}

#[test]
fn a_query_is_true_of_a_family_when_its_leaves_are_of_any_members() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for (query, expected) in [
        ("*", &[1, 3, 6, 7, 8][..]),
        // One word in the message, another in its attachment.
        ("discussed theft", &[1]),
        ("discussed AND NOT theft", &[]),
        ("fraud", &[1, 3, 7]),
        ("fraud NOT lunch", &[1, 7]),
        ("NOT fraud", &[6, 8]),
        ("NOT (fraud AND lunch)", &[1, 6, 7, 8]),
        ("fraud (lunch OR theft)", &[1, 3]),
        ("NOT (fraud NOT lunch)", &[3, 6, 8]),
        // Proximity and phrases stay within one member.
        ("discussed w/50 theft", &[]),
        ("fraud w/2 theft", &[1]),
        ("\"gross misconduct\" \"not gross\"", &[1]),
        // Sets and dates hold for a family as they hold for any member.
        ("type:image/* again", &[3]),
        ("type:email type:attachment", &[1, 3]),
        ("date:2003-01 lunch", &[3]),
        ("item:4 item:5", &[3]),
        ("item:4 NOT item:5", &[]),
        ("has:media has:searched", &[3]),
        ("custodian:jones NOT type:image/*", &[1]),
        ("=Fraud =No", &[3]),
    ] {
        let plan = searcher.plan_with_texts(query, &ListTexts).expect("it is planned");
        let plan = plan.at(Level::Family);
        let items: Vec<u32> = searcher.items(&plan).expect("it runs").into_iter().collect();
        assert_eq!(items, expected, "{query}");
        let listed: Vec<u32> = hits(&searcher, query, by_item())
            .iter()
            .map(|hit| hit.item_no)
            .collect();
        assert_eq!(listed, expected, "{query}");
        for sort in [Sort::Date, Sort::DateDescending, Sort::Relevance] {
            for limit in [None, Some(100)] {
                let options = SearchOptions {
                    sort,
                    limit,
                    ..SearchOptions::default()
                };
                let mut listed: Vec<u32> = hits(&searcher, query, options).iter().map(|hit| hit.item_no).collect();
                listed.sort_unstable();
                assert_eq!(listed, expected, "{query} {sort:?} {limit:?}");
            }
        }
        let answer = searcher.run(&plan, by_item()).expect("it runs");
        assert_eq!(answer.summary().count as usize, expected.len(), "{query}");
        assert_eq!(answer.summary().level, Level::Family);
    }
}

#[test]
fn a_hit_says_which_members_matched_with_snippets_of_each() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let options = SearchOptions {
        texts: Some(&ListTexts),
        ..by_item()
    };
    let members = |query: &str| -> Vec<Vec<(u32, usize)>> {
        let of = |hit: &Hit| {
            let matched = hit.matched.as_ref().expect("a family says it");
            matched.iter().map(|one| (one.item_no, one.snippets.len())).collect()
        };
        hits(&searcher, query, options).iter().map(of).collect()
    };
    assert_eq!(members("discussed theft"), [vec![(1, 1), (2, 1)]]);
    assert_eq!(members("fraud"), [vec![(2, 1)], vec![(3, 1), (5, 1)], vec![(7, 0)]]);
    assert_eq!(members("fraud NOT lunch"), [vec![(2, 1)], vec![(7, 0)]]);
    // Who held it tells no member from another; asked for alone, it is all there is to say.
    assert_eq!(members("theft custodian:jones"), [vec![(2, 1)]]);
    assert_eq!(members("source:shared"), [vec![(7, 0)]]);
    assert_eq!(members("NOT fraud"), [vec![], vec![]]);
    let found = hits(&searcher, "fraud", options);
    assert!(found[0].snippets.is_empty(), "the message itself has no such word");
    assert_eq!(found[1].snippets.len(), 1);
    assert!(found[2].snippet_error.is_some(), "the text of item 7 cannot be read");
    let member = &found[0].matched.as_ref().expect("members")[0];
    assert_eq!(member.filename.as_deref(), Some("Café notes.txt"));
    assert_eq!(member.item.part, "1");
    assert!(member.snippets[0].text.contains("fraud and theft"));
    // Items say nothing of members.
    let plan = searcher.plan("fraud").expect("it is planned");
    let answer = searcher.run(&plan, options).expect("it runs");
    for hit in answer.hits().expect("hits") {
        assert!(hit.expect("a hit").matched.is_none());
    }
}

#[test]
fn a_family_weighs_as_its_best_member() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let ranked = |level| -> Vec<(u32, f32)> {
        let plan = searcher.plan("fraud OR NOT lunch").expect("it is planned").at(level);
        let options = SearchOptions {
            sort: Sort::Relevance,
            ..SearchOptions::default()
        };
        let answer = searcher.run(&plan, options).expect("it runs");
        let hits = answer.hits().expect("hits").map(|hit| hit.expect("a hit"));
        hits.map(|hit| (hit.item_no, hit.score.expect("a score"))).collect()
    };
    let families = ranked(Level::Family);
    let mut expected: Vec<(u32, f32)> = Vec::new();
    for (item, score) in ranked(Level::Item) {
        let root = searcher.families().expect("families").root_of(item).expect("a root");
        if families.iter().any(|(one, _)| *one == root) && !expected.iter().any(|(one, _)| *one == root) {
            expected.push((root, score));
        }
    }
    assert_eq!(families, expected);
    assert!(families[0].1 > 0.0 && families.last().expect("a hit").1 == 0.0);
    let page = SearchOptions {
        sort: Sort::Relevance,
        offset: 1,
        limit: Some(2),
        ..SearchOptions::default()
    };
    let page: Vec<u32> = hits(&searcher, "fraud OR NOT lunch", page)
        .iter()
        .map(|hit| hit.item_no)
        .collect();
    assert_eq!(page, families[1..3].iter().map(|(item, _)| *item).collect::<Vec<_>>());
}

#[test]
fn scopes_and_facets_count_families() {
    let case = SmallCase::make(8);
    let opened = case.open();
    let stamp = Stamp {
        actor: "tester",
        at_micros: NOW,
    };
    let facts = opened.facts().expect("facts");
    tags::add(
        facts.connection(),
        "key",
        &RoaringBitmap::from_iter([2, 3, 5]),
        "",
        stamp,
    )
    .expect("a tag");
    let searcher = searcher(&case);
    let plan = searcher.plan("fraud").expect("it is planned").at(Level::Family);
    // Family 1 was found with Smith and twice with Jones, 3 with Jones, 7 with nobody.
    for (scope, expected) in [(Scope::Global, 3), (Scope::Custodian, 4), (Scope::Instance, 5)] {
        let options = SearchOptions { scope, ..by_item() };
        let answer = searcher.run(&plan, options).expect("it runs");
        assert_eq!(
            (answer.summary().count, answer.summary().items),
            (expected, 3),
            "{scope:?}"
        );
    }
    let options = SearchOptions {
        facets: &[
            Facet::Tag,
            Facet::Type,
            Facet::Custodian,
            Facet::Year,
            Facet::Searchability,
        ],
        ..by_item()
    };
    let answer = searcher.run(&plan, options).expect("it runs");
    let facets = answer.summary().facets.iter().map(|facet| {
        let values = facet
            .values
            .iter()
            .map(|one| (one.value.as_deref().unwrap_or("-"), one.count));
        values.collect::<Vec<_>>()
    });
    let facets: Vec<_> = facets.collect();
    assert_eq!(
        facets,
        [
            vec![("key", 2), ("-", 1)],
            vec![("attachment", 2), ("email", 2), ("document", 1)],
            vec![("Jónes", 2), ("Smith, John", 1), ("-", 1)],
            // Dates are those of the top-level items, of which one has none.
            vec![("2001", 1), ("2002", 1), ("-", 1)],
            vec![("media", 1), ("-", 2)],
        ]
    );
    // A value counts as many families as the query finds with it.
    let narrowed = searcher.plan("fraud tag:key").expect("it is planned").at(Level::Family);
    assert_eq!(searcher.items(&narrowed).expect("it runs").len(), 2);
}

#[test]
fn one_hidden_member_hides_its_family() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let hidden = || RoaringBitmap::from_iter([4, 6]);
    let plan = |query: &str, level| searcher.plan(query).expect("it is planned").at(level).without(hidden());
    let found = |query: &str, level| -> Vec<u32> {
        let plan = plan(query, level);
        searcher.items(&plan).expect("it runs").into_iter().collect()
    };
    assert_eq!(found("*", Level::Family), [1, 7, 8]);
    assert_eq!(found("fraud", Level::Family), [1, 7]);
    assert_eq!(found("NOT fraud", Level::Family), [8]);
    assert_eq!(found("fraud OR type:image/*", Level::Item), [2, 3, 5, 7]);
    // Nor is it among what could not be searched.
    for level in [Level::Item, Level::Family] {
        let plan = plan("fraud", level);
        let answer = searcher.run(&plan, by_item()).expect("it runs");
        assert_eq!(answer.summary().not_searchable_total, 0, "{level:?}");
        assert!(answer.not_searchable().expect("a list").next().is_none());
    }
}

#[test]
fn what_was_not_searchable_is_listed_as_it_is_counted() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let mut listed_in_all = 0;
    for query in [
        "*",
        "fraud",
        "fraud date:2003",
        "fraud NOT date:*",
        "type:email lunch",
        "custodian:smith* fraud",
        "NOT custodian:*",
        "tag:nothing fraud",
        "item:4",
        "NOT has:media",
        "fraud OR date:2003-06",
    ] {
        for level in [Level::Item, Level::Family] {
            for limit in [None, Some(20)] {
                let plan = searcher.plan(query).expect("it is planned").at(level);
                let options = SearchOptions { limit, ..by_item() };
                let answer = searcher.run(&plan, options).expect("it runs");
                let listed: Vec<Hit> = answer
                    .not_searchable()
                    .expect("a list")
                    .map(|hit| hit.expect("a hit"))
                    .collect();
                let mut by_reason = std::collections::BTreeMap::new();
                for reason in listed.iter().flat_map(|hit| &hit.reasons) {
                    *by_reason.entry(*reason).or_insert(0_u64) += 1;
                }
                let summary = answer.summary();
                assert_eq!(by_reason, summary.not_searchable, "{query} {level:?}");
                assert_eq!(listed.len() as u64, summary.not_searchable_total, "{query} {level:?}");
                for hit in &listed {
                    assert!(!hit.reasons.is_empty(), "{query}: {}", hit.item_no);
                    for member in hit.not_searchable.iter().flatten() {
                        assert!(hit.reasons.contains(&member.searchability));
                    }
                }
                listed_in_all += listed.len();
            }
        }
    }
    assert!(listed_in_all > 20, "{listed_in_all}");
    let plan = searcher.plan("fraud").expect("it is planned").at(Level::Family);
    let answer = searcher.run(&plan, by_item()).expect("it runs");
    let listed: Vec<Hit> = answer
        .not_searchable()
        .expect("a list")
        .map(|hit| hit.expect("a hit"))
        .collect();
    let shown: Vec<_> = listed.iter().map(|hit| (hit.item_no, hit.reasons.clone())).collect();
    assert_eq!(shown, [(3, vec!["media"]), (6, vec!["encrypted"])]);
    let member = &listed[0].not_searchable.as_ref().expect("members")[0];
    assert_eq!((member.item_no, member.filename.as_deref()), (4, Some("plan.png")));
    let member = &listed[1].not_searchable.as_ref().expect("members")[0];
    assert_eq!(member.defects, ["MAIL-ENCRYPTED"]);
    assert!(searcher.reader().item(ItemNo(6)).expect("a row").is_some());
    // A date of another member lets the family in, and so its image.
    let plan = searcher.plan("fraud date:2003-01").expect("it is planned");
    let of_items = searcher.not_searchable(&plan).expect("a list");
    assert!(of_items.hits.is_empty());
    let of_families = searcher.not_searchable(&plan.at(Level::Family)).expect("a list");
    assert_eq!(of_families.hits, RoaringBitmap::from_iter([3]));
    assert_eq!(of_families.by_reason, [("media", RoaringBitmap::from_iter([4]))]);
}

#[test]
fn the_plan_says_that_leaves_are_mapped() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let plan = searcher
        .plan("fraud custodian:jones NOT subject:lunch")
        .expect("it is planned");
    let text = searcher.explain(&plan.at(Level::Family)).expect("it is explained");
    for line in [
        "plan at family level: each leaf is run as a set of items and mapped to top-level items",
        "    families of: set of 5 items",
        "      families of: term \"lunch\" in subject",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
}
