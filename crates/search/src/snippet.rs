//! Pieces of an item's texts around what a query marks, with the places of the marks.
//!
//! Words are told apart by the index's own analysis, so what is marked is what matched; a phrase is marked only where
//! all of its words stand in order, and of words that have to be near each other those that are. Not for: getting the texts (see [`ItemText`](crate::hit::ItemText)).
//! Invariants: ranges count characters (Unicode scalar values) of the snippet's text, increase and do not overlap; the
//! text holds no control characters, and every run of white space is one space.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use embley_index::analysis::{composed, fold_address, words_with_offsets};
use embley_index::{Occurrences, SpanMarker, WordPattern};
use embley_model::address::Address;
use embley_model::field::Field;
use serde::Serialize;

use crate::exact::ExactWord;
use crate::plan::{Highlight, Mark};

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

/// Bytes of a text that are looked at behind the first mark. A mark further back is not shown when there are nearer ones.
const LOOK_BYTES: usize = 1 << 20;
/// Marks collected from one text.
const MAX_MARKS: usize = 500;

/// A text of an item in one field. Its parts are matched apart: no phrase goes from one into the next.
#[derive(Clone, Debug)]
pub(crate) struct FieldText<'t> {
    field: Field,
    text: Cow<'t, str>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    range: Range<usize>,
    is_address: bool,
}

impl<'t> FieldText<'t> {
    /// The field it is in.
    pub(crate) fn field(&self) -> Field {
        self.field
    }

    /// Its parts, one after the other.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| &self.text[part.range.clone()])
    }

    /// Plain text.
    pub(crate) fn plain(field: Field, text: &'t str) -> Self {
        let parts = vec![Part {
            range: 0..text.len(),
            is_address: false,
        }];
        Self {
            field,
            text: Cow::Borrowed(text),
            parts,
        }
    }

    /// Addresses as people read them, one after the other.
    pub(crate) fn addresses<'a>(field: Field, addresses: impl IntoIterator<Item = &'a Address>) -> Self {
        let mut text = String::new();
        let mut parts = Vec::new();
        for address in addresses {
            if !text.is_empty() {
                text.push_str("; ");
            }
            let shown = address.display();
            let name_end = text.len() + address.name.len();
            let addr_at = text.len() + shown.rfind(&address.addr).unwrap_or(0);
            if !address.name.is_empty() {
                parts.push(Part {
                    range: text.len()..name_end,
                    is_address: false,
                });
            }
            if !address.addr.is_empty() {
                parts.push(Part {
                    range: addr_at..addr_at + address.addr.len(),
                    is_address: true,
                });
            }
            text.push_str(&shown);
        }
        Self {
            field,
            text: Cow::Owned(text),
            parts,
        }
    }
}

/// What a query marks, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Marker<'h> {
    highlights: &'h [Highlight],
}

/// A place of a mark, and which highlight it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    range: Range<usize>,
    highlight: usize,
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
            let places = self.places(text);
            for window in windows(&text.text, &places, style) {
                if all.len() == style.per_hit {
                    return all;
                }
                all.push(cut(text, &places, window));
            }
        }
        all
    }

    fn places(&self, text: &FieldText<'_>) -> Vec<Place> {
        let mut places = Vec::new();
        let patterns = Patterns::new(self.highlights, text.field);
        for part in &text.parts {
            let piece = &text.text[part.range.clone()];
            patterns.words(piece, part.range.start, &mut places);
            patterns.spans(piece, part, &mut places);
            if part.is_address {
                patterns.address(piece, part.range.start, &mut places);
            }
        }
        places.sort_by_key(|place| (place.range.start, place.range.end));
        places
    }
}

/// The marks of one field, sorted by how they are looked for.
#[derive(Default)]
struct Patterns<'h> {
    words: HashMap<&'h str, Vec<usize>>,
    prefixes: Vec<(&'h str, usize)>,
    /// Phrases by their last word; `true` when the last word is a prefix.
    phrases: Vec<(&'h [String], Option<&'h str>, usize)>,
    addresses: Vec<(&'h str, bool, usize)>,
    patterns: Vec<(&'h WordPattern, usize)>,
    exact: Vec<(&'h [ExactWord], usize)>,
    spans: Vec<(SpanMarker, usize)>,
    longest: usize,
}

impl<'h> Patterns<'h> {
    fn new(highlights: &'h [Highlight], field: Field) -> Self {
        let mut patterns = Self {
            longest: 1,
            ..Self::default()
        };
        for (at, highlight) in highlights.iter().enumerate() {
            if !highlight.fields.contains(&field) {
                continue;
            }
            match &highlight.mark {
                Mark::Word(word) => patterns.words.entry(word).or_default().push(at),
                Mark::Prefix(prefix) => patterns.prefixes.push((prefix, at)),
                Mark::Phrase(words) => patterns.phrase(words, None, at),
                Mark::PhrasePrefix(words, prefix) => patterns.phrase(words, Some(prefix), at),
                Mark::Exact(words) => {
                    patterns.longest = patterns.longest.max(words.len());
                    patterns.exact.push((words, at));
                }
                Mark::Pattern(pattern) => patterns.patterns.push((pattern, at)),
                Mark::Spans(query) => patterns.spans.push((SpanMarker::new(query, field), at)),
                Mark::Address(token) => patterns.addresses.push((token, false, at)),
                Mark::AddressPrefix(prefix) => patterns.addresses.push((prefix, true, at)),
            }
        }
        patterns
    }

    fn phrase(&mut self, words: &'h [String], prefix: Option<&'h str>, at: usize) {
        self.longest = self.longest.max(words.len() + usize::from(prefix.is_some()));
        self.phrases.push((words, prefix, at));
    }

    fn words(&self, text: &str, offset: usize, places: &mut Vec<Place>) {
        if self.words.is_empty()
            && self.prefixes.is_empty()
            && self.phrases.is_empty()
            && self.patterns.is_empty()
            && self.exact.is_empty()
        {
            return;
        }
        let mut last: VecDeque<_> = VecDeque::with_capacity(self.longest + 1);
        let first_new = places.len();
        for word in words_with_offsets(text) {
            if let Some(first) = places.get(first_new) {
                let looked = offset + word.range.start - first.range.start;
                if looked > LOOK_BYTES || places.len() - first_new >= MAX_MARKS {
                    return;
                }
            }
            let mut push = |start: usize, highlight: usize| {
                let range = offset + start..offset + word.range.end;
                places.push(Place { range, highlight });
            };
            for highlight in self.words.get(word.folded.as_ref()).into_iter().flatten() {
                push(word.range.start, *highlight);
            }
            for (prefix, highlight) in &self.prefixes {
                if word.folded.starts_with(prefix) {
                    push(word.range.start, *highlight);
                }
            }
            for (pattern, highlight) in &self.patterns {
                if pattern.accepts(&word.folded) {
                    push(word.range.start, *highlight);
                }
            }
            let range = word.range.clone();
            last.push_back(word);
            if last.len() > self.longest {
                last.pop_front();
            }
            for (words, highlight) in &self.exact {
                let Some(start) = last.len().checked_sub(words.len()) else {
                    continue;
                };
                let mut pairs = last.iter().skip(start).zip(words.iter());
                if pairs.all(|(word, exact)| composed(&text[word.range.clone()]) == exact.typed) {
                    let start = last.get(start).map_or(range.start, |word| word.range.start);
                    places.push(Place {
                        range: offset + start..offset + range.end,
                        highlight: *highlight,
                    });
                }
            }
            for (words, prefix, highlight) in &self.phrases {
                let length = words.len() + usize::from(prefix.is_some());
                let Some(start) = last.len().checked_sub(length) else {
                    continue;
                };
                let mut candidate = last.iter().skip(start);
                let same = words
                    .iter()
                    .all(|word| candidate.next().is_some_and(|one| one.folded == *word))
                    && prefix.is_none_or(|prefix| candidate.next().is_some_and(|one| one.folded.starts_with(prefix)));
                if same {
                    let start = last.get(start).map_or(range.start, |word| word.range.start);
                    let range = offset + start..offset + range.end;
                    places.push(Place {
                        range,
                        highlight: *highlight,
                    });
                }
            }
        }
    }

    /// Marks what takes part in spans of positions. A long text is read until something is found in its beginning.
    fn spans(&self, text: &str, part: &Part, places: &mut Vec<Place>) {
        for (marker, highlight) in &self.spans {
            let mut seen = Occurrences::default();
            let mut ranges: Vec<(u32, Range<usize>)> = Vec::new();
            let (mut settled, mut look) = (u32::MAX, LOOK_BYTES);
            let address = part.is_address.then(|| WholeAddress::new(text));
            for (position, word) in (0_u32..).zip(words_with_offsets(text)) {
                if word.range.start > look {
                    look *= 2;
                    let end = position.saturating_sub(marker.context());
                    if !marker.marks(&seen, 0..end).is_empty() {
                        settled = end;
                        break;
                    }
                }
                let mut range = word.range.clone();
                let mut named = marker.see(&mut seen, position, &word.folded);
                if let Some(address) = &address {
                    for (start, token) in address.tokens_at(position, &word.range) {
                        if marker.see(&mut seen, position, token) {
                            named = true;
                            range = start..text.len();
                        }
                    }
                }
                if named {
                    ranges.push((position, range));
                }
            }
            let at = |position: u32| {
                let found = ranges.binary_search_by_key(&position, |(at, _)| *at);
                found.ok().map(|found| ranges[found].1.clone())
            };
            for (first, last) in marker.marks(&seen, 0..settled).into_iter().take(MAX_MARKS) {
                if let (Some(first), Some(last)) = (at(first), at(last)) {
                    let range = part.range.start + first.start..part.range.start + last.end.max(first.end);
                    places.push(Place {
                        range,
                        highlight: *highlight,
                    });
                }
            }
        }
    }

    fn address(&self, address: &str, offset: usize, places: &mut Vec<Place>) {
        if self.addresses.is_empty() {
            return;
        }
        let whole = fold_address(address);
        let domain_at = address.rfind('@').unwrap_or(0);
        let domain = whole.rfind('@').map_or("", |at| &whole[at..]);
        for (token, is_prefix, highlight) in &self.addresses {
            let fits = |value: &str| {
                if *is_prefix {
                    value.starts_with(token)
                } else {
                    value == *token
                }
            };
            let start = match (fits(&whole), fits(domain)) {
                (true, _) => 0,
                (false, true) => domain_at,
                (false, false) => continue,
            };
            let range = offset + start..offset + address.len();
            places.push(Place {
                range,
                highlight: *highlight,
            });
        }
    }
}

/// The tokens of a whole address and its domain, which stand beside its words as in the index.
struct WholeAddress {
    whole: String,
    domain_from: Option<usize>,
    /// Where the sign stands, and where the first word behind it does.
    domain_at: Option<(usize, usize)>,
}

impl WholeAddress {
    fn new(text: &str) -> Self {
        let whole = fold_address(text);
        let domain_from = whole.rfind('@').filter(|at| whole.len() > at + 1);
        let sign = text.rfind('@');
        let mut words = words_with_offsets(text).map(|word| word.range.start);
        let domain_at = sign.and_then(|sign| Some((sign, words.find(|start| *start > sign)?)));
        Self {
            domain_from,
            whole,
            domain_at,
        }
    }

    /// Those at the place of this word, with where in the text they begin.
    fn tokens_at(&self, position: u32, word: &Range<usize>) -> impl Iterator<Item = (usize, &str)> {
        let whole = (position == 0).then_some((0, self.whole.as_str()));
        let sign = self
            .domain_at
            .filter(|(_, first)| *first == word.start)
            .map(|(sign, _)| sign);
        let domain = sign.zip(self.domain_from);
        whole
            .into_iter()
            .chain(domain.map(|(at, from)| (at, &self.whole[from..])))
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
        field: text.field.name(),
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
    use super::*;

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
