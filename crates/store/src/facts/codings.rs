//! Codings: what a reviewer answered for an item by a form, with every earlier answer.
//!
//! The newest coding of a reviewer for an item and form holds; of two reviewers there are two. Answers are JSON that whoever knows the form has
//! checked (`casework::coding`); the text of each form is kept once under its hash, so that an old coding can be read by the form of its day.
//! Main type: [`Coding`]. Invariant: codings and forms are only ever added (triggers).
//!
//! The tables are made by the first coding; a catalogue without them reads as one without codings.

use embley_model::id::ItemNo;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{Result, Stamp, atomically, fold, has_table};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS coding_form (
    content BLOB PRIMARY KEY,           -- first half of BLAKE3 of the text
    name TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS coding_form_not_changed BEFORE UPDATE ON coding_form
    BEGIN SELECT RAISE(ABORT, 'forms are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS coding_form_not_deleted BEFORE DELETE ON coding_form
    BEGIN SELECT RAISE(ABORT, 'forms are only ever added'); END;
CREATE TABLE IF NOT EXISTS coding (
    coding_id INTEGER PRIMARY KEY,
    form TEXT NOT NULL,
    content BLOB NOT NULL REFERENCES coding_form (content),
    item_no INTEGER NOT NULL,
    reviewer_key TEXT NOT NULL,         -- the reviewer's name folded
    reviewer TEXT NOT NULL,
    batch_id INTEGER,                   -- the batch that they had it in
    at_micros INTEGER NOT NULL,
    answers TEXT NOT NULL               -- JSON object, keys sorted
) STRICT;
CREATE INDEX IF NOT EXISTS coding_by_reviewer ON coding (form, reviewer_key, item_no);
CREATE TRIGGER IF NOT EXISTS coding_not_changed BEFORE UPDATE ON coding
    BEGIN SELECT RAISE(ABORT, 'codings are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS coding_not_deleted BEFORE DELETE ON coding
    BEGIN SELECT RAISE(ABORT, 'codings are only ever added'); END;
";

/// What is answered for items.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Name of the form.
    pub form: &'a str,
    /// The form's text.
    pub form_text: &'a str,
    /// The items.
    pub items: &'a RoaringBitmap,
    /// The batch in which the reviewer has them.
    pub batch_id: Option<i64>,
    /// JSON object with sorted keys, checked against the form.
    pub answers: &'a str,
}

/// A coding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coding {
    /// Row id, increasing.
    pub coding_id: i64,
    /// Name of the form.
    pub form: String,
    /// The item.
    pub item_no: ItemNo,
    /// Who.
    pub reviewer: String,
    /// The batch in which they had it.
    pub batch_id: Option<i64>,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// JSON object.
    pub answers: String,
}

/// Which codings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which<'a> {
    /// Of this form.
    pub form: Option<&'a str>,
    /// Of this reviewer.
    pub reviewer: Option<&'a str>,
    /// Of this item.
    pub item: Option<ItemNo>,
}

/// Writes answers for items as one transaction; items whose newest coding by this reviewer says the same get no new row. Gives (new, as before).
///
/// # Errors
/// The database's; nothing is changed then.
pub fn answer(conn: &Connection, answered: &Answered<'_>, stamp: Stamp<'_>) -> Result<(u64, u64)> {
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let content = super::indicators::text_hash(answered.form_text);
        conn.prepare_cached("INSERT OR IGNORE INTO coding_form (content, name, text) VALUES (?1, ?2, ?3)")?
            .execute(params![content.as_slice(), answered.form, answered.form_text])?;
        let key = fold(stamp.actor);
        let mut newest = conn.prepare_cached(
            "SELECT answers FROM coding WHERE form = ?1 AND reviewer_key = ?2 AND item_no = ?3 ORDER BY coding_id DESC LIMIT 1",
        )?;
        let mut insert = conn.prepare_cached(
            "INSERT INTO coding (form, content, item_no, reviewer_key, reviewer, batch_id, at_micros, answers)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let (mut new, mut same) = (0, 0);
        for item in answered.items {
            let held: Option<String> = newest
                .query_row(params![answered.form, key, item], |row| row.get(0))
                .optional()?;
            if held.as_deref() == Some(answered.answers) {
                same += 1;
                continue;
            }
            insert.execute(params![
                answered.form,
                content.as_slice(),
                item,
                key,
                stamp.actor,
                answered.batch_id,
                stamp.at_micros,
                answered.answers
            ])?;
            new += 1;
        }
        Ok((new, same))
    })
}

/// The items that a reviewer coded by a form.
///
/// # Errors
/// The database's.
pub fn coded(conn: &Connection, form: &str, reviewer: &str) -> Result<RoaringBitmap> {
    if !has_table(conn, "coding")? {
        return Ok(RoaringBitmap::new());
    }
    let mut statement =
        conn.prepare_cached("SELECT DISTINCT item_no FROM coding WHERE form = ?1 AND reviewer_key = ?2")?;
    let rows = statement.query_map(params![form, fold(reviewer)], |row| row.get::<_, u32>(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All codings asked for, oldest first, those that were replaced too.
///
/// # Errors
/// The database's.
pub fn history(conn: &Connection, which: Which<'_>) -> Result<Vec<Coding>> {
    if !has_table(conn, "coding")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT coding_id, form, item_no, reviewer, batch_id, at_micros, answers FROM coding
         WHERE (?1 IS NULL OR form = ?1) AND (?2 IS NULL OR reviewer_key = ?2) AND (?3 IS NULL OR item_no = ?3)
         ORDER BY coding_id",
    )?;
    let item = which.item.map(|item| item.0);
    let rows = statement.query_map(params![which.form, which.reviewer.map(fold), item], coding_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A coding with what the same reviewer had answered before; empty for nothing.
pub(super) struct Recoded {
    pub(super) coding: Coding,
    pub(super) before: String,
}

/// The newest codings asked for, oldest first, and how many there are in all. Without a limit all of them.
pub(super) fn newest(conn: &Connection, which: Which<'_>, limit: Option<u64>) -> Result<(Vec<Recoded>, u64)> {
    if !has_table(conn, "coding")? {
        return Ok((Vec::new(), 0));
    }
    let (reviewer, item) = (which.reviewer.map(fold), which.item.map(|item| item.0));
    let total = conn
        .prepare_cached(
            "SELECT count(*) FROM coding
             WHERE (?1 IS NULL OR form = ?1) AND (?2 IS NULL OR reviewer_key = ?2) AND (?3 IS NULL OR item_no = ?3)",
        )?
        .query_row(params![which.form, reviewer, item], |row| row.get(0))?;
    let mut statement = conn.prepare_cached(
        "SELECT c.coding_id, c.form, c.item_no, c.reviewer, c.batch_id, c.at_micros, c.answers,
            (SELECT p.answers FROM coding p WHERE p.form = c.form AND p.reviewer_key = c.reviewer_key AND p.item_no = c.item_no
                AND p.coding_id < c.coding_id ORDER BY p.coding_id DESC LIMIT 1)
         FROM coding c
         WHERE (?1 IS NULL OR c.form = ?1) AND (?2 IS NULL OR c.reviewer_key = ?2) AND (?3 IS NULL OR c.item_no = ?3)
         ORDER BY c.coding_id DESC LIMIT ?4",
    )?;
    let most = limit.map_or(-1, super::as_i64);
    let rows = statement.query_map(params![which.form, reviewer, item, most], |row| {
        Ok(Recoded {
            coding: coding_row(row)?,
            before: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
        })
    })?;
    let mut all: Vec<Recoded> = rows.collect::<rusqlite::Result<_>>()?;
    all.reverse();
    Ok((all, super::as_u64(total)))
}

fn coding_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Coding> {
    Ok(Coding {
        coding_id: row.get(0)?,
        form: row.get(1)?,
        item_no: ItemNo(row.get(2)?),
        reviewer: row.get(3)?,
        batch_id: row.get(4)?,
        at_micros: row.get(5)?,
        answers: row.get(6)?,
    })
}

/// The codings that hold, by item, then reviewer: the newest of each form, item and reviewer.
///
/// # Errors
/// The database's.
pub fn present(conn: &Connection, which: Which<'_>) -> Result<Vec<Coding>> {
    let mut held = std::collections::BTreeMap::new();
    for coding in history(conn, which)? {
        held.insert((coding.form.clone(), coding.item_no, fold(&coding.reviewer)), coding);
    }
    Ok(held.into_values().collect())
}
