//! Attributes of the old kind as properties ([MS-OXTNEF] section 2.1.3.3).

use std::collections::BTreeMap;

use crate::property::{Properties, PropertyKind, Tag, Value};
use crate::tags;

/// Attributes of one message or attachment that wait for the properties, which come first.
#[derive(Default)]
pub(super) struct Legacy {
    found: BTreeMap<Tag, Value>,
}

/// Classes of messages that were written with their old name ([MS-OXTNEF] section 2.1.3.3.1, attMessageClass).
const CLASSES: [(&[u8], &[u8]); 8] = [
    (b"IPM.Microsoft Mail.Note", b"IPM.Note"),
    (b"IPM.Microsoft Mail.Read Receipt", b"Report.IPM.Note.IPNRN"),
    (b"IPM.Microsoft Mail.Non-Delivery", b"Report.IPM.Note.NDR"),
    (b"IPM.Microsoft Schedule.MtgReq", b"IPM.Schedule.Meeting.Request"),
    (b"IPM.Microsoft Schedule.MtgRespP", b"IPM.Schedule.Meeting.Resp.Pos"),
    (b"IPM.Microsoft Schedule.MtgRespN", b"IPM.Schedule.Meeting.Resp.Neg"),
    (b"IPM.Microsoft Schedule.MtgRespA", b"IPM.Schedule.Meeting.Resp.Tent"),
    (b"IPM.Microsoft Schedule.MtgCncl", b"IPM.Schedule.Meeting.Canceled"),
];

impl Legacy {
    /// Takes an attribute; false when it is not known or cannot be read.
    pub(super) fn take(&mut self, id: u32, data: &[u8]) -> bool {
        match id & 0xFFFF {
            0x8000 => self.sender(data),
            0x8004 => self.string(tags::SUBJECT, data),
            0x8005 => self.date(tags::CLIENT_SUBMIT_TIME, data),
            0x8006 => self.date(tags::DELIVERY_TIME, data),
            0x8007 => self.status(data),
            0x8008 => self.class(tags::MESSAGE_CLASS, data),
            // attMessageID holds hexadecimal digits of PidTagSearchKey.
            0x8009 => match hexadecimal(trimmed(data)) {
                Some(key) => self.put(0x300B, PropertyKind::Binary, Value::Binary(key)),
                None => trimmed(data).is_empty(),
            },
            0x800C => self.string(tags::BODY, data),
            0x8010 => self.string(tags::ATTACH_FILENAME, data),
            0x8011 => self.put(
                tags::ATTACH_RENDERING,
                PropertyKind::Binary,
                Value::Binary(data.to_vec()),
            ),
            0x8012 => self.date(tags::CREATION_TIME, data),
            0x8013 | 0x8020 => self.date(tags::MODIFICATION_TIME, data),
            0x9001 => self.string(tags::ATTACH_TRANSPORT_NAME, data),
            // attOwner, attSentFor: whom the sender acted for, or who is owner of the appointment.
            0x0000 | 0x0001 => self.counted_person(data),
            // attOriginalMessageClass has the same name as attDateStart, and another type.
            0x0006 if id >> 16 == 7 => self.class(tags::ORIGINAL_MESSAGE_CLASS, data),
            0x0006 => self.date(tags::START_DATE, data),
            0x0007 => self.date(tags::END_DATE, data),
            0x0008 => self.number(tags::OWNER_APPOINTMENT_ID, data),
            0x0009 => match data {
                [] => false,
                _ => self.put(
                    tags::RESPONSE_REQUESTED,
                    PropertyKind::Boolean,
                    Value::Boolean(data.iter().any(|byte| *byte != 0)),
                ),
            },
            0x800D => self.priority(data),
            // attConversationID, attParentID and attDelegate have no property that is still defined; attTnefVersion
            // says nothing of the message.
            0x0002 | 0x800A | 0x800B | 0x9006 => true,
            _ => false,
        }
    }

    /// attAttachRendData ([MS-OXTNEF] section 2.1.3.3.15): kind and position of an attachment.
    pub(super) fn start_attachment(&mut self, data: &[u8]) {
        let kind = data.get(..2).map(|kind| u16::from_le_bytes([kind[0], kind[1]]));
        let position = data
            .get(2..6)
            .and_then(|position| position.try_into().ok())
            .map(i32::from_le_bytes);
        if let Some(position) = position {
            self.put(
                tags::RENDERING_POSITION,
                PropertyKind::Integer32,
                Value::Integer32(position),
            );
        }
        let method = match kind {
            Some(1) => 1,
            Some(2) => 6,
            _ => return,
        };
        self.put(tags::ATTACH_METHOD, PropertyKind::Integer32, Value::Integer32(method));
    }

    /// Adds what the properties lack. A property counts as there whatever its type.
    pub(super) fn fill(self, properties: &mut Properties) {
        for (tag, value) in self.found {
            if properties.by_id(tag.id()).is_none() {
                properties.insert(tag, value);
            }
        }
    }

    fn put(&mut self, id: u16, kind: PropertyKind, value: Value) -> bool {
        self.found.entry(Tag::new(id, kind)).or_insert(value);
        true
    }

    fn string(&mut self, id: u16, data: &[u8]) -> bool {
        self.put(id, PropertyKind::String8, Value::String8(trimmed(data).to_vec()))
    }

    fn class(&mut self, id: u16, data: &[u8]) -> bool {
        let name = trimmed(data);
        let known = CLASSES.iter().find(|(old, _)| old.eq_ignore_ascii_case(name));
        self.string(id, known.map_or(name, |(_, new)| new))
    }

    fn number(&mut self, id: u16, data: &[u8]) -> bool {
        match data.get(..4).and_then(|number| number.try_into().ok()) {
            Some(number) => self.put(
                id,
                PropertyKind::Integer32,
                Value::Integer32(i32::from_le_bytes(number)),
            ),
            None => false,
        }
    }

    fn date(&mut self, id: u16, data: &[u8]) -> bool {
        match filetime(data) {
            Some(time) => self.put(id, PropertyKind::Time, Value::Time(time)),
            None => false,
        }
    }

    /// attPriority: 1 high, 2 normal, 3 low, as PidTagImportance.
    fn priority(&mut self, data: &[u8]) -> bool {
        let importance = match data {
            [1, 0, ..] => 2,
            [2, 0, ..] => 1,
            [3, 0, ..] => 0,
            _ => return false,
        };
        self.put(tags::IMPORTANCE, PropertyKind::Integer32, Value::Integer32(importance))
    }

    /// attMessageStatus: bits of its own, as PidTagMessageFlags.
    fn status(&mut self, data: &[u8]) -> bool {
        let Some(status) = data.first() else { return false };
        let mut flags = 0;
        for (bit, flag) in [(0x20, 0x01), (0x04, 0x04), (0x80, 0x10), (0x02, 0x08)] {
            if status & bit != 0 {
                flags |= flag;
            }
        }
        if status & 0x01 == 0 {
            flags |= 0x02;
        }
        self.put(tags::MESSAGE_FLAGS, PropertyKind::Integer32, Value::Integer32(flags))
    }

    /// attFrom: a list of TRP structures of which the first is the sender: identifier, size, lengths, then name and address.
    fn sender(&mut self, data: &[u8]) -> bool {
        let half = |at: usize| {
            data.get(at..at + 2)
                .map(|half| usize::from(u16::from_le_bytes([half[0], half[1]])))
        };
        let (Some(name_bytes), Some(address_bytes)) = (half(4), half(6)) else {
            return false;
        };
        let Some(name) = data.get(8..8 + name_bytes) else {
            return false;
        };
        let Some(address) = data.get(8 + name_bytes..8 + name_bytes + address_bytes) else {
            return false;
        };
        self.person(
            tags::SENDER_NAME,
            tags::SENDER_ADDRESS_TYPE,
            tags::SENDER_ADDRESS,
            name,
            address,
        )
    }

    /// A length and a name, a length and an address.
    fn counted_person(&mut self, data: &[u8]) -> bool {
        let part = |at: usize| {
            let length = data
                .get(at..at + 2)
                .map(|half| usize::from(u16::from_le_bytes([half[0], half[1]])))?;
            data.get(at + 2..at + 2 + length)
        };
        let Some(name) = part(0) else { return false };
        let Some(address) = part(2 + name.len()) else {
            return false;
        };
        self.person(
            tags::REPRESENTING_NAME,
            tags::REPRESENTING_ADDRESS_TYPE,
            tags::REPRESENTING_ADDRESS,
            name,
            address,
        )
    }

    fn person(&mut self, name_id: u16, type_id: u16, address_id: u16, name: &[u8], address: &[u8]) -> bool {
        self.string(name_id, name);
        let address = trimmed(address);
        match address.iter().position(|byte| *byte == b':') {
            Some(colon) => self.string(type_id, &address[..colon]) && self.string(address_id, &address[colon + 1..]),
            None => self.string(address_id, address),
        }
    }
}

fn trimmed(data: &[u8]) -> &[u8] {
    let end = data.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    &data[..end]
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// A DTR structure: year, month, day, hour, minute, second and day of the week, as FILETIME. The zone is not told; taken as UTC.
fn filetime(data: &[u8]) -> Option<i64> {
    let part = |at: usize| {
        data.get(at * 2..at * 2 + 2)
            .map(|half| i16::from_le_bytes([half[0], half[1]]))
    };
    let small = |at: usize| part(at).and_then(|value| i8::try_from(value).ok());
    let date = jiff::civil::DateTime::new(part(0)?, small(1)?, small(2)?, small(3)?, small(4)?, small(5)?, 0).ok()?;
    let seconds = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    seconds.checked_add(11_644_473_600)?.checked_mul(10_000_000)
}
