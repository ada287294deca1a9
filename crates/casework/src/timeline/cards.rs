//! Cards of items from the catalogue.

use std::collections::HashMap;

use embley_model::address::Participant;
use embley_model::id::{ItemId, ItemNo, Key128};
use embley_store::StoreError;
use embley_store::catalogue::CatalogueReader;
use roaring::RoaringBitmap;

use super::{ItemCard, ItemSource};
use crate::error::Result;

impl ItemSource for CatalogueReader {
    fn cards(&self, items: &RoaringBitmap) -> Result<Vec<ItemCard>> {
        let mut cards = Vec::new();
        let mut roots = Roots {
            reader: self,
            known: HashMap::new(),
        };
        for number in items {
            let Some(row) = self.item(ItemNo(number))? else {
                continue;
            };
            let is_root = row.root == row.item_no;
            let hash = roots.hash(row.root)?;
            let participants = if is_root {
                row.participants
            } else {
                roots.participants(row.root, row.participants)?
            };
            cards.push(ItemCard {
                item: row.item_no,
                id: ItemId {
                    root: hash,
                    part: row.part_path,
                }
                .to_string(),
                kind: row.kind,
                date: row.date,
                subject: row.subject,
                filename: row.filename,
                participants,
                root: row.root,
            });
        }
        Ok(cards)
    }
}

/// What parts take from the top of their family; the families of one timeline lie close together.
struct Roots<'a> {
    reader: &'a CatalogueReader,
    known: HashMap<ItemNo, (Key128, Option<Vec<Participant>>)>,
}

impl Roots<'_> {
    fn hash(&mut self, root: ItemNo) -> Result<Key128> {
        if let Some((hash, _)) = self.known.get(&root) {
            return Ok(*hash);
        }
        let blob = self.reader.blob_of(root)?.ok_or_else(|| StoreError::Damaged {
            what: "catalogue".to_owned(),
            place: format!("item {root}"),
            detail: "its bytes are not there".to_owned(),
        })?;
        let hash = blob.blake3.half();
        self.known.insert(root, (hash, None));
        Ok(hash)
    }

    /// A nested message has participants of its own; other parts take those of the top-level message.
    fn participants(&mut self, root: ItemNo, own: Vec<Participant>) -> Result<Vec<Participant>> {
        if !own.is_empty() {
            return Ok(own);
        }
        let hash = self.hash(root)?;
        if let Some((_, Some(held))) = self.known.get(&root) {
            return Ok(held.clone());
        }
        let held = self.reader.item(root)?.map(|row| row.participants).unwrap_or_default();
        self.known.insert(root, (hash, Some(held.clone())));
        Ok(held)
    }
}
