//! Packed tables that finish steps derive from the evidence: thread links, near-duplicate groups.
//!
//! What a step finds stands in chunks of bytes that only the step can read (its own version says how), so that a million rows
//! cost some hundred inserts, and only chunks that differ are written again. Not for: anything that cannot be made again. Invariant:
//! a state row names the ticket that its chunks were made at, and both change in one transaction.
//!
//! The tables are made by the first step that writes; a catalogue without them reads as one where no step ran.

use embley_model::id::Ticket;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Result, as_i64, as_u64, atomically, has_table};
use crate::error::StoreError;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS derived_state (
    kind INTEGER PRIMARY KEY,           -- Kind::code
    version INTEGER NOT NULL,           -- of the rules and of the chunks
    ticket INTEGER NOT NULL,            -- the catalogue's when it was made
    summary TEXT NOT NULL               -- what was found, as JSON
) STRICT;
CREATE TABLE IF NOT EXISTS derived_chunk (
    chunk_id INTEGER PRIMARY KEY,       -- kind x 2^32 + number of the chunk
    data BLOB NOT NULL                  -- zstd
) STRICT;
";

const LEVEL: i32 = 1;
/// No chunk is larger when unpacked.
const CHUNK_LIMIT_BYTES: usize = 64 << 20;

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Links between messages.
    Threads,
    /// Groups of near-duplicates.
    NearDuplicates,
    /// Pairs of messages whose texts were compared.
    Quotations,
}

impl Kind {
    fn code(self) -> i64 {
        match self {
            Self::Threads => 1,
            Self::NearDuplicates => 2,
            Self::Quotations => 3,
        }
    }

    fn chunk_id(self, number: u32) -> i64 {
        self.code() << 32 | i64::from(number)
    }
}

/// What was made, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Version of the rules and of the chunks.
    pub version: u32,
    /// The catalogue's ticket.
    pub ticket: Ticket,
    /// What was found, as JSON.
    pub summary: String,
}

fn is_there(conn: &Connection) -> Result<bool> {
    has_table(conn, "derived_chunk")
}

/// The state of a table, `None` when it was never made.
///
/// # Errors
/// The database's.
pub fn state(conn: &Connection, kind: Kind) -> Result<Option<State>> {
    if !is_there(conn)? {
        return Ok(None);
    }
    let found = conn
        .prepare_cached("SELECT version, ticket, summary FROM derived_state WHERE kind = ?1")?
        .query_row([kind.code()], |row| {
            Ok(State {
                version: row.get(0)?,
                ticket: Ticket(as_u64(row.get(1)?)),
                summary: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// One chunk, `None` when there is none of this number.
///
/// # Errors
/// The database's, or the chunk is damaged.
pub fn chunk(conn: &Connection, kind: Kind, number: u32) -> Result<Option<Vec<u8>>> {
    let packed = packed(conn, kind, number)?;
    packed.map(|bytes| unpacked(&bytes, kind, number)).transpose()
}

fn packed(conn: &Connection, kind: Kind, number: u32) -> Result<Option<Vec<u8>>> {
    if !is_there(conn)? {
        return Ok(None);
    }
    let found = conn
        .prepare_cached("SELECT data FROM derived_chunk WHERE chunk_id = ?1")?
        .query_row([kind.chunk_id(number)], |row| row.get(0))
        .optional()?;
    Ok(found)
}

fn unpacked(bytes: &[u8], kind: Kind, number: u32) -> Result<Vec<u8>> {
    let place = || format!("derived_chunk {kind:?} {number}");
    let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
    let size = size
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size <= CHUNK_LIMIT_BYTES);
    let size = size.ok_or_else(|| StoreError::damaged("a derived table", place(), "it is no chunk"))?;
    zstd::bulk::decompress(bytes, size)
        .map_err(|cause| StoreError::damaged("a derived table", place(), cause.to_string()).into())
}

/// Writes a whole table: chunks 0.. in their order, and its state, in one transaction. Chunks that are as they were are left
/// alone. Returns how many were written.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn put(conn: &Connection, kind: Kind, state: &State, chunks: &[Vec<u8>]) -> Result<u64> {
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let mut written = 0;
        for (number, data) in chunks.iter().enumerate() {
            let number = u32::try_from(number).map_err(|_| StoreError::internal("too many chunks"))?;
            if data.len() > CHUNK_LIMIT_BYTES {
                return Err(StoreError::internal("a chunk of a derived table is too large").into());
            }
            let bytes = zstd::bulk::compress(data, LEVEL)
                .map_err(|cause| StoreError::internal(format!("zstd failed: {cause}")))?;
            if packed(conn, kind, number)?.as_ref() == Some(&bytes) {
                continue;
            }
            conn.prepare_cached("INSERT OR REPLACE INTO derived_chunk VALUES (?1, ?2)")?
                .execute(params![kind.chunk_id(number), bytes])?;
            written += 1;
        }
        let end = kind.chunk_id(0) + as_i64(chunks.len() as u64);
        let next_kind = (kind.code() + 1) << 32;
        conn.execute(
            "DELETE FROM derived_chunk WHERE chunk_id >= ?1 AND chunk_id < ?2",
            params![end, next_kind],
        )?;
        conn.prepare_cached("INSERT OR REPLACE INTO derived_state VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                kind.code(),
                state.version,
                as_i64(state.ticket.0),
                state.summary
            ])?;
        Ok(written)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ticket: u64) -> State {
        State {
            version: 1,
            ticket: Ticket(ticket),
            summary: "{}".to_owned(),
        }
    }

    #[test]
    fn only_chunks_that_differ_are_written_and_the_rest_goes() {
        let conn = Connection::open_in_memory().unwrap();
        assert_eq!(state(&conn, Kind::Threads).unwrap(), None);
        assert_eq!(chunk(&conn, Kind::Threads, 0).unwrap(), None);
        let (one, two, three) = (vec![1_u8; 100], vec![2_u8; 100], vec![3_u8; 7]);
        assert_eq!(
            put(&conn, Kind::Threads, &at(4), &[one.clone(), two.clone()]).unwrap(),
            2
        );
        assert_eq!(
            put(&conn, Kind::NearDuplicates, &at(4), std::slice::from_ref(&three)).unwrap(),
            1
        );
        assert_eq!(
            put(&conn, Kind::Threads, &at(5), &[one.clone(), three.clone()]).unwrap(),
            1
        );
        assert_eq!(
            put(&conn, Kind::Threads, &at(6), std::slice::from_ref(&one)).unwrap(),
            0
        );
        assert_eq!(state(&conn, Kind::Threads).unwrap(), Some(at(6)));
        assert_eq!(chunk(&conn, Kind::Threads, 0).unwrap(), Some(one));
        assert_eq!(chunk(&conn, Kind::Threads, 1).unwrap(), None);
        assert_eq!(chunk(&conn, Kind::NearDuplicates, 0).unwrap(), Some(three));
        conn.execute("UPDATE derived_chunk SET data = x'00'", []).unwrap();
        assert!(chunk(&conn, Kind::Threads, 0).is_err());
    }
}
