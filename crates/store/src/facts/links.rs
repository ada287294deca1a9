//! Links from an exhibit to a case or a decision. The target is its reference as text, so that an exhibit can be
//! linked before the record is imported; a link is ended, never deleted.

use embley_model::record::RecordType;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::cases::case_key;
use super::exhibits::Exhibit;
use super::{FactsError, Result, Stamp, atomically, fold};

/// What an exhibit is linked to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "to", content = "target", rename_all = "kebab-case")]
pub enum Target {
    /// A case, by its reference.
    Case(String),
    /// A decision record: `dec:SYSTEM/ID`, or its id alone.
    Decision(String),
}

impl Target {
    fn code(&self) -> u8 {
        match self {
            Self::Case(_) => 1,
            Self::Decision(_) => 2,
        }
    }

    /// Reads a target as it is typed: a printed id of a decision (`dec:tribune/D-17`), else the reference of a case.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let prefix = format!("{}:", RecordType::Decision.prefix());
        if text.starts_with(&prefix) {
            Self::Decision(text.to_owned())
        } else {
            Self::Case(text.to_owned())
        }
    }

    /// The reference or id as written.
    pub fn text(&self) -> &str {
        match self {
            Self::Case(text) | Self::Decision(text) => text,
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Case(text) => case_key(text),
            Self::Decision(text) => fold(text),
        }
    }

    fn from_row(code: u8, text: String) -> Self {
        if code == 1 {
            Self::Case(text)
        } else {
            Self::Decision(text)
        }
    }
}

/// A link in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The exhibit's row id.
    #[serde(skip)]
    pub exhibit_id: i64,
    /// To what.
    #[serde(flatten)]
    pub target: Target,
    /// Who linked.
    pub actor: String,
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// Why, in their words.
    pub reason: String,
}

/// Links an exhibit; true when the link is new.
///
/// # Errors
/// The target is empty, or the database's.
pub fn add(conn: &Connection, exhibit: &Exhibit, target: &Target, reason: &str, stamp: Stamp<'_>) -> Result<bool> {
    if target.key().is_empty() {
        return Err(FactsError::BadName {
            text: target.text().to_owned(),
            what: "case or decision",
            detail: "it is empty",
        });
    }
    atomically(conn, |conn| {
        if in_force(conn, exhibit, target)?.is_some() {
            return Ok(false);
        }
        conn.prepare_cached(
            "INSERT INTO exhibit_link (exhibit_id, kind, target_key, target, at_micros, actor, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            exhibit.exhibit_id,
            target.code(),
            target.key(),
            target.text().trim(),
            stamp.at_micros,
            stamp.actor,
            reason
        ])?;
        Ok(true)
    })
}

/// Ends a link.
///
/// # Errors
/// There is no such link in force.
pub fn end(conn: &Connection, exhibit: &Exhibit, target: &Target, stamp: Stamp<'_>) -> Result<()> {
    atomically(conn, |conn| {
        let link_id = in_force(conn, exhibit, target)?.ok_or_else(|| FactsError::NotFound {
            what: "link",
            name: format!("from {} to {}", exhibit.reference, target.text()),
        })?;
        conn.execute(
            "UPDATE exhibit_link SET removed_at_micros = ?2, removed_by = ?3 WHERE link_id = ?1",
            params![link_id, stamp.at_micros, stamp.actor],
        )?;
        Ok(())
    })
}

fn in_force(conn: &Connection, exhibit: &Exhibit, target: &Target) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached(
            "SELECT link_id FROM exhibit_link
             WHERE exhibit_id = ?1 AND kind = ?2 AND target_key = ?3 AND removed_at_micros IS NULL",
        )?
        .query_row(params![exhibit.exhibit_id, target.code(), target.key()], |row| {
            row.get(0)
        })
        .optional()?)
}

/// All links in force, in the order in which they were made.
///
/// # Errors
/// The database's.
pub fn all(conn: &Connection) -> Result<Vec<Link>> {
    let mut statement = conn.prepare_cached(
        "SELECT exhibit_id, kind, target, actor, at_micros, reason FROM exhibit_link
         WHERE removed_at_micros IS NULL ORDER BY link_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Link {
            exhibit_id: row.get(0)?,
            target: Target::from_row(row.get(1)?, row.get(2)?),
            actor: row.get(3)?,
            at_micros: row.get(4)?,
            reason: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The links of one exhibit in force, in the order in which they were made.
///
/// # Errors
/// The database's.
pub fn of_exhibit(conn: &Connection, exhibit: &Exhibit) -> Result<Vec<Link>> {
    let mut links = all(conn)?;
    links.retain(|link| link.exhibit_id == exhibit.exhibit_id);
    Ok(links)
}
