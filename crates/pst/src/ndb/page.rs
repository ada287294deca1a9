//! Pages of the node and block trees ([MS-PST] sections 2.2.2.7.1 and 2.2.2.7.7).
//!
//! Main type: [`Page`]. Invariant: every entry lies inside the page; a page whose type is not that of its tree is refused.

use embley_model::defect::{Defect, DefectCode};

use super::checksum::{crc, signature};
use super::header::{Layout, PageRef};
use super::node::{Node, NodeId};
use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::read::{ReadAt, read_full};

/// Which of the two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TreeKind {
    /// Nodes by identifier.
    Node,
    /// Blocks by identifier.
    Block,
}

impl TreeKind {
    /// `ptype` of its pages.
    pub(crate) fn page_type(self) -> u8 {
        match self {
            Self::Node => 0x81,
            Self::Block => 0x80,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Node => "node tree",
            Self::Block => "block tree",
        }
    }
}

/// Where a block lies (`BBTENTRY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockRef {
    pub(crate) id: u64,
    pub(crate) offset: u64,
    /// Bytes of data in the file.
    pub(crate) stored: usize,
    /// Bytes of data after unpacking; equal to `stored` when the block is not compressed.
    pub(crate) unpacked: usize,
}

/// A page of a B-tree.
#[derive(Debug)]
pub(crate) struct Page {
    bytes: Vec<u8>,
    layout: Layout,
    /// 0 for a leaf.
    pub(crate) level: u8,
    /// Entries.
    pub(crate) count: usize,
    entry_bytes: usize,
    /// Identifier in its trailer.
    pub(crate) id: u64,
    /// Checksum and signature are as they must be.
    pub(crate) is_sound: bool,
    pub(crate) defects: Vec<Defect>,
}

impl Page {
    /// Reads the page at `offset`.
    pub(crate) fn read(source: &dyn ReadAt, layout: Layout, tree: TreeKind, place: PageRef) -> Result<Self, PstError> {
        let mut bytes = vec![0u8; layout.page_bytes];
        if read_full(source, &mut bytes, place.offset)? < layout.page_bytes {
            return Err(PstError::Page {
                offset: place.offset,
                why: "it lies beyond the end of the file",
            });
        }
        Self::parse(bytes, layout, tree, place.offset)
    }

    /// A page from its bytes.
    pub(crate) fn parse(bytes: Vec<u8>, layout: Layout, tree: TreeKind, offset: u64) -> Result<Self, PstError> {
        let damaged = |why| PstError::Page { offset, why };
        let body = layout.page_body;
        let cut = || damaged("it is cut");
        let (kind, again) = match bytes.get(body..body + 2) {
            Some(&[kind, again]) => (kind, again),
            _ => return Err(cut()),
        };
        if kind != tree.page_type() && again != tree.page_type() {
            return Err(damaged("its type is not that of its tree"));
        }
        let mut defects = Vec::new();
        if kind != again {
            let detail = format!("page at {offset:#x}: its two type bytes differ");
            defects.push(Defect::new(DefectCode::PstChecksum, detail));
        }
        let stored_signature = u16_at(&bytes, body + 2).ok_or_else(cut)?;
        let (crc_at, id_at) = if layout.wide {
            (body + 4, body + 8)
        } else {
            (body + 8, body + 4)
        };
        let stored_crc = u32_at(&bytes, crc_at).ok_or_else(cut)?;
        let id = layout.id_at(&bytes, id_at).ok_or_else(cut)?;
        if stored_crc != crc(&bytes[..body]) {
            let detail = format!("checksum of the {} page at {offset:#x}", tree.name());
            defects.push(Defect::new(DefectCode::PstChecksum, detail));
        }
        if stored_signature != signature(offset, id) {
            let detail = format!("signature of the {} page at {offset:#x}", tree.name());
            defects.push(Defect::new(DefectCode::PstChecksum, detail));
        }
        let is_sound = defects.is_empty();
        let (count, most, entry_bytes, level, room) = if layout.page_bytes == 4096 {
            let count = u16_at(&bytes, 4056).ok_or_else(cut)?;
            let most = u16_at(&bytes, 4058).ok_or_else(cut)?;
            (usize::from(count), usize::from(most), bytes[4060], bytes[4061], 4056)
        } else {
            let room = if layout.wide { 488 } else { 496 };
            let [count, most] = [bytes[room], bytes[room + 1]].map(usize::from);
            (count, most, bytes[room + 2], bytes[room + 3], room)
        };
        let entry_bytes = usize::from(entry_bytes);
        let needed = match (level, tree) {
            (0, TreeKind::Node) => {
                if layout.wide {
                    28
                } else {
                    16
                }
            }
            (0, TreeKind::Block) => {
                if layout.wide {
                    20
                } else {
                    12
                }
            }
            _ => 3 * layout.id_bytes(),
        };
        if level > 15 || entry_bytes < needed || count * entry_bytes > room {
            return Err(damaged("the number or size of its entries is impossible"));
        }
        if count > most {
            let detail = format!("page at {offset:#x} has {count} entries, and room for {most}");
            defects.push(Defect::new(DefectCode::PstForm, detail));
        }
        Ok(Self {
            bytes,
            layout,
            level,
            count,
            entry_bytes,
            id,
            is_sound,
            defects,
        })
    }

    /// Bytes that the page takes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len() + 128
    }

    fn entry(&self, index: usize) -> &[u8] {
        let start = index.min(self.count.saturating_sub(1)) * self.entry_bytes;
        &self.bytes[start..start + self.entry_bytes]
    }

    /// Key of an entry. The lowest bit of a block's identifier is not part of it.
    pub(crate) fn key(&self, index: usize, tree: TreeKind) -> u64 {
        let key = self.layout.id_at(self.entry(index), 0).unwrap_or(0);
        match tree {
            TreeKind::Node => key & 0xFFFF_FFFF,
            TreeKind::Block => key & !1,
        }
    }

    /// The page below, of an entry of a page that is no leaf.
    pub(crate) fn child(&self, index: usize) -> PageRef {
        let word = self.layout.id_bytes();
        let entry = self.entry(index);
        PageRef {
            id: self.layout.id_at(entry, word).unwrap_or(0),
            offset: self.layout.id_at(entry, 2 * word).unwrap_or(0),
        }
    }

    /// The node of an entry of a leaf.
    pub(crate) fn node(&self, index: usize) -> Node {
        let word = self.layout.id_bytes();
        let entry = self.entry(index);
        Node {
            id: NodeId(u32_at(entry, 0).unwrap_or(0)),
            data: self.layout.id_at(entry, word).unwrap_or(0),
            sub: self.layout.id_at(entry, 2 * word).unwrap_or(0),
            parent: NodeId(u32_at(entry, 3 * word).unwrap_or(0)),
        }
    }

    /// The block of an entry of a leaf.
    pub(crate) fn block(&self, index: usize) -> BlockRef {
        let word = self.layout.id_bytes();
        let entry = self.entry(index);
        let stored = usize::from(u16_at(entry, 2 * word).unwrap_or(0));
        let unpacked = if self.layout.page_bytes == 4096 {
            usize::from(u16_at(entry, 2 * word + 2).unwrap_or(0))
        } else {
            stored
        };
        BlockRef {
            id: self.layout.id_at(entry, 0).unwrap_or(0) & !1,
            offset: self.layout.id_at(entry, word).unwrap_or(0),
            stored,
            unpacked,
        }
    }
}
