//! Encoded words (RFC 2047): decoded for reading, or made whole for the parser of structured fields.
//!
//! Adjacent words of one charset are joined as bytes before decoding, because many writers cut inside a
//! character, which RFC 2047 section 5 forbids. What is no encoded word stays as it is.

use std::borrow::Cow;

use crate::mail::transfer::{base64_bytes, encode_base64};
use crate::text;

/// Decodes every encoded word of unfolded text.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    replace(text, |decoded, out| out.push_str(decoded))
}

/// Rewrites every run of encoded words as one whole UTF-8 word, which any parser of structured fields
/// reads right.
pub(crate) fn make_whole(text: &str) -> Cow<'_, str> {
    replace(text, |decoded, out| {
        if !decoded.is_empty() {
            out.push_str("=?utf-8?B?");
            encode_base64(decoded.as_bytes(), out);
            out.push_str("?=");
        }
    })
}

/// One encoded word: charset and bytes.
struct Word<'t> {
    charset: &'t str,
    bytes: Vec<u8>,
    end: usize,
}

/// Where the next `=?` stands, from `at` on. Most values are short and hold no question mark.
fn next_start(bytes: &[u8], at: usize) -> Option<usize> {
    memchr::memchr_iter(b'?', &bytes[at..])
        .filter_map(|mark| (at + mark).checked_sub(1))
        .find(|start| *start >= at && bytes[*start] == b'=')
}

fn replace<'t>(text: &'t str, mut emit: impl FnMut(&str, &mut String)) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    if next_start(bytes, 0).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while let Some(start) = next_start(bytes, at) {
        let Some(mut word) = word_at(text, start) else {
            at = start + 2;
            continue;
        };
        out.push_str(&text[copied..start]);
        let mut decoded = String::new();
        // Words of a run: blanks between them are not text (RFC 2047 section 6.2).
        while let Some(next) = next_word(text, word.end) {
            if next.charset.eq_ignore_ascii_case(word.charset) {
                word.bytes.extend_from_slice(&next.bytes);
                word.end = next.end;
            } else {
                decoded.push_str(&text::decode(&word.bytes, Some(word.charset)).text);
                word = next;
            }
        }
        decoded.push_str(&text::decode(&word.bytes, Some(word.charset)).text);
        emit(&decoded, &mut out);
        at = word.end;
        copied = word.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn next_word(text: &str, from: usize) -> Option<Word<'_>> {
    let rest = text.get(from..)?;
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    if !rest[blanks..].starts_with("=?") {
        return None;
    }
    word_at(text, from + blanks)
}

/// The encoded word that begins at `start`, with blanks inside its text tolerated.
fn word_at(text: &str, start: usize) -> Option<Word<'_>> {
    const CHARSET_BYTES: usize = 60;
    let after = start + 2;
    let bytes = text.as_bytes();
    let head = &bytes[after..bytes.len().min(after + CHARSET_BYTES)];
    let charset_len = head.iter().position(|byte| !byte.is_ascii_graphic() || *byte == b'?')?;
    let mark = after + charset_len;
    if bytes.get(mark) != Some(&b'?') || bytes.get(mark + 2) != Some(&b'?') {
        return None;
    }
    let body = mark + 3;
    let end = word_end(bytes, body)?;
    let content = &bytes[body..end];
    let decoded = match bytes[mark + 1] {
        b'B' | b'b' => base64_bytes(content),
        b'Q' | b'q' => quoted(content),
        _ => return None,
    };
    // RFC 2231 section 5: a language after the charset.
    let charset = text[after..mark].split('*').next().unwrap_or_default();
    Some(Word {
        charset,
        bytes: decoded,
        end: end + 2,
    })
}

/// Where the text of a word ends. Another word that begins in it means that this one never ended; looking no
/// further than that keeps the whole search linear.
fn word_end(bytes: &[u8], body: usize) -> Option<usize> {
    let mut at = body;
    loop {
        let mark = at + memchr::memchr(b'?', bytes.get(at..)?)?;
        if bytes.get(mark + 1) == Some(&b'=') {
            return Some(mark);
        }
        if mark > body + 1 && bytes[mark - 1] == b'=' {
            return None;
        }
        at = mark + 1;
    }
}

/// The Q encoding (RFC 2047 section 4.2).
fn quoted(content: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let mut out = Vec::with_capacity(content.len());
    let mut at = 0;
    while at < content.len() {
        match content[at] {
            b'_' => out.push(b' '),
            b'=' => {
                if let (Some(high), Some(low)) = (hex(content.get(at + 1)), hex(content.get(at + 2))) {
                    out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    at += 2;
                } else {
                    out.push(b'=');
                }
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_and_joined_inside_characters() {
        assert_eq!(decode("=?iso-8859-1?q?caf=E9_au?= lait"), "café au lait");
        assert_eq!(decode("=?utf-8?B?w6TDtg==?= =?utf-8?Q?=C3=BC?="), "äöü");
        assert_eq!(decode("=?utf-8?Q?a=C3?=  =?UTF-8?Q?=A4b?="), "aäb");
        assert_eq!(decode("=?utf-8*en?Q?x?= y =?us-ascii?Q?z?="), "x y z");
        assert_eq!(decode("=?utf-8?Q?with blanks?="), "with blanks");
        assert_eq!(decode("=?utf-8?Q?=3D=3f?="), "=?");
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in ["=?", "a =?b", "=?x?Z?abc?=", "=?utf-8?Q?never ends", "1 =? 2 ?= 3"] {
            assert_eq!(decode(text), text);
        }
    }

    #[test]
    fn whole_words_are_one_utf8_word() {
        assert_eq!(
            make_whole("=?utf-8?Q?a=C3?= =?utf-8?Q?=A4?= <a@b>"),
            "=?utf-8?B?YcOk?= <a@b>"
        );
    }

    #[test]
    fn many_openings_take_linear_time() {
        // 2 MB; quadratic behaviour would take minutes.
        for piece in ["=?a?q?x", "=?a?q?", "=?", "=?a?b?Y?"] {
            assert!(decode(&piece.repeat(300_000)).len() <= 300_000 * piece.len(), "{piece}");
        }
    }
}
