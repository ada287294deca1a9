//! Packs: append-only files that keep every original byte.
//!
//! Layout of `originals/pack-NNNNNN.emp`: one header of 64 bytes, then frames one after the other. A frame holds about 512 KiB
//! of consecutive blobs, as one standard zstd frame or raw, behind a header of 40 bytes with a checksum and a table of the blobs
//! that end in it. A pack can therefore be walked, checked and read without the catalogue; docs/format.md has every field.
//!
//! Not for: deciding what is kept (that is the pipeline's) or where things are (that is the catalogue's). Invariant: bytes before
//! the committed position never change; bytes behind it mean nothing.

mod build;
mod format;
mod read;
mod walk;
mod write;

pub use build::{BlobSpan, FrameBuilder, PackedRange};
pub use format::{FRAME_TARGET_BYTES, PACK_FORMAT, PACK_ROLL_BYTES, pack_file_name, pack_number};
pub use read::PackReader;
pub(crate) use read::check_header;
pub use walk::{BlobEnd, PackWalker, WalkedFrame};
pub(crate) use write::pack_numbers;
pub use write::{PackWriter, StreamedBlob, StreamedBlobWriter};

/// Where a frame stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FramePos {
    /// Number of the pack, from 1.
    pub pack: u32,
    /// Offset of the frame's header in the pack file.
    pub offset: u64,
}

/// An end of what was written: everything before it belongs to the case, everything behind it may be cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackPosition {
    /// Number of the pack being written, from 1; 0 before the first one.
    pub pack: u32,
    /// Length of that pack in bytes.
    pub offset: u64,
}
