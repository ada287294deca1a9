//! What the feed found beside entries: folders, custodians, and names of which nothing can be made.
//!
//! Main types: [`FeedNotes`], which go with a unit, and [`FeedSummary`], told at the end.

use std::collections::HashMap;

use embley_model::defect::Defect;
use embley_model::id::{FileId, ItemNo, SourceId};
use embley_store::catalogue::{CustodianId, FolderId};
use roaring::RoaringBitmap;

/// Custodians by name, growing as the walk meets new ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custodians {
    pub(crate) by_name: HashMap<String, CustodianId>,
    pub(crate) next: u32,
}

impl Custodians {
    /// The id of a name, and whether it is new.
    pub(crate) fn id(&mut self, name: &str) -> (CustodianId, bool) {
        if let Some(id) = self.by_name.get(name) {
            return (*id, false);
        }
        let id = CustodianId(self.next);
        self.next += 1;
        self.by_name.insert(name.to_owned(), id);
        (id, true)
    }
}

/// A folder met for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewFolder {
    pub(crate) folder: FolderId,
    pub(crate) source: SourceId,
    pub(crate) path: Vec<u8>,
    /// The item that holds it, when it lies inside a container.
    pub(crate) container: Option<ItemNo>,
}

/// A custodian met for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewCustodian {
    pub(crate) custodian: CustodianId,
    pub(crate) name: String,
}

/// An entry for the exception register.
#[derive(Clone, Debug)]
pub(crate) struct NewException {
    pub(crate) source: SourceId,
    pub(crate) path: String,
    pub(crate) defect: Defect,
    pub(crate) action: &'static str,
}

/// Rows that go with the next unit.
#[derive(Default)]
pub(crate) struct FeedNotes {
    pub(crate) custodians: Vec<NewCustodian>,
    pub(crate) folders: Vec<NewFolder>,
}

/// What the feed found that has no unit, told at the end. Each walk begins anew, so a walk that comes to its end knows all of it,
/// however often the run was interrupted.
#[derive(Default)]
pub(crate) struct FeedSummary {
    /// Entries of unchanged files by source.
    pub(crate) unchanged: HashMap<SourceId, u64>,
    /// Files left out by rule, by source.
    pub(crate) excluded: HashMap<SourceId, u64>,
    /// What the walk could not read; each stands for a top-level entry that has no item.
    pub(crate) exceptions: Vec<NewException>,
    /// Files of each folder (source, folder number) that were there before and are gone.
    pub(crate) absent: Vec<FileId>,
    /// Folders seen, so that files of vanished folders can be told.
    pub(crate) folders_seen: RoaringBitmap,
    /// Sources walked to the end.
    pub(crate) sources: Vec<SourceId>,
    /// Bytes of unchanged files.
    pub(crate) unchanged_bytes: u64,
}
