//! Which characters of a text need a backslash so that it is read back as the same text.

use super::word;

/// A text as a word without quotes.
pub(crate) fn bare(text: &str) -> String {
    if matches!(text, "&" | "&&" | "|" | "||") || word::distance(text).is_some() {
        return text.chars().flat_map(|c| escaped(c, !c.is_alphanumeric())).collect();
    }
    let mut previous = None;
    let mut out = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        let first = previous.is_none() && matches!(character, '-' | '+' | '!' | '/' | '<' | '>' | '=');
        let range = character == '.' && previous == Some('.');
        out.extend(escaped(character, first || range || special(character)));
        previous = Some(character);
    }
    out
}

/// A text between double quotes.
pub(crate) fn quoted(text: &str) -> String {
    text.chars()
        .flat_map(|c| escaped(c, matches!(c, '"' | '\\' | '*' | '?')))
        .collect()
}

/// True for characters that end a word or mean something inside one.
fn special(character: char) -> bool {
    word::ends_word(character) || matches!(character, '\\' | '*' | '?' | '~' | '^' | ':')
}

fn escaped(character: char, escape: bool) -> impl Iterator<Item = char> {
    escape.then_some('\\').into_iter().chain([character])
}
