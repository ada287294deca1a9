//! Encodings of bodies and of words in headers (RFC 2045 section 6, RFC 2047).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base 64 in lines of 76, each ended by CRLF.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() / 57 * 78 + 80);
    for line in bytes.chunks(57) {
        base64_line(line, &mut out);
        out.push_str("\r\n");
    }
    out
}

/// Base 64 without line ends.
pub(super) fn base64_line(bytes: &[u8], out: &mut String) {
    for three in bytes.chunks(3) {
        let [a, b, c] = [
            three[0],
            three.get(1).copied().unwrap_or(0),
            three.get(2).copied().unwrap_or(0),
        ];
        let group = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
        for at in 0..4 {
            if at <= three.len() {
                out.push(char::from(DIGITS[(group >> (18 - 6 * at) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
}

/// Quoted-printable of text; its line ends become CRLF.
pub(super) fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let text = text.replace("\r\n", "\n");
    for line in text.split(['\n', '\r']) {
        let bytes = line.as_bytes();
        let mut width = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let last = at + 1 == bytes.len();
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
            let needed = if plain { 1 } else { 3 };
            if width + needed > 75 {
                out.push_str("=\r\n");
                width = 0;
            }
            if plain {
                out.push(char::from(*byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
            width += needed;
        }
        out.push_str("\r\n");
    }
    out
}

/// Words of a header: ASCII as it is, else encoded words of at most 75 characters, folded.
pub(super) fn words(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > 42 {
            encoded_word(&mut out, &chunk);
            chunk.clear();
        }
        chunk.push(c);
    }
    encoded_word(&mut out, &chunk);
    out
}

fn encoded_word(out: &mut String, chunk: &str) {
    if !out.is_empty() {
        out.push_str("\r\n ");
    }
    out.push_str("=?utf-8?B?");
    base64_line(chunk.as_bytes(), out);
    out.push_str("?=");
}
