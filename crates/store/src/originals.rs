//! Bytes of any blob: out of a pack, or derived again from the top-level original that holds it.
//!
//! Not for: knowing formats; the caller brings a [`DeriveBytes`]. Invariant: what comes back was checked, the packed original by its
//! frames' checksums and a derived part by its BLAKE3.

use std::fs::File;
use std::io::{Read, Write};

use embley_model::id::{Blake3, BlobId, FileId, ItemNo};

use crate::catalogue::{BlobPlaceRow, BlobRow, CatalogueReader};
use crate::error::{Result, StoreError};
use crate::packs::PackReader;

/// Takes a part out of a top-level original.
pub trait DeriveBytes {
    /// The decoded bytes of the part with this path, or `None` when there is no such part.
    fn derive(&self, root_bytes: &[u8], part_path: &str) -> Option<Vec<u8>>;
}

/// For callers that want top-level originals only.
#[derive(Clone, Copy, Debug)]
pub struct NoParts;

impl DeriveBytes for NoParts {
    fn derive(&self, _root_bytes: &[u8], _part_path: &str) -> Option<Vec<u8>> {
        None
    }
}

/// See the module. One a thread.
#[derive(Debug)]
pub struct Originals {
    catalogue: CatalogueReader,
    packs: PackReader,
    /// The root that was read last: parts of one family are mostly wanted together.
    last_root: Option<(BlobId, Vec<u8>)>,
}

/// Derived blobs that hang on one another, at most: more than containers are followed.
const MAX_DERIVED: usize = 64;
/// A root larger than this is not remembered.
const REMEMBERED_BYTES: u64 = 64 << 20;

impl Originals {
    /// Joins a snapshot of the catalogue and a reader of packs.
    pub fn new(catalogue: CatalogueReader, packs: PackReader) -> Self {
        Self {
            catalogue,
            packs,
            last_root: None,
        }
    }

    /// The snapshot.
    pub fn catalogue(&self) -> &CatalogueReader {
        &self.catalogue
    }

    /// The snapshot, to pin or refresh it.
    pub fn catalogue_mut(&mut self) -> &mut CatalogueReader {
        &mut self.catalogue
    }

    /// The reader of packs.
    pub fn packs_mut(&mut self) -> &mut PackReader {
        &mut self.packs
    }

    /// The bytes of an item.
    ///
    /// # Errors
    /// When there is no such item, a pack is damaged, or the part cannot be taken out as it was.
    pub fn item_bytes(&mut self, item: ItemNo, parts: &dyn DeriveBytes) -> Result<Vec<u8>> {
        let blob = self.catalogue.blob_of(item)?.ok_or_else(|| StoreError::NotFound {
            what: format!("item number {item}"),
        })?;
        self.blob_bytes(&blob, parts)
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// When a pack is damaged, or the part cannot be taken out as it was.
    pub fn blob_bytes(&mut self, blob: &BlobRow, parts: &dyn DeriveBytes) -> Result<Vec<u8>> {
        let (root_item, part_path) = match &blob.place {
            BlobPlaceRow::Pack { .. } => return self.packs.read_blob(&blob.place, blob.size),
            BlobPlaceRow::Source { file_id } => return read_whole(&mut referenced(&self.catalogue, blob, *file_id)?),
            BlobPlaceRow::Derived { root_item, part_path } => (root_item, part_path),
        };
        let damaged = |detail: &str| {
            StoreError::damaged(
                format!("blob {}", blob.blob_id),
                format!("item {root_item} part {part_path}"),
                detail,
            )
        };
        let root = self
            .catalogue
            .blob_of(*root_item)?
            .ok_or_else(|| damaged("its top-level item has no row"))?;
        let root_bytes = self.root_bytes(&root, parts, 0)?;
        let bytes = parts
            .derive(&root_bytes, part_path)
            .ok_or_else(|| damaged("the part is not in its message"))?;
        if root.size <= REMEMBERED_BYTES {
            self.last_root = Some((root.blob_id, root_bytes));
        }
        if Blake3(*blake3::hash(&bytes).as_bytes()) != blob.blake3 {
            return Err(damaged("the part now decodes to other bytes than when it was taken in"));
        }
        Ok(bytes)
    }

    /// Writes the bytes of a blob to `out`; a packed one is never held whole.
    ///
    /// # Errors
    /// As [`Originals::blob_bytes`], and when `out` refuses.
    pub fn blob_to(&mut self, blob: &BlobRow, parts: &dyn DeriveBytes, out: &mut dyn Write) -> Result<()> {
        if let BlobPlaceRow::Pack { .. } = blob.place {
            return self.packs.read_blob_to(&blob.place, blob.size, out);
        }
        let bytes = self.blob_bytes(blob, parts)?;
        out.write_all(&bytes).map_err(|source| StoreError::Io {
            doing: "write out",
            path: "blob".into(),
            source,
        })
    }

    /// A root is packed; only a top-level item that shares its bytes with a part seen before is itself derived, from a root above it: a message that was
    /// attached as a file to one that was attached as a file, and so on.
    fn root_bytes(&mut self, root: &BlobRow, parts: &dyn DeriveBytes, depth: usize) -> Result<Vec<u8>> {
        if let Some((blob_id, bytes)) = self.last_root.take()
            && blob_id == root.blob_id
        {
            return Ok(bytes);
        }
        match &root.place {
            BlobPlaceRow::Pack { .. } => self.packs.read_blob(&root.place, root.size),
            BlobPlaceRow::Source { file_id } => read_whole(&mut referenced(&self.catalogue, root, *file_id)?),
            BlobPlaceRow::Derived { root_item, part_path } => {
                let damaged = |detail: &str| {
                    StoreError::damaged(format!("blob {}", root.blob_id), format!("item {root_item}"), detail)
                };
                let above = self
                    .catalogue
                    .blob_of(*root_item)?
                    .ok_or_else(|| damaged("it has no row"))?;
                if depth >= MAX_DERIVED {
                    return Err(damaged("derived blobs hang on derived blobs without end"));
                }
                let bytes = self.root_bytes(&above, parts, depth + 1)?;
                parts
                    .derive(&bytes, part_path)
                    .ok_or_else(|| damaged("the part is not in its message"))
            }
        }
    }
}

/// Opens a container that was referenced and not copied, read-only and only as long as it was then.
///
/// # Errors
/// When it lies there no more, or has another length: [`StoreError::NotFound`] names the place.
pub fn referenced(catalogue: &CatalogueReader, blob: &BlobRow, file: FileId) -> Result<File> {
    let path = catalogue.source_path(file)?;
    let missing = |why: String| StoreError::NotFound {
        what: format!("the container {} (referenced, not copied): {why}", path.display()),
    };
    let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
    match opened {
        Ok((length, file)) if length == blob.size => Ok(file),
        Ok((length, _)) => Err(missing(format!("it has {length} bytes now, and had {}", blob.size))),
        Err(error) => Err(missing(error.to_string())),
    }
}

fn read_whole(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|source| StoreError::Io {
        doing: "read",
        path: "a referenced container".into(),
        source,
    })?;
    Ok(bytes)
}
