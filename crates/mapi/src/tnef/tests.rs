use super::*;
use crate::property::PropertyName;

/// An attribute with its checksum.
fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![level];
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&(data.len() as u32).to_le_bytes());
    out.extend_from_slice(data);
    let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = SIGNATURE.to_le_bytes().to_vec();
    out.extend_from_slice(&[0x34, 0x12]);
    out.extend(attributes.iter().flatten());
    out
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u32).to_le_bytes().to_vec();
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// A message with named and multiple properties, two recipients, a file and a message inside.
fn sample() -> Vec<u8> {
    let mut named = words(&[4]);
    named.extend(words(&[0x8005_0003]));
    named.extend([9; 16]);
    named.extend(words(&[0, 0x8501, 77]));
    named.extend(words(&[0x8006_101E]));
    named.extend([9; 16]);
    named.extend(words(&[1]));
    named.extend(padded(b"K\0e\0y\0\0\0"));
    named.extend(words(&[2]));
    named.extend(padded(b"one\0"));
    named.extend(padded(b"three\0"));
    named.extend(words(&[0x0037_001F, 1]));
    named.extend(padded(b"H\0i\0\0\0"));
    named.extend(words(&[0x0C19_1002, 2, 5, 6]));
    let mut recipients = words(&[2]);
    for name in [b"Ann\0", b"Bob\0"] {
        recipients.extend(words(&[1, 0x3001_001E, 1]));
        recipients.extend(padded(name));
    }
    let inner = stream(&[attribute(1, 0x0001_8004, b"inner\0")]);
    let mut object = MESSAGE_OBJECT.to_vec();
    object.extend(inner);
    let mut holder = words(&[2, 0x3705_0003, 5, 0x3701_000D, 1]);
    holder.extend(padded(&object));
    stream(&[
        attribute(1, 0x0008_9006, &[0, 0, 1, 0]),
        attribute(1, 0x0006_0000 | u32::from(CODE_PAGE), &words(&[1251, 0])),
        attribute(1, 0x0001_8004, b"legacy subject\0"),
        attribute(1, 0x0003_8005, &[0xE8, 0x07, 2, 0, 29, 0, 12, 0, 30, 0, 0, 0, 4, 0]),
        attribute(1, 0x0002_800C, b"\xcf\xf0\0"),
        attribute(1, 0x0004_800D, &[1, 0]),
        attribute(1, 0x0007_0006, b"IPM.Microsoft Mail.Note\0"),
        attribute(1, 0x0006_0000 | u32::from(MESSAGE_PROPERTIES), &named),
        attribute(1, 0x0006_0000 | u32::from(RECIPIENTS), &recipients),
        attribute(
            2,
            0x0006_0000 | u32::from(ATTACHMENT_START),
            &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        attribute(2, 0x0001_8010, b"a.txt\0"),
        attribute(2, 0x0006_0000 | u32::from(ATTACHMENT_DATA), b"content"),
        attribute(2, 0x0006_0000 | u32::from(ATTACHMENT_START), &[1, 0]),
        attribute(2, 0x0006_0000 | u32::from(ATTACHMENT_PROPERTIES), &holder),
    ])
}

#[test]
fn everything_of_a_stream_is_in_the_message() {
    let tnef = read(&sample());
    let message = &tnef.message;
    assert_eq!(message.defects, Vec::new());
    assert_eq!(tnef.key, 0x1234);
    let properties = &message.properties;
    assert_eq!(
        properties.by_id(tags::SUBJECT).map(|(_, value)| value.clone()),
        Some(Value::Unicode("Hi".to_owned()))
    );
    assert_eq!(properties.integer(tags::MESSAGE_CODEPAGE), Some(1251));
    assert_eq!(
        properties.time(tags::CLIENT_SUBMIT_TIME),
        Some((1_709_209_800 + 11_644_473_600) * 10_000_000)
    );
    let set = crate::property::PropertySet([9; 16]);
    let number = properties
        .by_name(set, &PropertyName::Number(0x8501))
        .map(|(_, value)| value.clone());
    assert_eq!(number, Some(Value::Integer32(77)));
    let keys = properties
        .by_name(set, &PropertyName::Text("Key".to_owned()))
        .map(|(_, value)| value.clone());
    let keys_expected = [&b"one"[..], b"three"].map(|key| Value::String8(key.to_vec())).to_vec();
    assert_eq!(keys, Some(Value::Multiple(keys_expected)));
    let shorts = Value::Multiple(vec![Value::Integer16(5), Value::Integer16(6)]);
    assert_eq!(properties.get(Tag(0x0C19_1002)), Some(&shorts));
    assert_eq!(properties.integer(tags::IMPORTANCE), Some(2));
    let class = properties
        .by_id(tags::ORIGINAL_MESSAGE_CLASS)
        .map(|(_, value)| value.clone());
    assert_eq!(class, Some(Value::String8(b"IPM.Note".to_vec())));
    assert_eq!(message.recipients.len(), 2);
    assert_eq!(message.attachments.len(), 2);
    assert_eq!(message.attachments[0].content, Content::Bytes(b"content".to_vec()));
    let Content::Message(inner) = &message.attachments[1].content else {
        panic!("a message")
    };
    assert_eq!(
        inner.properties.by_id(tags::SUBJECT).map(|(_, value)| value.clone()),
        Some(Value::String8(b"inner".to_vec()))
    );
}

#[test]
fn a_wrong_checksum_is_reported_with_its_range() {
    let mut bytes = sample();
    bytes[15] ^= 1;
    let message = read(&bytes).message;
    assert_eq!(message.defects[0].code, DefectCode::MapiChecksum);
    assert_eq!(message.defects[0].range, Some(6..19));
    assert_eq!(message.attachments.len(), 2);
}

#[test]
fn cut_at_every_byte_ends_and_is_said() {
    let bytes = sample();
    let ends: Vec<usize> = {
        // Between attributes nothing is missing that could be told.
        let mut ends = vec![6];
        let mut at = 6;
        while let Ok((_, next)) = super::attribute(&bytes, at) {
            ends.push(next);
            at = next;
            if at >= bytes.len() {
                break;
            }
        }
        ends
    };
    for end in 0..bytes.len() {
        let message = read(&bytes[..end]).message;
        let defects = message.defects.len() + message.attachments.iter().map(|one| one.defects.len()).sum::<usize>();
        assert!(defects > 0 || ends.contains(&end), "cut at {end}");
    }
}

#[test]
fn flipped_bits_never_panic() {
    let bytes = sample();
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..20_000 {
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 8) as usize % damaged.len();
            damaged[at] ^= 1 << ((state >> 3) & 7);
        }
        read(&damaged);
    }
}

#[test]
fn messages_nested_too_deep_are_kept_as_bytes() {
    let mut bytes = stream(&[attribute(1, 0x0001_8004, b"core\0")]);
    for _ in 0..40 {
        let mut object = MESSAGE_OBJECT.to_vec();
        object.extend(bytes);
        let mut holder = words(&[2, 0x3705_0003, 5, 0x3701_000D, 1]);
        holder.extend(padded(&object));
        bytes = stream(&[
            attribute(2, 0x0006_0000 | u32::from(ATTACHMENT_START), &[1, 0]),
            attribute(2, 0x0006_0000 | u32::from(ATTACHMENT_PROPERTIES), &holder),
        ]);
    }
    let mut message = read(&bytes).message;
    let mut depth = 1;
    loop {
        let attachment = message.attachments.pop().expect("one inside");
        match attachment.content {
            Content::Message(inner) => message = *inner,
            Content::Ole(_) => {
                assert!(
                    attachment
                        .defects
                        .iter()
                        .any(|defect| defect.code == DefectCode::MimeDepth)
                );
                break;
            }
            other => panic!("{other:?}"),
        }
        depth += 1;
    }
    assert_eq!(depth, DEPTH_LIMIT);
}

#[test]
fn two_names_of_one_identifier_are_both_kept() {
    let mut list = words(&[3]);
    for number in [1, 2, 1] {
        list.extend(words(&[0x8000_0003]));
        list.extend([9; 16]);
        list.extend(words(&[0, number, number * 10]));
    }
    let message = read(&stream(&[attribute(
        1,
        0x0006_0000 | u32::from(MESSAGE_PROPERTIES),
        &list,
    )]))
    .message;
    let set = crate::property::PropertySet([9; 16]);
    for (number, value) in [(1, 10), (2, 20)] {
        let found = message
            .properties
            .by_name(set, &PropertyName::Number(number))
            .map(|(_, value)| value.clone());
        assert_eq!(found, Some(Value::Integer32(value)));
    }
}
