//! Walking a pack from front to back without the catalogue: for `verify`, and to rebuild the catalogue's rows of blobs.
//!
//! Invariant: a walk believes nothing before its checksum, and stops at the first frame that cannot be found.

use std::fs::File;
use std::path::{Path, PathBuf};

use embley_model::id::Key128;
use zstd::bulk::Decompressor;

use super::format::{FRAME_HEADER_BYTES, FrameHeader, PACK_HEADER_BYTES, pack_file_name};
use super::read::{check_header, reaches_too_far, read_all_at, unpack};
use crate::codec::Unpack;
use crate::error::{Result, StoreError};

/// A blob that ends in a frame, as the frame's table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobEnd {
    /// First half of the BLAKE3 of its bytes.
    pub half: Key128,
    /// Length in bytes. Blobs follow one another without gaps, so lengths say where each begins.
    pub size: u64,
}

/// One frame met on a walk.
#[derive(Clone, Debug)]
pub struct WalkedFrame {
    /// Offset of its header in the pack.
    pub offset: u64,
    /// Offset of the next frame.
    pub next_offset: u64,
    /// The first plain byte goes on with a blob of the frame before.
    pub continues: bool,
    /// Blobs that end here, in order.
    pub ends: Vec<BlobEnd>,
    /// How many plain bytes it holds.
    pub plain_len: u32,
    /// Plain bytes; empty when only the table was asked for.
    pub plain: Vec<u8>,
}

/// See the module.
pub struct PackWalker {
    path: PathBuf,
    file: File,
    offset: u64,
    end: u64,
    stored: Vec<u8>,
    decompressor: Decompressor<'static>,
}

impl std::fmt::Debug for PackWalker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackWalker")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl PackWalker {
    /// A walk over pack `number` up to `end` (the committed length; `None` for the whole file).
    ///
    /// # Errors
    /// When the header is damaged, foreign or newer, or the file cannot be read.
    pub fn open(folder: &Path, number: u32, case_id: Key128, end: Option<u64>) -> Result<Self> {
        let path = folder.join(pack_file_name(number));
        let file = check_header(&path, number, case_id)?;
        let len = file
            .metadata()
            .map_err(|error| StoreError::io("read the length of", &path, error))?
            .len();
        let decompressor =
            Decompressor::new().map_err(|error| StoreError::internal(format!("zstd failed: {error}")))?;
        Ok(Self {
            path,
            file,
            offset: PACK_HEADER_BYTES,
            end: end.unwrap_or(len),
            stored: Vec::new(),
            decompressor,
        })
    }

    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    /// When the frame is damaged or cut short. A walk can go on behind a frame only when its header was sound; see
    /// [`PackWalker::skip_damaged`].
    pub fn next_frame(&mut self) -> Result<Option<WalkedFrame>> {
        self.advance(true)
    }

    /// The same without unpacking: everything but the plain bytes, still checked against the checksum.
    ///
    /// # Errors
    /// As [`PackWalker::next_frame`].
    pub fn next_table(&mut self) -> Result<Option<WalkedFrame>> {
        self.advance(false)
    }

    fn advance(&mut self, unpacked: bool) -> Result<Option<WalkedFrame>> {
        if self.offset >= self.end {
            return Ok(None);
        }
        let offset = self.offset;
        let mut head = [0; FRAME_HEADER_BYTES];
        read_all_at(&self.file, &mut head, offset, &self.path)?;
        let header = FrameHeader::from_bytes(&head).map_err(|detail| self.damaged(offset, detail))?;
        let next_offset = offset + header.frame_len();
        if next_offset > self.end {
            return Err(self.damaged(offset, "the frame reaches beyond the committed length"));
        }
        self.stored
            .resize(header.table_len as usize + header.stored_len as usize, 0);
        read_all_at(
            &self.file,
            &mut self.stored,
            offset + FRAME_HEADER_BYTES as u64,
            &self.path,
        )
        .map_err(|error| reaches_too_far(error, &self.path, offset))?;
        let (table, payload) = self.stored.split_at(header.table_len as usize);
        if !header.agrees(table, payload) {
            return Err(self.damaged(offset, "the frame does not agree with its checksum"));
        }
        let plain = if unpacked {
            unpack(&mut self.decompressor, &header, payload).map_err(|detail| self.damaged(offset, detail))?
        } else {
            Vec::new()
        };
        let ends = read_table(table, header.entries).ok_or_else(|| self.damaged(offset, "the blob table is cut"))?;
        self.offset = next_offset;
        Ok(Some(WalkedFrame {
            offset,
            next_offset,
            continues: header.continues,
            ends,
            plain_len: header.plain_len,
            plain,
        }))
    }

    /// After an error: steps over the damaged frame when its header still tells its length and another frame begins behind it.
    /// False when the walk cannot go on.
    pub fn skip_damaged(&mut self) -> bool {
        let mut head = [0; FRAME_HEADER_BYTES];
        let Ok(()) = read_all_at(&self.file, &mut head, self.offset, &self.path) else {
            return false;
        };
        let Ok(header) = FrameHeader::from_bytes(&head) else {
            return false;
        };
        let next = self.offset + header.frame_len();
        if next > self.end {
            return false;
        }
        if next < self.end {
            let Ok(()) = read_all_at(&self.file, &mut head, next, &self.path) else {
                return false;
            };
            if FrameHeader::from_bytes(&head).is_err() {
                return false;
            }
        }
        self.offset = next;
        true
    }

    fn damaged(&self, offset: u64, detail: &str) -> StoreError {
        StoreError::damaged(self.path.display().to_string(), format!("offset {offset}"), detail)
    }
}

fn read_table(table: &[u8], entries: u32) -> Option<Vec<BlobEnd>> {
    // An entry has a half hash and at least one byte of length; a count that cannot be asks for no memory.
    if entries as usize > table.len() / 17 {
        return None;
    }
    let mut unpack = Unpack(table);
    let mut ends = Vec::with_capacity(entries as usize);
    for _ in 0..entries {
        let mut half = Key128([0; 16]);
        half.0.copy_from_slice(unpack.take(16)?);
        ends.push(BlobEnd {
            half,
            size: unpack.uint()?,
        });
    }
    unpack.is_empty().then_some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_as_many_entries_as_it_says_and_has_room_for() {
        let mut table = vec![7; 16];
        table.push(5);
        let end = BlobEnd {
            half: Key128([7; 16]),
            size: 5,
        };
        assert_eq!(read_table(&table, 1), Some(vec![end]));
        for entries in [0, 2, 20_000_000, u32::MAX] {
            assert_eq!(read_table(&table, entries), None, "{entries}");
        }
    }
}
