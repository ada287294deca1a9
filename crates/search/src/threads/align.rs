//! Quoted words against the words of the message that they quote: what agrees, and what differs in between.
//!
//! Passages that agree are found by four words in a row and made as long as they go; at the very beginning and the very end of both, two
//! words in a row are enough. Between two passages stands what differs. What is cut off before the first and behind the last is trimming and no difference. Not for: texts in another order (a passage that
//! was moved is not aligned). Invariant: passages increase in both texts and do not overlap.

use std::collections::HashMap;
use std::ops::Range;

/// Words in a row that make two places the same.
const ANCHOR: usize = 4;
/// Words in a row that make the beginnings, or the ends, of both texts the same.
const EDGE: usize = 2;
/// Places of one anchor that are looked at.
const PLACES: usize = 64;

/// A passage that agrees: where it begins in both, and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    /// In the quotation.
    pub(super) quoted_at: usize,
    /// In the original.
    pub(super) original_at: usize,
    /// How many words.
    pub(super) words: usize,
}

/// A place where the two differ, between two passages that agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Words of the quotation.
    pub(super) quoted: Range<usize>,
    /// Words of the original.
    pub(super) original: Range<usize>,
}

/// The words of an original by where four of them stand in a row.
pub(super) struct Original<'w> {
    words: &'w [u32],
    places: HashMap<[u32; ANCHOR], Vec<u32>>,
}

impl<'w> Original<'w> {
    /// Reads an original.
    pub(super) fn new(words: &'w [u32]) -> Self {
        let mut places: HashMap<[u32; ANCHOR], Vec<u32>> = HashMap::new();
        for (at, four) in words.windows(ANCHOR).enumerate() {
            if let Ok(four) = four.try_into() {
                let list = places.entry(four).or_default();
                if list.len() < PLACES {
                    list.push(at as u32);
                }
            }
        }
        Self { words, places }
    }

    /// The passages of a quotation that stand in the original in the same order.
    pub(super) fn passages(&self, quoted: &[u32]) -> Vec<Passage> {
        let mut found: Vec<Passage> = Vec::new();
        let mut at = 0;
        let mut from = 0;
        while at + ANCHOR <= quoted.len() {
            let four: Option<[u32; ANCHOR]> = quoted[at..at + ANCHOR].try_into().ok();
            let places = four.and_then(|four| self.places.get(&four));
            // Of the places behind the last passage the one that goes on longest; the nearest of equals.
            let best = places
                .into_iter()
                .flatten()
                .map(|place| *place as usize)
                .filter(|place| *place >= from)
                .map(|place| (place, self.agree(place, &quoted[at..])))
                .reduce(|one, two| if two.1 > one.1 { two } else { one });
            let Some((place, words)) = best else {
                at += 1;
                continue;
            };
            found.push(Passage {
                quoted_at: at,
                original_at: place,
                words,
            });
            at += words;
            from = place + words;
        }
        self.stretch(quoted, &mut found);
        found
    }

    /// The same, with what the very beginnings and the very ends of both have in common.
    pub(super) fn passages_and_edges(&self, quoted: &[u32]) -> Vec<Passage> {
        let mut found = self.passages(quoted);
        self.edges(quoted, &mut found);
        found
    }

    /// Adds the beginning that both have, and the end, where it lies before or behind all passages.
    fn edges(&self, quoted: &[u32], found: &mut Vec<Passage>) {
        let Some((first, last)) = found.first().copied().zip(found.last().copied()) else {
            return;
        };
        let room = first.quoted_at.min(first.original_at);
        let head = self.agree(0, &quoted[..room]).min(room);
        if head >= EDGE {
            found.insert(
                0,
                Passage {
                    quoted_at: 0,
                    original_at: 0,
                    words: head,
                },
            );
        }
        let (behind_quoted, behind_original) = (last.quoted_at + last.words, last.original_at + last.words);
        let pairs = quoted[behind_quoted..]
            .iter()
            .rev()
            .zip(self.words[behind_original..].iter().rev());
        let tail = pairs.take_while(|(one, two)| one == two).count();
        if tail >= EDGE {
            found.push(Passage {
                quoted_at: quoted.len() - tail,
                original_at: self.words.len() - tail,
                words: tail,
            });
        }
    }

    fn agree(&self, place: usize, quoted: &[u32]) -> usize {
        let pairs = self.words[place..].iter().zip(quoted);
        pairs.take_while(|(one, two)| one == two).count()
    }

    /// Takes words before a passage in that agree as well but are fewer than an anchor.
    fn stretch(&self, quoted: &[u32], found: &mut [Passage]) {
        for at in 0..found.len() {
            let (free_quoted, free_original) = match at.checked_sub(1).map(|before| found[before]) {
                Some(before) => (before.quoted_at + before.words, before.original_at + before.words),
                None => (0, 0),
            };
            let one = &mut found[at];
            while one.quoted_at > free_quoted
                && one.original_at > free_original
                && quoted[one.quoted_at - 1] == self.words[one.original_at - 1]
            {
                one.quoted_at -= 1;
                one.original_at -= 1;
                one.words += 1;
            }
        }
    }
}

/// What differs between the passages.
pub(super) fn differences(passages: &[Passage]) -> Vec<Difference> {
    passages
        .windows(2)
        .map(|pair| Difference {
            quoted: pair[0].quoted_at + pair[0].words..pair[1].quoted_at,
            original: pair[0].original_at + pair[0].words..pair[1].original_at,
        })
        .filter(|one| !one.quoted.is_empty() || !one.original.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(original: &str, quoted: &str, expected: &[(&str, &str)]) {
        let mut lexicon = super::super::quote::Lexicon::default();
        let mut read = |text: &str| super::super::quote::QuotedText::read(text, &mut lexicon).numbers();
        let (one, two) = (read(original), read(quoted));
        let found = differences(&Original::new(&one).passages_and_edges(&two));
        let shown = |text: &str, range: &Range<usize>| text.split(' ').collect::<Vec<_>>()[range.clone()].join(" ");
        let found: Vec<(String, String)> = found
            .iter()
            .map(|one| (shown(quoted, &one.quoted), shown(original, &one.original)))
            .collect();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(one, two)| ((*one).to_owned(), (*two).to_owned()))
            .collect();
        assert_eq!(found, expected, "{quoted:?}");
    }

    #[test]
    fn changed_added_and_missing_words_are_found_and_trimming_is_not() {
        let original =
            "the meeting was on monday and the officer did not declare an interest in the matter at any time before";
        check(original, original, &[]);
        check(
            original,
            "meeting was on monday and the officer did not declare an interest in the matter",
            &[],
        );
        check(
            original,
            "the meeting was on tuesday and the officer did not declare an interest",
            &[("tuesday", "monday")],
        );
        check(
            original,
            "monday and the officer did declare an interest in the matter",
            &[("", "not")],
        );
        check(
            original,
            "the meeting was on monday and then the officer did not declare",
            &[("then", "")],
        );
    }

    #[test]
    fn two_words_at_the_beginning_or_end_of_both_are_enough() {
        check(
            "the meeting was on monday and the officer did not declare it kind regards",
            "the meeting was on monday and the officer said nothing regards",
            &[],
        );
        check(
            "the meeting was on monday and the officer did not declare it kind regards",
            "the meeting was on monday and the officer said nothing kind regards",
            &[("said nothing", "did not declare it")],
        );
    }

    #[test]
    fn a_word_that_repeats_makes_no_difference() {
        check("a b a b a b a b a b c", "a b a b a b a b c", &[]);
    }
}
