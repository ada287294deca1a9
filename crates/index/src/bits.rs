//! Sets of documents of one segment as plain bits: a million documents are 125 kB, so the simplest form is
//! also the fastest for sets that are counted, combined and listed in full.

/// A set of document numbers below a fixed limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocBits {
    words: Vec<u64>,
}

impl DocBits {
    pub(crate) fn empty(limit: u32) -> Self {
        Self {
            words: vec![0; (limit as usize).div_ceil(64)],
        }
    }

    pub(crate) fn full(limit: u32) -> Self {
        let mut bits = Self::empty(limit);
        bits.insert_range(0, limit);
        bits
    }

    #[inline]
    pub(crate) fn insert(&mut self, doc: u32) {
        self.words[(doc / 64) as usize] |= 1 << (doc % 64);
    }

    #[inline]
    pub(crate) fn remove(&mut self, doc: u32) {
        self.words[(doc / 64) as usize] &= !(1 << (doc % 64));
    }

    /// Inserts `start..end`.
    pub(crate) fn insert_range(&mut self, start: u32, end: u32) {
        if start >= end {
            return;
        }
        let (first, last) = ((start / 64) as usize, ((end - 1) / 64) as usize);
        let low = u64::MAX << (start % 64);
        let high = u64::MAX >> (63 - (end - 1) % 64);
        if first == last {
            self.words[first] |= low & high;
            return;
        }
        self.words[first] |= low;
        self.words[first + 1..last].fill(u64::MAX);
        self.words[last] |= high;
    }

    #[inline]
    pub(crate) fn contains(&self, doc: u32) -> bool {
        self.words
            .get((doc / 64) as usize)
            .is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    pub(crate) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn and(&mut self, other: &Self) {
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word &= with;
        }
    }

    pub(crate) fn or(&mut self, other: &Self) {
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word |= with;
        }
    }

    pub(crate) fn and_not(&mut self, other: &Self) {
        for (word, with) in self.words.iter_mut().zip(&other.words) {
            *word &= !with;
        }
    }

    /// The documents in increasing order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let base = at as u32 * 64;
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                Some(base + bit)
            })
        })
    }

    /// The first document from `doc` on.
    pub(crate) fn next_from(&self, doc: u32) -> Option<u32> {
        let first = (doc / 64) as usize;
        let word = self.words.get(first)? & (u64::MAX << (doc % 64));
        if word != 0 {
            return Some(first as u32 * 64 + word.trailing_zeros());
        }
        let later = self.words[first + 1..].iter().position(|word| *word != 0)?;
        let at = first + 1 + later;
        Some(at as u32 * 64 + self.words[at].trailing_zeros())
    }

    /// Calls `each` with the documents in increasing order.
    #[inline]
    pub(crate) fn for_each(&self, mut each: impl FnMut(u32)) {
        for (at, word) in self.words.iter().enumerate() {
            let base = at as u32 * 64;
            let mut rest = *word;
            while rest != 0 {
                each(base + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// Sets, in `target`, bit `to + i` for every document `from + i` of this set with `i < len`.
    pub(crate) fn copy_run(&self, from: u32, len: u32, to: u32, target: &mut [u64]) {
        copy_bits(&self.words, from, len, to, target);
    }

    /// Adds document `to + i` for every bit `from + i` of `source` with `i < len`.
    pub(crate) fn fill_from(&mut self, source: &[u64], from: u32, len: u32, to: u32) {
        copy_bits(source, from, len, to, &mut self.words);
    }
}

/// The 64 bits from `start` on as one word; `start` need not be a multiple of 64.
fn window(words: &[u64], start: u32) -> u64 {
    let (at, shift) = ((start / 64) as usize, start % 64);
    let word = |at: usize| words.get(at).copied().unwrap_or(0);
    if shift == 0 {
        word(at)
    } else {
        word(at) >> shift | word(at + 1) << (64 - shift)
    }
}

fn copy_bits(source: &[u64], from: u32, len: u32, to: u32, target: &mut [u64]) {
    let mut done = 0;
    while done < len {
        let (at, shift) = (((to + done) / 64) as usize, (to + done) % 64);
        let take = (64 - shift).min(len - done);
        let mask = u64::MAX >> (64 - take);
        target[at] |= (window(source, from + done) & mask) << shift;
        done += take;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn of(limit: u32, docs: &BTreeSet<u32>) -> DocBits {
        let mut bits = DocBits::empty(limit);
        docs.iter().for_each(|doc| bits.insert(*doc));
        bits
    }

    proptest! {
        #[test]
        fn bits_behave_as_a_set(
            limit in 1_u32..300,
            a in prop::collection::btree_set(0_u32..300, 0..100),
            b in prop::collection::btree_set(0_u32..300, 0..100),
            range in (0_u32..300, 0_u32..300),
        ) {
            let a: BTreeSet<u32> = a.into_iter().filter(|doc| *doc < limit).collect();
            let b: BTreeSet<u32> = b.into_iter().filter(|doc| *doc < limit).collect();
            let (bits_a, bits_b) = (of(limit, &a), of(limit, &b));
            prop_assert_eq!(bits_a.iter().collect::<BTreeSet<_>>(), a.clone());
            for doc in 0..400 {
                prop_assert_eq!(bits_a.next_from(doc), a.range(doc..).next().copied());
            }
            let mut each = Vec::new();
            bits_a.for_each(|doc| each.push(doc));
            prop_assert_eq!(each, a.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits_a.count() as usize, a.len());
            prop_assert_eq!(bits_a.is_empty(), a.is_empty());
            let combine = |apply: fn(&mut DocBits, &DocBits)| {
                let mut out = bits_a.clone();
                apply(&mut out, &bits_b);
                out.iter().collect::<BTreeSet<_>>()
            };
            prop_assert_eq!(combine(DocBits::and), a.intersection(&b).copied().collect());
            prop_assert_eq!(combine(DocBits::or), a.union(&b).copied().collect());
            prop_assert_eq!(combine(DocBits::and_not), a.difference(&b).copied().collect());
            let (start, end) = (range.0.min(limit), range.1.min(limit));
            let mut ranged = DocBits::empty(limit);
            ranged.insert_range(start, end);
            prop_assert_eq!(ranged.iter().collect::<Vec<_>>(), (start..end).collect::<Vec<_>>());
            prop_assert_eq!(DocBits::full(limit).count(), limit);
        }

        #[test]
        fn a_run_is_copied_to_any_place(
            docs in prop::collection::btree_set(0_u32..300, 0..150),
            from in 0_u32..300, len in 0_u32..300, to in 0_u32..300,
        ) {
            let len = len.min(300 - from);
            let bits = of(300, &docs);
            let mut target = vec![0_u64; 10];
            bits.copy_run(from, len, to, &mut target);
            for bit in 0..640_u32 {
                let set = target[(bit / 64) as usize] >> (bit % 64) & 1 == 1;
                let expected = bit >= to && bit < to + len && docs.contains(&(bit - to + from));
                prop_assert_eq!(set, expected);
            }
        }
    }
}
