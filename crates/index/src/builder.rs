//! One worker's segment: items in increasing order go in, one finished segment comes out.
//!
//! Not for: making a segment visible; that is [`IndexStore::commit`](crate::IndexStore::commit).

use std::path::PathBuf;
use std::sync::Arc;

use tantivy::indexer::{AddOperation, SegmentWriter};
use tantivy::{Index, Segment, SegmentMeta};

use crate::document::{IndexDoc, Shared};
use crate::error::{IndexError, Result};
use crate::schema::IndexSchema;

/// A segment whose files are written and synced, but which no reader sees before the commit. Dropped
/// without a commit, its files are swept away at the next opening of the store.
#[derive(Debug)]
pub struct FinishedSegment {
    pub(crate) meta: SegmentMeta,
}

impl FinishedSegment {
    /// Number of items in it.
    pub fn item_count(&self) -> u32 {
        self.meta.max_doc()
    }
}

/// Builds one segment in memory. One a worker; nothing is shared between builders but the folder.
///
/// No file is made before the first item.
pub struct SegmentBuilder {
    index: Index,
    schema: Arc<IndexSchema>,
    folder: PathBuf,
    budget_bytes: usize,
    open: Option<Open>,
    last_item: Option<u32>,
    scratch: Shared,
}

struct Open {
    writer: SegmentWriter,
    segment: Segment,
}

impl SegmentBuilder {
    pub(crate) fn new(index: Index, schema: Arc<IndexSchema>, folder: PathBuf, budget_bytes: usize) -> Self {
        Self {
            index,
            schema,
            folder,
            budget_bytes,
            open: None,
            last_item: None,
            scratch: Shared::default(),
        }
    }

    /// Adds one item.
    ///
    /// # Errors
    /// [`IndexError::OutOfOrder`] or [`IndexError::FieldMisuse`]: nothing was added. Any other error: the
    /// builder must be dropped.
    pub fn add(&mut self, doc: &IndexDoc) -> Result<()> {
        if let Some(after) = self.last_item
            && doc.item_no <= after
        {
            return Err(IndexError::OutOfOrder {
                item_no: doc.item_no,
                after,
            });
        }
        // The engine drops its pointer at the end of `add_document`; if it ever kept it, a new buffer is made.
        if Arc::get_mut(&mut self.scratch.0).is_none() {
            self.scratch = Shared::default();
        }
        if let Some(prepared) = Arc::get_mut(&mut self.scratch.0) {
            prepared.fill(&self.schema, doc)?;
        }
        let document = self.scratch.clone();
        let folder = self.folder.clone();
        self.writer()?
            .add_document(AddOperation { opstamp: 0, document })
            .map_err(|source| IndexError::engine(&folder, "add an item", source))?;
        self.last_item = Some(doc.item_no);
        Ok(())
    }

    /// Number of items added so far.
    pub fn item_count(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.writer.max_doc())
    }

    /// Memory held for postings and columns, in bytes. The worker finishes the segment when this nears its
    /// budget.
    pub fn memory_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.writer.mem_usage())
    }

    /// True when the budget given at the start is used up.
    pub fn is_full(&self) -> bool {
        self.memory_bytes() >= self.budget_bytes
    }

    /// Writes and syncs the segment's files; `None` when nothing was added. The builder can be used again
    /// for the next segment.
    ///
    /// # Errors
    /// When a file cannot be written; the segment is lost, and what was committed before is untouched.
    pub fn finish(&mut self) -> Result<Option<FinishedSegment>> {
        let Some(Open { writer, segment }) = self.open.take() else {
            return Ok(None);
        };
        self.last_item = None;
        let count = writer.max_doc();
        writer
            .finalize()
            .map_err(|source| IndexError::engine(&self.folder, "write a segment", source))?;
        // Disk here: the files of this segment are whole and synced, but meta.json does not name them. A stop
        // leaves them as garbage that the next opening sweeps; the items are replayed from the catalogue.
        embley_model::failpoint::pass("index-segment")
            .map_err(|source| IndexError::io("write", &self.folder, source))?;
        let meta = segment.with_max_doc(count).meta().clone();
        meta.untrack_temp_docstore();
        Ok(Some(FinishedSegment { meta }))
    }

    fn writer(&mut self) -> Result<&mut SegmentWriter> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let segment = self.index.new_segment();
                let writer = SegmentWriter::for_segment(self.budget_bytes, segment.clone())
                    .map_err(|source| IndexError::engine(&self.folder, "begin a segment", source))?;
                Open { writer, segment }
            }
        };
        Ok(&mut self.open.insert(open).writer)
    }
}
