//! Sorted lists of distinct words without an allocation a word, and joining several of them into one.
//!
//! Each segment numbers the values of a column by itself; joined lists give them one number in the whole index, in the order of the values.
//! Main type: [`Terms`]. Invariant: the words increase, so that numbers compare as words do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Distinct words in increasing order; a word is known by its place.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    text: String,
    ends: Vec<usize>,
}

impl Terms {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The word at a place; empty beyond the end.
    pub(crate) fn get(&self, at: usize) -> &str {
        let start = at
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        &self.text[start..end]
    }

    /// Adds a word that is greater than all before it; the same word again is passed over.
    pub(crate) fn push(&mut self, word: &str) {
        if self.len() == 0 || self.get(self.len() - 1) != word {
            self.text.push_str(word);
            self.ends.push(self.text.len());
        }
    }

    /// Joins sorted lists, and says of each word of each list where it stands in the joined one.
    pub(crate) fn joined(lists: &[Self]) -> (Self, Vec<Vec<u32>>) {
        let mut all = Self::default();
        let mut places: Vec<Vec<u32>> = lists.iter().map(|list| Vec::with_capacity(list.len())).collect();
        let mut heads: BinaryHeap<Reverse<(&str, usize)>> = lists
            .iter()
            .enumerate()
            .filter(|(_, list)| list.len() > 0)
            .map(|(at, list)| Reverse((list.get(0), at)))
            .collect();
        while let Some(Reverse((word, at))) = heads.pop() {
            all.push(word);
            places[at].push(all.len() as u32 - 1);
            let next = places[at].len();
            if next < lists[at].len() {
                heads.push(Reverse((lists[at].get(next), at)));
            }
        }
        (all, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn terms(words: &BTreeSet<String>) -> Terms {
        let mut terms = Terms::default();
        words.iter().for_each(|word| terms.push(word));
        terms
    }

    proptest! {
        #[test]
        fn joined_lists_hold_every_word_once_and_know_where(
            lists in prop::collection::vec(prop::collection::btree_set("[a-dé]{0,3}", 0..20), 0..5),
        ) {
            let sorted: Vec<Terms> = lists.iter().map(terms).collect();
            let (all, places) = Terms::joined(&sorted);
            let expected: BTreeSet<String> = lists.iter().flatten().cloned().collect();
            prop_assert_eq!((0..all.len()).map(|at| all.get(at).to_owned()).collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
            for (list, places) in sorted.iter().zip(&places) {
                prop_assert_eq!(list.len(), places.len());
                for (at, place) in places.iter().enumerate() {
                    prop_assert_eq!(list.get(at), all.get(*place as usize));
                }
            }
        }
    }
}
