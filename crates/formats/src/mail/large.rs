//! Messages too large to hold: the same family, read in windows.
//!
//! Main functions: [`parse_large`], [`part_to`]. Invariant: structure, paths, digests, texts and defects are
//! those that [`super::parse_message`] gives for the same bytes; memory is a few windows and the text limit.

use std::io::{self, Write};
use std::ops::Range;
use std::panic::AssertUnwindSafe;

use embley_model::defect::{Defect, DefectCode};

use super::access::{Access, BodyData, Collected, LeafData, Nested, Outcome};
use super::family::{Budget, CR_PROBE_BYTES, Location, bare_cr_defect, build, has_bare_cr, parse_nested};
use super::sink::Sink;
use super::structure::Source;
use super::transfer::{Decoder, Transfer};
use super::uu::{Receiver, Splitter};
use super::view::{CrView, DerivedView, RangeView, read_up_to};
use super::{Content, Family, ParseLimits, Parsed};
use crate::FormatError;
use crate::mailbox::Variant;
use crate::source::ReadAt;

/// A family whose contents were hashed and not kept.
pub type LargeFamily = Family<'static>;

/// Bytes of one window.
const WINDOW_BYTES: usize = 1 << 20;

/// Bytes decoded at once.
const PIECE_BYTES: usize = 256 * 1024;

/// An encoded message inside is decoded into memory up to this many encoded bytes.
const HELD_BYTES: u64 = 32 << 20;

/// Parses the message stored at `range` of a mailbox or file, unquoting it as `variant` asks. Only digests of
/// contents are kept. Every family says `LIMIT-LARGE`.
///
/// # Errors
/// [`FormatError::Read`] when the source cannot be read; nothing is then known of the message.
pub fn parse_large(
    source: &dyn ReadAt,
    range: Range<u64>,
    variant: Variant,
    limits: &ParseLimits,
) -> Result<LargeFamily, FormatError> {
    let attempt = AssertUnwindSafe(|| parse_held(source, range.clone(), variant, limits, HELD_BYTES));
    let parsed = std::panic::catch_unwind(attempt).unwrap_or_else(|_| unparsed(source, range.clone(), variant));
    let mut family = parsed.map_err(|error| failed(source, &range, error))?;
    if let Some(first) = family.items.first_mut() {
        first.defects.push(Defect::new(DefectCode::LargeMessage, ""));
    }
    Ok(family)
}

/// The message on which the parser failed: hashed, and nothing else.
fn unparsed(source: &dyn ReadAt, range: Range<u64>, variant: Variant) -> io::Result<LargeFamily> {
    let mut sink = Sink::hashing(false, 0);
    DerivedView::unquoted(source, range, variant, |bytes| sink.push(bytes))?;
    let (content, head) = sink.finish();
    let mut family = super::failed(head.as_deref().unwrap_or_default());
    Ok(Family {
        items: family
            .items
            .drain(..)
            .map(|item| Parsed {
                content: content.clone(),
                ..super::family::owned(item)
            })
            .collect(),
    })
}

fn failed(source: &dyn ReadAt, range: &Range<u64>, error: io::Error) -> FormatError {
    FormatError::Read {
        path: source.path().to_path_buf(),
        offset: range.start,
        length: range.end.saturating_sub(range.start),
        source: error,
    }
}

fn parse_held(
    source: &dyn ReadAt,
    range: Range<u64>,
    variant: Variant,
    limits: &ParseLimits,
    held_bytes: u64,
) -> io::Result<LargeFamily> {
    let mut sink = Sink::hashing(false, 0);
    let view = DerivedView::unquoted(source, range, variant, |bytes| sink.push(bytes))?;
    let mut budget = Budget::new(limits, true);
    let mut items = parse_view(&view, &mut budget, held_bytes)?.0;
    if let Some(first) = items.first_mut() {
        first.content = sink.finish().0;
    }
    Ok(Family { items })
}

/// Writes the decoded bytes of one part of the message stored at `range` to `out`; `Ok(false)` when it has no
/// such part. The empty path is the message itself, unquoted.
///
/// # Errors
/// What reading the source or writing to `out` says; `out` may then hold a beginning.
pub fn part_to(
    source: &dyn ReadAt,
    range: Range<u64>,
    variant: Variant,
    part_path: &str,
    limits: &ParseLimits,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let view = DerivedView::unquoted(source, range, variant, |_| {})?;
    if part_path.is_empty() {
        copy(&view, 0..view.len(), &Transfer::Identity, out)?;
        return Ok(true);
    }
    part_of_view(&view, part_path, &mut Budget::new(limits, false), out)
}

fn part_of_view(view: &dyn ReadAt, part_path: &str, budget: &mut Budget, out: &mut dyn Write) -> io::Result<bool> {
    let bare_cr = begins_with_bare_cr(view)?;
    let shown = CrView(view);
    let view: &dyn ReadAt = if bare_cr { &shown } else { view };
    let outer = budget.clone();
    let built = build(LargeAccess::new(view, HELD_BYTES), budget)?;
    let Some(index) = built.items.iter().position(|item| item.part_path == part_path) else {
        return Ok(false);
    };
    match &built.locations[index] {
        Location::Part { range, transfer } => copy(view, range.clone(), transfer, out)?,
        Location::Uuencoded { range, transfer, nth } => copy_uuencoded(view, range.clone(), transfer, *nth, out)?,
        Location::Inside { range, transfer, path } => {
            let inner = DerivedView::decoded(view, range.clone(), transfer)?;
            let mut budget = outer;
            budget.encoded_depth += 1;
            // Depth and part counts were checked when the outer message was read.
            return part_of_view(&inner, path, &mut budget, out);
        }
    }
    Ok(true)
}

fn copy(view: &dyn ReadAt, range: Range<u64>, transfer: &Transfer, out: &mut dyn Write) -> io::Result<()> {
    decode_pieces(view, range, transfer, |bytes| out.write_all(bytes))?;
    Ok(())
}

fn copy_uuencoded(
    view: &dyn ReadAt,
    range: Range<u64>,
    transfer: &Transfer,
    nth: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut taker = Taker {
        nth,
        seen: 0,
        failed: Ok(()),
        out,
    };
    let mut splitter = Splitter::default();
    decode_pieces(view, range, transfer, |bytes| {
        splitter.push(bytes, &mut taker);
        Ok(())
    })?;
    splitter.finish(&mut taker);
    taker.failed
}

/// Writes the nth uuencoded file of a body.
struct Taker<'o> {
    nth: usize,
    seen: usize,
    failed: io::Result<()>,
    out: &'o mut dyn Write,
}

impl Receiver for Taker<'_> {
    fn text(&mut self, _: &[u8]) {}

    fn file_begins(&mut self, _: &[u8], _: &[u8]) {
        self.seen += 1;
    }

    fn file_data(&mut self, bytes: &[u8]) {
        if self.seen == self.nth + 1 && self.failed.is_ok() {
            self.failed = self.out.write_all(bytes);
        }
    }

    fn file_ends(&mut self, _: bool) {}
}

/// Decodes a range piece by piece; returns broken lines and text found among base64.
fn decode_pieces(
    view: &dyn ReadAt,
    range: Range<u64>,
    transfer: &Transfer,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Outcome> {
    let part = RangeView::new(view, range);
    let mut decoder = Decoder::new(transfer);
    let mut raw = Vec::new();
    let mut out = Vec::new();
    let mut at = 0;
    while at < part.len() {
        read_up_to(&part, at, PIECE_BYTES, &mut raw)?;
        at += raw.len() as u64;
        if transfer.is_identity() {
            each(&raw)?;
            continue;
        }
        out.clear();
        decoder.push(&raw, &mut out);
        each(&out)?;
    }
    out.clear();
    decoder.finish(&mut out);
    each(&out)?;
    Ok(Outcome::of(decoder))
}

fn begins_with_bare_cr(view: &dyn ReadAt) -> io::Result<bool> {
    let mut head = Vec::new();
    read_up_to(view, 0, CR_PROBE_BYTES, &mut head)?;
    Ok(has_bare_cr(&head))
}

/// Items of the message that fills `view`, and whether its lines end with CR alone.
fn parse_view(view: &dyn ReadAt, budget: &mut Budget, held_bytes: u64) -> io::Result<(Vec<Parsed<'static>>, bool)> {
    let bare_cr = begins_with_bare_cr(view)?;
    let shown = CrView(view);
    let view: &dyn ReadAt = if bare_cr { &shown } else { view };
    let mut items = build(LargeAccess::new(view, held_bytes), budget)?.items;
    if bare_cr && let Some(first) = items.first_mut() {
        first.defects.push(bare_cr_defect());
    }
    Ok((items, bare_cr))
}

/// Windows over a view.
struct LargeAccess<'s> {
    window: Window<'s>,
    held_bytes: u64,
}

impl<'s> LargeAccess<'s> {
    fn new(view: &'s dyn ReadAt, held_bytes: u64) -> Self {
        Self {
            window: Window {
                view,
                base: 0,
                bytes: Vec::new(),
            },
            held_bytes,
        }
    }

    fn view(&self) -> &'s dyn ReadAt {
        self.window.view
    }
}

struct Window<'s> {
    view: &'s dyn ReadAt,
    base: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// Makes the window hold `length` bytes from `at`, or all there are.
    fn hold(&mut self, at: u64, length: usize) -> io::Result<()> {
        let left = usize::try_from(self.view.len().saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = length.min(left);
        let end = self.base + self.bytes.len() as u64;
        if at >= self.base && at + wanted as u64 <= end {
            return Ok(());
        }
        let mut fresh = Vec::new();
        read_up_to(self.view, at, length.max(WINDOW_BYTES), &mut fresh)?;
        self.base = at;
        self.bytes = fresh;
        Ok(())
    }

    fn from(&self, at: u64) -> &[u8] {
        let start = usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.bytes.get(start..).unwrap_or_default()
    }
}

impl Source for Window<'_> {
    fn len(&self) -> u64 {
        self.view.len()
    }

    fn next_dashes(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut at = from.saturating_sub(1);
        loop {
            self.hold(at, 3)?;
            let held = self.from(at);
            if let Some(found) = memchr::memmem::find(held, b"\n--") {
                return Ok(Some(at + found as u64 + 1));
            }
            let next = at + held.len() as u64;
            if next >= self.view.len() || held.len() < 3 {
                return Ok(None);
            }
            // The pattern may begin in the last two bytes.
            at = next - 2;
        }
    }

    fn peek(&mut self, at: u64, max: usize) -> io::Result<&[u8]> {
        self.hold(at, max)?;
        let held = self.from(at);
        Ok(&held[..held.len().min(max)])
    }
}

impl<'s> Access<'static> for LargeAccess<'s> {
    type Source = Window<'s>;

    fn source(&mut self) -> &mut Self::Source {
        &mut self.window
    }

    fn bytes(&mut self, range: Range<u64>) -> io::Result<std::borrow::Cow<'static, [u8]>> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        read_up_to(self.view(), range.start, length, &mut out)?;
        Ok(std::borrow::Cow::Owned(out))
    }

    fn whole(&mut self, range: Range<u64>) -> io::Result<Content<'static>> {
        Ok(self.leaf(range, &Transfer::Identity, false, 0)?.content)
    }

    fn leaf(
        &mut self,
        range: Range<u64>,
        transfer: &Transfer,
        textual: bool,
        text_cap: usize,
    ) -> io::Result<LeafData<'static>> {
        let mut sink = Sink::hashing(textual, text_cap);
        let outcome = decode_pieces(self.view(), range, transfer, |bytes| {
            sink.push(bytes);
            Ok(())
        })?;
        let (content, head) = sink.finish();
        Ok(LeafData { content, head, outcome })
    }

    fn body(&mut self, range: Range<u64>, transfer: &Transfer, text_cap: usize) -> io::Result<BodyData<'static>> {
        let mut collected = Collected::new(text_cap, true);
        let mut splitter = Splitter::default();
        let outcome = decode_pieces(self.view(), range, transfer, |bytes| {
            splitter.push(bytes, &mut collected);
            Ok(())
        })?;
        splitter.finish(&mut collected);
        Ok(collected.into_body(outcome))
    }

    fn encoded_message(
        &mut self,
        range: Range<u64>,
        transfer: &Transfer,
        budget: &mut Budget,
    ) -> io::Result<Nested<'static>> {
        if range.end.saturating_sub(range.start) <= self.held_bytes {
            let mut bytes = Vec::new();
            let outcome = decode_pieces(self.view(), range, transfer, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            let items = parse_nested(&bytes, budget, true);
            return Ok(Nested { items, outcome });
        }
        let mut inner = DerivedView::decoded(self.view(), range, transfer)?;
        let (mut items, bare_cr) = parse_view(&inner, budget, self.held_bytes)?;
        if bare_cr && let Some(first) = items.first_mut() {
            let mut plain = LargeAccess::new(&inner, self.held_bytes);
            first.content = plain.whole(0..inner.len())?;
        }
        Ok(Nested {
            items,
            outcome: std::mem::take(&mut inner.outcome),
        })
    }
}

#[cfg(test)]
mod tests;
