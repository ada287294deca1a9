//! Sets of items that follow from evidence rows: who held them, where they were found, of what kind they are.
//!
//! Invariant: the union of a set's rows up to the checkpoint, cut at its last item, is the set.

use embley_model::id::{FileId, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use roaring::RoaringBitmap;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::read::CatalogueReader;
use super::rows::{CustodianId, FolderId, coded};
use crate::error::{Doing, Result, StoreError};

coded! {
    /// A kind of set. The writer makes all of them from rows; keys are ids or codes as decimal text, or the label itself.
    SetKind {
        /// Families found in sources or files of a custodian.
        Custodian = 0, "custodian";
        /// Families found in a source.
        Source = 1, "source";
        /// Top-level items; the key is empty.
        Root = 2, "root";
        /// Items of a kind.
        Kind = 3, "kind";
        /// Items by how far they can be searched.
        Searchability = 4, "searchability";
        /// Families with an instance that carries a label.
        Label = 5, "label";
    }
}

impl CatalogueReader {
    /// A set; empty when there is none with this key.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the set is damaged.
    pub fn set(&self, kind: SetKind, key: &str) -> Result<RoaringBitmap> {
        let mut items = load_set(&self.conn, kind, key, self.pinned.ticket)?;
        items.remove_range(self.pinned.next_item..);
        Ok(items)
    }

    /// The keys of a kind, sorted as text.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn set_keys(&self, kind: SetKind) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT key FROM set_delta WHERE kind=?1 AND ticket <= ?2 ORDER BY key";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map((kind.code(), self.pinned.ticket.0.cast_signed()), |row| row.get(0))?;
        let mut keys: Vec<String> = rows.collect::<std::result::Result<_, _>>().doing("list sets")?;
        if !self.hidden().items().is_empty() {
            let mut kept = Vec::with_capacity(keys.len());
            for key in keys {
                if !self.set(kind, &key)?.is_empty() {
                    kept.push(key);
                }
            }
            keys = kept;
        }
        Ok(keys)
    }

    /// Items of a custodian: the families found with them.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn custodian_items(&self, custodian: CustodianId) -> Result<RoaringBitmap> {
        self.set(SetKind::Custodian, &custodian.0.to_string())
    }

    /// Items of a source.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn source_items(&self, source: SourceId) -> Result<RoaringBitmap> {
        self.set(SetKind::Source, &source.to_string())
    }

    /// Top-level items.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn roots(&self) -> Result<RoaringBitmap> {
        self.set(SetKind::Root, "")
    }

    /// Items of a kind.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn kind_items(&self, kind: ItemKind) -> Result<RoaringBitmap> {
        self.set(SetKind::Kind, &kind.code().to_string())
    }

    /// Items that can be searched so far.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn searchability_items(&self, searchability: Searchability) -> Result<RoaringBitmap> {
        self.set(SetKind::Searchability, &searchability.code().to_string())
    }

    /// How many items of each kind can be searched how far; pairs without items are left out.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn searchability_counts(&self) -> Result<Vec<(ItemKind, Searchability, u64)>> {
        let mut counts = Vec::new();
        let mut kinds = Vec::new();
        for kind in ItemKind::ALL {
            kinds.push((kind, self.kind_items(kind)?));
        }
        for searchability in Searchability::ALL {
            let items = self.searchability_items(searchability)?;
            for (kind, of_kind) in &kinds {
                let count = items.intersection_len(of_kind);
                if count > 0 {
                    counts.push((*kind, searchability, count));
                }
            }
        }
        counts.sort_by_key(|(kind, searchability, _)| (*kind, *searchability));
        Ok(counts)
    }

    /// Top-level items found in these files, whatever their order.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn roots_of_files(&self, files: &[FileId]) -> Result<RoaringBitmap> {
        let mut ranges = Vec::with_capacity(files.len());
        {
            let sql = "SELECT first_instance, instance_count FROM file WHERE file_id=?1";
            let mut statement = self.conn.prepare_cached(sql)?;
            for file in files {
                let mut rows = statement.query([file.0])?;
                while let Some(row) = rows.next().doing("read files")? {
                    let first: i64 = row.get(0)?;
                    ranges.push((first, first + row.get::<_, i64>(1)?));
                }
            }
        }
        self.roots_of_instances(ranges)
    }

    /// Items found in a folder itself, with their families.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn folder_items(&self, folder: FolderId) -> Result<RoaringBitmap> {
        let found = self.folder_roots(folder)?;
        self.families(&found)
    }

    /// Top-level items found in a folder itself.
    pub(super) fn folder_roots(&self, folder: FolderId) -> Result<RoaringBitmap> {
        let mut ranges = Vec::new();
        {
            let sql = "SELECT first_instance, first_instance + instance_count FROM file WHERE folder_id=?1";
            let mut statement = self.conn.prepare_cached(sql)?;
            let mut rows = statement.query([folder.0])?;
            while let Some(row) = rows.next().doing("read files")? {
                ranges.push((row.get(0)?, row.get(1)?));
            }
        }
        self.roots_of_instances(ranges)
    }

    /// Items found in these files, with their families.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn file_items(&self, files: &[FileId]) -> Result<RoaringBitmap> {
        let found = self.roots_of_files(files)?;
        self.families(&found)
    }

    /// The families of top-level items.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn families(&self, roots: &RoaringBitmap) -> Result<RoaringBitmap> {
        let all = families(roots, &self.family_starts()?, self.pinned.next_item);
        Ok(all - self.hidden().items().as_ref())
    }

    /// Neighbouring ranges are read as one: a Maildir of a million files is one scan, not a million look-ups.
    fn roots_of_instances(&self, mut ranges: Vec<(i64, i64)>) -> Result<RoaringBitmap> {
        ranges.retain(|(first, end)| first < end);
        ranges.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (first, end) in ranges {
            match joined.last_mut() {
                Some(last) if last.1 >= first => last.1 = last.1.max(end),
                _ => joined.push((first, end)),
            }
        }
        let limit = self.pinned.next_instance.cast_signed();
        let sql = "SELECT item_no FROM instance WHERE instance_id >= ?1 AND instance_id < ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut items = RoaringBitmap::new();
        for (first, end) in joined {
            let mut rows = statement.query((first, end.min(limit)))?;
            while let Some(row) = rows.next().doing("read instances")? {
                items.insert(row.get(0)?);
            }
        }
        Ok(items)
    }
}

/// The families of some roots, given all roots and the first number beyond the last item.
pub(crate) fn families(wanted: &RoaringBitmap, roots: &RoaringBitmap, next_item: u32) -> RoaringBitmap {
    let mut items = RoaringBitmap::new();
    let mut later = roots.iter();
    for root in wanted {
        later.advance_to(root.saturating_add(1));
        // Peeking is free: the iterator is moved forward only by the next root wanted.
        let end = later.clone().next().unwrap_or(next_item).max(root.saturating_add(1));
        items.insert_range(root..end);
    }
    items
}

pub(crate) fn load_set(conn: &Connection, kind: SetKind, key: &str, up_to: Ticket) -> Result<RoaringBitmap> {
    load_set_from(conn, "set_delta", kind, key, up_to)
}

/// A set from the table itself, or from what stands before it in a reader's sight.
pub(super) fn load_set_from(
    conn: &Connection,
    table: &'static str,
    kind: SetKind,
    key: &str,
    up_to: Ticket,
) -> Result<RoaringBitmap> {
    let sql = format!("SELECT items FROM {table} WHERE kind=?1 AND key=?2 AND ticket <= ?3 ORDER BY ticket");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query((kind.code(), key, up_to.0.cast_signed()))?;
    let mut items = RoaringBitmap::new();
    while let Some(row) = rows.next().doing("read a set")? {
        items |= bitmap_from_bytes(row.get_ref(0)?.as_blob().unwrap_or_default(), kind, key)?;
    }
    Ok(items)
}

pub(crate) fn bitmap_from_bytes(bytes: &[u8], kind: SetKind, key: &str) -> Result<RoaringBitmap> {
    RoaringBitmap::deserialize_from(bytes).map_err(|error| {
        StoreError::damaged(
            "catalogue",
            format!("set {} {key:?}", kind.word()),
            format!("not a bitmap: {error}"),
        )
    })
}
