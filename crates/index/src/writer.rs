//! The index folder as its one writer sees it: opening, commits, deletions, sweeping.
//!
//! The engine's own `IndexWriter` with its threads and queue is not used: workers build whole segments
//! ([`SegmentBuilder`]) and a commit is one atomic replacement of `meta.json` that names them.
//!
//! Layout: `meta.json` (schema, segments, payload with versions and ticket), `<segment>.{term,idx,pos,fast,
//! fieldnorm,store}`, `<segment>.<n>.del` for segments with deleted items, each with a checksum in its
//! footer. The caller holds the case lock; there is no second writer.
//!
//! Invariant: a commit's ticket names a state that is complete: exactly the items up to it are in.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use embley_model::id::Ticket;
use roaring::RoaringBitmap;
use tantivy::directory::{Directory, MmapDirectory, TerminatingWrite};
use tantivy::fastfield::write_alive_bitset;
use tantivy::index::SegmentComponent;
use tantivy::{BitSet, Index, IndexMeta, IndexSettings, SegmentMeta, SegmentReader};

use crate::builder::{FinishedSegment, SegmentBuilder};
use crate::commit::Payload;
use crate::error::{ErrorClass, IndexError, Result, cut};
use crate::files;
use crate::schema::{ITEM, IndexSchema, register};

const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";
/// Sub-folders of merges in progress begin with this.
pub(crate) const MERGE_PREFIX: &str = "merge-";

/// The index, opened for writing by the holder of the case lock.
pub struct IndexStore {
    pub(crate) index: Index,
    pub(crate) schema: Arc<IndexSchema>,
    pub(crate) folder: PathBuf,
    pub(crate) segments: Vec<SegmentMeta>,
    pub(crate) payload: Payload,
    pub(crate) opstamp: u64,
    pending_deletes: RoaringBitmap,
    /// The next commit takes the place of all segments before it.
    replaces: bool,
}

impl IndexStore {
    /// Opens the index in `folder`, or makes an empty one when the folder holds none. Sweeps what an
    /// interrupted run left behind.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] and [`IndexError::Version`] leave the folder as it is.
    pub fn open_or_create(folder: &Path) -> Result<Self> {
        if !files::exists(&folder.join(META))? {
            if let Some(file) = stray_segment(folder)? {
                let detail = format!("it is missing, while \"{file}\" is there");
                return Err(IndexError::damaged(folder.join(META), detail));
            }
            return Self::create_empty(folder);
        }
        let index = open_index(folder)?;
        let meta = load_meta(folder, &index)?;
        if meta.payload.is_none() && meta.segments.is_empty() {
            return Self::create_empty(folder);
        }
        let mut store = Self::with_meta(folder, index, meta)?;
        store.sweep()?;
        Ok(store)
    }

    /// Makes an empty index in `folder`, whatever is there: the first step of `reindex`. Readers that are
    /// open keep what they have.
    ///
    /// # Errors
    /// When the folder cannot be written; the old index may then be partly gone, and is derived anyway.
    pub fn create_empty(folder: &Path) -> Result<Self> {
        files::make_folder(folder)?;
        // The list of files may be as damaged as the rest; the sweep below looks at the folder itself.
        files::remove(&folder.join(MANAGED))?;
        let schema = IndexSchema::new();
        let directory = open_directory(folder)?;
        let index = Index::create(directory, schema.schema.clone(), settings())
            .map_err(|source| IndexError::engine(folder, "make the index", source))?;
        // Disk here: a meta.json without a payload and without segments, which opening takes for no index.
        register(&index);
        let mut store = Self {
            index,
            schema: Arc::new(schema),
            folder: folder.to_owned(),
            segments: Vec::new(),
            payload: Payload::new(None),
            opstamp: 0,
            pending_deletes: RoaringBitmap::new(),
            replaces: false,
        };
        store.replace_meta(Vec::new(), Payload::new(None))?;
        store.sweep()?;
        Ok(store)
    }

    /// Opens the index to make it anew: the next commit holds its own segments only. Until then everybody reads what
    /// is there, whatever happens to the making. One that cannot be opened is replaced by an empty one at once.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn rebuild(folder: &Path) -> Result<Self> {
        match Self::open_or_create(folder) {
            Ok(mut store) => {
                store.replaces = true;
                Ok(store)
            }
            Err(error) if error.class() == ErrorClass::Corruption => Self::create_empty(folder),
            Err(error) => Err(error),
        }
    }

    fn with_meta(folder: &Path, index: Index, meta: IndexMeta) -> Result<Self> {
        let payload = Payload::read(folder, meta.payload.as_deref())?;
        let schema = IndexSchema::new();
        if index.schema() != schema.schema {
            return Err(IndexError::damaged(
                folder.join(META),
                "its fields are not those of this version",
            ));
        }
        register(&index);
        Ok(Self {
            index,
            schema: Arc::new(schema),
            folder: folder.to_owned(),
            segments: meta.segments,
            payload,
            opstamp: meta.opstamp,
            pending_deletes: RoaringBitmap::new(),
            replaces: false,
        })
    }

    /// The ticket of the last commit; `None` when nothing was committed yet.
    pub fn committed_ticket(&self) -> Option<Ticket> {
        self.payload.ticket
    }

    /// Number of segments committed.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Number of items committed and not deleted.
    pub fn item_count(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.num_docs())).sum()
    }

    /// A builder for one worker's segment with this memory budget (bytes; at least 15 MiB is sensible,
    /// 250 to 500 MiB is best). Costs nothing before the first item.
    pub fn builder(&self, budget_bytes: usize) -> SegmentBuilder {
        SegmentBuilder::new(
            self.index.clone(),
            Arc::clone(&self.schema),
            self.folder.clone(),
            budget_bytes.clamp(1 << 20, 2 << 30),
        )
    }

    /// Marks items as superseded. The next commit removes them from all segments committed before it, in
    /// the same atomic step in which it adds its own; so an updated record is deleted and added with one
    /// commit.
    pub fn delete_items(&mut self, items: &RoaringBitmap) {
        self.pending_deletes |= items;
    }

    /// Makes `segments` visible and records that the index is complete up to `ticket`.
    ///
    /// # Errors
    /// Either nothing is committed, or all of it: unknown until the store is opened again. Segments that were
    /// not committed are swept then, and their items replayed.
    pub fn commit(&mut self, segments: Vec<FinishedSegment>, ticket: Ticket) -> Result<()> {
        let mut all = Vec::with_capacity(self.segments.len() + segments.len());
        if !self.replaces {
            for segment in &self.segments {
                all.extend(self.without_deleted(segment)?);
            }
        }
        all.extend(segments.into_iter().map(|segment| segment.meta));
        self.replace_meta(all, Payload::new(Some(ticket)))?;
        self.pending_deletes.clear();
        if std::mem::take(&mut self.replaces) {
            self.sweep()?;
        }
        // Disk here: the index is at `ticket`, which the catalogue committed before. Nothing is to be replayed
        // up to it.
        embley_model::failpoint::pass("index-commit").map_err(|source| IndexError::io("commit", &self.folder, source))
    }

    /// The segment as it is after the pending deletions; `None` when nothing is left of it.
    fn without_deleted(&self, segment: &SegmentMeta) -> Result<Option<SegmentMeta>> {
        if self.pending_deletes.is_empty() {
            return Ok(Some(segment.clone()));
        }
        let engine = |source| IndexError::engine(&self.folder, "delete items", source);
        let opened = self.index.segment(segment.clone());
        let reader = SegmentReader::open(&opened).map_err(engine)?;
        let column = reader.fast_fields().u64(ITEM).map_err(engine)?;
        let mut alive = BitSet::with_max_value_and_full(reader.max_doc());
        let mut alive_count = 0;
        for doc in 0..reader.max_doc() {
            let before = reader.alive_bitset().is_none_or(|bits| bits.is_alive(doc));
            let item = column.first(doc).and_then(|item| u32::try_from(item).ok());
            if before && item.is_some_and(|item| !self.pending_deletes.contains(item)) {
                alive_count += 1;
            } else {
                alive.remove(doc);
            }
        }
        if alive_count == reader.num_docs() {
            return Ok(Some(segment.clone()));
        }
        if alive_count == 0 {
            return Ok(None);
        }
        // Disk here: a new deletion file that no meta.json names yet; the old one stays until the sweep.
        let changed = opened.with_delete_meta(reader.max_doc() - alive_count, self.opstamp + 1);
        let io = |source| IndexError::io("write", &self.folder, source);
        let mut file = changed
            .open_write(SegmentComponent::Delete)
            .map_err(|source| engine(source.into()))?;
        write_alive_bitset(&alive, &mut file).map_err(io)?;
        file.terminate().map_err(io)?;
        Ok(Some(changed.meta().clone()))
    }

    /// The commit itself: folder synced, `meta.json` replaced atomically, folder synced.
    pub(crate) fn replace_meta(&mut self, segments: Vec<SegmentMeta>, payload: Payload) -> Result<()> {
        let meta = IndexMeta {
            index_settings: settings(),
            persisted_custom_extensions: Vec::new(),
            segments,
            schema: self.schema.schema.clone(),
            opstamp: self.opstamp + 1,
            payload: Some(payload.to_text()?),
        };
        let text = serde_json::to_vec_pretty(&meta).map_err(|source| IndexError::Engine {
            action: "write meta.json",
            source: source.into(),
        })?;
        let path = self.folder.join(META);
        let io = |source| IndexError::io("write", &path, source);
        let directory = self.index.directory();
        // Disk here: every file of the new segments has its content; after this sync also its name.
        directory.sync_directory().map_err(io)?;
        // Disk here: the old meta.json or the new one, never a part of one.
        directory.atomic_write(Path::new(META), &text).map_err(io)?;
        directory.sync_directory().map_err(io)?;
        self.opstamp += 1;
        self.segments = meta.segments;
        self.payload = payload;
        Ok(())
    }

    /// Removes files that no commit names: segments of interrupted runs, segments that were merged, deletion
    /// files that were replaced, folders of interrupted merges, temporary files.
    pub(crate) fn sweep(&mut self) -> Result<()> {
        let living = self.living_files();
        let unwanted = |name: &str| {
            !living.contains(Path::new(name))
                && (name.starts_with(".tmp") || name.starts_with(MERGE_PREFIX) || is_segment_file(name))
        };
        let mut found = false;
        for name in files::names(&self.folder)?.iter().filter(|name| unwanted(name)) {
            found = true;
            let path = self.folder.join(name);
            if name.starts_with(MERGE_PREFIX) {
                files::remove_folder(&path)?;
            } else {
                files::remove(&path)?;
            }
        }
        if found {
            // Brings the engine's own list of files up to date; the files are gone already.
            self.index
                .directory_mut()
                .garbage_collect(|| living)
                .map_err(|source| IndexError::engine(&self.folder, "sweep", source))?;
        }
        Ok(())
    }

    /// Names of the files that the present commit needs.
    pub(crate) fn living_files(&self) -> HashSet<PathBuf> {
        let mut living: HashSet<PathBuf> = self.segments.iter().flat_map(segment_files).collect();
        living.insert(PathBuf::from(META));
        living.insert(PathBuf::from(MANAGED));
        living
    }
}

/// Names of the files of one segment.
pub(crate) fn segment_files(segment: &SegmentMeta) -> Vec<PathBuf> {
    use SegmentComponent::{Delete, FastFields, FieldNorms, Positions, Postings, Store, Terms};
    let mut components = vec![Terms, Postings, Positions, FastFields, FieldNorms, Store];
    if segment.has_deletes() {
        components.push(Delete);
    }
    components
        .into_iter()
        .map(|component| segment.relative_path(component))
        .collect()
}

/// Settings of the engine: the document store is empty, so its compression hardly matters, and it must not
/// start a thread of its own.
pub(crate) fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

pub(crate) fn open_directory(folder: &Path) -> Result<MmapDirectory> {
    MmapDirectory::open(folder).map_err(|source| IndexError::engine(folder, "open the index", source.into()))
}

/// Opens the engine's index; nothing is written.
pub(crate) fn open_index(folder: &Path) -> Result<Index> {
    if !files::exists(&folder.join(META))? {
        return Err(IndexError::Missing {
            folder: folder.to_owned(),
        });
    }
    Index::open(open_directory(folder)?).map_err(|source| meta_error(folder, source))
}

pub(crate) fn load_meta(folder: &Path, index: &Index) -> Result<IndexMeta> {
    index.load_metas().map_err(|source| meta_error(folder, source))
}

/// Errors of opening are about `meta.json`, unless they name another file.
fn meta_error(folder: &Path, source: tantivy::TantivyError) -> IndexError {
    match source {
        tantivy::TantivyError::DataCorruption(what) => {
            IndexError::damaged(folder.join(META), cut(&format!("{what:?}")))
        }
        other => IndexError::engine(folder, "open the index", other),
    }
}

/// The name of some segment file in the folder, if there is one.
fn stray_segment(folder: &Path) -> Result<Option<String>> {
    Ok(files::names(folder)?.into_iter().find(|name| is_segment_file(name)))
}

/// Segment files are named by 32 hexadecimal digits, a dot and an extension.
fn is_segment_file(name: &str) -> bool {
    name.split_once('.')
        .is_some_and(|(id, _)| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
