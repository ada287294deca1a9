//! Mail and documents that were attached as something else.

use embley_tests::{Site, files, packed};

use crate::evidence::check_deep;

/// A message with a body in base64, which holds `body`, and a document that holds `document`.
fn inner(body: &str, document: &str) -> Vec<u8> {
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let text = ("note.txt", "text/plain", body.as_bytes());
    packed::mail(
        body,
        "see the files",
        &[text, ("d.docx", docx, &packed::docx(document))],
    )
}

fn mailbox(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend_from_slice(b"From a@b.example Thu Jan  1 00:00:00 2004\r\n");
        bytes.extend_from_slice(message);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// A case of one mail with this file attached.
fn case_of(name: &str, media_type: &str, content: &[u8]) -> Site {
    let site = Site::new();
    let folder = site.path("made");
    files::write(
        &folder.join("a.eml"),
        packed::mail("outer", "one file", &[(name, media_type, content)]),
    );
    site.ingest(&[&folder]).expect(0);
    check_deep(&site);
    site
}

#[test]
fn mail_attached_as_a_file_is_opened_whatever_was_declared() {
    let message = inner("xqone", "xqtwo");
    for (name, media_type) in [
        ("a.bin", "application/octet-stream"),
        ("a.dat", "text/plain"),
        ("a.eml", "text/plain"),
    ] {
        let site = case_of(name, media_type, &message);
        for word in ["xqone", "xqtwo"] {
            let hits = site.hits(word);
            assert!(!hits.is_empty(), "{name} {media_type}: {word}");
            let below = format!("path:\"a.eml/1 {name}/message\" AND {word}");
            assert!(site.count(&below) > 0, "{name} {media_type}: {word}");
        }
        assert_eq!(site.count("has:not-searchable"), 0, "{name} {media_type}");
        assert_eq!(site.count("defect:TYPE-NOT-DECODED"), 0, "{name} {media_type}");
    }
    let two = mailbox(&[message, inner("xqthree", "xqfour")]);
    for (name, media_type) in [("box", "application/octet-stream"), ("box.mbox", "text/plain")] {
        let site = case_of(name, media_type, &two);
        for word in ["xqone", "xqtwo", "xqthree", "xqfour"] {
            assert!(site.count(word) > 0, "{name} {media_type}: {word}");
        }
        assert_eq!(site.count("type:email"), 3, "{name} {media_type}");
    }
}

#[test]
fn mail_attached_as_a_file_to_mail_attached_as_a_file_is_opened_and_comes_out_again() {
    let mut message = inner("xqone", "xqtwo");
    for above in ["b", "c", "d"] {
        message = packed::mail(above, "one file", &[("a.bin", "application/octet-stream", &message)]);
    }
    let site = case_of("a.bin", "application/octet-stream", &message);
    for word in ["xqone", "xqtwo"] {
        let hits = site.hits(word);
        assert_eq!(hits.len(), 1, "{word}");
        let item = hits[0]["item_no"].as_u64().expect("a number").to_string();
        assert!(!site.ok(&["show", &item, "--raw"]).stdout.is_empty());
        assert!(site.ok(&["show", &item, "--text"]).text().contains(word), "{word}");
    }
}

#[test]
fn mail_attached_to_a_message_of_properties_is_opened() {
    let site = Site::new();
    let folder = site.path("made");
    let message = inner("xqone", "xqtwo");
    files::write(
        &folder.join("winmail.dat"),
        packed::tnef("s", "text", "old.eml", &message),
    );
    let signed = [&b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"[..], b"eHF0aHJlZQ==\r\n--b--\r\n"].concat();
    files::write(&folder.join("two.dat"), packed::tnef("s", "text", "smime.p7m", &signed));
    site.ingest(&[&folder]).expect(0);
    for word in ["xqone", "xqtwo", "xqthree"] {
        assert!(site.count(word) > 0, "{word}");
    }
    assert_eq!(site.count("defect:TYPE-NOT-DECODED"), 0);
    check_deep(&site);
}

#[test]
fn a_patch_sent_as_text_stays_one_text_and_unopened_mail_says_so() {
    let patch = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: a@b.example\nDate: Thu, 1 Jan 2004 00:00:00 +0000\nSubject: [PATCH] xqpatch\n\n---\n";
    let site = case_of("0001-a.patch", "text/x-patch", patch);
    let hits = site.hits("xqpatch");
    assert_eq!(hits.len(), 1, "{hits:#?}");
    assert_eq!(
        (&hits[0]["kind"], &hits[0]["searchability"]),
        (&"attachment".into(), &"searched".into())
    );
    assert_eq!(site.count("type:email"), 1);
    let site = Site::new();
    let folder = site.path("made");
    let message = inner("xqone", "xqtwo");
    let mail = packed::mail("outer", "one file", &[("a.bin", "application/octet-stream", &message)]);
    files::write(&folder.join("a.eml"), mail);
    site.ingest(&[folder.as_os_str(), "--no-open".as_ref()]).expect(0);
    assert_eq!(site.count("defect:TYPE-NOT-DECODED AND has:partly-decoding"), 1);
}

#[test]
fn the_same_message_attached_and_loose_is_one_item_and_what_it_hides_is_still_opened() {
    let site = Site::new();
    let folder = site.path("made");
    let sealed = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\nxqsealed\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhF4D\r\n-----END PGP MESSAGE-----\r\n";
    let mail = packed::mail("outer", "one file", &[("a.bin", "application/octet-stream", sealed)]);
    files::write(&folder.join("a.eml"), mail);
    files::write(&folder.join("b.eml"), sealed);
    site.ingest(&[&folder]).expect(0);
    let hits = site.hits("xqsealed AND type:email");
    assert_eq!(hits.len(), 1, "{hits:#?}");
    assert_eq!(
        (&hits[0]["instances"], &hits[0]["searchability"]),
        (&2.into(), &"encrypted".into())
    );
    let before = site.dump_of_evidence();
    site.ingest(&[&folder]).expect(0);
    embley_tests::site::same_text("the case", &before, &site.dump_of_evidence());
    check_deep(&site);
}

#[test]
fn documents_declared_as_text_are_opened_by_what_they_are() {
    let rich = b"{\\rtf1\\ansi xqri\\b ch\\b0}";
    for (name, media_type, content) in [
        ("a.rtf", "text/rtf", &rich[..]),
        ("a.rtf", "text/richtext", rich),
        ("a", "text/plain", rich),
        ("a.pdf", "text/plain", &packed::pdf("xqrich")),
    ] {
        let site = case_of(name, media_type, content);
        let hits = site.hits("xqrich");
        assert_eq!(hits.len(), 1, "{name} {media_type}");
        assert_eq!(
            (&hits[0]["kind"], &hits[0]["searchability"]),
            (&"attachment".into(), &"searched".into())
        );
        assert_eq!(site.count("ansi"), 0, "{name} {media_type}");
    }
    let sealed = b"-----BEGIN PGP MESSAGE-----\r\n\r\nhF4D\r\n-----END PGP MESSAGE-----\r\n";
    let site = case_of("a.asc", "text/plain", sealed);
    assert_eq!(site.count("type:attachment AND has:not-searchable"), 1);
}
