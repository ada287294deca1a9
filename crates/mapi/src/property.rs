//! Properties: tags, types, values and names ([MS-OXCDATA] section 2.11, [MS-OXPROPS]).
//!
//! Main type: [`Properties`]. Invariant: a value keeps what was stored (8-bit strings as bytes, times as FILETIME), so that the
//! serialisation of a message says what the file said and not how we read it.

use std::collections::BTreeMap;

/// A property tag: identifier in the upper 16 bits, type in the lower ([MS-OXCDATA] section 2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    /// The tag of an identifier and a type.
    pub const fn new(id: u16, kind: PropertyKind) -> Self {
        Self(((id as u32) << 16) | kind as u32)
    }

    /// The identifier. From 0x8000 on it is a name that the store maps ([`PropertyName`]).
    pub const fn id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The type as stored; not every number is a [`PropertyKind`].
    pub const fn kind_bits(self) -> u16 {
        (self.0 & 0xFFFF) as u16
    }

    /// True when the identifier stands for a name.
    pub const fn is_named(self) -> bool {
        self.id() >= 0x8000
    }
}

/// Types of values ([MS-OXCDATA] section 2.11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum PropertyKind {
    /// No value.
    Null = 0x0001,
    /// 16-bit integer.
    Integer16 = 0x0002,
    /// 32-bit integer.
    Integer32 = 0x0003,
    /// 32-bit float.
    Float32 = 0x0004,
    /// 64-bit float.
    Float64 = 0x0005,
    /// 64-bit integer in ten-thousandths.
    Currency = 0x0006,
    /// Days since 1899-12-30, as a float.
    FloatingTime = 0x0007,
    /// 32-bit error code.
    ErrorCode = 0x000A,
    /// One byte or two, 0 or 1.
    Boolean = 0x000B,
    /// An object, such as an embedded message.
    Object = 0x000D,
    /// 64-bit integer.
    Integer64 = 0x0014,
    /// Characters of a code page.
    String8 = 0x001E,
    /// UTF-16LE.
    Unicode = 0x001F,
    /// FILETIME: 100 ns since 1601-01-01 UTC.
    Time = 0x0040,
    /// 16 bytes.
    Guid = 0x0048,
    /// Bytes with a 16-bit count.
    ServerId = 0x00FB,
    /// Bytes.
    Binary = 0x0102,
}

/// Set in the type of a property that holds several values.
pub const MULTIPLE: u16 = 0x1000;

/// The value of a property, as stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// 16-bit integer.
    Integer16(i16),
    /// 32-bit integer.
    Integer32(i32),
    /// 32-bit float.
    Float32(f32),
    /// 64-bit float.
    Float64(f64),
    /// Ten-thousandths.
    Currency(i64),
    /// Days since 1899-12-30.
    FloatingTime(f64),
    /// Error code.
    ErrorCode(u32),
    /// Truth.
    Boolean(bool),
    /// 64-bit integer.
    Integer64(i64),
    /// Characters of the code page of the message, undecoded, without trailing NULs.
    String8(Vec<u8>),
    /// UTF-16 decoded, lone surrogates replaced, without trailing NULs.
    Unicode(String),
    /// FILETIME: 100 ns since 1601-01-01 UTC.
    Time(i64),
    /// 16 bytes as stored.
    Guid([u8; 16]),
    /// Bytes, also of [`PropertyKind::ServerId`] and of objects.
    Binary(Vec<u8>),
    /// Several values of one type.
    Multiple(Vec<Value>),
    /// Bytes of a type we do not know.
    Unknown(Vec<u8>),
}

impl Value {
    /// A whole number or a truth as number.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer16(value) => Some(i64::from(*value)),
            Self::Integer32(value) => Some(i64::from(*value)),
            Self::Integer64(value) => Some(*value),
            Self::Boolean(value) => Some(i64::from(*value)),
            _ => None,
        }
    }
}

impl PropertyKind {
    /// The kind with this number, `None` for one that is not known. The flag [`MULTIPLE`] is no part of it.
    pub const fn of_bits(bits: u16) -> Option<Self> {
        Some(match bits {
            0x0001 => Self::Null,
            0x0002 => Self::Integer16,
            0x0003 => Self::Integer32,
            0x0004 => Self::Float32,
            0x0005 => Self::Float64,
            0x0006 => Self::Currency,
            0x0007 => Self::FloatingTime,
            0x000A => Self::ErrorCode,
            0x000B => Self::Boolean,
            0x000D => Self::Object,
            0x0014 => Self::Integer64,
            0x001E => Self::String8,
            0x001F => Self::Unicode,
            0x0040 => Self::Time,
            0x0048 => Self::Guid,
            0x00FB => Self::ServerId,
            0x0102 => Self::Binary,
            _ => return None,
        })
    }

    /// Bytes of a value of fixed length, `None` for strings, bytes and objects.
    pub const fn fixed_bytes(self) -> Option<usize> {
        match self {
            Self::Null => Some(0),
            Self::Integer16 | Self::Boolean => Some(2),
            Self::Integer32 | Self::Float32 | Self::ErrorCode => Some(4),
            Self::Float64 | Self::Currency | Self::FloatingTime | Self::Integer64 | Self::Time => Some(8),
            Self::Guid => Some(16),
            Self::Object | Self::String8 | Self::Unicode | Self::ServerId | Self::Binary => None,
        }
    }

    /// Reads one value, `None` when there are too few bytes. A fixed value ignores what stands behind it; strings lose NULs at their end.
    pub fn decode(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Integer16 => Value::Integer16(i16::from_le_bytes(first(bytes)?)),
            Self::Integer32 => Value::Integer32(i32::from_le_bytes(first(bytes)?)),
            Self::Float32 => Value::Float32(f32::from_le_bytes(first(bytes)?)),
            Self::Float64 => Value::Float64(f64::from_le_bytes(first(bytes)?)),
            Self::Currency => Value::Currency(i64::from_le_bytes(first(bytes)?)),
            Self::FloatingTime => Value::FloatingTime(f64::from_le_bytes(first(bytes)?)),
            Self::ErrorCode => Value::ErrorCode(u32::from_le_bytes(first(bytes)?)),
            Self::Boolean => Value::Boolean(u16::from_le_bytes(first(bytes)?) != 0),
            Self::Integer64 => Value::Integer64(i64::from_le_bytes(first(bytes)?)),
            Self::Time => Value::Time(i64::from_le_bytes(first(bytes)?)),
            Self::Guid => Value::Guid(first(bytes)?),
            Self::String8 => {
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
                Value::String8(bytes[..end].to_vec())
            }
            Self::Unicode => {
                let units: Vec<u16> = bytes
                    .chunks_exact(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                    .collect();
                let end = units.iter().rposition(|unit| *unit != 0).map_or(0, |at| at + 1);
                Value::Unicode(String::from_utf16_lossy(&units[..end]))
            }
            Self::Object | Self::ServerId | Self::Binary => Value::Binary(bytes.to_vec()),
        })
    }
}

fn first<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.get(..N)?.try_into().ok()
}

/// Where a property name comes from ([MS-OXPROPS] section 1.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertySet(pub [u8; 16]);

/// The name of a named property ([MS-OXPROPS] section 1.3.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyName {
    /// A number (LID).
    Number(u32),
    /// A string.
    Text(String),
}

/// What an identifier from 0x8000 on stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedProperty {
    /// Property set.
    pub set: PropertySet,
    /// Name in the set.
    pub name: PropertyName,
}

/// Properties of one object, by tag; of a tag that occurs twice the first is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    values: BTreeMap<Tag, Value>,
    names: BTreeMap<u16, NamedProperty>,
}

impl Properties {
    /// Adds a value; the first of a tag stays.
    pub fn insert(&mut self, tag: Tag, value: Value) {
        self.values.entry(tag).or_insert(value);
    }

    /// Says what an identifier from 0x8000 on stands for.
    pub fn name(&mut self, id: u16, name: NamedProperty) {
        self.names.insert(id, name);
    }

    /// The value of an identifier, whatever its type.
    pub fn by_id(&self, id: u16) -> Option<(Tag, &Value)> {
        let from = Tag(u32::from(id) << 16);
        let to = Tag(from.0 | 0xFFFF);
        self.values.range(from..=to).next().map(|(tag, value)| (*tag, value))
    }

    /// The value of a named property.
    pub fn by_name(&self, set: PropertySet, name: &PropertyName) -> Option<(Tag, &Value)> {
        let (id, _) = self
            .names
            .iter()
            .find(|(_, named)| named.set == set && named.name == *name)?;
        self.by_id(*id)
    }

    /// The first string of an identifier, whichever of the two types it has.
    pub fn string(&self, id: u16) -> Option<(Tag, &Value)> {
        self.of_id(id)
            .find(|(_, value)| matches!(value, Value::Unicode(_) | Value::String8(_)))
    }

    /// The first value of an identifier that is a whole number or a truth.
    pub fn integer(&self, id: u16) -> Option<i64> {
        self.of_id(id).find_map(|(_, value)| value.as_integer())
    }

    /// The first value of an identifier that is bytes.
    pub fn binary(&self, id: u16) -> Option<&[u8]> {
        self.of_id(id).find_map(|(_, value)| match value {
            Value::Binary(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// The first value of an identifier that is a time, as FILETIME.
    pub fn time(&self, id: u16) -> Option<i64> {
        self.of_id(id).find_map(|(_, value)| match value {
            Value::Time(time) => Some(*time),
            _ => None,
        })
    }

    /// All values of an identifier, in order of their types.
    pub fn of_id(&self, id: u16) -> impl Iterator<Item = (Tag, &Value)> {
        let from = Tag(u32::from(id) << 16);
        let to = Tag(from.0 | 0xFFFF);
        self.values.range(from..=to).map(|(tag, value)| (*tag, value))
    }

    /// The identifier that stands for a name here.
    pub fn id_of(&self, set: PropertySet, name: &PropertyName) -> Option<u16> {
        self.names
            .iter()
            .find(|(_, named)| named.set == set && named.name == *name)
            .map(|(id, _)| *id)
    }

    /// Takes a value out.
    pub fn remove(&mut self, tag: Tag) -> Option<Value> {
        self.values.remove(&tag)
    }

    /// The value of a tag.
    pub fn get(&self, tag: Tag) -> Option<&Value> {
        self.values.get(&tag)
    }

    /// What the identifiers stand for, in order of the identifiers.
    pub fn names(&self) -> impl Iterator<Item = (u16, &NamedProperty)> {
        self.names.iter().map(|(id, name)| (*id, name))
    }

    /// What an identifier stands for.
    pub fn name_of(&self, id: u16) -> Option<&NamedProperty> {
        self.names.get(&id)
    }

    /// All values, in order of their tags.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &Value)> {
        self.values.iter().map(|(tag, value)| (*tag, value))
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
