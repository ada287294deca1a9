//! The free work on one top-level entry: parse, tokens, keys, sketch, part hashes. Pure: no file, no lock, no number.
//!
//! Invariant: whatever the bytes are, an item comes out; what is odd about them is a defect of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use embley_formats::identity;
use embley_formats::language::language_or_undetermined;
use embley_formats::mail::{self, Content, Family, MailMeta, ParseLimits, Parsed};
use embley_formats::mapi::{self, LongParts};
use embley_formats::probe::{self, FileKind};
use embley_formats::text;
use embley_index::IndexDoc;
use embley_index::analysis::{Tokens, sketch};
use embley_model::address::{Address, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::{Class, Defect, DefectCode};
use embley_model::field::Field;
use embley_model::id::{Blake3, Sha256};
use embley_model::item::{ItemKind, Searchability};
use embley_model::language::UNDETERMINED;
use sha2::Digest;

use crate::unit::{PreparedItem, PreparedMail};

/// Which parts of the work are done; the baseline of the benchmark leaves out everything but parsing and tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Everything.
    Whole,
    /// Parse and tokenise only.
    ParseOnly,
    /// The same, and the text is kept for whoever reads it.
    Reading,
}

/// What is known of an entry before its content is looked at.
pub(crate) struct Given<'a> {
    /// Name of a loose file.
    pub(crate) filename: Option<&'a str>,
    /// Modification time of the file, nanoseconds since 1970.
    pub(crate) mtime_nanos: i64,
    /// Digests of the whole original.
    pub(crate) blake3: Blake3,
    pub(crate) sha256: Sha256,
    /// Defects found before parsing.
    pub(crate) defects: Vec<Defect>,
}

/// SHA-256 (FIPS 180-4) of bytes in memory.
pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// BLAKE3 of bytes in memory.
pub(crate) fn blake3_of(bytes: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(bytes).as_bytes())
}

/// Makes the items of a message held in memory.
pub(crate) fn message(raw: &[u8], given: Given<'_>, limits: &ParseLimits, depth: Depth) -> Vec<PreparedItem> {
    let parsed = catch_unwind(AssertUnwindSafe(|| mail::parse_message(raw, limits)));
    match parsed {
        Ok(family) => family_items(family, given, depth),
        Err(_) => vec![failed(ItemKind::Email, "message/rfc822", raw, given)],
    }
}

/// Makes the items of a family that was already parsed (large messages).
pub(crate) fn family_items(family: Family<'_>, given: Given<'_>, depth: Depth) -> Vec<PreparedItem> {
    let mut items = Vec::with_capacity(family.items.len());
    let has_attachment = family.items.len() > 1;
    let mut root_date = EvidenceDate::undated();
    let mut given = Some(given);
    for (position, parsed) in family.items.into_iter().enumerate() {
        if let (0, Some(mail)) = (position, &parsed.mail) {
            root_date = mail.date.clone();
        }
        let digests = match given.take() {
            Some(given) => (given.blake3, given.sha256, given.defects),
            None => {
                let (blake3, sha256) = part_digests(&parsed.content, depth);
                (blake3, sha256, Vec::new())
            }
        };
        items.push(item(
            parsed,
            digests,
            &root_date,
            has_attachment && position == 0,
            depth,
        ));
    }
    if depth == Depth::Whole {
        set_keys(&mut items);
    }
    items
}

/// Makes the items of a message of properties from its canonical bytes, with the bytes of each part that the message holds. `content` gives what an attachment
/// holds by its BLAKE3, and `long` knows those that are too long for that; what neither gives is said to be too long.
pub(crate) fn properties_message(
    canonical: &[u8],
    given: Given<'_>,
    content: &mut dyn FnMut(&[u8; 32]) -> Option<Vec<u8>>,
    long: &mut dyn LongParts,
    limits: &ParseLimits,
    depth: Depth,
) -> (Vec<PreparedItem>, Vec<Option<Vec<u8>>>) {
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let (item, _) = embley_mapi::canonical::read(canonical).ok()?;
        let message = mapi::message_of(&item, &mut |digest| content(&digest.hash));
        Some(mapi::family(&message, &item, limits, long))
    }));
    let Ok(Some(family)) = parsed else {
        return (
            vec![failed(ItemKind::Email, mapi::MEDIA_TYPE, canonical, given)],
            vec![None],
        );
    };
    let bytes = family
        .items
        .iter()
        .enumerate()
        .map(|(position, item)| match &item.content {
            Content::Bytes(bytes) if position > 0 => Some(bytes.to_vec()),
            Content::Bytes(_) | Content::Streamed { .. } => None,
        })
        .collect();
    (family_items(family, given, depth), bytes)
}

/// The digest by which a part counts in its message's keys; that of its bytes, unless it is text with CRLF.
fn content_key(parsed: &Parsed<'_>, blake3: Blake3) -> Blake3 {
    match &parsed.content {
        Content::Bytes(bytes) if memchr::memmem::find(bytes, b"\r\n").is_some() => identity::content_key(parsed),
        Content::Bytes(_) | Content::Streamed { .. } => blake3,
    }
}

fn tokens_of(text: &str) -> Tokens {
    let mut tokens = Tokens::new();
    tokens.text(text);
    tokens
}

fn new_doc(kind: ItemKind, date: Option<i64>, size: u64) -> IndexDoc {
    let mut doc = IndexDoc::new(0, kind);
    doc.date = date;
    doc.size = size;
    doc
}

fn part_digests(content: &Content<'_>, depth: Depth) -> (Blake3, Sha256) {
    match content {
        Content::Streamed { blake3, sha256, .. } => (*blake3, *sha256),
        Content::Bytes(_) if depth != Depth::Whole => (Blake3([0; 32]), Sha256([0; 32])),
        Content::Bytes(bytes) => (blake3_of(bytes), sha256(bytes)),
    }
}

fn content_size(content: &Content<'_>) -> u64 {
    match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::Streamed { size, .. } => *size,
    }
}

fn item(
    parsed: Parsed<'_>,
    (blake3, sha256, mut defects): (Blake3, Sha256, Vec<Defect>),
    root_date: &EvidenceDate,
    has_attachment: bool,
    depth: Depth,
) -> PreparedItem {
    let size = content_size(&parsed.content);
    let content_key = if depth == Depth::Whole {
        content_key(&parsed, blake3)
    } else {
        blake3
    };
    defects.extend(parsed.defects);
    let date = match &parsed.mail {
        Some(mail) => mail.date.clone(),
        None => EvidenceDate {
            source: DateSource::Family,
            ..root_date.clone()
        },
    };
    let mut doc = new_doc(parsed.kind, date.utc_secs, size);
    let body_field = if parsed.kind == ItemKind::Attachment {
        Field::Attachment
    } else {
        Field::Body
    };
    let body = tokens_of(&parsed.text);
    let sketch = (depth == Depth::Whole).then(|| sketch(&body)).flatten();
    if body.cut_count() > 0 {
        defects.push(Defect::new(DefectCode::IndexTermTooLong, ""));
    }
    doc.texts.push((body_field, body));
    language_keyword(&mut doc, &parsed.text);
    if let Some(name) = &parsed.filename {
        doc.texts.push((Field::Filename, tokens_of(name)));
    }
    doc.keywords.push((Field::Type, parsed.media_type.clone()));
    if let Some(mail) = &parsed.mail {
        mail_fields(&mut doc, mail);
    }
    if has_attachment {
        doc.keywords.push((Field::Has, "attachment".to_owned()));
    }
    defect_keywords(&mut doc, defects.iter().map(|defect| defect.code));
    PreparedItem {
        kind: parsed.kind,
        parent: parsed.parent,
        part_path: parsed.part_path,
        filename: parsed.filename,
        title: String::new(),
        media_type: parsed.media_type,
        size,
        blake3,
        sha256,
        content_key,
        date,
        searchability: parsed.searchability,
        defects,
        mail: parsed.mail.map(|meta| {
            Box::new(PreparedMail {
                meta: *meta,
                keys: None,
            })
        }),
        text: if depth == Depth::Reading {
            parsed.text
        } else {
            String::new()
        },
        doc,
        sketch,
        span: None,
        streamed: None,
    }
}

/// `defect:` holds each code once, `has:defect` says that there is one that matters.
pub(crate) fn defect_keywords(doc: &mut IndexDoc, codes: impl IntoIterator<Item = DefectCode>) {
    let mut codes: Vec<DefectCode> = codes.into_iter().collect();
    codes.sort_unstable();
    codes.dedup();
    for code in &codes {
        doc.keywords.push((Field::Defect, code.text().to_owned()));
    }
    if codes.iter().any(|code| code.class() > Class::Note) {
        doc.keywords.push((Field::Has, "defect".to_owned()));
    }
}

/// `language:` holds the language of an item's own text; items without text have none.
fn language_keyword(doc: &mut IndexDoc, text: &str) {
    if let Some(language) = language_or_undetermined(text) {
        doc.keywords.push((Field::Language, language.to_owned()));
    }
}

/// The document of a record: its title, its words, its type.
pub(crate) fn record_doc(title: &str, text: &str, record_type: &str, date: Option<i64>, size: u64) -> IndexDoc {
    let mut doc = new_doc(ItemKind::Record, date, size);
    doc.texts.push((Field::Subject, tokens_of(title)));
    doc.texts.push((Field::Body, tokens_of(text)));
    language_keyword(&mut doc, text);
    doc.keywords.push((Field::Type, record_type.to_owned()));
    doc
}

fn mail_fields(doc: &mut IndexDoc, mail: &MailMeta) {
    doc.texts.push((Field::Subject, tokens_of(&mail.subject)));
    for (field, roles) in [
        (Field::From, &[Role::From, Role::Sender, Role::ReplyTo][..]),
        (Field::To, &[Role::To][..]),
        (Field::Cc, &[Role::Cc][..]),
        (Field::Bcc, &[Role::Bcc][..]),
    ] {
        let mut seen: HashSet<&Address> = HashSet::new();
        let of_role = mail.participants.iter().filter(|one| roles.contains(&one.role));
        let addresses = of_role.map(|one| &one.address);
        doc.people(field, addresses.filter(|address| seen.insert(*address)));
    }
    if let Some(id) = &mail.message_id {
        doc.keywords.push((
            Field::MessageId,
            id.trim_start_matches('<').trim_end_matches('>').to_owned(),
        ));
    }
    for label in &mail.labels {
        doc.keywords.push((Field::Label, label.clone()));
    }
    for (set, word) in [
        (mail.has_html, "html"),
        (mail.signed, "signed"),
        (mail.encrypted, "encrypted"),
        (mail.report, "report"),
    ] {
        if set {
            doc.keywords.push((Field::Has, word.to_owned()));
        }
    }
}

/// Keys need the hashes of the parts below a message, so they come after all parts.
fn set_keys(items: &mut [PreparedItem]) {
    for position in 0..items.len() {
        if items[position].mail.is_none() {
            continue;
        }
        let children: Vec<Blake3> = items
            .iter()
            .skip(position + 1)
            .filter(|item| item.parent.is_some_and(|parent| parent as usize == position))
            .map(|item| item.content_key)
            .collect();
        let words = items[position]
            .doc
            .texts
            .iter()
            .find(|(field, _)| *field == Field::Body)
            .map(|(_, tokens)| tokens);
        let keys = match &items[position].mail {
            Some(mail) => identity::mail_keys(&mail.meta, words.into_iter().flat_map(Tokens::words), &children),
            None => continue,
        };
        if let Some(mail) = &mut items[position].mail {
            mail.keys = Some(keys);
        }
    }
}

/// What a loose file is, as far as its text goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DocumentKind<'a> {
    /// Its bytes are text.
    Text,
    /// Its text is not opened, or there is none.
    Other {
        media_type: &'a str,
        searchability: Searchability,
    },
}

impl From<&FileKind> for DocumentKind<'static> {
    fn from(kind: &FileKind) -> Self {
        match kind {
            FileKind::Text => Self::Text,
            FileKind::Empty => Self::Other {
                media_type: EMPTY,
                searchability: Searchability::Empty,
            },
            FileKind::Other {
                media_type,
                media,
                encrypted,
            } => Self::Other {
                media_type,
                searchability: match (media, encrypted) {
                    (_, true) => Searchability::Encrypted,
                    (true, false) => Searchability::Media,
                    (false, false) => Searchability::FormatNotSupported,
                },
            },
            // A message or mailbox that came this way could not be read as one.
            FileKind::Mailbox | FileKind::Message => Self::UNREAD,
        }
    }
}

impl DocumentKind<'static> {
    /// Something that could not be read as what it is.
    pub(crate) const UNREAD: Self = Self::Other {
        media_type: "application/octet-stream",
        searchability: Searchability::Failed,
    };
}

/// Media type of a file without bytes.
const EMPTY: &str = "application/x-empty";

/// Makes the item of a loose file held in memory (or of its first part, when `whole` is false).
pub(crate) fn document(
    bytes: &[u8],
    size: u64,
    kind: DocumentKind<'_>,
    given: Given<'_>,
    limits: &ParseLimits,
    depth: Depth,
) -> PreparedItem {
    let mut defects = given.defects;
    let (content, searchability, media_type) = match kind {
        DocumentKind::Text => text_of(bytes, size, given.filename, limits, &mut defects),
        DocumentKind::Other {
            media_type,
            searchability,
        } => {
            if searchability != Searchability::Empty {
                defects.push(Defect::new(DefectCode::TypeNotSearchable, media_type));
            }
            (String::new(), searchability, media_type)
        }
    };
    let date = EvidenceDate {
        raw: String::new(),
        utc_secs: Some(given.mtime_nanos.div_euclid(1_000_000_000)),
        offset_minutes: None,
        source: DateSource::FileTime,
        confidence: Confidence::Low,
    };
    let mut doc = new_doc(ItemKind::Document, date.utc_secs, size);
    let body = tokens_of(&content);
    let sketch = (depth == Depth::Whole).then(|| sketch(&body)).flatten();
    doc.texts.push((Field::Body, body));
    language_keyword(&mut doc, &content);
    if let Some(name) = given.filename {
        doc.texts.push((Field::Filename, tokens_of(name)));
    }
    doc.keywords.push((Field::Type, media_type.to_owned()));
    defect_keywords(&mut doc, defects.iter().map(|defect| defect.code));
    PreparedItem {
        kind: ItemKind::Document,
        parent: None,
        part_path: String::new(),
        filename: given.filename.map(str::to_owned),
        title: String::new(),
        media_type: media_type.to_owned(),
        size,
        blake3: given.blake3,
        sha256: given.sha256,
        content_key: given.blake3,
        date,
        searchability,
        defects,
        mail: None,
        text: if depth == Depth::Reading {
            content
        } else {
            String::new()
        },
        doc,
        sketch,
        span: None,
        streamed: None,
    }
}

fn text_of(
    bytes: &[u8],
    size: u64,
    name: Option<&str>,
    limits: &ParseLimits,
    defects: &mut Vec<Defect>,
) -> (String, Searchability, &'static str) {
    let media_type = probe::text_type(bytes, name.unwrap_or_default().as_bytes());
    let is_page = media_type == "text/html";
    let read = if is_page { text::parse_page } else { text::parse_text };
    let limit = limits.max_text_bytes.min(bytes.len());
    let cut = (limit as u64) < size;
    let parsed = catch_unwind(AssertUnwindSafe(|| read(&bytes[..limit])));
    let Ok((content, found, mut searchability)) = parsed else {
        defects.push(Defect::new(DefectCode::ParserPanic, "text reader"));
        return (
            String::from_utf8_lossy(&bytes[..limit]).into_owned(),
            Searchability::PartlyDecoding,
            media_type,
        );
    };
    let has_reader = is_page || probe::is_structured(media_type);
    // Its reader knows the charset that it names, its title and who wrote it.
    defects.extend(
        found
            .into_iter()
            .filter(|one| !(has_reader && one.code == DefectCode::TextCharsetDisagrees)),
    );
    if has_reader {
        defects.push(Defect::new(DefectCode::TypeNotDecoded, media_type));
        searchability = Searchability::PartlyDecoding;
    }
    if cut {
        defects.push(Defect::new(DefectCode::TextLimit, format!("{limit} of {size} bytes")).at(limit as u64..size));
        searchability = Searchability::PartlyLimit;
    }
    (content, searchability, media_type)
}

/// The item of an entry whose parser failed: kept, its bytes searched as plain text as far as they are text.
fn failed(kind: ItemKind, media_type: &str, raw: &[u8], given: Given<'_>) -> PreparedItem {
    let mut defects = given.defects;
    defects.push(Defect::new(DefectCode::ParserPanic, "message parser").at(0..raw.len() as u64));
    let head: Cow<'_, str> = String::from_utf8_lossy(&raw[..raw.len().min(1 << 20)]);
    let date = EvidenceDate::undated();
    let mut doc = new_doc(kind, None, raw.len() as u64);
    doc.texts.push((Field::Body, tokens_of(&head)));
    if head.chars().any(char::is_alphanumeric) {
        // Headers and encoded bytes are in it.
        doc.keywords.push((Field::Language, UNDETERMINED.to_owned()));
    }
    doc.keywords.push((Field::Type, media_type.to_owned()));
    defect_keywords(&mut doc, defects.iter().map(|defect| defect.code));
    PreparedItem {
        kind,
        parent: None,
        part_path: String::new(),
        filename: given.filename.map(str::to_owned),
        title: String::new(),
        media_type: media_type.to_owned(),
        size: raw.len() as u64,
        blake3: given.blake3,
        sha256: given.sha256,
        content_key: given.blake3,
        date,
        searchability: Searchability::Failed,
        defects,
        mail: None,
        text: head.into_owned(),
        doc,
        sketch: None,
        span: None,
        streamed: None,
    }
}
