//! Leaf pages found by their form, for trees whose own pages are damaged.
//!
//! Main type: [`Scan`]. Invariant: a page is taken only when type, checksum and signature hold, so it lies where it was written; where
//! several pages list a key the one written last (highest identifier) wins.

use super::header::{Layout, PageRef};
use super::page::{Page, TreeKind};
use crate::read::{ReadAt, read_full};

/// Most pages that are tried for one key.
const MOST_CANDIDATES: usize = 64;

/// The leaf pages of a file.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    nodes: Leaves,
    blocks: Leaves,
    /// Places that could not be read while looking.
    pub(crate) unreadable: u64,
}

#[derive(Debug, Default)]
struct Leaves {
    /// By first key.
    leaves: Vec<Leaf>,
}

/// One leaf page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    first: u64,
    last: u64,
    /// Highest `last` up to and with this leaf.
    reach: u64,
    id: u64,
    pub(crate) offset: u64,
}

impl Scan {
    /// Looks through the whole file once.
    pub(crate) fn run(source: &dyn ReadAt, layout: Layout) -> Self {
        const WINDOW: usize = 1 << 20;
        let mut scan = Self::default();
        let mut window = vec![0u8; WINDOW];
        let mut offset = 0u64;
        while offset < source.len() {
            match read_full(source, &mut window, offset) {
                Ok(0) => break,
                Ok(length) => scan.look(&window[..length], layout, offset),
                Err(_) => {
                    scan.unreadable += 1;
                    scan.look_page_by_page(source, layout, offset, WINDOW);
                }
            }
            offset += WINDOW as u64;
        }
        scan.nodes.finish();
        scan.blocks.finish();
        scan
    }

    fn look_page_by_page(&mut self, source: &dyn ReadAt, layout: Layout, offset: u64, length: usize) {
        let mut page = vec![0u8; layout.page_bytes];
        for at in (0..length as u64).step_by(layout.page_bytes) {
            if read_full(source, &mut page, offset + at).is_ok_and(|read| read == page.len()) {
                self.look(&page, layout, offset + at);
            }
        }
    }

    fn look(&mut self, window: &[u8], layout: Layout, offset: u64) {
        for (index, bytes) in window.chunks_exact(layout.page_bytes).enumerate() {
            let tree = match bytes[layout.page_body] {
                0x80 => TreeKind::Block,
                0x81 => TreeKind::Node,
                _ => continue,
            };
            if bytes[layout.page_body + 1] != tree.page_type() {
                continue;
            }
            let place = offset + (index * layout.page_bytes) as u64;
            let Ok(page) = Page::parse(bytes.to_vec(), layout, tree, place) else {
                continue;
            };
            if !page.is_sound || page.level != 0 || page.count == 0 {
                continue;
            }
            let last = page.key(page.count - 1, tree);
            let leaf = Leaf {
                first: page.key(0, tree),
                last,
                reach: last,
                id: page.id,
                offset: place,
            };
            match tree {
                TreeKind::Node => self.nodes.leaves.push(leaf),
                TreeKind::Block => self.blocks.leaves.push(leaf),
            }
        }
    }

    fn leaves(&self, tree: TreeKind) -> &[Leaf] {
        match tree {
            TreeKind::Node => &self.nodes.leaves,
            TreeKind::Block => &self.blocks.leaves,
        }
    }

    /// Leaves that may hold `key`, the one written last first.
    pub(crate) fn candidates(&self, tree: TreeKind, key: u64) -> Vec<Leaf> {
        let leaves = self.leaves(tree);
        let end = leaves.partition_point(|leaf| leaf.first <= key);
        let mut found: Vec<Leaf> = leaves[..end]
            .iter()
            .rev()
            .take_while(|leaf| leaf.reach >= key)
            .filter(|leaf| leaf.last >= key)
            .take(MOST_CANDIDATES)
            .copied()
            .collect();
        found.sort_by_key(|leaf| std::cmp::Reverse((leaf.id, leaf.offset)));
        found
    }

    /// All leaves, the one written last first.
    pub(crate) fn newest_first(&self, tree: TreeKind) -> Vec<Leaf> {
        let mut found = self.leaves(tree).to_vec();
        found.sort_by_key(|leaf| std::cmp::Reverse((leaf.id, leaf.offset)));
        found
    }
}

impl Leaf {
    /// Where the page is.
    pub(crate) fn place(&self) -> PageRef {
        PageRef {
            id: self.id,
            offset: self.offset,
        }
    }
}

impl Leaves {
    fn finish(&mut self) {
        self.leaves.sort_by_key(|leaf| (leaf.first, leaf.id, leaf.offset));
        let mut reach = 0;
        for leaf in &mut self.leaves {
            reach = reach.max(leaf.last);
            leaf.reach = reach;
        }
    }
}
