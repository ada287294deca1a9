use super::*;
use crate::property::{NamedProperty, PropertyKind, PropertySet, Tag};

fn text(properties: &mut Properties, id: u16, value: &str) {
    properties.insert(Tag::new(id, PropertyKind::Unicode), Value::Unicode(value.to_owned()));
}

fn number(properties: &mut Properties, id: u16, value: i32) {
    properties.insert(Tag::new(id, PropertyKind::Integer32), Value::Integer32(value));
}

fn named(properties: &mut Properties, id: u16, set: PropertySet, number: u32, kind: PropertyKind, value: Value) {
    properties.insert(Tag::new(id, kind), value);
    properties.name(
        id,
        NamedProperty {
            set,
            name: PropertyName::Number(number),
        },
    );
}

#[test]
fn the_mark_before_a_subject_is_taken_off() {
    let mut message = Message::default();
    text(&mut message.properties, tags::SUBJECT, "\u{1}\u{5}RE: lunch");
    assert_eq!(View::of(&message, None).subject, "RE: lunch");
    assert_eq!(without_prefix_mark("\u{1}"), "");
    assert_eq!(without_prefix_mark("plain"), "plain");
}

#[test]
fn addresses_are_smtp_only_where_the_message_says_so() {
    let mut message = Message::default();
    let mut x500 = Properties::default();
    text(&mut x500, tags::DISPLAY_NAME, "'Ann'");
    text(&mut x500, tags::ADDRESS_TYPE, "EX");
    text(&mut x500, tags::EMAIL_ADDRESS, "/O=ORG/CN=ANN@x");
    number(&mut x500, tags::RECIPIENT_TYPE, 2);
    let mut both = x500.clone();
    text(&mut both, tags::SMTP_ADDRESS, "ann@example.org");
    let mut untyped = Properties::default();
    text(&mut untyped, tags::EMAIL_ADDRESS, "bob@example.org");
    message.recipients = vec![x500, both, untyped];
    let view = View::of(&message, None);
    let smtp: Vec<_> = view.recipients.iter().map(|one| one.person.smtp.as_str()).collect();
    assert_eq!(smtp, ["", "ann@example.org", "bob@example.org"]);
    assert_eq!(view.recipients[0].person.name, "Ann");
    assert_eq!(view.recipients[0].person.to_address().addr, "/O=ORG/CN=ANN@x");
    assert_eq!(view.recipients[0].role, RecipientRole::Cc);
    assert_eq!(view.recipients[2].role, RecipientRole::Unknown);
}

#[test]
fn times_out_of_range_are_reported_and_no_date_is_none() {
    let mut message = Message::default();
    message.properties.insert(
        Tag::new(tags::CLIENT_SUBMIT_TIME, PropertyKind::Time),
        Value::Time(i64::MAX),
    );
    message
        .properties
        .insert(Tag::new(tags::DELIVERY_TIME, PropertyKind::Time), Value::Time(NO_DATE));
    message.properties.insert(
        Tag::new(tags::CREATION_TIME, PropertyKind::Time),
        Value::Time(116_444_736_010_000_000),
    );
    let view = View::of(&message, None);
    assert_eq!((view.submitted, view.delivered, view.created), (None, None, Some(1)));
    assert_eq!(view.defects.len(), 1);
    assert_eq!(view.date(), Some(1));
}

#[test]
fn bodies_in_order_of_preference() {
    let mut message = Message::default();
    let rtf = br"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\'e9}";
    let mut packed = ((rtf.len() + 12) as u32).to_le_bytes().to_vec();
    packed.extend((rtf.len() as u32).to_le_bytes());
    packed.extend(b"MELA\0\0\0\0");
    packed.extend(rtf);
    message.properties.insert(
        Tag::new(tags::RTF_COMPRESSED, PropertyKind::Binary),
        Value::Binary(packed),
    );
    let view = View::of(&message, None);
    assert_eq!(view.bodies.source, BodySource::HtmlInRtf);
    assert_eq!(view.bodies.best_html(), Some("<p>é"));
    number(&mut message.properties, tags::INTERNET_CODEPAGE, 1251);
    message.properties.insert(
        Tag::new(tags::HTML, PropertyKind::Binary),
        Value::Binary(b"<p>\xcf\xf0\xe8\0".to_vec()),
    );
    let view = View::of(&message, None);
    assert_eq!(view.bodies.source, BodySource::Html);
    assert_eq!(view.bodies.best_html(), Some("<p>При"));
    text(&mut message.properties, tags::BODY, "plain");
    let view = View::of(&message, None);
    assert_eq!(view.bodies.source, BodySource::Plain);
    assert_eq!(view.bodies.best_text(), Some("plain"));
    assert_eq!(view.defects, Vec::new());
}

#[test]
fn classes() {
    for (class, kind) in [
        ("IPM.Note", ItemKind::Mail),
        ("ipm.note.smime", ItemKind::Mail),
        ("IPM.Appointment", ItemKind::Appointment),
        ("IPM.Schedule.Meeting.Resp.Pos", ItemKind::MeetingResponse),
        ("IPM.TaskRequest.Accept", ItemKind::TaskRequest),
        ("IPM.Task", ItemKind::Task),
        ("REPORT.IPM.Note.NDR", ItemKind::Report),
        ("IPM.Contacts", ItemKind::Mail),
        (
            "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}",
            ItemKind::Appointment,
        ),
        ("Settings", ItemKind::Other),
        ("", ItemKind::Mail),
    ] {
        assert_eq!(ItemKind::of_class(class), kind, "{class}");
    }
}

#[test]
fn fields_of_an_appointment_a_task_and_a_list() {
    let mut message = Message::default();
    text(&mut message.properties, tags::MESSAGE_CLASS, "IPM.Appointment");
    let start = Value::Time(116_444_736_000_000_000);
    named(
        &mut message.properties,
        0x8001,
        tags::SET_APPOINTMENT,
        0x820D,
        PropertyKind::Time,
        start,
    );
    let place = Value::Unicode("Room 1".to_owned());
    named(
        &mut message.properties,
        0x8002,
        tags::SET_APPOINTMENT,
        0x8208,
        PropertyKind::Unicode,
        place,
    );
    let found: Vec<_> = View::of(&message, None)
        .fields
        .into_iter()
        .map(|field| (field.label, field.value))
        .collect();
    assert_eq!(
        found,
        [
            ("start", "1970-01-01T00:00:00Z".to_owned()),
            ("location", "Room 1".to_owned())
        ]
    );

    let mut message = Message::default();
    text(&mut message.properties, tags::MESSAGE_CLASS, "IPM.Task");
    named(
        &mut message.properties,
        0x8001,
        tags::SET_TASK,
        0x8101,
        PropertyKind::Integer32,
        Value::Integer32(1),
    );
    named(
        &mut message.properties,
        0x8002,
        tags::SET_TASK,
        0x8102,
        PropertyKind::Float64,
        Value::Float64(0.25),
    );
    let found: Vec<_> = View::of(&message, None)
        .fields
        .into_iter()
        .map(|field| field.value)
        .collect();
    assert_eq!(found, ["in progress", "25"]);

    let mut entry = vec![
        0, 0, 0, 0, 0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02, 0,
        0, 0, 0,
    ];
    entry.extend(b"Ann\0SMTP\0ann@example.org\0");
    let mut message = Message::default();
    text(&mut message.properties, tags::MESSAGE_CLASS, "IPM.DistList");
    let members = Value::Multiple(vec![Value::Binary(entry), Value::Binary(vec![1])]);
    message.properties.insert(Tag(0x8003_1102), members);
    message.properties.name(
        0x8003,
        NamedProperty {
            set: tags::SET_ADDRESS,
            name: PropertyName::Number(0x8054),
        },
    );
    let found: Vec<_> = View::of(&message, None)
        .fields
        .into_iter()
        .map(|field| field.value)
        .collect();
    assert_eq!(found, ["Ann <ann@example.org> SMTP"]);
}

#[test]
fn secured_messages_name_the_attachment_that_holds_them() {
    let mut message = Message::default();
    text(&mut message.properties, tags::MESSAGE_CLASS, "IPM.Note.SMIME");
    let mut cms = vec![
        0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x03,
    ];
    cms.extend([0; 9]);
    message.attachments.push(Attachment {
        content: Content::Bytes(cms),
        ..Attachment::default()
    });
    let view = View::of(&message, None);
    assert_eq!((view.secured, view.wrapped_in), (Some(Secured::Encrypted), Some(0)));
    assert_eq!(view.defects[0].code, DefectCode::MailEncrypted);
}
