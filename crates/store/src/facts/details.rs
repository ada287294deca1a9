//! What the register says of an exhibit beside its producer and description: who found it, who booked it in, where, when.
//!
//! Found by, produced by and booked in by are three different people (DOMAIN 5). Every change, the first saying included, is a row of
//! `exhibit_change` with what was said before, who changed it and when. Not for: custody ([`super::continuity`]).
//!
//! The table is made by the first detail; a register without it reads as one that says none.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Serialize;

use super::exhibits::Exhibit;
use super::{FactsError, Result, Stamp, atomically, has_table};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS exhibit_detail (
    exhibit_id INTEGER NOT NULL REFERENCES exhibit (exhibit_id),
    field TEXT NOT NULL,
    value TEXT NOT NULL,                -- as it is said now; exhibit_change has what was said before
    PRIMARY KEY (exhibit_id, field)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS exhibit_detail_not_deleted BEFORE DELETE ON exhibit_detail
    BEGIN SELECT RAISE(ABORT, 'a detail is said anew, never deleted'); END;
";

/// Longest text of a detail, in bytes.
const MAX_BYTES: usize = 4_000;

/// A detail of an exhibit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Who found it.
    FoundBy,
    /// When it was found: RFC 3339 or a day (checked by the caller).
    FoundOn,
    /// Where it was found.
    FoundAt,
    /// Who booked it in.
    BookedInBy,
    /// When it was booked in: RFC 3339 or a day (checked by the caller).
    BookedInOn,
    /// Where it is kept, as booked in.
    KeptAt,
    /// What it is made of: one thing or many, in words.
    Quantity,
}

impl Detail {
    /// All details, in the order of labels.
    pub const ALL: [Self; 7] = [
        Self::FoundBy,
        Self::FoundOn,
        Self::FoundAt,
        Self::BookedInBy,
        Self::BookedInOn,
        Self::KeptAt,
        Self::Quantity,
    ];

    /// The name in JSON and in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::FoundBy => "found_by",
            Self::FoundOn => "found_on",
            Self::FoundAt => "found_at",
            Self::BookedInBy => "booked_in_by",
            Self::BookedInOn => "booked_in_on",
            Self::KeptAt => "kept_at",
            Self::Quantity => "quantity",
        }
    }

    /// The words on labels.
    pub fn words(self) -> &'static str {
        match self {
            Self::FoundBy => "Found by",
            Self::FoundOn => "Found on",
            Self::FoundAt => "Found at",
            Self::BookedInBy => "Booked in by",
            Self::BookedInOn => "Booked in on",
            Self::KeptAt => "Kept at",
            Self::Quantity => "Quantity",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Says details of an exhibit; those that are not named stay. Gives how many are said anew.
///
/// # Errors
/// A text is too long, or the database's; nothing is changed then.
pub fn say(conn: &Connection, exhibit: &Exhibit, said: &[(Detail, &str)], stamp: Stamp<'_>) -> Result<u64> {
    if said.is_empty() {
        return Ok(0);
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let held = of(conn, exhibit)?;
        let mut changed = 0;
        for (detail, text) in said {
            let text = text.trim();
            if text.len() > MAX_BYTES {
                return Err(FactsError::not_allowed(
                    format!(
                        "{} has {} bytes; a detail has at most {MAX_BYTES}",
                        detail.words(),
                        text.len()
                    ),
                    Some("a longer text belongs into a note on the exhibit"),
                ));
            }
            let before = held.get(detail).map_or("", String::as_str);
            if before == text {
                continue;
            }
            changed += 1;
            conn.prepare_cached(
                "INSERT INTO exhibit_change (exhibit_id, at_micros, actor, field, before, after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                exhibit.exhibit_id,
                stamp.at_micros,
                stamp.actor,
                detail.name(),
                before,
                text
            ])?;
            conn.prepare_cached(
                "INSERT INTO exhibit_detail (exhibit_id, field, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (exhibit_id, field) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![exhibit.exhibit_id, detail.name(), text])?;
        }
        Ok(changed)
    })
}

/// What is said of an exhibit now; empty texts left out.
///
/// # Errors
/// The database's.
pub fn of(conn: &Connection, exhibit: &Exhibit) -> Result<BTreeMap<Detail, String>> {
    if !has_table(conn, "exhibit_detail")? {
        return Ok(BTreeMap::new());
    }
    let mut statement = conn.prepare_cached("SELECT field, value FROM exhibit_detail WHERE exhibit_id = ?1")?;
    let rows = statement.query_map([exhibit.exhibit_id], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut all = BTreeMap::new();
    for row in rows {
        let (name, value) = row?;
        if let Some(detail) = Detail::from_name(&name).filter(|_| !value.is_empty()) {
            all.insert(detail, value);
        }
    }
    Ok(all)
}
