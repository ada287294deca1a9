//! A message of properties as the family of items that a mail of RFC 5322 gives.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use embley_mapi::canonical::{self, Digest, Form, Holding, Item, Key};
use embley_mapi::rtf::Encapsulated;
use embley_mapi::view::{AttachmentView, BodySource, Person, RecipientRole, Secured, View};
use embley_mapi::{Attachment, Content, Message, Properties, Tag, Value};
use embley_model::address::{Participant, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::{Blake3, Sha256};
use embley_model::item::{ItemKind, Searchability};

use super::MEDIA_TYPE;
use crate::html;
use crate::mail::body::add_missing_lines;
use crate::mail::{self, Family, MailMeta, ParseLimits, Parsed};
use crate::probe::{self, FileKind, mail_type, probe, structured_type, text_type};
use crate::smime;
use crate::text;
use crate::walk::Place;

/// Identifiers from here on are names ([MS-OXPROPS] section 1.3.2).
const FIRST_NAMED: u16 = 0x8000;
/// A content of more bytes is not held, and all contents of a message together, in their order, are held up to so many bytes. Fixed, because the items of a
/// message must be the same whenever they are made again.
pub const HELD_BYTES: u64 = 32 << 20;
const HELD_TOTAL: u64 = 64 << 20;

/// Contents of attachments that a message is too large to hold, by the path of their part.
pub trait LongParts {
    /// What it is; `None` when the content was not kept.
    fn part(&mut self, part_path: &str) -> Option<LongPart>;

    /// Its first bytes, up to `most`.
    fn head(&mut self, part_path: &str, most: usize) -> Vec<u8>;
}

/// A page; its reader knows the charset that it names.
const PAGE: &str = "text/html";

/// Knows none.
impl LongParts for () {
    fn part(&mut self, _: &str) -> Option<LongPart> {
        None
    }

    fn head(&mut self, _: &str, _: usize) -> Vec<u8> {
        Vec::new()
    }
}

/// A content that is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongPart {
    /// BLAKE3.
    pub blake3: Blake3,
    /// SHA-256.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
}

/// A message out of its canonical form. `content` gives the bytes of a digest; without them the attachment is said to be too long, and so it is when it has
/// more than [`HELD_BYTES`], or the attachments before it took what is left of [`HELD_TOTAL`].
pub fn message_of(item: &Item, content: &mut dyn FnMut(&Digest) -> Option<Vec<u8>>) -> Message {
    let mut left = HELD_TOTAL;
    held_message(item, &mut |digest| {
        if digest.length > HELD_BYTES.min(left) {
            return None;
        }
        left -= digest.length;
        content(digest)
    })
}

fn held_message(item: &Item, content: &mut dyn FnMut(&Digest) -> Option<Vec<u8>>) -> Message {
    let mut attachments = Vec::with_capacity(item.attachments.len());
    for held in &item.attachments {
        attachments.push(Attachment {
            properties: properties(&held.properties),
            content: match &held.content {
                Holding::None => Content::None,
                Holding::Bytes(digest) => content(digest).map_or(Content::TooLong(digest.length), Content::Bytes),
                Holding::Ole(digest) => content(digest).map_or(Content::TooLong(digest.length), Content::Ole),
                Holding::Message(inner) => Content::Message(Box::new(held_message(inner, content))),
                Holding::TooLong(length) => Content::TooLong(*length),
            },
            defects: Vec::new(),
        });
    }
    Message {
        properties: properties(&item.properties),
        recipients: item.recipients.iter().map(|one| properties(one)).collect(),
        attachments,
        defects: Vec::new(),
    }
}

/// Digests of all contents, by the path of their part.
pub fn digests(item: &Item) -> BTreeMap<String, Digest> {
    fn walk(item: &Item, above: &str, found: &mut BTreeMap<String, Digest>) {
        for (ordinal, held) in item.attachments.iter().enumerate() {
            let path = part_path(above, ordinal);
            match &held.content {
                Holding::Bytes(digest) | Holding::Ole(digest) => {
                    found.insert(path, *digest);
                }
                Holding::Message(inner) => walk(inner, &path, found),
                Holding::None | Holding::TooLong(_) => {}
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(item, "", &mut found);
    found
}

/// The path of a part: ordinals from 1, joined by dots.
fn part_path(above: &str, ordinal: usize) -> String {
    match above {
        "" => (ordinal + 1).to_string(),
        above => format!("{above}.{}", ordinal + 1),
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

/// The items of a message: itself, messages inside it, attachments; depth first. Never empty. `item` is its canonical form, which also knows the digests of
/// contents that the message does not hold; `long` knows what these are.
pub fn family(message: &Message, item: &Item, limits: &ParseLimits, long: &mut dyn LongParts) -> Family<'static> {
    let mut builder = Builder {
        items: Vec::new(),
        limits,
        long,
        text_left: limits.max_text_bytes,
    };
    builder.message((message, item), None, String::new(), None, 0);
    Family { items: builder.items }
}

struct Builder<'l> {
    items: Vec<Parsed<'static>>,
    limits: &'l ParseLimits,
    long: &'l mut dyn LongParts,
    text_left: usize,
}

/// A content that is looked at.
enum Seen<'s> {
    Held(&'s [u8]),
    /// Its length.
    Long(u64),
}

impl Builder<'_> {
    fn message(
        &mut self,
        (message, item): (&Message, &Item),
        parent: Option<u32>,
        path: String,
        page: Option<u32>,
        depth: usize,
    ) {
        let view = View::of(message, page);
        let at = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let mut body = body_text(&view);
        let has_block = smime::has_block(&body);
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
        if has_block || matches!(view.secured, Some(Secured::Encrypted)) {
            searchability = Searchability::Encrypted;
            defects.push(Defect::new(DefectCode::MailEncrypted, ""));
        }
        self.items.push(Parsed {
            kind: ItemKind::Email,
            parent,
            part_path: path.clone(),
            filename: None,
            media_type: MEDIA_TYPE.to_owned(),
            content: mail::Content::Bytes(Cow::Owned(canonical::write(item, Form::Identity))),
            text: body,
            mail: Some(Box::new(meta(&view, has_block))),
            searchability,
            defects,
        });
        for (ordinal, (attachment, said)) in message.attachments.iter().zip(&view.attachments).enumerate() {
            let part_path = part_path(&path, ordinal);
            let holding = item.attachments.get(ordinal).map(|held| &held.content);
            match (&attachment.content, holding) {
                (Content::Message(inner), Some(Holding::Message(held))) if depth < self.limits.max_depth => {
                    self.message((inner, held), Some(at), part_path, Some(view.page), depth + 1);
                }
                (content, holding) => self.attachment((content, holding), said, at, part_path),
            }
        }
    }

    fn attachment(
        &mut self,
        (content, holding): (&Content, Option<&Holding>),
        said: &AttachmentView,
        parent: u32,
        part_path: String,
    ) {
        let bytes: Cow<'static, [u8]> = match content {
            Content::Bytes(bytes) | Content::Ole(bytes) => Cow::Owned(bytes.clone()),
            Content::Message(inner) => Cow::Owned(match holding {
                Some(Holding::Message(item)) => canonical::write(item, Form::Identity),
                _ => canonical::bytes(inner, Form::Identity),
            }),
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
        let long = match content {
            Content::TooLong(_) => self.long.part(&item.part_path),
            _ => None,
        };
        if let Some(LongPart { blake3, sha256, size }) = long {
            self.look(&mut item, &Seen::Long(size));
            if item.media_type.is_empty() {
                "application/octet-stream".clone_into(&mut item.media_type);
            }
            item.content = mail::Content::Streamed { blake3, sha256, size };
            self.items.push(item);
            return;
        }
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
            Content::None | Content::Bytes(_) | Content::Ole(_) | Content::Message(_) => {
                self.look(&mut item, &Seen::Held(&bytes));
            }
        }
        if item.media_type.is_empty() {
            "application/octet-stream".clone_into(&mut item.media_type);
        }
        item.content = mail::Content::Bytes(bytes);
        self.items.push(item);
    }

    /// What the content of an attachment is, and its text where it is text.
    fn look(&mut self, item: &mut Parsed<'static>, seen: &Seen<'_>) {
        let name = item.filename.as_deref().unwrap_or_default();
        let length = match seen {
            Seen::Held(bytes) => bytes.len() as u64,
            Seen::Long(length) => *length,
        };
        let head = self.head(&item.part_path, seen, crate::probe::HEAD_BYTES);
        let (kind, defects) = probe(&head, name.as_bytes(), &Place::Loose, length);
        item.defects.extend(defects);
        let only_text = mail_type(kind).is_some()
            && item.media_type.starts_with("text/")
            && probe::disguised(&head, item.filename.as_deref().unwrap_or_default().as_bytes()).is_none();
        let kind = if only_text { FileKind::Text } else { kind };
        let found = match kind {
            FileKind::Empty => return,
            FileKind::Text | FileKind::Message | FileKind::Mailbox => {
                let bytes = self.head(&item.part_path, seen, self.text_left);
                let cap = bytes.len();
                let is_page = text_type(&head, item.filename.as_deref().unwrap_or_default().as_bytes()) == PAGE
                    || item.media_type == PAGE;
                let (content, defects, searchability) = if is_page {
                    text::parse_page(&bytes)
                } else {
                    text::parse_text(&bytes)
                };
                self.text_left = self.text_left.saturating_sub(content.len());
                item.text = content;
                item.defects.extend(defects);
                item.searchability = searchability;
                if (cap as u64) < length {
                    item.defects
                        .push(Defect::new(DefectCode::TextLimit, format!("text beyond {cap} bytes")));
                    item.searchability = Searchability::PartlyLimit;
                }
                let structure = mail_type(kind)
                    .or_else(|| structured_type(&head, item.filename.as_deref().unwrap_or_default().as_bytes()))
                    .or_else(|| is_page.then_some(PAGE));
                if let Some(structure) = structure {
                    item.defects.retain(|one| one.code != DefectCode::TextCharsetDisagrees);
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

impl Builder<'_> {
    /// The first bytes of a content, up to `most`.
    fn head<'s>(&mut self, part_path: &str, seen: &Seen<'s>, most: usize) -> Cow<'s, [u8]> {
        match seen {
            Seen::Held(bytes) => Cow::Borrowed(&bytes[..bytes.len().min(most)]),
            Seen::Long(_) => Cow::Owned(self.long.head(part_path, most)),
        }
    }
}

/// Bodies and fields as one text. Of a second and third body those lines that hold a word the ones before have not, as of the alternatives of a MIME message.
fn body_text(view: &View) -> String {
    let rendered = || view.bodies.best_html().map(html::to_text).unwrap_or_default();
    let mut text = match view.bodies.best_text() {
        Some(text) => {
            let mut text = text.to_owned();
            add_missing_lines(&mut text, &rendered(), 0);
            text
        }
        None => rendered(),
    };
    if let Some(rich) = view
        .bodies
        .rtf
        .as_ref()
        .filter(|rich| rich.encapsulated != Encapsulated::Html)
    {
        if view.bodies.source != BodySource::Rtf {
            add_missing_lines(&mut text, &rich.text, 0);
        }
        add_missing_lines(&mut text, &rich.links.join("\n"), 0);
    }
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

fn meta(view: &View, has_block: bool) -> MailMeta {
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
        encrypted: has_block || matches!(view.secured, Some(Secured::Encrypted)),
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
    fn an_armoured_block_in_the_text_makes_a_message_encrypted() {
        let check = |text: &str, expected| {
            let mut message = Message::default();
            let body = Tag::new(0x1000, PropertyKind::Unicode);
            message.properties.insert(body, Value::Unicode(text.to_owned()));
            let (item, _) = canonical::read(&canonical::bytes(&message, Form::Identity)).expect("was written");
            let family = family(&message, &item, &ParseLimits::default(), &mut ());
            let first = &family.items[0];
            let said = first.defects.iter().any(|one| one.code == DefectCode::MailEncrypted);
            let mail = first.mail.as_ref().expect("a message");
            let found = (first.searchability == Searchability::Encrypted, said, mail.encrypted);
            assert_eq!(found, (expected, expected, expected), "{text}");
            assert!(first.text.contains("before"), "the rest of the text is searched");
        };
        check(
            "before\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhF4D\r\n-----END PGP MESSAGE-----\r\n",
            true,
        );
        check("before\r\n> -----BEGIN PGP MESSAGE-----\r\n", false);
        check("before", false);
    }

    #[test]
    fn words_of_every_body_are_searched() {
        let mut message = Message::default();
        let text = |id, text: &str| (Tag::new(id, PropertyKind::Unicode), Value::Unicode(text.to_owned()));
        for (tag, value) in [
            text(0x1000, "plainword and more\r\n"),
            text(
                0x1013,
                "<p>and more</p><p>and <b>html</b>word</p><a href=\"https://link.example/\">x</a>",
            ),
        ] {
            message.properties.insert(tag, value);
        }
        let (item, _) = canonical::read(&canonical::bytes(&message, Form::Identity)).expect("was written");
        let family = family(&message, &item, &ParseLimits::default(), &mut ());
        let found = &family.items[0].text;
        for word in ["plainword", "htmlword", "https://link.example/"] {
            assert!(found.contains(word), "{word}: {found}");
        }
        assert_eq!(found.matches("more").count(), 1, "{found}");
    }

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
        let back = message_of(&item, &mut |_| None);
        let found = back
            .properties
            .by_name(name.set, &name.name)
            .map(|(_, value)| value.clone());
        assert_eq!(found, Some(Value::Integer32(2)));
        assert_eq!(canonical::bytes(&back, Form::Identity), bytes);
    }
}
