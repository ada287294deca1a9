//! A span query flattened: operations that name each other by number, and each different leaf once.

use super::SpanQuery;
use crate::pattern::WordPattern;

/// What tells the words of a leaf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Leaf {
    Word(String),
    Pattern(WordPattern),
}

impl Leaf {
    pub(crate) fn accepts(&self, folded: &str) -> bool {
        match self {
            Self::Word(word) => word == folded,
            Self::Pattern(pattern) => pattern.accepts(folded),
        }
    }
}

/// One operation; numbers are those of operations made before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// A leaf by its number.
    Leaf(usize),
    Any(Vec<usize>),
    Phrase(Vec<usize>),
    Near {
        left: usize,
        right: usize,
        distance: u32,
        ordered: bool,
    },
    Apart {
        left: usize,
        right: usize,
        distance: u32,
    },
}

/// A query ready to be evaluated in one field.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) ops: Vec<Op>,
    pub(crate) leaves: Vec<Leaf>,
}

impl Compiled {
    /// `reach` is the greatest distance that means something in the field.
    pub(crate) fn new(query: &SpanQuery, reach: u32) -> Self {
        let mut compiled = Self {
            ops: Vec::new(),
            leaves: Vec::new(),
        };
        compiled.add(query, reach);
        compiled
    }

    /// The last operation, which is the whole query.
    pub(crate) fn root(&self) -> usize {
        self.ops.len().saturating_sub(1)
    }

    fn add(&mut self, query: &SpanQuery, reach: u32) -> usize {
        let op = match query {
            SpanQuery::Word(word) => self.leaf(Leaf::Word(word.clone())),
            SpanQuery::Pattern(pattern) => self.leaf(Leaf::Pattern(pattern.clone())),
            SpanQuery::Any(parts) => Op::Any(parts.iter().map(|part| self.add(part, reach)).collect()),
            SpanQuery::Phrase(parts) => Op::Phrase(parts.iter().map(|part| self.add(part, reach)).collect()),
            SpanQuery::Within { left, right, distance } => self.near(left, right, *distance, false, reach),
            SpanQuery::Before { left, right, distance } => self.near(left, right, *distance, true, reach),
            SpanQuery::NotWithin { left, right, distance } => Op::Apart {
                left: self.add(left, reach),
                right: self.add(right, reach),
                distance: (*distance).min(reach),
            },
        };
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn near(&mut self, left: &SpanQuery, right: &SpanQuery, distance: u32, ordered: bool, reach: u32) -> Op {
        Op::Near {
            left: self.add(left, reach),
            right: self.add(right, reach),
            distance: distance.min(reach),
            ordered,
        }
    }

    fn leaf(&mut self, leaf: Leaf) -> Op {
        let known = self.leaves.iter().position(|one| *one == leaf);
        Op::Leaf(known.unwrap_or_else(|| {
            self.leaves.push(leaf);
            self.leaves.len() - 1
        }))
    }

    /// The longest distance from one end of a match to anything that decides whether it is one.
    pub(crate) fn context(&self) -> u32 {
        let mut of = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let sum = |parts: &[usize]| parts.iter().fold(0_u32, |sum, part| sum.saturating_add(of[*part]));
            let context = match op {
                Op::Leaf(_) => 1,
                Op::Any(parts) | Op::Phrase(parts) => sum(parts),
                Op::Near {
                    left, right, distance, ..
                }
                | Op::Apart { left, right, distance } => sum(&[*left, *right]).saturating_add(*distance),
            };
            of.push(context);
        }
        of.last().copied().unwrap_or(0)
    }
}
