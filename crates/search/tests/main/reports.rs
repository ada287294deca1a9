//! Term reports, certificates and samples of the small case, against counting by hand.

use std::collections::BTreeSet;

use embley_search::certificate::{CertificateOptions, Statement, Subject, compare, make, root_of_first};
use embley_search::sample::{DrawFrom, SampleOptions, draw};
use embley_search::terms::{TermList, TermOptions, TermReport, report};
use embley_search::{Asked, Level, Scope, SearchOptions, Searcher, Sort};
use embley_store::facts::{Stamp, tags};
use proptest::prelude::*;
use roaring::RoaringBitmap;

use crate::small_case::{ListTexts, NOW, SmallCase};

const POOL: [&str; 10] = [
    "fraud",
    "misconduct",
    "\"gross misconduct\"",
    "lunch",
    "custodian:Smith",
    "theft OR lunch",
    "date:2003",
    "zzz",
    "*",
    "FRAUD",
];

fn searcher(case: &SmallCase) -> Searcher {
    Searcher::open(&case.open()).expect("index and catalogue belong together")
}

fn asked() -> Asked<'static> {
    Asked {
        who: "tester",
        at_micros: NOW,
    }
}

fn run(case: &SmallCase, searcher: &Searcher, list: &str, scope: Scope, level: Level, threads: usize) -> TermReport {
    let list = TermList::from_lines(list.as_bytes()).expect("a list");
    let options = TermOptions {
        scope,
        level,
        threads,
        texts: &ListTexts,
        asked: asked(),
    };
    report(searcher, case.open().config(), &list, options).expect("the report is made")
}

fn found(searcher: &Searcher, query: &str, level: Level) -> BTreeSet<u32> {
    let plan = searcher.plan_with_texts(query, &ListTexts).expect("a plan").at(level);
    searcher.items(&plan).expect("items").iter().collect()
}

/// What a set of items counts for, by the searcher's own count of a query for just these.
fn counted(searcher: &Searcher, items: &BTreeSet<u32>, scope: Scope) -> u64 {
    let items: RoaringBitmap = items.iter().copied().collect();
    let plan = searcher.plan("*").expect("a plan").within(items);
    let options = SearchOptions {
        scope,
        limit: Some(0),
        ..SearchOptions::default()
    };
    searcher.run(&plan, options).expect("it runs").summary().count
}

/// First and last item of each family of the small case.
const FAMILIES: [(u32, u32); 5] = [(1, 2), (3, 5), (6, 6), (7, 7), (8, 8)];

fn families_of(items: &BTreeSet<u32>) -> BTreeSet<u32> {
    let hit = FAMILIES
        .iter()
        .filter(|(first, last)| items.range(first..=last).next().is_some());
    hit.map(|(first, _)| *first).collect()
}

fn members_of(families: &BTreeSet<u32>) -> BTreeSet<u32> {
    let chosen = FAMILIES.iter().filter(|(first, _)| families.contains(first));
    chosen.flat_map(|(first, last)| *first..=*last).collect()
}

fn unique(sets: &[BTreeSet<u32>], line: usize) -> BTreeSet<u32> {
    let others: BTreeSet<u32> = sets
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != line)
        .flat_map(|(_, set)| set.iter().copied())
        .collect();
    &sets[line] - &others
}

#[track_caller]
fn check(case: &SmallCase, searcher: &Searcher, queries: &[&str], scope: Scope, level: Level) {
    let made = run(case, searcher, &queries.join("\n"), scope, level, 2);
    let hits: Vec<BTreeSet<u32>> = queries.iter().map(|query| found(searcher, query, level)).collect();
    let families: Vec<BTreeSet<u32>> = hits.iter().map(families_of).collect();
    let count = |items: &BTreeSet<u32>| counted(searcher, items, scope);
    for (line, row) in made.terms.iter().enumerate() {
        let told = (
            row.hits,
            row.with_families,
            row.families,
            row.unique,
            row.unique_families,
        );
        let expected = (
            count(&hits[line]),
            count(&members_of(&families[line])),
            families[line].len() as u64,
            count(&unique(&hits, line)),
            unique(&families, line).len() as u64,
        );
        assert_eq!(told, expected, "{} of {queries:?}, {scope:?}, {level:?}", row.query);
        for counts in &row.by_custodian {
            let held: BTreeSet<u32> = match &counts.custodian {
                Some(name) => found(searcher, &format!("custodian:\"{name}\""), Level::Item),
                None => found(searcher, "NOT custodian:*", Level::Item),
            };
            let of = |items: &BTreeSet<u32>| (items & &held).len() as u64;
            let told = (counts.hits, counts.with_families, counts.unique);
            let expected = (
                of(&hits[line]),
                of(&members_of(&families[line])),
                of(&unique(&hits, line)),
            );
            assert_eq!(told, expected, "{} held by {:?}", row.query, counts.custodian);
        }
    }
    let any: BTreeSet<u32> = hits.iter().flatten().copied().collect();
    let totals = (made.totals.hits, made.totals.with_families, made.totals.families);
    let expected = (
        count(&any),
        count(&members_of(&families_of(&any))),
        families_of(&any).len() as u64,
    );
    assert_eq!(totals, expected, "{queries:?}");
}

#[test]
fn figures_of_lists_are_those_of_counting_by_hand() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    for scope in [Scope::Global, Scope::Custodian, Scope::Instance] {
        for level in [Level::Item, Level::Family] {
            check(&case, &searcher, &POOL, scope, level);
        }
    }
    let config = ProptestConfig::with_cases(60);
    proptest!(config, |(picked in prop::collection::vec(0_usize..POOL.len(), 1..7), family in any::<bool>())| {
        let queries: Vec<&str> = picked.iter().map(|at| POOL[*at]).collect();
        check(&case, &searcher, &queries, Scope::Global, if family { Level::Family } else { Level::Item });
    });
}

#[test]
fn a_report_does_not_depend_on_threads_and_errors_keep_their_lines() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    // More lines than run at a time.
    let mut list = String::from("# the list\n\n");
    for line in 0..100 {
        let query = match line % 10 {
            3 => "fraud AND (",
            7 => "sbject:x",
            other => POOL[other],
        };
        list.push_str(query);
        list.push('\n');
    }
    let made = |threads| run(&case, &searcher, &list, Scope::Global, Level::Item, threads);
    let one = made(1);
    let text = |report: &TermReport| serde_json::to_string(report).expect("JSON");
    assert_eq!(text(&one), text(&made(2)));
    assert_eq!(text(&one), text(&made(7)));
    assert_eq!((one.totals.lines, one.totals.lines_with_errors), (80, 20));
    let fault = &one.errors[0];
    assert_eq!((fault.line, fault.column), (6, Some(11)));
    assert!(
        fault.pointed.as_deref().is_some_and(|text| text.ends_with('^')),
        "{fault:?}"
    );
    assert!(one.errors[1].message.contains("subject"), "{:?}", one.errors[1]);
    // The same query twice: nothing is unique to either, and the later one says why.
    let again = one.terms.iter().find(|row| row.line == 13).expect("line 13");
    assert_eq!((again.same_as_line, again.unique), (Some(3), 0));
    let standing = &one.standing;
    assert_eq!((standing.items, standing.not_indexed), (8, 0));
    let reasons: Vec<&str> = standing.not_searchable.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

fn statement(case: &SmallCase, query: &str, who: &str, at_micros: i64) -> Statement {
    let options = CertificateOptions {
        scope: Scope::Global,
        level: Level::Item,
        sort: Sort::Date,
        with_items: true,
        texts: &ListTexts,
        asked: Asked { who, at_micros },
    };
    make(&mut searcher(case), case.open().config(), query, options).expect("a statement")
}

#[test]
fn the_same_state_gives_the_same_statement_but_for_who_and_when() {
    let case = SmallCase::make(8);
    let one = statement(&case, "fraud NOT lunch", "one", NOW);
    let mut other = statement(&case, "fraud NOT lunch", "two", NOW + 86_400_000_000);
    assert_ne!(one.when, other.when);
    assert_eq!(compare(&one, &other, None), []);
    (other.who, other.when) = (one.who.clone(), one.when.clone());
    let text = |statement: &Statement| serde_json::to_string(statement).expect("JSON");
    assert_eq!(text(&one), text(&other));
    assert_eq!((one.result.hits, one.result.families, one.corpus.all.items), (3, 3, 8));
    assert_eq!(one.result.listed.as_ref().map(Vec::len), Some(3));
}

#[test]
fn relative_dates_are_counted_from_the_moment_of_the_certificate() {
    let case = SmallCase::make(8);
    // The items are of 2001 to 2003; from the summer of 2004, last year is 2003.
    let summer_2004 = 1_089_000_000_000_000;
    let then = statement(&case, "date:last-year", "tester", summer_2004);
    assert!(then.result.hits > 0, "{:?}", then.query);
    assert!(
        then.query.plan.iter().any(|line| line.contains("2003-01-01")),
        "{:?}",
        then.query.plan
    );
    assert_eq!(statement(&case, "date:last-year", "tester", NOW).result.hits, 0);
}

#[test]
fn a_difference_is_named_by_what_it_is_about() {
    let case = SmallCase::make(8);
    let opened = case.open();
    let facts = opened.facts().expect("facts can be written");
    let stamp = Stamp {
        actor: "tester",
        at_micros: NOW,
    };
    let items = |numbers: &[u32]| numbers.iter().copied().collect::<RoaringBitmap>();
    tags::add(facts.connection(), "key", &items(&[2, 3]), "", stamp).expect("a tag");
    let then = statement(&case, "fraud tag:key", "tester", NOW);
    assert_eq!((then.sets.len(), then.sets[0].named[0].version), (1, 1));
    tags::add(facts.connection(), "key", &items(&[5]), "", stamp).expect("a tag");
    let now = statement(&case, "fraud tag:key", "tester", NOW);
    let found = compare(&then, &now, None);
    let subjects: Vec<Subject> = found.iter().map(|one| one.subject).collect();
    assert_eq!(subjects, [Subject::Set, Subject::Result, Subject::Count]);
    assert_eq!(
        found[0].sentence,
        "tag:key: 2 items then, 3 now; \"key\" was version 1 then, version 2 now"
    );
    assert_eq!(
        found[1].sentence,
        "found: 2 items then, 3 now; 0 found then are not found now, 1 found now were not then"
    );
    assert_eq!(found[1].now["only"].as_array().map(Vec::len), Some(1));
    assert!(found.iter().all(|one| one.matters));
    // Put back as it was: the versions differ, the answer does not.
    tags::remove(facts.connection(), "key", &items(&[5]), "", stamp).expect("a tag");
    let back = compare(&then, &statement(&case, "fraud tag:key", "tester", NOW), None);
    assert_eq!(back.len(), 1);
    assert!(
        !back[0].matters && back[0].sentence.contains("holds the same items"),
        "{back:?}"
    );
}

#[test]
fn a_case_that_grew_is_told_from_one_with_other_items() {
    // The index of the smaller state holds the first five items.
    let (small, large) = (SmallCase::make(5), SmallCase::make(8));
    let then = statement(&small, "fraud", "tester", NOW);
    let now = statement(&large, "fraud", "tester", NOW);
    let first = root_of_first(&searcher(&large), then.corpus.all.items).expect("a digest");
    let found = compare(&then, &now, Some(&first));
    let corpus = &found[0];
    assert_eq!((corpus.subject, corpus.matters), (Subject::Corpus, true));
    assert!(
        corpus.sentence.contains("3 were added since, and all"),
        "{}",
        corpus.sentence
    );
    let back = compare(&now, &then, None);
    assert!(
        back[0].sentence.contains("at least 3 are missing"),
        "{}",
        back[0].sentence
    );
}

#[test]
fn hits_and_what_is_left_out_are_sampled_apart_and_together_are_everything() {
    let case = SmallCase::make(8);
    let searcher = searcher(&case);
    let plan = searcher.plan("fraud").expect("a plan");
    let everything = searcher.plan("*").expect("a plan");
    let family = searcher.plan("lunch AND fraud").expect("a plan").at(Level::Family);
    let drawn = |from, scope, searchable_only, size| {
        let options = SampleOptions {
            from,
            scope,
            searchable_only,
            seed: "7",
            size,
        };
        draw(&searcher, options).expect("a sample")
    };
    let left = DrawFrom::LeftOut {
        of: &plan,
        within: None,
    };
    let hits = drawn(DrawFrom::Hits(&plan), Scope::Global, false, 100);
    let rest = drawn(left, Scope::Global, false, 100);
    let mut all: Vec<u32> = hits.units.iter().chain(&rest.units).map(|unit| unit.item_no).collect();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((hits.population, rest.population), (4, 4));
    assert_eq!(rest.not_searchable.iter().map(|one| one.items).sum::<u64>(), 2);
    assert_eq!(drawn(left, Scope::Global, true, 100).population, 2);
    // A smaller sample is the beginning of a larger one.
    assert_eq!(drawn(left, Scope::Global, false, 2).units, rest.units[..2]);
    // Item 1 was found three times, with two custodians.
    let of_pairs = drawn(DrawFrom::Hits(&everything), Scope::Custodian, false, 100);
    assert_eq!(
        of_pairs.population,
        counted(&searcher, &(1..=8).collect(), Scope::Custodian)
    );
    let of_places = drawn(DrawFrom::Hits(&everything), Scope::Instance, false, 100);
    assert_eq!(
        of_places.population,
        counted(&searcher, &(1..=8).collect(), Scope::Instance)
    );
    let places = embley_search::sample::instance_places(&searcher, embley_model::id::ItemNo(1)).expect("places");
    assert_eq!(places.len(), 3, "{places:?}");
    let left = DrawFrom::LeftOut {
        of: &family,
        within: None,
    };
    let roots = drawn(left, Scope::Global, false, 100);
    let mut numbers: Vec<u32> = roots.units.iter().map(|unit| unit.item_no).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 6, 7, 8]);
}
