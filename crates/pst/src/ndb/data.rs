//! Data trees: the blocks that make up the data of a node ([MS-PST] section 2.2.2.8.3.2).
//!
//! Main type: [`DataTree`]. Invariant: a block is listed once; bytes that are lost are replaced by zeros where their number is known, so
//! that what follows keeps its place.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use embley_model::defect::DefectCode;

use super::block::{Block, is_internal};
use super::tree::Ndb;
use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::log::Log;

/// The blocks of a node's data, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataTree {
    /// Identifiers; 0 stands for a block whose identifier is lost.
    pub(crate) blocks: Vec<u64>,
    /// Bytes, as a list of blocks states them.
    stated: Option<u64>,
}

/// What reading a data tree came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Bytes handed on.
    pub(crate) bytes: u64,
    /// Of these, zeros in place of what is lost.
    pub(crate) lost: u64,
    /// Blocks met.
    blocks: usize,
}

/// The bytes of one block of a data tree.
pub(crate) enum Piece {
    Block(Arc<Block>),
    /// Zeros in place of what is lost.
    Lost(Vec<u8>),
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Block(block) => &block.bytes,
            Self::Lost(zeros) => zeros,
        }
    }
}

impl DataTree {
    /// The blocks below `id`; 0 for no data.
    ///
    /// # Errors
    /// The list of blocks cannot be read.
    pub(crate) fn open(ndb: &Ndb, id: u64, log: &mut Log) -> Result<Self, PstError> {
        if id & !1 == 0 {
            return Ok(Self::default());
        }
        if !is_internal(id) {
            return Ok(Self {
                blocks: vec![id],
                stated: None,
            });
        }
        let list = List::read(ndb, id, log)?;
        let mut tree = Self {
            blocks: Vec::new(),
            stated: Some(list.stated),
        };
        if list.level == 1 {
            tree.blocks = list.ids;
        } else {
            let full = ndb.layout.block_data.saturating_sub(8) / ndb.layout.id_bytes();
            let most = usize::try_from(list.stated).unwrap_or(0) / ndb.layout.block_data + 1;
            let count = list.ids.len();
            for (index, id) in list.ids.into_iter().enumerate() {
                match List::read(ndb, id, log) {
                    Ok(part) if part.level == 1 => tree.blocks.extend(part.ids),
                    Ok(_) => log.add(
                        DefectCode::PstStructure,
                        format!("list of blocks {id:#x} has an impossible level"),
                    ),
                    Err(error) => {
                        log.lost("list of blocks", &error);
                        if index + 1 < count {
                            let room = most.saturating_sub(tree.blocks.len()).min(full);
                            tree.blocks.extend(std::iter::repeat_n(0, room));
                        }
                    }
                }
            }
        }
        let mut seen = HashSet::new();
        let before = tree.blocks.len();
        tree.blocks.retain(|id| *id == 0 || seen.insert(*id & !1));
        if tree.blocks.len() < before {
            let detail = format!("list of blocks {id:#x} lists a block twice");
            log.add(DefectCode::PstStructure, detail);
        }
        Ok(tree)
    }

    /// Bytes of all blocks together, as the block tree has them; of a block that is lost, what a full one holds.
    pub(crate) fn length(&self, ndb: &Ndb, log: &mut Log) -> u64 {
        let mut sum = 0u64;
        for (index, id) in self.blocks.iter().enumerate() {
            sum += match ndb.block_ref(*id, log) {
                Ok(place) => place.unpacked.max(usize::from(place.unpacked == 0) * place.stored) as u64,
                Err(_) => self.gap(ndb, index, sum),
            };
        }
        sum
    }

    /// Bytes that a lost block held.
    fn gap(&self, ndb: &Ndb, index: usize, before: u64) -> u64 {
        let full = ndb.layout.block_data as u64;
        if index + 1 < self.blocks.len() {
            return full;
        }
        self.stated.map_or(0, |stated| stated.saturating_sub(before).min(full))
    }

    /// Hands on the data block by block until `each` says no.
    ///
    /// # Errors
    /// Those of `each`. Blocks that cannot be read are said and replaced by zeros.
    pub(crate) fn for_each<E>(
        &self,
        ndb: &Ndb,
        log: &mut Log,
        mut each: impl FnMut(&[u8]) -> Result<bool, E>,
    ) -> Result<Reading, E> {
        let mut reading = Reading::default();
        while let Some(piece) = self.piece(ndb, log, &mut reading) {
            if !each(&piece)? {
                return Ok(reading);
            }
        }
        Ok(reading)
    }

    /// The next block; `None` behind the last one. Blocks that cannot be read are said and replaced by zeros.
    pub(crate) fn piece(&self, ndb: &Ndb, log: &mut Log, reading: &mut Reading) -> Option<Piece> {
        let index = reading.blocks;
        let Some(id) = self.blocks.get(index) else {
            if self.stated.is_some_and(|stated| stated != reading.bytes) {
                let detail = format!(
                    "data of {} bytes, where {} are stated",
                    reading.bytes,
                    self.stated.unwrap_or(0)
                );
                log.add(DefectCode::PstStructure, detail);
            }
            return None;
        };
        reading.blocks += 1;
        Some(match ndb.block(*id, log) {
            Ok(block) => {
                reading.bytes += block.bytes.len() as u64;
                Piece::Block(block)
            }
            Err(error) => {
                let gap = self.gap(ndb, index, reading.bytes);
                let detail = format!("{gap} bytes from position {} on are lost: {error}", reading.bytes);
                log.add(DefectCode::PstStructure, detail);
                reading.bytes += gap;
                reading.lost += gap;
                // No more than a full block.
                Piece::Lost(vec![0; usize::try_from(gap).unwrap_or(0)])
            }
        })
    }

    /// Up to `most` bytes of the data.
    pub(crate) fn read(&self, ndb: &Ndb, most: u64, log: &mut Log) -> Vec<u8> {
        let mut out = Vec::new();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let done: Result<_, std::convert::Infallible> = self.for_each(ndb, log, |bytes| {
            out.extend_from_slice(&bytes[..bytes.len().min(most - out.len())]);
            Ok(out.len() < most)
        });
        let Ok(_) = done;
        out
    }
}

/// `XBLOCK` or `XXBLOCK`.
struct List {
    level: u8,
    stated: u64,
    ids: Vec<u64>,
}

impl List {
    fn read(ndb: &Ndb, id: u64, log: &mut Log) -> Result<Self, PstError> {
        let block = ndb.block(id, log)?;
        let damaged = |why| PstError::Structure {
            what: "list of blocks",
            why,
        };
        let bytes = &block.bytes;
        let level = match bytes.get(..2) {
            Some([1, level @ 1..=2]) => *level,
            Some(_) => return Err(damaged("it has another type")),
            None => return Err(damaged("it is cut")),
        };
        let count = usize::from(u16_at(bytes, 2).ok_or(damaged("it is cut"))?);
        let stated = u64::from(u32_at(bytes, 4).ok_or(damaged("it is cut"))?);
        let ids: Vec<u64> = (0..count)
            .map_while(|index| ndb.layout.id_at(bytes, 8 + index * ndb.layout.id_bytes()))
            .collect();
        if ids.len() < count {
            let detail = format!("list of blocks {id:#x} is cut after {} of {count}", ids.len());
            log.add(DefectCode::PstStructure, detail);
        }
        Ok(Self { level, stated, ids })
    }
}
