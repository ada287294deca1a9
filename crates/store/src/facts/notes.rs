//! Notes on items and exhibits. An edit is a new version; nothing is overwritten.
//!
//! Main type: [`Note`]. Invariant: versions are only ever added (triggers); a note that is withdrawn keeps all of them.
//!
//! The tables are made by the first note; a catalogue without them reads as one without notes.

use embley_model::id::ItemNo;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::exhibits::Exhibit;
use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, has_table};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS note (
    note_id INTEGER PRIMARY KEY,
    item_no INTEGER,                    -- one of the two
    exhibit_id INTEGER REFERENCES exhibit (exhibit_id),
    CHECK ((item_no IS NULL) <> (exhibit_id IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS note_by_item ON note (item_no) WHERE item_no IS NOT NULL;
CREATE INDEX IF NOT EXISTS note_by_exhibit ON note (exhibit_id) WHERE exhibit_id IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS note_not_changed BEFORE UPDATE ON note
    BEGIN SELECT RAISE(ABORT, 'a note stays where it was made'); END;
CREATE TRIGGER IF NOT EXISTS note_not_deleted BEFORE DELETE ON note
    BEGIN SELECT RAISE(ABORT, 'a note is withdrawn, never deleted'); END;
CREATE TABLE IF NOT EXISTS note_version (
    note_id INTEGER NOT NULL REFERENCES note (note_id),
    version INTEGER NOT NULL,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    withdrawn INTEGER NOT NULL,         -- 1 when this version withdraws it
    text TEXT NOT NULL,
    PRIMARY KEY (note_id, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS note_version_not_changed BEFORE UPDATE ON note_version
    BEGIN SELECT RAISE(ABORT, 'versions of notes are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS note_version_not_deleted BEFORE DELETE ON note_version
    BEGIN SELECT RAISE(ABORT, 'versions of notes are only ever added'); END;
";

/// Longest text of a note, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// What a note is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On<'e> {
    /// An item.
    Item(ItemNo),
    /// An exhibit.
    Exhibit(&'e Exhibit),
}

/// One version of a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// From 1.
    pub version: u64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// True when it withdraws the note.
    pub withdrawn: bool,
    /// What it says; of a withdrawal, why.
    pub text: String,
}

/// A note with all its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Row id.
    pub note_id: i64,
    /// The item that it is on.
    pub item_no: Option<ItemNo>,
    /// The row id of the exhibit that it is on.
    #[serde(skip)]
    pub exhibit_id: Option<i64>,
    /// All versions, oldest first; there is at least one.
    pub versions: Vec<Version>,
}

impl Note {
    /// What holds now.
    pub fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }
}

/// Makes a note and gives its number.
///
/// # Errors
/// The text is empty or too long, or the database's; nothing is changed then.
pub fn add(conn: &Connection, on: On<'_>, text: &str, stamp: Stamp<'_>) -> Result<i64> {
    let text = checked(text)?;
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let (item, exhibit) = match on {
            On::Item(item) => (Some(item.0), None),
            On::Exhibit(exhibit) => (None, Some(exhibit.exhibit_id)),
        };
        conn.prepare_cached("INSERT INTO note (item_no, exhibit_id) VALUES (?1, ?2)")?
            .execute(params![item, exhibit])?;
        let note_id = conn.last_insert_rowid();
        write(conn, note_id, 1, false, text, stamp)?;
        Ok(note_id)
    })
}

/// Gives a note a new text; false when it says that already.
///
/// # Errors
/// There is no such note, it was withdrawn, the text cannot be one, or the database's; nothing is changed then.
pub fn edit(conn: &Connection, note_id: i64, text: &str, stamp: Stamp<'_>) -> Result<bool> {
    let text = checked(text)?;
    atomically(conn, |conn| {
        let newest = standing(conn, note_id)?;
        if newest.text == text {
            return Ok(false);
        }
        write(conn, note_id, newest.version + 1, false, text, stamp)?;
        Ok(true)
    })
}

/// Withdraws a note; its versions stay.
///
/// # Errors
/// There is no such note, or it was withdrawn before.
pub fn withdraw(conn: &Connection, note_id: i64, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    atomically(conn, |conn| {
        let newest = standing(conn, note_id)?;
        write(conn, note_id, newest.version + 1, true, reason.trim(), stamp)
    })
}

fn checked(text: &str) -> Result<&str> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return Err(FactsError::not_allowed(
            format!("a note has a text of at most {MAX_BYTES} bytes"),
            None,
        ));
    }
    Ok(text)
}

fn write(conn: &Connection, note_id: i64, version: u64, withdrawn: bool, text: &str, stamp: Stamp<'_>) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO note_version (note_id, version, at_micros, actor, withdrawn, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![note_id, as_i64(version), stamp.at_micros, stamp.actor, withdrawn, text])?;
    Ok(())
}

/// The newest version of a note that stands.
fn standing(conn: &Connection, note_id: i64) -> Result<Version> {
    let missing = || FactsError::NotFound {
        what: "note",
        name: note_id.to_string(),
    };
    if !has_table(conn, "note")? {
        return Err(missing());
    }
    let newest = conn
        .prepare_cached(
            "SELECT version, at_micros, actor, withdrawn, text FROM note_version WHERE note_id = ?1 ORDER BY version DESC LIMIT 1",
        )?
        .query_row([note_id], version_row)
        .optional()?
        .ok_or_else(missing)?;
    if newest.withdrawn {
        return Err(FactsError::not_allowed(
            format!("note {note_id} was withdrawn by {}", newest.actor),
            Some("make a new note"),
        ));
    }
    Ok(newest)
}

fn version_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        version: as_u64(row.get(0)?),
        at_micros: row.get(1)?,
        actor: row.get(2)?,
        withdrawn: row.get(3)?,
        text: row.get(4)?,
    })
}

/// All notes with their versions, in the order in which they were made.
///
/// # Errors
/// The database's.
pub fn all(conn: &Connection) -> Result<Vec<Note>> {
    read(conn, "WHERE ?1", &true)
}

fn read(conn: &Connection, condition: &str, parameter: &dyn rusqlite::ToSql) -> Result<Vec<Note>> {
    if !has_table(conn, "note")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(&format!(
        "SELECT v.version, v.at_micros, v.actor, v.withdrawn, v.text, n.note_id, n.item_no, n.exhibit_id
         FROM note n JOIN note_version v ON v.note_id = n.note_id {condition} ORDER BY n.note_id, v.version"
    ))?;
    let mut rows = statement.query([parameter])?;
    let mut notes: Vec<Note> = Vec::new();
    while let Some(row) = rows.next()? {
        let note_id: i64 = row.get(5)?;
        if notes.last().is_none_or(|last| last.note_id != note_id) {
            notes.push(Note {
                note_id,
                item_no: row.get::<_, Option<u32>>(6)?.map(ItemNo),
                exhibit_id: row.get(7)?,
                versions: Vec::new(),
            });
        }
        if let Some(note) = notes.last_mut() {
            note.versions.push(version_row(row)?);
        }
    }
    Ok(notes)
}

/// The notes on an item or exhibit, withdrawn ones too.
///
/// # Errors
/// The database's.
pub fn of(conn: &Connection, on: On<'_>) -> Result<Vec<Note>> {
    match on {
        On::Item(item) => read(conn, "WHERE n.item_no = ?1", &item.0),
        On::Exhibit(exhibit) => read(conn, "WHERE n.exhibit_id = ?1", &exhibit.exhibit_id),
    }
}
