//! HTML, charsets, and telling what a file is.

use embley_formats::walk::Place;
use embley_formats::{html, probe, text};

use super::{ensure, samples};
use crate::target::Target;

pub(super) const HTML: Target = Target {
    words: &[
        b"<p>",
        b"</p>",
        b"<script>",
        b"</script",
        b"<style>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"<table><tr><td>",
        b"<blockquote>",
        b"<br/>",
        b"<a href='x'>",
        b"<pre>",
        b"<ul><li>",
        b"&amp;",
        b"&#x",
        b"&#1114112;",
        b"&NotEqualTilde;",
        b"<title>",
        b"<textarea>",
        b"<img alt=\"a\">",
        b"<div hidden>",
        b"<",
        b">",
        b"</",
        b"\0",
        b"<svg><math>",
        b"<o:p>",
        b"<!DOCTYPE html>",
        b"\"",
        b"'",
    ],
    made: samples::html,
    corpora: &[("docs/tika", ".html")],
    ..Target::new(
        "html",
        "the same text twice, and not much more of it than there was HTML",
        to_text,
    )
};

fn to_text(bytes: &[u8]) -> Result<(), String> {
    let source = String::from_utf8_lossy(bytes);
    let text = html::to_text(&source);
    html::looks_like_html(&source);
    ensure(text == html::to_text(&source), || {
        "another text the second time".to_owned()
    })?;
    ensure(text.len() <= source.len() * 4 + 1024, || {
        format!("{} bytes of text from {}", text.len(), source.len())
    })
}

pub(super) const TEXT: Target = Target {
    words: &[
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\x1b$B",
        b"\x1b(B",
        b"~{",
        b"+AGE-",
        b"\x81\x30\x81\x30",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\0",
        b"\x85",
        b"\xa4\xa2",
    ],
    made: samples::texts,
    corpora: &[("threads/talon", ".txt")],
    ..Target::new("text", "the same text twice; lossy decoding is said", decode)
};

fn decode(bytes: &[u8]) -> Result<(), String> {
    let labels = [
        "utf-8",
        "us-ascii",
        "utf-7",
        "utf-16",
        "utf-16le",
        "utf-32",
        "iso-2022-jp",
        "gb18030",
        "hz-gb-2312",
        "big5",
        "windows-1252",
        "cp437",
        "cp850",
        "koi8-r",
        "x-unknown",
        "",
    ];
    let declared = labels.map(Some).into_iter().chain([None]);
    for declared in declared {
        let decoded = text::decode(bytes, declared);
        let again = text::decode(bytes, declared);
        ensure(decoded.text == again.text && decoded.lossy == again.lossy, || {
            format!("another text the second time as {declared:?}")
        })?;
        ensure(!decoded.lossy || decoded.defect.is_some(), || {
            format!("characters lost without a word as {declared:?}")
        })?;
    }
    let (read, ..) = text::parse_text(bytes);
    ensure(read == text::parse_text(bytes).0, || {
        "another reading the second time".to_owned()
    })
}

pub(super) const PROBE: Target = Target {
    words: &[
        b"From a@b Thu Jan  1 00:00:00 1970\n",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-",
        b"{\\rtf1",
        b"!BDN",
        b"\x78\x9f\x3e\x22",
        b"Subject: a\n",
        b"<html>",
        b"BEGIN:VCARD\n",
        b"7z\xbc\xaf\x27\x1c",
        b"!<arch>\n",
        b"ustar\0",
        b"\x1f\x8b\x08",
        b"mimetypeapplication/",
        b"123\nSubject: a\n\nb",
        b"{\"a\":1}",
        b"[Content_Types].xml",
        b"word/document.xml",
    ],
    made: samples::heads,
    corpora: &[("docs/tika", ""), ("archives", "")],
    ..Target::new("probe", "the same type twice; ranges inside of the file", kind)
};

fn kind(bytes: &[u8]) -> Result<(), String> {
    let head = &bytes[..bytes.len().min(probe::HEAD_BYTES)];
    let maildir = Place::Maildir {
        folder: "INBOX".to_owned(),
        flags: "S".to_owned(),
        is_new: false,
    };
    for name in [
        "",
        "a.eml",
        "a.mbox",
        "a.txt",
        "a.docx",
        "a.zip",
        "a.emlx",
        "a.csv",
        "\u{e9}.pst",
    ] {
        for place in [&Place::Loose, &maildir] {
            for length in [bytes.len() as u64, 1 << 40] {
                let one = probe::probe(head, name.as_bytes(), place, length);
                let again = probe::probe(head, name.as_bytes(), place, length);
                ensure(one == again, || "another type the second time".to_owned())?;
            }
        }
        probe::text_type(head, name.as_bytes());
    }
    let range = probe::emlx_message(bytes);
    ensure(range.clone().is_none_or(|range| bytes.get(range).is_some()), || {
        format!("a message at {range:?} of {}", bytes.len())
    })
}
