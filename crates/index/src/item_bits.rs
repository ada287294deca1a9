//! Sets of items as plain bits, for work on machine words: a million items are 125 kB.
//!
//! Bit `i` of word `w` is item `64 * w + i`. Not for: keeping or sending; a [`RoaringBitmap`] does that. Main type: [`ItemBits`].

use roaring::RoaringBitmap;

/// A set of item numbers.
#[derive(Clone, Debug, Default)]
pub struct ItemBits {
    words: Vec<u64>,
}

impl ItemBits {
    /// The set with these words; words beyond the last hold no item.
    pub fn from_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    /// The words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The word with this place, empty beyond the last.
    #[inline]
    pub fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or(0)
    }

    /// Adds an item.
    pub fn insert(&mut self, item: u32) {
        let at = (item / 64) as usize;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        self.words[at] |= 1 << (item % 64);
    }

    /// Takes an item away.
    pub fn remove(&mut self, item: u32) {
        if let Some(word) = self.words.get_mut((item / 64) as usize) {
            *word &= !(1 << (item % 64));
        }
    }

    /// True when the item is in the set.
    #[inline]
    pub fn contains(&self, item: u32) -> bool {
        self.word((item / 64) as usize) >> (item % 64) & 1 == 1
    }

    /// How many items are in it.
    pub fn len(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Keeps what is in both.
    pub fn and(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word &= with;
        }
    }

    /// Adds what is in the other.
    pub fn or(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word |= with;
        }
    }

    /// Takes away what is in the other.
    pub fn and_not(&mut self, other: &Self) {
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word &= !with;
        }
    }

    /// How many items are in both.
    pub fn intersection_len(&self, other: &Self) -> u64 {
        let both = self.words.iter().zip(&other.words);
        both.map(|(one, two)| u64::from((one & two).count_ones())).sum()
    }

    /// The items, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }

    /// The same set, compressed.
    pub fn to_bitmap(&self) -> RoaringBitmap {
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        RoaringBitmap::from_lsb0_bytes(0, &bytes)
    }

    /// The same set as words.
    pub fn from_bitmap(items: &RoaringBitmap) -> Self {
        let mut bits = Self {
            words: vec![0; items.max().map_or(0, |last| last as usize / 64 + 1)],
        };
        let mut ranges = items.iter();
        while let Some(range) = ranges.next_range() {
            bits.insert_range(*range.start(), *range.end());
        }
        bits
    }

    /// Adds `first..=last`, for which there is room.
    fn insert_range(&mut self, first: u32, last: u32) {
        let (from, to) = ((first / 64) as usize, (last / 64) as usize);
        let low = u64::MAX << (first % 64);
        let high = u64::MAX >> (63 - last % 64);
        if from == to {
            self.words[from] |= low & high;
            return;
        }
        self.words[from] |= low;
        self.words[from + 1..to].fill(u64::MAX);
        self.words[to] |= high;
    }
}

impl PartialEq for ItemBits {
    /// Equal when they hold the same items, however many empty words follow.
    fn eq(&self, other: &Self) -> bool {
        let longest = self.words.len().max(other.words.len());
        (0..longest).all(|at| self.word(at) == other.word(at))
    }
}

impl Eq for ItemBits {}

impl FromIterator<u32> for ItemBits {
    fn from_iter<T: IntoIterator<Item = u32>>(items: T) -> Self {
        let mut bits = Self::default();
        items.into_iter().for_each(|item| bits.insert(item));
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn bits_behave_as_a_set_of_items(
            a in prop::collection::btree_set(0_u32..400, 0..150),
            b in prop::collection::btree_set(0_u32..300, 0..150),
            run in (0_u32..400, 0_u32..200),
        ) {
            let a: BTreeSet<u32> = a.into_iter().chain(run.0..run.0 + run.1).collect();
            let of = |items: &BTreeSet<u32>| items.iter().copied().collect::<ItemBits>();
            let (bits_a, bits_b) = (of(&a), of(&b));
            prop_assert_eq!(bits_a.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(bits_a.len() as usize, a.len());
            prop_assert_eq!(bits_a.is_empty(), a.is_empty());
            let bitmap: RoaringBitmap = a.iter().copied().collect();
            prop_assert_eq!(bits_a.to_bitmap(), bitmap.clone());
            prop_assert_eq!(ItemBits::from_bitmap(&bitmap), bits_a.clone());
            let combine = |apply: fn(&mut ItemBits, &ItemBits)| {
                let mut out = bits_a.clone();
                apply(&mut out, &bits_b);
                out.iter().collect::<BTreeSet<_>>()
            };
            prop_assert_eq!(combine(ItemBits::and), a.intersection(&b).copied().collect());
            prop_assert_eq!(combine(ItemBits::or), a.union(&b).copied().collect());
            prop_assert_eq!(combine(ItemBits::and_not), a.difference(&b).copied().collect());
            prop_assert_eq!(bits_a.intersection_len(&bits_b) as usize, a.intersection(&b).count());
            let mut without = bits_a.clone();
            b.iter().for_each(|item| without.remove(*item));
            without.remove(10_000);
            prop_assert_eq!(without.iter().collect::<BTreeSet<_>>(), a.difference(&b).copied().collect());
            for item in 0..700 {
                prop_assert_eq!(bits_a.contains(item), a.contains(&item));
            }
        }
    }
}
