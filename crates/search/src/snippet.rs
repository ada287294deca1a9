//! Pieces of an item's texts around what a query marks, with the places of the marks.
//!
//! Words are told apart by the index's own analysis, so what is marked is what matched; a phrase is marked only where
//! all of its words stand in order, and of words that have to be near each other those that are. Not for: getting the texts (see [`ItemText`](crate::hit::ItemText)).
//! Invariants: ranges count characters (Unicode scalar values) of the snippet's text, increase and do not overlap; the
//! text holds no control characters, and every run of white space is one space.

use std::cmp::Reverse;
use std::ops::Range;

use embley_model::field::Field;
use serde::Serialize;

use crate::places::{FieldText, Place, places};
use crate::plan::Highlight;

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnippetStyle {
    /// Characters of a snippet, about.
    pub width: usize,
    /// Most snippets of one field.
    pub per_field: usize,
    /// Most snippets of one hit.
    pub per_hit: usize,
}

impl Default for SnippetStyle {
    fn default() -> Self {
        Self {
            width: 160,
            per_field: 2,
            per_hit: 3,
        }
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// The field it is from.
    pub field: &'static str,
    /// The piece; `…` at an end where the text goes on.
    pub text: String,
    /// Marked ranges of `text`: first character and the one after the last, counted from 0.
    pub ranges: Vec<[usize; 2]>,
}

/// What a query marks, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Marker<'h> {
    highlights: &'h [Highlight],
}

impl<'h> Marker<'h> {
    pub(crate) fn new(highlights: &'h [Highlight]) -> Self {
        Self { highlights }
    }

    /// True when something could be marked in this field.
    pub(crate) fn wants(&self, field: Field) -> bool {
        self.highlights
            .iter()
            .any(|highlight| highlight.fields.contains(&field))
    }

    /// The best snippets of these texts, in the order of the texts.
    pub(crate) fn snippets(&self, texts: &[FieldText<'_>], style: SnippetStyle) -> Vec<Snippet> {
        let mut all = Vec::new();
        for text in texts {
            let places = places(self.highlights, text);
            for window in windows(&text.text, &places, style) {
                if all.len() == style.per_hit {
                    return all;
                }
                all.push(cut(text, &places, window));
            }
        }
        all
    }
}

/// The best windows of a text in order of place, without overlap: each time the one with the most marks of highlights not
/// shown yet, then the most different marks, then the most marks, then the first.
fn windows(text: &str, places: &[Place], style: SnippetStyle) -> Vec<Range<usize>> {
    let mut candidates = runs(places, style.width);
    let mut chosen: Vec<Range<usize>> = Vec::new();
    let mut shown: Vec<usize> = Vec::new();
    while chosen.len() < style.per_field {
        let worth = |run: &Range<usize>| {
            let mut different: Vec<usize> = places[run.clone()].iter().map(|place| place.highlight).collect();
            different.sort_unstable();
            different.dedup();
            let new = different.iter().filter(|highlight| !shown.contains(highlight)).count();
            (new, different.len(), run.len(), Reverse(run.start))
        };
        let Some(best) = candidates.iter().max_by_key(|run| worth(run)).cloned() else {
            break;
        };
        let from = places[best.start].range.start;
        let to = places[best.clone()]
            .iter()
            .map(|place| place.range.end)
            .max()
            .unwrap_or(from);
        let window = widened(text, from..to, style.width);
        if chosen
            .iter()
            .all(|one| window.end <= one.start || one.end <= window.start)
        {
            shown.extend(places[best.clone()].iter().map(|place| place.highlight));
            // What lies too near to stand in a window of its own is not looked at again.
            let (low, high) = (
                window.start.saturating_sub(style.width / 2),
                window.end + style.width / 2,
            );
            candidates.retain(|run| places[run.start].range.start >= high || places[run.end - 1].range.end <= low);
            chosen.push(window);
        } else {
            candidates.retain(|run| run.start != best.start);
        }
    }
    chosen.sort_by_key(|window| window.start);
    chosen
}

/// For each place the run of places that fit with it into `width` bytes. A mark that is itself wider stands alone.
fn runs(places: &[Place], width: usize) -> Vec<Range<usize>> {
    let mut end = 0;
    let mut runs = Vec::with_capacity(places.len());
    for (start, place) in places.iter().enumerate() {
        end = end.max(start + 1);
        while end < places.len() && places[end].range.end <= place.range.start + width {
            end += 1;
        }
        runs.push(start..end);
    }
    runs
}

/// A range grown on both sides to about `width` characters, ending between words where there is a gap nearby.
fn widened(text: &str, marks: Range<usize>, width: usize) -> Range<usize> {
    let used = text[marks.clone()].chars().count();
    let spare = width.saturating_sub(used);
    let before = backward(text, marks.start, spare / 2);
    let left_over = spare / 2 - text[before..marks.start].chars().count().min(spare / 2);
    let after = forward(text, marks.end, spare / 2 + left_over);
    let right_over = (spare / 2 + left_over) - text[marks.end..after].chars().count().min(spare / 2 + left_over);
    let before = backward(text, marks.start, spare / 2 + right_over);
    let start = if before == 0 {
        0
    } else {
        let gap = text[before..marks.start].find(char::is_whitespace);
        gap.map_or(before, |gap| before + gap)
    };
    let end = if after == text.len() {
        after
    } else {
        let gap = text[marks.end..after].rfind(char::is_whitespace);
        gap.map_or(after, |gap| marks.end + gap)
    };
    start..end
}

fn backward(text: &str, from: usize, chars: usize) -> usize {
    text[..from]
        .char_indices()
        .rev()
        .take(chars)
        .last()
        .map_or(from, |(at, _)| at)
}

fn forward(text: &str, from: usize, chars: usize) -> usize {
    text[from..]
        .char_indices()
        .nth(chars)
        .map_or(text.len(), |(at, _)| from + at)
}

/// The snippet of a window: white space joined, control characters gone, marks as ranges of characters.
fn cut(text: &FieldText<'_>, places: &[Place], window: Range<usize>) -> Snippet {
    let marks = joined(places, &window);
    let mut marks = marks.into_iter().peekable();
    let mut shown = Shown::default();
    if !text.text[..window.start].trim().is_empty() {
        shown.push('…');
    }
    let mut ranges = Vec::new();
    let mut open = None;
    for (at, character) in text.text[window.clone()].char_indices() {
        let at = window.start + at;
        if let (Some(start), Some(mark)) = (open, marks.peek())
            && at >= mark.end
        {
            ranges.push([start, shown.length]);
            open = None;
            marks.next();
        }
        if open.is_none() && marks.peek().is_some_and(|mark| at >= mark.start) {
            open = Some(shown.begin_mark());
        }
        shown.push(character);
    }
    if let Some(start) = open {
        ranges.push([start, shown.length]);
    }
    if !text.text[window.end..].trim().is_empty() {
        shown.push('…');
    }
    Snippet {
        field: text.field().name(),
        text: shown.text,
        ranges,
    }
}

/// The marks inside the window, those that touch or overlap joined.
fn joined(places: &[Place], window: &Range<usize>) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    for place in places {
        let range = place.range.start.max(window.start)..place.range.end.min(window.end);
        if range.is_empty() {
            continue;
        }
        match marks.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => marks.push(range),
        }
    }
    marks
}

/// Text as it is shown, with its length in characters.
#[derive(Default)]
struct Shown {
    text: String,
    length: usize,
    space: bool,
}

impl Shown {
    fn push(&mut self, character: char) {
        if character.is_whitespace() || character.is_control() {
            self.space = self.length > 0;
            return;
        }
        self.write_space();
        self.text.push(character);
        self.length += 1;
    }

    /// Writes a pending space, so that it stays outside of a mark; gives the place where the mark begins.
    fn begin_mark(&mut self) -> usize {
        self.write_space();
        self.length
    }

    fn write_space(&mut self) {
        if std::mem::take(&mut self.space) {
            self.text.push(' ');
            self.length += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use embley_model::address::Address;

    use super::*;
    use crate::plan::Mark;

    fn highlight(mark: Mark) -> Highlight {
        let fields = vec![Field::Body, Field::From];
        Highlight { fields, mark }
    }

    fn word(text: &str) -> Highlight {
        highlight(Mark::Word(text.to_owned()))
    }

    fn phrase(text: &str) -> Highlight {
        highlight(Mark::Phrase(text.split(' ').map(str::to_owned).collect()))
    }

    /// The snippets with marks in brackets.
    fn shown(text: &str, highlights: &[Highlight], style: SnippetStyle) -> Vec<String> {
        let texts = [FieldText::plain(Field::Body, text)];
        bracketed(&Marker::new(highlights).snippets(&texts, style))
    }

    fn bracketed(snippets: &[Snippet]) -> Vec<String> {
        let one = |snippet: &Snippet| {
            let mut out = String::new();
            for (at, character) in snippet.text.chars().enumerate() {
                if snippet.ranges.iter().any(|range| range[0] == at) {
                    out.push('[');
                }
                out.push(character);
                if snippet.ranges.iter().any(|range| range[1] == at + 1) {
                    out.push(']');
                }
            }
            out
        };
        snippets.iter().map(one).collect()
    }

    fn whole(text: &str, highlights: &[Highlight]) -> Vec<String> {
        shown(text, highlights, SnippetStyle::default())
    }

    #[test]
    fn words_are_marked_in_every_form_that_folds_to_them() {
        assert_eq!(
            whole("The CAFÉ, a cafe\u{301}.", &[word("cafe")]),
            ["The [CAFÉ], a [cafe\u{301}]."]
        );
        assert_eq!(whole("no such thing", &[word("cafe")]), Vec::<String>::new());
    }

    #[test]
    fn a_phrase_is_marked_only_where_all_its_words_stand_in_order() {
        assert_eq!(
            whole(
                "gross error, Gross\n misconduct; misconduct gross",
                &[phrase("gross misconduct")]
            ),
            ["gross error, [Gross misconduct]; misconduct gross"]
        );
        assert_eq!(whole("an e-mail", &[phrase("e mail")]), ["an [e-mail]"]);
        assert_eq!(whole("a a a b", &[phrase("a a b")]), ["a [a a b]"]);
    }

    #[test]
    fn a_prefix_marks_whole_words_and_ends_a_phrase() {
        let prefix = highlight(Mark::Prefix("mis".into()));
        assert_eq!(
            whole("Miss the mistake, dismiss", &[prefix]),
            ["[Miss] the [mistake], dismiss"]
        );
        let ending = highlight(Mark::PhrasePrefix(vec!["gross".into()], "mis".into()));
        assert_eq!(
            whole("gross miss, gross, amiss", &[ending]),
            ["[gross miss], gross, amiss"]
        );
    }

    #[test]
    fn marks_that_overlap_are_one_range() {
        assert_eq!(
            whole(
                "x gross misconduct y",
                &[phrase("gross misconduct"), word("misconduct")]
            ),
            ["x [gross misconduct] y"]
        );
        assert_eq!(whole("½ cup", &[word("1"), word("2")]), ["[½] cup"]);
    }

    #[test]
    fn white_space_is_joined_and_control_characters_are_gone() {
        assert_eq!(
            whole("  one\r\n\r\n\ttwo\u{1b}[31m three ", &[word("two")]),
            ["one [two] [31m three"]
        );
    }

    #[test]
    fn the_window_with_the_most_different_marks_is_chosen_and_windows_keep_their_order() {
        let filler = "lorem ipsum dolor sit amet ".repeat(20);
        let text = format!("alpha {filler} alpha beta gamma {filler} beta {filler}");
        let style = SnippetStyle {
            width: 60,
            per_field: 1,
            per_hit: 3,
        };
        let found = shown(&text, &[word("alpha"), word("beta"), word("gamma")], style);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("[alpha] [beta] [gamma]"), "{found:?}");
        assert!(found[0].starts_with('…') && found[0].ends_with('…'), "{found:?}");
        let style = SnippetStyle { per_field: 3, ..style };
        let found = shown(&text, &[word("alpha"), word("beta"), word("gamma")], style);
        assert_eq!(found.len(), 3);
        assert!(
            found[0].starts_with("[alpha]") && found[2].contains("[beta] lorem"),
            "{found:?}"
        );
        assert!(found.iter().all(|text| text.chars().count() < 80), "{found:?}");
    }

    #[test]
    fn a_second_window_shows_what_the_first_did_not() {
        let filler = "lorem ipsum dolor sit amet ".repeat(20);
        let text = format!("alpha alpha {filler} alpha {filler} beta");
        let style = SnippetStyle {
            width: 60,
            per_field: 2,
            per_hit: 3,
        };
        let found = shown(&text, &[word("alpha"), word("beta")], style);
        assert!(
            found[0].starts_with("[alpha] [alpha]") && found[1].ends_with("[beta]"),
            "{found:?}"
        );
    }

    #[test]
    fn addresses_are_marked_whole_by_domain_and_by_words_but_never_across() {
        let addresses = [
            Address {
                name: "John Smith".into(),
                addr: "John.Smith@Example.org".into(),
            },
            Address {
                name: "Ann".into(),
                addr: "ann@example.org".into(),
            },
        ];
        let check = |mark: Mark| {
            let texts = [FieldText::addresses(Field::From, &addresses)];
            bracketed(&Marker::new(&[highlight(mark)]).snippets(&texts, SnippetStyle::default()))
        };
        assert_eq!(
            check(Mark::Address("john.smith@example.org".into())),
            ["John Smith <[John.Smith@Example.org]>; Ann <ann@example.org>"]
        );
        assert_eq!(
            check(Mark::Address("@example.org".into())),
            ["John Smith <John.Smith[@Example.org]>; Ann <ann[@example.org]>"]
        );
        assert_eq!(
            check(Mark::AddressPrefix("ann@".into())),
            ["John Smith <John.Smith@Example.org>; Ann <[ann@example.org]>"]
        );
        assert_eq!(
            check(Mark::Phrase(vec!["john".into(), "smith".into()])),
            ["[John Smith] <[John.Smith]@Example.org>; Ann <ann@example.org>"]
        );
        assert_eq!(
            check(Mark::Phrase(vec!["smith".into(), "john".into()])),
            Vec::<String>::new()
        );
        assert_eq!(
            check(Mark::Phrase(vec!["org".into(), "ann".into()])),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_long_text_is_read_until_words_near_each_other_are_found() {
        let spans = |distance, apart: bool| {
            let side = |word: &str| Box::new(embley_index::SpanQuery::Word(word.to_owned()));
            let (left, right) = (side("alpha"), side("beta"));
            highlight(Mark::Spans(if apart {
                embley_index::SpanQuery::NotWithin { left, right, distance }
            } else {
                embley_index::SpanQuery::Within { left, right, distance }
            }))
        };
        let filler = "lorem ipsum ".repeat(100_000);
        let text = format!("alpha x x beta {filler} alpha {filler} {filler} beta x alpha {filler}");
        let check = |mark: Highlight, expected: &[&str]| {
            let found = shown(
                &text,
                &[mark],
                SnippetStyle {
                    width: 24,
                    ..SnippetStyle::default()
                },
            );
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{found}");
            }
        };
        check(spans(2, false), &["[beta] x [alpha]"]);
        check(spans(3, false), &["[alpha] x x [beta]"]);
        check(spans(2, true), &["[alpha] x x beta"]);
        check(spans(3, true), &["ipsum [alpha] lorem"]);
        check(spans(1_000_000, true), &[]);
    }

    #[test]
    fn a_mark_wider_than_the_window_is_shown_whole() {
        let style = SnippetStyle {
            width: 4,
            per_field: 2,
            per_hit: 3,
        };
        assert_eq!(
            shown("see misconduct now", &[word("misconduct")], style),
            ["…[misconduct]…"]
        );
    }

    proptest::proptest! {
        #[test]
        fn ranges_are_ordered_and_inside_the_text(
            text in "[ab é漢\n.½@]{0,200}",
            width in 0usize..60,
            per_field in 0usize..4,
        ) {
            let marks = [word("a"), phrase("a b"), highlight(Mark::Prefix("b".into())), word("1"), phrase("漢 漢")];
            let texts = [FieldText::plain(Field::Body, &text)];
            let style = SnippetStyle { width, per_field, per_hit: 9 };
            for snippet in Marker::new(&marks).snippets(&texts, style) {
                let length = snippet.text.chars().count();
                let mut before = 0;
                proptest::prop_assert!(!snippet.ranges.is_empty(), "{:?}", snippet);
                for [start, end] in &snippet.ranges {
                    proptest::prop_assert!(before <= *start && start < end && *end <= length, "{:?}", snippet);
                    before = *end;
                }
            }
        }
    }
}
