//! Which words of a text take part in a match.
//!
//! A word or phrase is marked when some way of matching the query uses it: of `a w/5 b` each `a` with a `b` near it, and that `b`, and no
//! other; of `a not w/5 b` the `a` that have none near, and never a `b`. The spans come from the same algorithm as those of the index.

use embley_model::field::Field;

use super::compiled::{Compiled, Op};
use super::matcher::{Matcher, Positions, for_each_near, hull};
use super::{Span, SpanQuery, reach};

/// Words that are looked at together; with them is looked at what is near enough to matter.
const CHUNK_POSITIONS: u32 = 1 << 14;

/// A query ready to mark texts of one field.
#[derive(Clone, Debug)]
pub struct SpanMarker {
    compiled: Compiled,
    context: u32,
}

/// Where the words of a query stand in a text.
#[derive(Clone, Debug, Default)]
pub struct Occurrences {
    by_leaf: Vec<Vec<u32>>,
}

impl Occurrences {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.by_leaf.iter_mut().for_each(Vec::clear);
    }
}

impl SpanMarker {
    /// A marker for texts of `field`.
    pub fn new(query: &SpanQuery, field: Field) -> Self {
        let compiled = Compiled::new(query, reach(field));
        let context = compiled.context();
        Self { compiled, context }
    }

    /// Notes a folded word at a position; positions never decrease. True when the query names the word.
    pub fn see(&self, occurrences: &mut Occurrences, position: u32, folded: &str) -> bool {
        occurrences.by_leaf.resize(self.compiled.leaves.len(), Vec::new());
        let mut named = false;
        for (leaf, positions) in self.compiled.leaves.iter().zip(&mut occurrences.by_leaf) {
            if leaf.accepts(folded) {
                named = true;
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            }
        }
        named
    }

    /// How many positions behind a match can decide whether it is one.
    pub fn context(&self) -> u32 {
        self.context
    }

    /// First and last positions of the words and phrases that take part in matches which begin in `starts`, sorted, each once.
    pub fn marks(&self, occurrences: &Occurrences, starts: std::ops::Range<u32>) -> Vec<(u32, u32)> {
        let mut marks = Vec::new();
        let last = occurrences.by_leaf.iter().filter_map(|list| list.last()).max();
        let first = occurrences.by_leaf.iter().filter_map(|list| list.first()).min();
        let (Some(first), Some(last)) = (first, last) else {
            return marks;
        };
        let end = starts.end.min(last.saturating_add(1));
        let mut from = starts.start.max(*first);
        while from < end {
            let to = from.saturating_add(CHUNK_POSITIONS).min(end);
            self.chunk(occurrences, from..to, &mut marks);
            from = to;
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// Looks at the words around `starts` and marks matches that begin there.
    fn chunk(&self, occurrences: &Occurrences, starts: std::ops::Range<u32>, marks: &mut Vec<Span>) {
        let mut near = Around {
            occurrences,
            low: starts.start.saturating_sub(self.context),
            high: starts.end.saturating_add(self.context),
        };
        let mut matcher = Matcher::new(&self.compiled);
        let spans: Vec<Vec<Span>> = (0..self.compiled.ops.len())
            .map(|op| matcher.spans(op, &mut near))
            .collect();
        let mut used: Vec<Vec<Span>> = vec![Vec::new(); spans.len()];
        let root = self.compiled.root();
        if let (Some(used), Some(spans)) = (used.get_mut(root), spans.get(root)) {
            used.extend(spans.iter().filter(|span| starts.contains(&span.0)));
        }
        // Operations name only those made before them.
        for (at, op) in self.compiled.ops.iter().enumerate().rev() {
            let mut own = std::mem::take(&mut used[at]);
            own.sort_unstable();
            own.dedup();
            if own.is_empty() {
                continue;
            }
            match op {
                Op::Leaf(_) | Op::Phrase(_) => marks.append(&mut own),
                Op::Any(parts) => {
                    for part in parts {
                        let both = own.iter().filter(|span| spans[*part].binary_search(span).is_ok());
                        used[*part].extend(both);
                    }
                }
                Op::Near {
                    left,
                    right,
                    distance,
                    ordered,
                } => {
                    for_each_near(&spans[*left], &spans[*right], *distance, *ordered, &mut |one, two| {
                        if own.binary_search(&hull(one, two)).is_ok() {
                            used[*left].push(one);
                            used[*right].push(two);
                        }
                        true
                    });
                }
                Op::Apart { left, .. } => used[*left].append(&mut own),
            }
        }
    }
}

/// The occurrences between two positions.
struct Around<'o> {
    occurrences: &'o Occurrences,
    low: u32,
    high: u32,
}

impl Positions for Around<'_> {
    fn has(&mut self, leaf: usize) -> bool {
        let list = self.occurrences.by_leaf.get(leaf).map_or(&[][..], Vec::as_slice);
        let from = list.partition_point(|at| *at < self.low);
        list.get(from).is_some_and(|at| *at < self.high)
    }

    fn positions(&mut self, leaf: usize, out: &mut Vec<u32>) {
        out.clear();
        if let Some(list) = self.occurrences.by_leaf.get(leaf) {
            let from = list.partition_point(|at| *at < self.low);
            let to = list.partition_point(|at| *at < self.high);
            out.extend_from_slice(list.get(from..to).unwrap_or_default());
        }
    }
}
