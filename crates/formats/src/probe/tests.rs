//! What is told from a few first bytes.

use super::*;

fn check(head: &[u8], name: &str, expected: FileKind, code: Option<DefectCode>) {
    let (kind, defects) = probe(head, name.as_bytes(), &Place::Loose, head.len() as u64);
    assert_eq!(kind, expected, "{name}");
    assert_eq!(defects.first().map(|defect| defect.code), code, "{name}: {defects:?}");
    assert!(defects.len() <= 1);
}

fn other(media_type: &'static str) -> FileKind {
    FileKind::Other {
        media_type,
        media: media_type.starts_with("image/"),
        encrypted: false,
    }
}

const MAIL: &[u8] = b"From: a@b\nTo: c@d\nSubject: x\n\nbody\n";

#[test]
fn mail_is_told_by_its_first_lines() {
    check(MAIL, "x", FileKind::Message, None);
    check(MAIL, "x.eml", FileKind::Message, None);
    check(
        b"Received: from x\r\n by y\r\nDate: z\r\n\r\n",
        "1",
        FileKind::Message,
        None,
    );
    check(b"Received: from x\r by y\rDate: z\r\r", "mac", FileKind::Message, None);
    let wide: Vec<u8> = "\u{feff}From: a@b\r\nTo: c@d\r\nSubject: x\r\n\r\nbody"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check(&wide, "x.eml", FileKind::Message, None);
    let many = [b"X-Line: x\n".repeat(120), MAIL.to_vec()].concat();
    check(&many, "x", FileKind::Message, None);
    check(b"\xef\xbb\xbfDate: z\nFrom: x\n\n", "x", FileKind::Message, None);
    check(b"From a@b Thu Jan  1 00:00:00 1970\nX", "x", FileKind::Mailbox, None);
    check(
        b"\n\nFrom a@b Thu Jan  1 00:00:00 1970\nX",
        "x",
        FileKind::Mailbox,
        None,
    );
    check(
        b"From 12@xxx\nX-GM-THRID: 1\n",
        "All mail.mbox",
        FileKind::Mailbox,
        None,
    );
    check(b"From 12@xxx\nhello\n", "x", FileKind::Text, None);
    check(b"From the start it was clear\n", "x", FileKind::Text, None);
    check(b"Subject: shopping\nThings: milk\n", "x", FileKind::Text, None);
    check(b"Note: x\nStatus: done\nTo do: y\n", "x.txt", FileKind::Text, None);
    check(
        b"junk\n\nFrom a@b Thu Jan  1 00:00:00 1970\nX: y\n",
        "x.mbox",
        FileKind::Mailbox,
        None,
    );
}

#[test]
fn a_name_that_promises_something_else_is_a_defect() {
    check(
        b"\x89PNG\r\n\x1a\n\0\0",
        "x.mbox",
        other("image/png"),
        Some(DefectCode::BoxNoFromLine),
    );
    check(
        &[0, 159, 146, 150, 0, 7],
        "x.mbox",
        other("application/octet-stream"),
        Some(DefectCode::BoxNoFromLine),
    );
    check(MAIL, "x.mbox", FileKind::Message, Some(DefectCode::BoxNoFromLine));
    check(b"", "x.mbox", FileKind::Empty, Some(DefectCode::BoxEmpty));
    check(b"", "x", FileKind::Empty, None);
    check(
        b"%PDF-1.4\n",
        "x.eml",
        other("application/pdf"),
        Some(DefectCode::TypeMismatch),
    );
    check(b"%PDF-1.4\n", "x.pdf", other("application/pdf"), None);
    check(b"hello", "x.pdf", FileKind::Text, Some(DefectCode::TypeMismatch));
    check(b"\xff\xd8\xff\xe0", "x.JPG", other("image/jpeg"), None);
}

#[test]
fn text_is_told_in_each_encoding_and_binary_is_not_text() {
    let wide: Vec<u8> = "\u{feff}Grüße an alle\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check(&wide, "x", FileKind::Text, None);
    let wide: Vec<u8> = "Hello to all of you"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    check(&wide, "x", FileKind::Text, None);
    for (charset, words) in [
        (encoding_rs::WINDOWS_1251, "Привет"),
        (encoding_rs::ISO_8859_7, "Καλημέρα"),
        (encoding_rs::SHIFT_JIS, "こんにちは"),
        (encoding_rs::WINDOWS_874, "สวัสดี"),
    ] {
        check(&charset.encode(words).0, "x.txt", FileKind::Text, None);
    }
    let log = [
        &b"2004-01-01 12:00:00 one line of a log\r\n".repeat(40)[..],
        b"\0",
        b"and its end\r\n",
    ]
    .concat();
    check(&log, "x", FileKind::Text, None);
    check(&[&b"a line\n"[..], &[0; 7]].concat(), "x.log", FileKind::Text, None);
    for unit in [u32::to_le_bytes, u32::to_be_bytes] {
        let wide: Vec<u8> = "Grüße und Привет".chars().flat_map(|c| unit(u32::from(c))).collect();
        check(&wide, "x", FileKind::Text, None);
    }
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide: Vec<u8> = "Добрый день, как дела?".encode_utf16().flat_map(unit).collect();
        check(&wide, "x", FileKind::Text, None);
    }
    check("Grüße an alle".as_bytes(), "x", FileKind::Text, None);
    check(b"Gr\xfc\xdfe an alle, die das lesen", "x", FileKind::Text, None);
    check(b"<html><body>x</body></html>", "x.html", FileKind::Text, None);
    check(
        b"\x82\xb1\x82\xea\x82\xcd sjis \x82\xc5\x82\xb7 \r\n and ascii",
        "x.txt",
        FileKind::Text,
        None,
    );
    check(b"BM is how this text begins, and it goes on", "x", FileKind::Text, None);
    check(b"MZ is how this text begins, and it goes on", "x", FileKind::Text, None);
    for start in [
        "CWS",
        "FWS",
        "OTTO",
        "AC1024/20",
        "BZh",
        "ID3",
        "regf",
        "8BPS",
        "MZ D\u{fc}sseldorf",
        "Look mdat",
        "LZIP",
        "the ftyp",
        "%!PS",
        "Was-lh",
        "070701",
        "!BDN",
        "RIFF of eight WAVE",
        "GIF89a",
        "fLaC",
        "OggS",
    ] {
        let text = format!("{start} is how this text begins\nand it goes on\n");
        check(text.as_bytes(), "x", FileKind::Text, None);
    }
    check(b"%!PS-Adobe-3.0\n", "x", other("application/postscript"), None);
    check(
        &[1, 2, 3, 4, 250, 251, 6, 7],
        "x",
        other("application/octet-stream"),
        None,
    );
    let cut = &"ä".repeat(40_000).into_bytes()[..65535];
    assert_eq!(probe(cut, b"x", &Place::Loose, 80_000).0, FileKind::Text);
}

#[test]
fn encryption_is_seen_where_the_first_bytes_show_it() {
    let sealed = |head: &[u8], name: &str| match probe(head, name.as_bytes(), &Place::Loose, head.len() as u64).0 {
        FileKind::Other { encrypted, .. } => encrypted,
        kind => panic!("{kind:?}"),
    };
    assert!(sealed(b"PK\x03\x04\x14\0\x01\0\0\0\0\0", "x.zip"));
    assert!(!sealed(b"PK\x03\x04\x14\0\0\0\0\0\0\0", "x.zip"));
    assert!(sealed(b"-----BEGIN PGP MESSAGE-----\n", "x.asc"));
    assert!(sealed(
        b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
        "smime.p7m"
    ));
    assert!(!sealed(
        b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0",
        "smime.p7s"
    ));
    let mut ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    ole.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert!(sealed(&ole, "x.docx"));
}

#[test]
fn in_a_maildir_text_is_a_message_and_a_picture_is_not() {
    let place = Place::Maildir {
        folder: "INBOX".into(),
        flags: String::new(),
        is_new: false,
    };
    assert_eq!(probe(b"no header at all\n", b"1:2,S", &place, 17).0, FileKind::Message);
    let (kind, defects) = probe(b"GIF89a\0\0", b"1:2,S", &place, 8);
    assert_eq!(kind, other("image/gif"));
    assert_eq!(defects[0].code, DefectCode::TypeMismatch);
    let head = b"From a@b Thu Jan  1 00:00:00 1970\nX";
    assert_eq!(probe(head, b"1:2,S", &place, head.len() as u64).0, FileKind::Mailbox);
}

#[test]
fn containers_without_a_mark_at_their_beginning_are_told() {
    check(b"\xed\xab\xee\xdb\x03\0", "x.rpm", other("application/x-rpm"), None);
    check(b"xar!\0\x1c\0\x01", "x.xar", other("application/x-xar"), None);
    check(b"070702000000", "x", other("application/x-cpio"), None);
    check(
        b"PK00PK\x03\x04\x14\0\0\0\x08\0",
        "x.zip",
        other("application/zip"),
        None,
    );
    check(
        b"Before the archive PK\x03\x04\x14\0\0\0",
        "x.zip",
        other("application/zip"),
        None,
    );
    let lzma = b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x3a";
    check(lzma, "x", other("application/x-lzma"), None);
    let mut header = [0_u8; 512];
    header[..5].copy_from_slice(b"a.txt");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    check(&header, "x", other("application/x-tar"), None);
    header[0] = b'b';
    let (kind, _) = probe(&header, b"x", &Place::Loose, 512);
    assert_ne!(kind, other("application/x-tar"), "a wrong checksum is no tar");
}
