//! How the family builder gets at bytes: a slice in memory, or windows over something that can be read by
//! position. Both give the same bytes; only what they keep differs.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::family::{Budget, parse_nested};
use super::sink::Sink;
use super::structure::Source;
use super::transfer::{Decoder, Transfer};
use super::{Content, Parsed, uu};

/// How decoding went.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Lines that the transfer encoding does not allow.
    pub errors: u64,
    /// Some of what was encoded did not come out.
    pub lost: bool,
    /// Text found among base64.
    pub trailer: Vec<u8>,
    /// There was more of it than is kept.
    pub trailer_cut: bool,
}

impl Outcome {
    /// What a finished decoder tells.
    pub(crate) fn of(decoder: Decoder) -> Self {
        Self {
            errors: decoder.errors,
            lost: decoder.lost,
            trailer: decoder.trailer,
            trailer_cut: decoder.trailer_cut,
        }
    }
}

/// A decoded leaf.
pub(crate) struct LeafData<'a> {
    /// Its bytes or digests.
    pub content: Content<'a>,
    /// Its first bytes, when the content was not kept.
    pub head: Option<Vec<u8>>,
    /// How its decoding went.
    pub outcome: Outcome,
}

impl LeafData<'_> {
    /// The bytes there are for text.
    pub(crate) fn head(&self) -> &[u8] {
        match (&self.content, &self.head) {
            (_, Some(head)) => head,
            (Content::Bytes(bytes), None) => bytes,
            (Content::Streamed { .. }, None) => &[],
        }
    }
}

/// A file taken out of a text body.
pub(crate) struct UuFile<'a> {
    /// Name as bytes.
    pub name: Vec<u8>,
    /// Content.
    pub data: LeafData<'a>,
    /// False when the block had no end.
    pub whole: bool,
}

/// A decoded text body.
pub(crate) struct BodyData<'a> {
    /// Its text bytes, at most as many as asked for.
    pub text: Cow<'a, [u8]>,
    /// True when there were more.
    pub truncated: bool,
    /// How its decoding went.
    pub outcome: Outcome,
    /// Files taken out.
    pub files: Vec<UuFile<'a>>,
}

/// Gives the bytes of one message.
pub(crate) trait Access<'a> {
    /// What the structure scanner reads.
    type Source: Source;
    /// The scanner's view.
    fn source(&mut self) -> &mut Self::Source;
    /// A small range as it is.
    fn bytes(&mut self, range: Range<u64>) -> io::Result<Cow<'a, [u8]>>;
    /// A range of any size as the content of an item.
    fn whole(&mut self, range: Range<u64>) -> io::Result<Content<'a>>;
    /// A leaf, decoded. `textual` says that its text is wanted, up to `text_cap` bytes.
    fn leaf(
        &mut self,
        range: Range<u64>,
        transfer: &Transfer,
        textual: bool,
        text_cap: usize,
    ) -> io::Result<LeafData<'a>>;
    /// A text body, decoded, uuencoded files taken out.
    fn body(&mut self, range: Range<u64>, transfer: &Transfer, text_cap: usize) -> io::Result<BodyData<'a>>;
    /// The items of an encoded message; paths and parents count from its own first item.
    fn encoded_message(
        &mut self,
        range: Range<u64>,
        transfer: &Transfer,
        budget: &mut Budget,
    ) -> io::Result<Nested<'a>>;
}

/// The items of an encoded message, and how its decoding went.
pub(crate) struct Nested<'a> {
    /// At least one.
    pub items: Vec<Parsed<'a>>,
    /// How its decoding went.
    pub outcome: Outcome,
}

/// Bytes in memory.
pub(crate) struct Memory<'a>(pub &'a [u8]);

impl<'a> Memory<'a> {
    fn slice(&self, range: &Range<u64>) -> &'a [u8] {
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(self.0.len());
        let end = usize::try_from(range.end)
            .unwrap_or(usize::MAX)
            .clamp(start, self.0.len());
        &self.0[start..end]
    }

    fn decoded(&self, range: &Range<u64>, transfer: &Transfer) -> (Cow<'a, [u8]>, Outcome) {
        let raw = self.slice(range);
        if transfer.is_identity() {
            return (Cow::Borrowed(raw), Outcome::default());
        }
        let mut decoder = Decoder::new(transfer);
        let mut out = Vec::with_capacity(match transfer {
            Transfer::Base64 | Transfer::Uuencode => raw.len() / 4 * 3 + 3,
            _ => raw.len(),
        });
        decoder.push(raw, &mut out);
        decoder.finish(&mut out);
        (Cow::Owned(out), Outcome::of(decoder))
    }
}

impl<'a> Access<'a> for Memory<'a> {
    type Source = &'a [u8];

    fn source(&mut self) -> &mut Self::Source {
        &mut self.0
    }

    fn bytes(&mut self, range: Range<u64>) -> io::Result<Cow<'a, [u8]>> {
        Ok(Cow::Borrowed(self.slice(&range)))
    }

    fn whole(&mut self, range: Range<u64>) -> io::Result<Content<'a>> {
        Ok(Content::Bytes(Cow::Borrowed(self.slice(&range))))
    }

    fn leaf(&mut self, range: Range<u64>, transfer: &Transfer, _: bool, _: usize) -> io::Result<LeafData<'a>> {
        let (bytes, outcome) = self.decoded(&range, transfer);
        Ok(LeafData {
            content: Content::Bytes(bytes),
            head: None,
            outcome,
        })
    }

    fn body(&mut self, range: Range<u64>, transfer: &Transfer, text_cap: usize) -> io::Result<BodyData<'a>> {
        let (bytes, outcome) = self.decoded(&range, transfer);
        if !uu::Splitter::wanted(&bytes) {
            let truncated = bytes.len() > text_cap;
            let text = match bytes {
                Cow::Borrowed(all) => Cow::Borrowed(&all[..all.len().min(text_cap)]),
                Cow::Owned(mut all) => {
                    all.truncate(text_cap);
                    Cow::Owned(all)
                }
            };
            return Ok(BodyData {
                text,
                truncated,
                outcome,
                files: Vec::new(),
            });
        }
        let mut collected = Collected::new(text_cap, false);
        let mut splitter = uu::Splitter::default();
        splitter.push(&bytes, &mut collected);
        splitter.finish(&mut collected);
        Ok(collected.into_body(outcome))
    }

    fn encoded_message(
        &mut self,
        range: Range<u64>,
        transfer: &Transfer,
        budget: &mut Budget,
    ) -> io::Result<Nested<'a>> {
        let (bytes, outcome) = self.decoded(&range, transfer);
        Ok(Nested {
            items: parse_nested(&bytes, budget, false),
            outcome,
        })
    }
}

/// Collects the text and the files of a body.
pub(crate) struct Collected<'a> {
    text: Vec<u8>,
    text_cap: usize,
    truncated: bool,
    hashing: bool,
    present: Option<(Vec<u8>, Sink)>,
    files: Vec<UuFile<'a>>,
}

impl<'a> Collected<'a> {
    pub(crate) fn new(text_cap: usize, hashing: bool) -> Self {
        Self {
            text: Vec::new(),
            text_cap,
            truncated: false,
            hashing,
            present: None,
            files: Vec::new(),
        }
    }

    pub(crate) fn into_body(self, outcome: Outcome) -> BodyData<'a> {
        BodyData {
            text: Cow::Owned(self.text),
            truncated: self.truncated,
            outcome,
            files: self.files,
        }
    }
}

impl uu::Receiver for Collected<'_> {
    fn text(&mut self, bytes: &[u8]) {
        let room = self.text_cap.saturating_sub(self.text.len());
        self.truncated |= bytes.len() > room;
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn file_begins(&mut self, line: &[u8], name: &[u8]) {
        self.text(line);
        let sink = if self.hashing {
            Sink::hashing(false, self.text_cap)
        } else {
            Sink::Keep(Vec::new())
        };
        self.present = Some((name.to_vec(), sink));
    }

    fn file_data(&mut self, bytes: &[u8]) {
        if let Some((_, sink)) = &mut self.present {
            sink.push(bytes);
        }
    }

    fn file_ends(&mut self, whole: bool) {
        if let Some((name, sink)) = self.present.take() {
            let (content, head) = sink.finish();
            self.files.push(UuFile {
                name,
                data: LeafData {
                    content,
                    head,
                    outcome: Outcome::default(),
                },
                whole,
            });
        }
    }
}
