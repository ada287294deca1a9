//! JSON as text: keys, strings, numbers.
//!
//! Main function: [`read`]. A lexer and no parser: it needs no stack, so depth costs nothing; several values behind one another, comments and cut
//! files are read as far as they go (RFC 8259; escapes by section 7).

use embley_model::defect::DefectCode;

use super::draft::Draft;
use super::xml;

/// Reads `bytes` into `draft`: a line for each value, its key before it.
pub(super) fn read(bytes: &[u8], draft: &mut Draft<'_>) {
    draft.reader("json/1");
    let text = xml::decode(bytes);
    let (out, whole) = to_text(&text, draft.room());
    if !whole {
        draft.defect(
            DefectCode::DocStructure,
            "the JSON is cut or not well formed; its strings and numbers were kept",
        );
    }
    draft.lines(&out);
}

/// The text, and whether quotes and brackets close.
fn to_text(json: &str, room: usize) -> (String, bool) {
    let mut out = String::with_capacity(json.len().min(room));
    let mut whole = true;
    let mut depth = 0i64;
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        if out.len() > room {
            break;
        }
        match c {
            '"' => {
                let (length, closed) = string(&rest[1..], &mut out);
                whole &= closed;
                rest = &rest[1 + length..];
                separate(rest, &mut out);
            }
            '{' | '[' => {
                depth += 1;
                rest = &rest[1..];
            }
            '}' | ']' => {
                depth -= 1;
                whole &= depth >= 0;
                rest = &rest[1..];
            }
            ':' | ',' => rest = &rest[1..],
            c if c.is_whitespace() => rest = &rest[c.len_utf8()..],
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '"' | '{' | '}' | '[' | ']'))
                    .unwrap_or(rest.len());
                let word = &rest[..end];
                if word != "null" {
                    out.push_str(word);
                }
                rest = &rest[end..];
                separate(rest, &mut out);
            }
        }
    }
    (out, whole && depth == 0)
}

/// A key is followed by its value on the same line, a value by a line end.
fn separate(rest: &str, out: &mut String) {
    if rest.trim_start().starts_with(':') {
        out.push_str(": ");
    } else {
        out.push('\n');
    }
}

/// Appends a string without its opening quote; how many bytes it took, and whether it was closed.
fn string(text: &str, out: &mut String) -> (usize, bool) {
    let mut at = 0;
    loop {
        let Some(step) = text[at..].find(['"', '\\']) else {
            out.push_str(&text[at..]);
            return (text.len(), false);
        };
        out.push_str(&text[at..at + step]);
        at += step;
        if text[at..].starts_with('"') {
            return (at + 1, true);
        }
        at += 1;
        let Some(escape) = text[at..].chars().next() else {
            return (at, false);
        };
        at += escape.len_utf8();
        match escape {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' | 'f' => out.push(' '),
            'u' => {
                let Some(first) = hex(text, at) else { continue };
                at += 4;
                let is_high = (0xd800..0xdc00).contains(&first);
                let second = if is_high && text[at..].starts_with("\\u") {
                    hex(text, at + 2)
                } else {
                    None
                };
                match second {
                    Some(low) if (0xdc00..0xe000).contains(&low) => {
                        at += 6;
                        let code = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
                        out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    _ => out.push(char::from_u32(first).unwrap_or('\u{fffd}')),
                }
            }
            other => out.push(other),
        }
    }
}

fn hex(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_escapes() {
        let (text, whole) = to_text(
            r#"{"a": "b\n\u00e9\ud83d\ude00", "n": [1, -2.5e3, true, null], "k\"": {}}"#,
            1 << 20,
        );
        assert_eq!(text, "a: b\né😀\nn: 1\n-2.5e3\ntrue\n\nk\": ");
        assert!(whole);
    }

    #[test]
    fn depth_and_cuts_are_survived() {
        assert!(!to_text(&"[".repeat(1_000_000), 1 << 20).1);
        let cut = to_text(r#"{"a": "b"#, 1 << 20);
        assert_eq!(cut, ("a: b\n".to_owned(), false));
        let json = r#"{"ä\u00": "\ud83d\u", "é": "\"#;
        for end in (0..=json.len()).filter(|end| json.is_char_boundary(*end)) {
            to_text(&json[..end], 1 << 20);
        }
    }
}
