//! Writing evidence rows: buffered, then one short transaction a checkpoint.
//!
//! Budget: 12 CPU-microseconds a message (DESIGN section 9), so rows go in by integer key in append order, through prepared
//! statements, without secondary indexes. Invariant: rows and the checkpoint that covers them become visible together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embley_model::failpoint;
use embley_model::id::{FileId, ItemNo, Key128, SourceId, Ticket};
use hashbrown::HashMap;
use roaring::RoaringBitmap;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::read::{NextIds, last_checkpoint, next_ids};
use super::read_sets::{SetKind, load_set};
use super::rows::{Checkpoint, CustodianId, CustodianRow, RowBatch};
use super::schema::{OpenAs, open_connection};
use super::write_rows::{Inserts, Interned};
use super::{lookups, openings, write_sets};
use crate::disk::Disk;
use crate::error::{Doing, Result, StoreError};

/// The one writer of evidence rows of a case.
#[derive(Debug)]
pub struct CatalogueWriter {
    conn: Connection,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    pending: Vec<RowBatch>,
    interned: Interned,
    roots: RoaringBitmap,
    owners: HashMap<FileId, (SourceId, Option<CustodianId>)>,
    last: Checkpoint,
    failed: bool,
}

impl CatalogueWriter {
    /// Opens the catalogue for writing. The caller holds the case lock.
    pub(crate) fn open(path: &Path, case_id: Key128, disk: Arc<dyn Disk>) -> Result<Self> {
        let conn = open_connection(path, case_id, OpenAs::Writer)?;
        let last = last_checkpoint(&conn)?;
        let interned = Interned::load(&conn)?;
        let roots = load_set(&conn, SetKind::Root, "", Ticket(u64::MAX >> 1))?;
        Ok(Self {
            conn,
            path: path.to_owned(),
            disk,
            pending: Vec::new(),
            interned,
            roots,
            owners: HashMap::new(),
            last,
            failed: false,
        })
    }

    /// The last committed checkpoint.
    pub fn last_checkpoint(&self) -> &Checkpoint {
        &self.last
    }

    /// The ids that new rows get next, by what is committed.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn next_ids(&self) -> Result<NextIds> {
        next_ids(&self.conn, &self.last)
    }

    /// Takes rows on, in input order. No SQL is done; nothing is visible before [`CatalogueWriter::commit`].
    pub fn append(&mut self, batch: RowBatch) {
        self.pending.push(batch);
    }

    /// True when rows wait for a commit.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes everything appended and the checkpoint in one transaction. Everything that the rows speak of is durable already:
    /// the caller synced the packs up to `checkpoint.pack`.
    ///
    /// # Errors
    /// Busy, when another writer holds the catalogue for more than 30 s: nothing was done and the call may be repeated. Any
    /// other error: nothing was committed, or all of it was; the writer refuses everything until the case is opened again.
    pub fn commit(&mut self, checkpoint: Checkpoint) -> Result<()> {
        self.commit_with(checkpoint, |_| Ok(()))
    }

    /// The same, with further changes (records' keys and versions) in the same transaction.
    ///
    /// # Errors
    /// As [`CatalogueWriter::commit`], and what `also` returned.
    pub fn commit_with<E: From<StoreError>>(
        &mut self,
        checkpoint: Checkpoint,
        also: impl FnOnce(&Connection) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        if self.failed {
            return Err(StoreError::internal("the catalogue writer failed before; open the case again").into());
        }
        if checkpoint.ticket < self.last.ticket || checkpoint.next_item < self.last.next_item {
            return Err(StoreError::internal("a checkpoint must not go back").into());
        }
        let pending = std::mem::take(&mut self.pending);
        let transaction = match self.conn.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => transaction,
            Err(source) => {
                self.pending = pending;
                return Err(StoreError::Catalogue {
                    doing: "begin a checkpoint",
                    source,
                }
                .into());
            }
        };
        // From here on interned ids belong to this transaction: if it is lost, so is this writer.
        self.failed = true;
        let step = Step {
            transaction,
            interned: &mut self.interned,
            roots: &mut self.roots,
            owners: &mut self.owners,
            last: &self.last,
        };
        let transaction = step.write(&pending, &checkpoint, &self.path)?;
        also(&transaction)?;
        self.disk
            .before_commit(&self.path)
            .map_err(|error| StoreError::io("commit", &self.path, error))?;
        transaction.commit().doing("commit a checkpoint")?;
        self.failed = false;
        self.last = checkpoint;
        // If we stop here: catalogue and packs agree up to the checkpoint; the index lacks it and replays.
        if let Err(error) = failpoint::pass("catalogue-commit") {
            self.failed = true;
            return Err(StoreError::io("commit", &self.path, error).into());
        }
        Ok(())
    }

    /// Drops look-up indexes when `expected_items` new items are so many that building them again is cheaper than keeping them.
    /// Readers go on working, slower.
    ///
    /// # Errors
    /// When the catalogue refuses; no index or all of them are dropped.
    pub fn begin_bulk(&mut self, expected_items: u64) -> Result<()> {
        let held = u64::from(self.last.next_item) - 1;
        if expected_items.saturating_mul(20) >= held {
            lookups::drop_all(&mut self.conn)
        } else {
            Ok(())
        }
    }

    /// Makes the look-up indexes that are missing, each from a sort. Each is a transaction of its own.
    ///
    /// # Errors
    /// When the catalogue refuses; indexes made so far stay.
    pub fn build_lookups(&mut self) -> Result<()> {
        lookups::build_missing(&mut self.conn)
    }

    /// Joins the additions to each set into one row, in one transaction.
    ///
    /// # Errors
    /// When the catalogue refuses; nothing was done.
    pub fn compact_sets(&mut self) -> Result<()> {
        write_sets::compact(&mut self.conn)
    }

    /// Gives the files of a source to other custodians, in one transaction: rows and sets. `custodian_of` gets folder and name of
    /// each file; a custodian that the catalogue does not know gets a row. Where and when they were found stays as it is.
    ///
    /// # Errors
    /// When the catalogue refuses; nothing was done.
    pub fn reassign(
        &mut self,
        source: SourceId,
        custodian_of: impl FnMut(&[u8], &[u8]) -> Option<CustodianRow>,
    ) -> Result<()> {
        self.owners.clear();
        write_sets::reassign(&mut self.conn, &self.roots, self.last.next_item, source, custodian_of)
    }

    /// Lets the catalogue grow to so many pages only, for tests of a full disk.
    ///
    /// # Errors
    /// When the catalogue refuses.
    pub fn limit_pages(&mut self, pages: u32) -> Result<()> {
        let sql = format!("PRAGMA max_page_count={pages}");
        self.conn.query_row(&sql, [], |_| Ok(())).doing("limit the catalogue")
    }

    /// Moves the log into the file, so that the case is one file when nobody else has it open.
    ///
    /// # Errors
    /// When the catalogue refuses; nothing is lost.
    pub fn settle(&mut self) -> Result<()> {
        self.conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .doing("settle the catalogue's log")
    }
}

/// One commit at work.
struct Step<'a> {
    transaction: Transaction<'a>,
    interned: &'a mut Interned,
    roots: &'a mut RoaringBitmap,
    owners: &'a mut HashMap<FileId, (SourceId, Option<CustodianId>)>,
    last: &'a Checkpoint,
}

impl<'a> Step<'a> {
    fn write(self, batches: &[RowBatch], checkpoint: &Checkpoint, path: &Path) -> Result<Transaction<'a>> {
        // If we stop here: SQLite finds a log without a commit record and forgets it.
        failpoint::pass("catalogue-begin").map_err(|error| StoreError::io("commit", path, error))?;
        let first_new = ItemNo(self.last.next_item);
        let mut inserts = Inserts::new(&self.transaction, self.interned, first_new)?;
        for batch in batches {
            inserts.batch(batch)?;
        }
        inserts.checkpoint(checkpoint)?;
        drop(inserts);
        for batch in batches {
            openings::write(&self.transaction, &batch.openings, &batch.containers, checkpoint.ticket)?;
        }
        let sets = write_sets::Sets {
            transaction: &self.transaction,
            roots: self.roots,
            owners: self.owners,
            checkpoint,
        };
        sets.write(batches)?;
        Ok(self.transaction)
    }
}
