//! Values of properties out of their stored bytes ([MS-PST] section 2.3.3.3, [MS-OXCDATA] section 2.11.1).
//!
//! Invariant: bytes that do not fit their type are kept as [`Value::Unknown`], never dropped.

use embley_mapi::{MULTIPLE, PropertyKind, Value};

use crate::bytes::{guid_at, u16_at, u32_at, u64_at};

/// Bytes of a value of this type when they are always the same; `None` for text, bytes, several values and unknown types.
pub(crate) fn fixed_bytes(kind_bits: u16) -> Option<usize> {
    match PropertyKind::of_bits(kind_bits)? {
        PropertyKind::Null => Some(0),
        PropertyKind::Boolean => Some(1),
        PropertyKind::Integer16 => Some(2),
        PropertyKind::Integer32 | PropertyKind::Float32 | PropertyKind::ErrorCode => Some(4),
        PropertyKind::Float64
        | PropertyKind::Currency
        | PropertyKind::FloatingTime
        | PropertyKind::Integer64
        | PropertyKind::Time => Some(8),
        PropertyKind::Guid => Some(16),
        PropertyKind::Object
        | PropertyKind::String8
        | PropertyKind::Unicode
        | PropertyKind::ServerId
        | PropertyKind::Binary => None,
    }
}

/// The value in `bytes`; `None` in the second place when they do not fit the type, so that the value is [`Value::Unknown`].
pub(crate) fn decode(kind_bits: u16, bytes: &[u8]) -> (Value, bool) {
    let read = if kind_bits & MULTIPLE == 0 {
        single(kind_bits, bytes)
    } else {
        multiple(kind_bits & !MULTIPLE, bytes)
    };
    match read {
        Some(value) => (value, true),
        // A type that nobody knows cannot be contradicted.
        None => (
            Value::Unknown(bytes.to_vec()),
            PropertyKind::of_bits(kind_bits & !MULTIPLE).is_none(),
        ),
    }
}

fn single(kind_bits: u16, bytes: &[u8]) -> Option<Value> {
    let signed64 = || u64_at(bytes, 0).map(|value| value as i64);
    Some(match PropertyKind::of_bits(kind_bits)? {
        PropertyKind::Null => Value::Null,
        PropertyKind::Boolean => Value::Boolean(*bytes.first()? != 0),
        PropertyKind::Integer16 => Value::Integer16(u16_at(bytes, 0)? as i16),
        PropertyKind::Integer32 => Value::Integer32(u32_at(bytes, 0)? as i32),
        PropertyKind::Float32 => Value::Float32(f32::from_bits(u32_at(bytes, 0)?)),
        PropertyKind::ErrorCode => Value::ErrorCode(u32_at(bytes, 0)?),
        PropertyKind::Float64 => Value::Float64(f64::from_bits(u64_at(bytes, 0)?)),
        PropertyKind::FloatingTime => Value::FloatingTime(f64::from_bits(u64_at(bytes, 0)?)),
        PropertyKind::Currency => Value::Currency(signed64()?),
        PropertyKind::Integer64 => Value::Integer64(signed64()?),
        PropertyKind::Time => Value::Time(signed64()?),
        PropertyKind::Guid => Value::Guid(guid_at(bytes, 0)?),
        PropertyKind::String8 => Value::String8(without_nuls(bytes).to_vec()),
        PropertyKind::Unicode => Value::Unicode(unicode(bytes)),
        PropertyKind::Object | PropertyKind::ServerId | PropertyKind::Binary => Value::Binary(bytes.to_vec()),
    })
}

fn without_nuls(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    &bytes[..end]
}

/// UTF-16LE without trailing NULs; a last odd byte is not a character.
pub(crate) fn unicode(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let mut text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.truncate(text.trim_end_matches('\0').len());
    text
}

/// [MS-PST] section 2.3.3.4: values of one size one after the other; others with a count and their offsets before them.
fn multiple(kind_bits: u16, bytes: &[u8]) -> Option<Value> {
    PropertyKind::of_bits(kind_bits)?;
    if let Some(size) = fixed_bytes(kind_bits) {
        // Booleans take two bytes each in arrays ([MS-OXCDATA] section 2.11.1); Null has no size to divide by.
        let size = if size == 1 { 2 } else { size };
        if size == 0 || !bytes.len().is_multiple_of(size) {
            return None;
        }
        let values: Option<Vec<Value>> = bytes.chunks_exact(size).map(|value| single(kind_bits, value)).collect();
        return Some(Value::Multiple(values?));
    }
    if bytes.is_empty() {
        return Some(Value::Multiple(Vec::new()));
    }
    let count = u32_at(bytes, 0)? as usize;
    if count > (bytes.len() - 4) / 4 {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    let mut handed_on = 0usize;
    for index in 0..count {
        let start = u32_at(bytes, 4 + 4 * index)? as usize;
        let end = if index + 1 < count {
            u32_at(bytes, 8 + 4 * index)? as usize
        } else {
            bytes.len()
        };
        let value = bytes.get(start..end)?;
        // Offsets that go back would multiply the bytes.
        handed_on += value.len();
        if handed_on > bytes.len() {
            return None;
        }
        values.push(single(kind_bits, value)?);
    }
    Some(Value::Multiple(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_loses_its_trailing_nuls_and_lone_surrogates_are_replaced() {
        assert_eq!(decode(0x1E, b"ab\0\0"), (Value::String8(b"ab".to_vec()), true));
        let bytes = [0x61, 0, 0x00, 0xD8, 0x62, 0, 0, 0, 7];
        assert_eq!(decode(0x1F, &bytes), (Value::Unicode("a\u{FFFD}b".into()), true));
    }

    #[test]
    fn several_values_of_one_size_follow_one_another() {
        let value = Value::Multiple(vec![Value::Integer32(1), Value::Integer32(-1)]);
        assert_eq!(decode(0x1003, &[1, 0, 0, 0, 255, 255, 255, 255]), (value, true));
        assert_eq!(decode(0x1003, &[1, 0, 0]), (Value::Unknown(vec![1, 0, 0]), false));
    }

    #[test]
    fn several_texts_lie_between_their_offsets() {
        let bytes = [2, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, b'a', 0, b'b', 0, b'c', 0];
        let texts = vec![Value::Unicode("a".into()), Value::Unicode("bc".into())];
        assert_eq!(decode(0x101F, &bytes), (Value::Multiple(texts), true));
        let mut back = bytes;
        back[8] = 200;
        assert!(!decode(0x101F, &back).1);
        assert!(!decode(0x101F, &[255, 255, 255, 255, 0]).1);
    }

    #[test]
    fn an_unknown_type_keeps_its_bytes_and_is_no_contradiction() {
        assert_eq!(decode(0x00FD, &[1, 2]), (Value::Unknown(vec![1, 2]), true));
        assert_eq!(decode(0x0014, &[1, 2]), (Value::Unknown(vec![1, 2]), false));
    }
}
