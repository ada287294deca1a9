//! Item numbers and documents of one segment, both ways.
//!
//! Item numbers increase with document numbers (crate invariant), and workers index ranges of consecutive
//! items, so a segment is a short list of runs in which the two differ by a constant. Translating a set is
//! merging it with that list.

use roaring::RoaringBitmap;
use tantivy::columnar::Column;

use crate::bits::DocBits;
use crate::item_bits::ItemBits;

/// Consecutive documents with consecutive item numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    item: u32,
    doc: u32,
    len: u32,
}

/// The runs of one segment, increasing in both numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemMap {
    runs: Vec<Run>,
}

impl ItemMap {
    /// Reads the column of item numbers; `Err` says what is wrong with it.
    pub(crate) fn read(column: &Column<u64>, doc_count: u32) -> Result<Self, String> {
        if column.num_docs() != doc_count || column.values.num_vals() != doc_count {
            return Err("an item has no number".to_owned());
        }
        if doc_count == 0 {
            return Ok(Self { runs: Vec::new() });
        }
        let (low, high) = (column.min_value(), column.max_value());
        // Increasing numbers are implied when the range is as long as the segment, if it is increasing at all;
        // `verify` reads every value.
        if u32::try_from(high).is_ok()
            && high - low + 1 == u64::from(doc_count)
            && column.values.get_val(0) == low
            && column.values.get_val(doc_count - 1) == high
        {
            let item = low as u32;
            return Ok(Self {
                runs: vec![Run {
                    item,
                    doc: 0,
                    len: doc_count,
                }],
            });
        }
        Self::read_all(column, doc_count)
    }

    /// As [`ItemMap::read`], looking at every value.
    pub(crate) fn read_all(column: &Column<u64>, doc_count: u32) -> Result<Self, String> {
        const CHUNK: usize = 1024;
        let mut runs: Vec<Run> = Vec::new();
        let mut buffer = [0_u64; CHUNK];
        let mut doc = 0_u32;
        while doc < doc_count {
            let take = (doc_count - doc).min(CHUNK as u32);
            let values = &mut buffer[..take as usize];
            column.values.get_range(u64::from(doc), values);
            for value in values {
                let item = u32::try_from(*value).map_err(|_| format!("{value} is no item number"))?;
                match runs.last_mut() {
                    Some(run) if item == run.item + run.len => run.len += 1,
                    Some(run) if item < run.item + run.len => {
                        return Err(format!("item {item} stands after item {}", run.item + run.len - 1));
                    }
                    _ => runs.push(Run { item, doc, len: 1 }),
                }
                doc += 1;
            }
        }
        Ok(Self { runs })
    }

    /// The highest item number.
    pub(crate) fn highest(&self) -> Option<u32> {
        self.runs.last().map(|run| run.item + (run.len - 1))
    }

    /// The item number of one document of the segment.
    pub(crate) fn item(&self, doc: u32) -> u32 {
        let at = self.runs.partition_point(|run| run.doc <= doc).saturating_sub(1);
        self.runs.get(at).map_or(doc, |run| run.item + (doc - run.doc))
    }

    /// The document of one item, if it is in this segment.
    pub(crate) fn doc(&self, item: u32) -> Option<u32> {
        let at = self.runs.partition_point(|run| run.item <= item).checked_sub(1)?;
        let run = self.runs.get(at)?;
        (item - run.item < run.len).then(|| run.doc + (item - run.item))
    }

    /// The documents of a set of items.
    pub(crate) fn docs(&self, items: &RoaringBitmap, doc_count: u32) -> DocBits {
        let mut bits = DocBits::empty(doc_count);
        let mut found = items.iter();
        let mut ahead = found.next_range();
        let mut runs = self.runs.iter();
        let mut run = runs.next();
        while let (Some(here), Some(range)) = (run, &ahead) {
            let (start, end) = (here.item, here.item + (here.len - 1));
            let (low, high) = (start.max(*range.start()), end.min(*range.end()));
            if low <= high {
                bits.insert_range(here.doc + (low - start), here.doc + (high - start) + 1);
            }
            if end < *range.end() {
                run = runs.next();
                if run.is_some_and(|next| next.item > *range.end()) {
                    found.advance_to(run.map_or(u32::MAX, |next| next.item));
                    ahead = found.next_range();
                }
            } else {
                if *range.end() < start {
                    found.advance_to(start);
                }
                ahead = found.next_range();
            }
        }
        bits
    }

    /// The same for a set as plain bits: run by run, whole words at a time.
    pub(crate) fn docs_of_bits(&self, items: &ItemBits, doc_count: u32) -> DocBits {
        let mut bits = DocBits::empty(doc_count);
        for run in &self.runs {
            bits.fill_from(items.words(), run.item, run.len, run.doc);
        }
        bits
    }

    /// Sets the bits of the items of these documents; `target` has room for the highest item.
    pub(crate) fn scatter(&self, docs: &DocBits, target: &mut [u64]) {
        for run in &self.runs {
            docs.copy_run(run.doc, run.len, run.item, target);
        }
    }

    /// Calls `emit` with the item of each document, increasing.
    pub(crate) fn for_each_item(&self, docs: &DocBits, mut emit: impl FnMut(u32)) {
        let mut runs = self.runs.iter();
        let Some(mut run) = runs.next() else { return };
        for doc in docs.iter() {
            while doc >= run.doc + run.len {
                match runs.next() {
                    Some(next) => run = next,
                    None => return,
                }
            }
            emit(run.item + (doc - run.doc));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn map_of(items: &BTreeSet<u32>) -> ItemMap {
        let mut runs: Vec<Run> = Vec::new();
        for (doc, item) in items.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if run.item + run.len == *item => run.len += 1,
                _ => runs.push(Run {
                    item: *item,
                    doc: doc as u32,
                    len: 1,
                }),
            }
        }
        ItemMap { runs }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn sets_translate_both_ways(
            items in prop::collection::btree_set(0_u32..400, 1..200),
            wanted in prop::collection::btree_set(0_u32..400, 0..200),
        ) {
            let map = map_of(&items);
            let list: Vec<u32> = items.iter().copied().collect();
            let bitmap: RoaringBitmap = wanted.iter().copied().collect();
            let docs = map.docs(&bitmap, list.len() as u32);
            let expected: Vec<u32> = items.intersection(&wanted).copied().collect();
            let found: Vec<u32> = docs.iter().map(|doc| list[doc as usize]).collect();
            prop_assert_eq!(&found, &expected);
            let as_bits: ItemBits = wanted.iter().copied().collect();
            prop_assert_eq!(map.docs_of_bits(&as_bits, list.len() as u32), docs.clone());
            let mut back = Vec::new();
            map.for_each_item(&docs, |item| back.push(item));
            prop_assert_eq!(&back, &expected);
            let mut target = vec![0_u64; 7];
            map.scatter(&docs, &mut target);
            let scattered: Vec<u32> = (0..448_u32).filter(|item| target[(*item / 64) as usize] >> (item % 64) & 1 == 1).collect();
            prop_assert_eq!(&scattered, &expected);
            for (doc, item) in list.iter().enumerate() {
                prop_assert_eq!(map.item(doc as u32), *item);
            }
            for item in 0..400 {
                prop_assert_eq!(map.doc(item), list.binary_search(&item).ok().map(|doc| doc as u32));
            }
            prop_assert_eq!(map.highest(), list.last().copied());
        }
    }
}
