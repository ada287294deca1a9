//! TNEF, `winmail.dat` ([MS-OXTNEF]): a message as a stream of attributes.
//!
//! Not for: what the message says (module `view`). Main function: [`read`]. Decisions: attributes of the old kind become the properties
//! that [MS-OXTNEF] section 2.1.3.3 names, where the stream has not that property itself; a stream without attMsgProps is thus still a
//! message; a stream that breaks off gives what stood before. A property identifier that stands for two names gets a free one for the
//! second. Invariant: no attribute's length is believed beyond the stream, and every checksum that does not match is reported.

mod legacy;
mod properties;

use embley_model::defect::{Defect, DefectCode};

use crate::message::{Attachment, Content, Message};
use crate::msg::{DEPTH_LIMIT, content_of, note_missing};
use crate::property::{PropertyKind, Tag, Value};
use crate::tags;
use legacy::Legacy;

/// Signature ([MS-OXTNEF] section 2.1.3.2).
pub const SIGNATURE: u32 = 0x223E_9F78;

/// IID_IMessage: a data object that is a TNEF stream of its own.
const MESSAGE_OBJECT: [u8; 16] = [0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];

// Names of attributes without their types, which some writers leave out.
const ATTACHMENT_DATA: u16 = 0x800F;
const ATTACHMENT_START: u16 = 0x9002;
const MESSAGE_PROPERTIES: u16 = 0x9003;
const RECIPIENTS: u16 = 0x9004;
const ATTACHMENT_PROPERTIES: u16 = 0x9005;
const CODE_PAGE: u16 = 0x9007;

/// True when a file begins like TNEF.
pub fn has_signature(head: &[u8]) -> bool {
    head.starts_with(&SIGNATURE.to_le_bytes())
}

/// A TNEF stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tnef {
    /// The message in it.
    pub message: Message,
    /// The key that pairs the stream with its message ([MS-OXTNEF] section 2.1.3.2, LegacyKey).
    pub key: u16,
}

/// Reads a stream. One that is no TNEF gives an empty message with a defect.
pub fn read(bytes: &[u8]) -> Tnef {
    read_at(bytes, 0)
}

fn read_at(bytes: &[u8], depth: usize) -> Tnef {
    let mut reader = Reader {
        depth,
        ..Reader::default()
    };
    if !has_signature(bytes) {
        reader.odd("no signature of TNEF");
        return reader.finish();
    }
    let Some(key) = bytes.get(4..6) else {
        reader.odd("the stream ends in its head");
        return reader.finish();
    };
    reader.out.key = u16::from_le_bytes([key[0], key[1]]);
    let mut at = 6;
    while at < bytes.len() {
        match attribute(bytes, at) {
            Ok((attribute, next)) => {
                reader.take(&attribute, at);
                at = next;
            }
            Err(why) => {
                let rest = bytes.len() - at;
                reader.odd(&format!("{why}; {rest} bytes from offset {at} on were not read"));
                // What the last attribute does hold is read, unless even its head is rubbish.
                if let Some(cut) = cut_attribute(bytes, at) {
                    reader.take(&cut, at);
                }
                break;
            }
        }
    }
    reader.finish()
}

struct Attribute<'a> {
    of_attachment: bool,
    id: u32,
    data: &'a [u8],
    sound: bool,
}

impl Attribute<'_> {
    /// The name, which is the lower half; the upper one is a type.
    fn name(&self) -> u16 {
        (self.id & 0xFFFF) as u16
    }
}

/// Level, identifier, length, data, checksum.
fn attribute(bytes: &[u8], at: usize) -> Result<(Attribute<'_>, usize), &'static str> {
    let head = bytes
        .get(at..at + 9)
        .ok_or("the stream ends in the head of an attribute")?;
    let of_attachment = match head[0] {
        1 => false,
        2 => true,
        _ => return Err("an attribute of neither message nor attachment"),
    };
    let id = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let length = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    let start = at + 9;
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| start.checked_add(length));
    let data = end
        .and_then(|end| bytes.get(start..end))
        .ok_or("an attribute is longer than the stream")?;
    let end = start + data.len();
    let Some(stated) = bytes.get(end..end + 2) else {
        return Ok((
            Attribute {
                of_attachment,
                id,
                data,
                sound: false,
            },
            bytes.len(),
        ));
    };
    let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    let sound = sum == u16::from_le_bytes([stated[0], stated[1]]);
    Ok((
        Attribute {
            of_attachment,
            id,
            data,
            sound,
        },
        end + 2,
    ))
}

/// The attribute that the end of the stream cuts off, when its identifier is one of TNEF.
fn cut_attribute(bytes: &[u8], at: usize) -> Option<Attribute<'_>> {
    let head = bytes.get(at..at + 9)?;
    let id = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let known = matches!(id & 0xFFFF, 0x8000..=0x8020 | 0x9001..=0x9007);
    (matches!(head[0], 1 | 2) && known).then(|| Attribute {
        of_attachment: head[0] == 2,
        id,
        data: &bytes[at + 9..],
        sound: true,
    })
}

#[derive(Default)]
struct Reader {
    out: Tnef,
    depth: usize,
    legacy: Legacy,
    attachment_legacy: Legacy,
    /// Content from attAttachData, used when the properties hold none.
    data: Option<Vec<u8>>,
    started: bool,
    page: Option<u32>,
}

impl Reader {
    fn odd(&mut self, detail: &str) {
        self.out
            .message
            .defects
            .push(Defect::new(DefectCode::MapiStructure, detail));
    }

    fn take(&mut self, attribute: &Attribute<'_>, at: usize) {
        if !attribute.sound {
            let defect = Defect::new(DefectCode::MapiChecksum, format!("attribute {:#010x}", attribute.id));
            let end = at + 9 + attribute.data.len();
            self.out.message.defects.push(defect.at(at as u64..end as u64));
        }
        if !attribute.of_attachment {
            self.take_of_message(attribute);
            return;
        }
        if attribute.name() == ATTACHMENT_START {
            self.finish_attachment();
            self.out.message.attachments.push(Attachment::default());
            self.started = true;
        } else if !self.started {
            self.odd("an attribute of an attachment before any attachment begins");
            self.out.message.attachments.push(Attachment::default());
            self.started = true;
        }
        let Some(attachment) = self.out.message.attachments.last_mut() else {
            return;
        };
        match attribute.name() {
            ATTACHMENT_START => self.attachment_legacy.start_attachment(attribute.data),
            ATTACHMENT_DATA => self.data = Some(attribute.data.to_vec()),
            ATTACHMENT_PROPERTIES => {
                properties::read(attribute.data, &mut attachment.properties, &mut attachment.defects);
            }
            _ => {
                let id = attribute.id;
                if !self.attachment_legacy.take(id, attribute.data) {
                    let detail = format!("attribute {id:#010x} of an attachment is not known or cannot be read");
                    attachment.defects.push(Defect::new(DefectCode::MapiStructure, detail));
                }
            }
        }
    }

    fn take_of_message(&mut self, attribute: &Attribute<'_>) {
        match attribute.name() {
            MESSAGE_PROPERTIES | ATTACHMENT_PROPERTIES => {
                let message = &mut self.out.message;
                properties::read(attribute.data, &mut message.properties, &mut message.defects);
            }
            RECIPIENTS => {
                let message = &mut self.out.message;
                properties::read_table(attribute.data, &mut message.recipients, &mut message.defects);
            }
            CODE_PAGE => {
                let page = attribute.data.get(..4).and_then(|page| page.try_into().ok());
                self.page = page.map(u32::from_le_bytes).filter(|page| *page != 0);
            }
            _ => {
                let id = attribute.id;
                if !self.legacy.take(id, attribute.data) {
                    self.odd(&format!("attribute {id:#010x} is not known or cannot be read"));
                }
            }
        }
    }

    /// Decides what the last attachment holds.
    fn finish_attachment(&mut self) {
        let legacy = std::mem::take(&mut self.attachment_legacy);
        let data = self.data.take();
        let page = self.page;
        let depth = self.depth;
        let Some(attachment) = self.out.message.attachments.last_mut() else {
            return;
        };
        legacy.fill(&mut attachment.properties);
        let method = attachment.properties.integer(tags::ATTACH_METHOD);
        let object_tag = Tag::new(tags::ATTACH_DATA, PropertyKind::Object);
        let bytes_tag = Tag::new(tags::ATTACH_DATA, PropertyKind::Binary);
        let object = attachment.properties.remove(object_tag);
        let bytes = attachment.properties.remove(bytes_tag);
        attachment.content = match (object, bytes, data) {
            (Some(Value::Binary(object)), _, _) => content_of_object(object, depth, page, &mut attachment.defects),
            (_, Some(bytes), _) => content_of(Some(bytes), method),
            (_, None, Some(data)) if method == Some(5) && has_signature(&data) => {
                content_of_message(&data, depth, page, &mut attachment.defects).unwrap_or(Content::Bytes(data))
            }
            (_, None, Some(data)) => content_of(Some(Value::Binary(data)), method),
            (_, None, None) => Content::None,
        };
        note_missing(attachment, method);
    }

    fn finish(mut self) -> Tnef {
        if self.started {
            self.finish_attachment();
        }
        let legacy = std::mem::take(&mut self.legacy);
        legacy.fill(&mut self.out.message.properties);
        // attOemCodepage says the page of all 8-bit strings of the stream.
        if let Some(page) = self.page.and_then(|page| i32::try_from(page).ok()) {
            self.out.message.properties.insert(
                Tag::new(tags::MESSAGE_CODEPAGE, PropertyKind::Integer32),
                Value::Integer32(page),
            );
        }
        self.out
    }
}

/// A data object: an interface identifier, then what it stands for ([MS-OXTNEF] section 2.1.3.4).
fn content_of_object(object: Vec<u8>, depth: usize, page: Option<u32>, defects: &mut Vec<Defect>) -> Content {
    let Some((interface, rest)) = object.split_at_checked(16) else {
        defects.push(Defect::new(
            DefectCode::MapiStructure,
            "a data object is shorter than its interface",
        ));
        return Content::Ole(object);
    };
    if interface == MESSAGE_OBJECT
        && let Some(content) = content_of_message(rest, depth, page, defects)
    {
        return content;
    }
    Content::Ole(rest.to_vec())
}

fn content_of_message(bytes: &[u8], depth: usize, page: Option<u32>, defects: &mut Vec<Defect>) -> Option<Content> {
    if !has_signature(bytes) {
        defects.push(Defect::new(
            DefectCode::MapiStructure,
            "an embedded message has no signature of TNEF",
        ));
        return None;
    }
    if depth + 1 >= DEPTH_LIMIT {
        let detail = format!("a message nested deeper than {DEPTH_LIMIT} is kept as bytes");
        defects.push(Defect::new(DefectCode::MimeDepth, detail));
        return None;
    }
    let mut message = read_at(bytes, depth + 1).message;
    if let Some(page) = page.and_then(|page| i32::try_from(page).ok()) {
        message.properties.insert(
            Tag::new(tags::MESSAGE_CODEPAGE, PropertyKind::Integer32),
            Value::Integer32(page),
        );
    }
    Some(Content::Message(Box::new(message)))
}

#[cfg(test)]
mod tests;
