//! Transfer encodings (RFC 2045 section 6), decoded line by line from memory or from a stream.
//!
//! Invariant: the result does not depend on how the bytes were cut into pieces. What is no base64 in a
//! base64 part (list footers, inserted notices) is set aside as text, never dropped; decoding goes on after it.

use super::uu;

/// A line longer than this is decoded in pieces of this size.
pub(crate) const LINE_BYTES: usize = 4096;

/// Bytes of foreign text kept from a base64 part.
const TRAILER_BYTES: usize = 4 << 20;

/// A transfer encoding as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// `7bit`, `8bit`, `binary`, or nothing.
    #[default]
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    Quoted,
    /// `x-uuencode` and its spellings.
    Uuencode,
    /// Anything else: read as it is, and said.
    Unknown(String),
}

impl Transfer {
    /// The encoding named by a header value.
    pub(crate) fn from_label(label: &[u8]) -> Self {
        let text = String::from_utf8_lossy(label);
        let bare = text.split([';', '(', ' ', ',']).next().unwrap_or_default();
        let bare = bare.trim_matches(['"', '\'', '.']).to_ascii_lowercase();
        match bare.as_str() {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "7bits" | "8bits" | "none" => Self::Identity,
            "base64" | "base-64" | "x-base64" => Self::Base64,
            "quoted-printable" | "quotedprintable" | "qp" => Self::Quoted,
            "x-uuencode" | "uuencode" | "x-uue" | "uue" | "x-uu" => Self::Uuencode,
            _ => Self::Unknown(bare.chars().take(40).collect()),
        }
    }

    /// True when the bytes stand for themselves.
    pub(crate) fn is_identity(&self) -> bool {
        match self {
            Self::Identity | Self::Unknown(_) => true,
            Self::Base64 | Self::Quoted | Self::Uuencode => false,
        }
    }
}

/// Decodes one part. Cloning it saves the place, so that decoding can be taken up again from there.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    kind: Transfer,
    /// A line that is not complete yet.
    partial: Vec<u8>,
    /// The present line was begun in an earlier piece.
    inside_line: bool,
    quad: u32,
    count: u8,
    padded: bool,
    uu_state: UuState,
    /// Lines that were not what the encoding allows.
    pub errors: u64,
    /// Some of what was encoded did not come out; foreign lines and literal `=` are kept and do not count.
    pub lost: bool,
    /// Text found among base64 lines.
    pub trailer: Vec<u8>,
    /// There was more of it than is kept.
    pub trailer_cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UuState {
    Before,
    Inside,
    After,
}

impl Decoder {
    pub(crate) fn new(kind: &Transfer) -> Self {
        Self {
            kind: kind.clone(),
            partial: Vec::new(),
            inside_line: false,
            quad: 0,
            count: 0,
            padded: false,
            uu_state: UuState::Before,
            errors: 0,
            lost: false,
            trailer: Vec::new(),
            trailer_cut: false,
        }
    }

    /// The present place, without what was set aside so far.
    pub(crate) fn saved(&mut self) -> Self {
        let trailer = std::mem::take(&mut self.trailer);
        let saved = self.clone();
        self.trailer = trailer;
        saved
    }

    /// Decodes the next bytes of the part onto `out`.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.kind.is_identity() {
            out.extend_from_slice(bytes);
            return;
        }
        let mut rest = bytes;
        if !self.partial.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let mut line = std::mem::take(&mut self.partial);
            line.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
            let used = self.lines(&line, false, out);
            line.drain(..used);
            self.partial = line;
            if !self.partial.is_empty() {
                // No line end in all of `bytes`.
                return;
            }
        }
        let used = self.lines(rest, false, out);
        self.partial.extend_from_slice(&rest[used..]);
    }

    /// Decodes what is left. Nothing may be pushed afterwards.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        let last = std::mem::take(&mut self.partial);
        self.lines(&last, true, out);
        match self.kind {
            Transfer::Base64 => {
                let count = self.count;
                self.flush_quad(out);
                if count == 1 {
                    self.errors += 1;
                    self.lost = true;
                }
            }
            Transfer::Uuencode if self.uu_state != UuState::After => {
                self.errors += 1;
                self.lost = true;
            }
            _ => {}
        }
    }

    /// Decodes whole lines, and pieces of lines that are too long; returns how many bytes were used.
    fn lines(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            // No further than a line may go, so that a part without line ends is not searched again and again.
            let line_end = memchr::memchr(b'\n', &rest[..rest.len().min(LINE_BYTES)]).map(|end| end + 1);
            if line_end.is_none() && rest.len() > LINE_BYTES {
                let cut = self.piece_len(&rest[..LINE_BYTES]);
                self.line(&rest[..cut], true, out);
                self.inside_line = true;
                at += cut;
                continue;
            }
            let length = line_end.unwrap_or(rest.len());
            if line_end.is_none() && !last {
                break;
            }
            let long = std::mem::take(&mut self.inside_line);
            self.line(&rest[..length], long, out);
            at += length;
        }
        at
    }

    /// Where a piece of a long line can be cut: not inside `=XX`, not within blanks that may end the line.
    fn piece_len(&self, piece: &[u8]) -> usize {
        if self.kind != Transfer::Quoted {
            return piece.len();
        }
        let blanks = piece
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
            .count();
        let mut cut = piece.len() - blanks;
        if let Some(at) = piece[cut.saturating_sub(2)..cut].iter().position(|byte| *byte == b'=') {
            cut = cut.saturating_sub(2) + at;
        }
        if cut == 0 { piece.len() } else { cut }
    }

    fn line(&mut self, line: &[u8], long: bool, out: &mut Vec<u8>) {
        match self.kind {
            Transfer::Base64 => self.base64_line(line, long, out),
            Transfer::Quoted => self.quoted_line(line, long, out),
            Transfer::Uuencode => self.uu_line(line, out),
            Transfer::Identity | Transfer::Unknown(_) => out.extend_from_slice(line),
        }
    }

    fn base64_line(&mut self, line: &[u8], long: bool, out: &mut Vec<u8>) {
        let content = line.trim_ascii_end();
        if content.is_empty() {
            return;
        }
        if !long && (is_prose(content) || (self.padded && !is_whole_base64(content))) {
            self.foreign(line);
            return;
        }
        let saved = (self.quad, self.count, self.padded, out.len());
        let invalid = self.base64_bytes(content, out);
        let text_at = text_after_padding(content);
        if !long && text_at < content.len() {
            (self.quad, self.count, self.padded) = (saved.0, saved.1, saved.2);
            out.truncate(saved.3);
            self.base64_bytes(&content[..text_at], out);
            self.foreign(&line[text_at..]);
            return;
        }
        if invalid == 0 {
            return;
        }
        if !long && (is_wordy(content) || invalid * 16 > content.len()) {
            (self.quad, self.count, self.padded) = (saved.0, saved.1, saved.2);
            out.truncate(saved.3);
            self.foreign(line);
            return;
        }
        self.errors += 1;
        self.lost = true;
    }

    /// Decodes the alphabet's characters of a line; returns how many others there were, blanks apart.
    fn base64_bytes(&mut self, content: &[u8], out: &mut Vec<u8>) -> usize {
        let mut invalid = 0;
        let mut rest = content;
        out.reserve(content.len() / 4 * 3 + 3);
        while !rest.is_empty() {
            if self.count == 0 {
                let (groups, _) = rest.as_chunks::<4>();
                let mut used = 0;
                for [a, b, c, d] in groups {
                    let [a, b, c, d] = [a, b, c, d].map(|byte| BASE64[usize::from(*byte)]);
                    if (a | b | c | d) & 0xC0 != 0 {
                        break;
                    }
                    let word = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                    let [_, x, y, z] = word.to_be_bytes();
                    out.extend_from_slice(&[x, y, z]);
                    used += 4;
                }
                if used > 0 {
                    self.padded = false;
                    rest = &rest[used..];
                }
            }
            let Some((byte, tail)) = rest.split_first() else {
                break;
            };
            rest = tail;
            let value = BASE64[usize::from(*byte)];
            if value < 64 {
                self.padded = false;
                self.quad = self.quad << 6 | u32::from(value);
                self.count += 1;
                if self.count == 4 {
                    let [_, x, y, z] = self.quad.to_be_bytes();
                    out.extend_from_slice(&[x, y, z]);
                    self.quad = 0;
                    self.count = 0;
                }
            } else if *byte == b'=' {
                self.flush_quad(out);
                self.padded = true;
            } else if !byte.is_ascii_whitespace() {
                invalid += 1;
            }
        }
        invalid
    }

    fn flush_quad(&mut self, out: &mut Vec<u8>) {
        let bits = self.quad.to_be_bytes();
        match self.count {
            2 => out.push((self.quad >> 4).to_be_bytes()[3]),
            3 => out.extend_from_slice(&(self.quad >> 2).to_be_bytes()[2..]),
            _ => debug_assert!(bits[0] == 0 || self.count < 4),
        }
        self.quad = 0;
        self.count = 0;
    }

    fn foreign(&mut self, line: &[u8]) {
        self.errors += 1;
        if self.trailer.len() + line.len() <= TRAILER_BYTES {
            self.trailer.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                self.trailer.push(b'\n');
            }
        } else {
            self.trailer_cut = true;
        }
    }

    fn quoted_line(&mut self, line: &[u8], long: bool, out: &mut Vec<u8>) {
        let ends = line.ends_with(b"\n");
        // Blanks before a line end were added on the way (RFC 2045 section 6.7, rule 3).
        let whole = ends || !long || !self.inside_line;
        let content = if whole { line.trim_ascii_end() } else { line };
        let line_end: &[u8] = match (ends, line.ends_with(b"\r\n")) {
            (true, true) => b"\r\n",
            (true, false) => b"\n",
            (false, _) => b"",
        };
        let mut rest = content;
        while let Some(at) = memchr::memchr(b'=', rest) {
            out.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            if rest.is_empty() {
                // A soft line break.
                return;
            }
            let high = rest.first().map_or(255, |byte| HEX[usize::from(*byte)]);
            let low = rest.get(1).map_or(255, |byte| HEX[usize::from(*byte)]);
            if high < 16 && low < 16 {
                out.push(high << 4 | low);
                rest = &rest[2..];
            } else {
                self.errors += 1;
                out.push(b'=');
            }
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(line_end);
    }

    fn uu_line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        match self.uu_state {
            UuState::Before => {
                if uu::begin(line).is_some() {
                    self.uu_state = UuState::Inside;
                } else if !line.trim_ascii().is_empty() {
                    self.foreign(line);
                }
            }
            UuState::Inside => match uu::line(line) {
                uu::Line::End => self.uu_state = UuState::After,
                uu::Line::Data(bytes) => out.extend_from_slice(&bytes),
                uu::Line::Zero => {}
                uu::Line::Other => {
                    self.lost = true;
                    self.foreign(line);
                }
            },
            UuState::After => {
                if !line.trim_ascii().is_empty() {
                    self.foreign(line);
                }
            }
        }
    }
}

/// Blanks inside a line.
fn is_wordy(content: &[u8]) -> bool {
    memchr::memchr2(b' ', b'\t', content.trim_ascii_start()).is_some()
}

/// Words of the length that words have: a part that was only declared to be base64.
fn is_prose(content: &[u8]) -> bool {
    let content = content.trim_ascii_start();
    if !is_wordy(content) {
        return false;
    }
    let words = content
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .count();
    words > 2 && content.len() < words * 16
}

/// Where text begins that follows padding and a blank on the same line; the length of the line when none does.
fn text_after_padding(content: &[u8]) -> usize {
    let last = content.last().copied().unwrap_or(b'=');
    if last == b'=' {
        return content.len();
    }
    let Some(padding) = memchr::memchr(b'=', content) else {
        return content.len();
    };
    let signs = content[padding..].iter().take_while(|byte| **byte == b'=').count();
    match content.get(padding + signs) {
        Some(b' ' | b'\t') => padding + signs,
        _ => content.len(),
    }
}

/// A line of nothing but whole groups of base64.
fn is_whole_base64(content: &[u8]) -> bool {
    content.len().is_multiple_of(4)
        && content
            .iter()
            .all(|byte| BASE64[usize::from(*byte)] < 64 || *byte == b'=')
}

const fn base64_table() -> [u8; 256] {
    let mut table = [0xFF; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    table
}

const fn hex_table() -> [u8; 256] {
    let mut table = [0xFF; 256];
    let mut value = 0;
    while value < 10 {
        table[b'0' as usize + value] = value as u8;
        value += 1;
    }
    while value < 16 {
        table[b'A' as usize + value - 10] = value as u8;
        table[b'a' as usize + value - 10] = value as u8;
        value += 1;
    }
    table
}

static BASE64: [u8; 256] = base64_table();
static HEX: [u8; 256] = hex_table();

/// Base64 of an encoded word or header value; what is not of the alphabet is passed over.
pub(crate) fn base64_bytes(content: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(&Transfer::Base64);
    let mut out = Vec::with_capacity(content.len() / 4 * 3 + 3);
    decoder.base64_bytes(content, &mut out);
    decoder.flush_quad(&mut out);
    out
}

/// Writes base64 without line ends.
pub(crate) fn encode_base64(bytes: &[u8], out: &mut String) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = usize::try_from(word >> shift & 63).unwrap_or(0);
            out.push(if index <= group.len() {
                ALPHABET[digit] as char
            } else {
                '='
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(kind: &Transfer, bytes: &[u8]) -> (Vec<u8>, u64, Vec<u8>) {
        let mut decoder = Decoder::new(kind);
        let mut out = Vec::new();
        decoder.push(bytes, &mut out);
        decoder.finish(&mut out);
        (out, decoder.errors, decoder.trailer)
    }

    #[test]
    fn base64_is_decoded_with_and_without_padding_and_line_ends() {
        for text in [
            "aGVsbG8=",
            "aGVs\r\nbG8=\r\n",
            "aGVsbG8",
            "aGVs bG8=",
            "\n\naGVsbG8=\n\n",
        ] {
            let (out, errors, _) = decode(&Transfer::Base64, text.as_bytes());
            assert_eq!((out.as_slice(), errors), (&b"hello"[..], 0), "{text}");
        }
        assert_eq!(base64_bytes(b"w6TDtg=="), "äö".as_bytes());
    }

    #[test]
    fn text_after_or_between_base64_is_set_aside_and_decoding_goes_on() {
        let (out, errors, trailer) = decode(&Transfer::Base64, b"aGVsbG8=\n____\nlist info at x.example\n");
        assert_eq!(out, b"hello");
        assert!(errors > 0);
        assert_eq!(trailer, b"____\nlist info at x.example\n");
        let (out, errors, trailer) = decode(&Transfer::Base64, b"aGVs\n*** notice: scanned ***\nbG8=\n");
        assert_eq!((out.as_slice(), errors), (&b"hello"[..], 1));
        assert_eq!(trailer, b"*** notice: scanned ***\n");
        let (out, errors, _) = decode(&Transfer::Base64, b"aGVsbGVsbGVsbGVsbGVsbGVs!bG8=\n");
        assert_eq!((out.as_slice(), errors), (&b"hellellellellellello"[..], 1));
    }

    #[test]
    fn text_behind_the_padding_is_set_aside() {
        let (out, errors, trailer) = decode(&Transfer::Base64, b"aGVsbG8= ignored\n");
        assert_eq!(
            (out.as_slice(), errors, trailer.as_slice()),
            (&b"hello"[..], 1, &b" ignored\n"[..])
        );
    }

    #[test]
    fn plain_words_declared_as_base64_are_kept_as_text() {
        let text = b"slipblept geskchant gluddrach\nfasstross voongluf gluzzast\n";
        let (out, errors, trailer) = decode(&Transfer::Base64, text);
        assert_eq!((out.as_slice(), errors, trailer.as_slice()), (&b""[..], 2, &text[..]));
    }

    #[test]
    fn quoted_printable_follows_rfc_2045_and_keeps_what_is_broken() {
        let check = |text: &str, expected: &str, errors: u64| {
            let (out, found, _) = decode(&Transfer::Quoted, text.as_bytes());
            assert_eq!(
                (String::from_utf8_lossy(&out).as_ref(), found),
                (expected, errors),
                "{text:?}"
            );
        };
        check("caf=C3=A9 =\r\nau lait=20\r\n", "café au lait \r\n", 0);
        check("a  \nb\t\r\n", "a\nb\r\n", 0);
        check("soft= \nbreak", "softbreak", 0);
        check("100=ZZ =", "100=ZZ ", 1);
        check("=c3=a4=3d", "ä=", 0);
    }

    #[test]
    fn a_declared_uuencoded_part_is_decoded() {
        let (out, errors, _) = decode(&Transfer::Uuencode, b"begin 644 a.txt\n#0V%T\n`\nend\n");
        assert_eq!((out.as_slice(), errors), (&b"Cat"[..], 0));
    }

    #[test]
    fn labels_are_read_with_their_usual_mistakes() {
        assert_eq!(Transfer::from_label(b"BASE64"), Transfer::Base64);
        assert_eq!(Transfer::from_label(b"\"quoted-printable\""), Transfer::Quoted);
        assert_eq!(Transfer::from_label(b"8bit;"), Transfer::Identity);
        assert_eq!(Transfer::from_label(b"x-token"), Transfer::Unknown("x-token".into()));
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_result(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'='), Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'A'), Just(b'4'), Just(b'!'), any::<u8>()],
                0..9000
            ),
            stretch in any::<bool>(),
            cuts in proptest::collection::vec(1_usize..3000, 1..8),
            kind in prop_oneof![Just(Transfer::Base64), Just(Transfer::Quoted), Just(Transfer::Uuencode)],
        ) {
            let bytes: Vec<u8> = if stretch { bytes.into_iter().filter(|b| *b != b'\n').collect() } else { bytes };
            let whole = decode(&kind, &bytes);
            let mut decoder = Decoder::new(&kind);
            let mut out = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (head, tail) = rest.split_at((*cut).min(rest.len()));
                decoder.push(head, &mut out);
                rest = tail;
            }
            decoder.finish(&mut out);
            prop_assert_eq!((out, decoder.errors, decoder.trailer), whole);
        }

        #[test]
        fn base64_round_trips(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut text = String::new();
            encode_base64(&bytes, &mut text);
            prop_assert_eq!(base64_bytes(text.as_bytes()), bytes);
        }
    }
}
