//! Folding of single characters, and of whole values that are not split into words.
//!
//! Invariant: folding what is already folded changes nothing.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};

use super::TOKEN_LIMIT_BYTES;

/// Longest keyword value in bytes. Message-IDs are limited to a line of 998 bytes (RFC 5322 section 2.1.1).
const KEYWORD_LIMIT_BYTES: usize = 1000;

/// A text as typed, in one of the forms that Unicode calls canonically equivalent (NFC), so that equal letters are equal bytes. Case
/// and accents stay.
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// What a character means for the splitting of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word.
    Word,
    /// A word of its own (ideograph, kana, hangul).
    Single,
    /// Neither part of a word nor a break: marks, joiners, soft hyphen, direction marks.
    Transparent,
    /// Ends a word.
    Break,
}

/// Classifies one character.
pub(super) fn class(c: char) -> Class {
    if is_transparent(c) {
        Class::Transparent
    } else if !c.is_alphanumeric() {
        Class::Break
    } else if is_cjk(c) || decomposes_to_cjk(c) {
        Class::Single
    } else {
        Class::Word
    }
}

/// True for characters that are dropped without ending a word.
fn is_transparent(c: char) -> bool {
    match c {
        // Soft hyphen, tatweel, combining grapheme joiner, joiners, direction marks, word joiner, byte order mark.
        '\u{AD}'
        | '\u{640}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{180E}'
        | '\u{200C}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{FEFF}' => true,
        _ if c < '\u{300}' => false,
        _ => canonical_combining_class(c) != 0 || (is_combining_mark(c) && !c.is_alphanumeric()),
    }
}

/// True for scripts written without spaces whose characters are indexed one by one.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x11FF | 0x3005..=0x3007 | 0x3031..=0x3035 | 0x303B..=0x303C | 0x3041..=0x3096 | 0x309D..=0x309F
        | 0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x3105..=0x312F | 0x3131..=0x318E | 0x31A0..=0x31BF | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F | 0xAC00..=0xD7A3 | 0xD7B0..=0xD7FF | 0xF900..=0xFAFF
        | 0xFF66..=0xFF9D | 0xFFA0..=0xFFDC | 0x16FE0..=0x18DFF | 0x1AFF0..=0x1B2FF | 0x20000..=0x3FFFF)
}

fn decomposes_to_cjk(c: char) -> bool {
    if c < '\u{2000}' {
        return false;
    }
    let mut first = None;
    decompose_compatible(c, |part| first = first.or(Some(part)));
    first.is_some_and(is_cjk)
}

/// Calls `emit` with the folded form of `c`, which may be nothing, or several characters, some of which
/// may not be alphanumeric (`½` gives `1`, a fraction slash and `2`).
pub(super) fn fold_char(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii() {
        emit(c.to_ascii_lowercase());
        return;
    }
    decompose_compatible(c, |part| {
        for lower in part.to_lowercase() {
            if is_transparent(lower) {
                continue;
            }
            match written_out(lower) {
                Some(text) => text.chars().for_each(&mut emit),
                None => emit(lower),
            }
        }
    });
}

/// Letters without a decomposition that people type as others.
fn written_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// The folded form of a whole address as it stands in the index: lower case without marks, white space and
/// control characters removed, cut at [`TOKEN_LIMIT_BYTES`]. Empty when nothing is left.
pub fn fold_address(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars().filter(|c| !c.is_whitespace() && !c.is_control()) {
        fold_char(c, |part| push_within(&mut out, part, TOKEN_LIMIT_BYTES));
    }
    out
}

/// The folded form of a keyword value (label, Message-ID, type): as [`fold_address`], but white space
/// inside is kept as single spaces and the limit is 1,000 bytes.
pub fn fold_keyword(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for word in value.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            push_within(&mut out, ' ', KEYWORD_LIMIT_BYTES);
        }
        for c in word.chars() {
            fold_char(c, |part| push_within(&mut out, part, KEYWORD_LIMIT_BYTES));
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn push_within(out: &mut String, c: char, limit_bytes: usize) {
    if !c.is_control() && out.len() + c.len_utf8() <= limit_bytes {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded_whole_and_keeps_its_punctuation() {
        assert_eq!(fold_address("John.Smith@Example.COM "), "john.smith@example.com");
        assert_eq!(fold_address("/O=Met/CN=JSmith"), "/o=met/cn=jsmith");
        assert_eq!(fold_address("JØRGEN@Bücher.example"), "jorgen@bucher.example");
        assert_eq!(fold_address(" \t\u{1}"), "");
    }

    #[test]
    fn a_keyword_keeps_single_spaces_and_no_control_characters() {
        assert_eq!(fold_keyword("  Sent \u{2}\tItems "), "sent items");
        assert_eq!(fold_keyword("É\u{301}"), "e");
    }

    #[test]
    fn every_character_folds_to_what_folds_to_itself() {
        let mut seen = 0_u32;
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            if !c.is_alphanumeric() || is_cjk(c) {
                continue;
            }
            let mut once = String::new();
            fold_char(c, |part| once.push(part));
            let mut twice = String::new();
            for part in once.chars() {
                fold_char(part, |again| twice.push(again));
            }
            assert_eq!(once, twice, "U+{:04X}", u32::from(c));
            seen += 1;
        }
        assert!(seen > 10_000);
    }
}
