//! The vocabulary: which word comes next, with Zipf's law at the top and new words for ever at the end.
//!
//! Three regions, by rank: everyday words (a table of 4,096 slots filled in proportion to `1 / (rank + 2.7)`), derived
//! words (about 16,000 of them, the octaves of rank equally likely) and made words, numbers, names and references whose
//! ranks have no end (each octave 0.66 times as likely as the one before, so the count of distinct words grows like the
//! power 0.62 of the text, as Heaps' law says). Invariant: integer arithmetic, except divisions of small whole numbers,
//! which IEEE 754 fixes exactly. No word holds the letters `xq` together, which planted words begin with.

use std::collections::HashSet;

use crate::calendar::write_number;
use crate::rng::{Purpose, Rng, mix};
use crate::wordlist::{COMMON, PLACE_ENDINGS, PREFIXES, SUFFIXES, SYLLABLES};

/// Slots of the table of everyday words.
const SLOTS: usize = 4096;
/// A slot that leads on to derived and made words.
const ESCAPE: u8 = 0;
/// Derived words: 512 in the first octave, then twice as many each time, five times.
const DERIVED: usize = 15_872;
/// Of 4,096 slots, those that lead on: 28 % of running words.
const ESCAPES: usize = 1147;
/// Of 256 escapes, those that lead to made words.
const MADE_OF_256: u64 = 34;
/// The rank of the first made word.
const FIRST_MADE: u64 = 20_000;
/// Each octave of made words is this share of the one before, in 2^-16: 2^-0.6.
const OCTAVE_SHARE: u64 = 43_238;

/// A word with the space that follows it, ready to be copied as one block.
#[derive(Clone, Copy)]
struct Word {
    bytes: [u8; 15],
    /// Letters and the space; [`ESCAPE`] in a slot that leads on.
    len: u8,
}

impl Word {
    fn new(text: &str) -> Self {
        let mut bytes = [b' '; 15];
        let kept = text.len().min(14);
        bytes[..kept].copy_from_slice(&text.as_bytes()[..kept]);
        Self {
            bytes,
            len: kept as u8 + 1,
        }
    }
}

/// All words of one corpus. Depends on nothing but the program.
pub(crate) struct Vocabulary {
    slots: Vec<Word>,
    derived: Vec<Word>,
    /// Everyday words that may be capitalised or used in subjects: no function words.
    content: Vec<&'static str>,
}

/// How many of the first everyday words are function words.
const FUNCTION_WORDS: usize = 110;

impl Vocabulary {
    /// Builds the tables, about a megabyte.
    pub(crate) fn new() -> Self {
        let common = distinct_common();
        let escape = Word {
            bytes: [b' '; 15],
            len: ESCAPE,
        };
        let mut slots = vec![escape; SLOTS];
        let weight_of = |rank: usize| 1.0 / (rank as f64 + 2.7);
        let whole: f64 = (0..common.len()).map(weight_of).sum();
        let mut carried = 0.0;
        let mut at = 0;
        for (rank, text) in common.iter().enumerate() {
            carried += weight_of(rank) / whole * (SLOTS - ESCAPES) as f64;
            while carried >= 1.0 && at < SLOTS - ESCAPES {
                slots[at] = Word::new(text);
                at += 1;
                carried -= 1.0;
            }
        }
        let content: Vec<&'static str> = common[FUNCTION_WORDS..].to_vec();
        let derived = derived_words(&common).iter().map(|text| Word::new(text)).collect();
        Self {
            slots,
            derived,
            content,
        }
    }

    /// Appends the next word and a space.
    #[inline]
    pub(crate) fn write_word(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        let bits = rng.bits();
        let word = &self.slots[(bits & (SLOTS as u64 - 1)) as usize];
        if word.len == ESCAPE {
            self.write_uncommon(out, bits >> 12, rng);
        } else {
            push_word(out, word);
        }
    }

    fn write_uncommon(&self, out: &mut Vec<u8>, bits: u64, rng: &mut Rng) {
        if bits & 255 < MADE_OF_256 {
            return self.write_made(out, rng);
        }
        // Octaves of 512 · 2^k ranks, k in 0..=4, all equally likely: Zipf's law in steps.
        let octave = (bits >> 8) % 5;
        let first = (512_u64 << octave) - 512;
        let within = (bits >> 16) & ((512 << octave) - 1);
        let rank = (first + within) as usize % self.derived.len().max(1);
        push_word(out, &self.derived[rank]);
    }

    /// Appends a word from the endless end, and a space.
    pub(crate) fn write_made(&self, out: &mut Vec<u8>, rng: &mut Rng) {
        let mut octave = 0;
        while octave < 24 && rng.bits() & 0xffff < OCTAVE_SHARE {
            octave += 1;
        }
        let first = FIRST_MADE << octave;
        write_ranked(out, first + rng.below_wide(first));
        out.push(b' ');
    }

    /// A word with a meaning, for subjects and names of files.
    pub(crate) fn content_word(&self, rng: &mut Rng) -> &'static str {
        self.content[rng.below(self.content.len() as u32) as usize]
    }

    /// True when running text can hold this word (ignoring made words, which have letters or digits of their own).
    #[cfg(test)]
    pub(crate) fn holds(&self, text: &str) -> bool {
        let same = |word: &Word| &word.bytes[..usize::from(word.len).saturating_sub(1)] == text.as_bytes();
        self.slots.iter().any(same) || self.derived.iter().any(same)
    }
}

#[inline]
fn push_word(out: &mut Vec<u8>, word: &Word) {
    // One copy of a fixed size and a cut are several times faster than a copy of a varying size.
    let end = out.len() + usize::from(word.len);
    out.extend_from_slice(&word.bytes);
    out.truncate(end);
}

fn distinct_common() -> Vec<&'static str> {
    let mut seen = HashSet::new();
    COMMON
        .split_ascii_whitespace()
        .filter(|word| seen.insert(*word))
        .collect()
}

/// Stems with endings and beginnings, the likelier ones first, none of them an everyday word.
fn derived_words(common: &[&'static str]) -> Vec<String> {
    let mut seen: HashSet<String> = common.iter().map(|word| (*word).to_owned()).collect();
    let mut rng = Rng::new(0, Purpose::Vocabulary, 0);
    let mut words = Vec::with_capacity(20_000);
    let is_stem = |stem: &&&str| stem.len() >= 3 && !["s", "ed", "ing"].iter().any(|end| stem.ends_with(end));
    for affix in SUFFIXES.iter().chain(&PREFIXES) {
        let is_prefix = PREFIXES.contains(affix);
        let mut group = Vec::new();
        for stem in common.iter().skip(FUNCTION_WORDS).filter(is_stem) {
            let word = if is_prefix {
                format!("{affix}{stem}")
            } else {
                joined(stem, affix)
            };
            if word.len() <= 14 && seen.insert(word.clone()) {
                group.push(word);
            }
        }
        for at in (1..group.len()).rev() {
            group.swap(at, rng.below_wide(at as u64 + 1) as usize);
        }
        words.append(&mut group);
    }
    words.truncate(DERIVED);
    words
}

/// A stem and its ending, spelt roughly as English does.
fn joined(stem: &str, ending: &str) -> String {
    let begins_with_vowel = ending.starts_with(['a', 'e', 'i']);
    match stem.as_bytes().last() {
        Some(b'e') if begins_with_vowel => format!("{}{ending}", &stem[..stem.len() - 1]),
        Some(b'y') if ending == "s" => format!("{}ies", &stem[..stem.len() - 1]),
        Some(b'h' | b'x') if ending == "s" => format!("{stem}es"),
        _ => format!("{stem}{ending}"),
    }
}

/// Writes the made word of this rank: the rank decides its kind and, nearly always uniquely, its letters.
fn write_ranked(out: &mut Vec<u8>, rank: u64) {
    let kind = mix(rank) % 100;
    match kind {
        0..48 => write_syllables(out, rank),
        48..62 => {
            let start = out.len();
            write_syllables(out, rank / 8);
            out.extend_from_slice(PLACE_ENDINGS[(rank % 8) as usize].as_bytes());
            out[start].make_ascii_uppercase();
        }
        62..78 => write_number(out, rank, 1),
        78..84 => {
            write_number(out, rank / 100 + 1, 1);
            out.push(b'.');
            write_number(out, rank % 100, 2);
        }
        84..90 => {
            out.extend_from_slice(b"CR/");
            write_number(out, rank, 6);
            out.push(b'/');
            write_number(out, kind % 6 + 10, 2);
        }
        90..96 => {
            let letter = |shift: u64| b'A' + (rank >> shift) as u8 % 16;
            out.extend_from_slice(&[letter(0), letter(4)]);
            write_number(out, rank >> 8, 4);
            out.push(b'K');
        }
        _ => {
            for shift in 0..8 {
                out.push(b"0123456789abcdef"[(mix(rank ^ 0x5eed) >> (shift * 4) & 15) as usize]);
            }
        }
    }
}

fn write_syllables(out: &mut Vec<u8>, rank: u64) {
    let base = SYLLABLES.len() as u64;
    let mut rest = rank;
    while rest > 0 {
        out.extend_from_slice(SYLLABLES[(rest % base) as usize].as_bytes());
        rest /= base;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_follow_zipf_and_new_words_never_end() {
        let vocabulary = Vocabulary::new();
        assert_eq!(
            vocabulary.derived.len(),
            DERIVED,
            "all five octaves of derived words are there"
        );
        let mut rng = Rng::new(9, Purpose::Body, 0);
        let mut text = Vec::new();
        let mut distinct_at = Vec::new();
        let mut seen = HashSet::new();
        let mut the = 0;
        for step in 0..400_000 {
            text.clear();
            vocabulary.write_word(&mut text, &mut rng);
            the += usize::from(text == b"the ");
            seen.insert(text.clone());
            if step == 99_999 || step == 399_999 {
                distinct_at.push(seen.len());
            }
        }
        assert!((400_000 / 50..400_000 / 12).contains(&the), "{the}");
        let growth = distinct_at[1] as f64 / distinct_at[0] as f64;
        assert!(
            (1.2..3.0).contains(&growth),
            "four times the text, {growth} times the words"
        );
    }

    #[test]
    fn no_word_can_be_taken_for_a_planted_one() {
        let vocabulary = Vocabulary::new();
        let mut rng = Rng::new(11, Purpose::Body, 0);
        let mut text = Vec::new();
        for _ in 0..200_000 {
            vocabulary.write_word(&mut text, &mut rng);
        }
        let text = String::from_utf8(text).expect("ascii").to_ascii_lowercase();
        assert!(!text.contains("xq"));
        assert!(!text.contains("psd"));
    }
}
