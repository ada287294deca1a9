//! The headers of a rendering.

use super::MARK;
use super::encode::{base64_line, words};
use crate::view::{Person, RecipientRole, View};

/// All headers up to those of the MIME structure, marked as a rendering.
pub(super) fn write(view: &View) -> Vec<u8> {
    let mut out = format!("{MARK}: from properties, version 1; not the bytes that were sent\r\n").into_bytes();
    let transported = view.headers.as_deref().map(transported).unwrap_or_default();
    if transported.is_empty() {
        out.extend_from_slice(built(view).as_bytes());
    } else {
        out.extend_from_slice(transported.as_bytes());
    }
    out
}

/// The headers as they came, without those of the structure. Lines before the first header and all behind the first empty line are
/// not headers of this message: Outlook keeps those of its parts there.
fn transported(headers: &str) -> String {
    let mut out = String::new();
    let mut keep = false;
    for line in headers.replace("\r\n", "\n").split(['\n', '\r']) {
        if line.trim().is_empty() {
            if out.is_empty() {
                continue;
            }
            break;
        }
        if line.starts_with([' ', '\t']) {
            if keep {
                out.push_str(line);
                out.push_str("\r\n");
            }
            continue;
        }
        let name = line.split(':').next().unwrap_or_default();
        let is_header = line.contains(':') && !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
        let name = name.to_ascii_lowercase();
        keep =
            is_header && !name.starts_with("content-") && name != "mime-version" && name != MARK.to_ascii_lowercase();
        if keep {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    out
}

fn built(view: &View) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
    };
    let from = view.representing.as_ref().or(view.sender.as_ref());
    add("From", &from.map(mailbox).unwrap_or_default());
    if let (Some(sender), Some(from)) = (&view.sender, from)
        && sender.to_address().addr != from.to_address().addr
    {
        add("Sender", &mailbox(sender));
    }
    for (name, role) in [
        ("To", RecipientRole::To),
        ("Cc", RecipientRole::Cc),
        ("Bcc", RecipientRole::Bcc),
    ] {
        let people: Vec<String> = view
            .recipients
            .iter()
            .filter(|one| one.role == role || (role == RecipientRole::To && one.role == RecipientRole::Unknown))
            .map(|one| mailbox(&one.person))
            .collect();
        add(name, &people.join(",\r\n "));
    }
    add(
        "Reply-To",
        &view
            .reply_to
            .as_deref()
            .map(|names| words(&plain(names)))
            .unwrap_or_default(),
    );
    add("Subject", &words(&plain(&view.subject)));
    add("Date", &view.date().and_then(date).unwrap_or_default());
    for (name, value) in [
        ("Message-ID", &view.message_id),
        ("In-Reply-To", &view.in_reply_to),
        ("References", &view.references),
    ] {
        add(name, &plain(value.as_deref().unwrap_or_default()));
    }
    if let Some(index) = &view.conversation_index {
        let mut value = String::new();
        base64_line(index, &mut value);
        add("Thread-Index", &value);
    }
    let importance = match view.importance {
        Some(0) => "low",
        Some(2) => "high",
        _ => "",
    };
    add("Importance", importance);
    out
}

/// A person as a mailbox; one without an SMTP address shows what there is in the place of the address.
fn mailbox(person: &Person) -> String {
    let address = person.to_address();
    let addr = plain(&address.addr).replace(['<', '>'], "");
    let name = plain(&address.name);
    match (name.is_empty(), addr.is_empty()) {
        (true, _) => format!("<{addr}>"),
        (false, true) => format!("{} <>", display(&name)),
        (false, false) => format!("{} <{addr}>", display(&name)),
    }
}

/// A display name: an atom or quoted string where ASCII, else encoded words.
fn display(name: &str) -> String {
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    words(name)
}

/// Text on one line: control characters become spaces.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// A parameter with its separator, empty for an empty value; beyond ASCII as RFC 2231 says.
pub(super) fn parameter(name: &str, value: &str) -> String {
    let value = plain(value);
    if value.is_empty() {
        return String::new();
    }
    if value.is_ascii() {
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        return format!(";\r\n {name}=\"{quoted}\"");
    }
    let encoded: String = value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!(";\r\n {name}*=utf-8''{encoded}")
}

/// A media type if it is well formed, and can hold base 64.
pub(super) fn media_type(stored: &str) -> String {
    let token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let composite = |kind: &str| kind.eq_ignore_ascii_case("multipart") || kind.eq_ignore_ascii_case("message");
    match stored.trim().split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) && !composite(kind) => stored.trim().to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

/// RFC 5322 section 3.3, in UTC.
fn date(seconds: i64) -> Option<String> {
    let stamp = jiff::Timestamp::from_second(seconds).ok()?;
    Some(stamp.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}
