//! The fields that describe a body part: Content-Type, Content-Transfer-Encoding, Content-Disposition
//! (RFC 2045, RFC 2183), with parameters of RFC 2231.
//!
//! `mail-parser` reads the values; continued and encoded parameters are read here, because their sections
//! must be joined as bytes before a charset is applied. Values are cut at [`MAX_VALUE_BYTES`].

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

use super::{Section, unfold, words};
use crate::mail::transfer::Transfer;
use crate::text;

/// A longer value is cut: no program writes one, and parsers of parameters compare names with names.
pub(crate) const MAX_VALUE_BYTES: usize = 16 * 1024;

/// Longest file name kept, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// How the sender wants a part shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Nothing said.
    #[default]
    Unsaid,
    /// `inline`.
    Inline,
    /// `attachment`, or anything unknown (RFC 2183 section 2.8).
    Attachment,
}

/// What the fields of a part say of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartInfo {
    /// `type/subtype` in lower case; empty when there is no readable Content-Type.
    pub media_type: String,
    /// `charset` parameter.
    pub charset: Option<String>,
    /// `boundary` parameter, trimmed.
    pub boundary: Option<Vec<u8>>,
    /// File name of the disposition, else `name` of the type.
    pub filename: Option<String>,
    /// Transfer encoding.
    pub transfer: Transfer,
    /// Disposition.
    pub disposition: Disposition,
    /// `format=flowed` (RFC 3676).
    pub flowed: bool,
    /// `delsp=yes` (RFC 3676).
    pub delsp: bool,
    /// `smime-type` or `protocol` parameter in lower case.
    pub protocol: String,
}

impl PartInfo {
    /// Reads the content fields of a section.
    pub(crate) fn read(section: &Section, bytes: &[u8]) -> Self {
        let mut info = Self::default();
        let (mut seen_type, mut seen_transfer, mut seen_disposition) = (false, false, false);
        for field in &section.fields {
            let name = &bytes[field.name.clone()];
            if name.len() < 12 || !name[..8].eq_ignore_ascii_case(b"content-") {
                continue;
            }
            let value = &bytes[field.value.clone()];
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
            if is("content-type") && !seen_type {
                seen_type = true;
                info.read_type(value);
            } else if is("content-transfer-encoding") && !seen_transfer {
                seen_transfer = true;
                info.transfer = Transfer::from_label(&unfold(value));
            } else if is("content-disposition") && !seen_disposition {
                seen_disposition = true;
                info.read_disposition(value);
            }
        }
        let invalid = info.media_type.ends_with('/');
        if invalid && info.filename.is_none() && info.transfer.is_identity() {
            // RFC 2045 section 5.2: what has no valid type is read as plain text; not so what is called a file.
            info.media_type = "text/plain".to_owned();
        } else if invalid {
            info.media_type.push_str("unknown");
        }
        info
    }

    fn read_type(&mut self, value: &[u8]) {
        let line = prepared(value);
        if line.trim_ascii().eq_ignore_ascii_case(b"text/plain") {
            self.media_type.push_str("text/plain");
            return;
        }
        let Some(parsed) = structured(&line) else {
            return;
        };
        let token = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_graphic() || "()<>@,;:\\\"/[]?=".contains(c));
            text[..end.unwrap_or(text.len())].to_ascii_lowercase()
        };
        let main = token(&parsed.c_type);
        let sub = parsed.c_subtype.as_deref().map(token).unwrap_or_default();
        self.media_type = match (main.as_str(), sub.as_str()) {
            ("", _) => String::new(),
            // Written by some old programs; RFC 2045 section 5.2 says to read it as plain text.
            ("text", "") => "text/plain".to_owned(),
            (main, "") => format!("{main}/"),
            (main, sub) => format!("{main}/{sub}"),
        };
        for attribute in parsed.attributes.iter().flatten() {
            let value = attribute.value.trim();
            match attribute.name.trim() {
                "charset" if self.charset.is_none() => self.charset = Some(value.to_owned()),
                "boundary" if self.boundary.is_none() => self.boundary = Some(value.as_bytes().to_vec()),
                "name" if self.filename.is_none() => self.filename = cleaned_name(value),
                "format" => self.flowed = value.eq_ignore_ascii_case("flowed"),
                "delsp" => self.delsp = value.eq_ignore_ascii_case("yes"),
                "smime-type" | "protocol" => self.protocol = value.to_ascii_lowercase(),
                _ => {}
            }
        }
        if let Some(name) = extended(&line, "name") {
            self.filename = cleaned_name(&name);
        }
        if let Some(boundary) = extended(&line, "boundary") {
            self.boundary = Some(boundary.trim().as_bytes().to_vec());
        }
    }

    fn read_disposition(&mut self, value: &[u8]) {
        let line = prepared(value);
        let Some(parsed) = structured(&line) else {
            return;
        };
        self.disposition = match parsed.c_type.trim() {
            "" => Disposition::Unsaid,
            "inline" => Disposition::Inline,
            _ => Disposition::Attachment,
        };
        let plain = parsed
            .attributes
            .iter()
            .flatten()
            .find(|attribute| attribute.name.trim() == "filename")
            .and_then(|attribute| cleaned_name(&attribute.value));
        if let Some(name) = extended(&line, "filename")
            .and_then(|name| cleaned_name(&name))
            .or(plain)
        {
            self.filename = Some(name);
        }
    }
}

/// The value as the parser wants it: unfolded, in UTF-8, with whole encoded words and a line end.
fn prepared(value: &[u8]) -> Vec<u8> {
    let value = &value[..value.len().min(MAX_VALUE_BYTES)];
    let unfolded = unfold(value);
    let decoded = text::decode_header_bytes(&unfolded, None);
    let mut line = words::make_whole(&decoded).into_owned().into_bytes();
    line.push(b'\n');
    line
}

fn structured(line: &[u8]) -> Option<ContentType<'_>> {
    let parsed = std::panic::catch_unwind(|| MessageStream::new(line).parse_content_type()).ok()?;
    match parsed {
        HeaderValue::ContentType(content_type) => Some(content_type),
        _ => None,
    }
}

/// Without control characters, cut at a sane length; `None` when nothing is left.
fn cleaned_name(name: &str) -> Option<String> {
    let decoded = words::decode(name);
    let mut kept: String = decoded.trim().chars().filter(|c| !c.is_control()).collect();
    if kept.len() > MAX_NAME_BYTES {
        let end = (0..=MAX_NAME_BYTES).rev().find(|at| kept.is_char_boundary(*at));
        kept.truncate(end.unwrap_or(0));
    }
    (!kept.is_empty()).then_some(kept)
}

/// A parameter in sections or with a charset (RFC 2231 sections 3 and 4): `name*0*=utf-8''a%20b; name*1=c`.
fn extended(line: &[u8], wanted: &str) -> Option<String> {
    memchr::memchr(b'*', line)?;
    let mut sections: Vec<(u32, bool, Vec<u8>)> = Vec::new();
    for (name, value) in parameters(line) {
        let mut pieces = name.split(|byte| *byte == b'*');
        if !pieces
            .next()
            .unwrap_or_default()
            .eq_ignore_ascii_case(wanted.as_bytes())
            || !name.contains(&b'*')
        {
            continue;
        }
        let second = pieces.next().unwrap_or_default();
        let number = std::str::from_utf8(second)
            .ok()
            .and_then(|text| text.parse::<u32>().ok());
        let encoded = second.is_empty() || pieces.next().is_some_and(<[u8]>::is_empty);
        sections.push((number.unwrap_or(0), encoded, value));
    }
    sections.sort_by_key(|(number, _, _)| *number);
    let mut charset: Option<String> = None;
    let mut bytes = Vec::new();
    for (index, (_, encoded, value)) in sections.iter().enumerate() {
        let mut rest = value.as_slice();
        if index == 0 && *encoded {
            let mut quotes = memchr::memchr_iter(b'\'', value);
            if let (Some(first), Some(second)) = (quotes.next(), quotes.next()) {
                charset = Some(String::from_utf8_lossy(&value[..first]).into_owned());
                rest = &value[second + 1..];
            }
        }
        if *encoded {
            percent_decode(rest, &mut bytes);
        } else {
            bytes.extend_from_slice(rest);
        }
    }
    if sections.is_empty() {
        return None;
    }
    Some(
        text::decode(&bytes, charset.as_deref().filter(|label| !label.is_empty()))
            .text
            .into_owned(),
    )
}

fn percent_decode(bytes: &[u8], out: &mut Vec<u8>) {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (hex(bytes.get(at + 1)), hex(bytes.get(at + 2)))
        {
            out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
}

/// Splits `value; name=value; name="value"` into its parameters, quotes and escapes resolved.
fn parameters(line: &[u8]) -> Vec<(Cow<'_, [u8]>, Vec<u8>)> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in line.iter().enumerate().chain([(line.len(), &b';')]) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted || at == line.len() => {
                if let Some(equals) = memchr::memchr(b'=', &line[start..at]) {
                    let name = line[start..start + equals].trim_ascii();
                    let value = unquote(line[start + equals + 1..at].trim_ascii());
                    out.push((Cow::Borrowed(name), value));
                }
                start = (at + 1).min(line.len());
            }
            _ => {}
        }
    }
    out
}

fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return value.to_vec();
    };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let mut out = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for byte in inner {
        if *byte == b'\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            out.push(*byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::{Level, scan};

    fn info(headers: &str) -> PartInfo {
        let section = scan(headers.as_bytes(), Level::Part, true, false).expect("complete");
        PartInfo::read(&section, headers.as_bytes())
    }

    #[test]
    fn type_and_parameters_are_read() {
        let found = info("Content-Type: Multipart/Mixed;\r\n\tboundary=\"=_a b\"; charset=UTF-8\r\n");
        assert_eq!(found.media_type, "multipart/mixed");
        assert_eq!(found.boundary.as_deref(), Some(&b"=_a b"[..]));
        assert_eq!(found.charset.as_deref(), Some("UTF-8"));
        let flowed = info("content-type: text/plain; format=Flowed; DelSp=yes\n");
        assert!(flowed.flowed && flowed.delsp);
        assert_eq!(info("Content-Type: text\n").media_type, "text/plain");
        assert_eq!(info("Content-Type: x-be2\n").media_type, "text/plain");
        assert_eq!(info("Content-Type: x-be2; name=a\n").media_type, "x-be2/unknown");
        assert_eq!(info("Content-Type:\n").media_type, "");
    }

    #[test]
    fn file_names_are_decoded_in_every_style() {
        let check = |value: &str, name: &str| {
            let found = info(&format!("Content-Disposition: attachment; {value}\n"));
            assert_eq!(found.filename.as_deref(), Some(name), "{value}");
            assert_eq!(found.disposition, Disposition::Attachment);
        };
        check("filename=plain.txt", "plain.txt");
        check("filename=\"two words.txt\"", "two words.txt");
        check("filename==?utf-8?Q?caf=C3=A9.txt?=", "café.txt");
        check("filename=\"=?utf-8?B?w6QudHh0?=\"", "ä.txt");
        check("filename*=iso-8859-1'en'caf%E9.txt", "café.txt");
        check(
            "filename*0*=utf-8''caf%C3; filename*1*=%A9; filename*2=.txt",
            "café.txt",
        );
        check("filename*1=\"b.txt\"; filename*0=\"a;\"", "a;b.txt");
        check("filename=old.txt; filename*=utf-8''new.txt", "new.txt");
    }

    #[test]
    fn the_first_field_wins_and_long_ones_are_cut() {
        assert_eq!(info("Content-Type: a/b\nContent-Type: c/d\n").media_type, "a/b");
        let many = format!("Content-Type: a/b; {}\n", "x*1*=a'b'c; ".repeat(100_000));
        assert_eq!(info(&many).media_type, "a/b");
    }
}
