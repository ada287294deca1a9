//! The self-test at the end of a run: stored items must be found by their own rare words.
//!
//! For each kind of item a sample (or all, when there are few) is read back from the store, parsed again, and asked for by the words of its
//! text that the index knows least of. Invariant: it reads what a user would read, and nothing that the pipeline left in memory.

use std::sync::Arc;

use embley_index::{Node, Snapshot, Want};
use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_model::item::Searchability;
use rayon::prelude::*;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::error::IngestError;
use crate::reparse::Originals;

/// What the self-test asked and found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Items asked for.
    pub asked: u64,
    /// Items found by their own words.
    pub found: u64,
    /// Items without any word, which cannot be asked for.
    pub without_words: u64,
    /// Item numbers that were not found: the run fails when there is one.
    pub missing: Vec<u32>,
    /// Seed of the sample.
    pub seed: u64,
}

impl SelfTest {
    fn add(mut self, other: Self) -> Self {
        self.asked += other.asked;
        self.found += other.found;
        self.without_words += other.without_words;
        self.missing.extend(other.missing);
        self
    }
}

/// Fields whose words are asked for.
const CONTENT: [Field; 4] = [Field::Body, Field::Attachment, Field::Subject, Field::Filename];
/// Words of an item that its query holds at most.
const WORDS: usize = 3;
/// Distinct words looked up to find the rare ones.
const CANDIDATES: usize = 8;

/// Asks for each of these items.
///
/// # Errors
/// When store or index cannot be read. Items that are not found are in the result, not an error.
pub(crate) fn run(
    mut items: Vec<ItemNo>,
    seed: u64,
    threads: usize,
    snapshot: &Snapshot,
    open: impl Fn() -> Result<Originals, IngestError> + Sync,
) -> Result<SelfTest, IngestError> {
    // In the order of the packs, so that each frame is opened once.
    items.sort_unstable();
    items.dedup();
    let per_thread = items.len().div_ceil(threads).max(1);
    let parts: Result<Vec<SelfTest>, IngestError> = items
        .par_chunks(per_thread)
        .map(|chunk| {
            let mut originals = open()?;
            let mut result = SelfTest::default();
            for item in chunk {
                ask(*item, snapshot, &mut originals, &mut result)?;
            }
            Ok(result)
        })
        .collect();
    let mut total = parts?.into_iter().fold(SelfTest::default(), SelfTest::add);
    total.seed = seed;
    total.missing.sort_unstable();
    Ok(total)
}

fn ask(item: ItemNo, snapshot: &Snapshot, originals: &mut Originals, result: &mut SelfTest) -> Result<(), IngestError> {
    let doc = originals.document(item)?;
    let mut words: Vec<(u64, Field, String)> = Vec::new();
    for (field, tokens) in doc.texts.iter().filter(|(field, _)| CONTENT.contains(field)) {
        for word in longest(tokens.words()) {
            words.push((snapshot.doc_freq(*field, word)?, *field, word.to_owned()));
        }
    }
    if words.is_empty() {
        result.without_words += 1;
        return Ok(());
    }
    words.sort();
    result.asked += 1;
    let mut terms: Vec<Node> = words
        .into_iter()
        .take(WORDS)
        .map(|(_, field, token)| Node::Term {
            fields: vec![field],
            token,
        })
        .collect();
    terms.push(Node::Items(Arc::new(RoaringBitmap::from_iter([item.0]))));
    let want = Want {
        items: false,
        top: None,
    };
    if snapshot.run(&Node::And(terms), want)?.count == 1 {
        result.found += 1;
    } else {
        result.missing.push(item.0);
    }
    Ok(())
}

/// The longest distinct words, at most [`CANDIDATES`], in order of length and then of their letters: long words are rare.
fn longest<'w>(words: impl Iterator<Item = &'w str>) -> Vec<&'w str> {
    let mut kept: Vec<&str> = Vec::with_capacity(CANDIDATES + 1);
    for word in words {
        if kept.len() == CANDIDATES && word.len() < kept[CANDIDATES - 1].len() {
            continue;
        }
        let place = kept.binary_search_by(|kept| word.len().cmp(&kept.len()).then_with(|| kept.cmp(&word)));
        if let Err(at) = place {
            kept.insert(at, word);
            kept.truncate(CANDIDATES);
        }
    }
    kept
}

/// A sample of numbers, the same for the same seed: every number when there are few, else `size` of them.
pub(crate) fn sample(numbers: &[u32], size: usize, seed: u64) -> Vec<ItemNo> {
    if numbers.len() <= size {
        return numbers.iter().copied().map(ItemNo).collect();
    }
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    let mut next = || {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let mut chosen = std::collections::BTreeSet::new();
    while chosen.len() < size {
        let at = usize::try_from(next() % numbers.len() as u64).unwrap_or(0);
        chosen.insert(numbers[at]);
    }
    chosen.into_iter().map(ItemNo).collect()
}

/// Kinds of items whose words are in the index.
pub(crate) fn has_words(searchability: Searchability) -> bool {
    matches!(
        searchability,
        Searchability::Searched | Searchability::PartlyLimit | Searchability::PartlyDecoding
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_words_are_those_that_sorting_gives() {
        let text: Vec<String> = (0..500_u32)
            .map(|n| "x".repeat((n * 7 % 13) as usize + 1) + &(n % 40).to_string())
            .collect();
        let words: Vec<&str> = text.iter().map(String::as_str).collect();
        let mut sorted = words.clone();
        sorted.sort_unstable_by_key(|word| (std::cmp::Reverse(word.len()), *word));
        sorted.dedup();
        sorted.truncate(CANDIDATES);
        assert_eq!(longest(words.into_iter()), sorted);
        assert_eq!(longest(["b", "a", "b"].into_iter()), vec!["a", "b"]);
    }

    #[test]
    fn sample_is_all_when_few_and_reproducible_when_many() {
        assert_eq!(sample(&[3, 4], 10, 1), vec![ItemNo(3), ItemNo(4)]);
        let many: Vec<u32> = (1..10_000).collect();
        let one = sample(&many, 100, 7);
        assert_eq!(one.len(), 100);
        assert_eq!(one, sample(&many, 100, 7));
        assert_ne!(one, sample(&many, 100, 8));
    }
}
