//! Reading reviews, batches and their steps, and checking them.

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::super::sets::key_of;
use super::super::{FactsError, Result, as_u64, has_table, read_bitmap};
use super::{Batch, BatchEvent, Review, State};

pub(super) fn find_review(conn: &Connection, name: &str) -> Result<Review> {
    let found = reviews(conn)?.into_iter().find(|one| key_of(&one.name) == key_of(name));
    found.ok_or_else(|| FactsError::NotFound {
        what: "review",
        name: format!("\"{}\"", name.trim()),
    })
}

/// All reviews, oldest first.
///
/// # Errors
/// The database's.
pub fn reviews(conn: &Connection) -> Result<Vec<Review>> {
    if !has_table(conn, "review")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT review_id, name, query, level, form, left_out, at_micros, actor FROM review ORDER BY review_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Review {
            review_id: row.get(0)?,
            name: row.get(1)?,
            query: row.get(2)?,
            level: row.get(3)?,
            form: row.get(4)?,
            left_out: as_u64(row.get(5)?),
            at_micros: row.get(6)?,
            actor: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One batch.
///
/// # Errors
/// There is no such batch.
pub fn find(conn: &Connection, batch_id: i64) -> Result<Batch> {
    let found = list(conn)?.into_iter().find(|batch| batch.batch_id == batch_id);
    found.ok_or_else(|| FactsError::NotFound {
        what: "batch",
        name: batch_id.to_string(),
    })
}

/// All batches, by review, then number.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Batch>> {
    if !has_table(conn, "review_batch")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT b.batch_id, r.name, r.form, b.round, b.number, b.not_for, b.member_count, b.state, b.holder
         FROM review_batch b JOIN review r ON r.review_id = b.review_id ORDER BY b.review_id, b.number",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Batch {
            batch_id: row.get(0)?,
            review: row.get(1)?,
            form: row.get(2)?,
            round: row.get(3)?,
            number: as_u64(row.get(4)?),
            not_for: row.get(5)?,
            items: as_u64(row.get(6)?),
            state: State::from_code(row.get(7)?),
            holder: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The items of a batch.
///
/// # Errors
/// There is no such batch, or its bytes are damaged.
pub fn members(conn: &Connection, batch_id: i64) -> Result<RoaringBitmap> {
    find(conn, batch_id)?;
    let bytes: Vec<u8> = conn
        .prepare_cached("SELECT members FROM review_batch WHERE batch_id = ?1")?
        .query_row([batch_id], |row| row.get(0))?;
    read_bitmap(&bytes, || format!("review_batch {batch_id}"))
}

/// All steps of all batches, oldest first.
///
/// # Errors
/// The database's.
pub fn events(conn: &Connection) -> Result<Vec<BatchEvent>> {
    if !has_table(conn, "batch_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT batch_id, at_micros, actor, action, before_state, before_holder, after_state, after_holder, note
         FROM batch_event ORDER BY event_id",
    )?;
    let rows = statement.query_map([], |row| {
        let side = |state: u8, holder: String| {
            let word = State::from_code(state).word();
            if holder.is_empty() {
                word.to_owned()
            } else {
                format!("{word}: {holder}")
            }
        };
        Ok(BatchEvent {
            batch_id: row.get(0)?,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            before: side(row.get(4)?, row.get(5)?),
            after: side(row.get(6)?, row.get(7)?),
            note: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Checks that every batch stands where its last event left it, and that what it counts is what it holds; gives what does not hold, in words.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn verify(conn: &Connection) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let events = events(conn)?;
    for batch in list(conn)? {
        let held = members(conn, batch.batch_id)?.len();
        if held != batch.items {
            problems.push(format!(
                "batch {} counts {} items and holds {held}",
                batch.batch_id, batch.items
            ));
        }
        let last = events.iter().rev().find(|event| event.batch_id == batch.batch_id);
        let stands = match batch.holder.as_str() {
            "" => batch.state.word().to_owned(),
            holder => format!("{}: {holder}", batch.state.word()),
        };
        if last.is_none_or(|event| event.after != stands) {
            problems.push(format!(
                "batch {} stands as \"{stands}\", its last event says otherwise",
                batch.batch_id
            ));
        }
    }
    Ok(problems)
}
