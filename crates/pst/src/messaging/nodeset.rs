//! A set of node identifiers that stays small however many there are.
//!
//! Main type: [`NodeSet`]. Identifiers of one kind are given out one after the other ([MS-PST] section 2.2.2.1), so bits beside one another are the
//! compact form: a bit a node, in pieces of 512 bytes for 4096 nodes of a kind, and only pieces with a node in them. Ten million messages take 1.2 MiB.
//! Invariant: identifiers have 32 bits, so no file, however scattered its identifiers, makes it hold more than 512 MiB of bits.

use std::collections::HashMap;

use crate::ndb::NodeId;

/// Words of a piece.
const WORDS: usize = 64;

/// Node identifiers, each at most once.
#[derive(Clone, Debug, Default)]
pub struct NodeSet {
    /// By kind and upper bits of the index.
    pieces: HashMap<u32, Box<[u64; WORDS]>>,
}

impl NodeSet {
    /// Adds a node; false when it was there already.
    pub fn insert(&mut self, id: NodeId) -> bool {
        let (piece, word, mask) = place(id);
        let word = &mut self.pieces.entry(piece).or_insert_with(|| Box::new([0; WORDS]))[word];
        let is_new = *word & mask == 0;
        *word |= mask;
        is_new
    }

    /// True when it was added.
    pub fn contains(&self, id: NodeId) -> bool {
        let (piece, word, mask) = place(id);
        self.pieces.get(&piece).is_some_and(|words| words[word] & mask != 0)
    }
}

impl Extend<NodeId> for NodeSet {
    fn extend<T: IntoIterator<Item = NodeId>>(&mut self, ids: T) {
        for id in ids {
            self.insert(id);
        }
    }
}

/// The piece, its word, and the bit in it. The kind is in the lower 5 bits of an identifier; 12 bits of the index choose within a piece.
fn place(id: NodeId) -> (u32, usize, u64) {
    let (kind, index) = (id.0 & 0x1F, id.0 >> 5);
    let bit = index & 0xFFF;
    ((index >> 12) << 5 | kind, (bit / 64) as usize, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn says_what_a_plain_set_says(ids in prop::collection::vec(prop_oneof![any::<u32>(), 0u32..5000], 0..300)) {
            let (mut set, mut plain) = (NodeSet::default(), HashSet::new());
            for id in &ids {
                prop_assert_eq!(set.insert(NodeId(*id)), plain.insert(*id));
            }
            for id in ids.iter().flat_map(|id| [*id, id ^ 1, id ^ 0x20, id ^ 0x2_0000]) {
                prop_assert_eq!(set.contains(NodeId(id)), plain.contains(&id));
            }
        }
    }

    #[test]
    fn nodes_of_one_kind_in_a_row_take_a_bit_each() {
        let mut set = NodeSet::default();
        set.extend((0..1_000_000u32).map(|at| NodeId(at << 5 | 4)));
        assert_eq!(set.pieces.len(), 1_000_000usize.div_ceil(4096));
    }
}
