//! Which originals are opened again, although they were opened before.

use embley_model::defect::Class;
use embley_model::id::{ItemNo, RunNo};
use embley_model::item::Searchability;
use embley_store::StoreError;
use embley_store::catalogue::CatalogueReader;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::error::IngestError;

/// What to open again. Nothing given means: whatever hides text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Items with a defect of this class (`loss`, `warning`, `note`).
    pub class: Option<String>,
    /// Items whose media type begins so.
    pub media_type: Option<String>,
    /// Items that were opened by a reader whose name and version begin so.
    pub reader: Option<String>,
}

impl Retry {
    /// Blobs to open again; not those that this run opened already.
    pub(crate) fn blobs(&self, reader: &CatalogueReader, run: RunNo) -> Result<RoaringBitmap, IngestError> {
        let mut items = if self.class.is_none() && self.media_type.is_none() && self.reader.is_none() {
            hiding(reader)?
        } else {
            reader.items_opened()?
        };
        if let Some(class) = &self.class {
            let mut with_class = RoaringBitmap::new();
            reader.for_each_defect::<StoreError>(ItemNo(1)..ItemNo(u32::MAX), |defect| {
                if word_of(defect.code.class()).eq_ignore_ascii_case(class) {
                    with_class.insert(defect.item_no.0);
                }
                Ok(())
            })?;
            items &= with_class;
        }
        let mut blobs = RoaringBitmap::new();
        for item in items {
            let Some(row) = reader.item(ItemNo(item))? else {
                continue;
            };
            let of_type = self
                .media_type
                .as_ref()
                .is_none_or(|wanted| row.media_type.starts_with(wanted));
            if !of_type || blobs.contains(row.blob_id.0) {
                continue;
            }
            let Some(opened) = reader.opening(row.blob_id)? else {
                continue;
            };
            let by_reader = self
                .reader
                .as_ref()
                .is_none_or(|wanted| opened.reader.starts_with(wanted));
            if by_reader && opened.run_no != run {
                blobs.insert(row.blob_id.0);
            }
        }
        Ok(blobs)
    }
}

fn hiding(reader: &CatalogueReader) -> Result<RoaringBitmap, IngestError> {
    let mut items = RoaringBitmap::new();
    for state in Searchability::ALL.into_iter().filter(|state| state.hides_text()) {
        items |= reader.searchability_items(state)?;
    }
    Ok(items)
}

fn word_of(class: Class) -> &'static str {
    match class {
        Class::Note => "note",
        Class::Warning => "warning",
        Class::Loss => "loss",
        Class::Excepted => "excepted",
    }
}
