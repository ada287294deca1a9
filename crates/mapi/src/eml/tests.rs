use super::*;
use crate::property::{Properties, PropertyKind, Tag, Value};
use crate::tags;

fn text_property(properties: &mut Properties, id: u16, value: &str) {
    properties.insert(Tag::new(id, PropertyKind::Unicode), Value::Unicode(value.to_owned()));
}

fn sample() -> Message {
    let mut message = Message::default();
    text_property(
        &mut message.properties,
        tags::SUBJECT,
        "Grüße aus Wien, wo es heute sehr viel geregnet hat und kalt ist",
    );
    text_property(&mut message.properties, tags::BODY, "a=b\r\nend \r\nЖ");
    text_property(&mut message.properties, tags::SENDER_NAME, "Ann \"A\" B");
    text_property(&mut message.properties, tags::SENDER_ADDRESS, "ann@example.org");
    let sent = Value::Time((1_709_209_800 + 11_644_473_600) * 10_000_000);
    message
        .properties
        .insert(Tag::new(tags::CLIENT_SUBMIT_TIME, PropertyKind::Time), sent);
    let mut recipient = Properties::default();
    text_property(&mut recipient, tags::DISPLAY_NAME, "Bob");
    text_property(&mut recipient, tags::EMAIL_ADDRESS, "bob@example.org");
    message.recipients.push(recipient);
    message
}

fn shown(message: &Message) -> String {
    String::from_utf8(render(message)).expect("text")
}

#[test]
fn a_message_with_a_plain_body() {
    let expected = "X-Embley-Rendered: from properties, version 1; not the bytes that were sent\r\n\
        From: \"Ann \\\"A\\\" B\" <ann@example.org>\r\n\
        To: \"Bob\" <bob@example.org>\r\n\
        Subject: =?utf-8?B?R3LDvMOfZSBhdXMgV2llbiwgd28gZXMgaGV1dGUgc2VociB2aWVsIGdl?=\r\n =?utf-8?B?cmVnbmV0IGhhdCB1bmQga2FsdCBpc3Q=?=\r\n\
        Date: Thu, 29 Feb 2024 12:30:00 +0000\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        a=3Db\r\nend=20\r\n=D0=96\r\n";
    assert_eq!(shown(&sample()), expected);
}

#[test]
fn transported_headers_are_kept_without_those_of_the_structure() {
    let mut message = sample();
    let headers = "Microsoft Mail Internet Headers Version 2.0\r\nReceived: by x\r\n\tfor y\r\nContent-Type: multipart/mixed;\r\n\tboundary=b\r\n\
                   Subject: as sent\r\n\r\n--b\r\nContent-Type: text/plain\r\n";
    text_property(&mut message.properties, tags::TRANSPORT_HEADERS, headers);
    let out = shown(&message);
    assert!(
        out.contains("\r\nReceived: by x\r\n\tfor y\r\nSubject: as sent\r\nMIME-Version: 1.0\r\n"),
        "{out}"
    );
    assert!(!out.contains("boundary=b"), "{out}");
}

#[test]
fn attachments_and_messages_inside_become_parts() {
    let mut message = sample();
    let mut file = Attachment {
        content: Content::Bytes(vec![0, 1, 2]),
        ..Attachment::default()
    };
    text_property(&mut file.properties, tags::ATTACH_LONG_FILENAME, "ж.bin");
    let inner = Attachment {
        content: Content::Message(Box::new(sample())),
        ..Attachment::default()
    };
    message.attachments = vec![file, inner, Attachment::default()];
    let out = shown(&message);
    assert!(out.contains("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename*=utf-8''%D0%B6.bin\r\n\r\nAAEC\r\n--=_embley_mixed_"), "{out}");
    assert_eq!(out.matches("Content-Type: message/rfc822").count(), 1);
    assert_eq!(out.matches(MARK).count(), 2);
    assert_eq!(render(&message), render(&message));
}

#[test]
fn line_ends_in_properties_make_no_headers() {
    let mut message = sample();
    let tag = Tag::new(tags::SUBJECT, PropertyKind::Unicode);
    message.properties.remove(tag);
    text_property(&mut message.properties, tags::SUBJECT, "x\r\nBcc: evil@example.org");
    assert!(shown(&message).contains("Subject: x  Bcc: evil@example.org\r\n"));
}

#[test]
fn a_signed_message_is_its_own_entity() {
    let mut message = sample();
    text_property(
        &mut message.properties,
        tags::MESSAGE_CLASS,
        "IPM.Note.SMIME.MultipartSigned",
    );
    let entity = b"Content-Type: multipart/signed; boundary=q\r\n\r\n--q\r\n\r\nx\r\n--q--\r\n".to_vec();
    message.attachments.push(Attachment {
        content: Content::Bytes(entity),
        ..Attachment::default()
    });
    let out = shown(&message);
    assert!(
        out.ends_with(
            "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=q\r\n\r\n--q\r\n\r\nx\r\n--q--\r\n"
        ),
        "{out}"
    );
}

#[test]
fn long_lines_are_broken() {
    let out = quoted_printable(&"é".repeat(100));
    assert!(out.lines().all(|line| line.len() <= 76));
    assert_eq!(out.replace("=\r\n", "").matches("=C3=A9").count(), 100);
    assert_eq!(base64(&[0; 58]).lines().map(str::len).collect::<Vec<_>>(), [76, 4]);
}
