//! The node tree and the block tree: looked up by descent, never loaded ([MS-PST] section 2.2.2.7.7).
//!
//! Main type: [`Ndb`]. Invariant: `&self` everywhere, shared by threads; levels decrease on every way down, and a walk visits no page
//! twice.

use std::collections::HashSet;
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
use crate::messaging::NodeSet;
use crate::options::{PstOptions, ScanMode};
use crate::read::ReadAt;

/// The node database of a file.
pub(crate) struct Ndb {
    source: Box<dyn ReadAt>,
    pub(crate) header: Header,
    pub(crate) layout: Layout,
    pages: Cache<Page>,
    blocks: Cache<Block>,
    scan: OnceLock<Scan>,
    scan_mode: ScanMode,
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
            scan_mode: options.scan,
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

    /// The leaf that must hold a key, `None` when the key is lower than all keys; and whether everything on the way was sound.
    fn leaf(&self, tree: TreeKind, key: u64, log: &mut Log) -> Result<(Option<Arc<Page>>, bool), PstError> {
        let root = self.root(tree);
        let mut page = self.page(tree, root, log)?;
        let mut is_sound = self.header.is_sound && page.is_sound && page.id == root.id;
        while page.level > 0 {
            let below = (0..page.count).filter(|at| page.key(*at, tree) <= key);
            let Some(index) = below.max_by_key(|at| page.key(*at, tree)) else {
                return Ok((None, is_sound));
            };
            let place = page.child(index);
            let next = self.page(tree, place, log)?;
            if next.level + 1 != page.level {
                return Err(PstError::Page {
                    offset: place.offset,
                    why: "its level does not follow from the page above",
                });
            }
            is_sound &= next.is_sound && next.id == place.id;
            page = next;
        }
        Ok((Some(page), is_sound))
    }

    /// The leaf and the entry of a key. When the way to it is damaged, leaves that the tree does not reach are tried too.
    fn find(&self, tree: TreeKind, key: u64, log: &mut Log) -> Result<Option<(Arc<Page>, usize)>, PstError> {
        let entry = |page: &Page| (0..page.count).find(|at| page.key(*at, tree) == key);
        let (failed, is_sound) = match self.leaf(tree, key, log) {
            Ok((Some(page), is_sound)) => match entry(&page) {
                Some(index) => return Ok(Some((page, index))),
                None => (None, is_sound),
            },
            Ok((None, is_sound)) => (None, is_sound),
            Err(error) => {
                log.add(DefectCode::PstTree, format!("{}: {error}", tree.name()));
                (Some(error), false)
            }
        };
        let looks = match self.scan_mode {
            ScanMode::Never => false,
            ScanMode::WhenDamaged => !is_sound,
            ScanMode::Always => true,
        };
        if looks {
            for leaf in self.scan().candidates(tree, key) {
                let Ok(page) = self.page(tree, leaf.place(), log) else {
                    continue;
                };
                if let Some(index) = entry(&page) {
                    let detail = format!(
                        "an entry of the {} stands only on pages that the tree does not reach",
                        tree.name()
                    );
                    log.add(DefectCode::PstRecovered, detail);
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

    /// All nodes in order of their identifiers, then those that only lost pages list, where the options allow to look for them; `each`
    /// is told which. Damaged pages are said and passed over.
    pub(crate) fn walk_nodes(&self, log: &mut Log, mut each: impl FnMut(Node, bool)) {
        let tree = TreeKind::Node;
        let mut visited = HashSet::new();
        let mut nodes = NodeSet::default();
        let mut is_damaged = !self.header.is_sound;
        // Page, and its level if the page above says so.
        let mut stack = vec![(self.root(tree), None)];
        while let Some((place, level)) = stack.pop() {
            if !visited.insert(place.offset) {
                let detail = format!("node tree: page at {:#x} is listed twice", place.offset);
                log.add(DefectCode::PstTree, detail);
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
                    is_damaged = true;
                    continue;
                }
            };
            is_damaged |= !page.is_sound || page.id != place.id;
            if page.level == 0 {
                for node in (0..page.count).map(|index| page.node(index)) {
                    nodes.insert(node.id);
                    each(node, false);
                }
            } else {
                let below = (0..page.count).rev();
                stack.extend(below.map(|index| (page.child(index), Some(page.level - 1))));
            }
        }
        let looks = match self.scan_mode {
            ScanMode::Never => false,
            ScanMode::WhenDamaged => is_damaged,
            ScanMode::Always => true,
        };
        if looks {
            self.walk_lost(&mut nodes, log, |node| each(node, true));
        }
    }

    /// Nodes of lost pages that are not in `nodes`, the entry written last where there are several.
    fn walk_lost(&self, nodes: &mut NodeSet, log: &mut Log, mut each: impl FnMut(Node)) {
        let scan = self.scan();
        if scan.unreadable > 0 {
            let detail = format!(
                "{} places could not be read while looking for lost pages",
                scan.unreadable
            );
            log.add(DefectCode::PstTree, detail);
        }
        for leaf in scan.newest_first(TreeKind::Node) {
            let Ok(page) = self.page(TreeKind::Node, leaf.place(), log) else {
                continue;
            };
            for node in (0..page.count).map(|index| page.node(index)) {
                if nodes.insert(node.id) {
                    each(node);
                }
            }
        }
    }
}
