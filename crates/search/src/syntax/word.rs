//! Words, quotes and regular expressions: the leaves, before anyone asks what their letters fold to.

use winnow::Parser;
use winnow::stream::Stream;
use winnow::token::{any, take_while};

use super::{Fault, Input, Parsed, position, rest};
use crate::tree::{ExprNode, Leaf, Near, Pattern, Piece, Span};

/// How the value of a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Words: all of the language.
    Words,
    /// A whole value, such as a name or a path: only `*` and `?` mean something.
    Whole,
    /// Dates.
    Dates,
    /// Numbers.
    Numbers,
}

/// An operator as it stands in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Not,
    Near(Near),
}

/// True for characters that end a word without quotes.
pub(super) fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')') || is_quote(character)
}

/// True for the quotes of keyboards and of word processors.
pub(super) fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„')
}

/// Skips white space and comments; true when there was some.
pub(super) fn spaces(input: &mut Input<'_>) -> Parsed<bool> {
    let start = position(input);
    loop {
        take_while(0.., char::is_whitespace).void().parse_next(input)?;
        if !rest(input).starts_with("/*") {
            return Ok(position(input) > start);
        }
        let Some(length) = rest(input)[2..].find("*/") else {
            let at = position(input);
            return Fault::new(Span::new(at, at + 2), "this comment is not closed")
                .hint("close it with `*/`; to search for the text itself put it in quotes")
                .cut();
        };
        input.next_slice(2 + length + 2);
    }
}

/// The raw text of the word at the front, escapes and all, without taking it.
pub(super) fn peek_raw<'a>(input: &Input<'a>) -> &'a str {
    let text = rest(input);
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if !escaped && ends_word(character) {
            return &text[..at];
        }
        escaped = !escaped && character == '\\';
    }
    text
}

/// The operator at the front and its length in bytes, without taking it. `not w/n` is one operator.
pub(super) fn peek_operator(input: &Input<'_>) -> Option<(Operator, usize)> {
    let raw = peek_raw(input);
    if raw.eq_ignore_ascii_case("not") {
        let mut ahead = *input;
        ahead.next_slice(raw.len());
        let gap = spaces(&mut ahead).unwrap_or(false);
        let next = peek_raw(&ahead);
        if let (true, Some(Near::Within(words))) = (gap, distance(next)) {
            let length = position(&ahead) + next.len() - position(input);
            return Some((Operator::Near(Near::NotWithin(words)), length));
        }
    }
    let operator = match raw {
        "AND" => Operator::And,
        "OR" => Operator::Or,
        "NOT" => Operator::Not,
        _ => Operator::Near(distance(raw)?),
    };
    Some((operator, raw.len()))
}

/// The distance operator that this raw word is, if it is one. Distances beyond the range of u32 are read as
/// its largest value.
pub(super) fn distance(raw: &str) -> Option<Near> {
    if raw == "NEAR" {
        return Some(Near::Named(None));
    }
    let (name, digits) = raw.split_once('/')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let words = digits.parse().unwrap_or(u32::MAX);
    match name.to_ascii_lowercase().as_str() {
        "w" => Some(Near::Within(words)),
        "pre" => Some(Near::Before(words)),
        "near" => Some(Near::Named(Some(words))),
        _ => None,
    }
}

/// One character of a word, and whether a backslash or quotes took its meaning away.
#[derive(Clone, Copy, Debug)]
struct Glyph {
    character: char,
    literal: bool,
    at: usize,
}

impl Glyph {
    fn means(&self, character: char) -> bool {
        !self.literal && self.character == character
    }
}

/// Reads a word without quotes and says what it is.
pub(super) fn bare(input: &mut Input<'_>, mode: Mode) -> Parsed<(ExprNode, Span)> {
    if mode == Mode::Words && rest(input).starts_with('/') {
        return regex(input);
    }
    if mode == Mode::Words
        && let Some(next) = rest(input).strip_prefix('=').and_then(|after| after.chars().next())
        && (is_quote(next) || !ends_word(next))
    {
        return exact(input);
    }
    let start = position(input);
    let mut glyphs = Vec::new();
    while rest(input).chars().next().is_some_and(|c| !ends_word(c)) {
        glyphs.push(glyph(input)?);
    }
    let span = Span::new(start, position(input));
    if glyphs.len() == 1 && glyphs[0].means('*') {
        return Ok((ExprNode::All, span));
    }
    if mode == Mode::Words {
        refuse_foreign(&glyphs, span, rest(input))?;
        if let Some(leaf) = stem(&glyphs, span)? {
            return Ok((ExprNode::Leaf(leaf), span));
        }
        if let Some(leaf) = fuzzy(&glyphs, span)? {
            return Ok((ExprNode::Leaf(leaf), span));
        }
    }
    let pattern = pieces(&glyphs, |glyph, _| glyph.means('?'));
    let leaf = match pattern.0.as_slice() {
        [Piece::Text(text)] => Leaf::Word(text.clone()),
        [Piece::Text(text), Piece::Star] => Leaf::Prefix(text.clone()),
        _ => Leaf::Wildcard(pattern),
    };
    Ok((ExprNode::Leaf(leaf), span))
}

/// Reads one character, after a backslash the one it protects.
fn glyph(input: &mut Input<'_>) -> Parsed<Glyph> {
    let at = position(input);
    let character = any.parse_next(input)?;
    if character != '\\' {
        let literal = false;
        return Ok(Glyph { character, literal, at });
    }
    match rest(input).chars().next() {
        None => Fault::new(Span::new(at, at + 1), "a backslash stands at the end of the query")
            .hint("write `\\\\` for a backslash")
            .cut(),
        Some(next) if next.is_alphanumeric() => Fault::new(
            Span::new(at, at + 1 + next.len_utf8()),
            format!("`\\{next}` has no meaning: a backslash goes before a sign, not before a letter or digit"),
        )
        .hint("write `\\\\` for a backslash")
        .cut(),
        Some(_) => {
            let character = any.parse_next(input)?;
            let literal = true;
            Ok(Glyph { character, literal, at })
        }
    }
}

/// Turns characters into text and wildcards; `question` says whether a `?` at a place is one.
fn pieces(glyphs: &[Glyph], question: impl Fn(&Glyph, usize) -> bool) -> Pattern {
    let mut pieces = Vec::new();
    for (at, glyph) in glyphs.iter().enumerate() {
        if glyph.means('*') {
            pieces.push(Piece::Star);
        } else if question(glyph, at) {
            pieces.push(Piece::Question);
        } else if let Some(Piece::Text(text)) = pieces.last_mut() {
            text.push(glyph.character);
        } else {
            pieces.push(Piece::Text(glyph.character.to_string()));
        }
    }
    Pattern(pieces)
}

/// Refuses what other search programs read as an operator and what would otherwise fold away unseen.
fn refuse_foreign(glyphs: &[Glyph], span: Span, after: &str) -> Parsed<()> {
    let plain: String = glyphs
        .iter()
        .map(|g| if g.literal { '\0' } else { g.character })
        .collect();
    if let Some(operator) = match plain.as_str() {
        "&" | "&&" => Some("AND"),
        "|" | "||" => Some("OR"),
        _ => None,
    } {
        return Fault::new(span, format!("`{plain}` is not an operator here"))
            .hint(format!("write {operator}"))
            .cut();
    }
    let first = glyphs[0];
    let joined = glyphs.len() > 1 || after.starts_with('(') || after.chars().next().is_some_and(is_quote);
    if joined && ['-', '+', '!'].iter().any(|sign| first.means(*sign)) {
        let hint = if first.means('+') {
            "terms side by side are joined by AND; to search for the text itself put it in quotes"
        } else {
            "write NOT before the term to exclude it; to search for the text itself put it in quotes"
        };
        return Fault::new(
            Span::new(first.at, first.at + 1),
            format!("`{}` is not an operator here", first.character),
        )
        .hint(hint)
        .cut();
    }
    let digits_after = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let compared = plain.starts_with(['<', '>']) && digits_after(plain.trim_start_matches(['<', '>', '=']));
    let ranged = digits_after(&plain) && plain.split_once("..").is_some_and(|(_, high)| digits_after(high));
    if compared || ranged {
        return Fault::new(span, "a range needs a field")
            .hint("write `date:2001-05..2001-07` or `size:>10k`; to search for the text itself put it in quotes")
            .cut();
    }
    Ok(())
}

/// Reads `=word` and `="two words"`.
fn exact(input: &mut Input<'_>) -> Parsed<(ExprNode, Span)> {
    let start = position(input);
    input.next_slice(1);
    let in_quotes = rest(input).chars().next().is_some_and(is_quote);
    let (text, plain) = if in_quotes {
        match quoted(input)? {
            (ExprNode::Leaf(Leaf::Phrase(text)), _) => (text, true),
            _ => (String::new(), false),
        }
    } else {
        let mut glyphs = Vec::new();
        while rest(input).chars().next().is_some_and(|c| !ends_word(c)) {
            glyphs.push(glyph(input)?);
        }
        let signs = |glyph: &Glyph| ['*', '?', '~', '^'].iter().any(|sign| glyph.means(*sign));
        let plain = !glyphs.iter().any(signs);
        (glyphs.iter().map(|glyph| glyph.character).collect(), plain)
    };
    let span = Span::new(start, position(input));
    if !plain {
        return Fault::new(
            span,
            "the exact form `=` is of words as they are typed, without patterns",
        )
        .hint("put a backslash before a sign that is meant as text")
        .cut();
    }
    let quoted = in_quotes;
    Ok((ExprNode::Leaf(Leaf::Exact { text, quoted }), span))
}

/// Reads `word^`.
fn stem(glyphs: &[Glyph], span: Span) -> Parsed<Option<Leaf>> {
    let Some(sign) = glyphs.iter().position(|glyph| glyph.means('^')) else {
        return Ok(None);
    };
    let (word, after) = glyphs.split_at(sign);
    let plain = !word.is_empty()
        && !word
            .iter()
            .any(|glyph| ['*', '?', '~'].iter().any(|sign| glyph.means(*sign)));
    if !plain || after.len() > 1 {
        return Fault::new(
            span,
            "`^` belongs after a whole word and asks for all words of its stem; words have no weights",
        )
        .hint("write `word^`; to search for the text itself put it in quotes")
        .cut();
    }
    let word = word.iter().map(|glyph| glyph.character).collect();
    Ok(Some(Leaf::Stem(word)))
}

/// Reads `word~` and `word~n`.
fn fuzzy(glyphs: &[Glyph], span: Span) -> Parsed<Option<Leaf>> {
    let Some(tilde) = glyphs.iter().position(|glyph| glyph.means('~')) else {
        return Ok(None);
    };
    let (word, after) = glyphs.split_at(tilde);
    let digits: String = after[1..].iter().map(|glyph| glyph.character).collect();
    let plain = !word.is_empty() && !word.iter().any(|glyph| glyph.means('*') || glyph.means('?'));
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()) && after[1..].iter().all(|glyph| !glyph.literal);
    let distance = if digits.is_empty() {
        None
    } else {
        digits.parse::<u8>().ok()
    };
    if !plain
        || !number
        || (distance.is_none() && !digits.is_empty())
        || distance.is_some_and(|n| n.to_string() != digits)
    {
        return Fault::new(
            span,
            "`~` belongs after a whole word, with a small number after it or nothing",
        )
        .hint("write `word~1`; to search for the text itself put it in quotes")
        .cut();
    }
    Ok(Some(Leaf::Fuzzy {
        word: word.iter().map(|glyph| glyph.character).collect(),
        distance,
    }))
}

/// Reads a phrase in quotes. `*`, and `?` inside a word, make it a pattern; other signs are text.
pub(super) fn quoted(input: &mut Input<'_>) -> Parsed<(ExprNode, Span)> {
    let start = position(input);
    let open = any.parse_next(input)?;
    let mut glyphs = Vec::new();
    loop {
        match rest(input).chars().next() {
            None => {
                return Fault::new(Span::new(start, start + open.len_utf8()), "this quote is not closed")
                    .hint("close it, or write `\\\"` for the character itself")
                    .cut();
            }
            Some(close) if close == '"' || (open != '"' && is_quote(close)) => {
                any.parse_next(input)?;
                break;
            }
            Some(_) => glyphs.push(glyph(input)?),
        }
    }
    let span = Span::new(start, position(input));
    if glyphs.iter().all(|glyph| glyph.character.is_whitespace()) {
        return Fault::new(span, "there is nothing between the quotes").cut();
    }
    let inside_word = |at: usize| {
        let letter = |glyph: Option<&Glyph>| glyph.is_some_and(|glyph| glyph.character.is_alphanumeric());
        at > 0 && letter(glyphs.get(at - 1)) && letter(glyphs.get(at + 1))
    };
    let pattern = pieces(&glyphs, |glyph, at| glyph.means('?') && inside_word(at));
    let leaf = match pattern.0.as_slice() {
        [Piece::Text(text)] => Leaf::Phrase(text.clone()),
        _ => Leaf::PhrasePattern(pattern),
    };
    Ok((ExprNode::Leaf(leaf), span))
}

/// Reads `/expression/`; a backslash before a slash keeps it inside.
fn regex(input: &mut Input<'_>) -> Parsed<(ExprNode, Span)> {
    const HINT: &str = "to search for words with slashes put them in quotes";
    let start = position(input);
    let text = &rest(input)[1..];
    let mut escaped = false;
    let close = text.find(|character| {
        let here = character == '/' && !escaped;
        escaped = character == '\\' && !escaped;
        here
    });
    let Some(close) = close else {
        return Fault::new(Span::new(start, start + 1), "this regular expression is not closed")
            .hint(HINT)
            .cut();
    };
    input.next_slice(close + 2);
    let span = Span::new(start, position(input));
    if close == 0 {
        return Fault::new(span, "there is nothing between the slashes")
            .hint(HINT)
            .cut();
    }
    if rest(input).chars().next().is_some_and(|c| !ends_word(c)) {
        return Fault::new(
            span,
            "a regular expression ends at its second slash, and more text follows it",
        )
        .hint(HINT)
        .cut();
    }
    Ok((ExprNode::Leaf(Leaf::Regex(text[..close].to_owned())), span))
}
