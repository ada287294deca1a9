use proptest::prelude::*;

use super::*;
use crate::property::{PropertyKind, PropertyName, PropertySet};
use crate::tags;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i16>().prop_map(Value::Integer16),
        any::<i32>().prop_map(Value::Integer32),
        (-1e9_f32..1e9).prop_map(Value::Float32),
        (-1e9_f64..1e9).prop_map(Value::Float64),
        any::<i64>().prop_map(Value::Currency),
        (-1e9_f64..1e9).prop_map(Value::FloatingTime),
        any::<u32>().prop_map(Value::ErrorCode),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer64),
        any::<Vec<u8>>().prop_map(Value::String8),
        any::<String>().prop_map(Value::Unicode),
        any::<i64>().prop_map(Value::Time),
        any::<[u8; 16]>().prop_map(Value::Guid),
        any::<Vec<u8>>().prop_map(Value::Binary),
        any::<Vec<u8>>().prop_map(Value::Unknown),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![4 => scalar(), 1 => prop::collection::vec(scalar(), 0..4).prop_map(Value::Multiple)]
}

fn bag() -> impl Strategy<Value = Properties> {
    let name = prop_oneof![
        any::<u32>().prop_map(PropertyName::Number),
        "[a-zA-Z]{1,8}".prop_map(PropertyName::Text)
    ];
    prop::collection::vec((any::<u32>(), value(), any::<[u8; 16]>(), name), 0..8).prop_map(|entries| {
        let mut properties = Properties::default();
        for (tag, value, set, name) in entries {
            let tag = Tag(tag);
            properties.insert(tag, value);
            if tag.is_named() {
                properties.name(
                    tag.id(),
                    NamedProperty {
                        set: PropertySet(set),
                        name,
                    },
                );
            }
        }
        properties
    })
}

fn message() -> impl Strategy<Value = Message> {
    let leaf = (bag(), prop::collection::vec(bag(), 0..3)).prop_map(|(properties, recipients)| Message {
        properties,
        recipients,
        ..Message::default()
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        let content = prop_oneof![
            Just(Content::None),
            any::<Vec<u8>>().prop_map(Content::Bytes),
            any::<Vec<u8>>().prop_map(Content::Ole),
            any::<u64>().prop_map(Content::TooLong),
            inner.prop_map(|message| Content::Message(Box::new(message))),
        ];
        let attachment = (bag(), content).prop_map(|(properties, content)| Attachment {
            properties,
            content,
            ..Attachment::default()
        });
        (bag(), prop::collection::vec(attachment, 0..3)).prop_map(|(properties, attachments)| Message {
            properties,
            attachments,
            ..Message::default()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(message in message()) {
        for form in [Form::Full, Form::Identity] {
            let item = item(&message, form);
            let bytes = write(&item, form);
            prop_assert_eq!(read(&bytes), Ok((item, form)));
        }
    }

    #[test]
    fn cut_or_longer_bytes_are_refused(message in message(), cut in any::<prop::sample::Index>()) {
        let mut whole = bytes(&message, Form::Full);
        prop_assert!(read(&whole[..cut.index(whole.len())]).is_err());
        whole.push(0);
        prop_assert!(read(&whole).is_err());
    }

    #[test]
    fn any_bytes_end(rest in any::<Vec<u8>>()) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, 0]);
        bytes.extend(rest);
        let _ = read(&bytes);
    }
}

fn named(id: u16) -> Message {
    let mut message = Message::default();
    message
        .properties
        .insert(Tag::new(id, PropertyKind::Integer32), Value::Integer32(7));
    let name = NamedProperty {
        set: tags::SET_TASK,
        name: PropertyName::Number(0x8101),
    };
    message.properties.name(id, name);
    message
}

#[test]
fn identifiers_that_a_store_gave_to_names_do_not_matter() {
    assert_eq!(bytes(&named(0x8001), Form::Full), bytes(&named(0x9ABC), Form::Full));
}

#[test]
fn keys_of_a_store_are_no_part_of_the_identity_but_kept_in_full() {
    let mut message = named(0x8001);
    message
        .properties
        .insert(Tag(0x0FFF_0102), Value::Binary(vec![1, 2, 3]));
    assert_eq!(bytes(&message, Form::Identity), bytes(&named(0x8001), Form::Identity));
    assert_ne!(bytes(&message, Form::Full), bytes(&named(0x8001), Form::Full));
    message
        .properties
        .insert(Tag(0x0037_001F), Value::Unicode("x".to_owned()));
    assert_ne!(bytes(&message, Form::Identity), bytes(&named(0x8001), Form::Identity));
}

#[test]
fn the_table_of_what_is_left_out_is_sorted() {
    assert!(OMITTED.is_sorted_by(|a, b| a.id < b.id));
}

/// Bytes of version 1, which every later version must read.
#[test]
fn bytes_of_version_one() {
    let mut message = named(0x8001);
    message.attachments.push(Attachment {
        content: Content::Bytes(b"abc".to_vec()),
        ..Attachment::default()
    });
    let mut expected = b"EMBLMAPI\x01\x00".to_vec();
    expected.extend(1_u64.to_le_bytes());
    expected.push(1);
    expected.extend(tags::SET_TASK.0);
    expected.extend([0, 0x01, 0x81, 0, 0, 3, 0, 2, 7, 0, 0, 0]);
    expected.extend(0_u64.to_le_bytes());
    expected.extend(1_u64.to_le_bytes());
    expected.extend(0_u64.to_le_bytes());
    expected.push(1);
    expected.extend(blake3::hash(b"abc").as_bytes());
    expected.extend(3_u64.to_le_bytes());
    assert_eq!(bytes(&message, Form::Full), expected);
}
