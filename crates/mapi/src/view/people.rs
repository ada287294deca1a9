//! Sender and recipients ([MS-OXOMSG] section 2.2.1 and 2.2.3).

use embley_model::address::Address;

use super::Reader;
use crate::property::Properties;
use crate::tags;

/// Somebody in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Display name, empty when there is none.
    pub name: String,
    /// SMTP address, empty when the message does not tell it.
    pub smtp: String,
    /// Address as stored, of the type below: SMTP, or an X.500 name such as `/O=.../CN=...`.
    pub address: String,
    /// `SMTP`, `EX` or another type, empty when there is none.
    pub address_type: String,
}

impl Person {
    /// Name and the best address there is.
    pub fn to_address(&self) -> Address {
        let addr = if self.smtp.is_empty() {
            &self.address
        } else {
            &self.smtp
        };
        Address {
            name: self.name.clone(),
            addr: addr.clone(),
        }
    }
}

/// PidTagRecipientType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientRole {
    /// The sender, in some stores.
    Originator,
    /// To; who must come to a meeting.
    To,
    /// Cc; who may come to a meeting.
    Cc,
    /// Bcc; rooms and things of a meeting.
    Bcc,
    /// Not told, or a number that is not known.
    Unknown,
}

/// A recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// In which role.
    pub role: RecipientRole,
    /// Who.
    pub person: Person,
}

/// Identifiers that describe one person.
struct Ids {
    name: u16,
    address_type: u16,
    address: u16,
    smtp: u16,
}

pub(super) fn sender(reader: &Reader<'_>) -> Option<Person> {
    let ids = Ids {
        name: tags::SENDER_NAME,
        address_type: tags::SENDER_ADDRESS_TYPE,
        address: tags::SENDER_ADDRESS,
        smtp: tags::SENDER_SMTP,
    };
    person(reader, &reader.message.properties, &ids)
}

pub(super) fn representing(reader: &Reader<'_>) -> Option<Person> {
    let ids = Ids {
        name: tags::REPRESENTING_NAME,
        address_type: tags::REPRESENTING_ADDRESS_TYPE,
        address: tags::REPRESENTING_ADDRESS,
        smtp: tags::REPRESENTING_SMTP,
    };
    person(reader, &reader.message.properties, &ids)
}

pub(super) fn recipients(reader: &Reader<'_>) -> Vec<Recipient> {
    let ids = Ids {
        name: tags::DISPLAY_NAME,
        address_type: tags::ADDRESS_TYPE,
        address: tags::EMAIL_ADDRESS,
        smtp: tags::SMTP_ADDRESS,
    };
    reader
        .message
        .recipients
        .iter()
        .filter_map(|properties| {
            let person = person(reader, properties, &ids)?;
            // The upper bits say how often sending was tried.
            let role = match properties.integer(tags::RECIPIENT_TYPE).map(|role| role & 0x0F) {
                Some(0) => RecipientRole::Originator,
                Some(1) => RecipientRole::To,
                Some(2) => RecipientRole::Cc,
                Some(3) => RecipientRole::Bcc,
                _ => RecipientRole::Unknown,
            };
            Some(Recipient { role, person })
        })
        .collect()
}

fn person(reader: &Reader<'_>, properties: &Properties, ids: &Ids) -> Option<Person> {
    let get = |id| {
        reader
            .strings
            .get(properties, id)
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    };
    let mut person = Person {
        name: get(ids.name),
        smtp: get(ids.smtp),
        address: get(ids.address),
        address_type: get(ids.address_type),
    };
    if person.smtp.is_empty() {
        let untyped =
            person.address_type.is_empty() && person.address.contains('@') && !person.address.starts_with('/');
        if person.address_type.eq_ignore_ascii_case("SMTP") || untyped {
            person.smtp.clone_from(&person.address);
        }
    }
    // Outlook quotes names that are addresses.
    if person.name.len() > 2 && person.name.starts_with('\'') && person.name.ends_with('\'') {
        person.name = person.name[1..person.name.len() - 1].to_owned();
    }
    (!person.name.is_empty() || !person.smtp.is_empty() || !person.address.is_empty()).then_some(person)
}

/// Names and addresses of one-off entry identifiers ([MS-OXCDATA] section 2.2.5.1): name, type, address. `None` for others.
pub(super) fn one_off(entry: &[u8], decode: impl Fn(&[u8]) -> String) -> Option<[String; 3]> {
    const PROVIDER: [u8; 16] = [
        0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02,
    ];
    if entry.get(4..20)? != PROVIDER {
        return None;
    }
    let unicode = u16::from_le_bytes([*entry.get(22)?, *entry.get(23)?]) & 0x8000 != 0;
    let mut rest = entry.get(24..)?;
    let mut next = || {
        if unicode {
            let units: Vec<u16> = rest
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .take_while(|unit| *unit != 0)
                .collect();
            rest = rest.get(units.len() * 2 + 2..).unwrap_or_default();
            String::from_utf16_lossy(&units)
        } else {
            let length = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
            let text = decode(&rest[..length]);
            rest = rest.get(length + 1..).unwrap_or_default();
            text
        }
    };
    Some([next(), next(), next()])
}
