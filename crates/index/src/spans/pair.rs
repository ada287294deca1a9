//! Two words near each other: `w/n` and `pre/n` of single tokens, which is what most proximity queries are.
//!
//! Both lists are merged block by block, and the positions of a block are read in one go when a document is in both lists. Not for: patterns,
//! nested operators, a word near itself, or lists of very different lengths (`source`). Main function: [`for_each_near`]. Invariant: finds the
//! same documents as the matcher.

use std::cmp::Ordering;
use std::io;

use tantivy::TERMINATED;
use tantivy::postings::TermInfo;

use super::compiled::{Compiled, Op};
use crate::bits::DocBits;
use crate::positional::{Cursor, FieldPostings, Walker};

/// A query that is nothing but two different leaves near each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The leaf on the left, and the one on the right.
    pub(crate) leaves: (usize, usize),
    /// Greatest difference of their positions.
    pub(crate) distance: u32,
    /// The left one comes first.
    pub(crate) ordered: bool,
}

impl Pair {
    /// The query, if it is one.
    pub(crate) fn of(query: &Compiled) -> Option<Self> {
        let Some(Op::Near {
            left,
            right,
            distance,
            ordered,
        }) = query.ops.get(query.root())
        else {
            return None;
        };
        match (query.ops.get(*left)?, query.ops.get(*right)?) {
            (Op::Leaf(one), Op::Leaf(two)) if one != two => Some(Self {
                leaves: (*one, *two),
                distance: *distance,
                ordered: *ordered,
            }),
            _ => None,
        }
    }
}

/// Calls `found` with each document of `within` (or of all), in increasing order, in which the two tokens are near each other.
pub(crate) fn for_each_near(
    field: &FieldPostings<'_>,
    tokens: (&TermInfo, &TermInfo),
    pair: Pair,
    within: Option<&DocBits>,
    found: &mut dyn FnMut(u32),
) -> io::Result<()> {
    let (mut left, mut right) = (Walker::open(field, tokens.0, 0)?, Walker::open(field, tokens.1, 0)?);
    let (mut one, mut two) = (left.doc(), right.doc());
    while one != TERMINATED && two != TERMINATED {
        if one < two {
            one = left.seek(two);
        } else if two < one {
            two = right.seek(one);
        } else {
            let is_looked_at = within.is_none_or(|bits| bits.contains(one));
            if is_looked_at && near(left.steps(), right.steps(), pair.distance, pair.ordered) {
                found(one);
            }
            (one, two) = (left.next(), right.next());
        }
    }
    Ok(())
}

/// True when a position of the left list is near one of the right list. The lists hold each position as the step from the one before.
fn near(left: &[u32], right: &[u32], distance: u32, ordered: bool) -> bool {
    let (Some((first_left, mut left)), Some((first_right, mut right))) = (left.split_first(), right.split_first())
    else {
        return false;
    };
    let (mut one, mut two) = (*first_left, *first_right);
    // Of both lists put in order, the two that are nearest to each other are neighbours.
    loop {
        let is_left_next = match one.cmp(&two) {
            Ordering::Less => {
                if two - one <= distance {
                    return true;
                }
                true
            }
            Ordering::Greater => {
                if !ordered && one - two <= distance {
                    return true;
                }
                false
            }
            // At one place they are not near each other, but the left one may be near what follows on the right.
            Ordering::Equal => {
                while let [0, rest @ ..] = right {
                    right = rest;
                }
                if right.first().is_some_and(|step| *step <= distance) {
                    return true;
                }
                true
            }
        };
        let (position, steps) = if is_left_next {
            (&mut one, &mut left)
        } else {
            (&mut two, &mut right)
        };
        let Some((step, rest)) = steps.split_first() else {
            return false;
        };
        *position += step;
        *steps = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(positions: &[u32]) -> Vec<u32> {
        let mut before = 0;
        positions
            .iter()
            .map(|at| at - std::mem::replace(&mut before, *at))
            .collect()
    }

    #[test]
    fn every_small_pair_of_lists_is_told_as_by_comparing_all_positions() {
        // Lists of positions below 8, places taken by both included.
        for bits in 0..1_u32 << 16 {
            let list = |bits: u32| (0..8).filter(|at| bits >> at & 1 == 1).collect::<Vec<u32>>();
            let (left, right) = (list(bits & 255), list(bits >> 8));
            for (distance, ordered) in [(1, false), (1, true), (3, false), (3, true)] {
                let mut pairs = left.iter().flat_map(|one| right.iter().map(move |two| (*one, *two)));
                let expected =
                    pairs.any(|(one, two)| one != two && one.abs_diff(two) <= distance && (!ordered || one < two));
                let told = near(&steps(&left), &steps(&right), distance, ordered);
                assert_eq!(told, expected, "{left:?} {right:?} {distance} {ordered}");
            }
        }
    }

    #[test]
    fn a_place_taken_twice_is_one_place() {
        assert!(!near(&steps(&[4, 4]), &steps(&[4, 4]), 9, false));
        assert!(near(&steps(&[4, 4, 6]), &steps(&[4]), 2, false));
        assert!(!near(&steps(&[4, 4, 6]), &steps(&[4]), 2, true));
        assert!(near(&steps(&[4, 4]), &steps(&[4, 4, 6]), 2, true));
    }
}
