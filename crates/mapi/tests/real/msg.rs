use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use embley_mapi::view::View;
use embley_mapi::{Content, Message, canonical, eml, lzfu, msg, tags};

use super::{check_table, corpus, files};
use crate::damage::{Random, exercise, flip, read_any};

/// Figures of one message and of those inside.
pub(super) fn figures(out: &mut String, message: &Message, page: Option<u32>, depth: usize) {
    let view = View::of(message, page);
    let length = |text: Option<&String>| text.map_or(0, |text| text.chars().count());
    let rtf = view.bodies.rtf.as_ref();
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    let inside = message.attachments.iter().flat_map(|one| &one.defects);
    for defect in message.defects.iter().chain(&view.defects).chain(inside) {
        *codes.entry(defect.code.text()).or_default() += 1;
    }
    let smtp = view.recipients.iter().filter(|one| !one.person.smtp.is_empty()).count();
    writeln!(
        out,
        "{}{}: subject {} sent {} recipients {} smtp {smtp} page {} plain {} html {} rtf {} inside {} {:?} fields {} {codes:?}",
        "  ".repeat(depth),
        view.kind.text(),
        view.subject.chars().count(),
        view.submitted.unwrap_or(0),
        view.recipients.len(),
        view.page,
        length(view.bodies.plain.as_ref()),
        length(view.bodies.html.as_ref()),
        length(rtf.map(|rtf| &rtf.text)),
        length(rtf.and_then(|rtf| rtf.html.as_ref())),
        view.bodies.source,
        view.fields.len(),
    )
    .expect("a string");
    for (attachment, seen) in message.attachments.iter().zip(&view.attachments) {
        let (what, bytes) = match &attachment.content {
            Content::None => ("nothing", 0),
            Content::Bytes(bytes) => ("file", bytes.len()),
            Content::Ole(bytes) => ("object", bytes.len()),
            Content::Message(_) => ("message", 0),
            Content::TooLong(_) => ("long", 0),
        };
        writeln!(
            out,
            "{}- {what} {bytes} name {}",
            "  ".repeat(depth + 1),
            seen.name.chars().count()
        )
        .expect("a string");
        if let Content::Message(inner) = &attachment.content {
            figures(out, inner, Some(view.page), depth + 2);
        }
    }
}

#[test]
fn every_message_file_says_what_it_said_before() {
    let Some(folder) = corpus("msg") else { return };
    let mut out = String::new();
    let files = files(&folder, &[".msg"]);
    assert_eq!(files.len(), 85);
    for path in files {
        let name = path.strip_prefix(&folder).expect("is below").display().to_string();
        writeln!(out, "{name}").expect("a string");
        figures(&mut out, &msg::read(&fs::read(&path).expect("is read")), None, 1);
    }
    check_table(&out, include_str!("msg.txt"));
}

#[test]
fn messages_in_code_pages_have_their_subjects() {
    let Some(folder) = corpus("msg/poi-hsmf") else { return };
    for (name, start, page) in [
        ("ASCII_UTF-8_CP1252_LCID1031.msg", "Subject öäü Subject", 1252),
        ("cyrillic_message.msg", "Автоматический ответ", 1251),
        (
            "chinese-traditional.msg",
            "Alfresco MSG format testing ( MSG 格式測試 )",
            950,
        ),
    ] {
        let view = View::of(&msg::read(&fs::read(folder.join(name)).expect("is read")), None);
        assert!(view.subject.starts_with(start), "{name}: {}", view.subject);
        assert_eq!(view.page, page, "{name}");
    }
}

#[test]
fn rich_text_is_unpacked_as_an_independent_converter_did() {
    let Some(folder) = corpus("msg/email-outlook-message") else {
        return;
    };
    let message = msg::read(&fs::read(folder.join("plain_unsent.msg")).expect("is read"));
    let unpacked = lzfu::unpack(
        message.properties.binary(tags::RTF_COMPRESSED).expect("is there"),
        1 << 20,
    );
    assert_eq!(unpacked.defects, Vec::new());
    // The converter's file holds the rich text in base 64, between the header of its part and the last boundary.
    let eml = fs::read_to_string(folder.join("plain_unsent.eml")).expect("is read");
    let (_, part) = eml.split_once("application/rtf").expect("is there");
    let digits: String = part
        .lines()
        .skip(1)
        .skip_while(|line| !line.is_empty())
        .take_while(|line| !line.starts_with("--"))
        .collect();
    let end = unpacked
        .bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    // It turns every line end of the specification's dictionary round.
    let turned: Vec<u8> = String::from_utf8_lossy(&unpacked.bytes[..end])
        .replace("\r\n", "\n\r")
        .into_bytes();
    assert_eq!(base64(&turned), digits);
}

/// An encoder of the test's own.
fn base64(bytes: &[u8]) -> String {
    let alphabet: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['+', '/'])
        .collect();
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let mut out: String = bits
        .chunks(6)
        .map(|six| {
            alphabet[six
                .iter()
                .chain(&[0; 6])
                .take(6)
                .fold(0, |value, bit| value << 1 | usize::from(*bit))]
        })
        .collect();
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[test]
fn every_message_file_is_written_and_read_back() {
    let Some(folder) = corpus("msg") else { return };
    let mut count = 0;
    for path in files(&folder, &[".msg"]) {
        let message = msg::read(&fs::read(&path).expect("is read"));
        for form in [canonical::Form::Full, canonical::Form::Identity] {
            let item = canonical::item(&message, form);
            let bytes = canonical::write(&item, form);
            assert_eq!(canonical::read(&bytes), Ok((item, form)), "{}", path.display());
        }
        let rendered = eml::render(&message);
        assert!(rendered.starts_with(eml::MARK.as_bytes()));
        assert_eq!(rendered, eml::render(&message), "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 85);
}

#[test]
fn real_message_files_cut_or_flipped_end() {
    let Some(folder) = corpus("msg") else { return };
    let mut random = Random(0x0123_4567_89AB_CDEF);
    let mut count = 0;
    for path in files(&folder, &[".msg"]) {
        let bytes = fs::read(&path).expect("is read");
        if bytes.len() > 40_000 {
            continue;
        }
        for _ in 0..12 {
            read_any(&bytes[..random.next(bytes.len())]);
            exercise(&msg::read(&flip(&bytes, &mut random)));
            count += 2;
        }
    }
    assert!(count > 1000, "{count}");
}
