//! Runs of characters in bytes that no reader understands.
//!
//! Main function: [`text_of`]. Finds UTF-16LE of the Latin, Greek, Cyrillic, Hebrew and Arabic blocks and bytes of Windows-1252 and UTF-8; text that
//! is compressed, encrypted or in other charsets is not found. Linear in the bytes.

/// Characters that a run needs before it counts as text.
const MIN_RUN: usize = 5;

/// Returns the runs found, one a line, in their order; at most `room` bytes.
pub(super) fn text_of(bytes: &[u8], room: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() && out.len() < room {
        let wide = wide_run(&bytes[at..]);
        if wide >= MIN_RUN * 2 {
            let units: Vec<u16> = bytes[at..at + wide]
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            keep(&String::from_utf16_lossy(&units), &mut out);
            at += wide;
            continue;
        }
        let narrow = bytes[at..].iter().take_while(|byte| is_text(**byte)).count();
        if narrow >= MIN_RUN {
            let run = &bytes[at..at + narrow];
            match std::str::from_utf8(run) {
                Ok(text) => keep(text, &mut out),
                Err(_) => keep(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(run).0, &mut out),
            }
        }
        at += narrow.max(1);
    }
    let end = (0..=out.len().min(room))
        .rev()
        .find(|at| out.is_char_boundary(*at))
        .unwrap_or(0);
    out.truncate(end);
    out
}

/// Bytes of UTF-16LE text that begin here.
fn wide_run(bytes: &[u8]) -> usize {
    let units = bytes.chunks_exact(2).take_while(|pair| match (pair[0], pair[1]) {
        (low, 0) => matches!(low, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0xa0..=0xff),
        (low, 1..=6) => low != 0 || pair[1] > 1,
        (low, 0x20) => matches!(low, 0x10..=0x3f | 0xac),
        _ => false,
    });
    units.count() * 2
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 0x80..=0xff)
}

/// A run is kept when most of it is letters, digits and blanks, and it has a few letters.
fn keep(run: &str, out: &mut String) {
    let (mut letters, mut usual, mut all) = (0usize, 0usize, 0usize);
    for c in run.chars() {
        all += 1;
        letters += usize::from(c.is_alphabetic());
        usual += usize::from(c.is_ascii_alphanumeric() || c.is_whitespace() || (c.is_alphabetic() && c > '\u{ff}'));
    }
    if letters >= 3 && usual * 10 >= all * 7 {
        out.push_str(run.trim());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_widths_are_found() {
        let mut bytes = b"\x01\x02\x03Plain words here\0\0\0\x07".to_vec();
        bytes.extend("Wide words, Привет".encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0, 0, 1, 2]);
        let text = text_of(&bytes, 1 << 20);
        assert!(text.contains("Plain words here"), "{text}");
        assert!(text.contains("Wide words, Привет"), "{text}");
        assert!(text_of(&[0u8; 1000], 1 << 20).is_empty());
        assert!(text_of(&bytes, 7).len() <= 7);
    }
}
