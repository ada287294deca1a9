//! A bundle: the canonical bytes of one message, the contents of its attachments, and what was odd while it was read.
//!
//! Goes from a worker to the pipeline and is not kept. Layout, little-endian: [`MAGIC`], u32 count of defect bytes (JSON), the defects, u64 length
//! and canonical bytes, u32 count of contents, each 32 bytes of BLAKE3, u64 length, bytes. Invariant: a bundle that is read back gives the bytes
//! that were written, or an error; it comes from a process that hostile input may have taken over, so nothing in it is believed.

use std::collections::BTreeMap;

use embley_mapi::canonical::{self, Form};
use embley_mapi::{Content, Message};
use embley_model::defect::Defect;

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

/// The bundle of a message. `more` are defects that its file says of it.
pub fn write(message: &Message, more: &[Defect]) -> Vec<u8> {
    let mut contents = BTreeMap::new();
    let mut defects = more.to_vec();
    collect(message, &mut contents, &mut defects);
    let defects = serde_json::to_vec(&defects).unwrap_or_default();
    let canonical = canonical::bytes(message, Form::Identity);
    let mut out = Vec::with_capacity(canonical.len() + 64);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&u32::try_from(defects.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&defects);
    out.extend_from_slice(&(canonical.len() as u64).to_le_bytes());
    out.extend_from_slice(&canonical);
    out.extend_from_slice(&u32::try_from(contents.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (hash, bytes) in contents {
        out.extend_from_slice(&hash);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

fn collect<'m>(message: &'m Message, contents: &mut BTreeMap<[u8; 32], &'m [u8]>, defects: &mut Vec<Defect>) {
    defects.extend(message.defects.iter().cloned());
    for attachment in &message.attachments {
        defects.extend(attachment.defects.iter().cloned());
        match &attachment.content {
            Content::Bytes(bytes) | Content::Ole(bytes) => {
                contents.insert(*blake3::hash(bytes).as_bytes(), bytes);
            }
            Content::Message(inner) => collect(inner, contents, defects),
            Content::None | Content::TooLong(_) => {}
        }
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

    #[test]
    fn what_was_written_is_read_back_and_nothing_else() {
        let bytes = write(&message(), &[]);
        let bundle = read(&bytes).expect("a bundle");
        assert_eq!(bundle.canonical, canonical::bytes(&message(), Form::Identity));
        assert_eq!(bundle.contents.values().copied().collect::<Vec<_>>(), vec![b"one"]);
        assert_eq!(bundle.defects, message().defects);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_none(), "cut at {end}");
        }
        let mut changed = bytes.clone();
        *changed.last_mut().expect("bytes") ^= 1;
        assert!(
            read(&changed).is_none(),
            "a changed content does not agree with its hash"
        );
    }
}
