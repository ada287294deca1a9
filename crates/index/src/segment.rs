//! One open segment: its readers, its columns, its item numbers, each opened when first needed.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use embley_model::field::Field;
use roaring::RoaringBitmap;
use tantivy::columnar::{Column, ColumnType, StrColumn};
use tantivy::directory::{CompositeFile, FileSlice};
use tantivy::index::SegmentComponent;
use tantivy::{Index, InvertedIndexReader, SegmentMeta, SegmentReader, TantivyError};

use crate::bits::DocBits;
use crate::error::{IndexError, Result};
use crate::files;
use crate::items::ItemMap;
use crate::schema::{ITEM, IndexSchema};
use crate::writer::segment_files;

/// A segment as a snapshot holds it.
pub(crate) struct OpenSegment {
    reader: SegmentReader,
    schema: Arc<IndexSchema>,
    folder: PathBuf,
    positions: CompositeFile,
    items: OnceLock<ItemMap>,
    hidden: Option<DocBits>,
    token_counts: Mutex<HashMap<Field, u64>>,
}

impl OpenSegment {
    pub(crate) fn open(index: &Index, schema: &Arc<IndexSchema>, folder: &Path, meta: &SegmentMeta) -> Result<Self> {
        // The engine takes a missing positions file for an empty one.
        for file in segment_files(meta) {
            let path = folder.join(file);
            if !files::exists(&path)? {
                return Err(IndexError::damaged(path, "it is missing"));
            }
        }
        let segment = index.segment(meta.clone());
        let failed = |source| segment_error(folder, meta, source);
        let reader = SegmentReader::open(&segment).map_err(failed)?;
        let positions = segment
            .open_read(SegmentComponent::Positions)
            .map_err(|source| failed(source.into()))?;
        let positions = CompositeFile::open(&positions).map_err(|source| failed(source.into()))?;
        Ok(Self {
            reader,
            positions,
            schema: Arc::clone(schema),
            folder: folder.to_owned(),
            items: OnceLock::new(),
            hidden: None,
            token_counts: Mutex::default(),
        })
    }

    /// From here on these items are not there: in no answer, list of words, statistic or count.
    pub(crate) fn hide(&mut self, items: &RoaringBitmap) -> Result<()> {
        let mut hidden = self.items()?.docs(items, self.doc_count());
        if let Some(alive) = self.reader.alive_bitset() {
            let mut bits = DocBits::empty(self.doc_count());
            alive.iter_alive().for_each(|doc| bits.insert(doc));
            hidden.and(&bits);
        }
        self.hidden = (!hidden.is_empty()).then_some(hidden);
        self.token_counts = Mutex::default();
        Ok(())
    }

    /// The documents that are hidden; `None` when none is.
    pub(crate) fn hidden(&self) -> Option<&DocBits> {
        self.hidden.as_ref()
    }

    /// Number of documents, deleted ones included.
    pub(crate) fn doc_count(&self) -> u32 {
        self.reader.max_doc()
    }

    /// Number of documents that are neither deleted nor hidden.
    pub(crate) fn alive_count(&self) -> u32 {
        self.reader.num_docs() - self.hidden.as_ref().map_or(0, DocBits::count)
    }

    /// The documents that are neither deleted nor hidden; `None` when all are.
    pub(crate) fn alive_docs(&self) -> Option<DocBits> {
        let mut bits = match self.reader.alive_bitset() {
            Some(alive) => {
                let mut bits = DocBits::empty(self.doc_count());
                alive.iter_alive().for_each(|doc| bits.insert(doc));
                bits
            }
            None => {
                self.hidden.as_ref()?;
                DocBits::full(self.doc_count())
            }
        };
        if let Some(hidden) = &self.hidden {
            bits.and_not(hidden);
        }
        Some(bits)
    }

    /// How many words a field has in the documents that are not deleted or hidden, each counted with the length that scores see (exact
    /// up to 40 words, then in steps); 0 for a field without lengths. So it is the same number whether a document is hidden or was never
    /// taken in.
    pub(crate) fn token_count(&self, field: Field) -> Result<u64> {
        let mut known = self.token_counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = known.get(&field) {
            return Ok(*count);
        }
        let count = match self.lengths(field)? {
            None => 0,
            Some(lengths) => guarded(&self.file("*"), || {
                let of = |doc| u64::from(lengths.fieldnorm(doc));
                Ok(match self.alive_docs() {
                    None => (0..self.doc_count()).map(of).sum(),
                    Some(docs) => docs.iter().map(of).sum(),
                })
            })?,
        };
        known.insert(field, count);
        Ok(count)
    }

    /// The postings of a text or keyword field.
    pub(crate) fn inverted(&self, field: Field) -> Result<Arc<InvertedIndexReader>> {
        let physical = self.schema.physical(field).ok_or(IndexError::FieldMisuse {
            field: field.name(),
            use_as: "in the index",
        })?;
        self.reader
            .inverted_index(physical)
            .map_err(|source| self.failed(source))
    }

    /// The positions of a text field, as its dictionary refers to them.
    pub(crate) fn positions(&self, field: Field) -> FileSlice {
        let physical = self.schema.physical(field);
        physical
            .and_then(|physical| self.positions.open_read(physical))
            .unwrap_or_else(FileSlice::empty)
    }

    /// Field lengths, for the fields that have them.
    pub(crate) fn lengths(&self, field: Field) -> Result<Option<tantivy::fieldnorm::FieldNormReader>> {
        match self.schema.physical(field) {
            Some(physical) if crate::schema::has_length(field) => self
                .reader
                .fieldnorms_readers()
                .get_field(physical)
                .map_err(|source| self.failed(source)),
            _ => Ok(None),
        }
    }

    /// The column of a date field, in the engine's own order-preserving form ([`ordered`]), which it reads without a
    /// detour.
    pub(crate) fn dates(&self, field: Field) -> Result<Column<u64>> {
        let column = self
            .reader
            .fast_fields()
            .u64_lenient_for_type(Some(&[ColumnType::I64]), field.name())
            .map_err(|source| self.failed(source))?;
        Ok(column.map_or_else(|| Column::build_empty_column(self.doc_count()), |(column, _)| column))
    }

    pub(crate) fn sizes(&self) -> Result<Column<u64>> {
        self.reader
            .fast_fields()
            .u64(Field::Size.name())
            .map_err(|source| self.failed(source))
    }

    /// A column of whole values; `None` when no document of the segment has one.
    pub(crate) fn values(&self, name: &str) -> Result<Option<StrColumn>> {
        self.reader
            .fast_fields()
            .str(name)
            .map_err(|source| self.failed(source))
    }

    pub(crate) fn item_column(&self) -> Result<Column<u64>> {
        self.reader
            .fast_fields()
            .u64(ITEM)
            .map_err(|source| self.failed(source))
    }

    /// The way between documents and items.
    pub(crate) fn items(&self) -> Result<&ItemMap> {
        if let Some(items) = self.items.get() {
            return Ok(items);
        }
        let file = self.file("fast");
        let read = guarded(&file, || {
            ItemMap::read(&self.item_column()?, self.doc_count()).map_err(|detail| IndexError::damaged(&file, detail))
        })?;
        Ok(self.items.get_or_init(|| read))
    }

    /// Path of one of its files.
    pub(crate) fn file(&self, extension: &str) -> PathBuf {
        let name = format!("{}.{extension}", self.reader.segment_id().uuid_string());
        self.folder.join(name)
    }

    /// Sorts an error met while reading this segment.
    pub(crate) fn failed(&self, source: TantivyError) -> IndexError {
        match source {
            TantivyError::IoError(_) | TantivyError::DataCorruption(_) => {
                IndexError::damaged(self.file("*"), source.to_string())
            }
            other => IndexError::engine(&self.folder, "read a segment", other),
        }
    }
}

/// A date as the column of dates holds it: in the same order, from the earliest on.
pub(crate) fn ordered(date: i64) -> u64 {
    tantivy::i64_to_u64(date)
}

/// Errors of opening that name no file are about the segment as a whole.
fn segment_error(folder: &Path, meta: &SegmentMeta, source: TantivyError) -> IndexError {
    match source {
        TantivyError::DataCorruption(_) | TantivyError::IoError(_) => {
            let name = format!("{}.*", meta.id().uuid_string());
            IndexError::damaged(folder.join(name), source.to_string())
        }
        other => IndexError::engine(folder, "open a segment", other),
    }
}

/// The engine panics on some damage (offsets that lead outside of a file); that is the index's trouble, not the
/// program's end.
pub(crate) fn guarded<T>(file: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(IndexError::damaged(
            file,
            "reading it failed; `embley verify` names the file",
        ))
    })
}
