//! The texts of items, for whoever searches, marks or compares them: parsed again from the originals of a case.
//!
//! Main type: [`StoredTexts`]. Invariant: what is read is what was indexed.

use std::sync::{Mutex, PoisonError};

use embley_ingest::Originals;
use embley_model::id::ItemNo;
use embley_search::{BoxError, ItemText};
use embley_store::Case;

/// Texts of items, parsed again from their originals; several threads read at once, each with a reader of its own.
pub struct StoredTexts<'c> {
    case: &'c Case,
    idle: Mutex<Vec<Originals>>,
}

impl<'c> StoredTexts<'c> {
    /// Readers are opened when they are wanted and used again.
    pub fn new(case: &'c Case) -> Self {
        Self {
            case,
            idle: Mutex::new(Vec::new()),
        }
    }

    fn take(&self) -> Option<Originals> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl ItemText for StoredTexts<'_> {
    fn text(&self, item: ItemNo) -> std::result::Result<String, BoxError> {
        let mut originals = match self.take() {
            Some(originals) => originals,
            None => Originals::open(self.case)?,
        };
        let text = originals.text(item);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(originals);
        Ok(text?.body)
    }
}
