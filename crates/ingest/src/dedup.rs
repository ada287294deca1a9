//! The de-duplication table: which original bytes the case already holds.
//!
//! Keyed by the first 128 bits of BLAKE3 (two different originals that agree in them cost an adversary 2^64 hashes;
//! `verify --deep` compares all 256). It is the only structure that grows with the input: 24 bytes a distinct blob, plus the
//! table's slack. Invariant: only the ordered steps (decide, number) touch it, so its answers depend on input order alone.

use embley_model::id::{BlobId, ItemNo, Key128};
use hashbrown::HashMap;

const NONE: u32 = u32::MAX;
const CLAIMED: u32 = u32::MAX - 1;

/// A hasher for keys that are already uniform: takes their first eight bytes.
#[derive(Clone, Copy, Default)]
struct FirstEight(u64);

impl std::hash::Hasher for FirstEight {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

/// `blob` is `NONE` until the number step has seen it; `item` is `NONE` until a top-level item is numbered, and `CLAIMED`
/// between the decide step and that.
#[derive(Clone, Copy)]
struct Slot {
    blob: u32,
    item: u32,
}

/// See the module.
#[derive(Default)]
pub(crate) struct DedupTable {
    slots: HashMap<[u8; 16], Slot, std::hash::BuildHasherDefault<FirstEight>>,
}

impl DedupTable {
    /// Makes room for `count` more blobs at once.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.slots.reserve(count);
    }

    /// Takes back what an earlier run knew.
    pub(crate) fn restore(&mut self, key: Key128, blob: BlobId, top_item: Option<ItemNo>) {
        let item = top_item.map_or(NONE, |item| item.0);
        self.slots.insert(key.0, Slot { blob: blob.0, item });
    }

    /// The decide step: true when no top-level entry with these bytes came before, which claims it for the caller.
    pub(crate) fn claim(&mut self, key: Key128) -> bool {
        let slot = self.slots.entry(key.0).or_insert(Slot { blob: NONE, item: NONE });
        if slot.item == NONE {
            slot.item = CLAIMED;
            return true;
        }
        false
    }

    /// The number step: the blob of these bytes, taking `next` when they have none yet. True when `next` was taken.
    pub(crate) fn blob(&mut self, key: Key128, next: BlobId) -> (BlobId, bool) {
        let slot = self.slots.entry(key.0).or_insert(Slot { blob: NONE, item: NONE });
        if slot.blob == NONE {
            slot.blob = next.0;
            return (next, true);
        }
        (BlobId(slot.blob), false)
    }

    /// The number step: remembers the item that a claimed original became.
    pub(crate) fn set_item(&mut self, key: Key128, item: ItemNo) {
        if let Some(slot) = self.slots.get_mut(&key.0) {
            slot.item = item.0;
        }
    }

    /// The top-level item with these bytes, once numbered.
    pub(crate) fn item(&self, key: Key128) -> Option<ItemNo> {
        self.slots
            .get(&key.0)
            .map(|slot| slot.item)
            .filter(|item| *item < CLAIMED)
            .map(ItemNo)
    }

    /// Distinct blobs known.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Bytes that the table holds on to.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.slots.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key128 {
        Key128([byte; 16])
    }

    #[test]
    fn first_claim_wins_and_later_ones_see_its_item() {
        let mut table = DedupTable::default();
        assert!(table.claim(key(1)));
        assert!(!table.claim(key(1)));
        assert_eq!(table.item(key(1)), None);
        assert_eq!(table.blob(key(1), BlobId(7)), (BlobId(7), true));
        table.set_item(key(1), ItemNo(3));
        assert_eq!(table.item(key(1)), Some(ItemNo(3)));
    }

    #[test]
    fn an_attachment_shares_its_blob_with_a_loose_file_but_not_its_item() {
        let mut table = DedupTable::default();
        assert_eq!(table.blob(key(2), BlobId(0)), (BlobId(0), true));
        assert!(table.claim(key(2)), "no top-level entry had these bytes");
        assert_eq!(table.blob(key(2), BlobId(1)), (BlobId(0), false));
    }

    #[test]
    fn memory_stays_near_forty_bytes_a_blob_at_full_load() {
        let mut table = DedupTable::default();
        table.reserve(100_000);
        for number in 0..100_000_u32 {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&(u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes());
            table.claim(Key128(bytes));
        }
        assert_eq!(table.len(), 100_000);
        assert!(table.memory_bytes() < 100_000 * 40, "{}", table.memory_bytes());
    }
}
