//! Proximity and patterns against their definition: sets of spans, made by trying every pair, one part of a field at a time.

use std::collections::BTreeSet;

use embley_index::{Glob, IndexStore, Node, Occurrences, Snapshot, SpanMarker, SpanQuery, Want, WordPattern};
use embley_model::field::Field;

use crate::corpus::{Item, Piece, commit};

const WORDS: [&str; 8] = ["a", "b", "ab", "ba", "bribe", "bribes", "bride", "é"];

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % end
    }

    fn of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len() as u64) as usize]
    }
}

/// A query in the terms of its definition.
#[derive(Clone, Debug)]
enum Ask {
    Word(String),
    Like(Like),
    Any(Vec<Ask>),
    Phrase(Vec<Ask>),
    Near(Box<Ask>, Box<Ask>, u32, Relation),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Within,
    Before,
    NotWithin,
}

/// A pattern, and how the oracle tells its words.
#[derive(Clone, Debug)]
struct Like {
    pattern: WordPattern,
    words: fn(&str) -> bool,
}

fn globs(text: &str) -> WordPattern {
    let pieces = text.chars().map(|c| match c {
        '*' => Glob::Many,
        '?' => Glob::One,
        c => Glob::Char(c),
    });
    WordPattern::wildcard(pieces.collect()).expect("short")
}

fn likes() -> Vec<Like> {
    let like = |pattern, words| Like { pattern, words };
    vec![
        like(WordPattern::prefix("br"), |word| word.starts_with("br")),
        like(WordPattern::prefix("w"), |word| word.starts_with('w')),
        like(globs("bri?e"), |word| matches!(word, "bribe" | "bride")),
        like(globs("*a"), |word| word.ends_with('a')),
        like(globs("*1?"), |word| {
            word.len() > 1 && word.as_bytes()[word.len() - 2] == b'1'
        }),
        like(WordPattern::fuzzy("bribe", 1).expect("small"), |word| {
            matches!(word, "bribe" | "bribes" | "bride")
        }),
        like(WordPattern::fuzzy("ab", 1).expect("small"), |word| {
            matches!(word, "a" | "b" | "ab" | "ba") || word == "abb"
        }),
        like(WordPattern::regex("b|b.*e").expect("good"), |word| {
            word == "b" || (word.starts_with('b') && word.ends_with('e'))
        }),
        like(WordPattern::stem("bribed"), |word| matches!(word, "bribe" | "bribes")),
    ]
}

fn ask(random: &mut Random, likes: &[Like], depth: u32) -> Ask {
    let choice = random.below(if depth == 0 { 6 } else { 20 });
    match choice {
        0..=3 => Ask::Word((*random.of(&WORDS[..5])).to_owned()),
        4 | 5 => Ask::Like(random.of(likes).clone()),
        6 | 7 => Ask::Phrase((0..1 + random.below(3)).map(|_| ask(random, likes, 0)).collect()),
        8 | 9 => Ask::Any(
            (0..1 + random.below(3))
                .map(|_| ask(random, likes, depth - 1))
                .collect(),
        ),
        _ => {
            let distance = *random.of(&[1, 1, 2, 2, 3, 3, 4, 5, 7, 10, 98, 99, 100, 101, 256, 300, u32::MAX]);
            let relation = *random.of(&[
                Relation::Within,
                Relation::Within,
                Relation::Before,
                Relation::NotWithin,
            ]);
            let left = ask(random, likes, depth - 1);
            let right = ask(random, likes, depth - 1);
            Ask::Near(Box::new(left), Box::new(right), distance, relation)
        }
    }
}

fn query(ask: &Ask) -> SpanQuery {
    let many = |parts: &[Ask]| parts.iter().map(query).collect();
    match ask {
        Ask::Word(word) => SpanQuery::Word(word.clone()),
        Ask::Like(like) => SpanQuery::Pattern(like.pattern.clone()),
        Ask::Any(parts) => SpanQuery::Any(many(parts)),
        Ask::Phrase(parts) => SpanQuery::Phrase(many(parts)),
        Ask::Near(left, right, distance, relation) => {
            let (left, right, distance) = (Box::new(query(left)), Box::new(query(right)), *distance);
            match relation {
                Relation::Within => SpanQuery::Within { left, right, distance },
                Relation::Before => SpanQuery::Before { left, right, distance },
                Relation::NotWithin => SpanQuery::NotWithin { left, right, distance },
            }
        }
    }
}

type Spans = BTreeSet<(i64, i64)>;

/// True when the two share no word and at most `distance` words lie from one to the other, the other counted.
fn near(one: (i64, i64), two: (i64, i64), distance: u32, in_order: bool) -> bool {
    let apart = if one.1 < two.0 {
        two.0 - one.1
    } else if two.1 < one.0 && !in_order {
        one.0 - two.1
    } else {
        return false;
    };
    apart <= i64::from(distance)
}

/// The spans of a query in one part of a field, by trying everything.
fn spans(words: &[(i64, String)], ask: &Ask) -> Spans {
    let of = |fits: &dyn Fn(&str) -> bool| {
        let found = words.iter().filter(|(_, word)| fits(word));
        found.map(|(at, _)| (*at, *at)).collect()
    };
    match ask {
        Ask::Word(wanted) => of(&|word| word == wanted),
        Ask::Like(like) => of(&|word| !word.contains('@') && (like.words)(word)),
        Ask::Any(parts) => parts.iter().flat_map(|part| spans(words, part)).collect(),
        Ask::Phrase(parts) => {
            let mut found = spans(words, &parts[0]);
            for part in &parts[1..] {
                let next = spans(words, part);
                let pairs = found.iter().flat_map(|one| next.iter().map(move |two| (*one, *two)));
                found = pairs
                    .filter(|(one, two)| two.0 == one.1 + 1)
                    .map(|(one, two)| (one.0, two.1))
                    .collect();
            }
            found
        }
        Ask::Near(left, right, distance, relation) => {
            let (left, right) = (spans(words, left), spans(words, right));
            if *relation == Relation::NotWithin {
                let alone = |one: &&(i64, i64)| right.iter().all(|two| !near(**one, *two, *distance, false));
                return left.iter().filter(alone).copied().collect();
            }
            let pairs = left.iter().flat_map(|one| right.iter().map(move |two| (*one, *two)));
            pairs
                .filter(|(one, two)| near(*one, *two, *distance, *relation == Relation::Before))
                .map(|(one, two)| (one.0.min(two.0), one.1.max(two.1)))
                .collect()
        }
    }
}

/// The words and phrases that some way of getting this span uses.
fn used(words: &[(i64, String)], ask: &Ask, span: (i64, i64), out: &mut Spans) {
    if !spans(words, ask).contains(&span) {
        return;
    }
    match ask {
        Ask::Word(_) | Ask::Like(_) | Ask::Phrase(_) => {
            out.insert(span);
        }
        Ask::Any(parts) => parts.iter().for_each(|part| used(words, part, span, out)),
        Ask::Near(left, _, _, Relation::NotWithin) => used(words, left, span, out),
        Ask::Near(left, right, distance, relation) => {
            for one in spans(words, left) {
                for two in spans(words, right) {
                    let hull = (one.0.min(two.0), one.1.max(two.1));
                    if hull == span && near(one, two, *distance, *relation == Relation::Before) {
                        used(words, left, one, out);
                        used(words, right, two, out);
                    }
                }
            }
        }
    }
}

fn text(random: &mut Random) -> String {
    let length = match random.below(10) {
        0 => 0,
        1..=6 => random.below(9),
        7 | 8 => random.below(20),
        _ => 110 + random.below(20),
    };
    let mut words = Vec::new();
    for _ in 0..length {
        words.push(match (length, random.below(20)) {
            (0..100, 0..17) | (_, 0) => (*random.of(&WORDS)).to_owned(),
            (_, 1) => format!("w{}", random.below(30)),
            _ => "x".to_owned(),
        });
    }
    words.join(" ")
}

/// Parts of one field: plain texts, each apart from the others.
fn item(random: &mut Random) -> (Item, Vec<String>, Vec<(String, String)>) {
    let body = text(random);
    let mut item = Item::body(&body);
    let mut people = Vec::new();
    for _ in 0..random.below(3) {
        let name: String = text(random).split(' ').take(60).collect::<Vec<_>>().join(" ");
        people.push((
            name,
            format!("{}.b@{}.a", random.of(&WORDS[..5]), random.of(&WORDS[..5])),
        ));
    }
    let pieces = people
        .iter()
        .map(|(name, addr)| Piece::Address(name.clone(), addr.clone()));
    item.texts.push((Field::From, pieces.collect()));
    (item, vec![body], people)
}

fn numbered(text: &str) -> Vec<(i64, String)> {
    let words = text.split([' ', '.', '@']).filter(|word| !word.is_empty());
    words
        .enumerate()
        .map(|(at, word)| (at as i64, word.replace('é', "e")))
        .collect()
}

/// The parts of a field with their words.
fn parts(field: Field, texts: &[String], people: &[(String, String)]) -> Vec<Vec<(i64, String)>> {
    if field == Field::Body {
        return texts.iter().map(|text| numbered(text)).collect();
    }
    people
        .iter()
        .flat_map(|(name, addr)| [numbered(name), numbered(addr)])
        .collect()
}

#[test]
fn proximity_and_patterns_find_and_mark_exactly_what_trying_every_pair_finds() {
    const SEED: u64 = 20_010_514;
    const DOCS: u32 = 560;
    const QUERIES: u64 = 2_000;
    let mut random = Random(SEED);
    let likes = likes();
    let made: Vec<_> = (0..DOCS).map(|_| item(&mut random)).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    let mut groups = vec![Vec::new(); 3];
    for (no, (item, ..)) in made.iter().enumerate() {
        groups[no * 7 % 3].push((no as u32, item));
    }
    commit(&mut store, &groups, 1);
    let snapshot = Snapshot::open(folder.path()).expect("an index");
    assert_eq!(snapshot.segment_count(), 3);
    let fields = |field| -> Vec<_> {
        made.iter()
            .map(|(_, texts, people)| parts(field, texts, people))
            .collect()
    };
    let oracle = [(Field::Body, fields(Field::Body)), (Field::From, fields(Field::From))];

    let one = |number: u64| -> (u64, u64, u64) {
        let mut random = Random(SEED ^ (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let ask = ask(&mut random, &likes, 1 + (number % 4) as u32);
        let query = query(&ask);
        let (field, docs) = &oracle[usize::from(number.is_multiple_of(5))];
        let node = Node::Spans {
            fields: vec![*field],
            query: query.clone(),
        };
        let run = |node: &Node| {
            let want = Want { items: true, top: None };
            let items = snapshot.run(node, want).expect("an index").items;
            items.iter().flatten().collect::<Vec<u32>>()
        };
        let found = run(&node);
        let expected: Vec<u32> = (0..DOCS)
            .filter(|no| docs[*no as usize].iter().any(|part| !spans(part, &ask).is_empty()))
            .collect();
        assert_eq!(
            found,
            expected,
            "seed {SEED}, query {number} in {}: {ask:?}",
            field.name()
        );
        if let SpanQuery::Within { left, right, distance } = &query {
            let query = SpanQuery::Within {
                left: right.clone(),
                right: left.clone(),
                distance: *distance,
            };
            let turned = Node::Spans {
                fields: vec![*field],
                query,
            };
            assert_eq!(
                run(&turned),
                expected,
                "seed {SEED}, query {number} turned round: {ask:?}"
            );
        }
        let rare = Node::Items(std::sync::Arc::new((0..DOCS).filter(|no| no % 9 == 0).collect()));
        let narrowed: Vec<u32> = expected.iter().copied().filter(|no| no % 9 == 0).collect();
        assert_eq!(
            run(&Node::And(vec![rare, node])),
            narrowed,
            "seed {SEED}, query {number}: {ask:?}"
        );
        let mut marked = 0;
        for no in (number % 23..u64::from(DOCS)).step_by(23) {
            for part in docs[no as usize].iter().filter(|part| part.len() < 30) {
                let mut expected = Spans::new();
                for span in spans(part, &ask) {
                    used(part, &ask, span, &mut expected);
                }
                let marker = SpanMarker::new(&query, *field);
                let mut seen = Occurrences::default();
                for (at, word) in part {
                    marker.see(&mut seen, *at as u32, word);
                }
                let marks = marker.marks(&seen, 0..u32::MAX);
                let marks: Spans = marks
                    .iter()
                    .map(|(from, to)| (i64::from(*from), i64::from(*to)))
                    .collect();
                assert_eq!(
                    marks, expected,
                    "seed {SEED}, query {number}, marks in {part:?}: {ask:?}"
                );
                marked += marks.len() as u64;
            }
        }
        let tells = u64::from(!expected.is_empty() && expected.len() < DOCS as usize);
        (tells, expected.len() as u64, marked)
    };
    let sums = std::thread::scope(|scope| {
        let half = |odd: u64| {
            (odd..QUERIES)
                .step_by(2)
                .map(one)
                .fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
        };
        let threads = [0, 1].map(|odd| scope.spawn(move || half(odd)));
        threads.map(|thread| thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
    });
    let tells = sums[0].0 + sums[1].0;
    assert!(u64::from(DOCS) * QUERIES >= 1_000_000);
    assert!(tells * 2 > QUERIES, "only {tells} queries tell items apart");
    assert!(
        sums[0].1 + sums[1].1 > 100_000 && sums[0].2 + sums[1].2 > 10_000,
        "{sums:?}"
    );
}

fn find(texts: &[&str], query: SpanQuery) -> Vec<u32> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items: Vec<Item> = texts.iter().map(|text| Item::body(text)).collect();
    let snapshot = crate::corpus::index_of(folder.path(), &items);
    let fields = vec![Field::Body, Field::Subject];
    let want = Want { items: true, top: None };
    let found = snapshot.run(&Node::Spans { fields, query }, want).expect("an index");
    found.items.iter().flatten().collect()
}

fn word(text: &str) -> SpanQuery {
    SpanQuery::Word(text.to_owned())
}

fn within(left: SpanQuery, right: SpanQuery, distance: u32) -> SpanQuery {
    SpanQuery::Within {
        left: Box::new(left),
        right: Box::new(right),
        distance,
    }
}

#[test]
fn neighbours_are_one_apart_in_either_order_and_one_word_never_serves_both_sides() {
    let texts = ["a b", "b a", "a x b", "a", "a a", "b x x a"];
    assert_eq!(find(&texts, within(word("a"), word("b"), 1)), [0, 1]);
    assert_eq!(find(&texts, within(word("b"), word("a"), 2)), [0, 1, 2]);
    assert_eq!(find(&texts, within(word("a"), word("a"), 5)), [4]);
    let before = |distance| SpanQuery::Before {
        left: Box::new(word("a")),
        right: Box::new(word("b")),
        distance,
    };
    assert_eq!(find(&texts, before(2)), [0, 2]);
    let apart = SpanQuery::NotWithin {
        left: Box::new(word("a")),
        right: Box::new(word("b")),
        distance: 2,
    };
    assert_eq!(find(&texts, apart), [3, 4, 5]);
}

#[test]
fn distances_beyond_a_byte_and_beyond_a_block_are_exact() {
    let far = |words: usize| format!("a {}b", "x ".repeat(words - 1));
    let texts = [far(255), far(256), far(257), far(300), far(70_000)];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (distance, expected) in [
        (255, &[0][..]),
        (256, &[0, 1]),
        (299, &[0, 1, 2]),
        (300, &[0, 1, 2, 3]),
        (69_999, &[0, 1, 2, 3]),
        (70_000, &[0, 1, 2, 3, 4]),
    ] {
        assert_eq!(
            find(&texts, within(word("a"), word("b"), distance)),
            expected,
            "{distance}"
        );
    }
}

#[test]
fn a_hull_that_is_longer_than_the_smallest_still_counts() {
    // The first a is 2 from c only by way of the hull that ends at the second b.
    let texts = ["a b b c", "a b x b x c", "c x x x b a"];
    assert_eq!(find(&texts, within(within(word("a"), word("b"), 3), word("c"), 1)), [0]);
    assert_eq!(
        find(&texts, within(within(word("a"), word("b"), 3), word("c"), 2)),
        [0, 1]
    );
}

#[test]
fn words_of_different_addresses_are_never_near() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut item = Item::body("");
    let piece = |name: &str, addr: &str| Piece::Address(name.to_owned(), addr.to_owned());
    item.texts.push((
        Field::To,
        vec![piece("ann smith", "as@x.org"), piece("bob", "bob@y.org")],
    ));
    let snapshot = crate::corpus::index_of(folder.path(), &[item]);
    let count = |left: &str, right: &str| {
        let query = within(word(left), word(right), u32::MAX);
        let fields = vec![Field::To];
        snapshot
            .run(&Node::Spans { fields, query }, Want::default())
            .expect("an index")
            .count
    };
    assert_eq!(
        (count("ann", "smith"), count("as", "org"), count("@x.org", "as")),
        (1, 1, 1)
    );
    assert_eq!((count("ann", "bob"), count("ann", "as"), count("x", "y")), (0, 0, 0));
}

#[test]
fn a_pattern_in_a_query_of_whole_items_takes_in_every_word_and_no_address() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut items: Vec<Item> = (0..500).map(|no| Item::body(&format!("w{no}x y"))).collect();
    items[7].texts.push((
        Field::From,
        vec![Piece::Address(String::new(), "wax@box.wex".to_owned())],
    ));
    let snapshot = crate::corpus::index_of(folder.path(), &items);
    let count = |fields: &[Field], pattern| {
        let node = Node::Words {
            fields: fields.to_vec(),
            pattern,
        };
        snapshot.run(&node, Want::default()).expect("an index").count
    };
    assert_eq!(count(&[Field::Body], globs("w*x")), 500);
    assert_eq!(count(&[Field::Body], globs("*1?x")), 50);
    assert_eq!(count(&[Field::From], globs("w*ex")), 1);
    assert_eq!(count(&[Field::From], globs("w*x*x")), 0);
    assert_eq!(count(&[Field::From, Field::Body], globs("*")), 500);
    let words = snapshot.words(&[Field::Body], &globs("w49?x")).expect("an index");
    assert_eq!(words.len(), 10);
}
