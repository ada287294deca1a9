//! Items with the same bytes: whatever is kept from sight, or out of an export, for what its bytes say, says it in every copy.
//!
//! Not for: copies that say the same in other bytes (line ends, another way of packing), which keys of items find. Invariant: an empty
//! item is nobody's copy.

use embley_model::id::{BlobId, ItemNo};
use roaring::RoaringBitmap;

use super::read::CatalogueReader;
use crate::error::{Result, StoreError};

/// The look-up index from bytes to items.
const BLOB_LOOKUP: &str = "item_by_blob";
/// From so many different bytes on, one look at every item is cheaper than look-ups.
const MANY: u64 = 1_000;

impl CatalogueReader {
    /// These items and all others that this reader sees with the same bytes as one of them.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn with_same_bytes(&self, items: &RoaringBitmap) -> Result<RoaringBitmap> {
        let mut all = items.clone();
        let mut blobs = RoaringBitmap::new();
        for item in items {
            let brief = self.brief(ItemNo(item))?;
            blobs.extend(brief.filter(|brief| brief.size > 0).map(|brief| brief.blob_id.0));
        }
        if blobs.is_empty() {
            return Ok(all);
        }
        // There is no index during an ingest.
        if blobs.len() < MANY && self.lookups()?.iter().any(|name| name == BLOB_LOOKUP) {
            for blob in blobs {
                all.extend(self.items_of_blob(BlobId(blob))?.into_iter().map(|copy| copy.0));
            }
            return Ok(all);
        }
        let range = ItemNo(1)..ItemNo(self.checkpoint().next_item);
        self.for_each_brief::<StoreError>(range, |brief| {
            if blobs.contains(brief.blob_id.0) {
                all.insert(brief.item_no.0);
            }
            Ok(())
        })?;
        Ok(all)
    }
}
