//! Tags on items: a name, compared without case, and the set of items that carry it.

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::sets::{self, Action, Change, SetKind, SetRow};
use super::{FactsError, Result, Stamp, atomically};

/// Puts a tag on items as one event; the tag is made when it is new.
///
/// # Errors
/// The name cannot be one, or the database's; nothing is changed then.
pub fn add(conn: &Connection, name: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    let name = sets::check_name(name, "tag")?;
    atomically(conn, |conn| {
        let set_id = sets::ensure(conn, SetKind::Tag, &sets::key_of(name), name)?;
        sets::change(conn, set_id, Action::Added, items, reason, stamp)
    })
}

/// Takes a tag off items as one event.
///
/// # Errors
/// There is no such tag, or the database's; nothing is changed then.
pub fn remove(conn: &Connection, name: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    let set_id = find(conn, name)?.set_id;
    sets::change(conn, set_id, Action::Removed, items, reason, stamp)
}

/// All tags with their counts, in the order of their names.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<SetRow>> {
    sets::list(conn, SetKind::Tag)
}

/// One tag.
///
/// # Errors
/// There is no such tag.
pub fn find(conn: &Connection, name: &str) -> Result<SetRow> {
    sets::find(conn, SetKind::Tag, &sets::key_of(name))?.ok_or_else(|| FactsError::NotFound {
        what: "tag",
        name: format!("\"{}\"", name.trim()),
    })
}

/// The items that carry a tag; `None` when there is no such tag.
///
/// # Errors
/// The database's.
pub fn items(conn: &Connection, name: &str) -> Result<Option<RoaringBitmap>> {
    match sets::find(conn, SetKind::Tag, &sets::key_of(name))? {
        Some(row) => Ok(Some(sets::members(conn, row.set_id)?)),
        None => Ok(None),
    }
}
