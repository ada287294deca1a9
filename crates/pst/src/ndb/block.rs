//! Blocks: data, checked against their trailer, unpacked, and with the obfuscation undone ([MS-PST] section 2.2.2.8).
//!
//! Main type: [`Block`]. Invariant: a block is never longer than its entry in the block tree says.

use std::io::Read;

use embley_model::defect::{Defect, DefectCode};

use super::checksum::{crc, signature};
use super::header::{Header, Layout};
use super::page::BlockRef;
use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::read::{ReadAt, read_full};

/// The data of a block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) defects: Vec<Defect>,
}

/// True for blocks that hold lists of blocks or nodes ([MS-PST] section 2.2.2.2).
pub(crate) fn is_internal(id: u64) -> bool {
    id & 2 != 0
}

impl Block {
    /// Reads and decodes a block.
    pub(crate) fn read(
        source: &dyn ReadAt,
        header: &Header,
        layout: Layout,
        place: BlockRef,
    ) -> Result<Self, PstError> {
        let damaged = |why| PstError::Block {
            block: place.id,
            offset: place.offset,
            why,
        };
        let span = layout.block_span(place.stored);
        let mut bytes = vec![0u8; span];
        let length = read_full(source, &mut bytes, place.offset)?;
        let mut defects = Vec::new();
        if length < place.stored {
            if length == 0 {
                return Err(damaged("it lies beyond the end of the file"));
            }
            let detail = format!(
                "block {:#x} at {:#x} is cut by the end of the file",
                place.id, place.offset
            );
            defects.push(Defect::new(DefectCode::PstTruncated, detail));
        } else if length < span {
            let detail = format!("the trailer of block {:#x} is cut by the end of the file", place.id);
            defects.push(Defect::new(DefectCode::PstTruncated, detail));
        } else {
            let trailer = &bytes[span - layout.block_trailer..];
            if is_other(trailer, layout, place) {
                return Err(damaged("another block was written there later"));
            }
            if let Some(what) = wrong(trailer, &bytes[..place.stored], layout, place) {
                let detail = format!("{what} of block {:#x} at {:#x}", place.id, place.offset);
                defects.push(Defect::new(DefectCode::PstChecksum, detail));
            }
        }
        bytes.truncate(length.min(place.stored));
        let is_data = !is_internal(place.id);
        if place.unpacked != place.stored && place.unpacked != 0 {
            bytes =
                unpack(bytes, header, is_data, place, &mut defects).ok_or_else(|| damaged("it cannot be unpacked"))?;
        } else if is_data {
            header.crypt.decode(&mut bytes, place.id);
        }
        Ok(Self { bytes, defects })
    }

    /// Bytes that the block takes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len() + 128
    }
}

/// What the trailer contradicts ([MS-PST] section 2.2.2.8.1).
fn wrong(trailer: &[u8], data: &[u8], layout: Layout, place: BlockRef) -> Option<&'static str> {
    let (crc_at, id_at) = if layout.wide { (4, 8) } else { (8, 4) };
    if u16_at(trailer, 0).map(usize::from) != Some(place.stored) {
        return Some("stated length");
    }
    if layout.id_at(trailer, id_at).map(|id| id & !1) != Some(place.id) {
        return Some("identifier");
    }
    if u32_at(trailer, crc_at) != Some(crc(data)) {
        return Some("checksum");
    }
    let stored = u16_at(trailer, 2)?;
    // The lowest bit of the identifier may be set in the file; the signature is made from what is there.
    let id = layout.id_at(trailer, id_at)?;
    (stored != signature(place.offset, id)).then_some("signature")
}

/// True when the trailer is that of another block, and by its signature belongs where it lies: to take its data for those of the
/// block that is asked for would put words into a message that were never there.
fn is_other(trailer: &[u8], layout: Layout, place: BlockRef) -> bool {
    let id_at = if layout.wide { 8 } else { 4 };
    let id = layout.id_at(trailer, id_at).unwrap_or(0);
    id != 0 && id & !1 != place.id && u16_at(trailer, 2) == Some(signature(place.offset, id))
}

/// Inflates a compressed block (pages of 4096 bytes only). Data are compressed last, so the stream is found first; blocks in the
/// other order are tried too.
fn unpack(
    bytes: Vec<u8>,
    header: &Header,
    is_data: bool,
    place: BlockRef,
    defects: &mut Vec<Defect>,
) -> Option<Vec<u8>> {
    let mut out = inflate(&bytes, place.unpacked);
    if is_data {
        if out.is_empty() {
            let mut plain = bytes;
            header.crypt.decode(&mut plain, place.id);
            out = inflate(&plain, place.unpacked);
        } else {
            header.crypt.decode(&mut out, place.id);
        }
    }
    if out.is_empty() {
        return None;
    }
    if out.len() != place.unpacked {
        let detail = format!(
            "block {:#x} unpacks to {} bytes, not {}",
            place.id,
            out.len(),
            place.unpacked
        );
        defects.push(Defect::new(DefectCode::PstStructure, detail));
    }
    Some(out)
}

/// What can be inflated, up to `most` bytes; empty when the bytes are no zlib stream.
fn inflate(bytes: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(bytes).take(most as u64);
    let mut piece = [0u8; 4096];
    // An error ends the stream: what came before it is used, and its length says that it is not whole.
    while let Ok(count @ 1..) = reader.read(&mut piece) {
        out.extend_from_slice(&piece[..count]);
    }
    out
}
