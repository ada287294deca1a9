//! Streamed and held parsing agree, on purpose-made and on generated messages.

use proptest::prelude::*;

use super::*;
use crate::mail::sink::hashed;
use crate::mail::{parse_message, part_bytes};

/// What must agree: everything but whether content bytes are at hand.
fn outline(family: &Family<'_>) -> Vec<String> {
    family
        .items
        .iter()
        .map(|item| {
            let content = match &item.content {
                Content::Bytes(bytes) => hashed(bytes),
                streamed => streamed.clone().into_owned(),
            };
            format!(
                "{:?} {:?} {} {:?} {} {content:?} {:?} {:?} {:?} {:?}",
                item.kind,
                item.parent,
                item.part_path,
                item.filename,
                item.media_type,
                item.text,
                item.mail,
                item.searchability,
                item.defects
            )
        })
        .collect()
}

fn check(message: &[u8], limits: &ParseLimits, held_bytes: u64) {
    let held = parse_message(message, limits);
    let mut file = b"junk before\n".to_vec();
    let start = file.len() as u64;
    file.extend_from_slice(message);
    let end = file.len() as u64;
    file.extend_from_slice(b"\nFrom next\n");
    let source: &[u8] = &file;
    let streamed = parse_held(&source, start..end, Variant::Mboxcl2, limits, held_bytes).expect("memory");
    assert_eq!(
        outline(&streamed),
        outline(&held),
        "{}",
        String::from_utf8_lossy(message)
    );
    for item in &held.items {
        let Content::Bytes(bytes) = &item.content else {
            panic!("held content");
        };
        let mut out = Vec::new();
        let found = part_to(&source, start..end, Variant::Mboxcl2, &item.part_path, limits, &mut out).expect("memory");
        assert!(found, "{}", item.part_path);
        let root = item.part_path.is_empty();
        if !has_bare_cr(message) || root {
            assert_eq!(out, bytes.as_ref(), "{}", item.part_path);
        }
        assert_eq!(
            part_bytes(message, &item.part_path, limits).as_deref(),
            Some(bytes.as_ref())
        );
    }
}

const SAMPLE: &str = "Subject: outer\nFrom: a@b\nContent-Type: multipart/mixed; boundary=o\n\npreamble words\n--o\n\n\
    body\nbegin 644 u.bin\n#0V%T\n`\nend\ntail\n--o\nContent-Type: message/rfc822\n\nSubject: in\n\
    Content-Type: multipart/alternative; boundary=i\n\n--i\n\nplain\n--i\nContent-Type: text/html\n\n<p>plain and more</p>\n--i--\n\
    --o\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n\
    U3ViamVjdDogZW5jb2RlZApDb250ZW50LVR5cGU6IG11bHRpcGFydC9taXhlZDsgYm91bmRhcnk9\nZQoKLS1lCgppbnNpZGUKLS1lCkNvbnRlbnQtVHlwZTogeC95CgpkZWVwCi0tZS0tCg==\n\
    --o\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\nAAEC\nlist footer\n--o--\nepilogue words\n";

#[test]
fn a_message_of_every_kind_of_part_agrees() {
    for held_bytes in [0, 1 << 20] {
        for text in [
            SAMPLE.to_owned(),
            SAMPLE.replace('\n', "\r\n"),
            SAMPLE.replace('\n', "\r"),
        ] {
            check(text.as_bytes(), &ParseLimits::default(), held_bytes);
        }
    }
    let family = parse_message(SAMPLE.as_bytes(), &ParseLimits::default());
    let paths: Vec<_> = family.items.iter().map(|item| item.part_path.as_str()).collect();
    assert_eq!(paths, ["", "1", "2", "3", "3.1", "4"]);
}

#[test]
fn limits_agree() {
    let tight = ParseLimits {
        max_depth: 2,
        max_parts: 7,
        max_text_bytes: 60,
        max_header_bytes: 30,
    };
    check(SAMPLE.as_bytes(), &tight, 0);
    for max_text_bytes in 0..80 {
        check(
            SAMPLE.as_bytes(),
            &ParseLimits {
                max_text_bytes,
                ..ParseLimits::default()
            },
            0,
        );
    }
    for max_parts in 0..12 {
        check(
            SAMPLE.as_bytes(),
            &ParseLimits {
                max_parts,
                ..ParseLimits::default()
            },
            0,
        );
    }
}

#[test]
fn a_quoted_mailbox_slice_is_unquoted() {
    let message = "Subject: x\n\nbody\nFrom here\n>From there\n";
    let found = "Subject: x\n\nbody\n>From here\n>>From there\n";
    let source = found.as_bytes();
    let streamed = parse_held(
        &source,
        0..found.len() as u64,
        Variant::Mboxrd,
        &ParseLimits::default(),
        0,
    )
    .expect("memory");
    assert_eq!(
        outline(&streamed),
        outline(&parse_message(message.as_bytes(), &ParseLimits::default()))
    );
}

#[test]
fn messages_wider_than_windows_agree() {
    let mut message = String::from("Subject: big\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\n");
    for line in 0..60_000 {
        message.push_str(&format!("line {line} of the body -- with dashes\n--- and more\n"));
    }
    message.push_str("--bb\nContent-Type: image/x\nContent-Transfer-Encoding: base64\n\n");
    for _ in 0..40_000 {
        message.push_str("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n");
    }
    message.push_str("--bb\nContent-Type: text/plain; name=n\n\n");
    message.push_str(&"-".repeat(3_000_000));
    message.push_str("\n--bb--\n");
    check(message.as_bytes(), &ParseLimits::default(), 0);
}

/// Messages made of the lines that matter to structure.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "\n",
        "\n",
        "\n",
        "--a\n",
        "--a\n",
        "--b\n",
        "--b\n",
        "--a--\n",
        "--b--\n",
        "--a",
        "-- \n",
        "text here\n",
        "text\r\n",
        "Content-Type: multipart/mixed; boundary=a\n",
        "Content-Type: multipart/alternative; boundary=b\n",
        "Content-Type: multipart/digest; boundary=b\n",
        "Content-Type: message/rfc822\n",
        "Content-Type: text/html\n",
        "Content-Type: image/png\n",
        "Content-Type: multipart/encrypted; boundary=a\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: quoted-printable\n",
        "Content-Disposition: attachment; filename=x.txt\n",
        "Subject: s\n",
        "U3ViamVjdDogeAoKYm9keQo=\n",
        "=41=42=\n",
        "begin 644 f\n",
        "#0V%T\n",
        "end\n",
        "<p>x<b>y\n",
        "gr\u{fc}n\n",
        " folded\n",
        "\r",
        "--",
        "Content-Type: text/plain; charset=utf-16\n",
    ]);
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn streamed_and_held_parsing_agree(message in messages(), held in any::<bool>(), tight in any::<bool>()) {
        let limits = if tight {
            ParseLimits { max_depth: 3, max_parts: 6, max_text_bytes: 40, max_header_bytes: 60 }
        } else {
            ParseLimits::default()
        };
        check(&message, &limits, if held { 1 << 20 } else { 0 });
    }

    #[test]
    fn any_bytes_are_parsed_and_agree(message in prop::collection::vec(any::<u8>(), 0..2000)) {
        check(&message, &ParseLimits::default(), 0);
    }
}
