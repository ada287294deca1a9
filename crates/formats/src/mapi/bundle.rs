//! A bundle: the canonical bytes of one message, the contents of its attachments, and what was odd while it was read.
//!
//! Goes from a worker to the pipeline and is not kept. Layout, little-endian: [`MAGIC`], u32 count of defect bytes (JSON), the defects, u64 length
//! and canonical bytes, u32 count of contents, each 32 bytes of BLAKE3, u64 length, bytes. Invariant: a bundle that is read back gives the bytes
//! that were written, or an error; it comes from a process that hostile input may have taken over, so nothing in it is believed. A content may be of any
//! length: neither [`with_long`] nor [`open`] holds one.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::ops::Range;

use embley_mapi::canonical::{self, Digest, Form, Held, Holding, Item};
use embley_mapi::{Content, Message, Value};
use embley_model::defect::Defect;

use crate::source::ReadAt;

/// PidTagAttachMethod, and its value for an OLE object ([MS-OXCMSG] section 2.2.2.9).
const ATTACH_METHOD: u16 = 0x3705;
const METHOD_OLE: i32 = 6;

/// First bytes of a bundle.
pub const MAGIC: &[u8; 8] = b"EMBLBND1";

/// A bundle read back; borrows from its bytes.
#[derive(Debug, Default)]
pub struct Bundle<'a> {
    /// The message: what identifies it.
    pub canonical: &'a [u8],
    /// Contents by their BLAKE3, checked.
    pub contents: BTreeMap<[u8; 32], &'a [u8]>,
    /// What was odd while the message was read from its file.
    pub defects: Vec<Defect>,
}

/// A content that is not held: where it stands, what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Long {
    /// Positions of attachments from the outside to the inside, from 0.
    pub path: Vec<usize>,
    /// Hash and length.
    pub digest: Digest,
    /// True for an OLE object.
    pub is_ole: bool,
}

/// The bundle of a message. `more` are defects that its file says of it.
pub fn write(message: &Message, more: &[Defect]) -> Vec<u8> {
    let mut out = Vec::new();
    let none = |_: &Long| -> io::Result<Box<dyn Read + '_>> { Err(io::ErrorKind::NotFound.into()) };
    let mut bundle = with_long(message, more, &[], &none);
    // Parts in memory are read without an error.
    while let Some(part) = bundle.parts.pop_front() {
        match part {
            Part::Owned(bytes) => out.extend_from_slice(&bytes),
            Part::Held(bytes) => out.extend_from_slice(bytes),
            Part::Long(_) => {}
        }
    }
    out
}

/// The bundle of a message of which some contents are [`Content::TooLong`] to be held and are opened by `open` when their turn comes. All other contents
/// that are too long stay so.
pub fn with_long<'m>(
    message: &'m Message,
    more: &[Defect],
    long: &'m [Long],
    open: &'m OpenLong<'m>,
) -> BundleReader<'m> {
    let mut contents = BTreeMap::new();
    let mut defects = more.to_vec();
    collect(message, &mut contents, &mut defects);
    let defects = serde_json::to_vec(&defects).unwrap_or_default();
    let mut item = canonical::item(message, Form::Identity);
    for one in long {
        if let Some(held) = held_at(&mut item, &one.path) {
            held.content = match one.is_ole {
                true => Holding::Ole(one.digest),
                false => Holding::Bytes(one.digest),
            };
            let length = one.digest.length;
            contents.entry(one.digest.hash).or_insert((length, Part::Long(one)));
        }
    }
    let canonical = canonical::write(&item, Form::Identity);
    let mut head = Vec::with_capacity(canonical.len() + 64);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&u32::try_from(defects.len()).unwrap_or(0).to_le_bytes());
    head.extend_from_slice(&defects);
    head.extend_from_slice(&(canonical.len() as u64).to_le_bytes());
    head.extend_from_slice(&canonical);
    head.extend_from_slice(&u32::try_from(contents.len()).unwrap_or(u32::MAX).to_le_bytes());
    let mut parts = VecDeque::from([Part::Owned(head)]);
    for (hash, (length, part)) in contents {
        parts.push_back(Part::Owned([&hash[..], &length.to_le_bytes()].concat()));
        parts.push_back(part);
    }
    BundleReader {
        parts,
        at: 0,
        long: None,
        open,
    }
}

/// Opens a content that is not held.
pub type OpenLong<'m> = dyn Fn(&Long) -> io::Result<Box<dyn Read + 'm>> + 'm;

/// A bundle as it is read.
pub struct BundleReader<'m> {
    parts: VecDeque<Part<'m>>,
    /// Bytes of the first part that were read.
    at: usize,
    /// The first part, when it is open.
    long: Option<Box<dyn Read + 'm>>,
    open: &'m OpenLong<'m>,
}

enum Part<'m> {
    Owned(Vec<u8>),
    Held(&'m [u8]),
    Long(&'m Long),
}

impl Read for BundleReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let bytes: &[u8] = match self.parts.front() {
                None => return Ok(0),
                Some(Part::Owned(bytes)) => bytes,
                Some(Part::Held(bytes)) => bytes,
                Some(Part::Long(long)) => {
                    let reader = match &mut self.long {
                        Some(reader) => reader,
                        None => self.long.insert((self.open)(long)?),
                    };
                    let read = reader.read(buf)?;
                    if read > 0 {
                        return Ok(read);
                    }
                    &[]
                }
            };
            let count = buf.len().min(bytes.len().saturating_sub(self.at));
            if count > 0 {
                buf[..count].copy_from_slice(&bytes[self.at..self.at + count]);
                self.at += count;
                return Ok(count);
            }
            self.parts.pop_front();
            (self.at, self.long) = (0, None);
        }
    }
}

/// Where contents stand that are too long to be held, with whether it is an OLE object by `PidTagAttachMethod`.
pub fn too_long(message: &Message) -> Vec<(Vec<usize>, bool)> {
    fn walk(message: &Message, above: &mut Vec<usize>, found: &mut Vec<(Vec<usize>, bool)>) {
        for (position, attachment) in message.attachments.iter().enumerate() {
            above.push(position);
            match &attachment.content {
                Content::TooLong(_) => {
                    let method = attachment.properties.by_id(ATTACH_METHOD).map(|(_, value)| value);
                    found.push((above.clone(), method == Some(&Value::Integer32(METHOD_OLE))));
                }
                Content::Message(inner) => walk(inner, above, found),
                Content::None | Content::Bytes(_) | Content::Ole(_) => {}
            }
            above.pop();
        }
    }
    let mut found = Vec::new();
    walk(message, &mut Vec::new(), &mut found);
    found
}

fn held_at<'i>(item: &'i mut Item, path: &[usize]) -> Option<&'i mut Held> {
    let (first, rest) = path.split_first()?;
    let held = item.attachments.get_mut(*first)?;
    if rest.is_empty() {
        return Some(held);
    }
    match &mut held.content {
        Holding::Message(inner) => held_at(inner, rest),
        Holding::None | Holding::Bytes(_) | Holding::Ole(_) | Holding::TooLong(_) => None,
    }
}

fn collect<'m>(message: &'m Message, contents: &mut BTreeMap<[u8; 32], (u64, Part<'m>)>, defects: &mut Vec<Defect>) {
    defects.extend(message.defects.iter().cloned());
    for attachment in &message.attachments {
        defects.extend(attachment.defects.iter().cloned());
        match &attachment.content {
            Content::Bytes(bytes) | Content::Ole(bytes) => {
                let part = (bytes.len() as u64, Part::Held(bytes));
                contents.insert(*blake3::hash(bytes).as_bytes(), part);
            }
            Content::Message(inner) => collect(inner, contents, defects),
            Content::None | Content::TooLong(_) => {}
        }
    }
}

/// A bundle in a file, of which only the message is held.
#[derive(Debug, Default)]
pub struct OpenBundle {
    /// The message: what identifies it.
    pub canonical: Vec<u8>,
    /// Where contents stand in the file, by their BLAKE3; not checked.
    pub contents: BTreeMap<[u8; 32], Range<u64>>,
    /// What was odd while the message was read from its file.
    pub defects: Vec<Defect>,
}

/// Reads all of a bundle but its contents; `None` when the bytes are none, or not whole.
///
/// # Errors
/// When the file cannot be read.
pub fn open(source: &dyn ReadAt) -> io::Result<Option<OpenBundle>> {
    let mut input = Places { source, at: 0 };
    let is_one = input.take(MAGIC.len() as u64)?.is_some_and(|bytes| bytes == MAGIC);
    if !is_one {
        return Ok(None);
    }
    let Some(length) = input.number(4)? else {
        return Ok(None);
    };
    let Some(defects) = input.take(length)? else {
        return Ok(None);
    };
    let Ok(defects) = serde_json::from_slice(&defects) else {
        return Ok(None);
    };
    let Some(length) = input.number(8)? else {
        return Ok(None);
    };
    let Some(canonical) = input.take(length)? else {
        return Ok(None);
    };
    let Some(count) = input.number(4)? else { return Ok(None) };
    let mut contents = BTreeMap::new();
    for _ in 0..count {
        let hash = input.take(32)?.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let (Some(hash), Some(length)) = (hash, input.number(8)?) else {
            return Ok(None);
        };
        let Some(end) = input.at.checked_add(length).filter(|end| *end <= source.len()) else {
            return Ok(None);
        };
        contents.insert(hash, input.at..end);
        input.at = end;
    }
    Ok((input.at == source.len()).then_some(OpenBundle {
        canonical,
        contents,
        defects,
    }))
}

/// A file that is read from its beginning.
struct Places<'s> {
    source: &'s dyn ReadAt,
    at: u64,
}

impl Places<'_> {
    /// The next bytes, if there are so many.
    fn take(&mut self, length: u64) -> io::Result<Option<Vec<u8>>> {
        if length > self.source.len().saturating_sub(self.at) {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let mut done = 0;
        while done < bytes.len() {
            match self.source.read_at(&mut bytes[done..], self.at + done as u64) {
                Ok(0) => return Ok(None),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += length;
        Ok(Some(bytes))
    }

    fn number(&mut self, length: usize) -> io::Result<Option<u64>> {
        let mut bytes = [0; 8];
        let Some(taken) = self.take(length as u64)? else {
            return Ok(None);
        };
        bytes[..length].copy_from_slice(&taken);
        Ok(Some(u64::from_le_bytes(bytes)))
    }
}

/// Reads a bundle; `None` when the bytes are none, or not whole.
pub fn read(bytes: &[u8]) -> Option<Bundle<'_>> {
    let mut input = bytes.strip_prefix(MAGIC)?;
    let defect_bytes = usize::try_from(number(&mut input, 4)?).ok()?;
    let defects = serde_json::from_slice(take(&mut input, defect_bytes)?).ok()?;
    let length = usize::try_from(number(&mut input, 8)?).ok()?;
    let canonical = take(&mut input, length)?;
    let mut contents = BTreeMap::new();
    for _ in 0..number(&mut input, 4)? {
        let hash: [u8; 32] = take(&mut input, 32)?.try_into().ok()?;
        let length = usize::try_from(number(&mut input, 8)?).ok()?;
        let content = take(&mut input, length)?;
        if *blake3::hash(content).as_bytes() != hash {
            return None;
        }
        contents.insert(hash, content);
    }
    input.is_empty().then_some(Bundle {
        canonical,
        contents,
        defects,
    })
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (now, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(now)
}

fn number(input: &mut &[u8], length: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(take(input, length)?);
    Some(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use embley_mapi::{Attachment, PropertyKind, Tag, Value};
    use embley_model::defect::DefectCode;

    use super::*;

    fn message() -> Message {
        let mut message = Message::default();
        message.properties.insert(
            Tag::new(0x0037, PropertyKind::Unicode),
            Value::Unicode("Plan".to_owned()),
        );
        message.attachments.push(Attachment {
            content: Content::Bytes(b"one".to_vec()),
            ..Attachment::default()
        });
        message.defects.push(Defect::new(DefectCode::TypeMismatch, "why"));
        message
    }

    /// Where nothing long can be opened.
    fn no_long<'m>(_: &Long) -> io::Result<Box<dyn Read + 'm>> {
        Err(io::ErrorKind::NotFound.into())
    }

    #[test]
    fn a_long_content_is_streamed_and_the_bundle_is_that_of_one_that_was_held() {
        let held = |bytes: &[u8], method| {
            let mut attachment = Attachment {
                content: Content::Bytes(bytes.to_vec()),
                ..Attachment::default()
            };
            let tag = Tag::new(ATTACH_METHOD, PropertyKind::Integer32);
            attachment.properties.insert(tag, Value::Integer32(method));
            attachment
        };
        let (long, object) = (vec![7; 300_000], vec![9; 100]);
        let mut inner = message();
        inner.attachments.push(held(&long, 1));
        let mut whole = message();
        whole.attachments.push(held(&object, METHOD_OLE));
        whole.attachments[1].content = Content::Ole(object.clone());
        whole.attachments.push(Attachment {
            content: Content::Message(Box::new(inner)),
            ..Attachment::default()
        });
        let expected = write(&whole, &[]);

        let mut cut = whole.clone();
        cut.attachments[1].content = Content::TooLong(100);
        let Content::Message(inner) = &mut cut.attachments[2].content else {
            panic!("a message")
        };
        inner.attachments[1].content = Content::TooLong(300_000);
        let places = too_long(&cut);
        assert_eq!(places, [(vec![1], true), (vec![2, 1], false)]);
        let of = |path: &[usize]| if path.len() == 1 { &object } else { &long };
        let long: Vec<Long> = places
            .into_iter()
            .map(|(path, is_ole)| Long {
                digest: Digest::of(of(&path)),
                path,
                is_ole,
            })
            .collect();
        let open = |long: &Long| -> io::Result<Box<dyn Read + '_>> { Ok(Box::new(of(&long.path).as_slice())) };
        let mut bytes = Vec::new();
        with_long(&cut, &[], &long, &open)
            .read_to_end(&mut bytes)
            .expect("reads");
        assert!(bytes == expected, "{} bytes, not {}", bytes.len(), expected.len());
        assert!(
            with_long(&cut, &[], &long, &no_long)
                .read_to_end(&mut Vec::new())
                .is_err()
        );

        let opened = super::open(&bytes.as_slice()).expect("reads").expect("a bundle");
        let bundle = read(&bytes).expect("a bundle");
        assert_eq!(
            (opened.canonical.as_slice(), &opened.defects),
            (bundle.canonical, &bundle.defects)
        );
        assert_eq!(opened.contents.len(), 3);
        for (hash, range) in &opened.contents {
            let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).expect("small"));
            assert_eq!(&bytes[start..end], bundle.contents[hash]);
        }
        for end in (0..bytes.len()).step_by(997) {
            assert!(super::open(&&bytes[..end]).expect("reads").is_none(), "cut at {end}");
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_nothing_else() {
        let bytes = write(&message(), &[]);
        let bundle = read(&bytes).expect("a bundle");
        assert_eq!(bundle.canonical, canonical::bytes(&message(), Form::Identity));
        assert_eq!(bundle.contents.values().copied().collect::<Vec<_>>(), vec![b"one"]);
        assert_eq!(bundle.defects, message().defects);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_none(), "cut at {end}");
            assert!(open(&&bytes[..end]).expect("reads").is_none(), "cut at {end}");
        }
        let mut changed = bytes.clone();
        *changed.last_mut().expect("bytes") ^= 1;
        assert!(
            read(&changed).is_none(),
            "a changed content does not agree with its hash"
        );
    }
}
