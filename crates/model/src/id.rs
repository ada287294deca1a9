//! Ids: newtypes over integers for rows of the catalogue, and digests for content.
//!
//! Invariant: an [`ItemNo`] is dense, is given in input order and never changes (DESIGN section 6).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id!(
    /// The dense number of an item: a distinct message, a part of one, a loose file or a record.
    ItemNo, u32
);
row_id!(
    /// A distinct sequence of bytes, kept once.
    BlobId, u32
);
row_id!(
    /// A source as given to `ingest`: a label, a custodian, a kind.
    SourceId, u32
);
row_id!(
    /// One version of one file of a source.
    FileId, u32
);
row_id!(
    /// One place where an item was found.
    InstanceId, u64
);
row_id!(
    /// One ingest run, counted from 1.
    RunNo, u32
);
row_id!(
    /// A point of the durable order: everything up to it is in packs, and then in the catalogue.
    Ticket, u64
);

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Reads a digest from a slice of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads lower- or upper-case hexadecimal of exactly the right length.
            pub fn from_hex(text: &str) -> Option<Self> {
                let bytes = hex_decode(text)?;
                Self::from_slice(&bytes)
            }

            /// Lower-case hexadecimal.
            pub fn to_hex(&self) -> String {
                hex_encode(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.to_hex())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.to_hex())
            }
        }
    };
}

digest!(
    /// BLAKE3 of original bytes: the identity used inside.
    Blake3, 32
);
digest!(
    /// SHA-256 of original bytes: the identity shown to people and courts (FIPS 180-4).
    Sha256, 32
);
digest!(
    /// A 128-bit key: the EDRM Message Identification Hash, or the first half of a BLAKE3 key digest.
    Key128, 16
);

/// Lower-case hexadecimal of any bytes.
pub fn hex_encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
    out
}

/// Bytes of a hexadecimal text of even length, or `None` when a character is not a digit.
pub fn hex_decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

/// The stable, content-derived name of an item: `item:` and the first 16 bytes, in hexadecimal, of
/// the BLAKE3 of its top-level original; for a part, a `/` and its part path follow, as in
/// `item:3f2a…c1/2.1`. Unlike an item number it is the same in every case and on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemId {
    /// First half of the BLAKE3 of the top-level item's original bytes.
    pub root: Key128,
    /// Part path below the top-level item; empty for the top-level item itself.
    pub part: String,
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item:{}", self.root)?;
        if !self.part.is_empty() {
            write!(f, "/{}", self.part)?;
        }
        Ok(())
    }
}

impl Serialize for ItemId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Blake3 {
    /// The first 16 bytes: what the de-duplication table and item ids hold.
    pub fn half(&self) -> Key128 {
        let mut half = [0; 16];
        half.copy_from_slice(&self.0[..16]);
        Key128(half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_refuses_other_characters() {
        assert_eq!(hex_decode("00ffA5"), Some(vec![0, 255, 165]));
        assert_eq!(hex_encode(&[0, 255, 165]), "00ffa5");
        assert_eq!(hex_decode("0g"), None);
        assert_eq!(hex_decode("0"), None);
    }

    #[test]
    fn item_id_shows_part_path_after_a_slash() {
        let root = Key128([0x11; 16]);
        let id = ItemId {
            root,
            part: "2.1".into(),
        };
        assert_eq!(id.to_string(), format!("item:{}/2.1", "11".repeat(16)));
    }
}
