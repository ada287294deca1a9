//! Positions: which spans of words a proximity query denotes, in the index and in a text.
//!
//! An expression denotes a set of spans `[start, end]` of word positions in one field of one item:
//!
//! | expression | spans |
//! |---|---|
//! | word, pattern | `[p, p]` for each position of such a word |
//! | any of | those of each part |
//! | phrase | hulls of spans of its parts where each begins right behind the one before |
//! | `a w/n b` | hulls of a span of `a` and a span of `b` that are *near*: they share no position, and the later begins at most n positions behind the end of the earlier (neighbours are 1 apart) |
//! | `a pre/n b` | the same where the span of `a` is the earlier |
//! | `a not w/n b` | the spans of `a` that are not near any span of `b` |
//!
//! So one occurrence never serves both sides, `a w/n b` and `b w/n a` are the same, and every span of `a` either takes part in
//! `a w/n b` or is in `a not w/n b`. An item matches when the set is not empty.
//!
//! Words of different addresses or names in one field never match together: in fields of addresses n counts as at most one less than
//! the gap between them. Other fields hold one text each.
//!
//! Not for: plain phrases of words, which [`positional`](crate::positional) reads faster. Main types: [`SpanQuery`], and [`SpanMarker`]
//! for texts. Invariant: one algorithm (`matcher`) evaluates postings and texts; two plain words have a
//! shorter way to the same documents (`pair`).

mod compiled;
mod mark;
mod matcher;
mod pair;
mod source;

use embley_model::field::{Field, ROLES};

use crate::analysis::ADDRESS_GAP;
use crate::pattern::WordPattern;

pub use mark::{Occurrences, SpanMarker};

pub(crate) use compiled::{Compiled, Leaf};
pub(crate) use matcher::Matcher;
pub(crate) use pair::{Pair, for_each_near};
pub(crate) use source::{LeafPostings, for_each_doc};

/// A set of spans of words; see the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SpanQuery {
    /// This folded token.
    Word(String),
    /// Every word that the pattern stands for.
    Pattern(WordPattern),
    /// The spans of each part.
    Any(Vec<SpanQuery>),
    /// The parts one behind the other; of none is nothing.
    Phrase(Vec<SpanQuery>),
    /// Both sides near each other, in any order.
    Within {
        /// One side.
        left: Box<SpanQuery>,
        /// The other side.
        right: Box<SpanQuery>,
        /// Most positions from the end of the earlier to the start of the later.
        distance: u32,
    },
    /// Both sides near each other, the left one first.
    Before {
        /// The earlier side.
        left: Box<SpanQuery>,
        /// The later side.
        right: Box<SpanQuery>,
        /// Most positions from the end of the earlier to the start of the later.
        distance: u32,
    },
    /// The left side where no right side is near.
    NotWithin {
        /// What is found.
        left: Box<SpanQuery>,
        /// What must not be near.
        right: Box<SpanQuery>,
        /// Positions on both sides that are kept free of it.
        distance: u32,
    },
}

impl SpanQuery {
    /// Calls `each` with all patterns in it.
    pub fn for_each_pattern<'q>(&'q self, each: &mut dyn FnMut(&'q WordPattern)) {
        match self {
            Self::Word(_) => {}
            Self::Pattern(pattern) => each(pattern),
            Self::Any(parts) | Self::Phrase(parts) => parts.iter().for_each(|part| part.for_each_pattern(each)),
            Self::Within { left, right, .. }
            | Self::Before { left, right, .. }
            | Self::NotWithin { left, right, .. } => {
                left.for_each_pattern(each);
                right.for_each_pattern(each);
            }
        }
    }
}

/// The greatest distance that means something in a field.
pub(crate) fn reach(field: Field) -> u32 {
    if ROLES.contains(&field) {
        ADDRESS_GAP - 1
    } else {
        u32::MAX
    }
}

/// First and last position.
pub(crate) type Span = (u32, u32);
