//! Building frames: pure work on bytes, done by each worker for its own ranges.
//!
//! Invariant: what a [`FrameBuilder`] makes of a range depends on the blobs of that range alone, so packs do not depend on the
//! number of threads.

use embley_model::id::Blake3;
use zstd::bulk::Compressor;

use super::FramePos;
use super::format::{Codec, FRAME_HEADER_BYTES, FRAME_LIMIT_BYTES, FRAME_TARGET_BYTES, FrameHeader};
use crate::catalogue::BlobPlaceRow;
use crate::codec::put_uint;
use crate::error::{Result, StoreError};

/// At frames of 512 KiB level 2 packs as tightly as level 3 does at 256 KiB, in two thirds of the time.
const LEVEL: i32 = 2;

/// Where a blob begins within the frames of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobSpan {
    /// Index of the frame within the range.
    pub frame: u32,
    /// Offset in the plain bytes of that frame.
    pub offset_in_frame: u32,
    /// Length in bytes; it may go on in the next frames.
    pub size: u64,
}

impl BlobSpan {
    /// The place of the blob once its range stands at `frames`; `None` when the range has no such frame.
    pub fn place(&self, frames: &[FramePos]) -> Option<BlobPlaceRow> {
        let at = frames.get(usize::try_from(self.frame).ok()?)?;
        Some(BlobPlaceRow::Pack {
            pack: at.pack,
            frame_offset: at.offset,
            offset_in_frame: self.offset_in_frame,
        })
    }
}

/// The frames of one range, ready to be written as they are.
#[derive(Debug, Default)]
pub struct PackedRange {
    pub(crate) bytes: Vec<u8>,
    pub(crate) starts: Vec<u64>,
    plain_bytes: u64,
    blobs: u64,
}

impl PackedRange {
    /// Bytes that will be written.
    pub fn stored_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes of the blobs before compression.
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// How many blobs end in these frames.
    pub fn blob_count(&self) -> u64 {
        self.blobs
    }

    /// How many frames there are.
    pub fn frame_count(&self) -> usize {
        self.starts.len()
    }

    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Collects blobs into frames and compresses them. One a worker; buffers and the zstd context are used again and again.
pub struct FrameBuilder {
    compressor: Compressor<'static>,
    plain: Vec<u8>,
    packed: Vec<u8>,
    table: Vec<u8>,
    entries: u32,
    continues: bool,
    inside_blob: bool,
    range: PackedRange,
}

impl std::fmt::Debug for FrameBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameBuilder")
            .field("plain", &self.plain.len())
            .finish_non_exhaustive()
    }
}

impl FrameBuilder {
    /// An empty builder with its own zstd context.
    ///
    /// # Errors
    /// When zstd cannot make a context (no memory).
    pub fn new() -> Result<Self> {
        let mut compressor = Compressor::new(LEVEL).map_err(|error| zstd_error(&error))?;
        // Content size stays in, so that any zstd tool can read a payload; the frame has a checksum of its own.
        compressor.include_checksum(false).map_err(|error| zstd_error(&error))?;
        Ok(Self {
            compressor,
            plain: Vec::with_capacity(FRAME_LIMIT_BYTES),
            packed: Vec::with_capacity(zstd::zstd_safe::compress_bound(FRAME_LIMIT_BYTES)),
            table: Vec::new(),
            entries: 0,
            continues: false,
            inside_blob: false,
            range: PackedRange::default(),
        })
    }

    /// Adds one blob with its hash and says where in the range it stands.
    ///
    /// # Errors
    /// When zstd fails; the builder is then only good for [`FrameBuilder::discard`].
    pub fn add(&mut self, bytes: &[u8], hash: &Blake3) -> Result<BlobSpan> {
        let span = self.begin(bytes.len() as u64)?;
        self.put(bytes)?;
        self.end(hash, bytes.len() as u64)?;
        Ok(span)
    }

    /// Closes the range and hands it over; the builder is empty again.
    ///
    /// # Errors
    /// When zstd fails; the builder is then only good for [`FrameBuilder::discard`].
    pub fn finish(&mut self) -> Result<PackedRange> {
        self.close_frame()?;
        Ok(std::mem::take(&mut self.range))
    }

    /// Forgets everything added since the last [`FrameBuilder::finish`].
    pub fn discard(&mut self) {
        self.plain.clear();
        self.table.clear();
        self.entries = 0;
        self.continues = false;
        self.inside_blob = false;
        self.range = PackedRange::default();
    }

    /// Gives the buffers of a range that was written back to its builder.
    pub fn recycle(&mut self, mut range: PackedRange) {
        if self.range.is_empty() && self.range.bytes.capacity() < range.bytes.capacity() {
            range.bytes.clear();
            range.starts.clear();
            self.range = PackedRange {
                bytes: range.bytes,
                starts: range.starts,
                ..PackedRange::default()
            };
        }
    }

    /// Begins a blob of about `size` bytes, in a frame of its own when it is large.
    pub(crate) fn begin(&mut self, size: u64) -> Result<BlobSpan> {
        let room = (FRAME_LIMIT_BYTES - self.plain.len()) as u64;
        if size > room {
            self.close_frame()?;
        }
        self.inside_blob = true;
        let frame = u32::try_from(self.range.starts.len());
        let offset = u32::try_from(self.plain.len());
        let (Ok(frame), Ok(offset_in_frame)) = (frame, offset) else {
            return Err(StoreError::internal("a range with more than 2^32 frames"));
        };
        Ok(BlobSpan {
            frame,
            offset_in_frame,
            size,
        })
    }

    /// Adds bytes to the open blob, closing frames as they fill.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        if self.plain.len() + bytes.len() <= FRAME_LIMIT_BYTES {
            self.plain.extend_from_slice(bytes);
            return Ok(());
        }
        while !bytes.is_empty() {
            if self.plain.len() >= FRAME_TARGET_BYTES {
                self.close_frame()?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(FRAME_TARGET_BYTES - self.plain.len()));
            self.plain.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Ends the open blob.
    pub(crate) fn end(&mut self, hash: &Blake3, size: u64) -> Result<()> {
        self.table.extend_from_slice(&hash.half().0);
        put_uint(&mut self.table, size);
        self.entries += 1;
        self.inside_blob = false;
        self.range.blobs += 1;
        if self.plain.len() >= FRAME_TARGET_BYTES {
            self.close_frame()?;
        }
        Ok(())
    }

    /// Hands over the frames closed so far, for a blob that is written while it is read.
    pub(crate) fn take_closed(&mut self) -> PackedRange {
        std::mem::take(&mut self.range)
    }

    fn close_frame(&mut self) -> Result<()> {
        if self.plain.is_empty() && self.entries == 0 {
            return Ok(());
        }
        let size = self
            .compressor
            .compress_to_buffer(&self.plain[..], &mut self.packed)
            .map_err(|error| zstd_error(&error))?;
        // More than 95 % left is not worth unpacking at every look. A separate probe was measured and costs more than it saves:
        // zstd passes over such data several times faster than over text.
        let raw = size as f64 > self.plain.len() as f64 * 0.95;
        let payload = if raw { &self.plain[..] } else { &self.packed[..size] };
        let mut header = FrameHeader {
            codec: if raw { Codec::Raw } else { Codec::Zstd },
            continues: self.continues,
            stored_len: payload.len() as u32,
            plain_len: self.plain.len() as u32,
            table_len: self.table.len() as u32,
            entries: self.entries,
            checksum: [0; 16],
        };
        let head = header.seal(&self.table, payload);
        let out = &mut self.range.bytes;
        self.range.starts.push(out.len() as u64);
        out.reserve(FRAME_HEADER_BYTES + self.table.len() + payload.len());
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.table);
        out.extend_from_slice(payload);
        self.range.plain_bytes += self.plain.len() as u64;
        self.plain.clear();
        self.table.clear();
        self.entries = 0;
        self.continues = self.inside_blob;
        Ok(())
    }
}

fn zstd_error(error: &std::io::Error) -> StoreError {
    StoreError::internal(format!("zstd failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use embley_model::id::hex_encode;

    #[test]
    fn frame_of_format_one_keeps_its_bytes() {
        let mut builder = FrameBuilder::new().unwrap();
        builder.add(b"abc", &Blake3([0x11; 32])).unwrap();
        builder.add(b"", &Blake3([0x22; 32])).unwrap();
        let range = builder.finish().unwrap();
        // magic, raw, not continued, zero; 3 stored, 3 plain, 34 of table, 2 entries; checksum; table; payload.
        let expected = "454d46520000000003000000030000002200000002000000dbcc29b076545b6d20bed0f67af96411";
        let table = format!("{}03{}00", "11".repeat(16), "22".repeat(16));
        let hex = hex_encode(&range.bytes);
        assert_eq!(hex[..48], expected[..48]);
        assert_eq!(hex[80..], format!("{table}616263"));
        assert_eq!(hex[48..80], expected[48..]);
    }
}
