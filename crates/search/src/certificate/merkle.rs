//! The hash of a list of hashes: the Merkle tree hash of RFC 9162, section 2.1.1 (the same as RFC 6962), with SHA-256.
//!
//! Not for: proofs of inclusion. Main type: [`Tree`]. Invariant: 32 bytes for each of the at most 64 open subtrees, whatever the length.

use sha2::{Digest, Sha256};

/// A hash.
pub(crate) type Hash = [u8; 32];

/// Takes entries in order and gives the hash of them all.
#[derive(Default)]
pub(crate) struct Tree {
    /// Full subtrees, largest first: how many entries each covers, and its hash.
    open: Vec<(u64, Hash)>,
}

impl Tree {
    /// Adds an entry.
    pub(crate) fn add(&mut self, entry: &[u8]) {
        let mut whole = (1, leaf(entry));
        while let Some(left) = self.open.pop_if(|left| left.0 == whole.0) {
            whole = (whole.0 * 2, node(&left.1, &whole.1));
        }
        self.open.push(whole);
    }

    /// The hash of all entries so far; of none, the SHA-256 of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut subtrees = self.open.iter().rev();
        let Some((_, last)) = subtrees.next() else {
            return Sha256::digest([]).into();
        };
        subtrees.fold(*last, |right, (_, left)| node(left, &right))
    }
}

/// The hash of these entries in this order.
pub(crate) fn root_of<'a>(entries: impl IntoIterator<Item = &'a Hash>) -> Hash {
    let mut tree = Tree::default();
    entries.into_iter().for_each(|entry| tree.add(entry));
    tree.root()
}

fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(left).chain_update(right);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use embley_model::id::hex_encode;

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
        let mut roots = vec![hex_encode(&tree.root())];
        for entry in entries {
            tree.add(entry);
            roots.push(hex_encode(&tree.root()));
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
}
