//! A message as its file stores it: properties, recipients, attachments.

use embley_model::defect::Defect;

use crate::property::Properties;

/// A message, or any other object that a folder holds (appointment, contact, task, note, report, distribution list).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its own properties.
    pub properties: Properties,
    /// One set of properties a recipient, in stored order.
    pub recipients: Vec<Properties>,
    /// In stored order.
    pub attachments: Vec<Attachment>,
    /// What was odd while it was read from its file.
    pub defects: Vec<Defect>,
}

/// An attachment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// Its properties, without the content.
    pub properties: Properties,
    /// What it holds.
    pub content: Content,
    /// What was odd while it was read from its file.
    pub defects: Vec<Defect>,
}

/// What an attachment holds ([MS-OXCMSG] section 2.2.2.9, PidTagAttachMethod).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing is stored here: no data, or only a path or link in the properties.
    #[default]
    None,
    /// The bytes of a file.
    Bytes(Vec<u8>),
    /// A message.
    Message(Box<Message>),
    /// An OLE object: a compound file, or the bytes of an OLE 1 stream.
    Ole(Vec<u8>),
    /// Too long for the limit that the reader was given; its length in bytes.
    TooLong(u64),
}
