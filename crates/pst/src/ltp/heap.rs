//! Heaps: small items inside the blocks of a node ([MS-PST] section 2.3.1).
//!
//! Main type: [`Heap`]. Invariant: blocks are read when an item of theirs is asked for, so that a heap may be larger than memory. The
//! count of freed items in a page map is not held against a heap: several writers leave it wrong, and no data depends on it.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::ltp::Session;
use crate::ndb::{Block, DataTree, Node, NodeId, SubNodes};

/// A heap on a node.
pub(crate) struct Heap {
    tree: DataTree,
    pub(crate) sub: SubNodes,
    /// What is built on it: 0xBC a property context, 0x7C a table ([MS-PST] section 2.3.1.2).
    pub(crate) client: u8,
    /// Item of the structure that is built on it.
    pub(crate) root: u32,
}

/// Bytes of a heap item or of a sub-node.
pub(crate) enum Bytes {
    /// An item in its block.
    Item(Arc<Block>, Range<usize>),
    /// Bytes put together, and how many there are in the file.
    Owned(Vec<u8>, u64),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Item(block, range) => &block.bytes[range.clone()],
            Self::Owned(bytes, _) => bytes,
        }
    }
}

fn damaged(why: &'static str) -> PstError {
    PstError::Structure { what: "heap", why }
}

impl Heap {
    /// Opens the heap on the data of `node`.
    ///
    /// # Errors
    /// The node has no data, its first block cannot be read, or it is no heap.
    pub(crate) fn open(session: &mut Session<'_>, node: &Node) -> Result<Self, PstError> {
        let tree = DataTree::open(session.ndb, node.data, &mut session.log)?;
        let first = *tree.blocks.first().ok_or(damaged("the node has no data"))?;
        let block = session.ndb.block(first, &mut session.log)?;
        let header = block.bytes.get(..12).ok_or(damaged("it is cut"))?;
        if header[2] != 0xEC {
            return Err(damaged("it has another signature"));
        }
        Ok(Self {
            client: header[3],
            root: u32_at(header, 4).ok_or(damaged("it is cut"))?,
            sub: SubNodes { root: node.sub },
            tree,
        })
    }

    /// The bytes of an item; none for identifier 0.
    ///
    /// # Errors
    /// There is no such item, or its block cannot be read.
    pub(crate) fn item(&self, session: &mut Session<'_>, id: u32) -> Result<Bytes, PstError> {
        if id == 0 {
            return Ok(Bytes::Owned(Vec::new(), 0));
        }
        // Larger blocks hold more items: 14 bits of the identifier, not 11.
        let index_bits = if session.ndb.layout.page_bytes == 4096 { 14 } else { 11 };
        let index = ((id >> 5) & ((1 << index_bits) - 1)) as usize;
        let number = (id >> (5 + index_bits)) as usize;
        let block_id = *self
            .tree
            .blocks
            .get(number)
            .ok_or(damaged("an item lies in a block that is not there"))?;
        let block = session.ndb.block(block_id, &mut session.log)?;
        let bytes = &block.bytes;
        let cut = || damaged("a page map is cut");
        let map = usize::from(u16_at(bytes, 0).ok_or_else(cut)?);
        let count = usize::from(u16_at(bytes, map).ok_or_else(cut)?);
        if index == 0 || index > count {
            return Err(damaged("an item is not in its page map"));
        }
        let at = map + 4 + 2 * (index - 1);
        let start = usize::from(u16_at(bytes, at).ok_or_else(cut)?);
        let end = usize::from(u16_at(bytes, at + 2).ok_or_else(cut)?);
        if start > end || end > bytes.len() {
            return Err(damaged("an item ends before it begins, or outside its block"));
        }
        Ok(Bytes::Item(block, start..end))
    }

    /// The data tree of a sub-node.
    ///
    /// # Errors
    /// There is no such sub-node, or its list of blocks cannot be read.
    pub(crate) fn sub_tree(&self, session: &mut Session<'_>, id: u32) -> Result<DataTree, PstError> {
        let node = self.sub.find(session.ndb, NodeId(id), &mut session.log)?;
        let node = node.ok_or(damaged("a value lies in a sub-node that is not there"))?;
        DataTree::open(session.ndb, node.data, &mut session.log)
    }

    /// What an item or a sub-node holds, up to `most` bytes.
    ///
    /// # Errors
    /// It is not there, or nothing of it can be read.
    pub(crate) fn resolve(&self, session: &mut Session<'_>, id: u32, most: u64) -> Result<Bytes, PstError> {
        if is_item(id) {
            return self.item(session, id);
        }
        let tree = self.sub_tree(session, id)?;
        let length = tree.length(session.ndb, &mut session.log);
        let bytes = tree.read(session.ndb, most.min(length), &mut session.log);
        Ok(Bytes::Owned(bytes, length))
    }
}

/// True for the identifier of a heap item, false for that of a sub-node ([MS-PST] section 2.3.3.2).
pub(crate) fn is_item(id: u32) -> bool {
    id & 0x1F == 0
}
