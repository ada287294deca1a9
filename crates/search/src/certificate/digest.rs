//! Item hashes, and hashes of sets of items.
//!
//! The *item hash* is the SHA-256 of the text `<SHA-256 of the bytes, hexadecimal> <item id>`, such as `9f86…08 item:3f2a…c1/2.1`: both
//! columns of any list of hits, so that anyone can make it again. A set's root is the Merkle tree hash of its item hashes, sorted as
//! bytes. Main type: [`ItemHashes`]. Memory: 32 bytes an item, and as much again while the largest set is hashed.

use embley_model::id::hex_encode;
use embley_store::StoreError;
use embley_store::catalogue::{CatalogueReader, Identity};
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};

use super::statement::SetDigest;
use crate::error::SearchError;
use embley_store::merkle::{Hash, root_of};

/// The text that an item hash is made of.
pub(crate) fn item_text(identity: &Identity) -> String {
    format!("{} {}", identity.sha256, identity.id)
}

/// The item hashes of a case, by item number.
pub(crate) struct ItemHashes(Vec<Hash>);

impl ItemHashes {
    /// Reads the identities of all items that the reader sees.
    pub(crate) fn read(reader: &CatalogueReader) -> Result<Self, SearchError> {
        let next_item = reader.checkpoint().next_item;
        let mut hashes = vec![[0; 32]; next_item as usize];
        reader
            .for_each_identity(&reader.seen_items(), |one| {
                if let Some(hash) = hashes.get_mut(one.item_no.0 as usize) {
                    *hash = Sha256::digest(item_text(&one)).into();
                }
                Ok::<_, StoreError>(())
            })
            .map_err(|source| SearchError::catalogue("read what its items are called", source))?;
        Ok(Self(hashes))
    }

    /// The hash of a set of items, whatever their numbers.
    pub(crate) fn set(&self, items: &RoaringBitmap) -> SetDigest {
        let mut hashes: Vec<Hash> = items.iter().filter_map(|item| self.of(item)).collect();
        hashes.sort_unstable();
        SetDigest {
            items: hashes.len() as u64,
            root: hex_encode(&root_of(&hashes)),
        }
    }

    /// The hash of items in the order given.
    pub(crate) fn sequence(&self, items: impl Iterator<Item = u32>) -> String {
        let mut tree = embley_store::merkle::Tree::default();
        items.filter_map(|item| self.of(item)).for_each(|hash| tree.add(&hash));
        hex_encode(&tree.root())
    }

    fn of(&self, item: u32) -> Option<Hash> {
        self.0.get(item as usize).copied()
    }
}
