//! The queries of `embley bench --queries`: ten fixed ones, and seeded ones of four shapes made from words of the case itself.
//!
//! Each is run as a page is: planned, exact count, 20 hits by date with snippets from the originals, custodian facet. Seeded queries run once
//! each, warm (one pass over all before the measured one), so that percentiles are over queries, not over repetitions. Then all seeded
//! queries are the lines of one search term report, on one thread and on all.

use std::path::Path;

use embley_casework::threads::MessageTexts;
use embley_ingest::Originals;
use embley_model::clock::Clock;
use embley_model::id::ItemNo;
use embley_search::terms::{self, TermList, TermOptions};
use embley_search::{Asked, Facet, Level, Scope, SearchOptions, Searcher, SnippetStyle, Sort};
use embley_store::{Access, Case};
use serde_json::{Value, json};

use crate::context;

const ROUNDS: usize = 7;

/// Words that the made corpus holds, and shapes that any mailbox answers.
const FIXED_QUERIES: [&str; 10] = [
    "the",
    "meeting",
    "meeting AND report",
    "report OR statement OR notice",
    "meeting NOT report",
    "\"of the\"",
    "\"please find attached\"",
    "inv*",
    "has:attachment AND meeting",
    "subject:report AND date:2001..2020",
];

const SHAPES: [&str; 4] = ["term", "and", "prefix", "phrase"];

/// Measures on an existing case; `per_shape` seeded queries of each shape beside the fixed ones.
pub(super) fn run(dir: &Path, clock: &dyn Clock, per_shape: usize, seed: u64) -> anyhow::Result<Value> {
    let case = Case::open(dir, Access::Read)?;
    let searcher = Searcher::open(&case)?;
    let bench = Bench {
        texts: MessageTexts::new(&case),
        searcher,
        clock,
    };
    let mut fixed = Vec::new();
    for query in FIXED_QUERIES {
        let mut times = Vec::new();
        let mut count = 0;
        for _ in 0..ROUNDS {
            let (items, millis) = bench.time(query)?;
            count = items;
            times.push(millis);
        }
        times.sort_by(f64::total_cmp);
        fixed.push(json!({"query": query, "count": count, "median_ms": percentile(&times, 50), "worst_ms": percentile(&times, 100)}));
    }
    if per_shape == 0 {
        return Ok(json!({"fixed": fixed}));
    }
    let made = seeded(&case, bench.searcher.snapshot().item_count(), per_shape, seed)?;
    let mut shapes = serde_json::Map::new();
    for (shape, queries) in SHAPES.iter().zip(&made) {
        shapes.insert((*shape).to_owned(), bench.shape(queries)?);
    }
    let lines: Vec<String> = made.iter().flatten().cloned().collect();
    let terms = bench.terms(&case, &lines)?;
    Ok(
        json!({"fixed": fixed, "terms": terms, "items": bench.searcher.snapshot().item_count(), "seed": seed, "shapes": shapes}),
    )
}

struct Bench<'c> {
    texts: MessageTexts<'c>,
    searcher: Searcher,
    clock: &'c dyn Clock,
}

impl Bench<'_> {
    /// Items found, and milliseconds for a whole answer.
    fn time(&self, query: &str) -> anyhow::Result<(u64, f64)> {
        let started = self.clock.monotonic_nanos();
        let plan = self.searcher.plan(query)?;
        let options = SearchOptions {
            sort: Sort::Date,
            limit: Some(20),
            facets: &[Facet::Custodian],
            texts: Some(&self.texts),
            style: SnippetStyle::default(),
            ..SearchOptions::default()
        };
        let answer = self.searcher.run(&plan, options)?;
        let count = answer.summary().count;
        for hit in answer.hits()? {
            hit?;
        }
        let millis = self.clock.monotonic_nanos().saturating_sub(started) as f64 / 1e6;
        Ok((count, millis))
    }

    /// A search term report of these lines: milliseconds on one thread, and on all.
    fn terms(&self, case: &Case, lines: &[String]) -> anyhow::Result<Value> {
        let Ok(list) = TermList::from_lines(lines.join("\n").as_bytes()) else {
            return Ok(Value::Null);
        };
        let all = context::threads(None);
        let mut times = Vec::new();
        for threads in [1, all] {
            let options = TermOptions {
                scope: Scope::Global,
                level: Level::Item,
                threads,
                texts: &self.texts,
                asked: Asked {
                    who: "bench",
                    at_micros: self.clock.now_micros(),
                },
            };
            let started = self.clock.monotonic_nanos();
            let report = terms::report(&self.searcher, case.config(), &list, options)?;
            times.push((
                self.clock.monotonic_nanos().saturating_sub(started) as f64 / 1e6,
                report.totals,
            ));
        }
        Ok(json!({
            "lines": times[0].1.lines, "hits": times[0].1.hits, "one_thread_ms": times[0].0, "threads": all, "all_threads_ms": times[1].0,
        }))
    }

    fn shape(&self, queries: &[String]) -> anyhow::Result<Value> {
        for query in queries {
            self.time(query)?;
        }
        let mut times = Vec::with_capacity(queries.len());
        let mut counts = Vec::with_capacity(queries.len());
        let mut slowest = (0.0, "");
        for query in queries {
            let (count, millis) = self.time(query)?;
            if millis > slowest.0 {
                slowest = (millis, query);
            }
            times.push(millis);
            counts.push(count);
        }
        times.sort_by(f64::total_cmp);
        counts.sort_unstable();
        let median_count = counts.get(counts.len() / 2);
        Ok(json!({
            "queries": queries.len(), "median_count": median_count, "p50_ms": percentile(&times, 50), "p90_ms": percentile(&times, 90),
            "p99_ms": percentile(&times, 99), "worst_ms": percentile(&times, 100), "slowest": slowest.1,
        }))
    }
}

/// The value that this share of the sorted values does not exceed (nearest rank).
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// Queries from the words of randomly chosen items, so that common words come as often as people meet them; by shape.
fn seeded(case: &Case, items: u64, per_shape: usize, seed: u64) -> anyhow::Result<[Vec<String>; SHAPES.len()]> {
    let mut originals = Originals::open(case)?;
    let mut random = SplitMix(seed);
    let mut made: [Vec<String>; SHAPES.len()] = Default::default();
    // Items without two words in a row are passed over; a case may hold nothing else.
    let mut tries = per_shape.saturating_mul(50);
    while made.iter().any(|queries| queries.len() < per_shape) && tries > 0 && items > 0 {
        tries -= 1;
        let item = u32::try_from(1 + random.below(items)).unwrap_or(1);
        let text = originals.text(ItemNo(item))?;
        let words: Vec<String> = text
            .body
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 1)
            .map(str::to_lowercase)
            .filter(|word| !matches!(word.as_str(), "and" | "or" | "not"))
            .collect();
        let consecutive = consecutive_words(&text.body);
        if words.len() < 2 || consecutive.is_empty() {
            continue;
        }
        let mut any = || words[usize::try_from(random.below(words.len() as u64)).unwrap_or(0)].clone();
        let (one, left, right, stem) = (any(), any(), any(), any());
        let prefix: String = stem.chars().take(4).collect();
        let phrase = &consecutive[usize::try_from(random.below(consecutive.len() as u64)).unwrap_or(0)];
        let queries = [
            one,
            format!("{left} AND {right}"),
            format!("{prefix}*"),
            format!("\"{phrase}\""),
        ];
        for (list, query) in made.iter_mut().zip(queries) {
            if list.len() < per_shape {
                list.push(query);
            }
        }
    }
    Ok(made)
}

/// Two or three words that stand one after the other with one blank between.
fn consecutive_words(text: &str) -> Vec<String> {
    let plain = |word: &&str| word.chars().count() > 1 && word.chars().all(char::is_alphanumeric);
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        for (at, pair) in words.windows(2).enumerate() {
            if pair.iter().all(plain) {
                let length = if at % 2 == 0 && words.get(at + 2).is_some_and(plain) {
                    3
                } else {
                    2
                };
                found.push(words[at..at + length].join(" ").to_lowercase());
            }
        }
    }
    found
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(
            (
                percentile(&values, 50),
                percentile(&values, 99),
                percentile(&values, 100)
            ),
            (100.0, 198.0, 200.0)
        );
        assert_eq!(percentile(&[7.0], 99), 7.0);
    }

    #[test]
    fn phrases_are_words_that_stand_together() {
        assert_eq!(consecutive_words("Of the man, who"), vec!["of the"]);
        assert_eq!(
            consecutive_words("one two three\nfour"),
            vec!["one two three", "two three"]
        );
    }
}
