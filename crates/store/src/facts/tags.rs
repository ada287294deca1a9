//! Tags on items: a name, compared without case, and the set of items that carry it.
//!
//! A change is one event, whatever the number of items. In an exclusive set of tags ([`super::tag_rules`]) items leave the other tags of the set in
//! the same transaction; the events of such a change are tied together in `tag_change`, and any of them stands for all in [`undo`]. A note given
//! with a change is kept beside its event. Invariant: a change, and the undoing of one, leaves no item with two tags of an exclusive set.

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::sets::{self, Action, Change, SetKind, SetRow};
use super::{FactsError, Result, Stamp, atomically, has_table, read_bitmap, seen_len, tag_rules};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS tag_change (
    event_id INTEGER PRIMARY KEY REFERENCES fact_event (event_id),
    change_id INTEGER NOT NULL          -- the last event of the change
) STRICT;
CREATE INDEX IF NOT EXISTS tag_change_by_change ON tag_change (change_id);
CREATE TRIGGER IF NOT EXISTS tag_change_not_changed BEFORE UPDATE ON tag_change
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS tag_change_not_deleted BEFORE DELETE ON tag_change
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TABLE IF NOT EXISTS event_note (
    event_id INTEGER PRIMARY KEY REFERENCES fact_event (event_id),
    note TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS event_note_not_changed BEFORE UPDATE ON event_note
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS event_note_not_deleted BEFORE DELETE ON event_note
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
";

/// What is to be done with a tag.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// The tag.
    pub tag: &'a str,
    /// The items.
    pub items: &'a RoaringBitmap,
    /// Where the items come from: the query, or the file of ids.
    pub reason: &'a str,
    /// Why, in the words of whoever does it; empty for none.
    pub note: &'a str,
}

/// What putting a tag on did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tagged {
    /// The change of the tag itself.
    #[serde(flatten)]
    pub change: Change,
    /// Items that left another tag of the same exclusive set.
    pub moved: u64,
}

/// Puts a tag on items as one event; the tag is made when it is new.
///
/// # Errors
/// The name cannot be one, the tag's set asks for a note, or the database's; nothing is changed then.
pub fn add(conn: &Connection, name: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    let put = Put {
        tag: name,
        items,
        reason,
        note: "",
    };
    Ok(put_on(conn, &put, stamp)?.change)
}

/// Takes a tag off items as one event.
///
/// # Errors
/// There is no such tag, its set asks for a note, or the database's; nothing is changed then.
pub fn remove(conn: &Connection, name: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Change> {
    let put = Put {
        tag: name,
        items,
        reason,
        note: "",
    };
    take_off(conn, &put, stamp)
}

/// Puts a tag on items; in an exclusive set they leave the other tags, as one change.
///
/// # Errors
/// As [`add`].
pub fn put_on(conn: &Connection, put: &Put<'_>, stamp: Stamp<'_>) -> Result<Tagged> {
    let name = sets::check_name(put.tag, "tag")?;
    atomically(conn, |conn| {
        let set_id = sets::ensure(conn, SetKind::Tag, &sets::key_of(name), name)?;
        let rules = tag_rules::of_tag(conn, set_id)?.set;
        let mut events = Vec::new();
        let mut moved = 0;
        if let Some(rules) = &rules {
            needs_note(rules, put)?;
            if rules.exclusive {
                for other in tag_rules::members(conn, rules)?
                    .into_iter()
                    .filter(|other| *other != set_id)
                {
                    let left = sets::change(conn, other, Action::Removed, put.items, put.reason, stamp)?;
                    moved += left.changed;
                    events.extend(left.event);
                }
            }
        }
        let change = sets::change(conn, set_id, Action::Added, put.items, put.reason, stamp)?;
        events.extend(change.event);
        tie(conn, &events)?;
        say_why(conn, change.event, put.note)?;
        Ok(Tagged { change, moved })
    })
}

/// Takes a tag off items.
///
/// # Errors
/// As [`remove`].
pub fn take_off(conn: &Connection, put: &Put<'_>, stamp: Stamp<'_>) -> Result<Change> {
    let set_id = find(conn, put.tag)?.set_id;
    atomically(conn, |conn| {
        if let Some(rules) = &tag_rules::of_tag(conn, set_id)?.set {
            needs_note(rules, put)?;
        }
        let change = sets::change(conn, set_id, Action::Removed, put.items, put.reason, stamp)?;
        say_why(conn, change.event, put.note)?;
        Ok(change)
    })
}

fn needs_note(rules: &tag_rules::TagSet, put: &Put<'_>) -> Result<()> {
    if rules.note_required && put.note.trim().is_empty() {
        return Err(FactsError::not_allowed(
            format!("tags of the set \"{}\" are changed with a note", rules.name),
            Some("say why with --note TEXT"),
        ));
    }
    Ok(())
}

/// Writes down that events are one change; one alone needs no row.
fn tie(conn: &Connection, events: &[i64]) -> Result<()> {
    let Some(last) = events.last().filter(|_| events.len() > 1) else {
        return Ok(());
    };
    conn.execute_batch(TABLES)?;
    let mut insert = conn.prepare_cached("INSERT INTO tag_change (event_id, change_id) VALUES (?1, ?2)")?;
    for event in events {
        insert.execute([event, last])?;
    }
    Ok(())
}

fn say_why(conn: &Connection, event: Option<i64>, note: &str) -> Result<()> {
    let note = note.trim();
    let Some(event) = event.filter(|_| !note.is_empty()) else {
        return Ok(());
    };
    conn.execute_batch(TABLES)?;
    conn.prepare_cached("INSERT INTO event_note (event_id, note) VALUES (?1, ?2)")?
        .execute(params![event, note])?;
    Ok(())
}

/// The note that was given with an event.
///
/// # Errors
/// The database's.
pub fn note_of(conn: &Connection, event_id: i64) -> Result<Option<String>> {
    if !has_table(conn, "event_note")? {
        return Ok(None);
    }
    Ok(conn
        .prepare_cached("SELECT note FROM event_note WHERE event_id = ?1")?
        .query_row([event_id], |row| row.get(0))
        .optional()?)
}

/// Takes a change of a tag back, by any of its events: of an exclusive set with what items left by it. Items that a later change of the
/// tag, or of its exclusive set, changed again are left alone and counted. It is a change itself and can be taken back.
///
/// # Errors
/// There is no such event of a tag, its set asks for a note, or nothing is left to take back; nothing is changed then.
pub fn undo(conn: &Connection, event_id: i64, reason: &str, note: &str, stamp: Stamp<'_>) -> Result<Change> {
    atomically(conn, |conn| {
        if sets::kind_of_event(conn, event_id)? != Some(SetKind::Tag) {
            return Err(FactsError::NotFound {
                what: "event of a tag",
                name: event_id.to_string(),
            });
        }
        let rules = tag_rules::of_tag(conn, set_of(conn, event_id)?)?.set;
        if let Some(rules) = &rules {
            let none = RoaringBitmap::new();
            let put = Put {
                tag: "",
                items: &none,
                reason,
                note,
            };
            needs_note(rules, &put)?;
        }
        let done = sets::undo(conn, event_id, reason, stamp)?;
        say_why(conn, done.event, note)?;
        Ok(done)
    })
}

fn set_of(conn: &Connection, event_id: i64) -> Result<i64> {
    Ok(conn
        .prepare_cached("SELECT set_id FROM fact_event WHERE event_id = ?1")?
        .query_row([event_id], |row| row.get(0))?)
}

struct Event {
    event_id: i64,
    set_id: i64,
    action: Action,
    delta: RoaringBitmap,
}

fn read_event(row: &rusqlite::Row<'_>) -> Result<Event> {
    let event_id: i64 = row.get(0)?;
    Ok(Event {
        event_id,
        set_id: row.get(1)?,
        action: Action::from_code(row.get(2)?),
        delta: read_bitmap(row.get_ref(3)?.as_blob().unwrap_or_default(), || {
            format!("fact_event {event_id}")
        })?,
    })
}

/// Undoes an event that stands with others, or whose tag is in an exclusive set; `None` when the plain way of [`sets::undo`] does.
pub(super) fn undo_together(
    conn: &Connection,
    event_id: i64,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<Option<Change>> {
    if sets::kind_of_event(conn, event_id)? != Some(SetKind::Tag) || !has_table(conn, "tag_set")? {
        return Ok(None);
    }
    let set_id = set_of(conn, event_id)?;
    let events = events_of_change(conn, event_id)?;
    let mut touched: Vec<i64> = events.iter().map(|event| event.set_id).collect();
    if let Some(rules) = tag_rules::of_tag(conn, set_id)?.set.filter(|rules| rules.exclusive) {
        touched.extend(tag_rules::members(conn, &rules)?);
    }
    touched.sort_unstable();
    touched.dedup();
    if touched.len() < 2 {
        return Ok(None);
    }
    let last = events.iter().map(|event| event.event_id).max().unwrap_or(event_id);
    let done = events
        .iter()
        .fold(RoaringBitmap::new(), |done, event| done | &event.delta);
    let mut still = done.clone();
    for set in touched {
        let mut later = conn.prepare_cached(
            "SELECT event_id, set_id, action, delta FROM fact_event WHERE set_id = ?1 AND event_id > ?2",
        )?;
        let mut rows = later.query([set, last])?;
        while let Some(row) = rows.next()? {
            still -= read_event(row)?.delta;
        }
    }
    for event in events.iter().filter(|event| event.action == Action::Removed) {
        still -= kept_by_others(conn, event, &events)?;
    }
    if seen_len(conn, &still)? == 0 {
        return Err(FactsError::NothingToUndo {
            event: event_id,
            detail: "it was undone before, or every item was changed again later",
        });
    }
    let mut undone = Change {
        changed: seen_len(conn, &still)?,
        held_back: seen_len(conn, &(&done - &still))?,
        ..Change::default()
    };
    let mut written = Vec::new();
    // What came in goes out first, so that no item is in two of them in between.
    for action in [Action::Added, Action::Removed] {
        for event in events.iter().filter(|event| event.action == action) {
            let delta = &event.delta & &still;
            written.extend(sets::reverse(conn, event.event_id, &delta, reason, stamp)?);
        }
    }
    tie(conn, &written)?;
    undone.event = written.last().copied();
    undone.members = seen_len(conn, &sets::members(conn, set_id)?)?;
    Ok(Some(undone))
}

/// Of the items that would get a tag back: those that carry another tag of its exclusive set, and would go on doing so. The set may be
/// exclusive only since.
fn kept_by_others(conn: &Connection, event: &Event, undone: &[Event]) -> Result<RoaringBitmap> {
    let mut kept = RoaringBitmap::new();
    let rules = tag_rules::of_tag(conn, event.set_id)?.set;
    let Some(rules) = rules.filter(|rules| rules.exclusive) else {
        return Ok(kept);
    };
    for other in tag_rules::members(conn, &rules)?
        .into_iter()
        .filter(|other| *other != event.set_id)
    {
        let mut held = sets::members(conn, other)? & &event.delta;
        for leaves in undone
            .iter()
            .filter(|one| one.set_id == other && one.action == Action::Added)
        {
            held -= &leaves.delta;
        }
        kept |= held;
    }
    Ok(kept)
}

/// The events of the change that an event is part of, itself included.
fn events_of_change(conn: &Connection, event_id: i64) -> Result<Vec<Event>> {
    let tied = has_table(conn, "tag_change")?;
    let sql = if tied {
        "SELECT event_id, set_id, action, delta FROM fact_event WHERE event_id = ?1 OR event_id IN (
             SELECT o.event_id FROM tag_change c JOIN tag_change o ON o.change_id = c.change_id WHERE c.event_id = ?1)
         ORDER BY event_id"
    } else {
        "SELECT event_id, set_id, action, delta FROM fact_event WHERE event_id = ?1"
    };
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([event_id])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(read_event(row)?);
    }
    Ok(events)
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
    sets::find_told(conn, SetKind::Tag, &sets::key_of(name))?.ok_or_else(|| FactsError::NotFound {
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
