//! What of an attachment is searchable: its text, or a reason why there is none.
//!
//! Decided by the declared type and by the content; where they disagree, both are said. Not for: opening
//! formats. Invariant: what is not in the index is counted as not searched.

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

use super::Parsed;
use super::access::LeafData;
use super::body::{is_html, push_once};
use super::sink::{SNIFF_BYTES, looks_textual};
use crate::headers::content::PartInfo;
use crate::probe::{self, FileKind, is_called_text, is_structured, mail_type, probe, text_type};
use crate::walk::Place;
use crate::{emlx, html, smime, text};

/// Fills in text, searchability and defects of an attachment, from at most `text_left` bytes.
pub(crate) fn fill_text(
    item: &mut Parsed<'_>,
    info: &PartInfo,
    data: &LeafData<'_>,
    sealed: bool,
    text_left: &mut usize,
) {
    let size = data.content.size();
    let head = data.head();
    if size == 0 {
        item.searchability = Searchability::Empty;
        return;
    }
    if sealed || is_sealed_type(info, head) {
        item.searchability = Searchability::Encrypted;
        item.defects.push(Defect::new(DefectCode::MailEncrypted, ""));
        return;
    }
    let declared = is_textual(info);
    let wide = declared && info.charset.as_deref().is_some_and(is_wide);
    let textual = looks_textual(head) || (declared && is_promised_text(info, head));
    let kind = if declared && textual {
        disguised(item, head)
    } else {
        recognise(item, head, size)
    };
    let known_format = matches!(kind, FileKind::Other { encrypted, .. } if !declared || encrypted);
    if !wide && (known_format || !textual) {
        not_text(item, kind, declared);
        return;
    }
    // A piece of a message (RFC 2046, 5.2.2): what is encoded in it can only be decoded with the other pieces.
    let is_piece = info.media_type == "message/partial";
    if is_piece || info.media_type == "message/external-body" {
        item.defects.push(Defect::new(DefectCode::MimePartial, ""));
    }
    let cap = (*text_left).min(head.len());
    let truncated = (cap as u64) < size;
    *text_left -= cap;
    let mut decoded = text::decode(&head[..cap], info.charset.as_deref());
    if !declared && !decoded.lossy {
        // Nobody declared it to be text, so no charset can disagree.
        decoded.defect = None;
    }
    push_once(&mut item.defects, decoded.defect);
    let found = text_type(head, item.filename.as_deref().unwrap_or_default().as_bytes());
    let is_page = is_html(&info.media_type) || is_html(found);
    // The page itself may name the charset that its sender did not.
    let names_its_charset = is_page && info.charset.is_none() && std::str::from_utf8(&head[..cap]).is_err();
    item.text = if is_page || html::looks_like_html(&decoded.text) {
        html::to_text(&decoded.text)
    } else {
        decoded.text.into_owned()
    };
    item.searchability = if truncated {
        let detail = format!("text beyond {cap} bytes");
        item.defects.push(Defect::new(DefectCode::TextLimit, detail));
        Searchability::PartlyLimit
    } else if let Some(content) = sent_as_text(kind) {
        // Mail or a document that was not sent as such: its words are searched, what is encoded in it when it is opened.
        item.defects.push(Defect::new(DefectCode::TypeNotDecoded, content));
        Searchability::PartlyDecoding
    } else if is_piece || decoded.lossy || data.outcome.lost {
        Searchability::PartlyDecoding
    } else if is_structured(found) || names_its_charset {
        item.defects.push(Defect::new(DefectCode::TypeNotDecoded, found));
        Searchability::PartlyDecoding
    } else if text::has_words(&item.text) {
        Searchability::Searched
    } else {
        Searchability::NoText
    };
}

/// Types whose bytes are text by definition.
pub(crate) fn is_textual(info: &PartInfo) -> bool {
    let media_type = info.media_type.as_str();
    if media_type == emlx::MEDIA_TYPE {
        // A container of one message, with a line before it and a list behind it.
        return false;
    }
    if media_type.is_empty() || media_type.starts_with("text/") || media_type.starts_with("message/") {
        return true;
    }
    let Some(sub) = media_type.strip_prefix("application/") else {
        return media_type.ends_with("+xml");
    };
    const TEXTS: &[&str] = &[
        "json",
        "xml",
        "javascript",
        "x-javascript",
        "ecmascript",
        "sql",
        "x-sh",
        "x-shellscript",
        "x-perl",
        "x-python",
        "x-patch",
        "x-yaml",
        "yaml",
        "toml",
        "csv",
        "ics",
        "pgp-keys",
        "pgp-signature",
    ];
    sub.ends_with("+xml") || sub.ends_with("+json") || TEXTS.contains(&sub)
}

/// Text of few bytes in a charset of its own, which nothing but the declaration tells: a charset or a name of text, and no control characters.
fn is_promised_text(info: &PartInfo, head: &[u8]) -> bool {
    let name = info.filename.as_deref().unwrap_or_default();
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    (info.charset.is_some() || is_called_text(name)) && !head[..head.len().min(SNIFF_BYTES)].iter().any(is_control)
}

fn is_wide(charset: &str) -> bool {
    let start = charset.get(..6).unwrap_or_default();
    start.eq_ignore_ascii_case("utf-16") || start.eq_ignore_ascii_case("utf-32") || start.eq_ignore_ascii_case("ucs-2")
}

/// The content decides where it can be told, else what was declared.
fn is_sealed_type(info: &PartInfo, head: &[u8]) -> bool {
    let told = || smime::kind_of(head).map(|kind| kind.encrypted);
    match info.media_type.as_str() {
        "application/pgp-encrypted" => told().unwrap_or(true),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            if let Some(encrypted) = told() {
                return encrypted;
            }
            let open = matches!(info.protocol.as_str(), "signed-data" | "certs-only" | "compressed-data");
            let signature = info.filename.as_deref().is_some_and(|name| name.ends_with(".p7s"));
            !open && !signature
        }
        _ => false,
    }
}

/// What the content is, whatever was declared; a name that promises something else is noted.
fn recognise(item: &mut Parsed<'_>, head: &[u8], size: u64) -> FileKind {
    let name = item.filename.as_deref().unwrap_or_default();
    let (kind, defects) = probe(
        &head[..head.len().min(SNIFF_BYTES)],
        name.as_bytes(),
        &Place::Loose,
        size,
    );
    item.defects.extend(defects);
    kind
}

/// What a content is that was declared as text and reads as such. Reports and other parts of mail, and signatures, are what they say.
fn disguised(item: &Parsed<'_>, head: &[u8]) -> FileKind {
    let declared = item.media_type.as_str();
    if !declared.starts_with("text/") || declared == "text/rfc822-headers" {
        return FileKind::Text;
    }
    let name = item.filename.as_deref().unwrap_or_default();
    probe::disguised(&head[..head.len().min(SNIFF_BYTES)], name.as_bytes()).unwrap_or(FileKind::Text)
}

/// The type of what reads as text and is to be opened.
fn sent_as_text(kind: FileKind) -> Option<&'static str> {
    match kind {
        FileKind::Message | FileKind::Mailbox => mail_type(kind),
        FileKind::Other { media_type, .. } => Some(media_type),
        FileKind::Text | FileKind::Empty => None,
    }
}

/// How to count what is not text, and what to say of it.
fn not_text(item: &mut Parsed<'_>, kind: FileKind, declared_text: bool) {
    let declared_media = ["image/", "audio/", "video/"]
        .iter()
        .any(|main| item.media_type.starts_with(main));
    let found = match kind {
        FileKind::Other { encrypted: true, .. } => {
            item.searchability = Searchability::Encrypted;
            item.defects.push(Defect::new(DefectCode::MailEncrypted, ""));
            return;
        }
        FileKind::Other { media: true, .. } => {
            item.searchability = Searchability::Media;
            return;
        }
        FileKind::Other { media_type, .. } if media_type != "application/octet-stream" => media_type,
        FileKind::Other { .. } | FileKind::Mailbox | FileKind::Message | FileKind::Text | FileKind::Empty => "",
    };
    if declared_media && found.is_empty() {
        item.searchability = Searchability::Media;
        return;
    }
    item.searchability = Searchability::FormatNotSupported;
    if declared_text {
        let detail = format!("declared {}, is no text", item.media_type);
        item.defects.push(Defect::new(DefectCode::TypeMismatch, detail));
    }
    let detail = if found.is_empty() {
        item.media_type.clone()
    } else {
        found.to_owned()
    };
    item.defects.push(Defect::new(DefectCode::TypeNotSearchable, detail));
}
