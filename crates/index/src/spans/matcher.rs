//! Whether, and where, one document has the spans of a query.
//!
//! Of the hulls of `w/n` there can be as many as pairs of positions. Most are not needed to tell whether there is a match, and what
//! is not needed is not kept ([`thin`]). Let d be the smallest distance of all operators around a hull. A hull `[s, e]` is left out
//! when there are hulls `[s, e1]` and `[s, e3]` with `e1 < e < e3` and `e3 - e1 <= d`. Nothing is lost:
//!
//! - Around it stands `w/n` or `pre/n` with n >= d, and its partner comes later, at x with `e < x <= e + n`. If `e3 < x`, the partner is
//!   near `[s, e3]`; else `x <= e3 <= e1 + d`, so it is near `[s, e1]`; either way the same hull `[s, partner's end]` comes out.
//! - Its partner comes earlier: that depends on `s` alone, and of the hulls that come out the same one is left out, between the same two.
//! - It stands on the right of `not w/n` with n >= d: that asks whether some end lies within n before, or some start within n behind, a
//!   place. The starts are all there, and by the first argument so is an end.
//! - It stands on the left of `not w/n`: whether it stays depends on `s` and on `e`, each by itself. So the test is made when the hull is
//!   made ([`Filters`]), before anything is left out.
//!
//! Leaving out again among what was kept is the same as leaving out once: of two such pairs that share a hull one encloses or adjoins
//! the other. So for each start no more than about two ends in d positions are kept.

use super::Span;
use super::compiled::{Compiled, Op};

/// Hulls collected before they are first sorted and thinned.
const COMPACT_FROM: usize = 1 << 14;

/// Gives the positions of a leaf in the present document.
pub(crate) trait Positions {
    /// True when there is a position; costs less than reading them.
    fn has(&mut self, leaf: usize) -> bool;
    /// Positions of the leaf's words, increasing, each once.
    fn positions(&mut self, leaf: usize, out: &mut Vec<u32>);
}

/// What a `not w/n` around an expression takes away from it.
#[derive(Debug)]
struct Filter {
    starts: Vec<u32>,
    ends: Vec<u32>,
    distance: u32,
}

impl Filter {
    fn new(right: &[Span], distance: u32) -> Self {
        let mut ends: Vec<u32> = right.iter().map(|span| span.1).collect();
        ends.sort_unstable();
        Self {
            starts: right.iter().map(|span| span.0).collect(),
            ends,
            distance,
        }
    }

    /// True when no span of the right side is near.
    fn lets_pass(&self, span: Span) -> bool {
        let from = self
            .ends
            .partition_point(|end| u64::from(*end) + u64::from(self.distance) < u64::from(span.0));
        let before = self.ends.get(from).is_some_and(|end| *end < span.0);
        let from = self.starts.partition_point(|start| *start <= span.1);
        let behind = self
            .starts
            .get(from)
            .is_some_and(|start| start - span.1 <= self.distance);
        !before && !behind
    }
}

/// The filters around an expression, the innermost first.
#[derive(Clone, Copy)]
struct Filters<'f> {
    own: &'f Filter,
    outer: Option<&'f Filters<'f>>,
}

fn passes(filters: Option<&Filters<'_>>, span: Span) -> bool {
    let mut next = filters;
    while let Some(filters) = next {
        if !filters.own.lets_pass(span) {
            return false;
        }
        next = filters.outer;
    }
    true
}

/// Evaluates a query in one document after the other; its buffers are used again.
pub(crate) struct Matcher<'q> {
    query: &'q Compiled,
    leaves: Vec<(bool, Vec<u32>)>,
    spare: Vec<Vec<Span>>,
}

impl<'q> Matcher<'q> {
    pub(crate) fn new(query: &'q Compiled) -> Self {
        Self {
            query,
            leaves: vec![(false, Vec::new()); query.leaves.len()],
            spare: Vec::new(),
        }
    }

    /// Forgets the present document.
    pub(crate) fn next_document(&mut self) {
        self.leaves.iter_mut().for_each(|(read, _)| *read = false);
    }

    /// True when the present document matches.
    pub(crate) fn matches(&mut self, source: &mut dyn Positions) -> bool {
        match self.query.ops.get(self.query.root()) {
            Some(op) => self.exists(op, source),
            None => false,
        }
    }

    fn exists(&mut self, op: &'q Op, source: &mut dyn Positions) -> bool {
        let ops = &self.query.ops;
        match op {
            Op::Leaf(leaf) => source.has(*leaf),
            Op::Any(parts) => parts.iter().any(|part| self.exists(&ops[*part], source)),
            Op::Near {
                left,
                right,
                distance,
                ordered,
            } => {
                if matches!((&ops[*left], &ops[*right]), (Op::Leaf(_), Op::Leaf(_))) {
                    let (a, b) = (self.points(*left, source), self.points(*right, source));
                    return points_near(&self.leaves[a].1, &self.leaves[b].1, *distance, *ordered);
                }
                let (mut a, mut b) = (self.buffer(), self.buffer());
                self.collect(*left, None, *distance, source, &mut a);
                if !a.is_empty() {
                    self.collect(*right, None, *distance, source, &mut b);
                }
                let found = !for_each_near(&a, &b, *distance, *ordered, &mut |_, _| false);
                self.give_back([a, b]);
                found
            }
            Op::Apart { left, right, .. } if self.is_absent(*right, source) => self.exists(&ops[*left], source),
            Op::Apart { left, right, distance }
                if matches!((&ops[*left], &ops[*right]), (Op::Leaf(_), Op::Leaf(_))) =>
            {
                let (a, b) = (self.points(*left, source), self.points(*right, source));
                point_apart(&self.leaves[a].1, &self.leaves[b].1, *distance)
            }
            Op::Phrase(_) | Op::Apart { .. } => {
                let mut spans = self.buffer();
                self.evaluate(op, None, u32::MAX, source, &mut spans);
                let found = !spans.is_empty();
                self.give_back([spans]);
                found
            }
        }
    }

    /// All spans of an operation, sorted, each once; nothing is left out.
    pub(crate) fn spans(&mut self, op: usize, source: &mut dyn Positions) -> Vec<Span> {
        let mut out = Vec::new();
        self.collect(op, None, 0, source, &mut out);
        out
    }

    fn collect(
        &mut self,
        op: usize,
        filters: Option<&Filters<'_>>,
        slack: u32,
        source: &mut dyn Positions,
        out: &mut Vec<Span>,
    ) {
        let query = self.query;
        self.evaluate(&query.ops[op], filters, slack, source, out);
    }

    /// Puts into `out`, sorted and each once, the spans of `op` that pass the filters, and of those no more than what operators whose
    /// distances are at least `slack` can tell apart.
    fn evaluate(
        &mut self,
        op: &'q Op,
        filters: Option<&Filters<'_>>,
        slack: u32,
        source: &mut dyn Positions,
        out: &mut Vec<Span>,
    ) {
        out.clear();
        match op {
            Op::Leaf(leaf) => {
                let positions = self.leaf(*leaf, source).iter().map(|at| (*at, *at));
                out.extend(positions.filter(|span| passes(filters, *span)));
            }
            Op::Any(parts) => {
                let mut part = self.buffer();
                for at in parts {
                    self.collect(*at, filters, slack, source, &mut part);
                    out.append(&mut part);
                }
                self.give_back([part]);
                thin(out, slack);
            }
            Op::Phrase(parts) => {
                self.phrase(parts, source, out);
                out.retain(|span| passes(filters, *span));
                thin(out, slack);
            }
            Op::Near {
                left,
                right,
                distance,
                ordered,
            } => {
                let (mut a, mut b) = (self.buffer(), self.buffer());
                let inner = slack.min(*distance);
                self.collect(*left, None, inner, source, &mut a);
                if !a.is_empty() {
                    self.collect(*right, None, inner, source, &mut b);
                }
                let mut limit = COMPACT_FROM;
                for_each_near(&a, &b, *distance, *ordered, &mut |one, two| {
                    let hull = hull(one, two);
                    if passes(filters, hull) {
                        out.push(hull);
                        if out.len() >= limit {
                            thin(out, slack);
                            limit = COMPACT_FROM.max(2 * out.len());
                        }
                    }
                    true
                });
                thin(out, slack);
                self.give_back([a, b]);
            }
            Op::Apart { left, right, distance } => {
                let mut b = self.buffer();
                self.collect(*right, None, *distance, source, &mut b);
                let own = Filter::new(&b, *distance);
                self.give_back([b]);
                let filters = Filters {
                    own: &own,
                    outer: filters,
                };
                self.collect(*left, Some(&filters), slack, source, out);
            }
        }
    }

    fn phrase(&mut self, parts: &[usize], source: &mut dyn Positions, out: &mut Vec<Span>) {
        let Some((first, rest)) = parts.split_first() else {
            return;
        };
        self.collect(*first, None, 0, source, out);
        let (mut next, mut joined) = (self.buffer(), self.buffer());
        for part in rest {
            if out.is_empty() {
                break;
            }
            self.collect(*part, None, 0, source, &mut next);
            joined.clear();
            for (start, end) in out.iter() {
                let Some(follows) = end.checked_add(1) else { continue };
                let from = next.partition_point(|span| span.0 < follows);
                let followers = next[from..].iter().take_while(|span| span.0 == follows);
                joined.extend(followers.map(|span| (*start, span.1)));
            }
            std::mem::swap(out, &mut joined);
            thin(out, 0);
        }
        self.give_back([next, joined]);
    }

    /// True when the operation is a leaf without a position here.
    fn is_absent(&self, op: usize, source: &mut dyn Positions) -> bool {
        matches!(&self.query.ops[op], Op::Leaf(leaf) if !source.has(*leaf))
    }

    /// Reads the positions of an operation that is a leaf, and gives the leaf.
    fn points(&mut self, op: usize, source: &mut dyn Positions) -> usize {
        let Op::Leaf(leaf) = &self.query.ops[op] else {
            unreachable!("asked of leaves only")
        };
        self.leaf(*leaf, source);
        *leaf
    }

    fn leaf(&mut self, leaf: usize, source: &mut dyn Positions) -> &[u32] {
        let (read, positions) = &mut self.leaves[leaf];
        if !*read {
            source.positions(leaf, positions);
            *read = true;
        }
        positions
    }

    fn buffer(&mut self) -> Vec<Span> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    fn give_back<const N: usize>(&mut self, buffers: [Vec<Span>; N]) {
        self.spare.extend(buffers);
    }
}

/// The smallest span that holds both.
pub(super) fn hull(one: Span, two: Span) -> Span {
    (one.0.min(two.0), one.1.max(two.1))
}

/// Calls `each` with the pairs (from `a`, from `b`) that are near; both are sorted. Ends early, with false, when `each` says so.
pub(super) fn for_each_near(
    a: &[Span],
    b: &[Span],
    distance: u32,
    ordered: bool,
    each: &mut dyn FnMut(Span, Span) -> bool,
) -> bool {
    let one_way = |earlier: &[Span], later: &[Span], each: &mut dyn FnMut(Span, Span) -> bool| {
        for first in earlier {
            let from = later.partition_point(|span| span.0 <= first.1);
            for second in later[from..].iter().take_while(|span| span.0 - first.1 <= distance) {
                if !each(*first, *second) {
                    return false;
                }
            }
        }
        true
    };
    one_way(a, b, each) && (ordered || one_way(b, a, &mut |first, second| each(second, first)))
}

/// True when two positions of the lists are near; both increase.
fn points_near(a: &[u32], b: &[u32], distance: u32, ordered: bool) -> bool {
    let mut next = 0;
    for at in a {
        while b.get(next).is_some_and(|other| other < at) {
            next += 1;
        }
        let behind = next + usize::from(b.get(next) == Some(at));
        if b.get(behind).is_some_and(|other| other - at <= distance) {
            return true;
        }
        if !ordered && next.checked_sub(1).is_some_and(|before| at - b[before] <= distance) {
            return true;
        }
    }
    false
}

/// True when some position of `a` has none of `b` near; both increase.
fn point_apart(a: &[u32], b: &[u32], distance: u32) -> bool {
    let mut next = 0;
    a.iter().any(|at| {
        while b.get(next).is_some_and(|other| other < at) {
            next += 1;
        }
        let behind = next + usize::from(b.get(next) == Some(at));
        let before = next.checked_sub(1).is_some_and(|before| at - b[before] <= distance);
        !before && b.get(behind).is_none_or(|other| other - at > distance)
    })
}

/// Sorts, takes out doubles, and leaves out what lies between two spans of the same start whose ends are at most `slack` apart.
fn thin(spans: &mut Vec<Span>, slack: u32) {
    if !spans.is_sorted() {
        spans.sort_unstable();
    }
    spans.dedup();
    if slack < 2 || spans.len() < 3 {
        return;
    }
    let (mut kept, mut at) = (0, 0);
    while at < spans.len() {
        let span = spans[at];
        // The furthest of the same start within reach, else the next one.
        spans[kept] = span;
        kept += 1;
        let group = spans[at + 1..]
            .iter()
            .take_while(|next| next.0 == span.0 && next.1 - span.1 <= slack);
        at += group.count().max(1);
    }
    spans.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_two_near_ends_is_left_out() {
        let mut spans: Vec<Span> = [1, 2, 3, 4, 9, 10, 11, 30].map(|end| (0, end)).to_vec();
        spans.extend([(5, 6), (5, 7), (5, 8), (5, 7)]);
        thin(&mut spans, 3);
        assert_eq!(spans, [(0, 1), (0, 4), (0, 9), (0, 11), (0, 30), (5, 6), (5, 8)]);
        thin(&mut spans, 0);
        assert_eq!(spans.len(), 7);
    }

    #[test]
    fn the_number_of_hulls_stays_small_when_every_word_is_on_both_sides() {
        struct All(u32);
        impl Positions for All {
            fn has(&mut self, _: usize) -> bool {
                self.0 > 0
            }

            fn positions(&mut self, _: usize, out: &mut Vec<u32>) {
                out.clear();
                out.extend(0..self.0);
            }
        }
        use crate::spans::SpanQuery;
        let within = |left, right, distance| SpanQuery::Within {
            left: Box::new(left),
            right: Box::new(right),
            distance,
        };
        let word = || SpanQuery::Word("a".to_owned());
        let query = within(within(within(word(), word(), 30), word(), 40), word(), 50);
        let compiled = Compiled::new(&query, u32::MAX);
        let mut matcher = Matcher::new(&compiled);
        let mut out = Vec::new();
        matcher.evaluate(&compiled.ops[compiled.root()], None, 30, &mut All(1000), &mut out);
        assert!(out.len() > 1000 && out.len() < 1000 * 10, "{}", out.len());
        assert!(matcher.matches(&mut All(1000)));
    }
}
