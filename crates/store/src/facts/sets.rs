//! Named sets of items and their events. A change of any size is one event row and one new compacted bitmap.
//!
//! Undo puts back what an event changed, save the items that a later event changed again: those are counted as
//! `held_back`, never overwritten. An undo is an event itself and can be undone.

use embley_model::id::ItemNo;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{
    FactsError, Result, Stamp, as_i64, as_u64, atomically, bitmap_bytes, fold, is_hidden, is_limited, pass,
    read_bitmap, seen_len,
};

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 120;

/// What a set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetKind {
    /// The items with a tag.
    Tag,
    /// The items of an exhibit.
    Exhibit,
    /// The items with a mark of privilege.
    Privilege,
    /// The items in a state of review; an item is in one state at most.
    Review,
}

impl SetKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Tag, Self::Exhibit, Self::Privilege, Self::Review];

    /// Stable number.
    pub fn code(self) -> u8 {
        match self {
            Self::Tag => 1,
            Self::Exhibit => 2,
            Self::Privilege => 3,
            Self::Review => 4,
        }
    }

    /// The inverse of [`SetKind::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Items came in.
    Added,
    /// Items went out.
    Removed,
}

impl Action {
    fn code(self) -> u8 {
        match self {
            Self::Added => 1,
            Self::Removed => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Self {
        if code == 1 { Self::Added } else { Self::Removed }
    }

    fn reverse(self) -> Self {
        match self {
            Self::Added => Self::Removed,
            Self::Removed => Self::Added,
        }
    }
}

/// A set without its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetRow {
    /// Row id.
    pub set_id: i64,
    /// The name as first written.
    pub name: String,
    /// Changes so far.
    pub version: u64,
    /// Present members.
    pub count: u64,
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The event, or none when nothing had to change.
    pub event: Option<i64>,
    /// Items added or removed.
    pub changed: u64,
    /// Items that were so already.
    pub as_before: u64,
    /// Items that an undo left alone because a later event had changed them.
    pub held_back: u64,
    /// Members afterwards.
    pub members: u64,
}

/// An event of a set, without its bitmap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// Row id, increasing over all sets.
    pub event_id: i64,
    /// What it did.
    pub action: Action,
    /// Who.
    pub actor: String,
    /// Microseconds since 1970.
    pub at_micros: i64,
    /// The event that it took back.
    pub undoes: Option<i64>,
    /// The query, the file of ids, or a note.
    pub reason: String,
    /// Items changed.
    pub count: u64,
}

/// Finds a set by its key.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, kind: SetKind, key: &str) -> Result<Option<SetRow>> {
    Ok(conn
        .prepare_cached("SELECT set_id, name, version, member_count FROM fact_set WHERE kind = ?1 AND key = ?2")?
        .query_row(params![kind.code(), key], set_row)
        .optional()?)
}

/// The same, but one that holds nothing but what whoever holds the connection may not be told of is not there.
pub(super) fn find_told(conn: &Connection, kind: SetKind, key: &str) -> Result<Option<SetRow>> {
    let found = find(conn, kind, key)?;
    match &found {
        Some(row) if row.count > 0 && is_limited(conn)? && is_hidden(conn, &members(conn, row.set_id)?)? => Ok(None),
        Some(_) | None => Ok(found),
    }
}

/// All sets of a kind, in the order of their keys.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection, kind: SetKind) -> Result<Vec<SetRow>> {
    let mut statement =
        conn.prepare_cached("SELECT set_id, name, version, member_count FROM fact_set WHERE kind = ?1 ORDER BY key")?;
    let rows = statement.query_map([kind.code()], set_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn set_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<SetRow> {
    Ok(SetRow {
        set_id: row.get(0)?,
        name: row.get(1)?,
        version: as_u64(row.get(2)?),
        count: as_u64(row.get(3)?),
    })
}

/// Finds a set or makes an empty one; must run inside a transaction of the caller.
pub(super) fn ensure(conn: &Connection, kind: SetKind, key: &str, name: &str) -> Result<i64> {
    if let Some(found) = find(conn, kind, key)? {
        return Ok(found.set_id);
    }
    conn.prepare_cached(
        "INSERT INTO fact_set (kind, key, name, version, member_count, members) VALUES (?1, ?2, ?3, 0, 0, ?4)",
    )?
    .execute(params![kind.code(), key, name, bitmap_bytes(&RoaringBitmap::new())?])?;
    Ok(conn.last_insert_rowid())
}

/// The present members of a set.
///
/// # Errors
/// There is no such set, or its bytes are damaged.
pub fn members(conn: &Connection, set_id: i64) -> Result<RoaringBitmap> {
    Ok(load(conn, set_id)?.1)
}

/// Version and members.
pub(super) fn load(conn: &Connection, set_id: i64) -> Result<(u64, RoaringBitmap)> {
    let found: Option<(i64, Vec<u8>)> = conn
        .prepare_cached("SELECT version, members FROM fact_set WHERE set_id = ?1")?
        .query_row([set_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (version, bytes) = found.ok_or_else(|| FactsError::NotFound {
        what: "set",
        name: set_id.to_string(),
    })?;
    Ok((as_u64(version), read_bitmap(&bytes, || format!("fact_set {set_id}"))?))
}

/// Adds or removes items as one event. Items that are so already are not part of the event; when all are, there
/// is no event.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn change(
    conn: &Connection,
    set_id: i64,
    action: Action,
    items: &RoaringBitmap,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<Change> {
    atomically(conn, |conn| {
        let (version, mut members) = load(conn, set_id)?;
        let delta = match action {
            Action::Added => items - &members,
            Action::Removed => items & &members,
        };
        let as_before = items.len() - delta.len();
        let event = Event {
            action,
            undoes: None,
            reason,
            delta: &delta,
        };
        let event = write(conn, set_id, version, &mut members, &event, stamp)?;
        Ok(Change {
            event,
            changed: delta.len(),
            as_before,
            held_back: 0,
            members: seen_len(conn, &members)?,
        })
    })
}

/// Takes an event back (see the module's words for what stays). An event of a review state is taken back with all events of its
/// change, as [`super::review::undo`] does.
///
/// # Errors
/// There is no such event, or nothing is left to take back; nothing is changed then.
pub fn undo(conn: &Connection, event_id: i64, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    atomically(conn, |conn| {
        if kind_of_event(conn, event_id)? == Some(SetKind::Review) {
            let undone = super::review::undo(conn, event_id, reason, stamp)?;
            let (set_id, ..) = event_with_delta(conn, event_id)?;
            return Ok(Change {
                event: undone.event,
                changed: undone.changed,
                as_before: undone.as_before,
                held_back: undone.held_back,
                members: seen_len(conn, &members(conn, set_id)?)?,
            });
        }
        if let Some(undone) = super::tags::undo_together(conn, event_id, reason, stamp)? {
            return Ok(undone);
        }
        let (set_id, at_version, action, bytes) = event_with_delta(conn, event_id)?;
        let done = read_bitmap(&bytes, || format!("fact_event {event_id}"))?;
        if is_hidden(conn, &done)? {
            return Err(no_event(event_id));
        }
        let mut still = done.clone();
        let mut statement =
            conn.prepare_cached("SELECT event_id, delta FROM fact_event WHERE set_id = ?1 AND version > ?2")?;
        let mut later = statement.query(params![set_id, at_version])?;
        while let Some(row) = later.next()? {
            let id: i64 = row.get(0)?;
            still -= read_bitmap(row.get_ref(1)?.as_blob().unwrap_or_default(), || {
                format!("fact_event {id}")
            })?;
        }
        if seen_len(conn, &still)? == 0 {
            return Err(FactsError::NothingToUndo {
                event: event_id,
                detail: "it was undone before, or every item was changed again later",
            });
        }
        let (version, mut members) = load(conn, set_id)?;
        let event = Event {
            action: action.reverse(),
            undoes: Some(event_id),
            reason,
            delta: &still,
        };
        let event = write(conn, set_id, version, &mut members, &event, stamp)?;
        Ok(Change {
            event,
            changed: seen_len(conn, &still)?,
            as_before: 0,
            held_back: seen_len(conn, &(&done - &still))?,
            members: seen_len(conn, &members)?,
        })
    })
}

/// Of what kind the set of an event is; none for an event that is about nothing but what may not be told of.
pub(super) fn kind_of_event(conn: &Connection, event_id: i64) -> Result<Option<SetKind>> {
    let found: Option<(u8, Vec<u8>)> = conn
        .prepare_cached(
            "SELECT s.kind, e.delta FROM fact_event e JOIN fact_set s ON s.set_id = e.set_id WHERE e.event_id = ?1",
        )?
        .query_row([event_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((kind, bytes)) = found else {
        return Ok(None);
    };
    if is_hidden(conn, &read_bitmap(&bytes, || format!("fact_event {event_id}"))?)? {
        return Ok(None);
    }
    Ok(SetKind::from_code(kind))
}

/// Reverses an event for these of its items; gives the new event, none for no items. The caller holds a transaction and vouches for
/// the items being as the event left them.
pub(super) fn reverse(
    conn: &Connection,
    event_id: i64,
    delta: &RoaringBitmap,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<Option<i64>> {
    let (set_id, _, action, _) = event_with_delta(conn, event_id)?;
    let (version, mut members) = load(conn, set_id)?;
    let event = Event {
        action: action.reverse(),
        undoes: Some(event_id),
        reason,
        delta,
    };
    write(conn, set_id, version, &mut members, &event, stamp)
}

fn event_with_delta(conn: &Connection, event_id: i64) -> Result<(i64, i64, Action, Vec<u8>)> {
    conn.prepare_cached("SELECT set_id, version, action, delta FROM fact_event WHERE event_id = ?1")?
        .query_row([event_id], |row| {
            Ok((row.get(0)?, row.get(1)?, Action::from_code(row.get(2)?), row.get(3)?))
        })
        .optional()?
        .ok_or_else(|| no_event(event_id))
}

fn no_event(event_id: i64) -> FactsError {
    FactsError::NotFound {
        what: "event",
        name: event_id.to_string(),
    }
}

struct Event<'a> {
    action: Action,
    undoes: Option<i64>,
    reason: &'a str,
    delta: &'a RoaringBitmap,
}

/// Applies a delta to the members in hand, writes the event and the compacted set.
fn write(
    conn: &Connection,
    set_id: i64,
    version: u64,
    members: &mut RoaringBitmap,
    event: &Event<'_>,
    stamp: Stamp<'_>,
) -> Result<Option<i64>> {
    if event.delta.is_empty() {
        return Ok(None);
    }
    match event.action {
        Action::Added => *members |= event.delta,
        Action::Removed => *members -= event.delta,
    }
    conn.prepare_cached(
        "INSERT INTO fact_event (set_id, version, at_micros, actor, action, undoes, reason, delta_count, delta)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        set_id,
        as_i64(version + 1),
        stamp.at_micros,
        stamp.actor,
        event.action.code(),
        event.undoes,
        event.reason,
        as_i64(event.delta.len()),
        bitmap_bytes(event.delta)?
    ])?;
    let event_id = conn.last_insert_rowid();
    pass("fact-event")?;
    conn.prepare_cached("UPDATE fact_set SET version = ?2, member_count = ?3, members = ?4 WHERE set_id = ?1")?
        .execute(params![
            set_id,
            as_i64(version + 1),
            as_i64(members.len()),
            bitmap_bytes(members)?
        ])?;
    pass("fact-set")?;
    Ok(Some(event_id))
}

/// The events of a set, oldest first.
///
/// # Errors
/// The database's.
pub fn events(conn: &Connection, set_id: i64) -> Result<Vec<EventRow>> {
    let mut statement = conn.prepare_cached(
        "SELECT event_id, action, actor, at_micros, undoes, reason, delta_count FROM fact_event
         WHERE set_id = ?1 ORDER BY version",
    )?;
    let rows = statement.query_map([set_id], |row| {
        Ok(EventRow {
            event_id: row.get(0)?,
            action: Action::from_code(row.get(1)?),
            actor: row.get(2)?,
            at_micros: row.get(3)?,
            undoes: row.get(4)?,
            reason: row.get(5)?,
            count: as_u64(row.get(6)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Checks that every set equals the sum of its events and that no item is in two review states; gives what does not hold, in words.
/// For `verify`.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn verify(conn: &Connection) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut reviewed = RoaringBitmap::new();
    for kind in SetKind::ALL {
        for set in list(conn, kind)? {
            let mut sum = RoaringBitmap::new();
            let mut statement = conn
                .prepare_cached("SELECT event_id, action, delta FROM fact_event WHERE set_id = ?1 ORDER BY version")?;
            let mut rows = statement.query([set.set_id])?;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let delta = read_bitmap(row.get_ref(2)?.as_blob().unwrap_or_default(), || {
                    format!("fact_event {id}")
                })?;
                match Action::from_code(row.get(1)?) {
                    Action::Added => sum |= delta,
                    Action::Removed => sum -= delta,
                }
            }
            let present = members(conn, set.set_id)?;
            if sum != present {
                problems.push(format!("set \"{}\" is not the sum of its events", set.name));
            }
            if kind == SetKind::Review {
                let twice = reviewed.intersection_len(&present);
                if twice > 0 {
                    problems.push(format!(
                        "{twice} items of the review state \"{}\" are in another one too",
                        set.name
                    ));
                }
                reviewed |= present;
            }
        }
    }
    Ok(problems)
}

/// A bitmap of item numbers.
pub fn bitmap_of(items: impl IntoIterator<Item = ItemNo>) -> RoaringBitmap {
    items.into_iter().map(|item| item.0).collect()
}

/// A name of a tag, a mark or a state, without outer spaces; `what` it is named so for messages.
pub(super) fn check_name<'n>(name: &'n str, what: &'static str) -> Result<&'n str> {
    let bad = |detail| FactsError::BadName {
        text: name.to_owned(),
        what,
        detail,
    };
    let trimmed = name.trim();
    if trimmed.is_empty() {
        return Err(bad("it is empty"));
    }
    if trimmed.len() > MAX_NAME_BYTES {
        return Err(bad("it is longer than 120 bytes"));
    }
    if trimmed.chars().any(char::is_control) || trimmed.contains('"') {
        return Err(bad("it has a control character or a quotation mark"));
    }
    Ok(trimmed)
}

/// The key of a name.
pub(super) fn key_of(name: &str) -> String {
    fold(name)
}
