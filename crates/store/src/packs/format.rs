//! Bytes of a pack: the file header and the frame header, written and read.
//!
//! All integers are little endian. Checksums are the first 16 bytes of a BLAKE3.

use std::path::Path;

use embley_model::id::Key128;

use crate::codec::u32_at;
use crate::error::{Result, StoreError};

/// Newest pack format that this program writes and reads.
pub const PACK_FORMAT: u32 = 1;
/// Plain bytes at which a frame is closed.
pub const FRAME_TARGET_BYTES: usize = 512 << 10;
/// Plain bytes that a frame never exceeds; larger blobs go on in the next frame.
pub(crate) const FRAME_LIMIT_BYTES: usize = 640 << 10;
/// Length at which a pack is left and the next one begun.
pub const PACK_ROLL_BYTES: u64 = 1 << 30;

/// Length of the header of a pack file.
pub(crate) const PACK_HEADER_BYTES: u64 = 64;
/// Length of the header of a frame.
pub(crate) const FRAME_HEADER_BYTES: usize = 40;
const PACK_MAGIC: &[u8; 8] = b"EMBLPACK";
const FRAME_MAGIC: &[u8; 4] = b"EMFR";
const CHECKSUM_BYTES: usize = 16;

/// Name of a pack file by its number.
pub fn pack_file_name(number: u32) -> String {
    format!("pack-{number:06}.emp")
}

/// Number of a pack by its file name, `None` when it is not the name of a pack.
pub fn pack_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("pack-")?.strip_suffix(".emp")?.parse().ok()?;
    (pack_file_name(number) == name).then_some(number)
}

/// Header of a pack file: magic 8, format 4, pack number 4, case id 16, zero 16, checksum 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackHeader {
    pub(crate) number: u32,
    pub(crate) case_id: Key128,
}

impl PackHeader {
    pub(crate) fn to_bytes(self) -> [u8; PACK_HEADER_BYTES as usize] {
        let mut out = [0; PACK_HEADER_BYTES as usize];
        out[..8].copy_from_slice(PACK_MAGIC);
        out[8..12].copy_from_slice(&PACK_FORMAT.to_le_bytes());
        out[12..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..32].copy_from_slice(&self.case_id.0);
        let sum = blake3::hash(&out[..48]);
        out[48..].copy_from_slice(&sum.as_bytes()[..CHECKSUM_BYTES]);
        out
    }

    /// Reads and checks a header; `path` is for the error.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let damaged = |detail: &str| StoreError::damaged(path.display().to_string(), "offset 0", detail);
        if bytes.len() < PACK_HEADER_BYTES as usize {
            return Err(damaged("the pack header is cut short"));
        }
        if &bytes[..8] != PACK_MAGIC {
            return Err(damaged("the pack header does not begin with EMBLPACK"));
        }
        let version = u32_at(bytes, 8).unwrap_or(0);
        if version > PACK_FORMAT {
            return Err(StoreError::Newer {
                what: path.display().to_string(),
                found: u64::from(version),
                known: u64::from(PACK_FORMAT),
            });
        }
        if blake3::hash(&bytes[..48]).as_bytes()[..CHECKSUM_BYTES] != bytes[48..64] {
            return Err(damaged("the pack header does not agree with its checksum"));
        }
        let mut case_id = Key128([0; 16]);
        case_id.0.copy_from_slice(&bytes[16..32]);
        Ok(Self {
            number: u32_at(bytes, 12).unwrap_or(0),
            case_id,
        })
    }
}

/// How the payload of a frame is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Raw,
    Zstd,
}

/// Header of a frame: magic 4, codec 1, flags 1, zero 2, stored length 4, plain length 4, table length 4, table entries 4,
/// checksum 16 over the 24 bytes before it, the table and the payload as stored. The table follows, then the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) codec: Codec,
    /// The first plain byte goes on with a blob that began in the frame before.
    pub(crate) continues: bool,
    pub(crate) stored_len: u32,
    pub(crate) plain_len: u32,
    pub(crate) table_len: u32,
    pub(crate) entries: u32,
    pub(crate) checksum: [u8; CHECKSUM_BYTES],
}

impl FrameHeader {
    /// Bytes of the whole frame in the file.
    pub(crate) fn frame_len(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + u64::from(self.table_len) + u64::from(self.stored_len)
    }

    fn prefix(&self) -> [u8; 24] {
        let mut out = [0; 24];
        out[..4].copy_from_slice(FRAME_MAGIC);
        out[4] = match self.codec {
            Codec::Raw => 0,
            Codec::Zstd => 1,
        };
        out[5] = u8::from(self.continues);
        out[8..12].copy_from_slice(&self.stored_len.to_le_bytes());
        out[12..16].copy_from_slice(&self.plain_len.to_le_bytes());
        out[16..20].copy_from_slice(&self.table_len.to_le_bytes());
        out[20..24].copy_from_slice(&self.entries.to_le_bytes());
        out
    }

    /// Sets the checksum for what follows and returns the header's bytes.
    pub(crate) fn seal(&mut self, table: &[u8], payload: &[u8]) -> [u8; FRAME_HEADER_BYTES] {
        let prefix = self.prefix();
        self.checksum = checksum(&prefix, table, payload);
        let mut out = [0; FRAME_HEADER_BYTES];
        out[..24].copy_from_slice(&prefix);
        out[24..].copy_from_slice(&self.checksum);
        out
    }

    /// Reads a header. The words of an error say what is wrong with it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        if bytes.len() < FRAME_HEADER_BYTES {
            return Err("the frame header is cut short");
        }
        if &bytes[..4] != FRAME_MAGIC {
            return Err("no frame begins here");
        }
        let codec = match bytes[4] {
            0 => Codec::Raw,
            1 => Codec::Zstd,
            _ => return Err("the frame names an unknown way of compression"),
        };
        if bytes[5] > 1 || bytes[6..8] != [0, 0] {
            return Err("the frame header has flags that are not known");
        }
        let word = |at| u32_at(bytes, at).ok_or("the frame header is cut short");
        let mut sum = [0; CHECKSUM_BYTES];
        sum.copy_from_slice(&bytes[24..40]);
        let header = Self {
            codec,
            continues: bytes[5] == 1,
            stored_len: word(8)?,
            plain_len: word(12)?,
            table_len: word(16)?,
            entries: word(20)?,
            checksum: sum,
        };
        // Lengths are believed only within what a writer can have written, so that a damaged one asks for no memory.
        let limit = FRAME_LIMIT_BYTES as u32;
        let lengths_fit = header.plain_len <= limit && header.stored_len <= limit;
        if !lengths_fit || header.table_len > 32 * limit || header.entries > header.table_len {
            return Err("the frame header holds lengths that cannot be");
        }
        Ok(header)
    }

    /// True when table and payload are those that the checksum was made of.
    pub(crate) fn agrees(&self, table: &[u8], payload: &[u8]) -> bool {
        checksum(&self.prefix(), table, payload) == self.checksum
    }
}

fn checksum(prefix: &[u8; 24], table: &[u8], payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prefix).update(table).update(payload);
    let mut out = [0; CHECKSUM_BYTES];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..CHECKSUM_BYTES]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_names_round_trip_and_other_names_are_not_packs() {
        assert_eq!(pack_number(&pack_file_name(1)), Some(1));
        assert_eq!(pack_number(&pack_file_name(1_234_567)), Some(1_234_567));
        for name in ["pack-1.emp", "pack-000001.emp.new", "pack-0000x1.emp", "notes.txt"] {
            assert_eq!(pack_number(name), None, "{name}");
        }
    }

    #[test]
    fn header_of_format_one_keeps_its_bytes() {
        let header = PackHeader {
            number: 7,
            case_id: Key128([9; 16]),
        };
        let bytes = header.to_bytes();
        assert_eq!(&bytes[..16], b"EMBLPACK\x01\0\0\0\x07\0\0\0");
        assert_eq!(PackHeader::from_bytes(&bytes, Path::new("p")).ok(), Some(header));
    }

    #[test]
    fn every_flipped_bit_of_a_pack_header_is_noticed() {
        let bytes = PackHeader {
            number: 7,
            case_id: Key128([9; 16]),
        }
        .to_bytes();
        for at in 0..bytes.len() {
            let mut other = bytes;
            other[at] ^= 4;
            assert!(PackHeader::from_bytes(&other, Path::new("p")).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_newer_pack_is_refused_as_newer() {
        let mut bytes = PackHeader {
            number: 7,
            case_id: Key128([9; 16]),
        }
        .to_bytes();
        bytes[8] = 2;
        assert!(matches!(
            PackHeader::from_bytes(&bytes, Path::new("p")),
            Err(StoreError::Newer { found: 2, .. })
        ));
    }
}
