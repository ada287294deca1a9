//! What a later message says of an earlier one: does it hold all of it, and does it quote it as it stands?
//!
//! Indicators for a reader, never findings: a mail client that re-wraps, trims or rewrites addresses makes differences of its own, and
//! where one of these explains a difference that is said with it. Main functions: [`holds_all`], [`alterations`]. Invariant: passages are
//! given as they stand in both texts.

use std::ops::Range;

use embley_index::analysis::fold_keyword;
use serde::Serialize;

use super::align::{Difference, Original, differences};
use super::quote::{QuotedText, QuotedWord, contains};

/// Differences with more words on a side are another text, not an altered one.
const LONGEST: usize = 30;
/// A quoted block is of a message when so many of its words stand there, and at least a share of them.
const LEAST_WORDS: usize = 8;
const LEAST_SHARE: f64 = 0.6;
/// The same of a block that begins and ends as the message does: then what stands in between is in question, and less of it has to agree.
const FRAMED_WORDS: usize = 7;
const FRAMED_SHARE: f64 = 0.3;
/// Words shown around a difference.
const AROUND: usize = 6;
/// Words that mark a place where something was left out.
const ELISION: [&str; 7] = ["snip", "snipped", "trimmed", "cut", "elided", "deleted", "omitted"];

/// How a quotation differs from what it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlterationKind {
    /// Other words stand in the place of words of the original.
    Changed,
    /// Words that the original does not have.
    Added,
    /// Words of a line are missing.
    Removed,
    /// Whole lines are missing between two that are quoted, which trimming does too.
    LinesLeftOut,
}

/// One difference between a quotation and its original.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alteration {
    /// The message quoted, by number.
    pub original_item: u32,
    /// How they differ.
    pub kind: AlterationKind,
    /// The words of the quotation that differ; empty when words are missing.
    pub quoted: String,
    /// The words of the original that differ; empty when words were added.
    pub original: String,
    /// The quotation around them.
    pub quoted_passage: String,
    /// The original around them.
    pub original_passage: String,
    /// What mail programs do that would explain it, when something would.
    pub may_be: Option<&'static str>,
}

/// A text with its words.
pub(super) struct Text<'t> {
    pub(super) text: &'t str,
    pub(super) read: &'t QuotedText,
}

impl Text<'_> {
    fn piece(&self, words: &Range<usize>) -> &str {
        let of = &self.read.words;
        match (of.get(words.start), of.get(words.end.wrapping_sub(1))) {
            (Some(first), Some(last)) if words.start < words.end => &self.text[first.range.start..last.range.end],
            _ => "",
        }
    }

    fn around(&self, words: &Range<usize>, within: &Range<usize>) -> String {
        let start = words.start.saturating_sub(AROUND).max(within.start);
        let end = words.end.saturating_add(AROUND).min(within.end);
        one_line(self.piece(&(start..end)))
    }
}

/// White space and quoting marks at line ends as one space.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| {
        line.trim_start_matches(|one: char| one == '>' || one.is_whitespace())
            .trim_end()
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// True when every word of `earlier` stands, in order and without a gap, among the words that `later` quotes.
pub(super) fn holds_all(later_quoted: &[u32], earlier: &[u32]) -> bool {
    contains(later_quoted, earlier)
}

/// Where quotations in `later` differ from `earlier`, which is item `original_item`. `elsewhere` tells whether another message holds a
/// passage word for word: then that one is quoted.
pub(super) fn alterations(
    later: &Text<'_>,
    earlier: &Text<'_>,
    original_item: u32,
    elsewhere: &dyn Fn(&[u32]) -> bool,
) -> Vec<Alteration> {
    let words = earlier.read.numbers();
    let original = Original::new(&words);
    let all = 0..words.len();
    let mut found = Vec::new();
    for block in &later.read.blocks {
        let words = &later.read.words[block.clone()];
        let heads = words.iter().take_while(|word| word.head).count();
        let block = &(block.start + heads..block.end);
        let quoted: Vec<u32> = later.read.words[block.clone()].iter().map(|word| word.word).collect();
        let passages = original.passages_and_edges(&quoted);
        let matched: usize = passages.iter().map(|one| one.words).sum();
        let (Some(first), Some(last)) = (passages.first(), passages.last()) else {
            continue;
        };
        let span = last.quoted_at + last.words - first.quoted_at;
        let share = matched as f64 / span as f64;
        let framed = (first.quoted_at, first.original_at) == (0, 0)
            && last.quoted_at + last.words == quoted.len()
            && own_ends(earlier).contains(&(last.original_at + last.words));
        let is_of_it = (matched >= LEAST_WORDS && share >= LEAST_SHARE)
            || (framed && matched >= FRAMED_WORDS && share >= FRAMED_SHARE);
        let differences = differences(&passages);
        if !is_of_it || differences.is_empty() || elsewhere(&quoted) {
            continue;
        }
        for one in differences {
            let in_later = Difference {
                quoted: one.quoted.start + block.start..one.quoted.end + block.start,
                original: one.original,
            };
            let Some((kind, may_be)) = judge(later, earlier, &in_later) else {
                continue;
            };
            found.push(Alteration {
                original_item,
                kind,
                quoted: one_line(later.piece(&in_later.quoted)),
                original: one_line(earlier.piece(&in_later.original)),
                quoted_passage: later.around(&in_later.quoted, block),
                original_passage: earlier.around(&in_later.original, &all),
                may_be,
            });
        }
    }
    found
}

/// Where a message may end for whoever quotes it: at its end, or before the first thing that it quotes itself.
fn own_ends(message: &Text<'_>) -> [usize; 2] {
    let words = &message.read.words;
    let first_quoted = words.iter().position(|word| word.depth > 0);
    [words.len(), first_quoted.unwrap_or(words.len())]
}

fn judge(later: &Text<'_>, earlier: &Text<'_>, one: &Difference) -> Option<(AlterationKind, Option<&'static str>)> {
    let (quoted, original) = (later.piece(&one.quoted), earlier.piece(&one.original));
    // A word that wrapping divided, or joined, is the same word.
    if letters(quoted) == letters(original) {
        return None;
    }
    if one.quoted.is_empty() && whole_lines(&earlier.read.words, &one.original) {
        return Some((AlterationKind::LinesLeftOut, Some("trimming")));
    }
    let words = fold_keyword(quoted);
    let elided = !one.original.is_empty()
        && !words.is_empty()
        && words
            .split(|one: char| !one.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .all(|word| ELISION.contains(&word));
    if elided {
        return Some((AlterationKind::LinesLeftOut, Some("trimming that is marked")));
    }
    if one.quoted.len() > LONGEST || one.original.len() > LONGEST {
        return None;
    }
    let kind = match (one.quoted.is_empty(), one.original.is_empty()) {
        (false, false) => AlterationKind::Changed,
        (false, true) => AlterationKind::Added,
        (true, _) => AlterationKind::Removed,
    };
    let has = |marks: &[&str]| {
        marks
            .iter()
            .any(|mark| quoted.contains(mark) || original.contains(mark))
    };
    let may_be = if has(&["://", "mailto:", "www.", "@"]) {
        Some("an address or link written in another way")
    } else if has(&["\u{fffd}", "??"]) || (ascii_letters(quoted) == ascii_letters(original)) {
        Some("characters lost between two charsets")
    } else if later.read.words[one.quoted.clone()].iter().any(|word| word.depth > 1) && kind == AlterationKind::Added {
        Some("a line about who wrote what")
    } else {
        None
    };
    Some((kind, may_be))
}

/// True when the words begin a line and end one.
fn whole_lines(words: &[QuotedWord], range: &Range<usize>) -> bool {
    let line = |at: usize| words.get(at).map(|word| word.line);
    let begins = range.start == 0 || line(range.start - 1) != line(range.start);
    let ends = line(range.end) != line(range.end.wrapping_sub(1));
    begins && ends
}

fn letters(text: &str) -> String {
    let folded = fold_keyword(text);
    // Marks within a broken line do not belong to the word.
    folded.chars().filter(|one| one.is_alphanumeric()).collect()
}

fn ascii_letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::super::quote::Lexicon;
    use super::*;

    const ORIGINAL: &str = "I met the officer on Monday.\nShe did not declare an interest in the case before me,\nand the minutes say so.\nSee http://a.example/x for them, and ask Jo.\nRegards\n";

    fn check(reply: &str, expected: &[(AlterationKind, &str, &str, bool)]) {
        compare(ORIGINAL, reply, &[], expected);
    }

    /// `held`: lengths of blocks that another message holds word for word.
    fn compare(original: &str, reply: &str, held: &[usize], expected: &[(AlterationKind, &str, &str, bool)]) {
        let mut lexicon = Lexicon::default();
        let (one, two) = (
            QuotedText::read(original, &mut lexicon),
            QuotedText::read(reply, &mut lexicon),
        );
        let (earlier, later) = (
            Text {
                text: original,
                read: &one,
            },
            Text {
                text: reply,
                read: &two,
            },
        );
        let found = alterations(&later, &earlier, 1, &|words| held.contains(&words.len()));
        let shown: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.kind,
                    one.quoted.as_str(),
                    one.original.as_str(),
                    one.may_be.is_some(),
                )
            })
            .collect();
        assert_eq!(shown, expected, "{reply}");
    }

    #[test]
    fn only_what_wrapping_marks_and_trimming_do_not_explain_is_listed() {
        check(
            "> I met the officer on Monday.\n> She did not declare an interest in the case before me,\n",
            &[],
        );
        check(
            "> She did not\n> declare an interest\n> in the case before me,\n> and the minutes say so.\nOk\n",
            &[],
        );
        check(
            "> I met the officer on Monday.\n> She did declare an interest in the case before me,\n",
            &[(AlterationKind::Removed, "", "not", false)],
        );
        check(
            "> I met the officer on Tuesday.\n> She did not declare an interest in the case before me,\n",
            &[(AlterationKind::Changed, "Tuesday", "Monday", false)],
        );
        check(
            "> I met the officer on Monday.\n> [snip]\n> See http://a.example/x for them, and ask Jo.\n",
            &[(
                AlterationKind::LinesLeftOut,
                "snip",
                "She did not declare an interest in the case before me, and the minutes say so",
                true,
            )],
        );
        check(
            "> I met the officer on Monday.\n> and the minutes say so.\n> See http://a.example/x for them, and ask Jo.\n",
            &[(
                AlterationKind::LinesLeftOut,
                "",
                "She did not declare an interest in the case before me",
                true,
            )],
        );
        check(
            "> Something else is quoted here that stands in no other message at all.\n",
            &[],
        );
    }
    #[test]
    fn a_short_message_that_is_framed_by_its_own_words_is_compared_whatever_was_put_between() {
        let original = "Jo,\n\nThe log for the night shows two entries that fit.\n\nMany thanks,\nKim Park\n";
        let reply = "Ok\n> Jo,\n>\n> The log for the night will not be looked at again, there was nothing in it\n>\n> Many thanks,\n> Kim Park\n";
        let changed = (
            AlterationKind::Changed,
            "will not be looked at again, there was nothing in it",
            "shows two entries that fit",
            false,
        );
        compare(original, reply, &[], &[changed]);
        let forwarded = "See below\n-----Original Message-----\nFrom: Kim Park\nSubject: The log for the night\n\nJo,\n\nThe log for the night shows two entries that fit.\n\nMany thanks,\nKim Park\n";
        compare(original, forwarded, &[], &[]);
        // Another message says just that: it is quoted.
        compare(original, reply, &[21], &[]);
        // Only greeting and thanks agree.
        compare(
            original,
            "> Jo,\n>\n> Lunch?\n>\n> Many thanks,\n> Kim Park\n",
            &[],
            &[],
        );
    }
}
