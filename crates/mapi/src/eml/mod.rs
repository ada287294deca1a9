//! A message as mail (RFC 5322, RFC 2045 to 2047, RFC 2231), for programs that read nothing else.
//!
//! Not for: identity (module `canonical`) and not a copy of what once went over the wire; `X-Embley-Rendered` says so in the bytes. Main
//! function: [`render`]. Decisions: headers are those of PidTagTransportMessageHeaders where there are some, without those that describe a
//! structure which is not there any more, else they are made from properties; a clear-signed message is its own MIME entity. Invariant:
//! deterministic; the boundaries are made from the hash of the message and hold a sequence that no encoded body can.

mod encode;
mod header;

use crate::canonical::{self, Form};
use crate::message::{Attachment, Content, Message};
use crate::view::{AttachmentView, Bodies, Secured, View};
use encode::{base64, quoted_printable};

/// The header that marks a rendering.
pub const MARK: &str = "X-Embley-Rendered";

/// The bytes of a message as mail, with CRLF.
pub fn render(message: &Message) -> Vec<u8> {
    render_in(message, None)
}

fn render_in(message: &Message, inherited_page: Option<u32>) -> Vec<u8> {
    let view = View::of(message, inherited_page);
    let mut out = header::write(&view);
    if let Some(wrapped) = wrapped(message, &view) {
        out.extend_from_slice(&wrapped);
        return out;
    }
    out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    let hash = blake3::hash(&canonical::bytes(message, Form::Identity)).to_hex();
    let token = &hash.as_str()[..24];
    let mut parts: Vec<Vec<u8>> = Vec::new();
    parts.extend(body(&view.bodies, token));
    if !view.fields.is_empty() {
        parts.push(fields(&view));
    }
    for (attachment, seen) in message.attachments.iter().zip(&view.attachments) {
        parts.push(part_of(attachment, seen, view.page));
    }
    match parts.len() {
        0 => out.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\r\n\r\n"),
        1 => out.extend_from_slice(&parts[0]),
        _ => out.extend_from_slice(&multipart("mixed", token, &parts)),
    }
    out
}

/// Parts between boundaries, with the header that says so. `=_` cannot stand in quoted-printable or base 64.
fn multipart(kind: &str, token: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let boundary = format!("=_embley_{kind}_{token}");
    let mut out = format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part);
        if !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

/// The bodies: one part, alternatives, or none.
fn body(bodies: &Bodies, token: &str) -> Option<Vec<u8>> {
    let plain = bodies.plain.as_deref().filter(|text| !text.trim().is_empty());
    let html = bodies.best_html().filter(|html| !html.trim().is_empty());
    let rich = bodies
        .rtf
        .as_ref()
        .map(|rtf| rtf.text.as_str())
        .filter(|text| !text.trim().is_empty());
    match (plain, html, rich) {
        (Some(plain), Some(html), _) => Some(multipart(
            "alternative",
            token,
            &[text("plain", plain), text("html", html)],
        )),
        (Some(plain), None, _) => Some(text("plain", plain)),
        (None, Some(html), _) => Some(text("html", html)),
        (None, None, Some(rich)) => Some(text("plain", rich)),
        (None, None, None) => None,
    }
}

fn text(kind: &str, text: &str) -> Vec<u8> {
    let mut out =
        format!("Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
            .into_bytes();
    out.extend_from_slice(quoted_printable(text).as_bytes());
    out
}

fn fields(view: &View) -> Vec<u8> {
    let lines: String = view
        .fields
        .iter()
        .map(|field| format!("{}: {}\n", field.label, field.value))
        .collect();
    text("plain", &lines)
}

/// One attachment as a part.
fn part_of(attachment: &Attachment, seen: &AttachmentView, page: u32) -> Vec<u8> {
    let place = if seen.hidden { "inline" } else { "attachment" };
    let mut head = format!(
        "Content-Disposition: {place}{}\r\n",
        header::parameter("filename", &seen.name)
    );
    if !seen.content_id.is_empty() {
        let id = header::plain(&seen.content_id);
        head.push_str(&format!("Content-ID: <{}>\r\n", id.trim_matches(['<', '>'])));
    }
    let (media_type, bytes) = match &attachment.content {
        Content::Message(inner) => {
            let mut out =
                format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n{head}\r\n").into_bytes();
            out.extend_from_slice(&render_in(inner, Some(page)));
            return out;
        }
        Content::Bytes(bytes) => (header::media_type(&seen.media_type), bytes.as_slice()),
        Content::Ole(bytes) => ("application/x-ole-storage".to_owned(), bytes.as_slice()),
        Content::None => {
            let note = format!("No content is stored for this attachment. {}", seen.link);
            return [head.as_bytes(), &text("plain", note.trim_end())].concat();
        }
        Content::TooLong(length) => {
            let note = format!("This attachment of {length} bytes was not read.");
            return [head.as_bytes(), &text("plain", &note)].concat();
        }
    };
    let mut out = format!("Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n{head}\r\n").into_bytes();
    out.extend_from_slice(base64(bytes).as_bytes());
    out
}

/// The entity of an S/MIME message: headers and body of it, to stand behind the headers of the message.
fn wrapped(message: &Message, view: &View) -> Option<Vec<u8>> {
    let Content::Bytes(bytes) = &message.attachments.get(view.wrapped_in?)?.content else {
        return None;
    };
    if view.secured == Some(Secured::ClearSigned) {
        let head = bytes.get(..13.min(bytes.len()))?.to_ascii_lowercase();
        let is_entity = head.starts_with(b"content-type:") || head.starts_with(b"mime-version");
        return is_entity.then(|| {
            let mut out = Vec::new();
            if !head.starts_with(b"mime-version") {
                out.extend_from_slice(b"MIME-Version: 1.0\r\n");
            }
            out.extend_from_slice(bytes);
            out
        });
    }
    let kind = match view.secured? {
        Secured::OpaqueSigned => "; smime-type=signed-data",
        Secured::Encrypted => "; smime-type=enveloped-data",
        Secured::ClearSigned | Secured::Opaque => "",
    };
    let head = format!(
        "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime{kind}; name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n"
    );
    Some([head.as_bytes(), base64(bytes).as_bytes()].concat())
}

#[cfg(test)]
mod tests;
