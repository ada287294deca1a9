//! Sub-node trees: nodes inside a node ([MS-PST] section 2.2.2.8.3.3).
//!
//! Main type: [`SubNodes`]. Invariant: two levels at most, as the specification has it; nothing is kept between look-ups but blocks in
//! the cache.

use std::sync::Arc;

use embley_model::defect::DefectCode;

use super::block::Block;
use super::node::{Node, NodeId};
use super::tree::Ndb;
use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::log::Log;

/// The sub-nodes of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SubNodes {
    /// Block of the tree; 0 for none.
    pub(crate) root: u64,
}

/// A block of the tree.
struct Part {
    block: Arc<Block>,
    level: u8,
    count: usize,
}

impl SubNodes {
    /// The sub-node with this identifier, if there is one.
    ///
    /// # Errors
    /// The tree is damaged on the way to it.
    pub(crate) fn find(self, ndb: &Ndb, id: NodeId, log: &mut Log) -> Result<Option<Node>, PstError> {
        if self.root & !1 == 0 {
            return Ok(None);
        }
        let root = Part::read(ndb, self.root, log)?;
        if root.level == 0 {
            return Ok(root.node(ndb, id));
        }
        let keys: Vec<(u32, u64)> = root.children(ndb).collect();
        let end = keys.iter().take_while(|(key, _)| *key <= id.0).count();
        let Some((_, child)) = end.checked_sub(1).and_then(|at| keys.get(at)) else {
            return Ok(None);
        };
        let part = Part::read(ndb, *child, log)?;
        Ok(if part.level == 0 { part.node(ndb, id) } else { None })
    }

    /// All sub-nodes that `wanted` asks for, in stored order, and how many there are in all. Damaged parts are said.
    pub(crate) fn list(self, ndb: &Ndb, log: &mut Log, wanted: impl Fn(NodeId) -> bool) -> (Vec<Node>, u64) {
        let (mut found, mut count) = (Vec::new(), 0);
        if self.root & !1 == 0 {
            return (found, count);
        }
        let root = match Part::read(ndb, self.root, log) {
            Ok(root) => root,
            Err(error) => {
                log.lost("sub-nodes", &error);
                return (found, count);
            }
        };
        if root.level == 0 {
            count += root.count as u64;
            found.extend(root.nodes(ndb).filter(|node| wanted(node.id)));
            return (found, count);
        }
        let mut seen = std::collections::HashSet::new();
        for (_, child) in root.children(ndb) {
            if !seen.insert(child & !1) {
                continue;
            }
            match Part::read(ndb, child, log) {
                Ok(part) if part.level == 0 => {
                    count += part.count as u64;
                    found.extend(part.nodes(ndb).filter(|node| wanted(node.id)));
                }
                Ok(_) => log.add(
                    DefectCode::PstStructure,
                    format!("sub-node block {child:#x} has an impossible level"),
                ),
                Err(error) => log.lost("sub-nodes", &error),
            }
        }
        (found, count)
    }
}

impl Part {
    fn read(ndb: &Ndb, id: u64, log: &mut Log) -> Result<Self, PstError> {
        let damaged = |why| PstError::Structure {
            what: "sub-node tree",
            why,
        };
        let block = ndb.block(id, log)?;
        let level = match block.bytes.get(..2) {
            Some([2, level @ 0..=1]) => *level,
            Some(_) => return Err(damaged("it has another type")),
            None => return Err(damaged("it is cut")),
        };
        let stated = usize::from(u16_at(&block.bytes, 2).ok_or(damaged("it is cut"))?);
        let words = if level == 0 { 3 } else { 2 };
        let room = block.bytes.len().saturating_sub(Self::start(ndb)) / (words * ndb.layout.id_bytes());
        if room < stated {
            let detail = format!("sub-node block {id:#x} is cut after {room} of {stated} entries");
            log.add(DefectCode::PstStructure, detail);
        }
        Ok(Self {
            level,
            count: stated.min(room),
            block,
        })
    }

    fn start(ndb: &Ndb) -> usize {
        if ndb.layout.wide { 8 } else { 4 }
    }

    fn entry(&self, ndb: &Ndb, index: usize) -> Node {
        let word = ndb.layout.id_bytes();
        let words = if self.level == 0 { 3 } else { 2 };
        let at = Self::start(ndb) + index * words * word;
        let bytes = &self.block.bytes;
        Node {
            id: NodeId(u32_at(bytes, at).unwrap_or(0)),
            data: ndb.layout.id_at(bytes, at + word).unwrap_or(0),
            sub: if self.level == 0 {
                ndb.layout.id_at(bytes, at + 2 * word).unwrap_or(0)
            } else {
                0
            },
            parent: NodeId(0),
        }
    }

    fn nodes<'a>(&'a self, ndb: &'a Ndb) -> impl Iterator<Item = Node> + 'a {
        (0..self.count).map(|index| self.entry(ndb, index))
    }

    fn children<'a>(&'a self, ndb: &'a Ndb) -> impl Iterator<Item = (u32, u64)> + 'a {
        self.nodes(ndb).map(|node| (node.id.0, node.data))
    }

    fn node(&self, ndb: &Ndb, id: NodeId) -> Option<Node> {
        self.nodes(ndb).find(|node| node.id == id)
    }
}
