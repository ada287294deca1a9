//! What items are called outside of this case: item id and SHA-256, for digests and samples over many of them.
//!
//! Main type: [`Identity`]. Invariant: nothing here depends on item numbers, packs or segments.

use embley_model::id::{Blake3, ItemId, ItemNo, Key128, Sha256};
use roaring::RoaringBitmap;

use super::read::CatalogueReader;
use crate::error::{Doing, Result, StoreError};

/// Items up to this far apart are read in one scan: passing over a row is cheaper than looking one up.
const GAP: u32 = 32;

/// An item as it is called in every case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its number in this case.
    pub item_no: ItemNo,
    /// Its id in every case.
    pub id: ItemId,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
}

impl CatalogueReader {
    /// Gives the identities of items to `each`, ascending by number. Holds none of them.
    ///
    /// # Errors
    /// When the catalogue cannot be read, has no row for one of the items, a row is damaged, or `each` failed.
    pub fn for_each_identity<E: From<StoreError>>(
        &self,
        items: &RoaringBitmap,
        mut each: impl FnMut(Identity) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT i.item_no, i.root, i.part_path, b.sha256, b.blake3 FROM item i JOIN blob b ON b.blob_id = i.blob_id \
                 WHERE i.item_no >= ?1 AND i.item_no < ?2 ORDER BY i.item_no",
            )
            .doing("read identities")?;
        let mut root: Option<(u32, Key128)> = None;
        let mut wanted = items.iter().peekable();
        while let Some(first) = wanted.peek().copied() {
            let mut run = vec![first];
            wanted.next();
            let mut last = first;
            while let Some(next) = wanted.next_if(|next| next - last <= GAP && run.len() < 65_536) {
                run.push(next);
                last = next;
            }
            let end = last.saturating_add(1).min(self.pinned.next_item);
            let mut rows = statement.query((first, end)).doing("read identities")?;
            let mut run = run.into_iter().peekable();
            while let Some(row) = rows.next().doing("read identities")? {
                let read = |at| row.get::<_, u32>(at).doing("read identities");
                let (item_no, root_no) = (read(0)?, read(1)?);
                let hash = |at| -> Result<[u8; 32]> {
                    let bytes = row.get_ref(at)?.as_blob().unwrap_or_default();
                    bytes.try_into().map_err(|_| {
                        StoreError::damaged(
                            "catalogue",
                            format!("blob of item {item_no}"),
                            "a hash has another length",
                        )
                    })
                };
                if root_no == item_no {
                    root = Some((root_no, Blake3(hash(4)?).half()));
                }
                if run.next_if_eq(&item_no).is_none() {
                    continue;
                }
                let half = match root {
                    Some((known, half)) if known == root_no => half,
                    _ => self.half_of(ItemNo(root_no))?,
                };
                root = Some((root_no, half));
                each(Identity {
                    item_no: ItemNo(item_no),
                    id: ItemId {
                        root: half,
                        part: row
                            .get::<_, Option<String>>(2)
                            .doing("read identities")?
                            .unwrap_or_default(),
                    },
                    sha256: Sha256(hash(3)?),
                })?;
            }
            if let Some(missing) = run.next() {
                return Err(StoreError::NotFound {
                    what: format!("item {missing}"),
                }
                .into());
            }
        }
        Ok(())
    }

    fn half_of(&self, root: ItemNo) -> Result<Key128> {
        let blob = self.blob_of(root)?.ok_or_else(|| {
            StoreError::damaged(
                "catalogue",
                format!("item {root}"),
                "the bytes of a top-level item are missing",
            )
        })?;
        Ok(blob.blake3.half())
    }
}
