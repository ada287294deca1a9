//! Sets that follow from rows, written as additions with each checkpoint and joined at finish.
//!
//! The writer makes these itself, so that no stage can forget them: roots, items by kind and by searchability, and the families found
//! per source, custodian and label. Invariant: the union of a set's rows is the set.

use std::collections::BTreeMap;

use embley_model::id::{FileId, SourceId};
use hashbrown::HashMap;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::read_sets::{SetKind, bitmap_from_bytes};
use super::rows::{Checkpoint, CustodianId, CustodianRow, RowBatch};
use crate::error::{Doing, Result, StoreError};

/// Files whose owner is remembered between checkpoints.
const OWNERS: usize = 100_000;

pub(crate) struct Sets<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) roots: &'a mut RoaringBitmap,
    pub(crate) owners: &'a mut HashMap<FileId, (SourceId, Option<CustodianId>)>,
    pub(crate) checkpoint: &'a Checkpoint,
}

type Found = BTreeMap<(SetKind, String), RoaringBitmap>;

impl Sets<'_> {
    pub(crate) fn write(mut self, batches: &[RowBatch]) -> Result<()> {
        let mut found = Found::new();
        self.of_items(batches, &mut found);
        self.of_instances(batches, &mut found)?;
        for delta in batches.iter().flat_map(|batch| &batch.sets) {
            *found.entry((delta.kind, delta.key.clone())).or_default() |= &delta.items;
        }
        for ((kind, key), items) in found {
            self.add(kind, &key, items)?;
        }
        self.move_updated(batches)?;
        Ok(())
    }

    fn of_items(&mut self, batches: &[RowBatch], found: &mut Found) {
        let mut roots = RoaringBitmap::new();
        let mut kinds: BTreeMap<u8, RoaringBitmap> = BTreeMap::new();
        let mut searchable: BTreeMap<u8, RoaringBitmap> = BTreeMap::new();
        for item in batches.iter().flat_map(|batch| &batch.items) {
            if item.parent.is_none() {
                roots.insert(item.item_no.0);
            }
            kinds.entry(item.kind.code()).or_default().insert(item.item_no.0);
            searchable
                .entry(item.searchability.code())
                .or_default()
                .insert(item.item_no.0);
        }
        *self.roots |= &roots;
        if !roots.is_empty() {
            found.insert((SetKind::Root, String::new()), roots);
        }
        found.extend(
            kinds
                .into_iter()
                .map(|(code, items)| ((SetKind::Kind, code.to_string()), items)),
        );
        found.extend(
            searchable
                .into_iter()
                .map(|(code, items)| ((SetKind::Searchability, code.to_string()), items)),
        );
    }

    fn of_instances(&mut self, batches: &[RowBatch], found: &mut Found) -> Result<()> {
        let mut sources: HashMap<SourceId, RoaringBitmap> = HashMap::new();
        let mut custodians: HashMap<CustodianId, RoaringBitmap> = HashMap::new();
        let mut labels: HashMap<&str, RoaringBitmap> = HashMap::new();
        for batch in batches {
            for file in &batch.files {
                self.owners.insert(file.file_id, (file.source_id, file.custodian_id));
            }
            for instance in &batch.instances {
                let (source, custodian) = self.owner(instance.file_id)?;
                sources.entry(source).or_default().insert(instance.item_no.0);
                if let Some(custodian) = custodian {
                    custodians.entry(custodian).or_default().insert(instance.item_no.0);
                }
                for label in &instance.labels {
                    labels.entry(label.as_str()).or_default().insert(instance.item_no.0);
                }
            }
        }
        if self.owners.len() > OWNERS {
            self.owners.clear();
        }
        for (source, items) in sources {
            found.insert((SetKind::Source, source.to_string()), self.families(&items));
        }
        for (custodian, items) in custodians {
            found.insert((SetKind::Custodian, custodian.0.to_string()), self.families(&items));
        }
        for (label, items) in labels {
            found.insert((SetKind::Label, label.to_owned()), self.families(&items));
        }
        Ok(())
    }

    fn owner(&mut self, file: FileId) -> Result<(SourceId, Option<CustodianId>)> {
        if let Some(owner) = self.owners.get(&file) {
            return Ok(*owner);
        }
        let sql = "SELECT source_id, custodian_id FROM file WHERE file_id=?1";
        let owner: Option<(u32, Option<u32>)> = self
            .transaction
            .prepare_cached(sql)?
            .query_row([file.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .doing("read the owner of a file")?;
        let Some((source, custodian)) = owner else {
            return Err(StoreError::internal(format!(
                "an instance names file {file}, which has no row"
            )));
        };
        let owner = (SourceId(source), custodian.map(CustodianId));
        self.owners.insert(file, owner);
        Ok(owner)
    }

    fn families(&self, roots: &RoaringBitmap) -> RoaringBitmap {
        super::read_sets::families(roots, self.roots, self.checkpoint.next_item)
    }

    /// Adds a row; the same ticket again joins it.
    fn add(&self, kind: SetKind, key: &str, mut items: RoaringBitmap) -> Result<()> {
        let ticket = self.checkpoint.ticket.0.cast_signed();
        let sql = "SELECT items FROM set_delta WHERE kind=?1 AND key=?2 AND ticket=?3";
        let there: Option<Vec<u8>> = self
            .transaction
            .prepare_cached(sql)?
            .query_row((kind.code(), key, ticket), |row| row.get(0))
            .optional()
            .doing("read a set")?;
        if let Some(bytes) = there {
            items |= bitmap_from_bytes(&bytes, kind, key)?;
        }
        put(self.transaction, kind, key, ticket, items)
    }

    /// Updated items leave the searchability they had and take the new one; their kind cannot change.
    fn move_updated(&self, batches: &[RowBatch]) -> Result<()> {
        let mut moved: BTreeMap<u8, RoaringBitmap> = BTreeMap::new();
        let mut all = RoaringBitmap::new();
        for row in batches.iter().flat_map(|batch| &batch.item_updates) {
            // Of several updates in one commit the last one holds.
            if !all.insert(row.item_no.0) {
                for items in moved.values_mut() {
                    items.remove(row.item_no.0);
                }
            }
            moved.entry(row.searchability.code()).or_default().insert(row.item_no.0);
        }
        if all.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::new();
        {
            let sql = "SELECT key, ticket, items FROM set_delta WHERE kind=?1";
            let mut statement = self.transaction.prepare_cached(sql)?;
            let mut found = statement.query([SetKind::Searchability.code()])?;
            while let Some(found) = found.next().doing("read a set")? {
                rows.push((
                    found.get::<_, String>(0)?,
                    found.get::<_, i64>(1)?,
                    found.get::<_, Vec<u8>>(2)?,
                ));
            }
        }
        for (key, ticket, bytes) in rows {
            let before = bitmap_from_bytes(&bytes, SetKind::Searchability, &key)?;
            let stay = key.parse().ok().and_then(|code: u8| moved.get(&code));
            let after = match stay {
                Some(stay) => &before - (&all - stay),
                None => &before - &all,
            };
            if after.len() < before.len() {
                put(self.transaction, SetKind::Searchability, &key, ticket, after)?;
            }
        }
        for (code, items) in moved {
            self.add(SetKind::Searchability, &code.to_string(), items)?;
        }
        Ok(())
    }
}

fn put(conn: &Connection, kind: SetKind, key: &str, ticket: i64, mut items: RoaringBitmap) -> Result<()> {
    items.optimize();
    let mut bytes = Vec::with_capacity(items.serialized_size());
    items
        .serialize_into(&mut bytes)
        .map_err(|error| StoreError::internal(format!("a set cannot be written: {error}")))?;
    conn.prepare_cached("INSERT OR REPLACE INTO set_delta VALUES(?1,?2,?3,?4)")?
        .execute((kind.code(), key, ticket, bytes))
        .doing("write a set")?;
    Ok(())
}

/// Gives files of a source to other custodians and makes the sets of all custodians again from the instances.
pub(crate) fn reassign(
    conn: &mut Connection,
    roots: &RoaringBitmap,
    next_item: u32,
    source: SourceId,
    mut custodian_of: impl FnMut(&[u8], &[u8]) -> Option<CustodianRow>,
) -> Result<()> {
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing("begin a reassignment")?;
    let mut owners = Vec::new();
    {
        let sql = "SELECT file_id, path, name FROM file JOIN folder USING (folder_id) WHERE file.source_id=?1";
        let mut statement = transaction.prepare(sql)?;
        let mut rows = statement.query([source.0])?;
        while let Some(row) = rows.next().doing("read the files of a source")? {
            let (folder, name): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
            owners.push((row.get::<_, u32>(0)?, custodian_of(&folder, &name)));
        }
    }
    for (file, custodian) in owners {
        if let Some(row) = &custodian {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO custodian VALUES(?1,?2)")?
                .execute((row.custodian_id.0, &row.name))?;
        }
        transaction
            .prepare_cached("UPDATE file SET custodian_id=?2 WHERE file_id=?1")?
            .execute((file, custodian.map(|row| row.custodian_id.0)))?;
    }
    let mut held: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
    {
        let sql = "SELECT custodian_id, item_no FROM instance JOIN file USING (file_id) WHERE custodian_id IS NOT NULL";
        let mut statement = transaction.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next().doing("read who held what")? {
            held.entry(row.get(0)?).or_default().insert(row.get(1)?);
        }
    }
    transaction.execute("DELETE FROM set_delta WHERE kind=?1", [SetKind::Custodian.code()])?;
    for (custodian, items) in held {
        // The lowest ticket: whoever reads an earlier checkpoint sees the set cut at its own last item.
        let families = super::read_sets::families(&items, roots, next_item);
        put(&transaction, SetKind::Custodian, &custodian.to_string(), 0, families)?;
    }
    transaction.commit().doing("commit a reassignment")
}

/// Joins the rows of each set into one. It gets the lowest ticket of them, so that readers pinned to an earlier checkpoint see it (cut
/// at their own last item).
pub(crate) fn compact(conn: &mut Connection) -> Result<()> {
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing("begin joining sets")?;
    let mut many: Vec<(u8, String, i64)> = Vec::new();
    {
        let sql = "SELECT kind, key, min(ticket) FROM set_delta GROUP BY kind, key HAVING count(*) > 1";
        let mut statement = transaction.prepare(sql)?;
        let mut rows = statement.query([]).doing("list sets")?;
        while let Some(row) = rows.next().doing("list sets")? {
            many.push((row.get(0)?, row.get(1)?, row.get(2)?));
        }
    }
    for (code, key, ticket) in many {
        let kind = SetKind::from_code(code)
            .ok_or_else(|| StoreError::damaged("catalogue", "set_delta", format!("unknown kind of set {code}")))?;
        let items = super::read_sets::load_set(&transaction, kind, &key, embley_model::id::Ticket(u64::MAX >> 1))?;
        transaction
            .execute("DELETE FROM set_delta WHERE kind=?1 AND key=?2", (code, &key))
            .doing("join a set")?;
        put(&transaction, kind, &key, ticket, items)?;
    }
    transaction.commit().doing("commit joined sets")
}
