//! A small reader of mailboxes and MIME, written apart from the maker and knowing nothing of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A message with the place where it was found.
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) ordinal: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Every file below a folder, in the order of raw names at each level, as paths below `root`.
pub(crate) fn walk(root: &Path, below: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(root.join(below))
        .expect("a folder that was just written")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    entries.sort();
    for name in entries {
        let path = below.join(name);
        if root.join(&path).is_dir() {
            walk(root, &path, out);
        } else {
            out.push(path);
        }
    }
}

/// All messages below `dir/mail`, unquoted.
pub(crate) fn messages(dir: &Path, unquote_all: bool) -> Vec<Found> {
    let mut files = Vec::new();
    walk(dir, Path::new("mail"), &mut files);
    let mut all = Vec::new();
    for path in files {
        let bytes = std::fs::read(dir.join(&path)).expect("readable");
        let file = path.to_str().expect("names are ascii").to_owned();
        if file.ends_with(".mbox") {
            for (ordinal, message) in split_mbox(&bytes, unquote_all).into_iter().enumerate() {
                all.push(Found {
                    file: file.clone(),
                    ordinal: ordinal as u64,
                    bytes: message,
                });
            }
        } else {
            all.push(Found {
                file,
                ordinal: 0,
                bytes,
            });
        }
    }
    all
}

/// Splits at lines `From ` after an empty line; drops the line end before each; takes one `>` from quoted lines.
pub(crate) fn split_mbox(bytes: &[u8], unquote_all: bool) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut last_is_empty = true;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if last_is_empty && line.starts_with(b"From ") {
            messages.push(Vec::new());
            last_is_empty = false;
            continue;
        }
        last_is_empty = line == b"\n" || line == b"\r\n";
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        let is_quoted = line[marks..].starts_with(b"From ") && (marks == 1 || (marks > 1 && unquote_all));
        let message = messages.last_mut().expect("the file begins with a separator");
        message.extend_from_slice(&line[usize::from(is_quoted)..]);
    }
    for message in &mut messages {
        assert!(message.ends_with(b"\n"));
        let with_cr = message.ends_with(b"\r\n");
        message.truncate(message.len() - if with_cr { 2 } else { 1 });
    }
    messages
}

/// An item of a message: itself, an attached message, an attachment.
#[derive(Default)]
pub(crate) struct Item {
    pub(crate) is_email: bool,
    pub(crate) media_type: String,
    /// Decoded bodies, or the content of an attachment, joined.
    pub(crate) text: Vec<u8>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) filename: String,
}

/// The items of a message, itself first.
pub(crate) fn items(message: &[u8]) -> Vec<Item> {
    let mut all = Vec::new();
    email(message, &mut all);
    all
}

fn email(message: &[u8], all: &mut Vec<Item>) {
    let (headers, body) = split_headers(message);
    let at = all.len();
    all.push(Item {
        is_email: true,
        media_type: "message/rfc822".into(),
        headers: headers.clone(),
        ..Item::default()
    });
    entity(&headers, body, at, all);
}

fn entity(headers: &BTreeMap<String, String>, body: &[u8], owner: usize, all: &mut Vec<Item>) {
    let kind = headers.get("content-type").map_or("text/plain", String::as_str);
    let media_type = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type.starts_with("multipart/") {
        let boundary = kind
            .split("boundary=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a boundary");
        for part in split_parts(body, boundary) {
            let (headers, body) = split_headers(&part);
            entity(&headers, body, owner, all);
        }
        return;
    }
    if media_type == "message/rfc822" {
        return email(body, all);
    }
    let content = decode(headers, body);
    let disposition = headers.get("content-disposition").map_or("", String::as_str);
    if media_type.starts_with("text/") && !disposition.starts_with("attachment") {
        all[owner].text.extend_from_slice(&content);
        all[owner].text.push(b'\n');
    } else {
        all.push(Item {
            media_type,
            text: content,
            filename: decode_words(disposition),
            ..Item::default()
        });
    }
}

/// Headers by lower-case name, unfolded; the first of each name counts.
fn split_headers(entity: &[u8]) -> (BTreeMap<String, String>, &[u8]) {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<(String, String)> = None;
    let mut rest = entity;
    loop {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        let is_last = line == b"\n" || line == b"\r\n" || line.is_empty();
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        if !is_last && text.starts_with([' ', '\t']) {
            if let Some((_, value)) = &mut current {
                value.push(' ');
                value.push_str(text.trim_start());
            }
        } else {
            if let Some((name, value)) = current.take() {
                headers.entry(name).or_insert(value);
            }
            if !is_last {
                match text.split_once(':') {
                    Some((name, value)) => current = Some((name.to_ascii_lowercase(), value.trim().to_owned())),
                    None => return (headers, entity),
                }
            }
        }
        rest = after;
        if is_last {
            return (headers, rest);
        }
    }
}

fn split_parts(body: &[u8], boundary: &str) -> Vec<Vec<u8>> {
    let open = format!("--{boundary}");
    let close = format!("--{boundary}--");
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut is_open = false;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        if text == open.as_bytes() || text == close.as_bytes() {
            if let Some(part) = parts.last_mut().filter(|_| is_open) {
                part.pop();
            }
            is_open = text == open.as_bytes();
            if is_open {
                parts.push(Vec::new());
            }
        } else if is_open {
            parts.last_mut().expect("open").extend_from_slice(line);
        }
    }
    parts
}

fn decode(headers: &BTreeMap<String, String>, body: &[u8]) -> Vec<u8> {
    match headers.get("content-transfer-encoding").map(String::as_str) {
        Some("base64") => base64(body),
        Some("quoted-printable") => quoted_printable(body),
        _ => body.to_vec(),
    }
}

fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let hex = body.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (body[at], hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'=', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'=', None) if body.get(at + 1) == Some(&b'\n') => at += 2,
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Encoded words (RFC 2047, the B encoding only), adjacent ones joined; bytes beyond ASCII become U+FFFD.
pub(crate) fn decode_words(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let coded = rest[at + 2..]
            .split_once("?B?")
            .and_then(|(_, after)| after.split_once("?="));
        let Some((word, after)) = coded else { break };
        if !rest[..at].trim().is_empty() {
            out.extend_from_slice(&rest.as_bytes()[..at]);
        }
        out.extend_from_slice(&base64(word.as_bytes()));
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

/// Words in lower case between single spaces, with a space at both ends.
pub(crate) fn words(text: &str) -> String {
    let mut out = String::from(" ");
    for word in text.split(|character: char| !character.is_alphanumeric()) {
        if !word.is_empty() {
            out.push_str(&word.to_lowercase());
            out.push(' ');
        }
    }
    out
}
