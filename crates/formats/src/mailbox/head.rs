//! What the splitter needs from the header of a stored message: where it ends, Content-Length, and the boundary of a
//! multipart.
//!
//! Not for: reading mail. Invariant: pure over the bytes of one header.

use memchr::memmem;

/// A header longer than this is not searched for its end; such a message is split by separators alone.
pub(super) const LONGEST_HEAD: usize = 256 * 1024;

/// The header of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes from the start of the message to the first byte of its body.
    pub(super) length: usize,
    /// The value of the first Content-Length.
    pub(super) content_length: Option<u64>,
    /// The boundary of a multipart, without its dashes.
    pub(super) boundary: Option<Vec<u8>>,
}

/// Bytes at the start of a file that mean nothing: a byte order mark, empty lines.
pub(crate) fn lead_in(start: &[u8]) -> usize {
    let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    mark + start[mark..]
        .iter()
        .take_while(|byte| matches!(byte, b'\n' | b'\r'))
        .count()
}

/// Where the body starts in a message, when the empty line is among these bytes.
pub(super) fn body_start(message: &[u8], line_end: u8) -> Option<usize> {
    if line_end == b'\r' {
        return match message {
            [b'\r', ..] => Some(1),
            _ => memmem::find(message, b"\r\r").map(|at| at + 2),
        };
    }
    match message {
        [b'\n', ..] => return Some(1),
        [b'\r', b'\n', ..] => return Some(2),
        _ => {}
    }
    let first = memchr::memchr(b'\n', message)?;
    if first > 0 && message[first - 1] == b'\r' {
        memmem::find(message, b"\n\r\n").map(|at| at + 3)
    } else {
        memmem::find(message, b"\n\n").map(|at| at + 2)
    }
}

/// Reads a header: the bytes from the start of a message to its body.
pub(super) fn read(header: &[u8], line_end: u8, want_length: bool) -> Head {
    let mut head = Head {
        length: header.len(),
        ..Head::default()
    };
    if want_length {
        head.content_length = field(header, b"content-length", line_end).and_then(|value| parse_length(&value));
    }
    // Most headers name no boundary: one fast look saves going through their lines.
    if memmem::find(header, b"oundary").is_some() || memmem::find(header, b"OUNDARY").is_some() {
        head.boundary = field(header, b"content-type", line_end).and_then(|value| parse_boundary(&value));
    }
    head
}

/// The value of the first field of this lower-case name, with its folds.
fn field(header: &[u8], name: &[u8], line_end: u8) -> Option<Vec<u8>> {
    let mut lines = header.split(|byte| *byte == line_end);
    let first = lines.find(|line| {
        line.len() > name.len()
            && line[..name.len()].eq_ignore_ascii_case(name)
            && line[name.len()..].trim_ascii_start().first() == Some(&b':')
    })?;
    let colon = first.iter().position(|byte| *byte == b':')?;
    let mut value = first[colon + 1..].to_vec();
    for line in lines.take_while(|line| matches!(line.first(), Some(b' ' | b'\t'))) {
        value.extend_from_slice(line);
    }
    Some(value)
}

fn parse_length(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

/// The `boundary` parameter (RFC 2046 section 5.1.1), quoted or not.
fn parse_boundary(value: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    loop {
        let found = value[at..]
            .windows(8)
            .position(|word| word.eq_ignore_ascii_case(b"boundary"))?;
        at += found + 8;
        let rest = value[at..].trim_ascii_start();
        let Some(rest) = rest.strip_prefix(b"=") else { continue };
        let rest = rest.trim_ascii_start();
        let boundary: Vec<u8> = match rest.strip_prefix(b"\"") {
            Some(quoted) => quoted.iter().copied().take_while(|byte| *byte != b'"').collect(),
            None => rest
                .iter()
                .copied()
                .take_while(|byte| !matches!(byte, b';' | b' ' | b'\t' | b'\r' | b'('))
                .collect(),
        };
        return (!boundary.is_empty() && boundary.len() <= 200).then_some(boundary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_starts_after_the_first_empty_line_in_each_kind_of_line_end() {
        assert_eq!(body_start(b"A: b\n\nx\r\n\r\ny", b'\n'), Some(6));
        assert_eq!(body_start(b"A: b\r\n\r\nx", b'\n'), Some(8));
        assert_eq!(body_start(b"\nx", b'\n'), Some(1));
        assert_eq!(body_start(b"\r\nx", b'\n'), Some(2));
        assert_eq!(body_start(b"A: b\r\rx", b'\r'), Some(6));
        assert_eq!(body_start(b"A: b\nC: d\n", b'\n'), None);
    }

    #[test]
    fn boundary_and_length_are_read_from_folded_fields() {
        let header = b"Subject: boundary=\"no\"\nCONTENT-TYPE: multipart/mixed;\n\tBoundary = \"a b=\"; x=y\nContent-Length:  12 \nContent-Length: 13\n\n";
        let head = read(header, b'\n', true);
        assert_eq!(head.boundary.as_deref(), Some(&b"a b="[..]));
        assert_eq!(head.content_length, Some(12));
        let head = read(b"Content-Type: multipart/mixed; boundary=abc; x\r\n\r\n", b'\n', false);
        assert_eq!(head.boundary.as_deref(), Some(&b"abc"[..]));
        assert_eq!(read(b"Subject: the boundary\n\n", b'\n', false).boundary, None);
    }
}
