//! What somebody decided about who is who: rows that are only ever added.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::super::{FactsError, Result, Stamp, atomically, has_table};
use super::person_key;
use crate::error::StoreError;

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS person_event (
    event_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action INTEGER NOT NULL,            -- 1 merged, 2 split off, 3 alias added, 4 alias removed
    person TEXT NOT NULL,               -- the id as typed
    other TEXT NOT NULL,                -- merged: the id that it becomes part of; else empty
    kind TEXT NOT NULL,                 -- alias: smtp, x500, display, initials
    value TEXT NOT NULL,                -- alias: the address or name
    valid_from TEXT NOT NULL,           -- a day or RFC 3339; empty for always
    valid_to TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS person_event_not_changed BEFORE UPDATE ON person_event
    BEGIN SELECT RAISE(ABORT, 'what was said about people is only ever added to'); END;
CREATE TRIGGER IF NOT EXISTS person_event_not_deleted BEFORE DELETE ON person_event
    BEGIN SELECT RAISE(ABORT, 'what was said about people is only ever added to'); END;
";

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A person is part of another one.
    Merged,
    /// An id stands alone again.
    Split,
    /// An address or name belongs to a person.
    AliasAdded,
    /// It does not.
    AliasRemoved,
}

impl Action {
    fn code(self) -> u8 {
        match self {
            Self::Merged => 1,
            Self::Split => 2,
            Self::AliasAdded => 3,
            Self::AliasRemoved => 4,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Merged, Self::Split, Self::AliasAdded, Self::AliasRemoved]
            .into_iter()
            .find(|action| action.code() == code)
    }
}

/// An address or name, and when it is somebody's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alias<'a> {
    /// `smtp`, `x500`, `display` or `initials`.
    pub kind: &'a str,
    /// The address or name.
    pub value: &'a str,
    /// From this day or moment; empty for always.
    pub from: &'a str,
    /// Until this day or moment; empty for always.
    pub to: &'a str,
}

/// A decision about people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonEvent {
    /// Its number.
    pub event_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who decided.
    pub actor: String,
    /// What.
    pub action: Action,
    /// About whom.
    pub person: String,
    /// Merged: of whom it is part.
    pub other: String,
    /// Alias: its kind.
    pub kind: String,
    /// Alias: the address or name.
    pub value: String,
    /// Alias: from when.
    pub valid_from: String,
    /// Alias: until when.
    pub valid_to: String,
    /// Why.
    pub reason: String,
}

/// All decisions, oldest first.
///
/// # Errors
/// The database's.
pub fn events(conn: &Connection) -> Result<Vec<PersonEvent>> {
    if !has_table(conn, "person_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT event_id, at_micros, actor, action, person, other, kind, value, valid_from, valid_to, reason
         FROM person_event ORDER BY event_id",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let event_id = row.get(0)?;
        let action = Action::from_code(row.get(3)?)
            .ok_or_else(|| StoreError::damaged("table person_event", format!("event {event_id}"), "action"))?;
        all.push(PersonEvent {
            event_id,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            action,
            person: row.get(4)?,
            other: row.get(5)?,
            kind: row.get(6)?,
            value: row.get(7)?,
            valid_from: row.get(8)?,
            valid_to: row.get(9)?,
            reason: row.get(10)?,
        });
    }
    Ok(all)
}

fn add(
    conn: &Connection,
    action: Action,
    ids: (&str, &str),
    alias: Alias<'_>,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<()> {
    let refuse = |text: &str, what, detail| {
        Err(FactsError::BadName {
            text: text.to_owned(),
            what,
            detail,
        })
    };
    if person_key(ids.0).is_empty() {
        return refuse(ids.0, "person", "it is empty");
    }
    if action == Action::Merged && person_key(ids.0) == person_key(ids.1) {
        return refuse(ids.0, "person", "it is merged with itself");
    }
    if matches!(action, Action::AliasAdded | Action::AliasRemoved) {
        if !["smtp", "x500", "display", "initials"].contains(&alias.kind) {
            return refuse(alias.kind, "kind of alias", "there are smtp, x500, display, initials");
        }
        if person_key(alias.value).is_empty() {
            return refuse(alias.value, "alias", "it is empty");
        }
        for day in [alias.from, alias.to] {
            if !day.is_empty() && embley_model::record::RecordTime::parse(day).is_none() {
                return refuse(day, "day", "it is neither YYYY-MM-DD nor RFC 3339 with an offset");
            }
        }
        if super::directory::ends_before_it_begins(alias.from, alias.to) {
            return refuse(alias.to, "last day", "it lies before the first day");
        }
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLE)?;
        conn.prepare_cached(
            "INSERT INTO person_event (at_micros, actor, action, person, other, kind, value, valid_from, valid_to, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            stamp.at_micros,
            stamp.actor,
            action.code(),
            ids.0.trim(),
            ids.1.trim(),
            alias.kind,
            alias.value.trim(),
            alias.from,
            alias.to,
            reason
        ])?;
        Ok(())
    })
}

/// Says that `person` is `into`; from then on both are called by `into`.
///
/// # Errors
/// An id is empty or both are one, or the database's; nothing is changed then.
pub fn merge(conn: &Connection, person: &str, into: &str, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    add(conn, Action::Merged, (person, into), Alias::default(), reason, stamp)
}

/// Says that an id stands alone: every merge of or into it made so far is over.
///
/// # Errors
/// As [`merge`].
pub fn split(conn: &Connection, person: &str, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    add(conn, Action::Split, (person, ""), Alias::default(), reason, stamp)
}

/// Says that an address or name is somebody's.
///
/// # Errors
/// As [`merge`], and a kind or day that cannot be read.
pub fn add_alias(conn: &Connection, person: &str, alias: Alias<'_>, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    add(conn, Action::AliasAdded, (person, ""), alias, reason, stamp)
}

/// Says that an address or name is not somebody's, whether a record or an earlier event said so.
///
/// # Errors
/// As [`add_alias`].
pub fn remove_alias(conn: &Connection, person: &str, alias: Alias<'_>, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    add(conn, Action::AliasRemoved, (person, ""), alias, reason, stamp)
}
