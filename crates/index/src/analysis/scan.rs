//! The scanner: finds the next word of a text, appends its folded form to a buffer, says where it stood.
//!
//! Runs of ASCII letters and digits are copied and lowered as slices; only other characters are looked at
//! one by one.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::{compose, decompose_compatible};

use super::TOKEN_LIMIT_BYTES;
use super::fold::{Class, class, fold_char, is_cjk};

const BREAK: u8 = 0;
const WORD: u8 = 1;
const HIGH: u8 = 2;

/// For each byte: ASCII letter or digit, other ASCII, or part of a longer character.
const BYTE_CLASS: [u8; 256] = {
    let mut table = [BREAK; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte >= 128 {
            table[byte] = HIGH;
        } else if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = WORD;
        }
        byte += 1;
    }
    table
};

/// State of one pass over one text.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Folded characters of the last non-ASCII character that were not used yet, and where it stands.
    expansion: Vec<char>,
    expansion_used: usize,
    expansion_range: Range<usize>,
    /// Tokens cut at the limit so far.
    pub(super) cut_count: u32,
}

/// A word under construction at the end of the output buffer.
struct Building {
    base: usize,
    start: Option<usize>,
    end: usize,
    full: bool,
}

impl Building {
    fn extend(&mut self, range: Range<usize>) {
        self.start.get_or_insert(range.start);
        self.end = range.end;
    }

    fn push_ascii(&mut self, out: &mut String, run: &str) {
        let room = TOKEN_LIMIT_BYTES.saturating_sub(out.len() - self.base);
        if self.full || run.len() > room {
            let kept = if self.full { 0 } else { room };
            self.full = true;
            push_lower(out, &run[..kept]);
        } else {
            push_lower(out, run);
        }
    }

    fn push(&mut self, out: &mut String, c: char) {
        if self.full || out.len() - self.base + c.len_utf8() > TOKEN_LIMIT_BYTES {
            self.full = true;
        } else {
            out.push(c);
        }
    }
}

fn push_lower(out: &mut String, run: &str) {
    let from = out.len();
    out.push_str(run);
    out[from..].make_ascii_lowercase();
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            expansion: Vec::new(),
            expansion_used: 0,
            expansion_range: 0..0,
            cut_count: 0,
        }
    }

    /// Appends the next word, folded, to `out` and returns its byte range in the text; `None` at the end,
    /// with nothing appended.
    #[inline]
    pub(super) fn next_into(&mut self, out: &mut String) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        if self.expansion_used == self.expansion.len() {
            self.skip_breaks(bytes);
            let start = self.at;
            let end = run_end(bytes, start);
            let stops = end == bytes.len() || BYTE_CLASS[usize::from(bytes[end])] == BREAK;
            if end > start && stops && end - start <= TOKEN_LIMIT_BYTES {
                push_lower(out, &self.text[start..end]);
                self.at = end;
                return Some(start..end);
            }
        }
        self.next_slowly(out)
    }

    fn skip_breaks(&mut self, bytes: &[u8]) {
        self.at += bytes[self.at..]
            .iter()
            .position(|byte| BYTE_CLASS[usize::from(*byte)] != BREAK)
            .unwrap_or(bytes.len() - self.at);
    }

    /// The general case: words with characters beyond ASCII, and words over the limit.
    fn next_slowly(&mut self, out: &mut String) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let mut word = Building {
            base: out.len(),
            start: None,
            end: self.at,
            full: false,
        };
        loop {
            if self.take_expansion(&mut word, out) {
                break;
            }
            let Some(&byte) = bytes.get(self.at) else { break };
            match BYTE_CLASS[usize::from(byte)] {
                WORD => {
                    let range = self.at..run_end(bytes, self.at);
                    word.push_ascii(out, &self.text[range.clone()]);
                    self.at = range.end;
                    word.extend(range);
                }
                BREAK => {
                    self.at += 1;
                    if word.start.is_some() {
                        break;
                    }
                }
                _ => {
                    if self.take_wide(&mut word, out) {
                        break;
                    }
                }
            }
        }
        self.cut_count += u32::from(word.full);
        word.start.map(|start| start..word.end)
    }

    /// Uses what is left of an expanded character; true when that ends the word.
    fn take_expansion(&mut self, word: &mut Building, out: &mut String) -> bool {
        while let Some(&c) = self.expansion.get(self.expansion_used) {
            self.expansion_used += 1;
            if c.is_alphanumeric() {
                word.push(out, c);
                word.extend(self.expansion_range.clone());
            } else if word.start.is_some() {
                return true;
            }
        }
        false
    }

    /// Handles one character beyond ASCII; true when it ends the word.
    fn take_wide(&mut self, word: &mut Building, out: &mut String) -> bool {
        let Some(c) = self.text[self.at..].chars().next() else {
            return true;
        };
        let range = self.at..self.at + c.len_utf8();
        match class(c) {
            Class::Transparent => {
                self.at = range.end;
                if word.start.is_some() {
                    word.end = range.end;
                }
                false
            }
            Class::Break => {
                self.at = range.end;
                word.start.is_some()
            }
            Class::Single => {
                if word.start.is_none() {
                    self.take_single(c, word, out);
                }
                true
            }
            Class::Word => {
                self.expansion.clear();
                self.expansion_used = 0;
                fold_char(c, |part| self.expansion.push(part));
                self.expansion_range = range.clone();
                self.at = range.end;
                false
            }
        }
    }

    /// Makes a word of one ideograph, kana or hangul syllable, joined with what follows when the two have a
    /// composed form (voiced kana, conjoining jamo as in file names of some systems).
    fn take_single(&mut self, c: char, word: &mut Building, out: &mut String) {
        let start = self.at;
        self.at += c.len_utf8();
        let mut whole = single_form(c);
        while let Some(next) = self.text[self.at..].chars().next() {
            let Some(joined) = compose(whole, joining_form(next)) else {
                break;
            };
            whole = joined;
            self.at += next.len_utf8();
        }
        word.push(out, whole);
        word.extend(start..self.at);
    }
}

fn run_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| BYTE_CLASS[usize::from(*byte)] != WORD)
        .map_or(bytes.len(), |len| from + len)
}

/// The indexed form of a character that is a word of its own: compatibility forms are replaced, composed
/// kana and hangul stay composed (their parts are different letters, not accents).
fn single_form(c: char) -> char {
    if matches!(u32::from(c), 0x3041..=0x30FE | 0xAC00..=0xD7A3) {
        return c;
    }
    let mut first = None;
    decompose_compatible(c, |part| first = first.or(Some(part)));
    first.filter(|part| is_cjk(*part)).unwrap_or(c)
}

/// Half-width voice marks stand for the combining ones.
fn joining_form(c: char) -> char {
    match c {
        '\u{FF9E}' => '\u{3099}',
        '\u{FF9F}' => '\u{309A}',
        '\u{FFA0}'..='\u{FFDC}' => single_form(c),
        other => other,
    }
}

/// A word of a text: where it stands (bytes) and its folded form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<'t> {
    /// Byte range in the text that was given.
    pub range: Range<usize>,
    /// The token as it stands in the index.
    pub folded: Cow<'t, str>,
}

/// Iterator over the words of a text, see [`words_with_offsets`].
pub struct WordsWithOffsets<'t> {
    scanner: Scanner<'t>,
    buffer: String,
}

/// The words of `text` by exactly the rules of the index, with their byte ranges, for highlights and for
/// the words of a query. Ranges increase; two words share a range only when one character stands for both
/// (`½` is `1` and `2`).
pub fn words_with_offsets(text: &str) -> WordsWithOffsets<'_> {
    WordsWithOffsets {
        scanner: Scanner::new(text),
        buffer: String::new(),
    }
}

impl<'t> Iterator for WordsWithOffsets<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        self.buffer.clear();
        let range = self.scanner.next_into(&mut self.buffer)?;
        let found = &self.scanner.text[range.clone()];
        let folded = if found == self.buffer {
            Cow::Borrowed(found)
        } else {
            Cow::Owned(self.buffer.clone())
        };
        Some(Word { range, folded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let words: Vec<String> = words_with_offsets(text).map(|word| word.folded.into_owned()).collect();
        assert_eq!(words, expected, "{text:?}");
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_in_lower_case() {
        check("", &[]);
        check(" -- ", &[]);
        check("Reg.14A notice: don't", &["reg", "14a", "notice", "don", "t"]);
        check("a_b", &["a", "b"]);
    }

    #[test]
    fn accents_and_ligatures_are_folded() {
        check("Café naïve ŁÓDŹ", &["cafe", "naive", "lodz"]);
        check("Cafe\u{301}s", &["cafes"]);
        check(
            "Straße STRASSE ﬁle Æsop œuvre Søren",
            &["strasse", "strasse", "file", "aesop", "oeuvre", "soren"],
        );
        check("İstanbul ıt", &["istanbul", "it"]);
        check("ΟΔΟΣ οδος", &["οδοσ", "οδοσ"]);
        check("Ａｂ１", &["ab1"]);
    }

    #[test]
    fn soft_hyphens_and_joiners_do_not_break_a_word() {
        check("cor\u{AD}rup\u{200D}tion", &["corruption"]);
        check("a\u{200B}b", &["a", "b"]);
        check("\u{FEFF}start", &["start"]);
        check("مـحمد", &["محمد"]);
    }

    #[test]
    fn ideographs_kana_and_hangul_are_single_tokens() {
        check("日本go語", &["日", "本", "go", "語"]);
        check("ｶﾞガか\u{3099}", &["ガ", "ガ", "が"]);
        check("한\u{1112}\u{1161}\u{11AB}", &["한", "한"]);
    }

    #[test]
    fn one_character_may_stand_for_two_words() {
        check("1½", &["11", "2"]);
        let ranges: Vec<_> = words_with_offsets("½x").map(|word| word.range).collect();
        assert_eq!(ranges, [0..2, 0..3]);
    }

    #[test]
    fn a_long_run_is_one_token_cut_at_the_limit() {
        for run in [
            "x".repeat(500),
            "é".repeat(400),
            format!("é{}", "x".repeat(500)),
            "日x".repeat(2) + &"y".repeat(300),
        ] {
            let text = format!("{run} next");
            let words: Vec<_> = words_with_offsets(&text).collect();
            assert!(words.iter().all(|word| word.folded.len() <= TOKEN_LIMIT_BYTES));
            let last = words.last().map(|word| word.folded.as_ref());
            assert_eq!(last, Some("next"));
            let before = &words[words.len() - 2];
            assert_eq!(before.range.end, run.len());
            assert_eq!(before.folded.len(), TOKEN_LIMIT_BYTES);
        }
    }
}
