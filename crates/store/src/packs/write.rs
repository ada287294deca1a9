//! Appending ranges to packs, in order, by the holder of the case lock.
//!
//! Invariant: the position only moves over bytes that were written whole; [`PackWriter::sync`] returns a position only when all
//! bytes before it are durable.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embley_model::failpoint;
use embley_model::id::{Blake3, Key128};

use super::build::FrameBuilder;
use super::format::{PACK_HEADER_BYTES, PACK_ROLL_BYTES, PackHeader, pack_file_name, pack_number};
use super::{FramePos, PackPosition, PackedRange};
use crate::catalogue::BlobPlaceRow;
use crate::disk::{Disk, DiskFile};
use crate::error::{Result, StoreError};

/// The one writer of a case's packs.
#[derive(Debug)]
pub struct PackWriter {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    case_id: Key128,
    roll_bytes: u64,
    position: PackPosition,
    file: Option<Box<dyn DiskFile>>,
    dirty: bool,
    /// A sync failed: the kernel may have dropped pages, so nothing written since the last good sync can be relied on.
    failed: bool,
}

impl PackWriter {
    /// Opens at the committed position and cuts whatever stands behind it. The caller holds the case lock.
    ///
    /// # Errors
    /// When a pack is shorter than committed, has a damaged or foreign header, or the disk refuses. Nothing is cut then.
    pub(crate) fn open(disk: Arc<dyn Disk>, folder: &Path, case_id: Key128, committed: PackPosition) -> Result<Self> {
        let mut writer = Self {
            disk,
            folder: folder.to_owned(),
            case_id,
            roll_bytes: PACK_ROLL_BYTES,
            position: committed,
            file: None,
            dirty: false,
            failed: false,
        };
        if committed.pack > 0 {
            writer.file = Some(writer.open_committed(committed)?);
        }
        writer.remove_later_packs(committed.pack)?;
        Ok(writer)
    }

    /// Where the next frame will stand, if the pack does not roll over before it.
    pub fn position(&self) -> PackPosition {
        self.position
    }

    /// Writes the frames of a range behind everything before it and says where each stands. Nothing is durable yet.
    ///
    /// # Errors
    /// When the disk refuses. The position has not moved; the range may be appended again.
    pub fn append(&mut self, range: &PackedRange) -> Result<Vec<FramePos>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.roll_if_full()?;
        self.append_here(range)
    }

    /// Returns once everything appended is durable.
    ///
    /// # Errors
    /// When the disk refuses. The writer then refuses everything until the case is opened again, because what the disk kept
    /// is unknown; bytes behind the committed position are cut and written again then.
    pub fn sync(&mut self) -> Result<PackPosition> {
        self.refuse_after_failure()?;
        if self.dirty {
            let path = self.path(self.position.pack);
            if let Some(file) = &mut self.file
                && let Err(error) = file.sync()
            {
                self.failed = true;
                return Err(StoreError::io("sync", &path, error));
            }
            self.dirty = false;
        }
        // If we stop here: the frames are durable, and no catalogue row speaks of them. The next writer cuts them and the
        // ranges are read again.
        failpoint::pass("pack-sync").map_err(|error| self.error("sync", error))?;
        Ok(self.position)
    }

    /// Begins a blob that is too large to hold: its frames are appended while it is read.
    ///
    /// # Errors
    /// When the disk refuses to begin a new pack.
    pub fn begin_blob<'a>(&'a mut self, builder: &'a mut FrameBuilder) -> Result<StreamedBlobWriter<'a>> {
        self.roll_if_full()?;
        let start = self.position;
        builder.discard();
        builder.begin(0)?;
        let place = BlobPlaceRow::Pack {
            pack: start.pack,
            frame_offset: start.offset,
            offset_in_frame: 0,
        };
        Ok(StreamedBlobWriter {
            writer: self,
            builder,
            hasher: blake3::Hasher::new(),
            size: 0,
            start,
            place,
        })
    }

    /// Lets packs roll over earlier, for tests that want several small ones.
    pub fn roll_at(&mut self, bytes: u64) {
        self.roll_bytes = bytes.max(PACK_HEADER_BYTES);
    }

    fn append_here(&mut self, range: &PackedRange) -> Result<Vec<FramePos>> {
        self.refuse_after_failure()?;
        let path = self.path(self.position.pack);
        let Some(file) = &mut self.file else {
            return Err(StoreError::internal("no pack is open"));
        };
        self.dirty = true;
        let offset = self.position.offset;
        file.write_all_at(&range.bytes, offset)
            .map_err(|error| StoreError::io("write", &path, error))?;
        // If we stop here: a tail of the pack that nothing speaks of, whole or in part. The next writer cuts it.
        failpoint::pass("pack-append").map_err(|error| self.error("write", error))?;
        let pack = self.position.pack;
        self.position.offset += range.stored_bytes();
        Ok(range
            .starts
            .iter()
            .map(|start| FramePos {
                pack,
                offset: offset + start,
            })
            .collect())
    }

    fn roll_if_full(&mut self) -> Result<()> {
        self.refuse_after_failure()?;
        if self.file.is_some() && self.position.offset < self.roll_bytes {
            return Ok(());
        }
        if self.dirty {
            self.sync()?;
        }
        let number = self.position.pack + 1;
        let path = self.path(number);
        // A leftover can only be from an attempt of this same writer that failed below.
        self.disk
            .remove_file(&path)
            .map_err(|error| StoreError::io("remove", &path, error))?;
        let mut file = self
            .disk
            .create_new(&path)
            .map_err(|error| StoreError::io("create", &path, error))?;
        let header = PackHeader {
            number,
            case_id: self.case_id,
        }
        .to_bytes();
        file.write_all_at(&header, 0)
            .map_err(|error| StoreError::io("write", &path, error))?;
        // If we stop here: a pack file beyond the committed position, removed by the next writer.
        self.file = Some(file);
        self.position = PackPosition {
            pack: number,
            offset: PACK_HEADER_BYTES,
        };
        self.dirty = true;
        Ok(())
    }

    fn open_committed(&self, committed: PackPosition) -> Result<Box<dyn DiskFile>> {
        let path = self.path(committed.pack);
        super::read::check_header(&path, committed.pack, self.case_id)?;
        let mut file = self
            .disk
            .open_write(&path)
            .map_err(|error| StoreError::io("open", &path, error))?;
        let len = file
            .len()
            .map_err(|error| StoreError::io("read the length of", &path, error))?;
        if len < committed.offset {
            return Err(StoreError::damaged(
                path.display().to_string(),
                format!("offset {len}"),
                format!(
                    "the pack ends here, but the catalogue was committed up to {}",
                    committed.offset
                ),
            ));
        }
        if len > committed.offset {
            file.set_len(committed.offset)
                .map_err(|error| StoreError::io("cut the tail of", &path, error))?;
            file.sync().map_err(|error| StoreError::io("sync", &path, error))?;
        }
        Ok(file)
    }

    fn remove_later_packs(&self, last: u32) -> Result<()> {
        for number in pack_numbers(&self.folder)? {
            if number > last {
                let path = self.path(number);
                self.disk
                    .remove_file(&path)
                    .map_err(|error| StoreError::io("remove", &path, error))?;
            }
        }
        Ok(())
    }

    /// Takes the position back over bytes that turned out not to be wanted.
    fn rewind(&mut self, to: PackPosition) -> Result<()> {
        let path = self.path(to.pack);
        if let Some(file) = &mut self.file {
            file.set_len(to.offset)
                .map_err(|error| StoreError::io("cut the tail of", &path, error))?;
        }
        self.position = to;
        Ok(())
    }

    fn refuse_after_failure(&self) -> Result<()> {
        if self.failed {
            let error = std::io::Error::other("an earlier sync failed; open the case again");
            return Err(self.error("write", error));
        }
        Ok(())
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(pack_file_name(number))
    }

    fn error(&self, doing: &'static str, source: std::io::Error) -> StoreError {
        StoreError::io(doing, &self.path(self.position.pack), source)
    }
}

/// A blob on its way into the packs, piece by piece. Dropping it without [`StreamedBlobWriter::finish`] leaves frames that
/// nothing speaks of; use [`StreamedBlobWriter::abort`] to take them back.
#[derive(Debug)]
pub struct StreamedBlobWriter<'a> {
    writer: &'a mut PackWriter,
    builder: &'a mut FrameBuilder,
    hasher: blake3::Hasher,
    size: u64,
    start: PackPosition,
    place: BlobPlaceRow,
}

/// A blob that was written while it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedBlob {
    /// Where it stands.
    pub place: BlobPlaceRow,
    /// BLAKE3 of what was written; the caller compares it with what it hashed before.
    pub blake3: Blake3,
    /// Length in bytes.
    pub size: u64,
}

impl StreamedBlobWriter<'_> {
    /// Adds a piece.
    ///
    /// # Errors
    /// When the disk refuses; then [`StreamedBlobWriter::abort`].
    pub fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.hasher.update(piece);
        self.size += piece.len() as u64;
        self.builder.put(piece)?;
        self.append_closed()
    }

    /// Ends the blob and says where it stands.
    ///
    /// # Errors
    /// When the disk refuses; frames may have been appended that nothing speaks of.
    pub fn finish(self) -> Result<StreamedBlob> {
        let blake3 = Blake3(*self.hasher.finalize().as_bytes());
        self.builder.end(&blake3, self.size)?;
        let last = self.builder.finish()?;
        if !last.is_empty() {
            self.writer.append_here(&last)?;
        }
        Ok(StreamedBlob {
            place: self.place,
            blake3,
            size: self.size,
        })
    }

    /// Takes back what was written.
    ///
    /// # Errors
    /// When the disk refuses to cut; opening the case again does it then.
    pub fn abort(self) -> Result<()> {
        self.builder.discard();
        self.writer.rewind(self.start)
    }

    fn append_closed(&mut self) -> Result<()> {
        let closed = self.builder.take_closed();
        if closed.is_empty() {
            return Ok(());
        }
        self.writer.append_here(&closed)?;
        self.builder.recycle(closed);
        Ok(())
    }
}

/// Numbers of the packs in a folder, ascending.
pub(crate) fn pack_numbers(folder: &Path) -> Result<Vec<u32>> {
    let entries = std::fs::read_dir(folder).map_err(|error| StoreError::io("list", folder, error))?;
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::io("list", folder, error))?;
        numbers.extend(entry.file_name().to_str().and_then(pack_number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
