//! Equal families counted as one (`--fold email`): a view over what was found, for which nothing is ingested again.
//!
//! Families whose top-level messages have the same family key (sender, recipients, sent time, subject, letters and digits of the text, contents of all
//! attachments; DOMAIN: identity and keys) say the same and differ in how they were stored or carried, as two copies of a mail that came by
//! different lists do. Of those that were found the lowest item number stands for all; the others are named with it. Parts are joined by the
//! family they are in and their bytes. A Message-ID joins nothing. Not for: the keys themselves, de-duplication by bytes (every item is that already).
//! Main types: [`Folds`], which items say the same, and [`Folded`], that view of a set of hits. Invariant: of each group exactly one hit is shown.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use embley_model::id::{BlobId, ItemNo};
use embley_model::item::ItemKind;
use embley_store::StoreError;
use embley_store::catalogue::CatalogueReader;
use roaring::RoaringBitmap;

/// Which items say the same. Memory: nothing for items that are alone, some 40 bytes for each other one.
#[derive(Debug, Default)]
pub(crate) struct Folds {
    /// The lowest item of its group, for each item that is not alone in one.
    lowest: HashMap<u32, u32>,
    /// All items of each such group by its lowest, ascending.
    groups: HashMap<u32, Vec<u32>>,
}

impl Folds {
    /// Reads the keys of everything that the reader sees.
    pub(crate) fn read(reader: &CatalogueReader) -> Result<Self, StoreError> {
        let mut keys: Vec<(u8, [u8; 16], u32)> = Vec::new();
        reader.for_each_links(ItemNo(0)..ItemNo(u32::MAX), |links| {
            if let Some(of) = links.keys {
                keys.push((of.version, of.family.0, links.item_no.0));
            }
            Ok::<_, StoreError>(())
        })?;
        keys.sort_unstable();
        let mut folds = Self::default();
        for alike in keys.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            if alike.len() > 1 {
                folds.join(reader, alike.iter().map(|(_, _, item)| *item))?;
            }
        }
        folds.groups.values_mut().for_each(|group| group.sort_unstable());
        Ok(folds)
    }

    /// Joins families, given by messages with the same key in the order of their numbers. Parts with the same bytes belong together; then, of what
    /// is left (a text whose line ends were stored otherwise), those in the same place.
    fn join(&mut self, reader: &CatalogueReader, messages: impl Iterator<Item = u32>) -> Result<(), StoreError> {
        let mut by_bytes: HashMap<(BlobId, u32), u32> = HashMap::new();
        let mut by_place: HashMap<(ItemKind, String), u32> = HashMap::new();
        let mut first = None;
        for message in messages {
            // A message in a message has a key too; it is joined as a part of its family.
            let is_top = reader
                .brief(ItemNo(message))?
                .is_some_and(|brief| brief.root.0 == message);
            if !is_top {
                continue;
            }
            self.put(message, *first.get_or_insert(message));
            let mut times: HashMap<BlobId, u32> = HashMap::new();
            let mut taken = HashSet::new();
            let mut left = Vec::new();
            for part in reader.family(ItemNo(message))?.into_iter().skip(1) {
                let before = times.entry(part.blob_id).or_default();
                *before += 1;
                match by_bytes.get(&(part.blob_id, *before)) {
                    Some(lowest) => {
                        taken.insert(*lowest);
                        self.put(part.item_no.0, *lowest);
                    }
                    None => left.push((part, *before)),
                }
            }
            for (part, time) in left {
                let (item, place) = (part.item_no.0, (part.kind, part.part_path));
                let lowest = by_place
                    .get(&place)
                    .copied()
                    .filter(|lowest| taken.insert(*lowest))
                    .unwrap_or(item);
                self.put(item, lowest);
                by_bytes.insert((part.blob_id, time), lowest);
                by_place.entry(place).or_insert(item);
            }
        }
        Ok(())
    }

    fn put(&mut self, item: u32, lowest: u32) {
        if item != lowest {
            self.lowest.insert(item, lowest);
            self.lowest.insert(lowest, lowest);
            self.groups.entry(lowest).or_insert_with(|| vec![lowest]).push(item);
        }
    }

    /// The lowest item of the group of an item.
    fn lowest(&self, item: u32) -> u32 {
        self.lowest.get(&item).copied().unwrap_or(item)
    }
}

/// A set of hits in which equal families are one.
#[derive(Debug)]
pub(crate) struct Folded {
    folds: Arc<Folds>,
    /// Everything that was found.
    pub(crate) items: RoaringBitmap,
    /// Of each group the lowest that was found.
    pub(crate) shown: RoaringBitmap,
    /// The one shown of each group with several members, by the lowest item of the group.
    shown_of: HashMap<u32, u32>,
}

impl Folded {
    pub(crate) fn new(folds: Arc<Folds>, items: RoaringBitmap) -> Self {
        let mut shown = RoaringBitmap::new();
        let mut shown_of = HashMap::new();
        for item in &items {
            match folds.lowest.get(&item) {
                None => {
                    shown.insert(item);
                }
                Some(lowest) => {
                    // Items come in order: the first one of a group is the lowest found.
                    shown_of.entry(*lowest).or_insert_with(|| {
                        shown.insert(item);
                        item
                    });
                }
            }
        }
        Self {
            folds,
            items,
            shown,
            shown_of,
        }
    }

    /// Those shown for these of the hits.
    pub(crate) fn shown_for(&self, items: &RoaringBitmap) -> RoaringBitmap {
        let of = |item| self.shown_of.get(&self.folds.lowest(item)).copied().unwrap_or(item);
        (items & &self.items).iter().map(of).collect()
    }

    /// The other hits that one shown stands for, ascending.
    pub(crate) fn others(&self, shown: u32) -> Vec<u32> {
        let group = self.folds.groups.get(&self.folds.lowest(shown));
        let all = group.into_iter().flatten().copied();
        all.filter(|item| *item != shown && self.items.contains(*item))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(groups: &[&[u32]]) -> Arc<Folds> {
        let mut folds = Folds::default();
        for group in groups {
            for item in *group {
                folds.lowest.insert(*item, group[0]);
            }
            folds.groups.insert(group[0], group.to_vec());
        }
        Arc::new(folds)
    }

    #[test]
    fn of_each_group_the_lowest_that_was_found_is_shown_and_the_others_are_named() {
        let folded = Folded::new(folds(&[&[1, 5, 9], &[2, 7]]), [3, 5, 7, 9].into_iter().collect());
        assert_eq!(folded.shown.iter().collect::<Vec<_>>(), [3, 5, 7]);
        assert_eq!(folded.others(5), [9], "what was not found is not named");
        assert!(folded.others(7).is_empty() && folded.others(3).is_empty());
        let of = |items: &[u32]| {
            folded
                .shown_for(&items.iter().copied().collect())
                .iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&[9]), [5]);
        assert_eq!(of(&[1, 2, 3]), [3], "only hits count");
    }
}
