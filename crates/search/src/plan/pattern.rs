//! Words that stand for many: wildcards, fuzzy words, stems and regular expressions, cut into words as texts are.
//!
//! Invariant: a sign between letters parts words in a pattern as it does in a text, so `e-m?il` is a phrase.

use embley_index::analysis::words_with_offsets;
use embley_index::{Glob, Node, PatternError, SpanQuery, WordPattern};
use embley_model::field::{Field, ROLES};

use super::{Mark, Planned, Planner};
use crate::error::SearchError;
use crate::tree::{Leaf, Pattern, Piece, Span};

/// Edits of a fuzzy word without a number.
const DEFAULT_EDITS: u8 = 1;

/// Letters that fold to themselves, in no use beside words; two that a pattern does not hold stand for its signs while it is cut.
const STAND_INS: [char; 8] = [
    '\u{A4D0}', '\u{A4D1}', '\u{A4D2}', '\u{A4D3}', '\u{A4D4}', '\u{A4D5}', '\u{A4D6}', '\u{A4D7}',
];

type Spanned = Result<SpanQuery, SearchError>;

impl Planner<'_> {
    /// A pattern in text fields.
    pub(super) fn text_pattern(&mut self, leaf: &Leaf, span: Span, fields: &[Field], positive: bool) -> Planned {
        let fields = fields.to_vec();
        Ok(match self.pattern(leaf, span, &fields)? {
            SpanQuery::Word(token) => {
                self.mark(positive, &fields, Mark::Word(token.clone()));
                Node::Term { fields, token }
            }
            SpanQuery::Pattern(pattern) => {
                self.mark(positive, &fields, Mark::Pattern(pattern.clone()));
                Node::Words { fields, pattern }
            }
            query => {
                self.mark(positive, &fields, Mark::Spans(query.clone()));
                Node::Spans { fields, query }
            }
        })
    }

    /// The words that a leaf stands for.
    pub(super) fn pattern(&mut self, leaf: &Leaf, span: Span, fields: &[Field]) -> Spanned {
        let people = fields.iter().all(|field| ROLES.contains(field));
        match leaf {
            Leaf::Word(text) | Leaf::Phrase(text) => {
                self.note_lower_case_operator(leaf, text);
                let words = self.words(text, span)?;
                Ok(phrase(words.into_iter().map(SpanQuery::Word).collect()))
            }
            Leaf::Prefix(text) => {
                self.refuse_sign_before_star(leaf, text, span)?;
                let mut words = self.words(text, span)?;
                let last = words.pop().unwrap_or_default();
                let mut parts: Vec<SpanQuery> = words.into_iter().map(SpanQuery::Word).collect();
                parts.push(SpanQuery::Pattern(WordPattern::prefix(&last)));
                Ok(phrase(parts))
            }
            Leaf::Wildcard(pattern) | Leaf::PhrasePattern(pattern) => {
                let address = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains('@'));
                if people && matches!(leaf, Leaf::Wildcard(_)) && pattern.0.iter().any(address) {
                    let message = format!("`{leaf}` is neither words nor the beginning of an address");
                    let hint =
                        "write the words of the address with wildcards, or `address:` and its beginning with a `*`";
                    return Err(self.fault(span, message).hint(hint).into());
                }
                self.wildcard(leaf, pattern, span)
            }
            Leaf::Fuzzy { word, distance } => {
                let folded = self.one_word(leaf, word, span)?;
                let made = WordPattern::fuzzy(&folded, distance.unwrap_or(DEFAULT_EDITS));
                made.map(SpanQuery::Pattern).map_err(|error| {
                    let hint = "`word~1` and `word~2` are available; for other forms of a word write `word^`";
                    self.fault(span, format!("`{leaf}`: {}", error.message))
                        .hint(hint)
                        .into()
                })
            }
            Leaf::Stem(word) => {
                let folded = self.one_word(leaf, word, span)?;
                Ok(SpanQuery::Pattern(WordPattern::stem(&folded)))
            }
            Leaf::Regex(text) => {
                let made = WordPattern::regex(text);
                made.map(SpanQuery::Pattern)
                    .map_err(|error| self.bad_regex(&error, span))
            }
            Leaf::Exact { .. } => Err(self
                .fault(span, format!("the exact form `{leaf}` has no place in proximity"))
                .hint(format!("add it beside: `(a w/5 b) {leaf}`"))
                .into()),
            Leaf::Dates(_) | Leaf::Numbers(_) => unreachable!("the grammar gives text fields no ranges"),
        }
    }

    fn bad_regex(&self, error: &PatternError, span: Span) -> SearchError {
        // The expression begins behind its slash.
        let place = Span::new(span.start + 1 + error.range.start, span.start + 1 + error.range.end);
        let message = format!("this regular expression cannot be used: {}", error.message);
        let hint = "it is matched against whole words, folded to lower case without accents";
        self.fault(place, message).hint(hint).into()
    }

    /// The single folded word that `~` and `^` need.
    fn one_word(&mut self, leaf: &Leaf, word: &str, span: Span) -> Result<String, SearchError> {
        match <[String; 1]>::try_from(self.words(word, span)?) {
            Ok([word]) => Ok(word),
            Err(words) => Err(self
                .fault(
                    span,
                    format!("`{leaf}` is {} words, and a {} is one", words.len(), leaf.kind()),
                )
                .hint("signs part words; write each word by itself, side by side with `pre/1`")
                .into()),
        }
    }

    fn wildcard(&mut self, leaf: &Leaf, pattern: &Pattern, span: Span) -> Spanned {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Star | Piece::Question => String::new(),
        };
        let typed: String = pattern.0.iter().map(text).collect();
        let mut free = STAND_INS.into_iter().filter(|letter| !typed.contains(*letter));
        let (Some(star), Some(question)) = (free.next(), free.next()) else {
            return Err(self.fault(span, format!("`{leaf}` cannot be cut into words")).into());
        };
        let joined: String = pattern
            .0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Star => star.to_string(),
                Piece::Question => question.to_string(),
            })
            .collect();
        let mut parts = Vec::new();
        for word in words_with_offsets(&joined) {
            let glob = |c: char| match c {
                c if c == star => Glob::Many,
                c if c == question => Glob::One,
                c => Glob::Char(c),
            };
            let mut globs: Vec<Glob> = word.folded.chars().map(glob).collect();
            globs.dedup_by(|one, before| *one == Glob::Many && *before == Glob::Many);
            let letters = globs.iter().filter(|glob| matches!(glob, Glob::Char(_))).count();
            if globs == [Glob::Many] || (letters == 0 && globs.contains(&Glob::Many)) {
                return Err(self
                    .fault(
                        span,
                        format!("in `{leaf}` a `*` stands alone, with no letter or digit beside it"),
                    )
                    .hint("put the `*` right beside a letter; words some way apart are `w/2` or `pre/2`")
                    .into());
            }
            parts.push(if letters == globs.len() {
                SpanQuery::Word(word.folded.into_owned())
            } else {
                let made = WordPattern::wildcard(globs);
                SpanQuery::Pattern(made.map_err(|error| self.fault(span, error.message))?)
            });
        }
        if parts.is_empty() {
            self.words(&typed, span)?;
        }
        Ok(phrase(parts))
    }
}

/// The parts one behind the other; a single part is itself.
fn phrase(mut parts: Vec<SpanQuery>) -> SpanQuery {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            SpanQuery::Phrase(parts)
        }
        None => SpanQuery::Any(Vec::new()),
    }
}
