//! Issued disclosure schedules (MG6C, MG6D, MG6E, MG12): what was handed over, as it was handed over.
//!
//! A schedule that was issued never changes: its whole content is one row with its SHA-256. Entries of an MG6C and of an MG6D are numbered
//! from 1 and on over all later schedules of the same form, for ever; a number is never given twice, an item is listed once a form.
//! Not for: what goes on a schedule. Invariant: rows are only ever added (triggers refuse to change or delete them).
//!
//! The tables are made by the first issue.

use embley_model::id::{ItemNo, hex_encode};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, has_table};
use crate::error::StoreError;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS schedule (
    schedule_id INTEGER PRIMARY KEY,
    form TEXT NOT NULL,                 -- mg6c, mg6d, mg6e, mg12
    serial INTEGER NOT NULL,            -- from 1, within the form
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    first_no INTEGER NOT NULL,          -- the first number that it gave or would have given
    entry_count INTEGER NOT NULL,
    body BLOB NOT NULL,                 -- the whole schedule, JSON
    sha256 TEXT NOT NULL,               -- of body
    UNIQUE (form, serial)
) STRICT;
CREATE TRIGGER IF NOT EXISTS schedule_not_changed BEFORE UPDATE ON schedule
    BEGIN SELECT RAISE(ABORT, 'an issued schedule never changes'); END;
CREATE TRIGGER IF NOT EXISTS schedule_not_deleted BEFORE DELETE ON schedule
    BEGIN SELECT RAISE(ABORT, 'an issued schedule never changes'); END;
CREATE TABLE IF NOT EXISTS schedule_entry (
    form TEXT NOT NULL,
    entry_no INTEGER NOT NULL,
    item_no INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (form, entry_no),
    UNIQUE (form, item_no)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS schedule_entry_not_changed BEFORE UPDATE ON schedule_entry
    BEGIN SELECT RAISE(ABORT, 'an issued schedule never changes'); END;
CREATE TRIGGER IF NOT EXISTS schedule_entry_not_deleted BEFORE DELETE ON schedule_entry
    BEGIN SELECT RAISE(ABORT, 'an issued schedule never changes'); END;
";

/// A form of schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Non-sensitive unused material.
    Mg6c,
    /// Sensitive unused material; never to the defence.
    Mg6d,
    /// The disclosure officer's report.
    Mg6e,
    /// The exhibit list.
    Mg12,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Mg6c, Self::Mg6d, Self::Mg6e, Self::Mg12];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mg6c => "mg6c",
            Self::Mg6d => "mg6d",
            Self::Mg6e => "mg6e",
            Self::Mg12 => "mg12",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.word() == word)
    }
}

/// Which numbers come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Of the schedule, within its form.
    pub serial: u64,
    /// Of its first entry.
    pub entry_no: u64,
}

/// A schedule to be issued.
#[derive(Clone, Copy, Debug)]
pub struct ToIssue<'a> {
    /// The form.
    pub form: Form,
    /// The numbers that its content was made with.
    pub next: Next,
    /// The items that it lists, in the order of their numbers.
    pub items: &'a [ItemNo],
    /// The whole content, JSON.
    pub body: &'a [u8],
}

/// An issued schedule without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// The form.
    pub form: Form,
    /// Its number within the form, from 1.
    pub serial: u64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who issued it.
    pub actor: String,
    /// The number of its first entry.
    pub first_no: u64,
    /// How many entries it has.
    pub entries: u64,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// The numbers that the next schedule of a form has.
///
/// # Errors
/// The database's.
pub fn next(conn: &Connection, form: Form) -> Result<Next> {
    if !has_table(conn, "schedule")? {
        return Ok(Next { serial: 1, entry_no: 1 });
    }
    let last = |sql: &str| -> Result<u64> {
        let last: Option<i64> = conn
            .prepare_cached(sql)?
            .query_row([form.word()], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(last.map_or(0, as_u64))
    };
    Ok(Next {
        // The tables themselves: a number that is taken by what a reader does not see is taken.
        serial: last("SELECT max(serial) FROM main.schedule WHERE form = ?1")? + 1,
        entry_no: last("SELECT max(entry_no) FROM main.schedule_entry WHERE form = ?1")? + 1,
    })
}

/// Puts a schedule on record for ever.
///
/// # Errors
/// Another one was issued since its numbers were taken, an item was listed before, or the database's; nothing is changed then.
pub fn issue(conn: &Connection, schedule: &ToIssue<'_>, stamp: Stamp<'_>) -> Result<Issued> {
    let ToIssue {
        form,
        next: taken,
        items,
        body,
    } = *schedule;
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        if next(conn, form)? != taken {
            return Err(FactsError::Overtaken { form: form.word() });
        }
        let issued = Issued {
            form,
            serial: taken.serial,
            at_micros: stamp.at_micros,
            actor: stamp.actor.to_owned(),
            first_no: taken.entry_no,
            entries: items.len() as u64,
            sha256: hex_encode(&Sha256::digest(body)),
        };
        conn.prepare_cached(
            "INSERT INTO schedule (form, serial, at_micros, actor, first_no, entry_count, body, sha256)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            form.word(),
            as_i64(issued.serial),
            issued.at_micros,
            issued.actor,
            as_i64(issued.first_no),
            as_i64(issued.entries),
            body,
            issued.sha256
        ])?;
        let mut insert = conn
            .prepare_cached("INSERT INTO schedule_entry (form, entry_no, item_no, serial) VALUES (?1, ?2, ?3, ?4)")?;
        for (number, item) in (taken.entry_no..).zip(items) {
            insert.execute(params![form.word(), as_i64(number), item.0, as_i64(issued.serial)])?;
        }
        Ok(issued)
    })
}

/// All issued schedules, by form and serial.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Issued>> {
    if !has_table(conn, "schedule")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT form, serial, at_micros, actor, first_no, entry_count, sha256 FROM schedule ORDER BY form, serial",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        let form = Form::from_word(&word).ok_or_else(|| {
            StoreError::damaged("the schedules", "table schedule".to_owned(), format!("form \"{word}\""))
        })?;
        all.push(Issued {
            form,
            serial: as_u64(row.get(1)?),
            at_micros: row.get(2)?,
            actor: row.get(3)?,
            first_no: as_u64(row.get(4)?),
            entries: as_u64(row.get(5)?),
            sha256: row.get(6)?,
        });
    }
    Ok(all)
}

/// The content of an issued schedule, checked against its hash. A reader that does not see everything gets it without the rows of what is
/// hidden from it (`catalogue::sight`): the hash is that of the whole.
///
/// # Errors
/// There is no such schedule, or its bytes are not those that were issued.
pub fn body(conn: &Connection, form: Form, serial: u64) -> Result<Vec<u8>> {
    let missing = || FactsError::NotFound {
        what: "issued schedule",
        name: format!("{} {serial}", form.word()),
    };
    if !has_table(conn, "schedule")? {
        return Err(missing());
    }
    let found: Option<(Vec<u8>, String)> = conn
        .prepare_cached("SELECT body, sha256 FROM main.schedule WHERE form = ?1 AND serial = ?2")?
        .query_row(params![form.word(), as_i64(serial)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (bytes, sha256) = found.ok_or_else(missing)?;
    if hex_encode(&Sha256::digest(&bytes)) != sha256 {
        return Err(StoreError::damaged(
            "the schedules",
            format!("{} {serial}", form.word()),
            "its bytes are not those that were issued".to_owned(),
        )
        .into());
    }
    let seen = conn
        .prepare_cached("SELECT body FROM schedule WHERE form = ?1 AND serial = ?2")?
        .query_row(params![form.word(), as_i64(serial)], |row| row.get(0))?;
    Ok(seen)
}

/// The items on all issued schedules of a form, with their numbers, in the order of the numbers.
///
/// # Errors
/// The database's.
pub fn listed(conn: &Connection, form: Form) -> Result<Vec<(u64, ItemNo)>> {
    if !has_table(conn, "schedule_entry")? {
        return Ok(Vec::new());
    }
    let mut statement =
        conn.prepare_cached("SELECT entry_no, item_no FROM schedule_entry WHERE form = ?1 ORDER BY entry_no")?;
    let rows = statement.query_map([form.word()], |row| Ok((as_u64(row.get(0)?), ItemNo(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The items on all issued schedules of a form.
///
/// # Errors
/// The database's.
pub fn listed_items(conn: &Connection, form: Form) -> Result<RoaringBitmap> {
    Ok(listed(conn, form)?.into_iter().map(|(_, item)| item.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_over_later_schedules_and_nothing_issued_changes() {
        let conn = Connection::open_in_memory().expect("a database");
        super::super::create_tables(&conn).expect("tables");
        let stamp = Stamp {
            actor: "officer",
            at_micros: 1,
        };
        let give = |form, items: &[u32]| {
            let items: Vec<ItemNo> = items.iter().copied().map(ItemNo).collect();
            let schedule = ToIssue {
                form,
                next: next(&conn, form).expect("numbers"),
                items: &items,
                body: b"{}",
            };
            issue(&conn, &schedule, stamp)
        };
        assert!(list(&conn).expect("none").is_empty());
        let stale = next(&conn, Form::Mg6c).expect("numbers");
        assert_eq!(give(Form::Mg6c, &[7, 3]).expect("issued").first_no, 1);
        assert_eq!(give(Form::Mg6d, &[4]).expect("issued").first_no, 1);
        assert_eq!(give(Form::Mg6d, &[]).expect("nil").entries, 0);
        let second = give(Form::Mg6c, &[9]).expect("issued");
        assert_eq!((second.serial, second.first_no), (2, 3));
        assert!(give(Form::Mg6c, &[3]).is_err(), "an item is listed once");
        let late = ToIssue {
            form: Form::Mg6c,
            next: stale,
            items: &[],
            body: b"{}",
        };
        assert!(issue(&conn, &late, stamp).is_err(), "numbers are never given twice");
        let numbers = [(1, ItemNo(7)), (2, ItemNo(3)), (3, ItemNo(9))];
        assert_eq!(listed(&conn, Form::Mg6c).expect("entries"), numbers);
        assert_eq!(list(&conn).expect("schedules").len(), 4);
        for sql in [
            "UPDATE schedule SET body = x'00'",
            "DELETE FROM schedule",
            "UPDATE schedule_entry SET item_no = 1",
            "DELETE FROM schedule_entry",
        ] {
            assert!(conn.execute(sql, []).is_err(), "{sql}");
        }
        assert_eq!(body(&conn, Form::Mg6c, 1).expect("the body"), b"{}");
        assert!(body(&conn, Form::Mg12, 1).is_err());
    }
}
