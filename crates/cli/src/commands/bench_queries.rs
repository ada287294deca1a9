//! The queries of `embley bench --queries`: ten fixed ones, and seeded ones of many shapes made from words of the case itself.
//!
//! Each is run as a page is: planned, exact count, 20 hits by date with snippets from the originals, custodian facet (one shape: six facets). Of more
//! candidates than wanted those are taken whose numbers of hits are spread evenly over the orders of magnitude from 100 on. They run once each, warm
//! (one pass over all before the measured one), so that percentiles are over queries, not over repetitions. Leading wildcards and regular expressions,
//! which look at every word of the case, are reported apart. Then all seeded queries are the lines of one search term report, on one thread and on all.

mod seeded;

use std::path::Path;

use embley_casework::texts::StoredTexts;
use embley_model::clock::Clock;
use embley_search::terms::{self, TermList, TermOptions};
use embley_search::{Asked, Facet, Level, Scope, SearchOptions, Searcher, SnippetStyle, Sort};
use embley_store::{Access, Case};
use serde_json::{Map, Value, json};

use self::seeded::{Maker, SHAPES, Shape};

use crate::context;

const ROUNDS: usize = 7;

/// Candidates made for each query that is run.
const CANDIDATES: usize = 3;

/// Most queries of a shape that is reported apart.
const MOST_APART: usize = 10;

/// Fewest hits of a seeded query, where the case has enough.
const LEAST_HITS: u64 = 100;

/// Values of a facet that are listed, as on the command line.
const FACET_LIMIT: usize = 20;

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

/// Measures on an existing case; `per_shape` seeded queries of each shape beside the fixed ones.
pub(super) fn run(dir: &Path, clock: &dyn Clock, per_shape: usize, seed: u64) -> anyhow::Result<Value> {
    let case = Case::open(dir, Access::Read)?;
    let searcher = Searcher::open(&case)?;
    let bench = Bench {
        texts: StoredTexts::new(&case),
        searcher,
        clock,
    };
    let mut fixed = Vec::new();
    for query in FIXED_QUERIES {
        let mut times = Vec::new();
        let mut count = 0;
        for _ in 0..ROUNDS {
            let (items, millis) = bench.time(query, &[Facet::Custodian], Level::Item)?;
            count = items;
            times.push(millis);
        }
        times.sort_by(f64::total_cmp);
        fixed.push(json!({"query": query, "count": count, "median_ms": percentile(&times, 50), "worst_ms": percentile(&times, 100)}));
    }
    if per_shape == 0 {
        return Ok(json!({"fixed": fixed}));
    }
    let mut maker = Maker::read(&case, &bench.searcher, seed)?;
    let (mut shapes, mut apart) = (Map::new(), Map::new());
    let mut lines = Vec::new();
    for shape in SHAPES {
        // What looks at every word of the case takes a hundred times as long.
        let wanted = if shape.apart {
            per_shape.min(MOST_APART)
        } else {
            per_shape
        };
        let (measured, queries) = bench.shape(shape, &mut maker, wanted)?;
        lines.extend(queries);
        let list = if shape.apart { &mut apart } else { &mut shapes };
        list.insert(shape.name.to_owned(), measured);
    }
    let terms = bench.terms(&case, &lines)?;
    Ok(json!({
        "fixed": fixed, "terms": terms, "items": bench.searcher.snapshot().item_count(), "segments": bench.searcher.snapshot().segment_count(),
        "seed": seed, "shapes": shapes, "apart": apart,
    }))
}

struct Bench<'c> {
    texts: StoredTexts<'c>,
    searcher: Searcher,
    clock: &'c dyn Clock,
}

impl Bench<'_> {
    /// Items found, and milliseconds for a whole answer.
    fn time(&self, query: &str, facets: &[Facet], level: Level) -> anyhow::Result<(u64, f64)> {
        let started = self.clock.monotonic_nanos();
        let plan = self.searcher.plan(query)?.at(level);
        let options = SearchOptions {
            sort: Sort::Date,
            limit: Some(20),
            facets,
            facet_limit: Some(FACET_LIMIT),
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

    fn count(&self, query: &str, level: Level) -> anyhow::Result<u64> {
        let plan = self.searcher.plan(query)?.at(level);
        let options = SearchOptions {
            limit: Some(0),
            ..SearchOptions::default()
        };
        Ok(self.searcher.run(&plan, options)?.summary().count)
    }

    fn shape(&self, shape: &Shape, maker: &mut Maker, per_shape: usize) -> anyhow::Result<(Value, Vec<String>)> {
        let mut candidates = Vec::new();
        for query in maker.queries(shape, per_shape.saturating_mul(CANDIDATES)) {
            candidates.push((self.count(&query, shape.level)?, query));
        }
        let queries = spread(candidates, per_shape);
        for query in &queries {
            self.time(query, shape.facets, shape.level)?;
        }
        let mut times = Vec::with_capacity(queries.len());
        let mut counts = Vec::with_capacity(queries.len());
        let mut slowest = (0.0, 0, "");
        for query in &queries {
            let (count, millis) = self.time(query, shape.facets, shape.level)?;
            if millis > slowest.0 {
                slowest = (millis, count, query);
            }
            times.push(millis);
            counts.push(count);
        }
        times.sort_by(f64::total_cmp);
        counts.sort_unstable();
        let hits = |share: usize| counts.get((counts.len() * share / 100).min(counts.len().saturating_sub(1)));
        let measured = json!({
            "queries": queries.len(), "median_count": hits(50), "least_count": hits(0), "most_count": hits(100),
            "p50_ms": percentile(&times, 50), "p90_ms": percentile(&times, 90), "p99_ms": percentile(&times, 99),
            "worst_ms": percentile(&times, 100), "slowest": slowest.2, "slowest_count": slowest.1,
        });
        Ok((measured, queries))
    }
}

/// Takes `wanted` of the candidates so that the logarithms of their counts are spread evenly; those below the least come last.
fn spread(mut candidates: Vec<(u64, String)>, wanted: usize) -> Vec<String> {
    candidates.sort();
    candidates.dedup();
    let enough = candidates.iter().filter(|(count, _)| *count >= LEAST_HITS).count();
    if enough >= wanted {
        candidates.retain(|(count, _)| *count >= LEAST_HITS);
    }
    let log = |count: u64| (count.max(1) as f64).ln();
    let (Some((low, _)), Some((high, _))) = (candidates.first(), candidates.last()) else {
        return Vec::new();
    };
    let (low, high) = (log(*low), log(*high));
    let mut taken = Vec::with_capacity(wanted);
    for place in 0..wanted.min(candidates.len()) {
        let target = low + (high - low) * place as f64 / wanted.saturating_sub(1).max(1) as f64;
        let distance = |one: &(u64, String)| (log(one.0) - target).abs();
        let nearest = (0..candidates.len())
            .min_by(|one, two| distance(&candidates[*one]).total_cmp(&distance(&candidates[*two])));
        if let Some(nearest) = nearest {
            taken.push(candidates.remove(nearest).1);
        }
    }
    taken
}

/// The value that this share of the sorted values does not exceed (nearest rank).
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
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
    fn queries_are_spread_over_the_orders_of_magnitude() {
        let candidates: Vec<(u64, String)> = (1..=1000_u64)
            .map(|count| (count * 100, format!("q{}", count * 100)))
            .collect();
        let taken = spread(candidates.clone(), 4);
        assert_eq!(taken, ["q100", "q1000", "q10000", "q100000"]);
        let few = spread(vec![(3, "a".into()), (5, "b".into())], 4);
        assert_eq!(few, ["a", "b"]);
        assert!(spread(Vec::new(), 4).is_empty());
    }
}
