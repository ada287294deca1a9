//! Mailboxes, messages, header fields.

use std::io::Read;

use embley_formats::date;
use embley_formats::identity::{content_key, mail_keys};
use embley_formats::mail::{Content, Family, ParseLimits, parse_large, parse_message, part_bytes, part_to};
use embley_formats::mailbox::{
    Entry, MailboxScanner, UnquoteReader, Variant, requote, separator, split_checked, unquote,
};
use embley_model::defect::DefectCode;

use super::{ensure, samples};
use crate::target::Target;

pub(super) const MAILBOX: Target = Target {
    words: &[
        b"\nFrom ",
        b"\n\nFrom a@b Thu Jan  1 00:00:00 1970\n",
        b"\r\n\r\nFrom a@b Thu Jan  1 00:00:00 1970\r\n",
        b"\n>From ",
        b"\n>>From ",
        b"Content-Length: 10\n",
        b"\nFrom 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n",
        b"\r",
        b"\n\n",
        b"\r\n",
        b"From MAILER-DAEMON\n",
        b"X-From-Line: ",
    ],
    samples: &[("tests/samples/mail/box", ".mbox")],
    corpora: &[("mbox/messageparser", ""), ("mime/mimekit", ".mbox")],
    ..Target::new(
        "mailbox",
        "ranges follow one another and sum to the file, whatever the size of a range and wherever a scan goes on",
        mailbox,
    )
};

fn mailbox(file: &[u8]) -> Result<(), String> {
    let whole = split_checked(file, 1 << 20)?;
    for target_bytes in [1, 300] {
        let parts = split_checked(file, target_bytes)?;
        ensure(parts == whole, || {
            format!(
                "ranges of {target_bytes} give {} entries, not {}",
                parts.len(),
                whole.len()
            )
        })?;
    }
    // From every state, but of long mailboxes only from some.
    let mut scanner = MailboxScanner::open(file, None).map_err(|error| error.to_string())?;
    let mut passed = 0;
    let every = whole.len() / 6 + 1;
    while let Some(range) = scanner.next_range(1).map_err(|error| error.to_string())? {
        passed += range.entries.len();
        if passed % every != 0 {
            continue;
        }
        let rest = rest_from(file, &scanner)?;
        ensure(whole.get(passed..) == Some(&rest[..]), || {
            format!("other entries when the scan goes on behind entry {passed}")
        })?;
    }
    Ok(())
}

fn rest_from(file: &[u8], scanner: &MailboxScanner<&[u8]>) -> Result<Vec<Entry>, String> {
    let mut again = MailboxScanner::open(file, Some(scanner.state())).map_err(|error| error.to_string())?;
    let mut rest = Vec::new();
    while let Some(range) = again.next_range(1 << 20).map_err(|error| error.to_string())? {
        rest.extend(range.entries);
    }
    Ok(rest)
}

pub(super) const QUOTING: Target = Target {
    words: &[
        b"\nFrom ",
        b"\n>From ",
        b"\n>>>>From ",
        b">",
        b"\r\n",
        b"\r",
        b"\n",
        b"From ",
    ],
    made: || {
        vec![
            b"a\nFrom b\n>From c\n>>From d\r\n\r\nFrom e".to_vec(),
            b"From x".to_vec(),
        ]
    },
    samples: &[("tests/samples/mail/box", ".mbox")],
    ..Target::new(
        "quoting",
        "what unquoting calls exact can be undone; a message quoted as mboxrd comes back; the reader agrees",
        quoting,
    )
};

fn quoting(bytes: &[u8]) -> Result<(), String> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        separator::classify(line);
    }
    for variant in Variant::ALL {
        let unquoted = unquote(variant, bytes);
        let undone = requote(variant, &unquoted.bytes);
        ensure(!unquoted.exact || undone == bytes, || {
            format!("{variant:?}: an exact result that cannot be undone")
        })?;
        let mut reader = UnquoteReader::new(&bytes, 0..bytes.len() as u64, variant);
        let mut streamed = Vec::new();
        reader.read_to_end(&mut streamed).map_err(|error| error.to_string())?;
        ensure(streamed == *unquoted.bytes && reader.exact() == unquoted.exact, || {
            format!("{variant:?}: a reader of its own mind")
        })?;
    }
    let quoted = requote(Variant::Mboxrd, bytes);
    let back = unquote(Variant::Mboxrd, &quoted);
    ensure(*back.bytes == *bytes, || {
        "a quoted message that does not come back".to_owned()
    })
}

const MAIL_WORDS: &[&[u8]] = &[
    b"Content-Type: multipart/mixed; boundary=b\n\n",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: multipart/digest; boundary=\"b\"\n",
    b"Content-Type: text/html; charset=utf-7\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"Content-Transfer-Encoding: x-uuencode\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b\n",
    b"\n--b\n",
    b"\n--b--\n",
    b"\r\n--b\r\n",
    b"begin 644 a.bin\n#0V%T\n`\nend\n",
    b"=?utf-8?B?4pyT?=",
    b"=?iso-2022-jp?Q?=1B$B?=",
    b"=\n",
    b"=0",
    b"Subject: ",
    b"Date: Thu, 1 Jan 1970 00:00:00 +0000\n",
    b"Received: from a by b; Fri, 31 Feb 2001 25:61:61 -9999\n",
    b"Message-ID: <a@b>\n",
    b"From: \"a\\\"\" (c (d)) <@x,@y:a@b>, g: h@i;\n",
    b"Content-Type: message/delivery-status\n\n",
    b"Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\n",
    b"-----BEGIN PGP MESSAGE-----\n",
    b"format=flowed; delsp=yes",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xff\xfe",
    b"\t",
    b";",
    b"\"",
];

pub(super) const MAIL: Target = Target {
    words: MAIL_WORDS,
    samples: &[
        ("crates/formats/tests/mail/samples", ".eml"),
        ("tests/samples/mail/loose", ".eml"),
    ],
    corpora: &[
        ("mime/stalwart-mail-parser", ".eml"),
        ("mime/zbateson", ""),
        ("bounces/sisimai", ""),
    ],
    ..Target::new(
        "mail",
        "part paths are unique, parents come first, parts come back by their path, in memory and as a stream alike",
        mail,
    )
};

fn mail(raw: &[u8]) -> Result<(), String> {
    let tight = ParseLimits {
        max_depth: 2,
        max_parts: 7,
        max_text_bytes: 200,
        max_header_bytes: 120,
    };
    message(raw, &ParseLimits::default())?;
    message(raw, &tight)
}

fn message(raw: &[u8], limits: &ParseLimits) -> Result<(), String> {
    let held = parse_message(raw, limits);
    shape(&held)?;
    let first = outline(&held);
    ensure(first == outline(&parse_message(raw, limits)), || {
        "a second parse gives another family".to_owned()
    })?;
    let range = 0..raw.len() as u64;
    let variant = Variant::Mboxcl2;
    let mut large = parse_large(&raw, range.clone(), variant, limits).map_err(|error| error.to_string())?;
    if let Some(first) = large.items.first_mut() {
        first.defects.retain(|defect| defect.code != DefectCode::LargeMessage);
    }
    same_lines(&first, &outline(&large))?;
    // The text of a message with bare CR is read as if they were line ends, its parts too.
    let bare_cr = raw
        .iter()
        .enumerate()
        .any(|(at, byte)| *byte == b'\r' && raw.get(at + 1) != Some(&b'\n'));
    for item in held.items.iter().take(12) {
        let Content::Bytes(bytes) = &item.content else {
            return Err("content of a held message that is not held".to_owned());
        };
        let path = &item.part_path;
        ensure(part_bytes(raw, path, limits).as_deref() == Some(bytes.as_ref()), || {
            format!("part {path:?} is another by its path")
        })?;
        let mut out = Vec::new();
        let found = part_to(&raw, range.clone(), variant, path, limits, &mut out).map_err(|error| error.to_string())?;
        ensure(found && (bare_cr || out == bytes.as_ref()), || {
            format!("part {path:?} is another as a stream")
        })?;
        if let Some(meta) = &item.mail {
            mail_keys(meta, item.text.split_whitespace(), &[content_key(item)]);
        }
    }
    Ok(())
}

fn same_lines(held: &[String], streamed: &[String]) -> Result<(), String> {
    for (one, other) in held.iter().zip(streamed) {
        ensure(one == other, || {
            let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
            let near = |text: &str| {
                let tail: Vec<u8> = text.bytes().skip(at.saturating_sub(60)).take(160).collect();
                String::from_utf8_lossy(&tail).into_owned()
            };
            format!("an item differs as a stream: {} <> {}", near(one), near(other))
        })?;
    }
    ensure(held.len() == streamed.len(), || {
        format!("{} items in memory, {} as a stream", held.len(), streamed.len())
    })
}

fn shape(family: &Family<'_>) -> Result<(), String> {
    ensure(!family.items.is_empty(), || "a family without items".to_owned())?;
    let mut paths = std::collections::HashSet::new();
    for (at, item) in family.items.iter().enumerate() {
        ensure(paths.insert(&item.part_path), || {
            format!("the part path {:?} twice", item.part_path)
        })?;
        let parent = item.parent.map(|parent| parent as usize);
        ensure(parent.is_some() == (at > 0), || {
            format!("item {at} has the parent {parent:?}")
        })?;
        if let Some(parent) = parent {
            ensure(parent < at && family.items[parent].mail.is_some(), || {
                format!("item {at} stands in item {parent}, which is no message before it")
            })?;
            let above = &family.items[parent].part_path;
            let inside = item.part_path.strip_prefix(above.as_str());
            let inside = inside.is_some_and(|rest| above.is_empty() || rest.starts_with('.'));
            ensure(inside, || {
                format!("part {:?} is not inside of {above:?}", item.part_path)
            })?;
        }
    }
    Ok(())
}

/// Everything of a family, contents by their hash.
fn outline(family: &Family<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for item in &family.items {
        let content = match &item.content {
            Content::Bytes(bytes) => (*blake3::hash(bytes).as_bytes(), bytes.len() as u64),
            Content::Streamed { blake3, size, .. } => (blake3.0, *size),
        };
        lines.push(format!(
            "{:?} {:?} {} {:?} {} {:?} {:?} {:?} {:?} {content:?}",
            item.kind,
            item.parent,
            item.part_path,
            item.filename,
            item.media_type,
            item.text,
            item.mail,
            item.searchability,
            item.defects
        ));
    }
    lines
}

pub(super) const HEADERS: Target = Target {
    words: &[
        b"Thu, 1 Jan 1970 00:00:00 +0000",
        b"31 Dec 99999 23:59:60 -2359 (EST)",
        b"1970-01-01T00:00:00.000000000000Z",
        b"Thu Jan  1 00:00:00 UTC 1970",
        b"1/2/03 4:05 PM",
        b"=?utf-8?B?",
        b"=?utf-8*en?Q?a?=",
        b"?=",
        b"\n ",
        b"\r\n\t",
        b": ",
        b"<a@b>",
        b"\"q\\\"\" ",
        b"(c(d))",
        b"; charset*=",
        b"''%E2%82%AC",
        b"name*0*=",
        b"Resent-Date: ",
        b"X-Gmail-Labels: ",
        b"Thread-Index: AQHV",
    ],
    max_bytes: 4096,
    made: samples::headers,
    samples: &[("crates/formats/tests/mail/samples", ".eml")],
    corpora: &[("mime/mime4j", ".msg"), ("mime/cpython-test_email", "")],
    ..Target::new("headers", "the same date, address and name twice", headers)
};

fn headers(raw: &[u8]) -> Result<(), String> {
    for line in raw.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let value = line.split_once(':').map_or(&*line, |(_, value)| value);
        let date = date::parse(value);
        ensure(date == date::parse(value), || {
            "a date is another the second time".to_owned()
        })?;
        if let Some(offset) = date.offset_minutes {
            ensure((-24 * 60..=24 * 60).contains(&offset), || {
                format!("an offset of {offset} minutes")
            })?;
        }
    }
    let mut message = raw.to_vec();
    message.extend_from_slice(b"\n\nbody\n");
    let family = parse_message(&message, &ParseLimits::default());
    shape(&family)?;
    let again = parse_message(&message, &ParseLimits::default());
    ensure(outline(&family) == outline(&again), || {
        "other fields the second time".to_owned()
    })
}
