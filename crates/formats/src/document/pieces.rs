//! All characters of a DOC by its piece table ([MS-DOC] 2.4.1, 2.8.35, 2.9.38): body, notes, headers, comments, boxes, deleted and hidden text, and the
//! instructions of fields, which no reader shows.
//!
//! Main function: [`paragraphs`]. Only Word 97 and later; older files have another header and are left to the package.

use embley_mapi::compound::Tree;

/// Pieces that are followed; a table that says more is not true.
const MAX_PIECES: usize = 1 << 20;

/// The paragraphs of the document, control characters as boundaries; empty when there is no piece table.
pub(super) fn paragraphs(tree: &Tree) -> Vec<String> {
    let text = text(tree).unwrap_or_default();
    let parts = text.split(|c: char| c.is_control() && c != '\t' && c != '\u{1f}' && c != '\u{1e}');
    parts
        .filter(|part| part.chars().any(char::is_alphanumeric))
        .map(str::to_owned)
        .collect()
}

fn text(tree: &Tree) -> Option<String> {
    let main = &tree.node(tree.child(tree.root(), "WordDocument")?).content;
    // 2.5.2: version of the header, then which table stream is meant.
    let version = u16::from_le_bytes([*main.get(2)?, *main.get(3)?]);
    if version < 0x00c1 {
        return None;
    }
    let flags = u16::from_le_bytes([*main.get(10)?, *main.get(11)?]);
    let table = if flags & 0x0200 != 0 { "1Table" } else { "0Table" };
    let table = &tree.node(tree.child(tree.root(), table)?).content;
    // 2.5.6: `fcClx`, `lcbClx`.
    let from = word(main, 0x01a2)?;
    let clx = table.get(from..from.checked_add(word(main, 0x01a6)?)?.min(table.len()))?;
    let mut at = 0;
    // 2.9.38: any number of property lists, then the table.
    while *clx.get(at)? == 1 {
        let length = usize::from(u16::from_le_bytes([*clx.get(at + 1)?, *clx.get(at + 2)?]));
        at = at.checked_add(3 + length)?;
    }
    if *clx.get(at)? != 2 {
        return None;
    }
    let plc = clx.get(at + 5..)?;
    let plc = &plc[..word(clx, at + 1)?.min(plc.len())];
    let pieces = (plc.len().checked_sub(4)? / 12).min(MAX_PIECES);
    let mut out = String::new();
    let mut left = main.len();
    for piece in 0..pieces {
        let (first, last) = (word(plc, piece * 4)?, word(plc, piece * 4 + 4)?);
        let length = last.checked_sub(first)?;
        let place = word(plc, (pieces + 1) * 4 + piece * 8 + 2)?;
        // 2.9.73: bit 30 says that a character is one byte.
        let (from, bytes) = if place & 0x4000_0000 != 0 {
            ((place & 0x3fff_ffff) / 2, length)
        } else {
            (place & 0x3fff_ffff, length.checked_mul(2)?)
        };
        let Some(content) = main.get(from..from.saturating_add(bytes).min(main.len())) else {
            continue;
        };
        // Pieces that share their bytes cannot multiply the text.
        left = left.checked_sub(content.len())?;
        if place & 0x4000_0000 != 0 {
            out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(content).0);
        } else {
            let units: Vec<u16> = content
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            out.push_str(&String::from_utf16_lossy(&units));
        }
    }
    Some(out)
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use embley_mapi::compound::Node;

    use super::*;

    #[test]
    fn pieces_of_both_widths_are_read_and_fields_are_boundaries() {
        let mut main = vec![0u8; 0x200];
        main[2] = 0xc1;
        main[11] = 2;
        let narrow = main.len();
        main.extend(b"one\rtwo\x13 HYPERLINK \"x\"\x14");
        let wide = main.len();
        main.extend("дом\r".encode_utf16().flat_map(u16::to_le_bytes));
        let narrow_length = wide - narrow;
        let mut plc = Vec::new();
        for position in [0, narrow_length, narrow_length + 4] {
            plc.extend(u32::try_from(position).expect("short").to_le_bytes());
        }
        for place in [0x4000_0000 | (narrow * 2), wide] {
            plc.extend([0, 0]);
            plc.extend(u32::try_from(place).expect("short").to_le_bytes());
            plc.extend([0, 0]);
        }
        let mut clx = vec![2];
        clx.extend(u32::try_from(plc.len()).expect("short").to_le_bytes());
        clx.extend(plc);
        main[0x1a6..0x1aa].copy_from_slice(&u32::try_from(clx.len()).expect("short").to_le_bytes());
        let mut tree = Tree::new();
        let root = tree.root();
        for (name, content) in [("WordDocument", main), ("1Table", clx)] {
            let node = Node {
                name: name.to_owned(),
                is_stream: true,
                content,
                ..Node::default()
            };
            tree.add(root, node);
        }
        assert_eq!(paragraphs(&tree), ["one", "two", " HYPERLINK \"x\"", "дом"]);
    }
}
