//! Reading blobs back, each frame checked against its checksum before a byte of it is believed.
//!
//! Invariant: never writes, never maps a file, and holds at most a few MiB of frames.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use embley_model::id::Key128;
use zstd::bulk::Decompressor;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::format::{
    Codec, FRAME_HEADER_BYTES, FRAME_LIMIT_BYTES, FrameHeader, PACK_HEADER_BYTES, PackHeader, pack_file_name,
};
use crate::catalogue::BlobPlaceRow;
use crate::error::{Result, StoreError};

const CACHED_FRAMES: usize = 24;
/// Blobs above this size pass by the cache, so that one large message does not empty it.
const CACHED_BLOB_BYTES: u64 = 4 << 20;

struct CachedFrame {
    pack: u32,
    offset: u64,
    next_offset: u64,
    /// The plain bytes, or a beginning of them that was enough.
    plain: Arc<Vec<u8>>,
    whole: bool,
    used: u64,
}

/// What was read of a frame.
struct Loaded {
    plain: Vec<u8>,
    whole: bool,
    next_offset: u64,
}

/// Reads blobs from the packs of one case. One a thread; cheap to make.
pub struct PackReader {
    folder: PathBuf,
    case_id: Key128,
    files: Vec<(u32, File)>,
    cache: Vec<CachedFrame>,
    clock: u64,
    frames_read: u64,
    stored: Vec<u8>,
    decompressor: Decompressor<'static>,
    /// For frames of which only a beginning is wanted.
    beginner: Decoder<'static>,
    /// Frames are read in order, each for many blobs: always whole.
    whole_frames: bool,
}

impl std::fmt::Debug for PackReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackReader")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl PackReader {
    /// A reader over the pack folder of a case. Opens nothing yet.
    ///
    /// # Errors
    /// When zstd cannot make a context (no memory).
    pub(crate) fn open(folder: &Path, case_id: Key128) -> Result<Self> {
        let decompressor =
            Decompressor::new().map_err(|error| StoreError::internal(format!("zstd failed: {error}")))?;
        Ok(Self {
            folder: folder.to_owned(),
            case_id,
            files: Vec::new(),
            cache: Vec::new(),
            clock: 0,
            frames_read: 0,
            stored: Vec::new(),
            decompressor,
            beginner: Decoder::new().map_err(|error| StoreError::internal(format!("zstd failed: {error}")))?,
            whole_frames: false,
        })
    }

    /// Says that blobs will be asked for in the order of the packs, many to a frame: every frame is unpacked once and whole.
    pub fn in_order(&mut self) {
        self.whole_frames = true;
    }

    /// The bytes of a blob that stands in a pack.
    ///
    /// # Errors
    /// When the place is derived (see [`crate::Originals`]), a pack is missing or a frame is damaged.
    pub fn read_blob(&mut self, place: &BlobPlaceRow, size: u64) -> Result<Vec<u8>> {
        let wanted = usize::try_from(size).map_err(|_| StoreError::internal("a blob larger than memory"))?;
        // The size is believed for reservation only as far as a frame goes; the rest grows as bytes arrive.
        let mut out = Vec::with_capacity(wanted.min(FRAME_LIMIT_BYTES));
        self.read_blob_to(place, size, &mut out)?;
        Ok(out)
    }

    /// Writes the bytes of a blob to `out`, a frame at a time.
    ///
    /// # Errors
    /// As [`PackReader::read_blob`], and when `out` refuses; a part may have been written.
    pub fn read_blob_to(&mut self, place: &BlobPlaceRow, size: u64, out: &mut dyn Write) -> Result<()> {
        let BlobPlaceRow::Pack {
            pack,
            frame_offset,
            offset_in_frame,
        } = place
        else {
            return Err(StoreError::internal("a derived blob has no bytes of its own in a pack"));
        };
        let (mut offset, mut skip, mut left) = (*frame_offset, *offset_in_frame as usize, size);
        let keep = size <= CACHED_BLOB_BYTES;
        while left > 0 {
            let needed = skip.saturating_add(usize::try_from(left).unwrap_or(usize::MAX));
            let (plain, next) = self.frame(*pack, offset, keep, needed)?;
            let available = plain.get(skip..).unwrap_or_default();
            if available.is_empty() {
                return Err(self.damaged(*pack, offset, "a blob was catalogued beyond the end of this frame"));
            }
            let now = available.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            out.write_all(&available[..now])
                .map_err(|error| self.output_error(*pack, error))?;
            left -= now as u64;
            offset = next;
            skip = 0;
        }
        Ok(())
    }

    /// How many frames were read from disk; cached ones are not counted again.
    pub fn frames_read(&self) -> u64 {
        self.frames_read
    }

    /// The plain bytes of the frame at an offset, at least the first `needed` as far as it has them, and the offset of the
    /// next frame. A frame is unpacked only as far as somebody asks: half of it, on average, for one message.
    fn frame(&mut self, pack: u32, offset: u64, keep: bool, needed: usize) -> Result<(Arc<Vec<u8>>, u64)> {
        self.clock += 1;
        let clock = self.clock;
        if let Some(hit) = self
            .cache
            .iter_mut()
            .find(|one| one.pack == pack && one.offset == offset && (one.whole || one.plain.len() >= needed))
        {
            hit.used = clock;
            return Ok((Arc::clone(&hit.plain), hit.next_offset));
        }
        // Asked for again and further: then all of it.
        let before = self.cache.len();
        self.cache.retain(|one| one.pack != pack || one.offset != offset);
        let needed = if self.cache.len() < before { usize::MAX } else { needed };
        let Loaded {
            plain,
            whole,
            next_offset,
        } = self.load(pack, offset, needed)?;
        let plain = Arc::new(plain);
        if keep {
            if self.cache.len() >= CACHED_FRAMES
                && let Some(oldest) = (0..self.cache.len()).min_by_key(|at| self.cache[*at].used)
            {
                self.cache.swap_remove(oldest);
            }
            self.cache.push(CachedFrame {
                pack,
                offset,
                next_offset,
                plain: Arc::clone(&plain),
                whole,
                used: clock,
            });
        }
        Ok((plain, next_offset))
    }

    fn load(&mut self, pack: u32, offset: u64, needed: usize) -> Result<Loaded> {
        let at = self.file(pack)?;
        let (file, path) = (&self.files[at].1, self.folder.join(pack_file_name(pack)));
        let damaged =
            |detail: &str| StoreError::damaged(path.display().to_string(), format!("offset {offset}"), detail);
        let mut head = [0; FRAME_HEADER_BYTES];
        read_all_at(file, &mut head, offset, &path)?;
        let header = FrameHeader::from_bytes(&head).map_err(damaged)?;
        self.stored
            .resize(header.table_len as usize + header.stored_len as usize, 0);
        read_all_at(file, &mut self.stored, offset + FRAME_HEADER_BYTES as u64, &path)
            .map_err(|error| reaches_too_far(error, &path, offset))?;
        let (table, payload) = self.stored.split_at(header.table_len as usize);
        if !header.agrees(table, payload) {
            return Err(damaged("the frame does not agree with its checksum"));
        }
        self.frames_read += 1;
        let next_offset = offset + header.frame_len();
        let plain_len = header.plain_len as usize;
        if !self.whole_frames && needed < plain_len / 4 * 3 && matches!(header.codec, Codec::Zstd) {
            let plain = unpack_beginning(&mut self.beginner, payload, needed).map_err(damaged)?;
            return Ok(Loaded {
                plain,
                whole: false,
                next_offset,
            });
        }
        let plain = unpack(&mut self.decompressor, &header, payload).map_err(damaged)?;
        Ok(Loaded {
            plain,
            whole: true,
            next_offset,
        })
    }

    fn file(&mut self, pack: u32) -> Result<usize> {
        if let Some(at) = self.files.iter().position(|(number, _)| *number == pack) {
            return Ok(at);
        }
        let path = self.folder.join(pack_file_name(pack));
        let file = check_header(&path, pack, self.case_id)?;
        self.files.push((pack, file));
        Ok(self.files.len() - 1)
    }

    fn damaged(&self, pack: u32, offset: u64, detail: &str) -> StoreError {
        let path = self.folder.join(pack_file_name(pack));
        StoreError::damaged(path.display().to_string(), format!("offset {offset}"), detail)
    }

    fn output_error(&self, pack: u32, error: io::Error) -> StoreError {
        StoreError::io("copy a blob out of", &self.folder.join(pack_file_name(pack)), error)
    }
}

/// Opens a pack for reading after checking its header: magic, format, checksum, number and case.
pub(crate) fn check_header(path: &Path, number: u32, case_id: Key128) -> Result<File> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::damaged(
                path.display().to_string(),
                "the whole file",
                "the pack is missing",
            ));
        }
        Err(error) => return Err(StoreError::io("open", path, error)),
    };
    let mut bytes = [0; PACK_HEADER_BYTES as usize];
    read_all_at(&file, &mut bytes, 0, path)?;
    let header = PackHeader::from_bytes(&bytes, path)?;
    if header.number != number {
        let detail = format!("the pack says that it is number {}", header.number);
        return Err(StoreError::damaged(path.display().to_string(), "offset 12", detail));
    }
    if header.case_id != case_id {
        return Err(StoreError::damaged(
            path.display().to_string(),
            "offset 16",
            "the pack belongs to another case",
        ));
    }
    Ok(file)
}

/// The plain bytes of a payload that agreed with its checksum.
pub(crate) fn unpack(
    decompressor: &mut Decompressor<'static>,
    header: &FrameHeader,
    payload: &[u8],
) -> std::result::Result<Vec<u8>, &'static str> {
    let plain = match header.codec {
        Codec::Raw => payload.to_vec(),
        Codec::Zstd => decompressor
            .decompress(payload, header.plain_len as usize)
            .map_err(|_| "the frame cannot be decompressed")?,
    };
    if plain.len() != header.plain_len as usize {
        return Err("the frame holds another number of bytes than it says");
    }
    Ok(plain)
}

/// The first `needed` plain bytes of a zstd payload that agreed with its checksum.
fn unpack_beginning(
    decoder: &mut Decoder<'static>,
    payload: &[u8],
    needed: usize,
) -> std::result::Result<Vec<u8>, &'static str> {
    const BROKEN: &str = "the frame cannot be decompressed";
    decoder.reinit().map_err(|_| BROKEN)?;
    let mut plain = vec![0; needed];
    let mut input = InBuffer::around(payload);
    let mut output = OutBuffer::around(&mut plain[..]);
    while output.pos() < needed {
        let before = (input.pos(), output.pos());
        decoder.run(&mut input, &mut output).map_err(|_| BROKEN)?;
        if before == (input.pos(), output.pos()) {
            return Err("the frame holds another number of bytes than it says");
        }
    }
    Ok(plain)
}

/// Names the frame when its payload ends early: its header may say too much.
pub(crate) fn reaches_too_far(error: StoreError, path: &Path, offset: u64) -> StoreError {
    match error {
        StoreError::Damaged { .. } => StoreError::damaged(
            path.display().to_string(),
            format!("offset {offset}"),
            "the frame reaches beyond the end of the pack",
        ),
        other => other,
    }
}

/// Reads exactly, saying a short file as damage and a refusing disk as an I/O error.
pub(crate) fn read_all_at(file: &File, buf: &mut [u8], offset: u64, path: &Path) -> Result<()> {
    match file.read_exact_at(buf, offset) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(StoreError::damaged(
            path.display().to_string(),
            format!("offset {offset}"),
            "the pack ends inside what was catalogued",
        )),
        Err(error) => Err(StoreError::io("read", path, error)),
    }
}
