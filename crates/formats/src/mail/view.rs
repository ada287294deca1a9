//! Bytes derived from other bytes, readable by position: a mailbox slice unquoted, a part decoded.
//!
//! The derived bytes are cut into segments; for each the place in the inner bytes and the state needed to
//! begin there are kept, and one segment is held decoded. So reading forward costs one decoding, reading
//! back costs one segment, and memory is about a segment whatever the size.

use std::cell::RefCell;
use std::io;
use std::ops::Range;

use super::access::Outcome;
use super::transfer::{Decoder, Transfer};
use crate::mailbox::{Variant, unquote};
use crate::source::ReadAt;

/// Inner bytes of one segment.
const SEGMENT_BYTES: usize = 1 << 20;

/// A range of a source as a source.
pub(crate) struct RangeView<'s> {
    inner: &'s dyn ReadAt,
    range: Range<u64>,
}

impl<'s> RangeView<'s> {
    pub(crate) fn new(inner: &'s dyn ReadAt, range: Range<u64>) -> Self {
        Self { inner, range }
    }
}

impl ReadAt for RangeView<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len().saturating_sub(offset);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.inner.read_at(&mut buf[..wanted], self.range.start + offset)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }

    fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

/// A source whose CRs are shown as LFs.
pub(crate) struct CrView<'s>(pub &'s dyn ReadAt);

impl ReadAt for CrView<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.0.read_at(buf, offset)?;
        for byte in &mut buf[..count] {
            if *byte == b'\r' {
                *byte = b'\n';
            }
        }
        Ok(count)
    }

    fn len(&self) -> u64 {
        self.0.len()
    }
}

/// How the derived bytes come about.
enum Transform {
    Unquote(Variant),
    Decode,
}

struct Segment {
    /// First derived byte.
    at: u64,
    /// Inner bytes.
    inner: Range<u64>,
    /// The segment begins inside a line (unquoting).
    inside_line: bool,
    /// State of the decoder at its beginning (decoding).
    decoder: Option<Decoder>,
}

/// Derived bytes.
pub(crate) struct DerivedView<'s> {
    inner: RangeView<'s>,
    transform: Transform,
    segments: Vec<Segment>,
    len: u64,
    held: RefCell<(usize, Vec<u8>)>,
    /// How decoding went.
    pub outcome: Outcome,
}

impl<'s> DerivedView<'s> {
    /// The message stored at `range` of a mailbox. `each` sees its bytes once, in order.
    pub(crate) fn unquoted(
        source: &'s dyn ReadAt,
        range: Range<u64>,
        variant: Variant,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<Self> {
        let mut view = Self::new(source, range, Transform::Unquote(variant));
        let mut inside_line = false;
        let mut at = 0;
        let mut raw = Vec::new();
        while at < view.inner.len() {
            read_up_to(&view.inner, at, SEGMENT_BYTES, &mut raw)?;
            let end = memchr::memrchr(b'\n', &raw).map_or(raw.len(), |line_end| line_end + 1);
            let last = at + raw.len() as u64 >= view.inner.len();
            let cut = if last { raw.len() } else { end };
            raw.truncate(cut);
            let derived = unquote_segment(variant, &raw, inside_line);
            each(&derived);
            view.segments.push(Segment {
                at: view.len,
                inner: at..at + cut as u64,
                inside_line,
                decoder: None,
            });
            view.len += derived.len() as u64;
            inside_line = !raw.ends_with(b"\n");
            at += cut as u64;
        }
        Ok(view)
    }

    /// A part decoded from its transfer encoding.
    pub(crate) fn decoded(source: &'s dyn ReadAt, range: Range<u64>, transfer: &Transfer) -> io::Result<Self> {
        let mut view = Self::new(source, range, Transform::Decode);
        let mut decoder = Decoder::new(transfer);
        let mut at = 0;
        let mut raw = Vec::new();
        let mut derived = Vec::new();
        while at < view.inner.len() {
            let before = decoder.saved();
            read_up_to(&view.inner, at, SEGMENT_BYTES, &mut raw)?;
            derived.clear();
            decoder.push(&raw, &mut derived);
            let next = at + raw.len() as u64;
            if next >= view.inner.len() {
                decoder.finish(&mut derived);
            }
            view.segments.push(Segment {
                at: view.len,
                inner: at..next,
                inside_line: false,
                decoder: Some(before),
            });
            view.len += derived.len() as u64;
            at = next;
        }
        view.outcome = Outcome::of(decoder);
        Ok(view)
    }

    fn new(source: &'s dyn ReadAt, range: Range<u64>, transform: Transform) -> Self {
        Self {
            inner: RangeView::new(source, range),
            transform,
            segments: Vec::new(),
            len: 0,
            held: RefCell::new((usize::MAX, Vec::new())),
            outcome: Outcome::default(),
        }
    }

    fn derive(&self, index: usize) -> io::Result<Vec<u8>> {
        let segment = &self.segments[index];
        let length = usize::try_from(segment.inner.end - segment.inner.start).unwrap_or(usize::MAX);
        let mut raw = Vec::new();
        read_up_to(&self.inner, segment.inner.start, length, &mut raw)?;
        match (&self.transform, &segment.decoder) {
            (Transform::Unquote(variant), _) => Ok(unquote_segment(*variant, &raw, segment.inside_line)),
            (Transform::Decode, Some(decoder)) => {
                let mut decoder = decoder.clone();
                let mut out = Vec::with_capacity(raw.len());
                decoder.push(&raw, &mut out);
                if segment.inner.end >= self.inner.len() {
                    decoder.finish(&mut out);
                }
                Ok(out)
            }
            (Transform::Decode, None) => Ok(raw),
        }
    }
}

impl ReadAt for DerivedView<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.len || buf.is_empty() {
            return Ok(0);
        }
        // The last segment that begins at or before the offset; empty ones before it hold no byte.
        let index = self.segments.partition_point(|segment| segment.at <= offset) - 1;
        let mut held = self.held.borrow_mut();
        if held.0 != index {
            *held = (index, self.derive(index)?);
        }
        let start = usize::try_from(offset - self.segments[index].at).unwrap_or(usize::MAX);
        let rest = held.1.get(start..).unwrap_or_default();
        if rest.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn len(&self) -> u64 {
        self.len
    }
}

/// Unquotes whole lines, the first of which may have begun before.
fn unquote_segment(variant: Variant, raw: &[u8], inside_line: bool) -> Vec<u8> {
    let head = if inside_line {
        memchr::memchr(b'\n', raw).map_or(raw.len(), |line_end| line_end + 1)
    } else {
        0
    };
    let mut out = raw[..head].to_vec();
    out.extend_from_slice(&unquote(variant, &raw[head..]).bytes);
    out
}

/// Replaces `out` with up to `length` bytes at `offset`; fewer only at the end.
pub(crate) fn read_up_to(source: &dyn ReadAt, offset: u64, length: usize, out: &mut Vec<u8>) -> io::Result<()> {
    out.clear();
    let left = usize::try_from(source.len().saturating_sub(offset)).unwrap_or(usize::MAX);
    out.resize(length.min(left), 0);
    let mut done = 0;
    while done < out.len() {
        match source.read_at(&mut out[done..], offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(view: &dyn ReadAt) -> Vec<u8> {
        let mut out = Vec::new();
        let length = usize::try_from(view.len()).expect("small");
        read_up_to(view, 0, length, &mut out).expect("memory");
        out
    }

    #[test]
    fn an_unquoted_view_equals_unquoting_in_memory_across_segments() {
        let mut text = b">From one\n".to_vec();
        while text.len() < SEGMENT_BYTES * 2 {
            text.extend_from_slice(b"some line of text\n>From two\n>>From three\n");
        }
        text.extend(vec![b'x'; SEGMENT_BYTES * 2]);
        text.extend_from_slice(b">From inside\n>From after\n");
        let source: &[u8] = &text;
        for variant in Variant::ALL {
            let mut seen = Vec::new();
            let view = DerivedView::unquoted(&source, 0..text.len() as u64, variant, |bytes| {
                seen.extend_from_slice(bytes)
            })
            .expect("memory");
            assert!(view.segments.len() > 3);
            assert_eq!(seen, unquote(variant, &text).bytes.as_ref(), "{variant:?}");
            assert_eq!(all(&view), seen);
            // Reading back costs a segment and gives the same.
            let mut byte = [0];
            view.read_at(&mut byte, 7).expect("memory");
            assert_eq!(byte[0], seen[7]);
        }
    }

    #[test]
    fn a_decoded_view_equals_decoding_in_memory() {
        let text = "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8g\r\n".repeat(80_000) + "d29ybGQ=";
        let mut decoder = Decoder::new(&Transfer::Base64);
        let mut expected = Vec::new();
        decoder.push(text.as_bytes(), &mut expected);
        decoder.finish(&mut expected);
        let source = text.as_bytes();
        let view = DerivedView::decoded(&source, 0..text.len() as u64, &Transfer::Base64).expect("memory");
        assert!(view.segments.len() > 2);
        assert_eq!(all(&view), expected);
        let cr = CrView(&source);
        assert_eq!(all(&cr), text.replace('\r', "\n").into_bytes());
    }
}
