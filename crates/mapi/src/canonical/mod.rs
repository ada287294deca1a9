//! A message as bytes: versioned, the same for the same message, and read back without loss.
//!
//! Not for: showing a message (module `eml`). Main types: [`Item`], [`Form`]. Layout, all numbers little-endian: the magic
//! [`MAGIC`], a version byte, a form byte, then one item: its properties, a count and its recipients, a count and its attachments.
//! Properties are a count and, in order of their keys, key and value. Content of attachments stands as BLAKE3 and length; a message inside
//! stands in place. Invariant: `read(write(item)) == item`; the bytes do not depend on identifiers that a store gave to names, nor on
//! defects or on how strings are decoded.

mod omitted;
mod read;
mod write;

use crate::message::{Attachment, Content, Message};
use crate::property::{NamedProperty, Properties, Tag, Value};

pub use omitted::{OMITTED, Omitted};
pub use read::{ReadError, read};
pub use write::write;

/// First bytes of every serialisation.
pub const MAGIC: [u8; 8] = *b"EMBLMAPI";
/// The version that is written.
pub const VERSION: u8 = 1;

/// Which properties are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every property.
    Full,
    /// Without those that say only how a store keeps its copy ([`OMITTED`]): the identity of the message.
    Identity,
}

/// What a property is, independent of the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Identifier and type.
    Tag(Tag),
    /// Name and type.
    Named(NamedProperty, u16),
}

/// A message with its contents by hash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// In order of the keys.
    pub properties: Vec<(Key, Value)>,
    /// In stored order.
    pub recipients: Vec<Vec<(Key, Value)>>,
    /// In stored order.
    pub attachments: Vec<Held>,
}

/// An attachment with its content by hash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// In order of the keys.
    pub properties: Vec<(Key, Value)>,
    /// What it holds.
    pub content: Holding,
}

/// Content of an attachment.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Holding {
    /// Nothing.
    #[default]
    None,
    /// A file.
    Bytes(Digest),
    /// A message.
    Message(Box<Item>),
    /// An OLE object.
    Ole(Digest),
    /// Content that was not read, by its length.
    TooLong(u64),
}

/// Content by hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// BLAKE3.
    pub hash: [u8; 32],
    /// Length in bytes.
    pub length: u64,
}

impl Digest {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            hash: *blake3::hash(bytes).as_bytes(),
            length: bytes.len() as u64,
        }
    }
}

/// A message in a form.
pub fn item(message: &Message, form: Form) -> Item {
    Item {
        properties: properties(&message.properties, form),
        recipients: message
            .recipients
            .iter()
            .map(|recipient| properties(recipient, form))
            .collect(),
        attachments: message.attachments.iter().map(|one| held(one, form)).collect(),
    }
}

/// The bytes of a message in a form.
pub fn bytes(message: &Message, form: Form) -> Vec<u8> {
    write(&item(message, form), form)
}

fn held(attachment: &Attachment, form: Form) -> Held {
    Held {
        properties: properties(&attachment.properties, form),
        content: match &attachment.content {
            Content::None => Holding::None,
            Content::Bytes(bytes) => Holding::Bytes(Digest::of(bytes)),
            Content::Message(message) => Holding::Message(Box::new(item(message, form))),
            Content::Ole(bytes) => Holding::Ole(Digest::of(bytes)),
            Content::TooLong(length) => Holding::TooLong(*length),
        },
    }
}

fn properties(properties: &Properties, form: Form) -> Vec<(Key, Value)> {
    let mut found: Vec<(Key, Value)> = properties
        .iter()
        .filter(|(tag, _)| form == Form::Full || !omitted::is_omitted(*tag))
        .map(|(tag, value)| {
            let key = match properties.name_of(tag.id()) {
                Some(name) if tag.is_named() => Key::Named(name.clone(), tag.kind_bits()),
                _ => Key::Tag(tag),
            };
            (key, value.clone())
        })
        .collect();
    // Two identifiers may stand for one name; then the values decide the order.
    found.sort_by(|(a, left), (b, right)| {
        a.cmp(b)
            .then_with(|| write::value_bytes(left).cmp(&write::value_bytes(right)))
    });
    found
}

#[cfg(test)]
mod tests;
