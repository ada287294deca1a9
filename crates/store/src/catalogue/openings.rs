//! What opening documents and containers gave: one row a blob that was opened, one a container item.
//!
//! A blob is opened once however often it occurs, so its text hangs on the blob; what a container holds is found at a place, so its
//! state hangs on the item. Data is what the pipeline made (JSON, zstd); the catalogue keeps it. Invariant: a row is committed together
//! with the items it changed and names the ticket of that checkpoint, so that whoever replays the index finds them.

use embley_model::id::{BlobId, ItemNo, RunNo, Ticket};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::read::CatalogueReader;
use super::rows::coded;
use crate::error::{Doing, Result, StoreError};

pub(crate) const TABLES: &str = "
ALTER TABLE folder ADD COLUMN container_item INTEGER;
CREATE TABLE opening(
  blob_id INTEGER PRIMARY KEY, run_no INTEGER NOT NULL, ticket INTEGER NOT NULL, reader TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE INDEX opening_by_ticket ON opening(ticket);
CREATE TABLE container(
  item_no INTEGER PRIMARY KEY, run_no INTEGER NOT NULL, ticket INTEGER NOT NULL, state INTEGER NOT NULL, members INTEGER NOT NULL,
  reader TEXT NOT NULL, places INTEGER NOT NULL) STRICT;
";

const LEVEL: i32 = 3;
/// The text of one document, and what goes with it.
const DATA_LIMIT: usize = 256 << 20;

coded! {
    /// How far a container was opened.
    ContainerState {
        /// It has members that were not taken out yet.
        Waiting = 0, "waiting";
        /// Everything that could be read was taken out.
        Opened = 1, "opened";
    }
}

/// What opening a blob gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningRow {
    /// The blob.
    pub blob_id: BlobId,
    /// The run that opened it.
    pub run_no: RunNo,
    /// Name and version of the reader.
    pub reader: String,
    /// What it gave, as the pipeline writes it.
    pub data: Vec<u8>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRow {
    /// The item that holds others.
    pub item_no: ItemNo,
    /// The run.
    pub run_no: RunNo,
    /// How far it was opened.
    pub state: ContainerState,
    /// Members counted by its reader.
    pub members: u64,
    /// Name and version of the reader.
    pub reader: String,
    /// How many of its instances, in their order, were there when its members were taken out: those behind them are new places.
    pub places: u32,
}

pub(crate) fn write(
    conn: &Connection,
    openings: &[OpeningRow],
    containers: &[ContainerRow],
    ticket: Ticket,
) -> Result<()> {
    for row in openings {
        let data = zstd::bulk::compress(&row.data, LEVEL)
            .map_err(|error| StoreError::internal(format!("zstd failed: {error}")))?;
        conn.prepare_cached("INSERT OR REPLACE INTO opening VALUES(?1,?2,?3,?4,?5)")?
            .execute((row.blob_id.0, row.run_no.0, ticket.0.cast_signed(), &row.reader, data))
            .doing("write what a document held")?;
    }
    for row in containers {
        let state = row.state.code();
        let members = row.members.cast_signed();
        conn.prepare_cached("INSERT OR REPLACE INTO container VALUES(?1,?2,?3,?4,?5,?6,?7)")?
            .execute((
                row.item_no.0,
                row.run_no.0,
                ticket.0.cast_signed(),
                state,
                members,
                &row.reader,
                row.places,
            ))
            .doing("write a container")?;
    }
    Ok(())
}

impl CatalogueReader {
    /// What opening a blob gave, when it was opened up to the checkpoint.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the row is damaged.
    pub fn opening(&self, blob: BlobId) -> Result<Option<OpeningRow>> {
        if !self.has_openings {
            return Ok(None);
        }
        let sql = "SELECT run_no, reader, data FROM opening WHERE blob_id=?1 AND ticket<=?2";
        let found: Option<(u32, String, Vec<u8>)> = self
            .conn
            .prepare_cached(sql)?
            .query_row((blob.0, self.pinned.ticket.0.cast_signed()), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()
            .doing("read what a document held")?;
        let Some((run, reader, packed)) = found else {
            return Ok(None);
        };
        let damaged = || StoreError::damaged("catalogue", format!("opening of blob {blob}"), "it cannot be unpacked");
        let size = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten();
        let size = size.and_then(|size| usize::try_from(size).ok()).ok_or_else(damaged)?;
        let data = zstd::bulk::decompress(&packed, size.min(DATA_LIMIT)).map_err(|_| damaged())?;
        Ok(Some(OpeningRow {
            blob_id: blob,
            run_no: RunNo(run),
            reader,
            data,
        }))
    }

    /// Containers in this state up to the checkpoint, in order of their items.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn containers(&self, state: ContainerState) -> Result<Vec<ContainerRow>> {
        if !self.has_openings {
            return Ok(Vec::new());
        }
        let sql = "SELECT item_no, run_no, state, members, reader, places FROM container WHERE state=?1 AND ticket<=?2 ORDER BY item_no";
        self.rows(sql, (state.code(), self.pinned.ticket.0.cast_signed()), |row| {
            Ok(ContainerRow {
                item_no: ItemNo(row.get(0)?),
                run_no: RunNo(row.get(1)?),
                state: ContainerState::from_code(row.get(2)?)
                    .ok_or_else(|| StoreError::damaged("catalogue", "container", "unknown state"))?,
                members: row.get::<_, i64>(3)?.cast_unsigned(),
                reader: row.get(4)?,
                places: row.get(5)?,
            })
        })
    }

    /// One container, when the item is one.
    ///
    /// # Errors
    /// As [`CatalogueReader::containers`].
    pub fn container(&self, item: ItemNo) -> Result<Option<ContainerRow>> {
        for state in ContainerState::ALL {
            if let Some(row) = self.containers(*state)?.into_iter().find(|row| row.item_no == item) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// True when the run opened something, in whichever of its parts.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn opened_by(&self, run: RunNo) -> Result<bool> {
        if !self.has_openings {
            return Ok(false);
        }
        let sql = "SELECT EXISTS(SELECT 1 FROM opening WHERE run_no=?1)";
        self.conn
            .prepare_cached(sql)?
            .query_row([run.0], |row| row.get(0))
            .doing("read what a run opened")
    }

    /// Items whose blob was opened after `ticket` and up to the checkpoint: their documents in an index of that ticket are older.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn opened_since(&self, ticket: Ticket) -> Result<RoaringBitmap> {
        if !self.has_openings {
            return Ok(RoaringBitmap::new());
        }
        let sql =
            "SELECT item_no FROM item WHERE blob_id IN (SELECT blob_id FROM opening WHERE ticket>?1 AND ticket<=?2)";
        let bounds = (ticket.0.cast_signed(), self.pinned.ticket.0.cast_signed());
        Ok(self
            .rows(sql, bounds, |row| Ok(row.get::<_, u32>(0)?))?
            .into_iter()
            .collect())
    }

    /// Items whose blob was opened up to the checkpoint.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn items_opened(&self) -> Result<RoaringBitmap> {
        if !self.has_openings {
            return Ok(RoaringBitmap::new());
        }
        let sql = "SELECT item_no FROM item WHERE blob_id IN (SELECT blob_id FROM opening WHERE ticket<=?1)";
        let bound = [self.pinned.ticket.0.cast_signed()];
        Ok(self
            .rows(sql, bound, |row| Ok(row.get::<_, u32>(0)?))?
            .into_iter()
            .collect())
    }

    /// Blobs that were opened up to the checkpoint.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn opened_blobs(&self) -> Result<RoaringBitmap> {
        if !self.has_openings {
            return Ok(RoaringBitmap::new());
        }
        let sql = "SELECT blob_id FROM opening WHERE ticket<=?1";
        let bound = [self.pinned.ticket.0.cast_signed()];
        Ok(self
            .rows(sql, bound, |row| Ok(row.get::<_, u32>(0)?))?
            .into_iter()
            .collect())
    }
}
