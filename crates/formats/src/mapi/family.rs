//! A message of properties as the family of items that a mail of RFC 5322 gives.

use std::borrow::Cow;
use std::collections::BTreeSet;

use embley_mapi::canonical::{self, Digest, Form, Holding, Item, Key};
use embley_mapi::view::{AttachmentView, Person, RecipientRole, Secured, View};
use embley_mapi::{Attachment, Content, Message, Properties, Tag, Value};
use embley_model::address::{Participant, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::{Defect, DefectCode};
use embley_model::item::{ItemKind, Searchability};

use super::MEDIA_TYPE;
use crate::html;
use crate::mail::{self, Family, MailMeta, ParseLimits, Parsed};
use crate::probe::{FileKind, probe, structured_type};
use crate::text;
use crate::walk::Place;

/// Identifiers from here on are names ([MS-OXPROPS] section 1.3.2).
const FIRST_NAMED: u16 = 0x8000;

/// A message out of its canonical form. `content` gives the bytes of a digest; without them the attachment is said to be too long.
pub fn message_of(item: &Item, content: &dyn Fn(&Digest) -> Option<Vec<u8>>) -> Message {
    Message {
        properties: properties(&item.properties),
        recipients: item.recipients.iter().map(|one| properties(one)).collect(),
        attachments: item
            .attachments
            .iter()
            .map(|held| Attachment {
                properties: properties(&held.properties),
                content: match &held.content {
                    Holding::None => Content::None,
                    Holding::Bytes(digest) => content(digest).map_or(Content::TooLong(digest.length), Content::Bytes),
                    Holding::Ole(digest) => content(digest).map_or(Content::TooLong(digest.length), Content::Ole),
                    Holding::Message(inner) => Content::Message(Box::new(message_of(inner, content))),
                    Holding::TooLong(length) => Content::TooLong(*length),
                },
                defects: Vec::new(),
            })
            .collect(),
        defects: Vec::new(),
    }
}

fn properties(of: &[(Key, Value)]) -> Properties {
    let mut properties = Properties::default();
    // Identifiers of names that the message never told are taken: a name must not fall on one of them.
    let nameless: BTreeSet<u16> = of
        .iter()
        .filter_map(|(key, _)| match key {
            Key::Tag(tag) => tag.is_named().then(|| tag.id()),
            Key::Named(..) => None,
        })
        .collect();
    let mut free = (FIRST_NAMED..u16::MAX).filter(|id| !nameless.contains(id));
    for (key, value) in of {
        match key {
            Key::Tag(tag) => properties.insert(*tag, value.clone()),
            Key::Named(name, kind) => {
                // A store has at most 0x7FFF names; a message that says more is not from one.
                let Some(next) = free.next() else { continue };
                properties.name(next, name.clone());
                properties.insert(Tag(u32::from(next) << 16 | u32::from(*kind)), value.clone());
            }
        }
    }
    properties
}

/// The items of a message: itself, messages inside it, attachments; depth first. Never empty.
pub fn family(message: &Message, limits: &ParseLimits) -> Family<'static> {
    let mut builder = Builder {
        items: Vec::new(),
        limits,
        text_left: limits.max_text_bytes,
    };
    builder.message(message, None, String::new(), None, 0);
    Family { items: builder.items }
}

struct Builder<'l> {
    items: Vec<Parsed<'static>>,
    limits: &'l ParseLimits,
    text_left: usize,
}

impl Builder<'_> {
    fn message(&mut self, message: &Message, parent: Option<u32>, path: String, page: Option<u32>, depth: usize) {
        let view = View::of(message, page);
        let at = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let mut body = body_text(&view);
        let mut defects = view.defects.clone();
        let mut searchability = if text::has_words(&body) {
            Searchability::Searched
        } else {
            Searchability::NoText
        };
        if body.len() > self.text_left {
            let end = (0..=self.text_left)
                .rev()
                .find(|end| body.is_char_boundary(*end))
                .unwrap_or(0);
            defects.push(Defect::new(DefectCode::TextLimit, format!("text beyond {end} bytes")));
            body.truncate(end);
            searchability = Searchability::PartlyLimit;
        }
        self.text_left -= body.len();
        if matches!(view.secured, Some(Secured::Encrypted)) {
            searchability = Searchability::Encrypted;
            defects.push(Defect::new(DefectCode::MailEncrypted, ""));
        }
        self.items.push(Parsed {
            kind: ItemKind::Email,
            parent,
            part_path: path.clone(),
            filename: None,
            media_type: MEDIA_TYPE.to_owned(),
            content: mail::Content::Bytes(Cow::Owned(canonical::bytes(message, Form::Identity))),
            text: body,
            mail: Some(Box::new(meta(&view))),
            searchability,
            defects,
        });
        for (ordinal, (attachment, said)) in message.attachments.iter().zip(&view.attachments).enumerate() {
            let part_path = if path.is_empty() {
                (ordinal + 1).to_string()
            } else {
                format!("{path}.{}", ordinal + 1)
            };
            match &attachment.content {
                Content::Message(inner) if depth < self.limits.max_depth => {
                    self.message(inner, Some(at), part_path, Some(view.page), depth + 1);
                }
                content => self.attachment(content, said, at, part_path),
            }
        }
    }

    fn attachment(&mut self, content: &Content, said: &AttachmentView, parent: u32, part_path: String) {
        let bytes: Cow<'static, [u8]> = match content {
            Content::Bytes(bytes) | Content::Ole(bytes) => Cow::Owned(bytes.clone()),
            Content::Message(inner) => Cow::Owned(canonical::bytes(inner, Form::Identity)),
            Content::None | Content::TooLong(_) => Cow::Borrowed(&[]),
        };
        let filename = (!said.name.is_empty()).then(|| said.name.clone());
        let mut item = Parsed {
            kind: ItemKind::Attachment,
            parent: Some(parent),
            part_path,
            filename,
            media_type: said.media_type.to_ascii_lowercase(),
            content: mail::Content::Bytes(Cow::Borrowed(&[])),
            text: String::new(),
            mail: None,
            searchability: Searchability::Empty,
            defects: Vec::new(),
        };
        match content {
            Content::TooLong(length) => {
                item.searchability = Searchability::FormatNotSupported;
                let detail = format!("an attachment of {length} bytes was not read");
                item.defects.push(Defect::new(DefectCode::PstLimit, detail));
            }
            Content::None if !said.link.is_empty() => {
                // Only where it lies is stored; that much can be found.
                item.text.clone_from(&said.link);
                item.searchability = Searchability::Searched;
            }
            Content::None | Content::Bytes(_) | Content::Ole(_) | Content::Message(_) => self.look(&mut item, &bytes),
        }
        if item.media_type.is_empty() {
            "application/octet-stream".clone_into(&mut item.media_type);
        }
        item.content = mail::Content::Bytes(bytes);
        self.items.push(item);
    }

    /// What the content of an attachment is, and its text where it is text.
    fn look(&mut self, item: &mut Parsed<'static>, bytes: &[u8]) {
        let name = item.filename.as_deref().unwrap_or_default();
        let head = &bytes[..bytes.len().min(crate::probe::HEAD_BYTES)];
        let (kind, defects) = probe(head, name.as_bytes(), &Place::Loose, bytes.len() as u64);
        item.defects.extend(defects);
        let found = match kind {
            FileKind::Empty => return,
            FileKind::Text | FileKind::Message | FileKind::Mailbox => {
                let cap = bytes.len().min(self.text_left);
                let (content, defects, searchability) = text::parse_text(&bytes[..cap]);
                self.text_left = self.text_left.saturating_sub(content.len());
                item.text = content;
                item.defects.extend(defects);
                item.searchability = searchability;
                if cap < bytes.len() {
                    item.defects
                        .push(Defect::new(DefectCode::TextLimit, format!("text beyond {cap} bytes")));
                    item.searchability = Searchability::PartlyLimit;
                }
                let structure = structured_type(head, item.filename.as_deref().unwrap_or_default().as_bytes());
                if let Some(structure) = structure {
                    item.defects.push(Defect::new(DefectCode::TypeNotDecoded, structure));
                    if item.searchability == Searchability::Searched {
                        item.searchability = Searchability::PartlyDecoding;
                    }
                }
                structure.unwrap_or("text/plain")
            }
            FileKind::Other {
                media_type,
                media,
                encrypted,
            } => {
                item.searchability = match (media, encrypted) {
                    (_, true) => Searchability::Encrypted,
                    (true, false) => Searchability::Media,
                    (false, false) => Searchability::FormatNotSupported,
                };
                if item.searchability == Searchability::FormatNotSupported {
                    item.defects
                        .push(Defect::new(DefectCode::TypeNotSearchable, media_type));
                }
                media_type
            }
        };
        if item.media_type.is_empty() {
            found.clone_into(&mut item.media_type);
        }
    }
}

/// Body and fields as one text.
fn body_text(view: &View) -> String {
    let mut text = match view.bodies.best_text() {
        Some(text) => text.to_owned(),
        None => view.bodies.best_html().map(html::to_text).unwrap_or_default(),
    };
    for field in &view.fields {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(field.label);
        text.push_str(": ");
        text.push_str(&field.value);
    }
    text
}

fn meta(view: &View) -> MailMeta {
    // What came over the Internet says more of itself than the properties that a store made of it.
    let headers = view.headers.as_deref().map(|headers| {
        let raw = format!("{}\r\n\r\n", headers.trim_end());
        let family = mail::parse_message(raw.as_bytes(), &ParseLimits::default());
        family.items.into_iter().next().and_then(|item| item.mail)
    });
    let headers = headers.flatten();
    let from_headers = |take: fn(&MailMeta) -> Vec<String>| headers.as_deref().map(take).unwrap_or_default();
    let ids = |text: &Option<String>| -> Vec<String> {
        let words = text.as_deref().unwrap_or_default().split_whitespace();
        words.map(str::to_owned).collect()
    };
    let mut in_reply_to = ids(&view.in_reply_to);
    if in_reply_to.is_empty() {
        in_reply_to = from_headers(|meta| meta.in_reply_to.clone());
    }
    let mut references = ids(&view.references);
    if references.is_empty() {
        references = from_headers(|meta| meta.references.clone());
    }
    let message_id = view
        .message_id
        .clone()
        .filter(|id| !id.trim().is_empty())
        .or_else(|| headers.as_deref().and_then(|meta| meta.message_id.clone()));
    MailMeta {
        subject: view.subject.clone(),
        participants: participants(view),
        date: date(view),
        message_id_count: u32::from(message_id.is_some()),
        message_id,
        in_reply_to,
        references,
        thread_index: view.conversation_index.clone(),
        labels: view.categories.clone(),
        has_html: view.bodies.best_html().is_some(),
        signed: matches!(view.secured, Some(Secured::ClearSigned | Secured::OpaqueSigned)),
        encrypted: matches!(view.secured, Some(Secured::Encrypted)),
        report: view.kind == embley_mapi::view::ItemKind::Report,
    }
}

fn participants(view: &View) -> Vec<Participant> {
    let person = |person: &Person, role: Role| Participant {
        role,
        address: person.to_address(),
    };
    let mut found = Vec::new();
    // The person in whose name it was sent is its author; who did it for them is the sender.
    match (&view.representing, &view.sender) {
        (Some(author), Some(sender)) if author != sender => {
            found.push(person(author, Role::From));
            found.push(person(sender, Role::Sender));
        }
        (Some(author), _) | (None, Some(author)) => found.push(person(author, Role::From)),
        (None, None) => {}
    }
    for (wanted, role) in [
        (RecipientRole::To, Role::To),
        (RecipientRole::Cc, Role::Cc),
        (RecipientRole::Bcc, Role::Bcc),
        (RecipientRole::Unknown, Role::To),
    ] {
        let of_role = view.recipients.iter().filter(|recipient| recipient.role == wanted);
        found.extend(of_role.map(|recipient| person(&recipient.person, role)));
    }
    found
}

fn date(view: &View) -> EvidenceDate {
    let (utc_secs, confidence) = match (view.submitted, view.date()) {
        (Some(sent), _) => (Some(sent), Confidence::High),
        (None, Some(other)) => (Some(other), Confidence::Medium),
        (None, None) => return EvidenceDate::undated(),
    };
    EvidenceDate {
        raw: String::new(),
        utc_secs,
        offset_minutes: None,
        source: DateSource::Metadata,
        confidence,
    }
}

#[cfg(test)]
mod tests {
    use embley_mapi::{NamedProperty, PropertyKind, PropertyName, PropertySet};

    use super::*;

    #[test]
    fn a_name_does_not_fall_on_an_identifier_that_has_none() {
        let name = NamedProperty {
            set: PropertySet([9; 16]),
            name: PropertyName::Number(1),
        };
        let mut message = Message::default();
        let nameless = Tag::new(FIRST_NAMED, PropertyKind::Integer32);
        message.properties.insert(nameless, Value::Integer32(1));
        message.properties.name(FIRST_NAMED + 5, name.clone());
        let named = Tag::new(FIRST_NAMED + 5, PropertyKind::Integer32);
        message.properties.insert(named, Value::Integer32(2));
        let bytes = canonical::bytes(&message, Form::Identity);
        let (item, _) = canonical::read(&bytes).expect("was written");
        let back = message_of(&item, &|_| None);
        let found = back
            .properties
            .by_name(name.set, &name.name)
            .map(|(_, value)| value.clone());
        assert_eq!(found, Some(Value::Integer32(2)));
        assert_eq!(canonical::bytes(&back, Form::Identity), bytes);
    }
}
