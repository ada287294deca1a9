//! Order of results: sort keys for dates, BM25 for relevance, and the best `n` of a segment.
//!
//! A key is a `u64` whose smaller values come first; ties are broken by document number, which within a
//! segment is the same as by item number. Relevance is BM25 (Robertson and Zaragoza, "The Probabilistic
//! Relevance Framework", 2009) with k1 1.2 and b 0.75, summed over the words and phrases of the query that
//! are not negated; a pattern or proximity adds 1; field lengths count for `body` and `subject`. Its statistics are those of
//! all segments together, so the score of an item does not depend on which segment it lies in.

use std::collections::BinaryHeap;

use embley_model::field::Field;
use tantivy::columnar::MonotonicallyMappableToU64;
use tantivy::postings::{Postings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TERMINATED};

use crate::bits::DocBits;
use crate::columns::for_each_value;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::node::{Node, Order};
use crate::positional::{self, FieldPostings};
use crate::segment::OpenSegment;

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// A document of one segment with its sort key.
pub(crate) type Ranked = (u64, u32);

/// The first `limit` documents of `bits` in the given order, sorted.
pub(crate) fn best(
    segment: &OpenSegment,
    bits: &DocBits,
    order: Order,
    leaves: &[Leaf<'_>],
    limit: usize,
) -> Result<Vec<Ranked>> {
    let mut keep = Keep::new(limit, bits.count());
    match order {
        Order::ItemNo => bits.for_each(|doc| keep.offer((0, doc))),
        Order::DateAsc => by_date(segment, bits, &mut keep, |date| date.min(u64::MAX - 1))?,
        Order::DateDesc => by_date(segment, bits, &mut keep, |date| (!date).min(u64::MAX - 1))?,
        Order::Near { first, end } => {
            let (first, last) = (first.to_u64(), end.saturating_sub(1).max(first).to_u64());
            let away = |date: u64| first.saturating_sub(date).max(date.saturating_sub(last));
            by_date(segment, bits, &mut keep, |date| away(date).min(u64::MAX - 1))?;
        }
        Order::Relevance => {
            let mut docs = Vec::with_capacity(bits.count() as usize);
            bits.for_each(|doc| docs.push(doc));
            let scores = scores(segment, bits, &docs, leaves)?;
            for (doc, score) in docs.iter().zip(scores) {
                keep.offer((score_key(score), *doc));
            }
        }
    }
    Ok(keep.finish())
}

/// Key of undated documents, in both directions.
const UNDATED: u64 = u64::MAX;

fn by_date(segment: &OpenSegment, bits: &DocBits, keep: &mut Keep, key: impl Fn(u64) -> u64) -> Result<()> {
    let column = segment.dates(Field::Date)?;
    let doc_count = segment.doc_count();
    if bits.count() < doc_count / 4 {
        bits.for_each(|doc| keep.offer((column.first(doc).map_or(UNDATED, &key), doc)));
        return Ok(());
    }
    // Most documents are wanted: reading the column from end to end is cheaper than looking each one up.
    let mut undated = bits.clone();
    for_each_value(&column, doc_count, |doc, date| {
        if bits.contains(doc) {
            keep.offer((key(date), doc));
            undated.remove(doc);
        }
    });
    undated.for_each(|doc| keep.offer((UNDATED, doc)));
    Ok(())
}

/// Highest score first. Scores are never negative, so their bits order as they do.
fn score_key(score: f32) -> u64 {
    u64::from(!score.to_bits())
}

/// The score a key was made from.
pub(crate) fn score_of(key: u64) -> f32 {
    f32::from_bits(!(key as u32))
}

/// Keeps the smallest pairs.
struct Keep {
    limit: usize,
    /// Everything is kept and sorted at the end: cheaper than a heap when most of it is wanted.
    all: Option<Vec<Ranked>>,
    heap: BinaryHeap<Ranked>,
}

impl Keep {
    fn new(limit: usize, count: u32) -> Self {
        let all = (limit >= count as usize / 2).then(|| Vec::with_capacity(count as usize));
        Self {
            limit,
            all,
            heap: BinaryHeap::new(),
        }
    }

    #[inline]
    fn offer(&mut self, ranked: Ranked) {
        if let Some(all) = &mut self.all {
            all.push(ranked);
        } else if self.heap.len() < self.limit {
            self.heap.push(ranked);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && ranked < *worst
        {
            *worst = ranked;
        }
    }

    fn finish(self) -> Vec<Ranked> {
        match self.all {
            Some(mut all) => {
                all.sort_unstable();
                all.truncate(self.limit);
                all
            }
            None => self.heap.into_sorted_vec(),
        }
    }
}

/// A part of the query that adds to the score of the documents it matches.
pub(crate) enum Leaf<'n> {
    /// Tokens at consecutive positions of one field; a word is a phrase of one token.
    Words {
        field: Field,
        tokens: &'n [String],
        weight: f32,
        average_length: f32,
    },
    /// A pattern or proximity: adds 1 to each match.
    Flat(&'n Node),
    /// One that every result matches: adds 1 to all.
    Always,
}

/// Statistics over all segments.
pub(crate) trait Statistics {
    /// Number of items.
    fn item_count(&self) -> u64;
    /// Number of items with the token in the field.
    fn doc_freq(&self, field: Field, token: &str) -> Result<u64>;
    /// Number of tokens in the field.
    fn token_count(&self, field: Field) -> Result<u64>;
}

/// The scoring parts of a query, in its own order.
pub(crate) fn leaves<'n>(node: &'n Node, statistics: &dyn Statistics) -> Result<Vec<Leaf<'n>>> {
    let mut out = Vec::new();
    collect(node, true, statistics, &mut out)?;
    Ok(out)
}

/// `required` says that every result matches the node.
fn collect<'n>(node: &'n Node, required: bool, statistics: &dyn Statistics, out: &mut Vec<Leaf<'n>>) -> Result<()> {
    match node {
        Node::Term { fields, token } => words(fields, std::slice::from_ref(token), statistics, out),
        Node::Phrase { fields, tokens } => words(fields, tokens, statistics, out),
        Node::Prefix { .. } | Node::PhrasePrefix { .. } | Node::Words { .. } | Node::Spans { .. } => {
            out.push(if required { Leaf::Always } else { Leaf::Flat(node) });
            Ok(())
        }
        Node::And(children) => children
            .iter()
            .try_for_each(|child| collect(child, required, statistics, out)),
        Node::Or(children) => {
            let required = required && children.len() == 1;
            children
                .iter()
                .try_for_each(|child| collect(child, required, statistics, out))
        }
        Node::All
        | Node::Nothing
        | Node::Keyword { .. }
        | Node::KeywordPrefix { .. }
        | Node::Range { .. }
        | Node::Exists { .. }
        | Node::Items(_)
        | Node::Bits(_)
        | Node::Checked(_)
        | Node::Not(_) => Ok(()),
    }
}

fn words<'n>(
    fields: &[Field],
    tokens: &'n [String],
    statistics: &dyn Statistics,
    out: &mut Vec<Leaf<'n>>,
) -> Result<()> {
    let item_count = statistics.item_count() as f32;
    for field in fields {
        let mut weight = 0.0;
        for token in tokens {
            let with = statistics.doc_freq(*field, token)? as f32;
            weight += (1.0 + (item_count - with + 0.5).max(0.0) / (with + 0.5)).ln();
        }
        out.push(Leaf::Words {
            field: *field,
            tokens,
            weight,
            average_length: statistics.token_count(*field)? as f32 / item_count.max(1.0),
        });
    }
    Ok(())
}

/// Scores of `docs`, which are the documents of `bits` in order.
fn scores(segment: &OpenSegment, bits: &DocBits, docs: &[u32], leaves: &[Leaf<'_>]) -> Result<Vec<f32>> {
    let mut scores = Scores {
        docs,
        scores: vec![0.0; docs.len()],
    };
    let evaluator = Evaluator { segment };
    for leaf in leaves {
        match leaf {
            Leaf::Always => scores.scores.iter_mut().for_each(|score| *score += 1.0),
            Leaf::Flat(node) => {
                let mut matching = evaluator.matching(node)?;
                matching.and(bits);
                let mut at = 0;
                matching.for_each(|doc| scores.add(doc, 1.0, &mut at));
            }
            Leaf::Words {
                field,
                tokens,
                weight,
                average_length,
            } => {
                let inverted = evaluator.text_index(*field)?;
                let Some(infos) = evaluator.infos(&inverted, tokens)? else {
                    continue;
                };
                let curve = Curve::new(segment, *field, *weight, *average_length)?;
                let done = match infos.as_slice() {
                    [info] => scores.add_word(&inverted, info, bits, &curve),
                    _ => {
                        let postings = FieldPostings {
                            inverted: &inverted,
                            positions: segment.positions(*field),
                        };
                        scores.add_phrase(&postings, &infos, bits, &curve)
                    }
                };
                done.map_err(|source| segment.failed(source.into()))?;
            }
        }
    }
    Ok(scores.scores)
}

/// How often a word stands in a document, to what it adds to the score.
struct Curve {
    weight: f32,
    /// `k1 * (1 - b + b * length / average)` for each of the 256 lengths that are told apart.
    norms: [f32; 256],
    lengths: Option<tantivy::fieldnorm::FieldNormReader>,
}

impl Curve {
    fn new(segment: &OpenSegment, field: Field, weight: f32, average_length: f32) -> Result<Self> {
        let lengths = segment.lengths(field)?;
        let mut norms = [K1; 256];
        if lengths.is_some() && average_length > 0.0 {
            for (id, norm) in (0_u8..=255).zip(&mut norms) {
                let length = tantivy::fieldnorm::FieldNormReader::id_to_fieldnorm(id) as f32;
                *norm = K1 * (1.0 - B + B * length / average_length);
            }
        }
        Ok(Self { weight, norms, lengths })
    }

    #[inline]
    fn score(&self, doc: u32, frequency: u32) -> f32 {
        let id = self.lengths.as_ref().map_or(0, |lengths| lengths.fieldnorm_id(doc));
        let frequency = frequency as f32;
        self.weight * (1.0 + K1) * frequency / (frequency + self.norms[usize::from(id)])
    }
}

struct Scores<'d> {
    docs: &'d [u32],
    scores: Vec<f32>,
}

impl Scores<'_> {
    /// Adds to the score of `doc`; `at` is where the last one stood, documents come in increasing order.
    fn add(&mut self, doc: u32, score: f32, at: &mut usize) {
        let mut step = 1;
        while self.docs.get(*at + step).is_some_and(|ahead| *ahead <= doc) {
            *at += step;
            step *= 2;
        }
        let end = (*at + step).min(self.docs.len());
        *at += self.docs[*at..end].partition_point(|earlier| *earlier < doc);
        if self.docs.get(*at) == Some(&doc) {
            self.scores[*at] += score;
        }
        *at = (*at).min(self.docs.len().saturating_sub(1));
    }

    fn add_word(
        &mut self,
        inverted: &InvertedIndexReader,
        info: &TermInfo,
        bits: &DocBits,
        curve: &Curve,
    ) -> std::io::Result<()> {
        let mut postings = inverted.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        if self.docs.len() < info.doc_freq as usize {
            for (doc, score) in self.docs.iter().zip(&mut self.scores) {
                if postings.doc() < *doc && postings.seek(*doc) == TERMINATED {
                    break;
                }
                if postings.doc() == *doc {
                    *score += curve.score(*doc, postings.term_freq());
                }
            }
        } else {
            let mut at = 0;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if bits.contains(doc) {
                    self.add(doc, curve.score(doc, postings.term_freq()), &mut at);
                }
                doc = postings.advance();
            }
        }
        Ok(())
    }

    fn add_phrase(
        &mut self,
        field: &FieldPostings<'_>,
        infos: &[TermInfo],
        bits: &DocBits,
        curve: &Curve,
    ) -> std::io::Result<()> {
        let mut at = 0;
        positional::for_each_match(field, infos, Some(bits), &mut |doc, frequency| {
            self.add(doc, curve.score(doc, frequency), &mut at);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_scores_come_first_and_are_given_back() {
        let scores = [12.5_f32, 1.0, 0.25, 0.0];
        assert!(scores.map(score_key).is_sorted());
        assert_eq!(scores.map(|score| score_of(score_key(score))), scores);
    }

    #[test]
    fn the_heap_and_the_sort_keep_the_same() {
        let offered: Vec<Ranked> = (0..1000_u32)
            .map(|n| (u64::from(n.wrapping_mul(2_654_435_761) % 97), n))
            .collect();
        let mut sorted = offered.clone();
        sorted.sort_unstable();
        for limit in [0, 1, 20, 499, 500, 1000, usize::MAX] {
            let mut keep = Keep::new(limit, 1000);
            offered.iter().for_each(|ranked| keep.offer(*ranked));
            assert_eq!(keep.finish(), sorted[..limit.min(1000)]);
        }
    }

    #[test]
    fn scores_are_added_to_the_right_documents() {
        let docs = [2, 3, 5, 8, 13, 21, 34, 55];
        let mut scores = Scores {
            docs: &docs,
            scores: vec![0.0; docs.len()],
        };
        let mut at = 0;
        for doc in [1, 2, 4, 5, 13, 20, 34, 55, 60] {
            scores.add(doc, 1.0, &mut at);
        }
        assert_eq!(scores.scores, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    }
}
