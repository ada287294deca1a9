//! Records of the binary formats that hold text which the package leaves out: comments and notes of slides, heads and feet and boxes of sheets.
//!
//! Main function: [`append`]. Walks the records of the main stream; strings that the text does not hold are appended.

use embley_mapi::compound::Tree;
use office_oxide::DocumentFormat as Kind;

use super::draft::Draft;
use super::known::Known;
use super::{head_foot, pieces};

/// Appends what the main stream, which is `stream` of `tree`, says beyond `text`.
pub(super) fn append(kind: Kind, tree: &Tree, stream: &[u8], text: &str, draft: &mut Draft<'_>) {
    let strings = match kind {
        Kind::Ppt => slides(stream),
        Kind::Xls => sheets(stream),
        Kind::Doc => pieces::paragraphs(tree),
        Kind::Docx | Kind::Xlsx | Kind::Pptx => return,
    };
    let known = Known::of(text);
    let mut seen = std::collections::HashSet::new();
    for string in strings {
        if !known.holds(&string) && seen.insert(string.clone()) {
            draft.lines(&string);
        }
    }
}

/// Text atoms of a presentation ([MS-PPT] 2.9.42, 2.9.43, 2.2.24 `CString`), wherever they stand. Text of masters' placeholders is left out by its
/// container: every slide shows it where it is used.
fn slides(stream: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    walk_slides(stream, true, &mut out);
    out.retain(|text| text.chars().any(char::is_alphanumeric) && !text.starts_with("___PPT"));
    out
}

/// Walks records. Those inside of a tag's data (`outer` is false then) are not containers by their header, but records all the same.
fn walk_slides(stream: &[u8], outer: bool, out: &mut Vec<String>) {
    const TEXT_CHARS: u16 = 0x0fa0;
    const TEXT_BYTES: u16 = 0x0fa8;
    const STRING: u16 = 0x0fba;
    const MAIN_MASTER: u16 = 0x03f8;
    // Lists of tags, fonts and programs are furniture.
    const PROG_TAGS: u16 = 0x1388;
    const ENVIRONMENT: u16 = 0x03f2;
    // Comments of PowerPoint 2000 and later stand in the data of a tag ([MS-PPT] `Comment10Container`).
    const TAG_DATA: u16 = 0x138b;
    let mut at = 0usize;
    while let Some(head) = stream.get(at..at.saturating_add(8)) {
        let is_container = head[0] & 0xf == 0xf;
        let kind = u16::from_le_bytes([head[2], head[3]]);
        let length = usize::try_from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])).unwrap_or(usize::MAX);
        at += 8;
        if is_container && !matches!(kind, MAIN_MASTER | ENVIRONMENT) {
            continue;
        }
        let end = at.saturating_add(length).min(stream.len());
        let content = &stream[at..end];
        match kind {
            TEXT_CHARS | STRING if !is_container => out.push(wide(content)),
            TEXT_BYTES if !is_container => {
                out.push(
                    encoding_rs::WINDOWS_1252
                        .decode_without_bom_handling(content)
                        .0
                        .into_owned(),
                );
            }
            TAG_DATA if outer && !is_container => walk_slides(content, false, out),
            PROG_TAGS => {}
            _ => {}
        }
        at = end;
    }
}

/// Heads, feet and text boxes of a workbook ([MS-XLS] 2.4.136, 2.4.124, 2.4.329), messages of validations (`Dv`), names of sheets and cached values
/// of other workbooks (`SupBook`, `CRN`). BIFF8 strings.
fn sheets(stream: &[u8]) -> Vec<String> {
    const HEADER: u16 = 0x0014;
    const FOOTER: u16 = 0x0015;
    const TEXT_OBJECT: u16 = 0x01b6;
    const CONTINUE: u16 = 0x003c;
    const VALIDATION: u16 = 0x01be;
    const OTHER_BOOK: u16 = 0x01ae;
    const OTHER_VALUES: u16 = 0x005a;
    let mut out = Vec::new();
    let mut box_follows = false;
    let mut at = 0usize;
    while let Some(head) = stream.get(at..at.saturating_add(4)) {
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        at += 4;
        let end = at.saturating_add(length).min(stream.len());
        let content = &stream[at..end];
        at = end;
        match kind {
            HEADER | FOOTER if content.len() > 3 => out.push(head_foot::words(&flagged(&content[2..]))),
            // Title and text of the prompt and of the error, behind flags.
            VALIDATION => strings(content.get(4..).unwrap_or_default(), 4, &mut out),
            // How many sheets, the path of the book with its length, then the names of its sheets.
            OTHER_BOOK => {
                strings(content.get(2..).unwrap_or_default(), usize::MAX, &mut out);
            }
            OTHER_VALUES => values(content.get(4..).unwrap_or_default(), &mut out),
            CONTINUE if box_follows && !content.is_empty() => out.push(flagged(content)),
            _ => {}
        }
        box_follows = kind == TEXT_OBJECT;
    }
    out.retain(|text| text.chars().any(char::is_alphanumeric));
    out
}

/// At most `most` strings with their lengths ([MS-XLS] `XLUnicodeString`), one behind the other.
fn strings(content: &[u8], most: usize, out: &mut Vec<String>) {
    let mut rest = content;
    for _ in 0..most {
        let Some((text, after)) = counted(rest) else { return };
        out.push(text);
        rest = after;
    }
}

fn counted(content: &[u8]) -> Option<(String, &[u8])> {
    let length = usize::from(u16::from_le_bytes([*content.first()?, *content.get(1)?]));
    let bytes = if content.get(2)? & 1 == 1 { length * 2 } else { length };
    let end = 3 + bytes;
    Some((flagged(content.get(2..end)?), content.get(end..)?))
}

/// Values of cells of another workbook ([MS-XLS] `SerAr`): one byte that says the kind, then a string or eight bytes.
fn values(content: &[u8], out: &mut Vec<String>) {
    const NUMBER: u8 = 1;
    const TEXT: u8 = 2;
    let mut rest = content;
    while let Some((kind, after)) = rest.split_first() {
        if *kind == TEXT {
            let Some((text, after)) = counted(after) else { return };
            out.push(text);
            rest = after;
            continue;
        }
        let Some((eight, after)) = after.split_at_checked(8) else {
            return;
        };
        if *kind == NUMBER
            && let Ok(bytes) = eight.try_into()
        {
            out.push(f64::from_le_bytes(bytes).to_string());
        }
        rest = after;
    }
}

/// One byte that says how wide the characters are, then the characters ([MS-XLS] 2.5.293).
fn flagged(content: &[u8]) -> String {
    match content.split_first() {
        Some((flags, rest)) if flags & 1 == 1 => wide(rest),
        Some((_, rest)) => rest.iter().map(|byte| char::from(*byte)).collect(),
        None => String::new(),
    }
}

fn wide(content: &[u8]) -> String {
    let units: Vec<u16> = content
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_both_kinds_of_records_are_found() {
        let mut deck = vec![0x0f, 0, 0xe8, 0x03, 255, 255, 0, 0];
        deck.extend([0, 0, 0xba, 0x0f, 4, 0, 0, 0, b'a', 0, b'b', 0]);
        deck.extend([0, 0, 0xa8, 0x0f, 3, 0, 0, 0, b'x', b'y', b'z']);
        assert_eq!(slides(&deck), ["ab", "xyz"]);
        // A comment: container 0x2ee0 in the data of a tag.
        let comment = [0x0f, 0, 0xe0, 0x2e, 10, 0, 0, 0, 0, 0, 0xba, 0x0f, 2, 0, 0, 0, b'q', 0];
        let mut deck = vec![0, 0, 0x8b, 0x13, 18, 0, 0, 0];
        deck.extend(comment);
        assert_eq!(slides(&deck), ["q"]);
        let book = [
            0x14, 0, 5, 0, 2, 0, 0, b'h', b'i', 0xb6, 1, 0, 0, 0x3c, 0, 3, 0, 1, b'q', 0,
        ];
        assert_eq!(sheets(&book), ["hi", "q"]);
        let other = [
            0x5a, 0, 22, 0, 1, 0, 0, 0, 2, 2, 0, 0, b'o', b'k', 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0,
        ];
        assert_eq!(sheets(&other), ["ok", "1.5"]);
        let validation = [0xbe, 1, 17, 0, 0, 0, 0, 0, 1, 0, 0, b't', 1, 0, 0, 0, 1, 0, 1, b'p', 0];
        assert_eq!(sheets(&validation), ["t", "p"]);
        for end in 0..other.len() {
            sheets(&other[..end]);
            sheets(&validation[..end.min(validation.len())]);
        }
        for end in 0..book.len() {
            sheets(&book[..end]);
            slides(&deck[..end.min(deck.len())]);
        }
    }
}
