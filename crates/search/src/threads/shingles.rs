//! Texts as sets of runs of five words, to compare one with many others.
//!
//! Not for: groups over all messages, which go by sketches (`near`). Main type: [`Shingles`]. Invariant: memory is bounded for each text; up to
//! [`MOST_RUNS`] distinct runs the similarity is exact, beyond it is that of the lowest hashes (a bottom-k sketch, standard error below 0.02).

use std::cmp::Ordering;

use embley_index::analysis::words_with_offsets;

/// Words of a run.
const RUN: usize = 5;
/// Hashes kept of one text.
pub const MOST_RUNS: usize = 4096;

/// The distinct runs of five words of a text, folded as the index folds them; of a text of one to four words, that one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shingles {
    /// Ascending, without repeats.
    lowest: Vec<u64>,
    /// True when the text has more runs than are kept.
    cut: bool,
    words: u64,
    /// Of all words in their order, whatever stands between them.
    whole: u64,
}

impl Shingles {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        let mut window = [0_u64; RUN];
        let mut hashes = Vec::new();
        let mut words = 0_u64;
        let mut whole = 0_u64;
        for word in words_with_offsets(text) {
            let hash = hash_of(&word.folded);
            window.rotate_left(1);
            window[RUN - 1] = hash;
            words += 1;
            whole = mix(whole ^ hash).wrapping_add(words);
            if words >= RUN as u64 {
                hashes.push(window.iter().fold(0, |all, one| mix(all ^ one)));
                // Kept small while a large text is read.
                if hashes.len() >= 4 * MOST_RUNS {
                    shorten(&mut hashes);
                }
            }
        }
        if hashes.is_empty() && words > 0 {
            hashes.push(window.iter().fold(0, |all, one| mix(all ^ one)));
        }
        let distinct_before = hashes.len();
        shorten(&mut hashes);
        let cut = hashes.len() == MOST_RUNS && (distinct_before > MOST_RUNS || words as usize > MOST_RUNS + RUN);
        Self {
            lowest: hashes,
            cut,
            words,
            whole,
        }
    }

    /// How many words the text has.
    pub fn words(&self) -> u64 {
        self.words
    }

    /// Hashes of its runs, ascending: what two texts have in common stands in both.
    pub fn hashes(&self) -> &[u64] {
        &self.lowest
    }

    /// True when both have the same words in the same order, whatever case, accents and punctuation; false for two texts without words.
    pub fn same_words(&self, other: &Self) -> bool {
        self.words > 0 && self.words == other.words && self.whole == other.whole
    }

    /// Jaccard similarity of the two sets, 0 to 1; 0 when one has no words.
    pub fn similarity(&self, other: &Self) -> f64 {
        let most = if self.cut || other.cut { MOST_RUNS } else { usize::MAX };
        let (mut one, mut two) = (self.lowest.iter().peekable(), other.lowest.iter().peekable());
        let (mut both, mut all) = (0_usize, 0_usize);
        while all < most {
            match (one.peek(), two.peek()) {
                (None, None) => break,
                (Some(_), None) => {
                    one.next();
                }
                (None, Some(_)) => {
                    two.next();
                }
                (Some(left), Some(right)) => match left.cmp(right) {
                    Ordering::Less => {
                        one.next();
                    }
                    Ordering::Greater => {
                        two.next();
                    }
                    Ordering::Equal => {
                        both += 1;
                        one.next();
                        two.next();
                    }
                },
            }
            all += 1;
        }
        if all == 0 { 0.0 } else { both as f64 / all as f64 }
    }
}

fn shorten(hashes: &mut Vec<u64>) {
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(MOST_RUNS);
}

/// FNV-1a, then mixed: the same text has the same runs in every run of the program.
fn hash_of(word: &str) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for byte in word.as_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    mix(hash)
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn mix(mut hash: u64) -> u64 {
    hash = hash.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::jaccard;

    fn words(range: std::ops::Range<u32>) -> String {
        range.map(|word| format!("word{word} ")).collect()
    }

    #[test]
    fn short_texts_are_compared_exactly() {
        for (one, two) in [(0..100, 0..100), (0..100, 10..110), (0..100, 50..400), (0..9, 20..30)] {
            let (one, two) = (words(one), words(two));
            let exact = jaccard(&one, &two).expect("both are long enough");
            let found = Shingles::of(&one).similarity(&Shingles::of(&two));
            assert!((exact - found).abs() < 1e-9, "{exact} {found}");
        }
    }

    #[test]
    fn long_texts_are_compared_by_their_lowest_hashes() {
        let (one, two) = (words(0..40_000), words(4_000..44_000));
        let exact = jaccard(&one, &two).expect("both are long enough");
        let (one, two) = (Shingles::of(&one), Shingles::of(&two));
        assert_eq!(one.hashes().len(), MOST_RUNS);
        assert!((exact - one.similarity(&two)).abs() < 0.03, "{exact}");
    }

    #[test]
    fn the_same_words_are_the_same_text_whatever_stands_between_them() {
        let of = Shingles::of;
        assert!(of("Terms of reference.").same_words(&of("TERMS  of\nreference")));
        assert!(!of("Terms of reference").same_words(&of("of Terms reference")));
        assert!(!of("").same_words(&of(" ")));
        assert_eq!(of("two words").similarity(&of("Two words!")), 1.0);
        assert_eq!(of("").similarity(&of("")), 0.0);
    }
}
