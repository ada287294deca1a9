//! Sparse files: pieces of data with holes between them.
//!
//! Not for: making holes on a disk; holes are given as zeros. Main types: [`Map`], [`SparseReader`]. Invariant: pieces are ascending and within the file.
//!
//! Source: GNU tar manual, "Storing Sparse Files": the old format (type `S`) and pax formats 0.0, 0.1 and 1.0.

use std::io::{self, Read};

use embley_model::defect::{Defect, DefectCode};

use super::Input;
use super::header::{BLOCK, Header, Pax, decimal, pieces};

/// Most pieces of one file: 64 MiB of map.
const MAX_PIECES: usize = 1 << 20;

/// Where the data lies.
pub(super) struct Map {
    pieces: Vec<(u64, u64)>,
    real_size: u64,
    /// Bytes of the entry that the map itself takes.
    pub(super) head_bytes: u64,
}

impl Map {
    /// Pieces that descend or overlap cannot be placed: the map ends before them.
    fn new(mut pieces: Vec<(u64, u64)>, real_size: Option<u64>, head_bytes: u64, defects: &mut Vec<Defect>) -> Self {
        let mut end = 0_u64;
        let mut good = 0;
        for (offset, length) in &pieces {
            match offset.checked_add(*length) {
                Some(next) if *offset >= end => end = next,
                _ => break,
            }
            good += 1;
        }
        if good < pieces.len() {
            pieces.truncate(good);
            defects.push(Defect::new(
                DefectCode::ArchiveMember,
                "its map of holes contradicts itself",
            ));
        }
        let real_size = match real_size {
            Some(size) if size >= end => size,
            Some(_) => {
                defects.push(Defect::new(
                    DefectCode::ArchiveStructure,
                    "its map of holes goes beyond its size",
                ));
                end
            }
            None => end,
        };
        Self {
            pieces,
            real_size,
            head_bytes,
        }
    }
}

/// The map of type `S`: in the header and in blocks behind it, which do not count as content.
pub(super) fn old_gnu(header: &Header<'_>, input: &mut Input<'_>, defects: &mut Vec<Defect>) -> Map {
    let (mut list, real_size, mut more) = header.gnu_sparse();
    while more && list.len() < MAX_PIECES {
        let Ok(super::Next::Block(block)) = input.block() else {
            defects.push(Defect::new(DefectCode::ArchiveTruncated, "its map of holes is cut"));
            break;
        };
        list.extend(pieces(&block[..504]));
        more = block[504] != 0;
    }
    Map::new(list, real_size, 0, defects)
}

/// The map of a pax header, if it has one.
pub(super) fn pax(pax: &Pax, input: &mut Input<'_>, defects: &mut Vec<Defect>) -> Option<Map> {
    let real_size = pax
        .number("GNU.sparse.realsize")
        .or_else(|| pax.number("GNU.sparse.size"));
    if pax.get("GNU.sparse.major") == Some(b"1") {
        let start = input.at;
        let list = numbered(input);
        let head_bytes = input.at - start;
        let Some(list) = list else {
            defects.push(Defect::new(
                DefectCode::ArchiveMember,
                "its map of holes cannot be read",
            ));
            return Some(Map::new(Vec::new(), real_size, head_bytes, defects));
        };
        return Some(Map::new(list, real_size, head_bytes, defects));
    }
    if pax.pieces.is_empty() && real_size.is_none() {
        return None;
    }
    Some(Map::new(pax.pieces.clone(), real_size, 0, defects))
}

/// Format 1.0: decimal numbers in lines before the data, filled up to a block.
fn numbered(input: &mut Input<'_>) -> Option<Vec<(u64, u64)>> {
    let mut text: Vec<u8> = Vec::new();
    let mut place = 0;
    let mut number = |input: &mut Input<'_>| -> Option<u64> {
        loop {
            if let Some(end) = text[place..].iter().position(|byte| *byte == b'\n') {
                let value = decimal(&text[place..place + end]);
                place += end + 1;
                return value;
            }
            if text.len() - place > 40 {
                return None;
            }
            let Ok(super::Next::Block(block)) = input.block() else {
                return None;
            };
            text.drain(..place);
            place = 0;
            text.extend_from_slice(&block[..BLOCK]);
        }
    };
    let count = number(input)?;
    let mut list = Vec::new();
    for _ in 0..count {
        if list.len() >= MAX_PIECES {
            return None;
        }
        list.push((number(input)?, number(input)?));
    }
    Some(list)
}

/// Data and zeros in their places.
pub(super) struct SparseReader<'a, R> {
    map: Map,
    piece: usize,
    at: u64,
    data: &'a mut R,
}

impl<'a, R: Read> SparseReader<'a, R> {
    pub(super) fn new(map: Map, data: &'a mut R) -> Self {
        Self {
            map,
            piece: 0,
            at: 0,
            data,
        }
    }
}

impl<R: Read> Read for SparseReader<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let (start, end) = match self.map.pieces.get(self.piece) {
                Some((offset, length)) => (*offset, offset + length),
                None => (self.map.real_size, self.map.real_size),
            };
            if self.at >= end && self.piece < self.map.pieces.len() {
                self.piece += 1;
                continue;
            }
            let (limit, hole) = if self.at < start { (start, true) } else { (end, false) };
            let most = usize::try_from(limit - self.at).map_or(buf.len(), |left| left.min(buf.len()));
            if most == 0 {
                return Ok(0);
            }
            let count = if hole {
                buf[..most].fill(0);
                most
            } else {
                match self.data.read(&mut buf[..most])? {
                    0 => {
                        let text = format!("its data end {} bytes early", end - self.at);
                        return Err(super::fault::error(DefectCode::ArchiveTruncated, text));
                    }
                    count => count,
                }
            };
            self.at += count as u64;
            return Ok(count);
        }
    }
}
