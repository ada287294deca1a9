//! Texts of a binary workbook ([MS-XLSB]) that no reader of cells gives: comments and their authors, heads and feet of sheets, shared strings that no cell shows.
//!
//! Main function: [`texts`]. Walks the records of one part; a record that ends behind its part ends the walk. Invariant: what comes out is bounded by the part.

use super::super::head_foot;

const SHARED_STRING: u32 = 19;
const HEAD_AND_FOOT: u32 = 479;
const COMMENT_AUTHOR: u32 = 632;
const COMMENT_TEXT: u32 = 637;
/// Heads and feet of odd, even and first pages.
const HEADS_AND_FEET: usize = 6;

/// True for parts that [`texts`] reads: sheets, comments, the shared strings.
pub(super) fn is_read(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let file = lower.rsplit('/').next().unwrap_or(&lower);
    lower.starts_with("xl/")
        && lower.ends_with(".bin")
        && (lower.contains("/worksheets/")
            || lower.contains("/chartsheets/")
            || lower.contains("/dialogsheets/")
            || file.starts_with("comments")
            || file == "sharedstrings.bin")
}

/// The texts of a part, in order.
pub(super) fn texts(part: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = part;
    while let Some((kind, content, after)) = record(rest) {
        rest = after;
        match kind {
            // `BrtSSTItem` and `BrtCommentText` are a `RichStr`: one byte of flags, then the characters.
            SHARED_STRING | COMMENT_TEXT => out.extend(content.get(1..).and_then(string).and_then(|(text, _)| text)),
            COMMENT_AUTHOR => out.extend(string(content).and_then(|(text, _)| text)),
            HEAD_AND_FOOT => {
                let mut strings = content.get(2..).unwrap_or_default();
                for _ in 0..HEADS_AND_FEET {
                    let Some((text, after)) = string(strings) else { break };
                    out.extend(text.map(|text| head_foot::words(&text)));
                    strings = after;
                }
            }
            _ => {}
        }
    }
    out.retain(|text| text.chars().any(char::is_alphanumeric));
    out
}

/// The next record (2.1.4): its kind in one or two bytes, its length in one to four, seven bits each, the lowest first.
fn record(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (kind, rest) = number(bytes, 2)?;
    let (length, rest) = number(rest, 4)?;
    let (content, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((kind, content, after))
}

fn number(bytes: &[u8], most: usize) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(most) {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 || at + 1 == most {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// A string that may be missing (`XLNullableWideString`): the number of its UTF-16 units, all bits set when there is none, and the units; and what stands behind it.
fn string(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    if length == u32::MAX {
        return Some((None, rest));
    }
    let (units, after) = rest.split_at_checked(usize::try_from(length).ok()?.checked_mul(2)?)?;
    let units: Vec<u16> = units
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    Some((Some(String::from_utf16_lossy(&units)), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: u32, before: &[u8], strings: &[&str]) -> Vec<u8> {
        let mut content = before.to_vec();
        for text in strings {
            if text.is_empty() {
                content.extend([0xff; 4]);
                continue;
            }
            let units: Vec<u16> = text.encode_utf16().collect();
            content.extend(u32::try_from(units.len()).expect("short").to_le_bytes());
            content.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        }
        let mut out = vec![(kind & 0x7f) as u8 | 0x80, (kind >> 7) as u8];
        if kind < 0x80 {
            out = vec![kind as u8];
        }
        assert!(content.len() < 0x4000);
        out.extend([(content.len() & 0x7f) as u8 | 0x80, (content.len() >> 7) as u8]);
        out.extend(content);
        out
    }

    #[test]
    fn comments_heads_feet_and_strings_are_read() {
        let part = [
            made(HEAD_AND_FOOT, &[0, 0], &["&Lhead", "", "", "", "", "foot"]),
            made(1, &[], &["cell"]),
            made(COMMENT_AUTHOR, &[], &["Ann"]),
            made(COMMENT_TEXT, &[0], &["remark"]),
            made(SHARED_STRING, &[0], &["struck"]),
        ]
        .concat();
        assert_eq!(texts(&part), ["head", "foot", "Ann", "remark", "struck"]);
        for end in 0..part.len() {
            texts(&part[..end]);
        }
        // A length that is not there.
        assert_eq!(texts(&[19, 6, 0, 0xfe, 0xff, 0xff, 0xff, 0]), [""; 0]);
        assert!(is_read("xl/worksheets/sheet1.bin") && is_read("xl/comments2.bin") && !is_read("xl/styles.bin"));
    }
}
