//! Reading back.

use super::{Digest, Form, Held, Holding, Item, Key, MAGIC, VERSION};
use crate::property::{NamedProperty, PropertyName, PropertySet, Tag, Value};

/// Items and values nest to this depth.
const DEPTH_LIMIT: usize = 64;

/// Why bytes are no serialisation of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The magic is another.
    #[error("not a serialised message")]
    Magic,
    /// A version that this program does not know.
    #[error("version {0} of serialised messages is not known")]
    Version(u8),
    /// The bytes end early, or a field has a value that is not allowed.
    #[error("serialised message is damaged at offset {at}")]
    Damaged {
        /// Where.
        at: usize,
    },
}

/// Reads an item and its form; nothing may follow.
///
/// # Errors
/// When the bytes were not written by [`super::write`]; nothing is returned of them.
pub fn read(bytes: &[u8]) -> Result<(Item, Form), ReadError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(ReadError::Magic);
    }
    let mut input = Input { bytes, at: MAGIC.len() };
    let version = input.byte()?;
    if version != VERSION {
        return Err(ReadError::Version(version));
    }
    let form = match input.byte()? {
        0 => Form::Full,
        1 => Form::Identity,
        _ => return input.damaged(),
    };
    let item = input.item(0)?;
    if input.at != bytes.len() {
        return input.damaged();
    }
    Ok((item, form))
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn damaged<T>(&self) -> Result<T, ReadError> {
        Err(ReadError::Damaged { at: self.at })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let found = self.at.checked_add(N).and_then(|end| self.bytes.get(self.at..end));
        let found = found.and_then(|bytes| bytes.try_into().ok());
        let array = found.ok_or(ReadError::Damaged { at: self.at })?;
        self.at += N;
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, ReadError> {
        Ok(self.array::<1>()?[0])
    }

    /// A count of things of at least one byte each.
    fn count(&mut self) -> Result<usize, ReadError> {
        let count = u64::from_le_bytes(self.array()?);
        let rest = self.bytes.len() - self.at;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= rest)
            .ok_or(ReadError::Damaged { at: self.at })
    }

    fn blob(&mut self) -> Result<Vec<u8>, ReadError> {
        let length = self.count()?;
        let bytes = self.bytes[self.at..self.at + length].to_vec();
        self.at += length;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<String, ReadError> {
        let at = self.at;
        String::from_utf8(self.blob()?).map_err(|_| ReadError::Damaged { at })
    }

    fn item(&mut self, depth: usize) -> Result<Item, ReadError> {
        if depth > DEPTH_LIMIT {
            return self.damaged();
        }
        let mut item = Item {
            properties: self.properties()?,
            ..Item::default()
        };
        for _ in 0..self.count()? {
            item.recipients.push(self.properties()?);
        }
        for _ in 0..self.count()? {
            let properties = self.properties()?;
            let content = match self.byte()? {
                0 => Holding::None,
                1 => Holding::Bytes(self.digest()?),
                2 => Holding::Message(Box::new(self.item(depth + 1)?)),
                3 => Holding::Ole(self.digest()?),
                4 => Holding::TooLong(u64::from_le_bytes(self.array()?)),
                _ => return self.damaged(),
            };
            item.attachments.push(Held { properties, content });
        }
        Ok(item)
    }

    fn digest(&mut self) -> Result<Digest, ReadError> {
        Ok(Digest {
            hash: self.array()?,
            length: u64::from_le_bytes(self.array()?),
        })
    }

    fn properties(&mut self) -> Result<Vec<(Key, Value)>, ReadError> {
        let mut out = Vec::new();
        for _ in 0..self.count()? {
            let key = match self.byte()? {
                0 => Key::Tag(Tag(u32::from_le_bytes(self.array()?))),
                1 => {
                    let set = PropertySet(self.array()?);
                    let name = match self.byte()? {
                        0 => PropertyName::Number(u32::from_le_bytes(self.array()?)),
                        1 => PropertyName::Text(self.text()?),
                        _ => return self.damaged(),
                    };
                    Key::Named(NamedProperty { set, name }, u16::from_le_bytes(self.array()?))
                }
                _ => return self.damaged(),
            };
            out.push((key, self.value(0)?));
        }
        Ok(out)
    }

    fn value(&mut self, depth: usize) -> Result<Value, ReadError> {
        if depth > DEPTH_LIMIT {
            return self.damaged();
        }
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Integer16(i16::from_le_bytes(self.array()?)),
            2 => Value::Integer32(i32::from_le_bytes(self.array()?)),
            3 => Value::Float32(f32::from_le_bytes(self.array()?)),
            4 => Value::Float64(f64::from_le_bytes(self.array()?)),
            5 => Value::Currency(i64::from_le_bytes(self.array()?)),
            6 => Value::FloatingTime(f64::from_le_bytes(self.array()?)),
            7 => Value::ErrorCode(u32::from_le_bytes(self.array()?)),
            8 => match self.byte()? {
                0 => Value::Boolean(false),
                1 => Value::Boolean(true),
                _ => return self.damaged(),
            },
            9 => Value::Integer64(i64::from_le_bytes(self.array()?)),
            10 => Value::String8(self.blob()?),
            11 => Value::Unicode(self.text()?),
            12 => Value::Time(i64::from_le_bytes(self.array()?)),
            13 => Value::Guid(self.array()?),
            14 => Value::Binary(self.blob()?),
            15 => {
                let mut values = Vec::new();
                for _ in 0..self.count()? {
                    values.push(self.value(depth + 1)?);
                }
                Value::Multiple(values)
            }
            16 => Value::Unknown(self.blob()?),
            _ => return self.damaged(),
        })
    }
}
