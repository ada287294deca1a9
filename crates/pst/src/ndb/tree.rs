//! The node tree and the block tree: looked up by descent, never loaded ([MS-PST] section 2.2.2.7.7).
//!
//! Main type: [`Ndb`]. Invariant: `&self` everywhere, shared by threads; levels decrease on every way down, and a walk visits no page
//! twice.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use embley_model::defect::DefectCode;

use super::block::Block;
use super::cache::Cache;
use super::header::{Header, Layout, PageRef};
use super::node::{Node, NodeId};
use super::page::{BlockRef, Page, TreeKind};
use super::scan::Scan;
use crate::PstError;
use crate::log::Log;
use crate::options::PstOptions;
use crate::read::ReadAt;

/// The node database of a file.
pub(crate) struct Ndb {
    source: Box<dyn ReadAt>,
    pub(crate) header: Header,
    pub(crate) layout: Layout,
    pages: Cache<Page>,
    blocks: Cache<Block>,
    scan: OnceLock<Scan>,
    may_scan: bool,
}

/// A way down a tree.
enum Way {
    /// The leaf that must hold the key, and whether every page on the way was sound.
    Leaf(Arc<Page>, bool),
    /// The key is lower than all keys.
    Before,
}

impl Ndb {
    /// Reads the header of `source`.
    ///
    /// # Errors
    /// See [`Header::read`].
    pub(crate) fn open(source: Box<dyn ReadAt>, options: &PstOptions) -> Result<Self, PstError> {
        let header = Header::read(&*source)?;
        let layout = header.version.layout();
        Ok(Self {
            source,
            header,
            layout,
            pages: Cache::new(options.cache_bytes / 4),
            blocks: Cache::new(options.cache_bytes / 4 * 3),
            scan: OnceLock::new(),
            may_scan: options.scan_for_lost_pages,
        })
    }

    fn root(&self, tree: TreeKind) -> PageRef {
        match tree {
            TreeKind::Node => self.header.node_root,
            TreeKind::Block => self.header.block_root,
        }
    }

    fn page(&self, tree: TreeKind, place: PageRef, log: &mut Log) -> Result<Arc<Page>, PstError> {
        let key = place.offset.wrapping_mul(2) | u64::from(tree == TreeKind::Block);
        let page = match self.pages.get(key) {
            Some(page) => page,
            None => {
                let page = Arc::new(Page::read(&*self.source, self.layout, tree, place)?);
                self.pages.put(key, Arc::clone(&page), page.weight());
                page
            }
        };
        log.extend(&page.defects);
        if page.id != place.id {
            let detail = format!(
                "page at {:#x} has identifier {:#x}, not {:#x}",
                place.offset, page.id, place.id
            );
            log.add(DefectCode::PstChecksum, detail);
        }
        Ok(page)
    }

    fn leaf(&self, tree: TreeKind, key: u64, log: &mut Log) -> Result<Way, PstError> {
        let mut page = self.page(tree, self.root(tree), log)?;
        let mut is_sound = page.is_sound;
        while page.level > 0 {
            let below = (0..page.count).filter(|at| page.key(*at, tree) <= key);
            let Some(index) = below.max_by_key(|at| page.key(*at, tree)) else {
                return Ok(Way::Before);
            };
            let place = page.child(index);
            let next = self.page(tree, place, log)?;
            if next.level + 1 != page.level {
                return Err(PstError::Page {
                    offset: place.offset,
                    why: "its level does not follow from the page above",
                });
            }
            is_sound &= next.is_sound;
            page = next;
        }
        Ok(Way::Leaf(page, is_sound))
    }

    /// The leaf and the entry of a key.
    fn find(&self, tree: TreeKind, key: u64, log: &mut Log) -> Result<Option<(Arc<Page>, usize)>, PstError> {
        let failed = match self.leaf(tree, key, log) {
            Ok(Way::Before) => return Ok(None),
            Ok(Way::Leaf(page, is_sound)) => {
                let index = (0..page.count).find(|at| page.key(*at, tree) == key);
                match index {
                    Some(index) => return Ok(Some((page, index))),
                    None if is_sound => return Ok(None),
                    None => None,
                }
            }
            Err(error) => {
                log.add(DefectCode::PstTree, format!("{}: {error}", tree.name()));
                Some(error)
            }
        };
        if self.may_scan {
            for leaf in self.scan().candidates(tree, key) {
                let place = PageRef {
                    id: leaf.id,
                    offset: leaf.offset,
                };
                let Ok(page) = self.page(tree, place, log) else {
                    continue;
                };
                if let Some(index) = (0..page.count).find(|at| page.key(*at, tree) == key) {
                    return Ok(Some((page, index)));
                }
            }
        }
        failed.map_or(Ok(None), Err)
    }

    fn scan(&self) -> &Scan {
        self.scan.get_or_init(|| Scan::run(&*self.source, self.layout))
    }

    /// Looks up a node.
    ///
    /// # Errors
    /// The tree is damaged on the way to it, or does not hold it.
    pub(crate) fn node(&self, id: NodeId, log: &mut Log) -> Result<Node, PstError> {
        let found = self.find(TreeKind::Node, u64::from(id.0), log)?;
        let (page, index) = found.ok_or(PstError::NoNode { node: id })?;
        Ok(page.node(index))
    }

    /// Looks up where a block lies.
    ///
    /// # Errors
    /// The tree is damaged on the way to it, or does not hold it.
    pub(crate) fn block_ref(&self, id: u64, log: &mut Log) -> Result<BlockRef, PstError> {
        let found = self.find(TreeKind::Block, id & !1, log)?;
        let (page, index) = found.ok_or(PstError::NoBlock { block: id })?;
        Ok(page.block(index))
    }

    /// The data of a block.
    ///
    /// # Errors
    /// It is not in the tree, or cannot be read or unpacked.
    pub(crate) fn block(&self, id: u64, log: &mut Log) -> Result<Arc<Block>, PstError> {
        let key = id & !1;
        let block = match self.blocks.get(key) {
            Some(block) => block,
            None => {
                let place = self.block_ref(id, log)?;
                let block = Arc::new(Block::read(&*self.source, &self.header, self.layout, place)?);
                self.blocks.put(key, Arc::clone(&block), block.weight());
                block
            }
        };
        log.extend(&block.defects);
        Ok(block)
    }

    /// All nodes in order of their identifiers, also those of leaves that are found only by looking through the file.
    /// Damaged pages are said and passed over.
    pub(crate) fn walk_nodes(&self, log: &mut Log, mut each: impl FnMut(Node)) {
        let tree = TreeKind::Node;
        let mut visited = HashSet::new();
        // Page, its level if the page above says so, lowest key, highest key.
        let mut stack = vec![(self.root(tree), None, 0, u64::from(u32::MAX))];
        while let Some((place, level, from, to)) = stack.pop() {
            if !visited.insert(place.offset) {
                log.add(
                    DefectCode::PstTree,
                    format!("node tree: page at {:#x} is listed twice", place.offset),
                );
                continue;
            }
            let page = self.page(tree, place, log).and_then(|page| match level {
                Some(level) if page.level != level => Err(PstError::Page {
                    offset: place.offset,
                    why: "its level does not follow from the page above",
                }),
                _ => Ok(page),
            });
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    log.add(DefectCode::PstTree, format!("node tree: {error}"));
                    self.walk_lost(from, to, log, &mut each);
                    continue;
                }
            };
            if page.level == 0 {
                (0..page.count).for_each(|index| each(page.node(index)));
                continue;
            }
            for index in (0..page.count).rev() {
                let next = if index + 1 < page.count {
                    page.key(index + 1, tree).saturating_sub(1).min(to)
                } else {
                    to
                };
                stack.push((
                    page.child(index),
                    Some(page.level - 1),
                    page.key(index, tree).max(from),
                    next,
                ));
            }
        }
    }

    fn walk_lost(&self, from: u64, to: u64, log: &mut Log, each: &mut impl FnMut(Node)) {
        if !self.may_scan {
            return;
        }
        let scan = self.scan();
        if scan.unreadable > 0 {
            let detail = format!(
                "{} places could not be read while looking for lost pages",
                scan.unreadable
            );
            log.add(DefectCode::PstTree, detail);
        }
        let mut nodes = BTreeMap::new();
        for leaf in scan.between(TreeKind::Node, from, to) {
            let place = PageRef {
                id: leaf.id,
                offset: leaf.offset,
            };
            let Ok(page) = self.page(TreeKind::Node, place, log) else {
                continue;
            };
            for index in 0..page.count {
                let node = page.node(index);
                if (from..=to).contains(&u64::from(node.id.0)) {
                    nodes.entry(node.id).or_insert(node);
                }
            }
        }
        nodes.into_values().for_each(each);
    }
}
