//! Encodings of mail: base64 and quoted-printable (RFC 2045), encoded words (RFC 2047), parameters (RFC 2231) and the
//! few charsets that the corpus uses.

use crate::wordlist::{GB, KOI8_SMALL};

/// Charsets that a body can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    Latin1,
    Windows1252,
    Koi8R,
    Gb2312,
}

impl Charset {
    /// The name in `charset=`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "iso-8859-1",
            Self::Windows1252 => "windows-1252",
            Self::Koi8R => "koi8-r",
            Self::Gb2312 => "gb2312",
        }
    }

    /// The bytes of `text`; characters that the charset has not, or this table does not know, become `?`.
    pub(crate) fn encode(self, text: &str) -> Vec<u8> {
        if self == Self::Utf8 {
            return text.as_bytes().to_vec();
        }
        let mut out = Vec::with_capacity(text.len());
        for character in text.chars() {
            if character.is_ascii() {
                out.push(character as u8);
            } else {
                self.encode_character(&mut out, character);
            }
        }
        out
    }

    fn encode_character(self, out: &mut Vec<u8>, character: char) {
        let code = u32::from(character);
        match self {
            Self::Utf8 => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Self::Latin1 if (0xa0..=0xff).contains(&code) => out.push(code as u8),
            Self::Windows1252 => out.push(match character {
                '€' => 0x80,
                'œ' => 0x9c,
                'Œ' => 0x8c,
                '\u{2018}' => 0x91,
                '\u{2019}' => 0x92,
                '\u{201c}' => 0x93,
                '\u{201d}' => 0x94,
                '\u{2013}' => 0x96,
                _ if (0xa0..=0xff).contains(&code) => code as u8,
                _ => b'?',
            }),
            Self::Koi8R if (0x430..=0x44f).contains(&code) => out.push(KOI8_SMALL[(code - 0x430) as usize]),
            Self::Koi8R if (0x410..=0x42f).contains(&code) => out.push(KOI8_SMALL[(code - 0x410) as usize] + 0x20),
            Self::Gb2312 => match GB.iter().find(|(known, _)| *known == character) {
                Some((_, bytes)) => out.extend_from_slice(bytes),
                None => out.push(b'?'),
            },
            Self::Latin1 | Self::Koi8R => out.push(b'?'),
        }
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends base64 without line ends.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut groups = bytes.chunks_exact(3);
    for group in &mut groups {
        let value = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        out.extend_from_slice(&[sextet(value, 18), sextet(value, 12), sextet(value, 6), sextet(value, 0)]);
    }
    match *groups.remainder() {
        [one] => {
            let value = u32::from(one) << 16;
            out.extend_from_slice(&[sextet(value, 18), sextet(value, 12), b'=', b'=']);
        }
        [one, two] => {
            let value = u32::from(one) << 16 | u32::from(two) << 8;
            out.extend_from_slice(&[sextet(value, 18), sextet(value, 12), sextet(value, 6), b'=']);
        }
        _ => {}
    }
}

fn sextet(value: u32, shift: u32) -> u8 {
    BASE64[(value >> shift & 63) as usize]
}

/// Appends base64 in lines of 76 characters, the last one ended too.
pub(crate) fn write_base64_lines(out: &mut Vec<u8>, bytes: &[u8]) {
    for line in bytes.chunks(57) {
        write_base64(out, line);
        out.push(b'\n');
    }
}

/// Appends `groups` random groups of four base64 characters in lines of 76: bytes that do not compress.
pub(crate) fn write_random_base64(out: &mut Vec<u8>, rng: &mut crate::rng::Rng, groups: u32) {
    for group in 0..groups {
        let bits = rng.bits() as u32;
        out.extend_from_slice(&[sextet(bits, 18), sextet(bits, 12), sextet(bits, 6), sextet(bits, 0)]);
        if group % 19 == 18 {
            out.push(b'\n');
        }
    }
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
}

/// True for bytes that stand for themselves in quoted-printable text (RFC 2045 section 6.7, rule 2).
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'='
}

/// Appends quoted-printable with soft line breaks before column 76; line ends stay line ends, and no line begins with
/// `From `.
pub(crate) fn write_quoted_printable(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (text, ended) = match line.split_last() {
            Some((b'\n', text)) => (text, true),
            _ => (line, false),
        };
        let mut column = 0;
        for (at, byte) in text.iter().enumerate() {
            if column > 72 {
                out.extend_from_slice(b"=\n");
                column = 0;
            }
            let is_last_space = at + 1 == text.len() && *byte == b' ';
            let is_separator_like = column == 0 && text[at..].starts_with(b"From ");
            if is_plain(*byte) && !is_last_space && !is_separator_like {
                out.push(*byte);
                column += 1;
            } else {
                out.extend_from_slice(&[b'=', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                column += 3;
            }
        }
        if ended {
            out.push(b'\n');
        }
    }
}

/// Appends `text` as encoded words of base64, split so that no word is longer than 75 characters.
pub(crate) fn write_encoded_words(out: &mut Vec<u8>, text: &str, charset: Charset) {
    let mut rest = text;
    let mut is_first = true;
    while !rest.is_empty() {
        let mut end = rest.len().min(30);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        if !is_first {
            out.extend_from_slice(b"\n ");
        }
        is_first = false;
        out.extend_from_slice(b"=?");
        out.extend_from_slice(charset.name().as_bytes());
        out.extend_from_slice(b"?B?");
        write_base64(out, &charset.encode(piece));
        out.extend_from_slice(b"?=");
        rest = after;
    }
}

/// Appends `name*=utf-8''percent-encoded` (RFC 2231 section 4).
pub(crate) fn write_extended_parameter(out: &mut Vec<u8>, name: &str, value: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"*=utf-8''");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_remainder_is_as_rfc_4648_says() {
        for (plain, coded) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let mut out = Vec::new();
            write_base64(&mut out, plain.as_bytes());
            assert_eq!(String::from_utf8_lossy(&out), coded);
        }
    }

    #[test]
    fn quoted_printable_breaks_softly_and_hides_separators() {
        let mut out = Vec::new();
        write_quoted_printable(&mut out, "From here\na=b \ncafé".as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), "=46rom here\na=3Db=20\ncaf=C3=A9");
        out.clear();
        write_quoted_printable(&mut out, &[b'y'; 200]);
        assert!(out.split(|byte| *byte == b'\n').all(|line| line.len() <= 76));
    }

    #[test]
    fn charsets_give_the_bytes_of_their_standards() {
        assert_eq!(Charset::Latin1.encode("né"), [b'n', 0xe9]);
        assert_eq!(Charset::Windows1252.encode("\u{201c}œ"), [0x93, 0x9c]);
        assert_eq!(Charset::Koi8R.encode("дД"), [0xc4, 0xe4]);
        assert_eq!(Charset::Gb2312.encode("中文"), [0xd6, 0xd0, 0xce, 0xc4]);
    }

    #[test]
    fn long_encoded_words_are_split_between_characters() {
        let mut out = Vec::new();
        write_encoded_words(&mut out, &"é".repeat(40), Charset::Utf8);
        let text = String::from_utf8(out).expect("ascii");
        assert!(text.split("\n ").count() > 2);
        assert!(text.split("\n ").all(|word| word.len() <= 75 && word.ends_with("?=")));
    }
}
