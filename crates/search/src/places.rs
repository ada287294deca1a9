//! Where in the texts of an item the marks of a query stand.
//!
//! Words are told apart by the index's own analysis, and positions are evaluated by the index's own algorithm, so what is marked is what
//! matched. Not for: choosing what to show (`snippet`). Main function: [`places`]. Invariant: parts of a text are looked at apart, so no
//! mark goes from one address into the next.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use embley_index::analysis::{composed, fold_address, words_with_offsets};
use embley_index::{Occurrences, SpanMarker, WordPattern};
use embley_model::address::Address;
use embley_model::field::Field;

use crate::exact::ExactWord;
use crate::plan::{Highlight, Mark};

/// Bytes of a text that are looked at behind the first mark. A mark further back is not shown when there are nearer ones.
const LOOK_BYTES: usize = 1 << 20;
/// Marks collected from one text.
const MAX_MARKS: usize = 500;

/// A text of an item in one field. Its parts are matched apart: no phrase goes from one into the next.
#[derive(Clone, Debug)]
pub(crate) struct FieldText<'t> {
    field: Field,
    pub(crate) text: Cow<'t, str>,
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

/// A place of a mark, and which highlight it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) range: Range<usize>,
    pub(crate) highlight: usize,
}

/// All places in a text that the highlights mark, sorted.
pub(crate) fn places(highlights: &[Highlight], text: &FieldText<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    let patterns = Patterns::new(highlights, text.field);
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
