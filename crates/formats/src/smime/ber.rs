//! BER and DER ([X.690] 8.1): elements behind one another, by reference into the bytes.
//!
//! Not for: what the elements mean. Main type: [`Elements`]. Invariant: nothing recurses; an element never reaches beyond the bytes that are there, and one that
//! claims to says so; reading one level costs one pass over it.

use std::borrow::Cow;

/// Universal types that are used here, with the bit for constructed ones.
pub(super) mod tag {
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const OCTETS: u8 = 0x04;
    pub(in super::super) const OID: u8 = 0x06;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;
    /// `[0]`, constructed.
    pub(in super::super) const CONTEXT_0: u8 = 0xa0;
}

const CONSTRUCTED: u8 = 0x20;
/// Most octets of a tag number or a length.
const MAX_NUMBER_OCTETS: usize = 8;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The identifier octet; of tag numbers above 30 only the first octet.
    pub(super) tag: u8,
    /// Its content, without the end marker of an indefinite length.
    pub(super) content: &'a [u8],
    /// It claims more than is there, or its end marker is missing.
    pub(super) cut: bool,
}

impl<'a> Element<'a> {
    /// What is inside.
    pub(super) fn elements(&self) -> Elements<'a> {
        Elements { rest: self.content }
    }

    /// The value of an octet string; one in pieces is put together (8.7.3). True when it is cut.
    pub(super) fn octets(&self) -> (Cow<'a, [u8]>, bool) {
        if self.tag & CONSTRUCTED == 0 {
            return (Cow::Borrowed(self.content), self.cut);
        }
        // Pieces may be in pieces again: entering one is reading on, so that one pass does for any depth.
        let mut out = Vec::new();
        let mut rest = self.content;
        let mut cut = self.cut;
        while let Some(head) = Head::read(rest) {
            let body = &rest[head.size..];
            if head.is_end() {
                rest = body;
            } else if head.tag & CONSTRUCTED != 0 {
                cut |= head.length.is_some_and(|length| length > body.len());
                rest = body;
            } else {
                let length = head.length.unwrap_or(0);
                cut |= length > body.len();
                let (piece, next) = body.split_at(length.min(body.len()));
                out.extend_from_slice(piece);
                rest = next;
            }
        }
        (Cow::Owned(out), cut || !rest.is_empty())
    }
}

/// Reads elements of one level, in order. Ends at the end marker, at the end of the bytes, or where no element begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements of `bytes`.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next one, if it has this tag; else nothing is passed over.
    pub(super) fn tagged(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// Bytes that were not read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let head = Head::read(self.rest).filter(|head| !head.is_end())?;
        let body = &self.rest[head.size..];
        let (length, end, cut) = match head.length {
            Some(length) => (length.min(body.len()), 0, length > body.len()),
            None => match end_marker(body) {
                Some(at) => (at, 2, false),
                None => (body.len(), 0, true),
            },
        };
        self.rest = &body[length + end..];
        Some(Element {
            tag: head.tag,
            content: &body[..length],
            cut,
        })
    }
}

/// Where the end marker lies that closes an indefinite length whose content `body` begins with.
fn end_marker(body: &[u8]) -> Option<usize> {
    let mut open = 0_u64;
    let mut at = 0_usize;
    loop {
        let head = Head::read(body.get(at..)?)?;
        let next = at.checked_add(head.size)?;
        at = if head.is_end() {
            if open == 0 {
                return Some(at);
            }
            open -= 1;
            next
        } else if let Some(length) = head.length {
            next.checked_add(length)?
        } else {
            open += 1;
            next
        };
    }
}

struct Head {
    tag: u8,
    /// Octets of identifier and length.
    size: usize,
    /// `None` for the indefinite form.
    length: Option<usize>,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let tag = *bytes.first()?;
        let mut size = 1;
        if tag & 0x1f == 0x1f {
            let number = bytes[1..].iter().take(MAX_NUMBER_OCTETS);
            size += number.take_while(|octet| **octet & 0x80 != 0).count() + 1;
        }
        let first = *bytes.get(size)?;
        size += 1;
        if first < 0x80 {
            let length = Some(usize::from(first));
            return Some(Self { tag, size, length });
        }
        if first == 0x80 {
            // Only what has elements inside can end with a marker (8.1.3.2).
            let constructed = tag & CONSTRUCTED != 0;
            return constructed.then_some(Self {
                tag,
                size,
                length: None,
            });
        }
        let count = usize::from(first & 0x7f);
        let octets = bytes.get(size..size.checked_add(count)?)?;
        let significant = without_zeros(octets);
        if significant.len() > MAX_NUMBER_OCTETS {
            return None;
        }
        let length = significant
            .iter()
            .fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
        let length = Some(usize::try_from(length).unwrap_or(usize::MAX));
        Some(Self {
            tag,
            size: size + count,
            length,
        })
    }

    fn is_end(&self) -> bool {
        self.tag == 0 && self.length == Some(0)
    }
}

fn without_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

/// An object identifier as numbers and dots (8.19); nothing for what is none.
pub(super) fn oid_text(content: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut value = 0_u64;
    for octet in content.iter().take(128) {
        let Some(shifted) = value.checked_mul(128) else {
            return String::new();
        };
        value = shifted | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (value / 40).min(2);
                arcs.push(first);
                arcs.push(value - first * 40);
            } else {
                arcs.push(value);
            }
            value = 0;
        }
    }
    let words: Vec<String> = arcs.iter().map(u64::to_string).collect();
    words.join(".")
}

/// One element as DER writes it (10.1).
pub(super) fn encoded(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|octet| **octet == 0).count();
    if content.len() < 0x80 {
        out.push(content.len() as u8);
    } else {
        out.push(0x80 | (length.len() - zeros) as u8);
        out.extend_from_slice(&length[zeros..]);
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_short_as_they_can() {
        assert_eq!(encoded(0x04, b"ab"), b"\x04\x02ab");
        assert_eq!(&encoded(0x04, &[0; 200])[..3], b"\x04\x81\xc8");
        assert_eq!(&encoded(0x04, &[0; 300])[..4], b"\x04\x82\x01\x2c");
    }

    #[test]
    fn lengths_of_every_form_are_read() {
        let check = |bytes: &[u8], content: &[u8], cut: bool| {
            let found = Elements::of(bytes).next().expect("an element");
            assert_eq!((found.content, found.cut), (content, cut), "{bytes:x?}");
        };
        check(b"\x04\x02ab", b"ab", false);
        check(b"\x04\x81\x02ab", b"ab", false);
        check(b"\x04\x8a\0\0\0\0\0\0\0\0\0\x02ab", b"ab", false);
        check(b"\x04\x05ab", b"ab", true);
        check(b"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xffab", b"ab", true);
        check(b"\x30\x80\x04\x01a\0\0", b"\x04\x01a", false);
        check(
            b"\x30\x80\x30\x80\0\0\x04\x01a\0\0rest",
            b"\x30\x80\0\0\x04\x01a",
            false,
        );
        check(b"\x30\x80\x04\x01a", b"\x04\x01a", true);
        assert_eq!(Elements::of(b"\x04\x80a").next(), None);
        assert_eq!(Elements::of(b"").next(), None);
        assert_eq!(Elements::of(b"\x04").next(), None);
        assert_eq!(Elements::of(b"\0\0").next(), None);
    }

    #[test]
    fn octets_in_pieces_are_put_together_at_any_depth() {
        let check = |bytes: &[u8], expected: &[u8], cut: bool| {
            let element = Elements::of(bytes).next().expect("an element");
            let (octets, is_cut) = element.octets();
            assert_eq!((&*octets, is_cut), (expected, cut), "{bytes:x?}");
        };
        check(b"\x24\x80\x04\x01a\x24\x80\x04\x01b\0\0\x04\x01c\0\0", b"abc", false);
        check(b"\x24\x06\x04\x01a\x04\x01b", b"ab", false);
        check(b"\x24\x80\x04\x01a\x04\x09b", b"ab", true);
        let deep = [[0x24, 0x80].repeat(1_000_000), b"\x04\x01a".to_vec()].concat();
        check(&deep, b"a", true);
    }

    #[test]
    fn identifiers_are_numbers_and_dots() {
        assert_eq!(
            oid_text(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
            "1.2.840.113549.1.7.2"
        );
        assert_eq!(oid_text(b"\x55\x04\x03"), "2.5.4.3");
        assert_eq!(oid_text(b"\x88\x37\x01"), "2.999.1");
        assert_eq!(oid_text(&[0xff; 40]), "");
    }
}
