//! Which kind of text a text is: pages, XML, JSON, calendars, cards, tables.
//!
//! Main functions: [`text_type`], [`structured_type`], [`emlx_message`]. For what [`super::probe`] calls text; by content first, by name where content does not tell.

use std::ops::Range;

use crate::html;

/// Returns the media type of a text from its first bytes and its name; `text/plain` when neither says more.
pub fn text_type(head: &[u8], name: &[u8]) -> &'static str {
    let extension = super::extension(name);
    let start = beginning(head);
    let lower = start.to_ascii_lowercase();
    let has = |mark: &[u8]| memchr::memmem::find(&lower, mark).is_some();
    if lower.starts_with(b"begin:vcalendar") {
        return "text/calendar";
    }
    if lower.starts_with(b"begin:vcard") {
        return "text/vcard";
    }
    if html::begins_page(&lower) {
        return "text/html";
    }
    let is_xml_by_name = matches!(&extension[..], b"xml" | b"svg" | b"rss" | b"kml" | b"gpx");
    if lower.starts_with(b"<?xml") || is_xml_by_name && lower.starts_with(b"<") {
        return if has(b"<html") || has(b"<!doctype html") {
            "application/xhtml+xml"
        } else if has(b"<svg") {
            "image/svg+xml"
        } else {
            "text/xml"
        };
    }
    if html::begins_piece(&lower) && !is_xml_by_name {
        return "text/html";
    }
    let json_name = matches!(&extension[..], b"json" | b"jsonl" | b"ndjson" | b"geojson" | b"ipynb");
    let opens_value = lower.starts_with(b"{") || lower.starts_with(b"[");
    if (json_name && opens_value) || looks_like_json(start) {
        return "application/json";
    }
    match &extension[..] {
        b"html" | b"htm" | b"xhtml" => "text/html",
        b"csv" => "text/csv",
        b"tsv" => "text/tab-separated-values",
        b"ics" | b"vcs" => "text/calendar",
        b"vcf" => "text/vcard",
        _ => "text/plain",
    }
}

/// The media type of a text whose values may be encoded or folded (iCalendar, vCard, XML, JSON), so that its words are certain only when a reader of
/// that format has opened it; `None` for every other text.
pub fn structured_type(head: &[u8], name: &[u8]) -> Option<&'static str> {
    Some(text_type(head, name)).filter(|found| is_structured(found))
}

/// True for the media types that [`structured_type`] gives.
pub fn is_structured(media_type: &str) -> bool {
    matches!(
        media_type,
        "text/calendar" | "text/vcard" | "text/xml" | "image/svg+xml" | "application/json"
    )
}

/// What stands behind marks and blanks; of UTF-16 the lower bytes.
fn beginning(head: &[u8]) -> Vec<u8> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = &head[..head.len().min(4096)];
    let narrow: Vec<u8> = if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        head[2..].iter().copied().filter(|byte| *byte != 0).collect()
    } else {
        head.iter().copied().filter(|byte| *byte != 0).collect()
    };
    narrow.trim_ascii_start().to_vec()
}

/// An object whose first member has a quoted name.
fn looks_like_json(start: Vec<u8>) -> bool {
    let Some(rest) = start.strip_prefix(b"{") else {
        return false;
    };
    let rest = rest.trim_ascii_start();
    let Some(name) = rest.strip_prefix(b"\"") else {
        return false;
    };
    memchr::memchr(b'"', name).is_some_and(|end| name[end + 1..].trim_ascii_start().starts_with(b":"))
}

/// The message in an EMLX file of Apple Mail: a line with its length in bytes, the message, then a property list. `None` when `bytes` is no such file;
/// the range is cut to what is there.
pub fn emlx_message(bytes: &[u8]) -> Option<Range<usize>> {
    let line_end = memchr::memchr(b'\n', &bytes[..bytes.len().min(24)])?;
    let digits = std::str::from_utf8(&bytes[..line_end]).ok()?.trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length: usize = digits.parse().ok()?;
    let start = line_end + 1;
    let end = start.checked_add(length)?;
    let tail = bytes.get(end..).unwrap_or_default().trim_ascii_start();
    let plist = tail.starts_with(b"<?xml") || tail.starts_with(b"<!DOCTYPE plist") || tail.is_empty();
    let header = super::begins_with_header(&bytes[start..bytes.len().min(start + super::HEAD_BYTES)]);
    (plist && header).then(|| start..end.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_text_are_told() {
        let check =
            |head: &[u8], name: &str, expected| assert_eq!(text_type(head, name.as_bytes()), expected, "{name}");
        check(b"\xef\xbb\xbfBEGIN:VCALENDAR\r\n", "x", "text/calendar");
        check(b"begin:vcard\r\n", "x", "text/vcard");
        check(b"<?xml version='1.0'?><a/>", "x", "text/xml");
        check(b"<?xml version='1.0'?><!DOCTYPE html>", "x", "application/xhtml+xml");
        check(b"<?xml version='1.0'?><svg/>", "x", "image/svg+xml");
        check(b" <!DOCTYPE HTML>", "x", "text/html");
        check(b"<TABLE border=1><tr>", "report.xls", "text/html");
        check(b"<p>x</p>", "x", "text/html");
        check(b"<p>x</p>", "x.xml", "text/xml");
        check(b"<path/to> is no tag", "x", "text/plain");
        check(b"{ \"a\" : 1}", "x", "application/json");
        check(b"{curly}", "x", "text/plain");
        check(b"[1]", "x.json", "application/json");
        check(b"a,b", "x.csv", "text/csv");
        check(b"hello", "x", "text/plain");
    }

    #[test]
    fn the_message_of_an_emlx_file_is_found() {
        let message = b"From: a@b\nTo: c@d\nSubject: x\n\nbody\n";
        let file = [
            format!("{}\n", message.len()).as_bytes(),
            message,
            b"<?xml version='1.0'?><plist/>",
        ]
        .concat();
        let found = emlx_message(&file).expect("a message");
        assert_eq!(&file[found], message);
        assert_eq!(emlx_message(b"12\nhello"), None);
        assert_eq!(emlx_message(b""), None);
        assert_eq!(emlx_message(b"99999999999999999999999\nFrom: a@b\n"), None);
    }
}
