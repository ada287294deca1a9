//! What the feed must know of the case, and the catalogue as its source.

use std::collections::HashMap;

use embley_formats::source::FileStat;
use embley_model::id::{FileId, RunNo, SourceId};
use embley_store::catalogue::{CatalogueReader, FileState, FolderId};
use roaring::RoaringBitmap;

use crate::error::IngestError;

/// A file as the catalogue knows it (its newest version).
#[derive(Clone, Debug)]
pub(crate) struct KnownFile {
    pub(crate) file: FileId,
    pub(crate) version: u32,
    pub(crate) stat: FileStat,
    pub(crate) state: KnownState,
    /// The run that read this version.
    pub(crate) run: RunNo,
    /// Its top-level entries.
    pub(crate) entries: u64,
    pub(crate) scan_state: Option<String>,
    /// An earlier run no longer found it.
    pub(crate) absent: bool,
}

/// How far a known file got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownState {
    /// Read to the end.
    Done,
    /// A mailbox that was being read when the run stopped.
    Scanning,
    /// It could not be read.
    Excepted,
}

/// A folder as the catalogue knows it: its id and the newest versions of its files by name.
pub(crate) type KnownFolder = (FolderId, HashMap<Vec<u8>, KnownFile>);

/// What the feed must know of the case. Implemented on the catalogue, and on a map in tests.
pub(crate) trait KnownFiles: Send {
    /// The folder's number and its files by name, when it was seen before.
    fn folder(&mut self, source: SourceId, path: &[u8]) -> Result<Option<KnownFolder>, IngestError>;
    /// Root items of one version of a file.
    fn items_of(&mut self, file: FileId) -> Result<RoaringBitmap, IngestError>;
}

/// Looks folders up as the walk reaches them; holds one folder's files at a time.
pub(crate) struct Catalogued {
    reader: CatalogueReader,
    folders: HashMap<(SourceId, Vec<u8>), FolderId>,
}

impl Catalogued {
    /// Reads the list of folders; files are read when their folder is met.
    pub(crate) fn open(reader: CatalogueReader) -> Result<Self, IngestError> {
        let folders = reader
            .folders()?
            .into_iter()
            .map(|folder| ((folder.source_id, folder.path), folder.folder_id))
            .collect();
        Ok(Self { reader, folders })
    }
}

impl KnownFiles for Catalogued {
    fn folder(&mut self, source: SourceId, path: &[u8]) -> Result<Option<KnownFolder>, IngestError> {
        let Some(folder) = self.folders.get(&(source, path.to_vec())).copied() else {
            return Ok(None);
        };
        let mut files: HashMap<Vec<u8>, KnownFile> = HashMap::new();
        // Newest version of each name first.
        for row in self.reader.files_in_folder(folder)? {
            files.entry(row.name).or_insert(KnownFile {
                file: row.file_id,
                version: row.version,
                stat: FileStat {
                    size: row.size,
                    mtime_nanos: row.mtime_nanos,
                    inode: row.inode,
                },
                state: match row.state {
                    FileState::Done => KnownState::Done,
                    FileState::Scanning => KnownState::Scanning,
                    FileState::Excepted => KnownState::Excepted,
                },
                run: row.run_no,
                entries: row.instance_count,
                scan_state: row.scan_state,
                absent: row.absent_since_run.is_some(),
            });
        }
        Ok(Some((folder, files)))
    }

    fn items_of(&mut self, file: FileId) -> Result<RoaringBitmap, IngestError> {
        Ok(self.reader.roots_of_files(&[file])?)
    }
}
