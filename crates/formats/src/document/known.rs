//! Which runs of words a text holds: finds the paragraphs that a package left out.
//!
//! Main type: [`Known`]. Not exact: a paragraph whose every three consecutive words stand somewhere in the text counts as held. Of a text that is too long
//! nothing counts as held: a paragraph that stands in it twice costs room, one that is left out is lost.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Words of more text than this are not collected; then nothing counts as held, and memory stays bounded.
const MAX_BYTES: usize = 24 << 20;

/// Hashes of all runs of one, two and three words.
pub(super) struct Known {
    grams: Vec<u64>,
    complete: bool,
}

impl Known {
    pub(super) fn of(text: &str) -> Self {
        if text.len() > MAX_BYTES {
            return Self {
                grams: Vec::new(),
                complete: false,
            };
        }
        let mut grams = Vec::new();
        let (mut before, mut last) = (0, 0);
        for word in words(text) {
            let this = hash(word);
            grams.push(this);
            grams.push(pair(last, this));
            grams.push(pair(pair(before, last), this));
            before = last;
            last = this;
        }
        grams.sort_unstable();
        grams.dedup();
        Self { grams, complete: true }
    }

    /// True when `paragraph` brings nothing new.
    pub(super) fn holds(&self, paragraph: &str) -> bool {
        if !self.complete {
            return false;
        }
        let (mut before, mut last, mut count) = (0, 0, 0u32);
        for word in words(paragraph) {
            let this = hash(word);
            count += 1;
            let gram = match count {
                1 => this,
                2 => pair(last, this),
                _ => pair(pair(before, last), this),
            };
            if self.grams.binary_search(&gram).is_err() {
                return false;
            }
            before = last;
            last = this;
        }
        true
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

fn pair(first: u64, second: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (first, second).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_found() {
        let known = Known::of("The quick brown fox jumps.\nOver the lazy dog");
        assert!(known.holds("quick brown fox"));
        assert!(known.holds("the  lazy, dog"));
        assert!(known.holds("fox"));
        assert!(known.holds(" -- "));
        assert!(!known.holds("brown quick"));
        assert!(!known.holds("quick brown dog"));
        assert!(!known.holds("cat"));
    }

    #[test]
    fn of_a_text_that_is_too_long_nothing_counts_as_held() {
        let known = Known::of(&"word ".repeat(MAX_BYTES / 5 + 1));
        assert!(!known.holds("a comment beside it"));
    }
}
