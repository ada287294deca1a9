//! Mutable facts about items: exhibits, tags, marks of privilege, review states, case records with their versions, people, links between
//! them; saved searches and the history.
//!
//! Facts are small rows beside the evidence, written in short transactions that work while an ingest runs. A
//! bulk change is *one* event row that holds the bitmap of what it changed (that also serves undo); each set also
//! keeps its present members as one compacted bitmap, so that loading it costs one row.
//! Not for: anything that an ingest derives from originals. Invariants: nothing here changes an item; events and
//! versions of records are only ever added (triggers refuse to change or delete them).
//!
//! Functions take a connection. Each change is one transaction of its own, or, when the caller has one open
//! already, a savepoint in it: all done or nothing done.

pub mod batches;
pub mod cases;
pub mod codings;
pub mod continuity;
pub mod custody;
pub mod derived;
pub mod details;
pub mod disclosure;
pub mod documents;
pub mod error;
pub mod exhibit_files;
pub mod exhibit_parts;
pub mod exhibits;
pub mod indicators;
pub mod journal;
pub mod links;
pub mod looks;
pub mod member;
pub mod notes;
pub mod people;
pub mod privilege;
pub mod quarantine;
pub mod records;
pub mod reference;
pub mod review;
pub mod saved;
pub mod schedules;
mod schema;
pub mod sets;
pub mod tag_rules;
pub mod tags;
pub mod text_links;
pub mod users;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod review_tests;
#[cfg(test)]
mod tag_tests;
#[cfg(test)]
mod work_tests;

pub use error::FactsError;
pub use reference::{AskedRef, ExhibitRef};
pub use sets::{Change, SetKind};

use std::path::Path;

use embley_model::failpoint;
use roaring::RoaringBitmap;
/// The connection that the functions of this module take.
pub use rusqlite::Connection;
use rusqlite::{Transaction, TransactionBehavior};

use crate::error::StoreError;

/// Tables of this module, run once when a catalogue is made.
pub(crate) use schema::SCHEMA;

/// Short for results of this module.
pub type Result<T> = std::result::Result<T, FactsError>;

/// Who did something, and when: inputs, never looked up here.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The actor's name.
    pub actor: &'a str,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at_micros: i64,
}

/// Makes the tables of this module in a database that has none of them: for tests of other crates.
///
/// # Errors
/// The database's; it is then as before.
pub fn create_tables(conn: &Connection) -> Result<()> {
    atomically(conn, |conn| Ok(conn.execute_batch(SCHEMA)?))
}

/// Runs `work` so that all of its changes happen or none: in a transaction that takes the write lock at once,
/// or in a savepoint of the one that is open.
pub(crate) fn atomically<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    if conn.is_autocommit() {
        let transaction = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        pass("fact-begin")?;
        let done = work(&transaction)?;
        // Stopped here: the database is as before. Behind the commit: the change is durable.
        pass("fact-commit")?;
        transaction.commit()?;
        pass("fact-committed")?;
        return Ok(done);
    }
    conn.execute_batch("SAVEPOINT fact")?;
    match work(conn) {
        Ok(done) => {
            conn.execute_batch("RELEASE fact")?;
            Ok(done)
        }
        Err(cause) => {
            conn.execute_batch("ROLLBACK TO fact; RELEASE fact")?;
            Err(cause)
        }
    }
}

/// Passes a failpoint of a change.
fn pass(name: &'static str) -> Result<()> {
    Ok(pass_point(name)?)
}

/// The same for callers with errors of the store.
pub(crate) fn pass_point(name: &'static str) -> std::result::Result<(), StoreError> {
    failpoint::pass(name).map_err(|source| StoreError::io("change", Path::new("catalogue.sqlite"), source))
}

/// True when the database has this table. Tables that not every case needs are made by the first change.
pub(crate) fn has_table(conn: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let count: i64 = conn.prepare_cached(sql)?.query_row([name], |row| row.get(0))?;
    Ok(count > 0)
}

/// A bitmap as it is kept: the portable serialisation of roaring, runs compressed.
pub(crate) fn bitmap_bytes(bitmap: &RoaringBitmap) -> Result<Vec<u8>> {
    let mut compact = bitmap.clone();
    compact.optimize();
    let mut bytes = Vec::with_capacity(compact.serialized_size());
    compact
        .serialize_into(&mut bytes)
        .map_err(|cause| StoreError::internal(format!("a bitmap was not written to memory: {cause}")))?;
    Ok(bytes)
}

/// The inverse of [`bitmap_bytes`]; `place` names the row in the message when the bytes are damaged.
pub(crate) fn read_bitmap(bytes: &[u8], place: impl FnOnce() -> String) -> Result<RoaringBitmap> {
    RoaringBitmap::deserialize_from(bytes)
        .map_err(|cause| StoreError::damaged("a set of items", place(), cause.to_string()).into())
}

/// The function that says, on a connection for changes of a case with less than the whole sight, what may be spoken of
/// ([`crate::Case::facts`]).
pub(crate) const TOLD: &str = "embley_told";

/// True when whoever holds the connection may not be told of everything.
fn is_limited(conn: &Connection) -> Result<bool> {
    let sql = "SELECT count(*) FROM pragma_function_list WHERE name = ?1";
    let count: i64 = conn.prepare_cached(sql)?.query_row([TOLD], |row| row.get(0))?;
    Ok(count > 0)
}

/// Of these items, those that whoever holds the connection may be told of.
fn told(conn: &Connection, items: &RoaringBitmap) -> Result<RoaringBitmap> {
    if items.is_empty() || !is_limited(conn)? {
        return Ok(items.clone());
    }
    let bytes: Vec<u8> = conn
        .prepare_cached(&format!("SELECT {TOLD}(?1)"))?
        .query_row([bitmap_bytes(items)?], |row| row.get(0))?;
    read_bitmap(&bytes, || "what may be told".to_owned())
}

/// How many they are.
fn seen_len(conn: &Connection, items: &RoaringBitmap) -> Result<u64> {
    Ok(told(conn, items)?.len())
}

/// True when there are some and whoever holds the connection may be told of none: what is about them alone is not there for them.
fn is_hidden(conn: &Connection, items: &RoaringBitmap) -> Result<bool> {
    Ok(!items.is_empty() && told(conn, items)?.is_empty())
}

/// A count as SQLite keeps it.
pub(crate) fn as_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as SQLite kept it.
pub(crate) fn as_u64(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Text compared without case and outer spaces, inner spaces as one.
pub(crate) fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
