//! What the catalogue remembers of the log: how many entries it has seen, the hash of the last one, and the last checkpoint.
//!
//! One row that only grows (triggers refuse the rest). It may be behind the log, because a busy catalogue is not waited for long and a
//! power cut may take its last change; a log that is behind *it* was cut. Not for: proof against someone who changes both. The table
//! is made by the first entry. A later segment of the log has a row of its own in `audit_segment`: what was seen of the first stays.

use std::path::Path;
use std::time::Duration;

use embley_model::id::Key128;
use rusqlite::{Connection, OptionalExtension, params};

use crate::catalogue::{OpenAs, open_connection};
use crate::error::{Doing, Result};
use crate::merkle::Hash;

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    entries INTEGER NOT NULL,           -- how many entries the log had
    head BLOB NOT NULL,                 -- leaf hash of the last of them
    checkpoint_size INTEGER,            -- entries under the last checkpoint
    checkpoint_key TEXT                 -- id of the key that signed it
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_head_only_grows BEFORE UPDATE ON audit_head
    WHEN NEW.entries < OLD.entries BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER IF NOT EXISTS audit_head_not_deleted BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
";

const SEGMENTS: &str = "
CREATE TABLE IF NOT EXISTS audit_segment (
    segment INTEGER PRIMARY KEY CHECK (segment > 1),
    entries INTEGER NOT NULL,           -- how many entries it had
    head BLOB NOT NULL,                 -- leaf hash of the last of them
    checkpoint_size INTEGER,            -- entries under the last checkpoint
    checkpoint_key TEXT                 -- id of the key that signed it
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_segment_only_grows BEFORE UPDATE ON audit_segment
    WHEN NEW.entries < OLD.entries OR NEW.segment <> OLD.segment BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER IF NOT EXISTS audit_segment_not_deleted BEFORE DELETE ON audit_segment
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
";

/// How long a catalogue in a checkpoint is waited for: the next entry brings it up to date.
const PATIENCE: Duration = Duration::from_millis(50);

/// The row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    /// How many entries.
    pub(super) entries: u64,
    /// Leaf hash of the last of them.
    pub(super) head: Hash,
    /// The last checkpoint: entries under it, id of its key.
    pub(super) checkpoint: Option<(u64, String)>,
}

/// A connection to it, kept from the first entry of a process to its last.
#[derive(Debug)]
pub(super) struct AnchorTable {
    conn: Connection,
    segment: u32,
}

impl AnchorTable {
    /// Opens the catalogue for the row of a segment.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub(super) fn open(catalogue: &Path, case: Key128, segment: u32) -> Result<Self> {
        let conn = open_connection(catalogue, case, OpenAs::Facts)?;
        conn.busy_timeout(PATIENCE).doing("open the catalogue")?;
        // Losing the last change with the power is allowed here, so nothing waits for the disk.
        conn.pragma_update(None, "synchronous", "NORMAL")
            .doing("open the catalogue")?;
        // Nor is this the one to copy an ingest's log into the file.
        conn.pragma_update(None, "wal_autocheckpoint", 0)
            .doing("open the catalogue")?;
        Ok(Self { conn, segment })
    }

    /// The row; nothing when there is none yet.
    pub(super) fn read(&self) -> Result<Option<Anchor>> {
        read(&self.conn, self.segment)
    }

    /// The newest segment that it has seen.
    pub(super) fn newest(&self) -> Result<u32> {
        newest(&self.conn)
    }

    /// Tells the catalogue of a longer log.
    pub(super) fn write(&self, entries: u64, head: &Hash, checkpoint: Option<(u64, &str)>) -> Result<()> {
        let (size, key) = checkpoint.map_or((None, None), |(size, key)| (i64::try_from(size).ok(), Some(key)));
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        let later = self.segment > 1;
        let (table, making) = if later { (LATER, SEGMENTS) } else { (FIRST, TABLE) };
        let key_column = if later { "segment" } else { "only" };
        let sql = format!(
            "INSERT INTO {table} VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT ({key_column}) DO UPDATE SET entries = ?2, head = ?3,
             checkpoint_size = coalesce(?4, checkpoint_size), checkpoint_key = coalesce(?5, checkpoint_key)"
        );
        let write = || {
            self.conn
                .prepare_cached(&sql)?
                .execute(params![self.segment, entries, head.as_slice(), size, key])
        };
        if !has_table(&self.conn, table)? {
            self.conn
                .execute_batch(making)
                .doing("tell the catalogue of the audit log")?;
        }
        write().doing("tell the catalogue of the audit log")?;
        Ok(())
    }
}

/// The tables: of the first log, and of later segments.
const FIRST: &str = "audit_head";
const LATER: &str = "audit_segment";

fn has_table(conn: &Connection, table: &str) -> Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let count: i64 = conn
        .query_row(sql, [table], |row| row.get(0))
        .doing("look for what the catalogue remembers of the audit log")?;
    Ok(count > 0)
}

fn newest(conn: &Connection) -> Result<u32> {
    if !has_table(conn, LATER)? {
        return Ok(1);
    }
    let newest: Option<u32> = conn
        .query_row("SELECT max(segment) FROM audit_segment", [], |row| row.get(0))
        .doing("read what the catalogue remembers of the audit log")?;
    Ok(newest.unwrap_or(1))
}

fn read(conn: &Connection, segment: u32) -> Result<Option<Anchor>> {
    let (table, key_column) = if segment > 1 {
        (LATER, "segment")
    } else {
        (FIRST, "only")
    };
    if !has_table(conn, table)? {
        return Ok(None);
    }
    let sql = format!("SELECT entries, head, checkpoint_size, checkpoint_key FROM {table} WHERE {key_column} = ?1");
    let row = conn
        .query_row(&sql, [segment.max(1)], |row| {
            let head: Vec<u8> = row.get(1)?;
            let size: Option<i64> = row.get(2)?;
            let key: Option<String> = row.get(3)?;
            Ok(Anchor {
                entries: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                // A row of another length says another head than any log has.
                head: head.try_into().unwrap_or([0; 32]),
                checkpoint: size.and_then(|size| u64::try_from(size).ok()).zip(key),
            })
        })
        .optional()
        .doing("read what the catalogue remembers of the audit log")?;
    Ok(row)
}

/// The row of a segment, read only; nothing when there is none. Beside it the newest segment that the catalogue has seen.
///
/// # Errors
/// When the catalogue cannot be read.
pub(super) fn read_only(catalogue: &Path, case: Key128, segment: u32) -> Result<(Option<Anchor>, u32)> {
    let conn = open_connection(catalogue, case, OpenAs::Reader)?;
    Ok((read(&conn, segment)?, newest(&conn)?))
}
