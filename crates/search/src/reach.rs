//! From some items to all that belong to them: families, threads, duplicates.
//!
//! For whoever changes facts in bulk, so that a tag can go on whole conversations. Families come last, so that parts of what a thread or a
//! duplicate brought in are there too. Not for: searching at the level of families ([`crate::family`]). Main function: [`Searcher::reach`].
//! Invariants: the items given are among those that come back, as far
//! as they are seen; what is hidden from the reader is never among them.

use std::collections::HashSet;

use embley_index::ItemBits;
use embley_model::id::ItemNo;
use embley_store::StoreError;
use roaring::RoaringBitmap;

use crate::error::SearchError;
use crate::searcher::Searcher;
use crate::threads::StoredThreads;

/// What belongs to an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// All members of its family.
    pub families: bool,
    /// All messages of its thread.
    pub threads: bool,
    /// Items with the same bytes, and families with the same family key (`--fold email` joins the same ones).
    pub duplicates: bool,
}

impl Searcher {
    /// The items, and what belongs to them.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn reach(&self, items: &RoaringBitmap, reach: Reach) -> Result<RoaringBitmap, SearchError> {
        let hidden = self.reader().hidden().items();
        let mut found = items - hidden.as_ref();
        if reach.duplicates {
            found |= self.duplicates_of(&found)?;
        }
        if reach.threads {
            found |= self.threads_of(&found)?;
        }
        if reach.families {
            let families = self.families()?;
            let roots = families.roots_of(&ItemBits::from_bitmap(&found));
            found |= families.members_of(&roots).to_bitmap();
        }
        Ok(found - hidden.as_ref())
    }

    /// Messages of the threads of these items; a part counts with its top-level message.
    fn threads_of(&self, items: &RoaringBitmap) -> Result<RoaringBitmap, SearchError> {
        let threads = StoredThreads::new();
        let families = self.families()?;
        let roots = families.roots_of(&ItemBits::from_bitmap(items)).to_bitmap();
        let mut found = RoaringBitmap::new();
        for root in &roots {
            // A message whose thread was brought in by another one is done. What is no message has no thread.
            if !found.contains(root) {
                found |= threads.items(self.reader(), ItemNo(root))?;
            }
        }
        Ok(found)
    }

    /// Items with the bytes of one of these, and top-level items with the family key of one.
    fn duplicates_of(&self, items: &RoaringBitmap) -> Result<RoaringBitmap, SearchError> {
        let failed = |source| SearchError::catalogue("look for duplicates", source);
        let reader = self.reader();
        let all = ItemNo(0)..ItemNo(u32::MAX);
        let mut blobs = HashSet::new();
        let mut keys = HashSet::new();
        let mut chosen = items.iter().peekable();
        reader
            .for_each_brief(all.clone(), |brief| {
                while chosen.next_if(|item| *item < brief.item_no.0).is_some() {}
                if chosen.next_if_eq(&brief.item_no.0).is_some() {
                    blobs.insert(brief.blob_id);
                }
                Ok::<_, StoreError>(())
            })
            .map_err(failed)?;
        let mut found = RoaringBitmap::new();
        reader
            .for_each_brief(all.clone(), |brief| {
                if blobs.contains(&brief.blob_id) {
                    found.insert(brief.item_no.0);
                }
                Ok::<_, StoreError>(())
            })
            .map_err(failed)?;
        reader
            .for_each_links(all.clone(), |links| {
                if let Some(of) = links.keys.filter(|_| items.contains(links.item_no.0)) {
                    keys.insert((of.version, of.family));
                }
                Ok::<_, StoreError>(())
            })
            .map_err(failed)?;
        if !keys.is_empty() {
            reader
                .for_each_links(all, |links| {
                    if links.keys.is_some_and(|of| keys.contains(&(of.version, of.family))) {
                        found.insert(links.item_no.0);
                    }
                    Ok::<_, StoreError>(())
                })
                .map_err(failed)?;
        }
        Ok(found)
    }
}
