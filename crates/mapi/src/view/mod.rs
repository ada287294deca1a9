//! What a message says: kind, subject, people, dates, headers, bodies, and the fields of appointments, contacts, tasks and others.
//!
//! Not for: reading files (modules `msg`, `tnef`, crate `pst`). Main type: [`View`]. Decisions: an address counts as SMTP only when the
//! message says so (PidTagSmtpAddress and its like, address type `SMTP`, or an address without type that has an `@`); an X.500 address is
//! kept beside it as it stands. Times are FILETIME as UTC seconds; the values that stand for "none" are none, others out of range are
//! reported. Invariant: pure; a property of an unexpected type is as if it were not there, and stays in the message.

mod body;
mod fields;
mod kind;
mod people;

use embley_model::defect::{Defect, DefectCode};

use crate::message::{Attachment, Content, Message};
use crate::property::{Properties, PropertyName, Value};
use crate::strings::Strings;
use crate::tags;

pub use body::{Bodies, BodySource};
pub use fields::Field;
pub use kind::{ItemKind, Secured};
pub use people::{Person, Recipient, RecipientRole};

/// Seconds between 1601-01-01 and 1970-01-01.
const EPOCH_SECONDS: i64 = 11_644_473_600;
/// 4501-01-01, which stands for "no date" ([MS-OXOTASK] section 2.2.2.2.4 and others).
const NO_DATE: i64 = 0x0CB3_4557_A3DD_4000;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// PidTagMessageClass as stored.
    pub class: String,
    /// What kind of item the class makes it.
    pub kind: ItemKind,
    /// Subject, without the mark of a prefix's length that stores put before it.
    pub subject: String,
    /// Who sent it.
    pub sender: Option<Person>,
    /// In whose name it was sent; often the same.
    pub representing: Option<Person>,
    /// In stored order.
    pub recipients: Vec<Recipient>,
    /// PidTagReplyRecipientNames.
    pub reply_to: Option<String>,
    /// When it was sent, as the sender's program says. UTC seconds, as the other three.
    pub submitted: Option<i64>,
    /// When it was delivered.
    pub delivered: Option<i64>,
    /// When the object was made in its store.
    pub created: Option<i64>,
    /// When the object was last changed in its store.
    pub modified: Option<i64>,
    /// PidTagTransportMessageHeaders: headers as they came over the Internet.
    pub headers: Option<String>,
    /// PidTagInternetMessageId, with its angle brackets as stored.
    pub message_id: Option<String>,
    /// PidTagInReplyToId.
    pub in_reply_to: Option<String>,
    /// PidTagInternetReferences.
    pub references: Option<String>,
    /// PidTagConversationIndex: what `Thread-Index` holds in base 64.
    pub conversation_index: Option<Vec<u8>>,
    /// PidTagConversationTopic.
    pub conversation_topic: Option<String>,
    /// 0 low, 1 normal, 2 high.
    pub importance: Option<i64>,
    /// 0 normal, 1 personal, 2 private, 3 confidential.
    pub sensitivity: Option<i64>,
    /// True when it was read.
    pub read: bool,
    /// True when it was not sent yet.
    pub draft: bool,
    /// Categories that its owner gave it.
    pub categories: Vec<String>,
    /// What its bodies say.
    pub bodies: Bodies,
    /// Fields of an appointment, contact, task and so on, for people and for search.
    pub fields: Vec<Field>,
    /// Whether it is an S/MIME message.
    pub secured: Option<Secured>,
    /// Position of the attachment that holds the whole message of an S/MIME one.
    pub wrapped_in: Option<usize>,
    /// What the attachments say of themselves, one each.
    pub attachments: Vec<AttachmentView>,
    /// Code page of the 8-bit strings, for embedded messages that declare none.
    pub page: u32,
    /// What was odd while it was looked at; those of reading are in the message.
    pub defects: Vec<Defect>,
}

/// What an attachment says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachmentView {
    /// Long file name, else short one, else display name; empty when there is none.
    pub name: String,
    /// PidTagAttachMimeTag, empty when there is none.
    pub media_type: String,
    /// PidTagAttachContentId, empty when there is none.
    pub content_id: String,
    /// Path or link, for one whose content is not here.
    pub link: String,
    /// True when it is not shown in the list of attachments, such as a picture of the body.
    pub hidden: bool,
    /// PidTagLastModificationTime, UTC seconds.
    pub modified: Option<i64>,
    /// PidTagCreationTime, UTC seconds.
    pub created: Option<i64>,
}

impl View {
    /// Looks at a message. `inherited_page` is that of the message around it.
    pub fn of(message: &Message, inherited_page: Option<u32>) -> Self {
        let strings = Strings::of(message, inherited_page);
        let reader = Reader {
            strings: &strings,
            message,
        };
        let properties = &message.properties;
        let mut view = Self {
            class: reader.text(tags::MESSAGE_CLASS),
            subject: reader.subject(),
            page: strings.page(),
            defects: strings.defects().to_vec(),
            sender: people::sender(&reader),
            representing: people::representing(&reader),
            recipients: people::recipients(&reader),
            reply_to: reader.get(tags::REPLY_TO_NAMES),
            headers: reader.get(tags::TRANSPORT_HEADERS),
            message_id: reader.get(tags::MESSAGE_ID),
            in_reply_to: reader.get(tags::IN_REPLY_TO),
            references: reader.get(tags::REFERENCES),
            conversation_index: properties.binary(tags::CONVERSATION_INDEX).map(<[u8]>::to_vec),
            conversation_topic: reader.get(tags::CONVERSATION_TOPIC),
            importance: properties.integer(tags::IMPORTANCE),
            sensitivity: properties.integer(tags::SENSITIVITY),
            categories: reader.named_texts(tags::SET_PUBLIC_STRINGS, &PropertyName::Text("Keywords".to_owned())),
            ..Self::default()
        };
        view.kind = ItemKind::of_class(&view.class);
        let flags = properties.integer(tags::MESSAGE_FLAGS).unwrap_or(0);
        view.read = flags & 0x01 != 0;
        view.draft = flags & 0x08 != 0;
        view.submitted = seconds(properties, tags::CLIENT_SUBMIT_TIME, &mut view.defects);
        view.delivered = seconds(properties, tags::DELIVERY_TIME, &mut view.defects);
        view.created = seconds(properties, tags::CREATION_TIME, &mut view.defects);
        view.modified = seconds(properties, tags::MODIFICATION_TIME, &mut view.defects);
        view.bodies = body::read(&reader, &mut view.defects);
        view.attachments = message
            .attachments
            .iter()
            .map(|attachment| reader.attachment(attachment, &mut view.defects))
            .collect();
        view.fields = fields::read(&reader, &view);
        kind::secured(message, &mut view);
        view
    }

    /// The time by which it is sorted: sent, else delivered, else last changed, else made.
    pub fn date(&self) -> Option<i64> {
        self.submitted.or(self.delivered).or(self.modified).or(self.created)
    }
}

/// A message and how its strings are read.
pub(crate) struct Reader<'a> {
    strings: &'a Strings,
    message: &'a Message,
}

impl Reader<'_> {
    fn get(&self, id: u16) -> Option<String> {
        self.strings.get(&self.message.properties, id)
    }

    fn text(&self, id: u16) -> String {
        self.get(id).unwrap_or_default()
    }

    fn named(&self, set: crate::property::PropertySet, number: u32) -> Option<&Value> {
        let name = PropertyName::Number(number);
        self.message.properties.by_name(set, &name).map(|(_, value)| value)
    }

    /// A named property that is one string or several.
    fn named_texts(&self, set: crate::property::PropertySet, name: &PropertyName) -> Vec<String> {
        match self.message.properties.by_name(set, name) {
            Some((_, Value::Multiple(values))) => values.iter().filter_map(|value| self.strings.text(value)).collect(),
            Some((_, value)) => self
                .strings
                .text(value)
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect(),
            None => Vec::new(),
        }
    }

    fn subject(&self) -> String {
        if let Some(subject) = self.get(tags::SUBJECT) {
            return without_prefix_mark(&subject).to_owned();
        }
        let normalized = self.text(tags::NORMALIZED_SUBJECT);
        if normalized.is_empty() {
            return String::new();
        }
        format!("{}{normalized}", self.text(tags::SUBJECT_PREFIX))
    }

    fn attachment(&self, attachment: &Attachment, defects: &mut Vec<Defect>) -> AttachmentView {
        let get = |id| self.strings.get(&attachment.properties, id);
        let inner_subject = || match &attachment.content {
            Content::Message(inner) => {
                let strings = Strings::of(inner, Some(self.strings.page()));
                let subject = Reader {
                    strings: &strings,
                    message: inner,
                }
                .subject();
                (!subject.is_empty()).then_some(subject)
            }
            _ => None,
        };
        let name = get(tags::ATTACH_LONG_FILENAME)
            .or_else(|| get(tags::ATTACH_FILENAME))
            .or_else(|| get(tags::DISPLAY_NAME))
            .or_else(|| get(tags::ATTACH_TRANSPORT_NAME))
            .or_else(inner_subject);
        let flags = attachment.properties.integer(tags::ATTACH_FLAGS).unwrap_or(0);
        AttachmentView {
            name: name.unwrap_or_default(),
            media_type: get(tags::ATTACH_MIME_TAG).unwrap_or_default(),
            content_id: get(tags::ATTACH_CONTENT_ID).unwrap_or_default(),
            link: get(tags::ATTACH_LONG_PATHNAME)
                .or_else(|| get(tags::ATTACH_PATHNAME))
                .unwrap_or_default(),
            // attRenderedInBody of [MS-OXCMSG] section 2.2.2.18.
            hidden: attachment.properties.integer(tags::ATTACHMENT_HIDDEN) == Some(1) || flags & 4 != 0,
            modified: seconds(&attachment.properties, tags::MODIFICATION_TIME, defects),
            created: seconds(&attachment.properties, tags::CREATION_TIME, defects),
        }
    }
}

/// [MS-PST] section 2.5.3.1.1.1: U+0001 and the length of the prefix stand before the subject.
fn without_prefix_mark(subject: &str) -> &str {
    let mut characters = subject.chars();
    match (characters.next(), characters.next()) {
        (Some('\u{1}'), Some(_)) => characters.as_str(),
        (Some('\u{1}'), None) => "",
        _ => subject,
    }
}

/// A time as UTC seconds.
fn seconds(properties: &Properties, id: u16, defects: &mut Vec<Defect>) -> Option<i64> {
    let time = properties.time(id)?;
    let found = utc_seconds(time);
    if found.is_none() && time != NO_DATE {
        defects.push(Defect::new(DefectCode::MapiDate, format!("{id:04X}: {time:#018x}")));
    }
    found
}

/// FILETIME as UTC seconds; `None` for zero, for what stands for no date, and beyond the year 9999.
pub fn utc_seconds(filetime: i64) -> Option<i64> {
    if filetime <= 0 || filetime == NO_DATE {
        return None;
    }
    let seconds = filetime / 10_000_000 - EPOCH_SECONDS;
    embley_model::date::rfc3339(seconds).map(|_| seconds)
}

#[cfg(test)]
mod tests;
