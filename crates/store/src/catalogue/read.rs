//! Reading the catalogue: a snapshot pinned at a checkpoint.
//!
//! A reader sees one moment of the catalogue for as long as it lives, and of the evidence only what its checkpoint covers; facts
//! (exhibits, tags, records) are seen as of the same moment. Never writes. Invariant: two calls on one reader never contradict one
//! another.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use embley_model::address::Address;
use embley_model::id::{BlobId, ItemNo, Key128, RunNo, Ticket};
use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension, Row};

use super::rows::Checkpoint;
use super::schema::{OpenAs, open_connection};
use super::sight::{Hidden, Sight};
use crate::error::{Doing, Result, StoreError};
use crate::packs::PackPosition;

/// Addresses that a reader remembers.
const ADDRESSES: usize = 50_000;

/// Words (media types, defect codes) that a reader remembers; a hostile source could bring one an item.
const WORDS: usize = 50_000;

/// The ids that new rows get next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextIds {
    /// Item number.
    pub item: u32,
    /// Blob.
    pub blob: u32,
    /// Instance.
    pub instance: u64,
    /// File.
    pub file: u32,
    /// Folder.
    pub folder: u32,
    /// Source.
    pub source: u32,
    /// Custodian.
    pub custodian: u32,
    /// Run.
    pub run: u32,
}

/// What the de-duplication table holds of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DedupEntry {
    /// First half of its BLAKE3.
    pub half: Key128,
    /// Its id.
    pub blob_id: BlobId,
    /// The top-level item with these bytes.
    pub top_item: Option<ItemNo>,
    /// True when its bytes stand in a pack of their own.
    pub packed: bool,
}

/// How many rows the big tables have, as far as the checkpoint covers them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Items.
    pub items: u64,
    /// Blobs.
    pub blobs: u64,
    /// Instances.
    pub instances: u64,
}

/// See the module. Can be sent to another thread, not shared; make one a thread.
#[derive(Debug)]
pub struct CatalogueReader {
    pub(super) conn: Connection,
    pub(super) path: PathBuf,
    pub(super) pinned: Checkpoint,
    /// Catalogues of format 1 have no tables of openings and containers.
    pub(super) has_openings: bool,
    pub(super) sight: Sight,
    pub(super) hidden: Hidden,
    addresses: RefCell<HashMap<u64, Address>>,
    words: RefCell<HashMap<u64, String>>,
}

impl CatalogueReader {
    /// Opens a snapshot at the last checkpoint that shows what `sight` takes in.
    pub(crate) fn open(path: &Path, case_id: Key128, sight: Sight) -> Result<Self> {
        let conn = open_connection(path, case_id, OpenAs::Reader)?;
        // A read transaction that stays open: in WAL mode it holds one moment without keeping writers out.
        conn.execute_batch("BEGIN").doing("pin the catalogue")?;
        let pinned = last_checkpoint(&conn)?;
        let has_openings = super::schema::format_of(&conn)? >= 2;
        let mut reader = Self {
            conn,
            path: path.to_owned(),
            pinned,
            has_openings,
            sight,
            hidden: Hidden::default(),
            addresses: RefCell::default(),
            words: RefCell::default(),
        };
        reader.apply_sight()?;
        Ok(reader)
    }

    /// The checkpoint up to which evidence is seen.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.pinned
    }

    /// Sees evidence only up to a ticket, such as the one of an index commit. A ticket between two checkpoints counts as the
    /// earlier one.
    ///
    /// # Errors
    /// When the catalogue has no checkpoint at or before the ticket: the index is not of this case, or the catalogue was put
    /// back to an older state.
    pub fn limit_to(&mut self, ticket: Ticket) -> Result<()> {
        if ticket > self.pinned.ticket {
            return Err(StoreError::damaged(
                "catalogue",
                format!("ticket {ticket}"),
                format!(
                    "the last checkpoint is {}, before what was asked for",
                    self.pinned.ticket
                ),
            ));
        }
        self.pinned = checkpoint_at(&self.conn, ticket)?;
        Ok(())
    }

    /// Lets go of the moment and pins the present one.
    ///
    /// # Errors
    /// When the catalogue cannot be read; the reader is then not good for anything.
    pub fn refresh(&mut self) -> Result<()> {
        self.conn
            .execute_batch("COMMIT; BEGIN")
            .doing("pin the catalogue anew")?;
        self.pinned = last_checkpoint(&self.conn)?;
        self.apply_sight()
    }

    /// All checkpoints covered, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        let sql = format!("SELECT {CHECKPOINT} FROM checkpoint WHERE ticket <= ?1 ORDER BY ticket");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([self.pinned.ticket.0.cast_signed()], checkpoint_row)?;
        rows.collect::<std::result::Result<_, _>>().doing("read checkpoints")
    }

    /// The ids that new rows get next.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn next_ids(&self) -> Result<NextIds> {
        next_ids(&self.conn, &self.pinned)
    }

    /// Rows of the big tables, hidden ones included: totals of the case, not of what is seen. Numbers are dense, so nothing is counted.
    pub fn counts(&self) -> Counts {
        Counts {
            items: u64::from(self.pinned.next_item) - 1,
            blobs: u64::from(self.pinned.next_blob) - 1,
            instances: self.pinned.next_instance - 1,
        }
    }

    /// Gives every blob to `each`, ascending by id, for the de-duplication table.
    ///
    /// # Errors
    /// When the catalogue cannot be read or holds something that is not a hash.
    pub fn for_each_dedup(&self, mut each: impl FnMut(DedupEntry)) -> Result<()> {
        let sql = "SELECT blob_id, top_item, pack IS NOT NULL, blake3 FROM blob WHERE blob_id < ?1 ORDER BY blob_id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([self.pinned.next_blob])?;
        while let Some(row) = rows.next().doing("read blobs")? {
            let hash = row.get_ref(3)?.as_blob().unwrap_or_default();
            let Some(half) = hash.get(..16).and_then(Key128::from_slice) else {
                let place = format!("blob {}", row.get::<_, u32>(0)?);
                return Err(StoreError::damaged("catalogue", place, "the hash has not 32 bytes"));
            };
            each(DedupEntry {
                half,
                blob_id: BlobId(row.get(0)?),
                top_item: row.get::<_, Option<u32>>(1)?.map(ItemNo),
                packed: row.get(2)?,
            });
        }
        Ok(())
    }

    /// Names of the look-up indexes that are there; without them look-ups by hash, MIH and instance read whole tables.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn lookups(&self) -> Result<Vec<String>> {
        super::lookups::present(&self.conn)
    }

    /// The connection, for reading facts as of the same moment.
    pub fn facts(&self) -> &Connection {
        &self.conn
    }

    /// An interned address.
    pub(super) fn address(&self, id: u64) -> Result<Address> {
        if let Some(address) = self.addresses.borrow().get(&id) {
            return Ok(address.clone());
        }
        let sql = "SELECT name, addr FROM address WHERE address_id=?1";
        let found = self
            .conn
            .prepare_cached(sql)?
            .query_row([id.cast_signed()], |row| {
                Ok(Address {
                    name: row.get(0)?,
                    addr: row.get(1)?,
                })
            })
            .optional()
            .doing("read an address")?;
        let address =
            found.ok_or_else(|| StoreError::damaged("catalogue", format!("address {id}"), "there is no such row"))?;
        let mut known = self.addresses.borrow_mut();
        if known.len() >= ADDRESSES {
            known.clear();
        }
        known.insert(id, address.clone());
        Ok(address)
    }

    /// An interned word.
    pub(super) fn word(&self, id: u64) -> Result<String> {
        if let Some(word) = self.words.borrow().get(&id) {
            return Ok(word.clone());
        }
        let found: Option<String> = self
            .conn
            .prepare_cached("SELECT value FROM word WHERE word_id=?1")?
            .query_row([id.cast_signed()], |row| row.get(0))
            .optional()
            .doing("read a word")?;
        let word =
            found.ok_or_else(|| StoreError::damaged("catalogue", format!("word {id}"), "there is no such row"))?;
        let mut known = self.words.borrow_mut();
        if known.len() >= WORDS {
            known.clear();
        }
        known.insert(id, word.clone());
        Ok(word)
    }
}

const CHECKPOINT: &str = "ticket, run_no, pack, pack_offset, next_item, next_blob, next_instance, at_micros";

fn checkpoint_row(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint {
        ticket: Ticket(row.get::<_, i64>(0)?.cast_unsigned()),
        run_no: RunNo(row.get(1)?),
        pack: PackPosition {
            pack: row.get(2)?,
            offset: row.get::<_, i64>(3)?.cast_unsigned(),
        },
        next_item: row.get(4)?,
        next_blob: row.get(5)?,
        next_instance: row.get::<_, i64>(6)?.cast_unsigned(),
        at_micros: row.get(7)?,
    })
}

/// The newest checkpoint. There is always one: `init` makes ticket 0.
pub(crate) fn last_checkpoint(conn: &Connection) -> Result<Checkpoint> {
    checkpoint_at(conn, Ticket(u64::MAX >> 1))
}

pub(super) fn checkpoint_at(conn: &Connection, ticket: Ticket) -> Result<Checkpoint> {
    let sql = format!("SELECT {CHECKPOINT} FROM checkpoint WHERE ticket <= ?1 ORDER BY ticket DESC LIMIT 1");
    conn.query_row(&sql, [ticket.0.cast_signed()], checkpoint_row)
        .optional()
        .doing("read the last checkpoint")?
        .ok_or_else(|| StoreError::damaged("catalogue", "checkpoint", "there is no checkpoint"))
}

pub(crate) fn next_ids(conn: &Connection, last: &Checkpoint) -> Result<NextIds> {
    let next = |sql: &str| -> Result<u32> { conn.query_row(sql, [], |row| row.get(0)).doing("read the next ids") };
    Ok(NextIds {
        item: last.next_item,
        blob: last.next_blob,
        instance: last.next_instance,
        file: next("SELECT ifnull(max(file_id),0)+1 FROM file")?,
        folder: next("SELECT ifnull(max(folder_id),0)+1 FROM folder")?,
        source: next("SELECT ifnull(max(source_id),0)+1 FROM source")?,
        custodian: next("SELECT ifnull(max(custodian_id),0)+1 FROM custodian")?,
        run: next("SELECT ifnull(max(run_no),0)+1 FROM run")?,
    })
}
