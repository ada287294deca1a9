//! Binary structures written as text: base64 between lines of dashes, or alone.
//!
//! Main functions: [`base64`], [`plain`]. Invariant: what is no base64 is passed over; no checksum is demanded.

use std::borrow::Cow;

use memchr::memmem;

/// How far from the start the first line of dashes may stand.
const LEAD_BYTES: usize = 4096;

/// The binary form of a CMS structure: itself, or decoded from base64 with or without lines of dashes around it. `None` when it is neither.
pub(super) fn plain(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if bytes.first() == Some(&0x30) {
        return Some(Cow::Borrowed(bytes));
    }
    const MARKS: [&[u8]; 3] = [
        b"-----BEGIN PKCS7-----",
        b"-----BEGIN CMS-----",
        b"-----BEGIN PKCS #7 SIGNED DATA-----",
    ];
    let lead = &bytes[..bytes.len().min(LEAD_BYTES)];
    for mark in MARKS {
        if let Some(at) = memmem::find(lead, mark) {
            return Some(Cow::Owned(base64(&bytes[at + mark.len()..])));
        }
    }
    // A sequence with a long length begins so in base64.
    let start = bytes.trim_ascii_start();
    let first = start
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    let is_base64 = first.len() >= 16 && first.iter().all(|byte| value(*byte).is_some() || *byte == b'=');
    (start.starts_with(b"MI") && is_base64).then(|| Cow::Owned(base64(start)))
}

/// What comes behind the header lines of OpenPGP's armour ([RFC 4880] 6.2): they end with an empty line, which may hold blanks; some writers leave out both.
pub(super) fn after_headers(text: &[u8]) -> &[u8] {
    let mut body = text;
    let mut lines = text;
    while let Some(end) = memchr::memchr(b'\n', lines) {
        let (line, next) = lines.split_at(end + 1);
        let line = line.trim_ascii();
        if line.is_empty() || memmem::find(line, b": ").is_some() || line.ends_with(b":") {
            body = next;
            lines = next;
        } else {
            break;
        }
    }
    body
}

/// Decodes up to the first line of dashes or the end; lines that begin with `=` (a checksum of OpenPGP, [RFC 4880] 6.1) are passed over.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        if line.starts_with(b"-----") {
            break;
        }
        if line.starts_with(b"=") {
            continue;
        }
        for digit in line.iter().filter_map(|byte| value(*byte)) {
            bits = bits << 6 | u32::from(digit);
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
                bits &= (1 << count) - 1;
            }
        }
    }
    out
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_up_to_the_dashes() {
        assert_eq!(base64(b"\nTUlJ\r\nQQ==\n-----END X-----\nTUlJ"), b"MIIA");
        assert_eq!(base64(b"TUlJ\n=twTO\n"), b"MII");
        assert_eq!(base64(b""), b"");
    }

    #[test]
    fn text_is_not_taken_for_base64() {
        assert_eq!(plain(b"MIDDLE EARTH IS FAR AWAY\n"), None);
        assert_eq!(plain(b""), None);
        assert_eq!(
            plain(b"MIAGCSqGSIb3DQEHAqCA\n").as_deref(),
            Some(&b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80"[..])
        );
    }
}
