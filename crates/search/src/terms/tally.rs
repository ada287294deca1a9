//! Who hit what: for each item or family nobody, the one line that did, or several.
//!
//! Main type: [`Tally`]. Invariant: after any order of hits, an entry names a line exactly when no other line hit it.

use embley_index::ItemBits;

const NOBODY: u32 = u32::MAX;
const SEVERAL: u32 = u32::MAX - 1;

/// One entry a thing, by number; 4 bytes each.
#[derive(Debug)]
pub(crate) struct Tally {
    owner: Vec<u32>,
}

impl Tally {
    /// For things with numbers below `count`.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            owner: vec![NOBODY; count],
        }
    }

    /// This line hits these things. Each thing at most once a line.
    pub(crate) fn hit(&mut self, line: u32, things: impl IntoIterator<Item = u32>) {
        for thing in things {
            if let Some(owner) = self.owner.get_mut(thing as usize) {
                *owner = if *owner == NOBODY { line } else { SEVERAL };
            }
        }
    }

    /// What any line hit.
    pub(crate) fn any(&self) -> ItemBits {
        let hit = self.owner.iter().zip(0_u32..);
        hit.filter(|(owner, _)| **owner != NOBODY)
            .map(|(_, thing)| thing)
            .collect()
    }

    /// The one line that hit this, when there is just one.
    pub(crate) fn only(&self, thing: u32) -> Option<u32> {
        let owner = self.owner.get(thing as usize).copied()?;
        (owner < SEVERAL).then_some(owner)
    }

    /// For each of `lines` lines the sum of `weight` over what it alone hit.
    pub(crate) fn unique(&self, lines: usize, weight: impl Fn(u32) -> u64) -> Vec<u64> {
        let mut sums = vec![0; lines];
        for thing in 0..u32::try_from(self.owner.len()).unwrap_or(u32::MAX) {
            if let Some(sum) = self.only(thing).and_then(|line| sums.get_mut(line as usize)) {
                *sum += weight(thing);
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is unique to a line is what is in its set and in no other one, whatever the order of lines.
        #[test]
        fn unique_counts_are_those_of_brute_force(
            sets in prop::collection::vec(prop::collection::btree_set(0_u32..200, 0..60), 0..12),
            turn in 0_usize..12,
        ) {
            let mut tally = Tally::new(200);
            let mut order: Vec<usize> = (0..sets.len()).collect();
            order.rotate_left(turn % sets.len().max(1));
            for line in order {
                tally.hit(u32::try_from(line).expect("few lines"), sets[line].iter().copied());
            }
            let others = |line: usize, item: u32| {
                (0..sets.len()).any(|other| other != line && sets[other].contains(&item))
            };
            let expected: Vec<u64> = (0..sets.len())
                .map(|line| sets[line].iter().filter(|item| !others(line, **item)).map(|item| u64::from(*item) + 1).sum())
                .collect();
            prop_assert_eq!(tally.unique(sets.len(), |item| u64::from(item) + 1), expected);
            let any: ItemBits = sets.iter().flatten().copied().collect();
            prop_assert_eq!(tally.any(), any);
        }
    }

    #[test]
    fn what_lies_beyond_the_last_number_is_passed_over() {
        let mut tally = Tally::new(2);
        tally.hit(0, [1, 7]);
        assert_eq!(tally.any(), ItemBits::from_iter([1]));
        assert_eq!((tally.only(1), tally.only(7), tally.only(0)), (Some(0), None, None));
    }
}
