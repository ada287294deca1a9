//! Seeded queries made from words of the case itself, by shape.
//!
//! Main types: [`Shape`], [`Maker`]. Invariant: the same case and seed give the same queries.

use std::collections::{BTreeMap, BTreeSet};

use embley_ingest::Originals;
use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_search::{Facet, Level, Searcher};
use embley_store::Case;

/// Items whose words queries are made of.
const SAMPLED_ITEMS: u64 = 1500;
/// Words of one item that are looked at.
const WORDS_OF_ITEM: usize = 400;
/// So many of the most frequent words count as common.
const COMMON_WORDS: usize = 60;

/// So many words are about as frequent as the one in their middle.
const NEAR_WORDS: usize = 40;

/// A kind of query.
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// Reported apart: it looks at every word of the case.
    pub(super) apart: bool,
    pub(super) facets: &'static [Facet],
    pub(super) level: Level,
    make: fn(&mut Maker) -> Option<String>,
}

const SIX_FACETS: &[Facet] = &[
    Facet::Custodian,
    Facet::Sender,
    Facet::Recipient,
    Facet::Domain,
    Facet::Type,
    Facet::Year,
];

const fn shape(name: &'static str, make: fn(&mut Maker) -> Option<String>) -> Shape {
    Shape {
        name,
        apart: false,
        facets: &[Facet::Custodian],
        level: Level::Item,
        make,
    }
}

/// All shapes in the order of the report.
pub(super) const SHAPES: &[Shape] = &[
    shape("term", |maker| maker.by_frequency()),
    shape("and", |maker| {
        let text = maker.text()?;
        let (one, two) = (maker.any(&text.words)?, maker.any(&text.words)?);
        Some(format!("{one} AND {two}"))
    }),
    shape("or-20", |maker| {
        // Words of one frequency, so that the sums are spread as the words are.
        let first = maker.by_frequency()?;
        let mut words = BTreeSet::from([first.clone()]);
        for _ in 0..200 {
            if words.len() < 20 {
                let word = maker.near_frequency(&first)?;
                words.insert(word);
            }
        }
        Some(words.into_iter().collect::<Vec<_>>().join(" OR "))
    }),
    shape("phrase", |maker| {
        let text = maker.text()?;
        Some(format!("\"{}\"", maker.any(&text.phrases)?))
    }),
    shape("near-5-common", |maker| {
        let (one, two) = (maker.common()?, maker.common()?);
        Some(format!("{one} w/5 {two}"))
    }),
    shape("wildcard", |maker| {
        let letters: Vec<char> = maker.long_word()?.chars().collect();
        // An inner letter is left open, and the end: `br?be*`.
        let (before, after) = (letters.get(..2)?, letters.get(3..5)?);
        Some(format!("{}?{}*", String::from_iter(before), String::from_iter(after)))
    }),
    shape("prefix", |maker| {
        let word = maker.by_frequency()?;
        Some(format!("{}*", word.chars().take(4).collect::<String>()))
    }),
    shape("fuzzy", |maker| Some(format!("{}~1", maker.long_word()?))),
    Shape {
        // One word may stand in the message and the other in an attachment.
        level: Level::Family,
        ..shape("family", |maker| {
            let text = maker.text()?;
            let (one, two) = (maker.any(&text.words)?, maker.any(&text.words)?);
            Some(format!("{one} AND {two}"))
        })
    },
    Shape {
        facets: SIX_FACETS,
        ..shape("six-facets", |maker| maker.by_frequency())
    },
    Shape {
        apart: true,
        ..shape("leading-wildcard", |maker| {
            let letters: Vec<char> = maker.long_word()?.chars().collect();
            Some(format!(
                "*{}",
                String::from_iter(letters.get(letters.len().saturating_sub(4)..)?)
            ))
        })
    },
    Shape {
        apart: true,
        ..shape("regular-expression", |maker| {
            let letters: Vec<char> = maker.long_word()?.chars().collect();
            let (first, rest) = (letters.first()?, letters.get(2..4)?);
            Some(format!("/[{first}e].{}.*/", String::from_iter(rest)))
        })
    },
];

/// The words of one item.
#[derive(Clone)]
struct Text {
    words: Vec<String>,
    phrases: Vec<String>,
}

/// Makes queries of what was read of the case.
pub(super) struct Maker {
    texts: Vec<Text>,
    /// Distinct words with the number of items that have them in their body, the rarest first.
    words: Vec<(u64, String)>,
    random: SplitMix,
}

impl Maker {
    /// Reads words of randomly chosen items.
    pub(super) fn read(case: &Case, searcher: &Searcher, seed: u64) -> anyhow::Result<Self> {
        let snapshot = searcher.snapshot();
        // What is kept from sight is not there to be read.
        let seen = searcher.items(&searcher.plan("*")?)?;
        let mut originals = Originals::open(case)?;
        let mut random = SplitMix(seed);
        let mut texts = Vec::new();
        let mut frequencies: BTreeMap<String, u64> = BTreeMap::new();
        for _ in 0..SAMPLED_ITEMS.min(seen.len().saturating_mul(2)) {
            let nth = u32::try_from(random.below(seen.len())).unwrap_or(0);
            let Some(item) = seen.select(nth) else { continue };
            let text = originals.text(ItemNo(item))?;
            let words = words_of(&text.body);
            for word in &words {
                if !frequencies.contains_key(word) {
                    frequencies.insert(word.clone(), snapshot.doc_freq(Field::Body, word)?);
                }
            }
            let phrases = consecutive_words(&text.body);
            if words.len() > 1 && !phrases.is_empty() {
                texts.push(Text { words, phrases });
            }
        }
        let mut words: Vec<(u64, String)> = frequencies.into_iter().map(|(word, count)| (count, word)).collect();
        words.retain(|(count, _)| *count > 0);
        words.sort();
        Ok(Self { texts, words, random })
    }

    /// Distinct queries of a shape, as many as asked for where the case has them.
    pub(super) fn queries(&mut self, shape: &Shape, wanted: usize) -> Vec<String> {
        let mut made = Vec::new();
        let mut known = BTreeSet::new();
        let mut tries = wanted.saturating_mul(10);
        while made.len() < wanted && tries > 0 {
            tries -= 1;
            match (shape.make)(self) {
                Some(query) if known.insert(query.clone()) => made.push(query),
                _ => {}
            }
        }
        made
    }

    fn text(&mut self) -> Option<Text> {
        let at = self.random.index(self.texts.len());
        self.texts.get(at).cloned()
    }

    fn any(&mut self, words: &[String]) -> Option<String> {
        words.get(self.random.index(words.len())).cloned()
    }

    /// A word whose logarithm of the number of items is as likely anywhere between those of the rarest and the commonest.
    fn by_frequency(&mut self) -> Option<String> {
        let low = (self.words.first()?.0 as f64).ln();
        let high = (self.words.last()?.0 as f64).ln();
        let target = (low + (high - low) * self.random.share()).exp();
        let at = self.words.partition_point(|(count, _)| (*count as f64) < target);
        self.around(at)
    }

    /// A word about as frequent as another.
    fn near_frequency(&mut self, word: &str) -> Option<String> {
        let at = self.words.iter().position(|(_, one)| one == word)?;
        let last = self.words.len().saturating_sub(NEAR_WORDS);
        let from = at.saturating_sub(NEAR_WORDS / 2).min(last);
        let at = from + self.random.index(NEAR_WORDS.min(self.words.len()));
        self.words.get(at).map(|(_, word)| word.clone())
    }

    fn around(&mut self, at: usize) -> Option<String> {
        let at = (at + self.random.index(5)).min(self.words.len().saturating_sub(1));
        self.words.get(at).map(|(_, word)| word.clone())
    }

    fn common(&mut self) -> Option<String> {
        let from = self.words.len().saturating_sub(COMMON_WORDS);
        let at = from + self.random.index(self.words.len() - from);
        self.words.get(at).map(|(_, word)| word.clone())
    }

    /// A word of at least six letters.
    fn long_word(&mut self) -> Option<String> {
        (0..100).find_map(|_| self.by_frequency().filter(|word| word.chars().count() >= 6))
    }
}

/// Plain words of a text, folded as far as lower case goes.
fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| (2..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .take(WORDS_OF_ITEM)
        .map(str::to_ascii_lowercase)
        .filter(|word| !matches!(word.as_str(), "and" | "or" | "not"))
        .collect()
}

/// Two or three words that stand one after the other with one blank between.
fn consecutive_words(text: &str) -> Vec<String> {
    let plain = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut found = Vec::new();
    for line in text.lines().take(WORDS_OF_ITEM) {
        let words: Vec<&str> = line.split(' ').collect();
        for (at, pair) in words.windows(2).enumerate() {
            if pair.iter().all(plain) {
                let length = if at % 2 == 0 && words.get(at + 2).is_some_and(plain) {
                    3
                } else {
                    2
                };
                found.push(words[at..at + length].join(" ").to_lowercase());
            }
        }
    }
    found
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker() -> Maker {
        let words = ["bribery", "meeting", "attached", "the", "of", "statement"];
        let text = Text {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            phrases: vec!["of the".to_owned()],
        };
        let counted = (0..60).map(|at| {
            (
                1 << (at / 5),
                format!("{}{}", words[at % 6], (b'a' + at as u8 % 26) as char),
            )
        });
        let mut words: Vec<(u64, String)> = counted.collect();
        words.sort();
        Maker {
            texts: vec![text],
            words,
            random: SplitMix(1),
        }
    }

    #[test]
    fn every_shape_makes_queries_that_the_grammar_reads_and_the_same_again() {
        for shape in SHAPES {
            let (one, two) = (maker().queries(shape, 5), maker().queries(shape, 5));
            assert!(!one.is_empty(), "{}", shape.name);
            assert_eq!(one, two, "{}", shape.name);
            for query in one {
                assert!(embley_search::parse(&query).is_ok(), "{query}");
            }
        }
    }

    #[test]
    fn phrases_are_words_that_stand_together() {
        assert_eq!(consecutive_words("Of the man, who"), vec!["of the"]);
        assert_eq!(
            consecutive_words("one two three\nfour"),
            vec!["one two three", "two three"]
        );
    }
}
