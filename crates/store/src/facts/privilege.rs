//! Marks for material that may be legally privileged: named sets of items, such as `legal`.
//!
//! A mark is a fact beside the item and nothing more: who may see what is marked is not decided here.

use roaring::RoaringBitmap;
use rusqlite::Connection;

use super::sets::{self, Action, Change, SetKind, SetRow};
use super::{FactsError, Result, Stamp, atomically};

/// What messages call such a set.
const WHAT: &str = "privilege mark";

/// Marks items as one event; the mark is made when it is new.
///
/// # Errors
/// The name cannot be one, or the database's; nothing is changed then.
pub fn mark(conn: &Connection, name: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    let name = sets::check_name(name, WHAT)?;
    atomically(conn, |conn| {
        let set_id = sets::ensure(conn, SetKind::Privilege, &sets::key_of(name), name)?;
        sets::change(conn, set_id, Action::Added, items, reason, stamp)
    })
}

/// Takes a mark off items as one event.
///
/// # Errors
/// There is no such mark, or the database's; nothing is changed then.
pub fn unmark(conn: &Connection, name: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    let set_id = find(conn, name)?.set_id;
    sets::change(conn, set_id, Action::Removed, items, reason, stamp)
}

/// Takes a change of a mark back, by its event, as [`sets::undo`].
///
/// # Errors
/// There is no such event of a mark, or nothing is left to take back; nothing is changed then.
pub fn undo(conn: &Connection, event_id: i64, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    atomically(conn, |conn| {
        if sets::kind_of_event(conn, event_id)? != Some(SetKind::Privilege) {
            return Err(FactsError::NotFound {
                what: "event of a mark of privilege",
                name: event_id.to_string(),
            });
        }
        sets::undo(conn, event_id, reason, stamp)
    })
}

/// All marks with their counts, in the order of their names.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<SetRow>> {
    sets::list(conn, SetKind::Privilege)
}

/// One mark.
///
/// # Errors
/// There is no such mark.
pub fn find(conn: &Connection, name: &str) -> Result<SetRow> {
    sets::find_told(conn, SetKind::Privilege, &sets::key_of(name))?.ok_or_else(|| FactsError::NotFound {
        what: WHAT,
        name: format!("\"{}\"", name.trim()),
    })
}
