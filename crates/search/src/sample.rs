//! A random sample that anyone can draw again: of hits, or of what a query leaves out.
//!
//! Each unit has the key SHA-256(seed, 00, item id, 00, place), in hexadecimal the order of a shuffled list; the sample is the first
//! `size` of it. The place is empty for an item, the custodian's name for an (item, custodian) pair, and a number from 1 for an instance.
//! So a sample depends on the seed and on what there is to draw from, not on item numbers, threads or the order of input; a larger sample
//! begins with the smaller one; and of a case that grew, new units only come between the old ones.
//!
//! Not for: intervals ([`crate::interval`]), showing items. Main function: [`draw`]. Memory: about 100 bytes a unit drawn.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use embley_index::{ItemBits, Node};
use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_store::StoreError;
use roaring::RoaringBitmap;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::answer::Scope;
use crate::error::SearchError;
use crate::family::Level;
use crate::plan::Plan;
use crate::searcher::Searcher;
use crate::standing::ReasonCount;

/// What is drawn from.
#[derive(Clone, Copy, Debug)]
pub enum DrawFrom<'p> {
    /// What a plan finds.
    Hits(&'p Plan),
    /// What a plan does not find of everything, or of what another plan finds.
    LeftOut {
        /// The plan whose hits are not drawn.
        of: &'p Plan,
        /// Where else to draw from than the whole case.
        within: Option<&'p Plan>,
    },
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct SampleOptions<'a> {
    /// What is drawn from.
    pub from: DrawFrom<'a>,
    /// What a unit is.
    pub scope: Scope,
    /// Leave out what could not be searched.
    pub searchable_only: bool,
    /// Decides the order.
    pub seed: &'a str,
    /// How many units to draw.
    pub size: u64,
}

/// A unit drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Its item.
    pub item_no: u32,
    /// The custodian's name, or the number of the instance; nothing when items are drawn.
    pub place: Option<String>,
    /// What orders the sample: SHA-256, hexadecimal.
    pub key: String,
}

/// A sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Units there were to draw from.
    pub population: u64,
    /// Items, or families, there were to draw from.
    pub population_items: u64,
    /// Those among them whose text could not be searched, by reason; a family counts with each reason that one of its members has.
    pub not_searchable: Vec<ReasonCount>,
    /// What was drawn, in the order of the keys: all units when there are not more than wanted.
    pub units: Vec<Unit>,
}

/// Draws a sample.
///
/// # Errors
/// When index or catalogue cannot be read.
pub fn draw(searcher: &Searcher, options: SampleOptions<'_>) -> Result<Sample, SearchError> {
    let mut items = population(searcher, options.from)?;
    let hidden = hidden(searcher, options.from)?;
    if options.searchable_only {
        hidden.iter().for_each(|(_, of)| items -= of);
    }
    let not_searchable = hidden.iter().filter_map(|(reason, of)| {
        let count = items.intersection_len(of);
        (count > 0).then(|| ReasonCount {
            reason: (*reason).to_owned(),
            items: count,
        })
    });
    let not_searchable = not_searchable.collect();
    let mut lot = Lot::new(options.seed, options.size);
    let custodians = searcher.named(Field::Custodian)?;
    let weights = match options.scope {
        Scope::Instance => searcher.weights(Scope::Instance)?,
        Scope::Global | Scope::Custodian => None,
    };
    let read = searcher.reader().for_each_identity(&items, |one| {
        let (item_no, id) = (one.item_no.0, one.id.to_string());
        match options.scope {
            Scope::Global => lot.offer(item_no, &id, None),
            Scope::Custodian => {
                let mut held = false;
                for set in custodians.iter().filter(|set| set.items.contains(item_no)) {
                    lot.offer(item_no, &id, Some(&set.name));
                    held = true;
                }
                if !held {
                    lot.offer(item_no, &id, None);
                }
            }
            Scope::Instance => {
                let times = weights.as_ref().and_then(|weights| weights.get(item_no as usize));
                for number in 1..=times.copied().unwrap_or(1) {
                    lot.offer(item_no, &id, Some(&number.to_string()));
                }
            }
        }
        Ok::<_, StoreError>(())
    });
    read.map_err(|source| SearchError::catalogue("read the items to draw from", source))?;
    Ok(Sample {
        population: lot.offered,
        population_items: items.len(),
        not_searchable,
        units: lot.drawn(),
    })
}

/// The items that are drawn from.
fn population(searcher: &Searcher, from: DrawFrom<'_>) -> Result<RoaringBitmap, SearchError> {
    match from {
        DrawFrom::Hits(plan) => searcher.items(plan),
        DrawFrom::LeftOut { of, within } => {
            let all = match within {
                Some(plan) => searcher.items(plan)?,
                None if of.level == Level::Family => searcher.families()?.roots().to_bitmap(),
                None => searcher.bitmap(&Node::All)?,
            };
            Ok(all - searcher.items(of)?)
        }
    }
}

/// What could not be searched, by reason: items, or at the level of families the top-level items of those with such a member.
fn hidden(searcher: &Searcher, from: DrawFrom<'_>) -> Result<Vec<(&'static str, RoaringBitmap)>, SearchError> {
    let (DrawFrom::Hits(plan) | DrawFrom::LeftOut { of: plan, .. }) = from;
    let families = searcher.families()?;
    let of_level = |items: &RoaringBitmap| match plan.level {
        Level::Item => items.clone(),
        Level::Family => families.roots_of(&ItemBits::from_bitmap(items)).to_bitmap(),
    };
    let hidden = searcher.hidden_items()?;
    Ok(hidden
        .iter()
        .map(|(reason, items)| (*reason, of_level(items)))
        .collect())
}

/// Where the instances of an item lie, in an order that does not depend on input order: source and path, then offset. An
/// instance's number in a sample is its place in this list, from 1.
///
/// # Errors
/// When the catalogue cannot be read.
pub fn instance_places(searcher: &Searcher, item: ItemNo) -> Result<Vec<String>, SearchError> {
    let reader = searcher.reader();
    let read = || -> Result<Vec<String>, StoreError> {
        let Some(brief) = reader.brief(item)? else {
            return Ok(Vec::new());
        };
        let mut places = Vec::new();
        for instance in reader.instances_of(brief.root)? {
            places.push((reader.shown_path(instance.file_id)?, instance.offset));
        }
        places.sort();
        Ok(places
            .into_iter()
            .map(|(path, offset)| format!("{path} at byte {offset}"))
            .collect())
    };
    read().map_err(|source| SearchError::catalogue("read where an item was found", source))
}

/// Units with the lowest keys so far.
struct Lot<'s> {
    seed: &'s str,
    size: usize,
    offered: u64,
    lowest: BinaryHeap<Drawn>,
}

#[derive(PartialEq, Eq)]
struct Drawn {
    key: [u8; 32],
    item_no: u32,
    place: Option<String>,
}

impl Ord for Drawn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl PartialOrd for Drawn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'s> Lot<'s> {
    fn new(seed: &'s str, size: u64) -> Self {
        Self {
            seed,
            size: usize::try_from(size).unwrap_or(usize::MAX),
            offered: 0,
            lowest: BinaryHeap::new(),
        }
    }

    fn offer(&mut self, item_no: u32, id: &str, place: Option<&str>) {
        self.offered += 1;
        let key = key_of(self.seed, id, place.unwrap_or(""));
        if self.lowest.len() >= self.size {
            match self.lowest.peek() {
                Some(highest) if key < highest.key => {}
                _ => return,
            }
            self.lowest.pop();
        }
        self.lowest.push(Drawn {
            key,
            item_no,
            place: place.map(str::to_owned),
        });
    }

    fn drawn(self) -> Vec<Unit> {
        let units = self.lowest.into_sorted_vec();
        units
            .into_iter()
            .map(|one| Unit {
                item_no: one.item_no,
                place: one.place,
                key: embley_model::id::hex_encode(&one.key),
            })
            .collect()
    }
}

/// What orders a sample.
fn key_of(seed: &str, id: &str, place: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.as_bytes());
    hash.update([0]);
    hash.update(id.as_bytes());
    hash.update([0]);
    hash.update(place.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(seed: &str, size: u64, items: &[(u32, String)]) -> Vec<String> {
        let mut lot = Lot::new(seed, size);
        for (item_no, id) in items {
            lot.offer(*item_no, id, None);
        }
        let numbers = lot.drawn().into_iter().map(|unit| unit.item_no);
        let id_of = |number: u32| {
            items
                .iter()
                .find(|(item_no, _)| *item_no == number)
                .map(|(_, id)| id.clone())
        };
        numbers
            .map(|number| id_of(number).expect("an item that was offered"))
            .collect()
    }

    proptest! {
        /// The sample of a set of items depends on seed and ids alone, begins with every smaller one, and of more items holds what it
        /// held before save what new items displace.
        #[test]
        fn a_sample_does_not_depend_on_order_or_numbers_and_more_items_only_displace(
            ids in prop::collection::btree_set(0_u32..10_000, 1..80),
            turn in 0_usize..80,
            size in 0_u64..50,
            more in prop::collection::btree_set(20_000_u32..30_000, 0..80),
        ) {
            let ids: Vec<String> = ids.iter().map(|id| format!("item:{id}")).collect();
            let numbered = |ids: &[String]| -> Vec<(u32, String)> { (1_u32..).zip(ids.iter().cloned()).collect() };
            let one = sample("seed", size, &numbered(&ids));
            let mut turned = ids.clone();
            turned.rotate_left(turn % ids.len());
            prop_assert_eq!(&sample("seed", size, &numbered(&turned)), &one);
            prop_assert_eq!(one.len() as u64, size.min(ids.len() as u64));
            let longer = sample("seed", size + 5, &numbered(&ids));
            prop_assert_eq!(&longer[..one.len()], &one[..]);
            let mut grown = ids.clone();
            grown.extend(more.iter().map(|id| format!("item:{id}")));
            let of_grown = sample("seed", size, &numbered(&grown));
            let old: Vec<&String> = of_grown.iter().filter(|id| ids.contains(id)).collect();
            let expected: Vec<&String> = one.iter().take(old.len()).collect();
            prop_assert_eq!(old, expected);
        }
    }

    #[test]
    fn the_key_is_what_a_person_can_compute_with_sha256sum() {
        // printf 'seed\0item:ab\0' | sha256sum
        let mut hash = Sha256::new();
        hash.update(b"seed\0item:ab\0");
        let expected: [u8; 32] = hash.finalize().into();
        assert_eq!(key_of("seed", "item:ab", ""), expected);
        assert_ne!(key_of("seed", "item:ab", "Jones"), expected);
    }

    #[test]
    fn every_item_is_drawn_about_equally_often() {
        let items: Vec<(u32, String)> = (0..20).map(|number| (number, format!("item:{number}"))).collect();
        let mut times = [0_u32; 20];
        for seed in 0..2_000 {
            let mut lot = Lot::new("", 5);
            let seed = seed.to_string();
            lot.seed = &seed;
            for (number, id) in &items {
                lot.offer(*number, id, None);
            }
            lot.drawn().iter().for_each(|unit| times[unit.item_no as usize] += 1);
        }
        // 500 each; four standard deviations are 78.
        assert!(times.iter().all(|times| (422..=578).contains(times)), "{times:?}");
    }
}
