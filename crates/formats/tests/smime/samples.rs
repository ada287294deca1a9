//! Whole files.

use std::fmt::Write;

use embley_formats::mail::{ParseLimits, parse_message};
use embley_formats::opened::{OpenClass, OpenLimits, class_of};
use embley_formats::probe::{FileKind, probe};
use embley_formats::walk::Place;
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

use crate::{compressed, opened, sample};

const ALICE: &str = "C=GB, O=Example Trading, CN=Alice Ärgerlich, E=alice@force.example";

fn media_type(bytes: &[u8], name: &str) -> (&'static str, bool) {
    match probe(bytes, name.as_bytes(), &Place::Loose, bytes.len() as u64).0 {
        FileKind::Other {
            media_type, encrypted, ..
        } => (media_type, encrypted),
        FileKind::Text => ("text", false),
        FileKind::Message => ("message", false),
        FileKind::Mailbox | FileKind::Empty => ("another", false),
    }
}

#[test]
fn the_probe_tells_open_from_sealed_by_content() {
    let check = |name: &str, expected: &str, encrypted: bool| {
        assert_eq!(media_type(&sample(name), name), (expected, encrypted), "{name}");
        assert_eq!(
            media_type(&sample(name), "unnamed"),
            (expected, encrypted),
            "{name} without its name"
        );
    };
    check("signed.der", "application/pkcs7-mime", false);
    check("signed.ber", "application/pkcs7-mime", false);
    check("signed.pem", "application/pkcs7-mime", false);
    check("signed.b64", "application/pkcs7-mime", false);
    check("digested.der", "application/pkcs7-mime", false);
    check("data.der", "application/pkcs7-mime", false);
    check("detached.p7s", "application/pkcs7-signature", false);
    check("certificates.p7b", "application/x-pkcs7-certificates", false);
    check("enveloped.der", "application/pkcs7-mime", true);
    check("enveloped-many.der", "application/pkcs7-mime", true);
    check("auth-enveloped.der", "application/pkcs7-mime", true);
    check("encrypted-data.der", "application/pkcs7-mime", true);
    check("encrypted.asc", "application/pgp-encrypted", true);
    check("encrypted.gpg", "application/pgp-encrypted", true);
    check("password.gpg", "application/pgp-encrypted", true);
    check("signed.asc", "application/pgp", false);
    check("signed.pgp", "application/pgp", false);
    check("bzip2.pgp", "application/pgp", false);
    check("clear.asc", "text", false);
    check("signed.eml", "message", false);
    assert_eq!(
        media_type(&compressed(b"x"), "x.p7z"),
        ("application/pkcs7-mime", false)
    );
    let pfx = b"\x30\x82\x06\xcf\x02\x01\x03\x30\x82\x06\x85\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x82";
    assert_eq!(media_type(pfx, "keys.p12"), ("application/x-pkcs12", true));
    for container in ["application/pkcs7-mime", "application/pgp"] {
        assert_eq!(class_of(container), Some(OpenClass::Container));
    }
    for document in [
        "application/pkcs7-signature",
        "application/x-pkcs7-certificates",
        "application/pgp-encrypted",
    ] {
        assert_eq!(class_of(document), Some(OpenClass::Document));
    }
}

#[test]
fn a_part_that_does_not_say_what_it_is_is_told_by_its_bytes() {
    let check = |name: &str, signed: bool, encrypted: bool| {
        let mut mail = b"From: a@force.example\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: binary\n\n".to_vec();
        mail.extend_from_slice(&sample(name));
        let family = parse_message(&mail, &ParseLimits::default());
        let meta = family.items[0].mail.as_ref().expect("a message");
        assert_eq!((meta.signed, meta.encrypted), (signed, encrypted), "{name}");
    };
    check("signed.der", true, false);
    check("enveloped.der", false, true);
}

#[test]
fn signed_and_compressed_content_comes_out_as_its_exact_bytes() {
    let entity = sample("entity.txt");
    let check = |bytes: &[u8], what: &str, reader: &str| {
        let (opened, kept) = opened(bytes, &OpenLimits::default());
        assert_eq!(kept.0.len(), 1, "{what}");
        assert!(kept.0[0].1 == entity, "{what}");
        assert_eq!((opened.reader.as_str(), opened.searchability), (reader, None), "{what}");
        let odd: Vec<_> = opened
            .defects
            .iter()
            .filter(|one| one.code != DefectCode::MailSigned)
            .collect();
        assert!(odd.is_empty(), "{what}: {odd:?}");
        (opened.text, kept.0[0].0.clone())
    };
    for name in ["signed.der", "signed.ber", "signed.pem", "signed.b64"] {
        let (text, path) = check(&sample(name), name, "cms/1");
        let serial = "serial 1234567890abcdef";
        let mut lines: Vec<&str> = text.lines().collect();
        let signer = lines.remove(2);
        let expected = format!("Signer: issuer {ALICE}; {serial}; stated time 26");
        assert!(signer.starts_with(&expected) && signer.ends_with('Z'), "{signer}");
        let certificate = format!("Certificate: {ALICE}; address alice@trading.example; issuer {ALICE}; {serial}");
        assert_eq!(
            lines,
            ["Type: signed-data", certificate.as_str(), "Content: data"],
            "{name}"
        );
        assert_eq!(path, "message");
    }
    check(&sample("digested.der"), "digested.der", "cms/1");
    check(&sample("data.der"), "data.der", "cms/1");
    check(&compressed(&entity), "compressed", "cms/1");
    for name in ["signed.pgp", "signed.asc"] {
        let (text, path) = check(&sample(name), name, "openpgp/1");
        assert_eq!(text, "Signed by key: 15B7480805D34C2B\nContent: entity.txt\n");
        assert_eq!(path, "entity.txt");
    }
    check(&sample("bzip2.pgp"), "bzip2.pgp", "openpgp/1");
}

#[test]
fn what_is_encrypted_says_so_and_for_whom() {
    let mut out = String::new();
    for name in [
        "enveloped.der",
        "enveloped-many.der",
        "auth-enveloped.der",
        "encrypted-data.der",
        "encrypted.asc",
        "encrypted.gpg",
        "password.gpg",
    ] {
        let (opened, kept) = opened(&sample(name), &OpenLimits::default());
        assert!(kept.0.is_empty(), "{name}");
        assert_eq!(opened.searchability, Some(Searchability::Encrypted), "{name}");
        assert!(
            opened.defects.iter().any(|one| one.code == DefectCode::MailEncrypted),
            "{name}"
        );
        for defect in &opened.defects {
            writeln!(out, "{name}: {} {}", defect.code.text(), defect.detail).expect("a string");
        }
        for line in opened.text.lines() {
            writeln!(out, "{name}: {line}").expect("a string");
        }
    }
    insta::assert_snapshot!("encrypted", out);
}

#[test]
fn signatures_without_their_content_are_text_about_the_signer() {
    for name in ["detached.p7s", "certificates.p7b"] {
        let (opened, kept) = opened(&sample(name), &OpenLimits::default());
        assert!(kept.0.is_empty(), "{name}");
        assert!(opened.text.contains(ALICE), "{name}");
        assert_ne!(opened.searchability, Some(Searchability::Encrypted), "{name}");
        assert!(
            opened.defects.iter().all(|one| one.code == DefectCode::MailSigned),
            "{name}"
        );
    }
}

#[test]
fn an_unpacked_content_ends_at_the_limit_and_that_is_said() {
    let bomb = compressed(&vec![b'a'; 1 << 20]);
    let limits = OpenLimits {
        max_member_bytes: 1000,
        ..OpenLimits::default()
    };
    let (opened, kept) = opened(&bomb, &limits);
    assert_eq!(kept.0[0].1.len(), 1000);
    assert!(opened.defects.iter().any(|one| one.code == DefectCode::ArchiveLimit));
}

/// The mail reader leaves opaque signed mail to the opening of containers, whatever its header says.
#[test]
fn an_opaque_signed_mail_waits_for_opening_and_is_not_called_encrypted() {
    let mail = sample("signed.eml");
    let unsaid = String::from_utf8(mail.clone())
        .expect("ASCII")
        .replace("smime-type=signed-data; ", "");
    for mail in [mail, unsaid.into_bytes()] {
        let family = parse_message(&mail, &ParseLimits::default());
        let part = family
            .items
            .iter()
            .find(|item| item.media_type.contains("pkcs7"))
            .expect("a part");
        assert_eq!(part.searchability, Searchability::FormatNotSupported);
        let embley_formats::mail::Content::Bytes(content) = &part.content else {
            panic!("memory keeps bytes");
        };
        assert_eq!(media_type(content, "smime.p7m"), ("application/pkcs7-mime", false));
        let (_, kept) = opened(content, &OpenLimits::default());
        assert!(kept.0[0].1 == sample("entity.txt"));
    }
}
