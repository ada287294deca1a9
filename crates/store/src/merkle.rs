//! The Merkle tree of a list: its hash, and proofs about it, of RFC 9162 section 2.1 (the same as RFC 6962), with SHA-256.
//!
//! [`Tree`] gives the hash of entries that come one by one, in 32 bytes for each of the at most 64 open subtrees. [`inclusion`] and
//! [`consistency`] make the paths of section 2.1.3 and 2.1.4 out of hashes of whole subtrees; [`leads_to`] and [`extends`] check them
//! without the list. Not for: keeping hashes (the audit log keeps its own). Invariant: nothing here allocates by a number that was only read.

use embley_model::id::hex_encode;
use sha2::{Digest, Sha256};

/// A hash.
pub type Hash = [u8; 32];

/// Takes entries in order and gives the hash of them all.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Full subtrees, largest first: how many entries each covers, and its hash.
    open: Vec<(u64, Hash)>,
}

impl Tree {
    /// Adds an entry.
    pub fn add(&mut self, entry: &[u8]) {
        self.add_leaf(leaf(entry));
    }

    /// Adds an entry by the hash of its leaf.
    pub fn add_leaf(&mut self, leaf: Hash) {
        let mut whole = (1, leaf);
        while let Some(left) = self.open.pop_if(|left| left.0 == whole.0) {
            whole = (whole.0 * 2, node(&left.1, &whole.1));
        }
        self.open.push(whole);
    }

    /// The hash of all entries so far; of none, the SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut subtrees = self.open.iter().rev();
        let Some((_, last)) = subtrees.next() else {
            return Sha256::digest([]).into();
        };
        subtrees.fold(*last, |right, (_, left)| node(left, &right))
    }
}

/// The hash of these entries in this order.
pub fn root_of<'a>(entries: impl IntoIterator<Item = &'a Hash>) -> Hash {
    let mut tree = Tree::default();
    entries.into_iter().for_each(|entry| tree.add(entry));
    tree.root()
}

/// The hash of a tree with these leaves.
pub fn root_of_leaves<'a>(leaves: impl IntoIterator<Item = &'a Hash>) -> Hash {
    let mut tree = Tree::default();
    leaves.into_iter().for_each(|leaf| tree.add_leaf(*leaf));
    tree.root()
}

/// The hash of an entry as a leaf.
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of two subtrees side by side.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(left).chain_update(right);
    hash.finalize().into()
}

/// A hash as lower-case hexadecimal.
pub fn hex(hash: &Hash) -> String {
    hex_encode(hash)
}

/// Where hashes of whole subtrees come from: `subtree(level, n)` covers the entries `n << level .. (n + 1) << level`.
pub trait Subtrees {
    /// What can go wrong.
    type Error;

    /// The hash of one.
    ///
    /// # Errors
    /// When it cannot be had.
    fn subtree(&self, level: u32, number: u64) -> Result<Hash, Self::Error>;
}

/// The hash of the entries `from .. to`; `from` is a multiple of the largest power of two that fits in between.
fn range<S: Subtrees>(hashes: &S, from: u64, to: u64) -> Result<Hash, S::Error> {
    let mut parts = Vec::new();
    let mut at = from;
    while at < to {
        // The largest whole subtree that begins here and ends in time.
        let fits = u64::BITS - 1 - (to - at).leading_zeros();
        let level = if at == 0 { fits } else { fits.min(at.trailing_zeros()) };
        parts.push(hashes.subtree(level, at >> level)?);
        at += 1 << level;
    }
    let mut parts = parts.into_iter().rev();
    let last = parts.next().unwrap_or_else(|| Sha256::digest([]).into());
    Ok(parts.fold(last, |right, left| node(&left, &right)))
}

/// The hash of the first `size` entries.
///
/// # Errors
/// As the source of hashes says.
pub fn root_at<S: Subtrees>(hashes: &S, size: u64) -> Result<Hash, S::Error> {
    range(hashes, 0, size)
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// The path that proves entry `index` to be in the tree of the first `size` entries, from the leaf upwards. `index` is below `size`.
///
/// # Errors
/// As the source of hashes says.
pub fn inclusion<S: Subtrees>(hashes: &S, index: u64, size: u64) -> Result<Vec<Hash>, S::Error> {
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(range(hashes, middle, to)?);
            to = middle;
        } else {
            path.push(range(hashes, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The path that proves the tree of the first `old` entries to be the beginning of the one of the first `size`; `0 < old <= size`.
///
/// # Errors
/// As the source of hashes says.
pub fn consistency<S: Subtrees>(hashes: &S, old: u64, size: u64) -> Result<Vec<Hash>, S::Error> {
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    // True while what is left of the old tree is a whole subtree that whoever checks knows already.
    let mut known = true;
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(range(hashes, middle, to)?);
            to = middle;
        } else {
            path.push(range(hashes, from, middle)?);
            from = middle;
            known = false;
        }
    }
    if !known {
        path.push(range(hashes, from, to)?);
    }
    path.reverse();
    Ok(path)
}

/// True when `path` proves that the entry with this leaf is number `index` of the `size` entries with this root (RFC 9162, 2.1.3.2).
pub fn leads_to(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut number, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in path {
        if last == 0 {
            return false;
        }
        if number & 1 == 1 || number == last {
            hash = node(step, &hash);
            while number & 1 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, step);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// True when `path` proves that the `old` entries with `old_root` are the first of the `size` entries with `root` (RFC 9162, 2.1.4.2).
pub fn extends(old: u64, old_root: &Hash, size: u64, root: &Hash, path: &[Hash]) -> bool {
    if old == 0 || old > size {
        return false;
    }
    if old == size {
        return path.is_empty() && old_root == root;
    }
    let mut steps = path.iter();
    let first = if old.is_power_of_two() {
        *old_root
    } else {
        match steps.next() {
            Some(first) => *first,
            None => return false,
        }
    };
    let (mut number, mut last) = (old - 1, size - 1);
    while number & 1 == 1 {
        number >>= 1;
        last >>= 1;
    }
    let (mut before, mut now) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if number & 1 == 1 || number == last {
            before = node(step, &before);
            now = node(step, &now);
            while number & 1 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            now = node(&now, step);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && before == *old_root && now == *root
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// The definition word for word: split at the largest power of two smaller than the number of entries.
    fn defined(entries: &[Vec<u8>]) -> Hash {
        match entries {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            more => {
                let split = more.len().next_power_of_two() / 2;
                node(&defined(&more[..split]), &defined(&more[split..]))
            }
        }
    }

    #[test]
    fn the_hash_is_that_of_the_definition_for_every_length() {
        for length in 0_u32..70 {
            let entries: Vec<Vec<u8>> = (0..length).map(|entry| entry.to_be_bytes().to_vec()).collect();
            let mut tree = Tree::default();
            entries.iter().for_each(|entry| tree.add(entry));
            assert_eq!(tree.root(), defined(&entries), "{length}");
        }
    }

    /// The values that implementations of Certificate Transparency test with.
    #[test]
    fn known_trees_have_their_known_hashes() {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let mut tree = Tree::default();
        let mut roots = vec![hex(&tree.root())];
        for entry in entries {
            tree.add(entry);
            roots.push(hex(&tree.root()));
        }
        for (length, expected) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(roots[length], expected, "{length}");
        }
    }

    struct Leaves(Vec<Hash>);

    impl Subtrees for Leaves {
        type Error = Infallible;

        fn subtree(&self, level: u32, number: u64) -> Result<Hash, Infallible> {
            let from = usize::try_from(number << level).expect("small");
            Ok(root_of_leaves(&self.0[from..from + (1 << level)]))
        }
    }

    #[test]
    fn every_proof_of_every_tree_holds_and_no_other_does() {
        let leaves: Vec<Hash> = (0_u32..40).map(|entry| leaf(&entry.to_be_bytes())).collect();
        let hashes = Leaves(leaves.clone());
        let roots: Vec<Hash> = (0..=40).map(|size| root_of_leaves(&leaves[..size])).collect();
        for size in 1..=40_u64 {
            let root = roots[size as usize];
            assert_eq!(root_at(&hashes, size), Ok(root));
            for index in 0..size {
                let Ok(path) = inclusion(&hashes, index, size);
                let leaf = &leaves[index as usize];
                assert!(leads_to(leaf, index, size, &path, &root), "{index} of {size}");
                assert!(
                    !leads_to(leaf, index + 1, size, &path, &root) || size == 1,
                    "{index} of {size}"
                );
                assert!(
                    !leads_to(&root, index, size, &path, &leaf.map(|byte| !byte)),
                    "{index} of {size}"
                );
                let mut longer = path.clone();
                longer.push(root);
                assert!(!leads_to(leaf, index, size, &longer, &root), "{index} of {size}");
                if !path.is_empty() {
                    assert!(!leads_to(leaf, index, size, &path[1..], &root), "{index} of {size}");
                }
            }
            for old in 1..=size {
                let Ok(path) = consistency(&hashes, old, size);
                let before = &roots[old as usize];
                assert!(extends(old, before, size, &root, &path), "{old} of {size}");
                if old < size {
                    assert!(!extends(old, &root, size, &root, &path), "{old} of {size}");
                    assert!(!extends(old, before, size, before, &path), "{old} of {size}");
                    assert!(!extends(old, before, size, &root, &path[1..]), "{old} of {size}");
                }
            }
        }
    }
}
