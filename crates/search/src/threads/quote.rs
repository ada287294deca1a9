//! A message's text as words with their depth of quotation.
//!
//! Quotation is told by `>` at the beginning of lines (RFC 3676 section 4.5), or by a line that says that another message follows
//! ("-----Original Message-----", "Begin forwarded message:", "---- Forwarded by"). Words are compared as the index folds them: case,
//! accents and punctuation do not count. Not for: deciding who wrote what. Main type: [`QuotedText`]. Invariant: every word of the
//! text is there, in order, with the bytes it stands at.

use std::collections::HashMap;
use std::ops::Range;

use embley_index::analysis::words_with_offsets;

/// Numbers for words, the same number for the same word.
#[derive(Default)]
pub(super) struct Lexicon(HashMap<String, u32>);

impl Lexicon {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.0.get(word) {
            return *number;
        }
        let number = self.0.len() as u32;
        self.0.insert(word.to_owned(), number);
        number
    }
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuotedWord {
    /// Its number in the lexicon.
    pub(super) word: u32,
    /// 0 for what the message says itself.
    pub(super) depth: u16,
    /// The line, from 0.
    pub(super) line: u32,
    /// Where it stands in the text.
    pub(super) range: Range<usize>,
    /// It stands in a header line ("From:", "Subject:") at the beginning of a quoted message, which no body says.
    pub(super) head: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct QuotedText {
    /// The words in order.
    pub(super) words: Vec<QuotedWord>,
    /// Ranges of `words` that are quoted without anything of depth 0 in between.
    pub(super) blocks: Vec<Range<usize>>,
    /// The lines of depth 0 before each block that say whom it quotes, when there is one: bytes of the text.
    pub(super) attributions: Vec<Option<Range<usize>>>,
}

impl QuotedText {
    /// Reads a text.
    pub(super) fn read(text: &str, lexicon: &mut Lexicon) -> Self {
        let mut read = Self::default();
        let mut below = 0_u16;
        let mut start = 0;
        let mut own_line: Option<Range<usize>> = None;
        let mut heads_may_come = false;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let (marks, content) = marks(line);
            let depth = marks.saturating_add(below);
            let at = start + content;
            if depth == 0 && !line.trim().is_empty() {
                own_line = match own_line {
                    // An attribution may go over two lines.
                    Some(before) if !ends_attribution(&text[before.clone()]) && before.len() < 200 => {
                        Some(before.start..start + line.trim_end().len())
                    }
                    _ => Some(start..start + line.trim_end().len()),
                };
            }
            if line.trim().is_empty() && own_line.clone().is_some_and(|before| !ends_attribution(&text[before])) {
                own_line = None;
            }
            let first = read.words.len();
            let content = &text[at..start + line.len()];
            let begins_block = depth > 0 && read.blocks.last().is_none_or(|block| block.end < first);
            let head = depth > 0 && (heads_may_come || begins_block) && is_head(content);
            if !content.trim().is_empty() {
                heads_may_come = head;
            }
            read.add(content, at, (depth, head), number as u32, lexicon);
            if depth > 0 && read.words.len() > first {
                let goes_on = read.blocks.last().is_some_and(|block| block.end == first);
                match read.blocks.last_mut() {
                    Some(block) if goes_on => block.end = read.words.len(),
                    _ => {
                        read.blocks.push(first..read.words.len());
                        read.attributions.push(own_line.take());
                    }
                }
            }
            if announces(content) {
                heads_may_come = true;
                if marks == 0 {
                    below = below.saturating_add(1);
                }
            }
            start += line.len();
        }
        read
    }

    fn add(&mut self, content: &str, at: usize, (depth, head): (u16, bool), line: u32, lexicon: &mut Lexicon) {
        for word in words_with_offsets(content) {
            self.words.push(QuotedWord {
                word: lexicon.number(&word.folded),
                depth,
                line,
                range: at + word.range.start..at + word.range.end,
                head,
            });
        }
    }

    /// The numbers of all words.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.words.iter().map(|word| word.word).collect()
    }

    /// The numbers of the words that are quoted.
    pub(super) fn quoted(&self) -> Vec<u32> {
        let quoted = self.words.iter().filter(|word| word.depth > 0);
        quoted.map(|word| word.word).collect()
    }
}

/// How many quoting marks stand before a line, and where its content begins.
pub(super) fn marks(line: &str) -> (u16, usize) {
    let mut count = 0_u16;
    let mut content = 0;
    for (at, character) in line.char_indices() {
        match character {
            '>' => {
                count = count.saturating_add(1);
                content = at + 1;
            }
            ' ' | '\t' => {}
            _ => break,
        }
    }
    (count, content)
}

/// Names of the header lines that mail programs put before a message below, by language of the program.
const HEADS: [&str; 12] = [
    "from",
    "sent",
    "date",
    "to",
    "cc",
    "subject",
    "importance",
    "von",
    "gesendet",
    "de",
    "envoye",
    "objet",
];

/// True for a header line of another message, as mail programs write it into a text.
pub(super) fn is_head(line: &str) -> bool {
    let bare = line.trim().trim_start_matches('*');
    bare.split_once(':')
        .is_some_and(|(name, _)| HEADS.contains(&name.trim_end_matches('*').trim().to_lowercase().as_str()))
}

/// True for a line behind which another message stands to the end.
pub(super) fn announces(line: &str) -> bool {
    let line = line.trim();
    if line.len() > 200 {
        return false;
    }
    let bare = line
        .trim_matches(|one: char| matches!(one, '-' | '_' | ' ' | '*' | '='))
        .to_lowercase();
    let dashed = line.starts_with("--") || line.starts_with("__");
    (dashed && (bare == "original message" || bare == "forwarded message" || bare.starts_with("forwarded by ")))
        || bare == "begin forwarded message:"
}

fn ends_attribution(line: &str) -> bool {
    line.trim_end().ends_with(':')
}

/// True when `part` stands in `whole` word for word without a gap (Knuth, Morris and Pratt). An empty part stands nowhere.
pub(super) fn contains(whole: &[u32], part: &[u32]) -> bool {
    if part.is_empty() || part.len() > whole.len() {
        return false;
    }
    let mut falls = vec![0_usize; part.len()];
    let mut length = 0;
    for at in 1..part.len() {
        while length > 0 && part[at] != part[length] {
            length = falls[length - 1];
        }
        if part[at] == part[length] {
            length += 1;
        }
        falls[at] = length;
    }
    let mut matched = 0;
    for word in whole {
        while matched > 0 && *word != part[matched] {
            matched = falls[matched - 1];
        }
        if *word == part[matched] {
            matched += 1;
        }
        if matched == part.len() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_comes_from_marks_and_from_lines_that_announce_a_message() {
        let mut lexicon = Lexicon::default();
        let text = "Yes.\n\nOn Monday, Jo Smith <jo@x> wrote:\n> one two\n>> three\n>\n> four\nno\n-----Original Message-----\nFrom: A\nfive\n> six\n";
        let read = QuotedText::read(text, &mut lexicon);
        let shown: Vec<(&str, u16)> = read
            .words
            .iter()
            .map(|word| (&text[word.range.clone()], word.depth))
            .collect();
        assert_eq!(&shown[8..12], &[("one", 1), ("two", 1), ("three", 2), ("four", 1)]);
        assert_eq!(
            &shown[12..],
            &[
                ("no", 0),
                ("Original", 0),
                ("Message", 0),
                ("From", 1),
                ("A", 1),
                ("five", 1),
                ("six", 2)
            ]
        );
        assert_eq!(read.blocks.len(), 2);
        let attribution = read.attributions[0].clone().map(|range| &text[range]);
        assert_eq!(attribution, Some("On Monday, Jo Smith <jo@x> wrote:"));
    }

    #[test]
    fn a_part_is_found_only_without_a_gap() {
        let whole = [1, 2, 1, 2, 3, 4];
        assert!(contains(&whole, &[1, 2, 3]));
        assert!(!contains(&whole, &[1, 2, 4]));
        assert!(!contains(&whole, &[]));
        assert!(contains(&whole, &whole));
    }
}
