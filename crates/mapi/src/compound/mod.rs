//! Compound files ([MS-CFB]): storages and streams in one file, as MSG and OLE objects use them.
//!
//! Not for: what the streams mean. Main type: [`Tree`]. A file is read with the crate `cfb`; one that it refuses, or of which it cannot
//! read a stream, is read by [`lenient`], which follows what can be followed. Invariant: the content of all streams together is never
//! longer than the file, so a chain that several streams share cannot multiply memory.

mod lenient;
mod strict;
mod write;

use embley_model::defect::{Defect, DefectCode};

pub use write::write;

/// Signature of a compound file ([MS-CFB] section 2.2).
pub const SIGNATURE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Of what could not be read in one file, so many sentences are told.
const LOSSES_TOLD: usize = 8;

/// A storage or a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name; empty for the root.
    pub name: String,
    /// True for a stream, false for a storage.
    pub is_stream: bool,
    /// Class of a storage.
    pub class: [u8; 16],
    /// State bits of a storage.
    pub state: u32,
    /// FILETIME, zero when not set.
    pub created: u64,
    /// FILETIME, zero when not set.
    pub modified: u64,
    /// Bytes of a stream, as far as they could be read.
    pub content: Vec<u8>,
    /// Members of a storage, as positions in the tree, in order of the directory.
    pub children: Vec<usize>,
}

/// All storages and streams of a compound file. Position 0 is the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Reads a file; a damaged one as far as it goes, with a defect. An input that is no compound file gives a root without members.
    pub fn read(bytes: &[u8], defects: &mut Vec<Defect>) -> Self {
        match strict::read(bytes) {
            Ok(tree) => tree,
            Err(cause) => {
                defects.push(Defect::new(DefectCode::MapiCompound, cause.to_string()));
                // Without the signature, the byte order mark ([MS-CFB] section 2.2) must tell that it is a compound file at all.
                if !bytes.starts_with(&SIGNATURE) && bytes.get(28..30) != Some(&[0xFE, 0xFF]) {
                    return Self::new();
                }
                let (tree, losses) = lenient::read(bytes);
                let more = losses.len().saturating_sub(LOSSES_TOLD);
                let told = losses.into_iter().take(LOSSES_TOLD);
                defects.extend(told.map(|loss| Defect::new(DefectCode::MapiCompound, loss)));
                if more > 0 {
                    defects.push(Defect::new(DefectCode::MapiCompound, format!("and {more} more")));
                }
                tree
            }
        }
    }

    /// A tree that has only a root.
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// The root storage.
    pub fn root(&self) -> usize {
        0
    }

    /// A node by its position.
    ///
    /// # Panics
    /// When the position is not of this tree.
    pub fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    /// A node by its position, to change it.
    ///
    /// # Panics
    /// When the position is not of this tree.
    pub fn node_mut(&mut self, at: usize) -> &mut Node {
        &mut self.nodes[at]
    }

    /// Adds a member to a storage; returns its position.
    ///
    /// # Panics
    /// When the position is not of this tree.
    pub fn add(&mut self, parent: usize, node: Node) -> usize {
        let at = self.nodes.len();
        self.nodes.push(node);
        self.nodes[parent].children.push(at);
        at
    }

    /// The member of a storage with a name; names do not tell upper from lower case ([MS-CFB] section 2.6.4).
    pub fn child(&self, storage: usize, name: &str) -> Option<usize> {
        self.nodes[storage]
            .children
            .iter()
            .copied()
            .find(|at| self.nodes[*at].name.eq_ignore_ascii_case(name))
    }

    /// Takes the bytes of a member that is a stream.
    pub fn take(&mut self, storage: usize, name: &str) -> Option<Vec<u8>> {
        let at = self.child(storage, name)?;
        let node = &mut self.nodes[at];
        node.is_stream.then(|| std::mem::take(&mut node.content))
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True when the root has no members.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() < 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn sample() -> Tree {
        let mut tree = Tree::new();
        let stream = |name: &str, length: usize| Node {
            name: name.to_owned(),
            is_stream: true,
            content: (0..length).map(|at| (at * 7 + length) as u8).collect(),
            ..Node::default()
        };
        tree.add(0, stream("short", 100));
        tree.add(0, stream("empty", 0));
        tree.add(0, stream("long", 9000));
        let storage = tree.add(
            0,
            Node {
                name: "storage".to_owned(),
                class: [7; 16],
                created: 133_000_000_000_000_000,
                modified: 133_000_000_010_000_000,
                ..Node::default()
            },
        );
        tree.add(storage, stream("4095", 4095));
        tree.add(storage, stream("4096", 4096));
        tree
    }

    /// Paths with contents, sorted.
    fn listing(tree: &Tree) -> Vec<(String, Vec<u8>)> {
        let mut out = Vec::new();
        let mut todo = vec![(0, String::new())];
        while let Some((at, path)) = todo.pop() {
            for child in &tree.node(at).children {
                let node = tree.node(*child);
                let path = format!("{path}/{}", node.name);
                out.push((path.clone(), node.content.clone()));
                todo.push((*child, path));
            }
        }
        out.sort();
        out
    }

    #[test]
    fn both_readers_give_what_was_written() {
        let tree = sample();
        let bytes = write(&tree, 0).expect("memory does not fail");
        let strict = strict::read(&bytes).expect("is whole");
        assert_eq!(listing(&strict), listing(&tree));
        let (lenient, losses) = lenient::read(&bytes);
        assert_eq!(losses, Vec::<String>::new());
        assert_eq!(listing(&lenient), listing(&tree));
        let times = |tree: &Tree| {
            let at = tree.child(0, "storage").expect("is there");
            (tree.node(at).created, tree.node(at).modified, tree.node(at).class)
        };
        assert_eq!(times(&strict), times(&tree));
        assert_eq!(times(&lenient), times(&tree));
    }

    /// Real files stay outside of the project; without them only made ones are compared.
    #[test]
    fn both_readers_agree_on_real_files() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/msg");
        let mut todo = vec![folder];
        let (mut compared, mut seen) = (0, 0);
        while let Some(folder) = todo.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    todo.push(path);
                } else if path.to_string_lossy().ends_with(".msg") {
                    seen += 1;
                    let bytes = std::fs::read(&path).expect("is read");
                    let Ok(strict) = strict::read(&bytes) else { continue };
                    let (lenient, losses) = lenient::read(&bytes);
                    assert_eq!(losses, Vec::<String>::new(), "{}", path.display());
                    assert!(listing(&lenient) == listing(&strict), "{}", path.display());
                    compared += 1;
                }
            }
        }
        assert!(compared == seen, "{compared} of {seen}");
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes() {
        let first = write(&sample(), 0).expect("memory does not fail");
        std::thread::yield_now();
        assert_eq!(first, write(&sample(), 0).expect("memory does not fail"));
    }

    #[test]
    fn a_loop_in_the_allocation_table_ends_and_is_reported() {
        let tree = sample();
        let mut bytes = write(&tree, 0).expect("memory does not fail");
        // The first sector after the header that is a FAT points every chain at itself.
        let fat = u32::from_le_bytes(bytes[76..80].try_into().expect("four bytes")) as usize;
        let at = 512_usize.max(1 << bytes[30]) + fat * (1 << bytes[30]);
        for entry in 0..100_u32 {
            let place = at + entry as usize * 4;
            bytes[place..place + 4].copy_from_slice(&entry.to_le_bytes());
        }
        let mut defects = Vec::new();
        let read = Tree::read(&bytes, &mut defects);
        assert!(!defects.is_empty());
        assert!(read.len() <= tree.len());
    }

    #[test]
    fn cut_at_every_step_and_bits_flipped_never_panics() {
        let bytes = write(&sample(), 0).expect("memory does not fail");
        for end in (0..bytes.len()).step_by(61) {
            let mut defects = Vec::new();
            Tree::read(&bytes[..end], &mut defects);
            assert!(!defects.is_empty(), "cut at {end}");
        }
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        for _ in 0..3000 {
            let mut damaged = bytes.clone();
            for _ in 0..4 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = (state >> 8) as usize % damaged.len();
                // Most flips hit the header, where they matter.
                let at = if state & 1 == 0 { at } else { at % 512 };
                damaged[at] ^= 1 << ((state >> 3) & 7);
            }
            let mut defects = Vec::new();
            let tree = Tree::read(&damaged, &mut defects);
            let total: usize = tree.nodes.iter().map(|node| node.content.len()).sum();
            assert!(total <= damaged.len());
        }
    }
}
