//! Items, blobs, instances and defects, one by one and in streams.

use std::ops::Range;

use embley_model::address::{Participant, Role};
use embley_model::defect::DefectCode;
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, Key128, RunNo, Sha256, hex_decode};
use embley_model::item::{ItemKind, Searchability};
use rusqlite::Row;

use super::packing::{unpack_date, unpack_keys, unpack_labels, unpack_links, unpack_participants};
use super::read::CatalogueReader;
use super::rows::{BlobPlaceRow, BlobRow, DefectRow, InstanceRow, InstanceStatus, ItemFlags, ItemKeys, ItemRow};
use super::write_rows::DEFECT_BITS;
use crate::error::{Doing, Result, StoreError};

/// The narrow part of an item, for passes over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemBrief {
    /// Its number.
    pub item_no: ItemNo,
    /// Its bytes.
    pub blob_id: BlobId,
    /// Its top-level item.
    pub root: ItemNo,
    /// What it is a part of.
    pub parent: Option<ItemNo>,
    /// Items in the family, for a root.
    pub family_size: u32,
    /// Its kind.
    pub kind: ItemKind,
    /// How far it can be searched.
    pub searchability: Searchability,
    /// Properties.
    pub flags: ItemFlags,
    /// Length in bytes.
    pub size: u64,
    /// Date in seconds since 1970 UTC.
    pub date: Option<i64>,
    /// The run that made it.
    pub run_no: RunNo,
}

/// What links a message to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageLinks {
    /// The item.
    pub item_no: ItemNo,
    /// Its date in seconds since 1970 UTC.
    pub date: Option<i64>,
    /// Message-ID with brackets.
    pub message_id: Option<String>,
    /// In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// References.
    pub references: Vec<String>,
    /// Thread-Index.
    pub thread_index: Option<Vec<u8>>,
    /// Keys.
    pub keys: Option<ItemKeys>,
    /// Near-duplicate sketch.
    pub sketch: Option<Vec<u8>>,
}

const BRIEF: &str = "item_no, blob_id, root, parent, family_size, kind, searchability, flags, size, date, run_no";
const ITEM: &str = "item_no, blob_id, root, parent, family_size, kind, searchability, flags, size, date, run_no, \
     date_meta, media_type, part_path, filename, date_raw, subject, participants, message_id, links, thread_index, mih, \
     keys, sketch, labels";
const LINKS: &str = "item_no, date, message_id, links, thread_index, mih, keys, sketch";
const BLOB: &str = "blob_id, top_item, blake3, sha256, size, pack, frame_offset, offset_in_frame, root_item, part_path";
const INSTANCE: &str = "instance_id, item_no, file_id, ordinal, offset, length, separator, trailer_len, flags, run_no, \
     second_blake3, labels";

impl CatalogueReader {
    /// One item, `None` when there is no such number up to the checkpoint.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the row is damaged.
    pub fn item(&self, item: ItemNo) -> Result<Option<ItemRow>> {
        let mut found = None;
        self.for_each_item(item..ItemNo(item.0.saturating_add(1)), |row| {
            found = Some(row);
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }

    /// Gives the items of a range to `each`, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_item<E: From<StoreError>>(
        &self,
        range: Range<ItemNo>,
        mut each: impl FnMut(ItemRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.scan_items(ITEM, range, |row| each(self.item_row(row)?))
    }

    /// Gives the narrow part of the items of a range to `each`, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_brief<E: From<StoreError>>(
        &self,
        range: Range<ItemNo>,
        mut each: impl FnMut(ItemBrief) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.scan_items(BRIEF, range, |row| each(brief_row(row)?))
    }

    /// Gives what links messages to `each`, ascending; items of other kinds come with nothing in it.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_links<E: From<StoreError>>(
        &self,
        range: Range<ItemNo>,
        mut each: impl FnMut(MessageLinks) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.scan_items(LINKS, range, |row| each(links_row(row)?))
    }

    /// The narrow part of one item.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the row is damaged.
    pub fn brief(&self, item: ItemNo) -> Result<Option<ItemBrief>> {
        let mut found = None;
        self.for_each_brief(item..ItemNo(item.0.saturating_add(1)), |row| {
            found = Some(row);
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }

    /// All items of the family of an item, the root first.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn family(&self, item: ItemNo) -> Result<Vec<ItemRow>> {
        let Some(brief) = self.brief(item)? else {
            return Ok(Vec::new());
        };
        let Some(root) = self.brief(brief.root)? else {
            return Ok(Vec::new());
        };
        let mut items = Vec::new();
        self.for_each_item(
            root.item_no..ItemNo(root.item_no.0.saturating_add(root.family_size)),
            |row| {
                items.push(row);
                Ok::<_, StoreError>(())
            },
        )?;
        Ok(items)
    }

    /// One blob.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the row is damaged.
    pub fn blob(&self, blob: BlobId) -> Result<Option<BlobRow>> {
        if blob.0 >= self.pinned.next_blob {
            return Ok(None);
        }
        let sql = format!("SELECT {BLOB} FROM blob WHERE blob_id=?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([blob.0])?;
        rows.next().doing("read a blob")?.map(blob_row).transpose()
    }

    /// The bytes of an item, as a row.
    ///
    /// # Errors
    /// As [`CatalogueReader::blob`].
    pub fn blob_of(&self, item: ItemNo) -> Result<Option<BlobRow>> {
        match self.brief(item)? {
            Some(brief) => self.blob(brief.blob_id),
            None => Ok(None),
        }
    }

    /// Gives every blob to `each`, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_blob<E: From<StoreError>>(
        &self,
        each: impl FnMut(BlobRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.for_each_blob_in(BlobId(0)..BlobId(u32::MAX), each)
    }

    /// Gives the blobs of a range to `each`, ascending.
    ///
    /// # Errors
    /// As [`CatalogueReader::for_each_blob`].
    pub fn for_each_blob_in<E: From<StoreError>>(
        &self,
        range: Range<BlobId>,
        mut each: impl FnMut(BlobRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = format!("SELECT {BLOB} FROM blob WHERE blob_id >= ?1 AND blob_id < ?2 ORDER BY blob_id");
        let mut statement = self.conn.prepare_cached(&sql).doing("read blobs")?;
        let end = range.end.0.min(self.pinned.next_blob);
        let mut rows = statement.query((range.start.0, end)).doing("read blobs")?;
        while let Some(row) = rows.next().doing("read blobs")? {
            each(blob_row(row)?)?;
        }
        Ok(())
    }

    /// Blobs whose BLAKE3 or SHA-256 begins with these hexadecimal digits (at least one).
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn blobs_by_hex(&self, prefix: &str) -> Result<Vec<BlobRow>> {
        let mut found = self.blobs_by("blake3", prefix)?;
        for blob in self.blobs_by("sha256", prefix)? {
            if !found.iter().any(|other| other.blob_id == blob.blob_id) {
                found.push(blob);
            }
        }
        found.sort_by_key(|blob| blob.blob_id);
        if !self.hidden().items().is_empty() {
            // Bytes are seen as long as one of their items is.
            let mut kept = Vec::with_capacity(found.len());
            for blob in found {
                if !self.items_of_blob(blob.blob_id)?.is_empty() {
                    kept.push(blob);
                }
            }
            found = kept;
        }
        Ok(found)
    }

    /// Top-level items whose bytes have a BLAKE3 that begins with these hexadecimal digits: the first part of an item id.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn roots_by_hex(&self, prefix: &str) -> Result<Vec<ItemNo>> {
        let blobs = self.blobs_by("blake3", prefix)?;
        let mut items: Vec<ItemNo> = blobs.iter().filter_map(|blob| blob.top_item).collect();
        items.retain(|item| item.0 < self.pinned.next_item && self.sees(item.0));
        items.sort_unstable();
        Ok(items)
    }

    /// The part of a family with this path.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn part(&self, root: ItemNo, part_path: &str) -> Result<Option<ItemNo>> {
        let family = self.family(root)?;
        Ok(family
            .into_iter()
            .find(|item| item.part_path == part_path)
            .map(|item| item.item_no))
    }

    /// All items with these bytes, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn items_of_blob(&self, blob: BlobId) -> Result<Vec<ItemNo>> {
        let sql = "SELECT item_no FROM item WHERE blob_id=?1 AND item_no < ?2 ORDER BY item_no";
        self.item_numbers(sql, (blob.0, self.pinned.next_item))
    }

    /// All items with this Message Identification Hash, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn items_by_mih(&self, mih: &Key128) -> Result<Vec<ItemNo>> {
        let sql = "SELECT item_no FROM item WHERE mih=?1 AND item_no < ?2 ORDER BY item_no";
        self.item_numbers(sql, (&mih.0[..], self.pinned.next_item))
    }

    /// All items with this Message-ID, compared as written and ascending. Reads all items; by
    /// [`CatalogueReader::items_by_mih`] it is a look-up.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn items_by_message_id(&self, message_id: &str) -> Result<Vec<ItemNo>> {
        let sql = "SELECT item_no FROM item WHERE message_id=?1 AND item_no < ?2 ORDER BY item_no";
        self.item_numbers(sql, (message_id, self.pinned.next_item))
    }

    /// Where a top-level item was found, in input order.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn instances_of(&self, root: ItemNo) -> Result<Vec<InstanceRow>> {
        let sql = format!("SELECT {INSTANCE} FROM instance WHERE item_no=?1 AND instance_id < ?2 ORDER BY instance_id");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query((root.0, self.pinned.next_instance.cast_signed()))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().doing("read instances")? {
            found.push(instance_row(row)?);
        }
        Ok(found)
    }

    /// Gives the instances of a range to `each`, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_instance<E: From<StoreError>>(
        &self,
        range: Range<InstanceId>,
        mut each: impl FnMut(InstanceRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = format!(
            "SELECT {INSTANCE} FROM instance WHERE instance_id >= ?1 AND instance_id < ?2 ORDER BY instance_id"
        );
        let end = range.end.0.min(self.pinned.next_instance).cast_signed();
        let mut statement = self.conn.prepare_cached(&sql).doing("read instances")?;
        let mut rows = statement
            .query((range.start.0.cast_signed(), end))
            .doing("read instances")?;
        while let Some(row) = rows.next().doing("read instances")? {
            each(instance_row(row)?)?;
        }
        Ok(())
    }

    /// The defects of an item, in the order noticed.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn defects(&self, item: ItemNo) -> Result<Vec<DefectRow>> {
        let mut found = Vec::new();
        self.for_each_defect(item..ItemNo(item.0.saturating_add(1)), |row| {
            found.push(row);
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }

    /// Gives the defects of the items of a range to `each`, by item.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_defect<E: From<StoreError>>(
        &self,
        range: Range<ItemNo>,
        mut each: impl FnMut(DefectRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let first = u64::from(range.start.0) << DEFECT_BITS;
        let end = u64::from(range.end.0.min(self.pinned.next_item)) << DEFECT_BITS;
        let sql = "SELECT defect_id, code, detail, first, last FROM defect WHERE defect_id >= ?1 AND defect_id < ?2
                   ORDER BY defect_id";
        let mut statement = self.conn.prepare_cached(sql).doing("read defects")?;
        let mut rows = statement
            .query((first.cast_signed(), end.cast_signed()))
            .doing("read defects")?;
        while let Some(row) = rows.next().doing("read defects")? {
            each(self.defect_row(row)?)?;
        }
        Ok(())
    }

    fn scan_items<E: From<StoreError>>(
        &self,
        columns: &str,
        range: Range<ItemNo>,
        mut each: impl FnMut(&Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = format!("SELECT {columns} FROM item WHERE item_no >= ?1 AND item_no < ?2 ORDER BY item_no");
        let mut statement = self.conn.prepare_cached(&sql).doing("read items")?;
        let end = range.end.0.min(self.pinned.next_item);
        let mut rows = statement.query((range.start.0, end)).doing("read items")?;
        while let Some(row) = rows.next().doing("read items")? {
            each(row)?;
        }
        Ok(())
    }

    fn item_numbers(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<ItemNo>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, |row| row.get(0).map(ItemNo))?;
        rows.collect::<std::result::Result<_, _>>().doing("look items up")
    }

    /// Blobs by the beginning of a hash column; the index on its first eight bytes is used when it is there.
    fn blobs_by(&self, column: &'static str, prefix: &str) -> Result<Vec<BlobRow>> {
        let prefix = prefix.to_ascii_lowercase();
        let (Some(low), Some(high)) = (padded(&prefix, '0'), padded(&prefix, 'f')) else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {BLOB} FROM blob WHERE substr({column},1,8) >= ?1 AND substr({column},1,8) <= ?2 AND blob_id < ?3
             ORDER BY blob_id"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query((&low[..8], &high[..8], self.pinned.next_blob))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().doing("look a hash up")? {
            let blob = blob_row(row)?;
            let hex = if column == "blake3" {
                blob.blake3.to_hex()
            } else {
                blob.sha256.to_hex()
            };
            if hex.starts_with(&prefix) {
                found.push(blob);
            }
        }
        Ok(found)
    }

    fn item_row(&self, row: &Row<'_>) -> Result<ItemRow> {
        let brief = brief_row(row)?;
        let damaged = |column: &str| {
            StoreError::damaged(
                "catalogue",
                format!("item {}", brief.item_no),
                format!("column {column} cannot be read"),
            )
        };
        let packed = row
            .get_ref(17)?
            .as_blob_or_null()
            .map_err(|_| damaged("participants"))?
            .unwrap_or_default();
        let pairs = unpack_participants(packed).ok_or_else(|| damaged("participants"))?;
        let mut participants = Vec::with_capacity(pairs.len());
        for (role, id) in pairs {
            let role = Role::from_code(role).ok_or_else(|| damaged("participants"))?;
            participants.push(Participant {
                role,
                address: self.address(id)?,
            });
        }
        let links = links_from(row, 19).ok_or_else(|| damaged("links"))?;
        let mih = key_from(row, 21)?;
        let date = unpack_date(brief.date, row.get(11)?, row.get(15)?);
        Ok(ItemRow {
            item_no: brief.item_no,
            blob_id: brief.blob_id,
            root: brief.root,
            parent: brief.parent,
            family_size: brief.family_size,
            part_path: row.get::<_, Option<String>>(13)?.unwrap_or_default(),
            kind: brief.kind,
            media_type: self.word(row.get::<_, i64>(12)?.cast_unsigned())?,
            filename: row.get(14)?,
            size: brief.size,
            date,
            subject: row.get::<_, Option<String>>(16)?.unwrap_or_default(),
            participants,
            message_id: row.get(18)?,
            in_reply_to: links.0,
            references: links.1,
            thread_index: row.get(20)?,
            keys: keys_from(row, 22, mih).map_err(|()| damaged("keys"))?,
            sketch: row.get(23)?,
            searchability: brief.searchability,
            flags: brief.flags,
            labels: unpack_labels(row.get(24)?),
            run_no: brief.run_no,
        })
    }

    fn defect_row(&self, row: &Row<'_>) -> Result<DefectRow> {
        let id = row.get::<_, i64>(0)?.cast_unsigned();
        let code = self.word(row.get::<_, i64>(1)?.cast_unsigned())?;
        let code = DefectCode::from_text(&code).ok_or_else(|| {
            StoreError::damaged(
                "catalogue",
                format!("defect {id}"),
                format!("the code {code} is not known"),
            )
        })?;
        Ok(DefectRow {
            item_no: ItemNo((id >> DEFECT_BITS) as u32),
            code,
            detail: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            range: range_from(row, 3)?,
        })
    }
}

/// Two columns as a range, `None` when they are empty.
pub(super) fn range_from(row: &Row<'_>, at: usize) -> Result<Option<Range<u64>>> {
    let first: Option<i64> = row.get(at)?;
    let last: Option<i64> = row.get(at + 1)?;
    Ok(first
        .zip(last)
        .map(|(first, last)| first.cast_unsigned()..last.cast_unsigned()))
}

/// A prefix of hexadecimal digits filled up to 64 of them, as bytes.
fn padded(prefix: &str, with: char) -> Option<Vec<u8>> {
    if prefix.is_empty() || prefix.len() > 64 {
        return None;
    }
    let mut text = prefix.to_owned();
    text.extend(std::iter::repeat_n(with, 64 - prefix.len()));
    hex_decode(&text)
}

fn brief_row(row: &Row<'_>) -> Result<ItemBrief> {
    let item_no = ItemNo(row.get(0)?);
    let damaged = |column: &str| {
        StoreError::damaged(
            "catalogue",
            format!("item {item_no}"),
            format!("column {column} cannot be read"),
        )
    };
    Ok(ItemBrief {
        item_no,
        blob_id: BlobId(row.get(1)?),
        root: ItemNo(row.get(2)?),
        parent: row.get::<_, Option<u32>>(3)?.map(ItemNo),
        family_size: row.get(4)?,
        kind: ItemKind::from_code(row.get(5)?).ok_or_else(|| damaged("kind"))?,
        searchability: Searchability::from_code(row.get(6)?).ok_or_else(|| damaged("searchability"))?,
        flags: ItemFlags::from_bits(row.get(7)?),
        size: row.get::<_, i64>(8)?.cast_unsigned(),
        date: row.get(9)?,
        run_no: RunNo(row.get(10)?),
    })
}

fn links_row(row: &Row<'_>) -> Result<MessageLinks> {
    let item_no = ItemNo(row.get(0)?);
    let damaged = |column: &str| {
        StoreError::damaged(
            "catalogue",
            format!("item {item_no}"),
            format!("column {column} cannot be read"),
        )
    };
    let (in_reply_to, references) = links_from(row, 3).ok_or_else(|| damaged("links"))?;
    let mih = key_from(row, 5)?;
    Ok(MessageLinks {
        item_no,
        date: row.get(1)?,
        message_id: row.get(2)?,
        in_reply_to,
        references,
        thread_index: row.get(4)?,
        keys: keys_from(row, 6, mih).map_err(|()| damaged("keys"))?,
        sketch: row.get(7)?,
    })
}

fn links_from(row: &Row<'_>, at: usize) -> Option<(Vec<String>, Vec<String>)> {
    unpack_links(row.get_ref(at).ok()?.as_blob_or_null().ok()?.unwrap_or_default())
}

fn key_from(row: &Row<'_>, at: usize) -> Result<Option<Key128>> {
    Ok(row
        .get_ref(at)?
        .as_blob_or_null()
        .ok()
        .flatten()
        .and_then(Key128::from_slice))
}

fn keys_from(row: &Row<'_>, at: usize, mih: Option<Key128>) -> std::result::Result<Option<ItemKeys>, ()> {
    match row.get_ref(at).map_err(|_| ())?.as_blob_or_null().map_err(|_| ())? {
        None => Ok(None),
        Some(bytes) => unpack_keys(bytes, mih).map(Some).ok_or(()),
    }
}

fn blob_row(row: &Row<'_>) -> Result<BlobRow> {
    let blob_id = BlobId(row.get(0)?);
    let damaged = |column: &str| {
        StoreError::damaged(
            "catalogue",
            format!("blob {blob_id}"),
            format!("column {column} cannot be read"),
        )
    };
    let place = match row.get::<_, Option<u32>>(5)? {
        Some(pack) => BlobPlaceRow::Pack {
            pack,
            frame_offset: row
                .get::<_, Option<i64>>(6)?
                .ok_or_else(|| damaged("frame_offset"))?
                .cast_unsigned(),
            offset_in_frame: row
                .get::<_, Option<u32>>(7)?
                .ok_or_else(|| damaged("offset_in_frame"))?,
        },
        None if row.get::<_, Option<u32>>(8)?.is_none() => BlobPlaceRow::Source {
            file_id: FileId(row.get::<_, Option<u32>>(6)?.ok_or_else(|| damaged("frame_offset"))?),
        },
        None => BlobPlaceRow::Derived {
            root_item: ItemNo(row.get::<_, Option<u32>>(8)?.ok_or_else(|| damaged("root_item"))?),
            part_path: row.get::<_, Option<String>>(9)?.ok_or_else(|| damaged("part_path"))?,
        },
    };
    Ok(BlobRow {
        blob_id,
        blake3: row
            .get_ref(2)?
            .as_blob()
            .ok()
            .and_then(Blake3::from_slice)
            .ok_or_else(|| damaged("blake3"))?,
        sha256: row
            .get_ref(3)?
            .as_blob()
            .ok()
            .and_then(Sha256::from_slice)
            .ok_or_else(|| damaged("sha256"))?,
        size: row.get::<_, i64>(4)?.cast_unsigned(),
        place,
        top_item: row.get::<_, Option<u32>>(1)?.map(ItemNo),
    })
}

fn instance_row(row: &Row<'_>) -> Result<InstanceRow> {
    let instance_id = InstanceId(row.get::<_, i64>(0)?.cast_unsigned());
    let damaged = |column: &str| {
        StoreError::damaged(
            "catalogue",
            format!("instance {instance_id}"),
            format!("column {column} cannot be read"),
        )
    };
    let flags: u8 = row.get(8)?;
    Ok(InstanceRow {
        instance_id,
        item_no: ItemNo(row.get(1)?),
        file_id: FileId(row.get(2)?),
        ordinal: row.get::<_, i64>(3)?.cast_unsigned(),
        offset: row.get::<_, i64>(4)?.cast_unsigned(),
        length: row.get::<_, i64>(5)?.cast_unsigned(),
        separator: row.get(6)?,
        trailer_len: row.get(7)?,
        as_found_differs: flags & 16 != 0,
        status: InstanceStatus::from_code(flags & 15).ok_or_else(|| damaged("flags"))?,
        run_no: RunNo(row.get(9)?),
        second_blake3: row
            .get_ref(10)?
            .as_blob_or_null()
            .ok()
            .flatten()
            .and_then(Blake3::from_slice),
        labels: unpack_labels(row.get(11)?),
    })
}
