//! Continuity of an exhibit: who had it, when, under which seal, with which hash. Entries are added, never changed (DOMAIN 5).
//!
//! What was entered wrongly is corrected by a new entry that names the one it corrects; both stay. Not for: saying what does not fit together
//! ([`super::custody`]). Main type: [`Entry`]. Invariant: triggers refuse to change or delete an entry; an entry is corrected at most once, so
//! that corrections make a chain and not a tree.
//!
//! The table is made by the first entry; a register without it reads as one without entries.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::exhibits::Exhibit;
use super::{FactsError, Result, Stamp, atomically, has_table};
use crate::error::StoreError;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS continuity_entry (
    entry_id INTEGER PRIMARY KEY,
    exhibit_id INTEGER NOT NULL REFERENCES exhibit (exhibit_id),
    action INTEGER NOT NULL,            -- Handling::code
    at TEXT NOT NULL,                   -- as said: RFC 3339 or a day
    at_utc_micros INTEGER NOT NULL,     -- of a day: when it begins in the zone of the case
    until TEXT NOT NULL,                -- the last moment that it speaks for; empty: until the next entry
    until_utc_micros INTEGER,
    by_whom TEXT NOT NULL,              -- who did it
    from_whom TEXT NOT NULL,            -- who handed it over; empty when it was not said
    to_whom TEXT NOT NULL,              -- who has it afterwards; empty: who did it
    place TEXT NOT NULL,
    seal_before TEXT NOT NULL,
    seal_after TEXT NOT NULL,
    hash_before TEXT NOT NULL,          -- hexadecimal
    hash_after TEXT NOT NULL,
    note TEXT NOT NULL,
    corrects INTEGER UNIQUE REFERENCES continuity_entry (entry_id),
    recorded_at_micros INTEGER NOT NULL,
    recorded_by TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS continuity_by_exhibit ON continuity_entry (exhibit_id, at_utc_micros);
CREATE TRIGGER IF NOT EXISTS continuity_not_changed BEFORE UPDATE ON continuity_entry
    BEGIN SELECT RAISE(ABORT, 'entries of continuity are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS continuity_not_deleted BEFORE DELETE ON continuity_entry
    BEGIN SELECT RAISE(ABORT, 'entries of continuity are only ever added'); END;
";

/// Longest text of one field, in bytes.
const MAX_BYTES: usize = 4_000;

/// What was done with an exhibit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// Taken by a power, from a person or place.
    Seized,
    /// Taken over from somebody.
    Received,
    /// A copy was made of it.
    Copied,
    /// Somebody looked into it.
    Examined,
    /// Put where it is kept.
    Stored,
    /// Handed to somebody.
    Transferred,
    /// Given back: it is held no more.
    Returned,
    /// It is no more.
    Destroyed,
    /// Only of a correction: the entry that it names should not be there.
    Withdrawn,
}

impl Handling {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Seized,
        Self::Received,
        Self::Copied,
        Self::Examined,
        Self::Stored,
        Self::Transferred,
        Self::Returned,
        Self::Destroyed,
        Self::Withdrawn,
    ];

    /// Stable number, from 1.
    pub fn code(self) -> u8 {
        Self::ALL
            .iter()
            .position(|one| *one == self)
            .map_or(0, |at| at as u8 + 1)
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seized => "seized",
            Self::Received => "received",
            Self::Copied => "copied",
            Self::Examined => "examined",
            Self::Stored => "stored",
            Self::Transferred => "transferred",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The inverse of [`Handling::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// A moment as it was said, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// RFC 3339, or a day.
    pub said: String,
    /// Microseconds since 1970; of a day when it begins in the zone of the case.
    pub utc_micros: i64,
}

impl Moment {
    /// True when only a day was said.
    pub fn is_day(&self) -> bool {
        is_day(&self.said)
    }
}

fn is_day(said: &str) -> bool {
    !said.contains(['T', 't', ' ', ':'])
}

/// An entry to be added; texts that were not said are empty.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// What was done.
    pub handling: Handling,
    /// When, or since when.
    pub at: &'a Moment,
    /// Until when it speaks for the exhibit; `None`: until the next entry.
    pub until: Option<&'a Moment>,
    /// Who did it.
    pub by: &'a str,
    /// Who handed it over.
    pub from: &'a str,
    /// Who has it afterwards, where that is another one.
    pub to: &'a str,
    /// Where.
    pub place: &'a str,
    /// Seal that was found.
    pub seal_before: &'a str,
    /// Seal that was put on.
    pub seal_after: &'a str,
    /// Hash that was found, hexadecimal.
    pub hash_before: &'a str,
    /// Hash afterwards, hexadecimal.
    pub hash_after: &'a str,
    /// Anything else.
    pub note: &'a str,
    /// The entry that it corrects.
    pub corrects: Option<i64>,
}

/// An entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Row id, increasing in the order of entering.
    pub entry_id: i64,
    /// What was done.
    #[serde(rename = "action")]
    pub handling: Handling,
    /// When, or since when.
    pub at: Moment,
    /// Until when it speaks for the exhibit.
    pub until: Option<Moment>,
    /// Who did it.
    pub by: String,
    /// Who handed it over.
    pub from: String,
    /// Who has it afterwards; empty: who did it.
    pub to: String,
    /// Where.
    pub place: String,
    /// Seal that was found.
    pub seal_before: String,
    /// Seal that was put on.
    pub seal_after: String,
    /// Hash that was found.
    pub hash_before: String,
    /// Hash afterwards.
    pub hash_after: String,
    /// Anything else.
    pub note: String,
    /// The entry that it corrects.
    pub corrects: Option<i64>,
    /// The entry that corrects it: this one counts no more.
    pub corrected_by: Option<i64>,
    /// When it was entered, microseconds since 1970.
    pub recorded_at_micros: i64,
    /// Who entered it.
    pub recorded_by: String,
}

impl Entry {
    /// True when it says something about custody: it is not corrected, and no withdrawal.
    pub fn counts(&self) -> bool {
        self.corrected_by.is_none() && self.handling != Handling::Withdrawn
    }

    /// Who has the exhibit after it.
    pub fn holder(&self) -> &str {
        if self.to.is_empty() { &self.by } else { &self.to }
    }
}

/// Adds an entry and gives its number.
///
/// # Errors
/// The entry does not make sense by itself, or names an entry to correct that is of another exhibit, is not there or was corrected before;
/// or the database's. Nothing is changed then.
pub fn add(conn: &Connection, exhibit: &Exhibit, new: &NewEntry<'_>, stamp: Stamp<'_>) -> Result<i64> {
    check(new)?;
    let hash_before = hash_of(new.hash_before)?;
    let hash_after = hash_of(new.hash_after)?;
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        if let Some(corrected) = new.corrects {
            may_correct(conn, exhibit, corrected)?;
        }
        conn.prepare_cached(
            "INSERT INTO continuity_entry (exhibit_id, action, at, at_utc_micros, until, until_utc_micros, by_whom, from_whom, to_whom,
                place, seal_before, seal_after, hash_before, hash_after, note, corrects, recorded_at_micros, recorded_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            exhibit.exhibit_id,
            new.handling.code(),
            new.at.said,
            new.at.utc_micros,
            new.until.map_or("", |until| until.said.as_str()),
            new.until.map(|until| until.utc_micros),
            new.by.trim(),
            new.from.trim(),
            new.to.trim(),
            new.place.trim(),
            new.seal_before.trim(),
            new.seal_after.trim(),
            hash_before,
            hash_after,
            new.note.trim(),
            new.corrects,
            stamp.at_micros,
            stamp.actor
        ])?;
        Ok(conn.last_insert_rowid())
    })
}

fn check(new: &NewEntry<'_>) -> Result<()> {
    let refused = |detail: String| Err(FactsError::not_allowed(detail, None));
    if new.handling == Handling::Withdrawn && new.corrects.is_none() {
        return refused("an entry is withdrawn by a correction that names it".to_owned());
    }
    if new.handling != Handling::Withdrawn && new.by.trim().is_empty() {
        return refused(format!("nobody is said to have {} it", new.handling.word()));
    }
    if let Some(until) = new.until
        && until.utc_micros < new.at.utc_micros
    {
        return refused(format!("it ends ({}) before it begins ({})", until.said, new.at.said));
    }
    let texts = [
        new.by,
        new.from,
        new.to,
        new.place,
        new.seal_before,
        new.seal_after,
        new.note,
    ];
    if texts.iter().any(|text| text.len() > MAX_BYTES) {
        return refused(format!("a text of the entry has more than {MAX_BYTES} bytes"));
    }
    Ok(())
}

/// A hash as it is compared: hexadecimal, small letters. MD5, SHA-1 and SHA-256 are told by their length.
fn hash_of(text: &str) -> Result<String> {
    let hex = text.trim().to_ascii_lowercase();
    let known = [0, 32, 40, 64].contains(&hex.len());
    if known && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hex);
    }
    Err(FactsError::not_allowed(
        format!("\"{text}\" is no hash: 64 hexadecimal digits (SHA-256), 40 (SHA-1) or 32 (MD5)"),
        None,
    ))
}

fn may_correct(conn: &Connection, exhibit: &Exhibit, corrected: i64) -> Result<()> {
    let held = of(conn, exhibit)?;
    let Some(entry) = held.iter().find(|entry| entry.entry_id == corrected) else {
        return Err(FactsError::NotFound {
            what: "entry of continuity",
            name: format!("{corrected} of exhibit {}", exhibit.reference),
        });
    };
    match entry.corrected_by {
        None => Ok(()),
        Some(by) => Err(FactsError::not_allowed(
            format!("entry {corrected} was corrected before, by entry {by}"),
            Some("correct the newer entry; both stay on record"),
        )),
    }
}

/// The entries of an exhibit in the order of their times, then of entering; corrected ones too.
///
/// # Errors
/// The database's, or a row is damaged.
pub fn of(conn: &Connection, exhibit: &Exhibit) -> Result<Vec<Entry>> {
    if !has_table(conn, "continuity_entry")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT e.entry_id, e.action, e.at, e.at_utc_micros, e.until, e.until_utc_micros, e.by_whom, e.from_whom, e.to_whom, e.place,
            e.seal_before, e.seal_after, e.hash_before, e.hash_after, e.note, e.corrects, c.entry_id, e.recorded_at_micros, e.recorded_by
         FROM continuity_entry e LEFT JOIN continuity_entry c ON c.corrects = e.entry_id
         WHERE e.exhibit_id = ?1 ORDER BY e.at_utc_micros, e.entry_id",
    )?;
    let mut rows = statement.query([exhibit.exhibit_id])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let entry_id: i64 = row.get(0)?;
        let code: u8 = row.get(1)?;
        let handling = Handling::from_code(code).ok_or_else(|| {
            StoreError::damaged(
                "table continuity_entry",
                format!("entry {entry_id}"),
                format!("action {code} is not known"),
            )
        })?;
        let until: Option<i64> = row.get(5)?;
        let until_said: String = row.get(4)?;
        entries.push(Entry {
            entry_id,
            handling,
            at: Moment {
                said: row.get(2)?,
                utc_micros: row.get(3)?,
            },
            until: until.map(|utc_micros| Moment {
                said: until_said,
                utc_micros,
            }),
            by: row.get(6)?,
            from: row.get(7)?,
            to: row.get(8)?,
            place: row.get(9)?,
            seal_before: row.get(10)?,
            seal_after: row.get(11)?,
            hash_before: row.get(12)?,
            hash_after: row.get(13)?,
            note: row.get(14)?,
            corrects: row.get(15)?,
            corrected_by: row.get(16)?,
            recorded_at_micros: row.get(17)?,
            recorded_by: row.get(18)?,
        });
    }
    Ok(entries)
}
