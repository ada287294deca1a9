//! The state that a reviewer gave an item: at most one at a time. Having none is not reviewed.
//!
//! Each state is a set. A change takes items out of the states they had and puts them into the new one, in one transaction; it writes
//! one event for each set that it touches, all with the same time, reason and actor, and no other change of states has that time (a
//! clock that gives one twice is taken a microsecond further). So the events of a change are found again from any of them, and are
//! taken back together. Not for: reading states of a page, which [`super::member`] does. Invariant: no item is in two states.

use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::sets::{self, Action, SetKind, SetRow};
use super::{FactsError, Result, Stamp, atomically, is_hidden, read_bitmap, seen_len};

/// What messages call such a set.
const WHAT: &str = "review state";

/// States that every case can use without making them first; others come into being with their first use.
pub const USUAL_STATES: [&str; 3] = ["relevant", "not-relevant", "needs-second-look"];

/// The word for having no state. It is no name of a state.
pub const NOT_REVIEWED: &str = "not-reviewed";

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    /// The last event of the change, or none when nothing had to change. Any of its events stands for it in [`undo`].
    pub event: Option<i64>,
    /// Items whose state is another one now.
    pub changed: u64,
    /// Those among them that were in some other state before.
    pub moved: u64,
    /// Items that were so already.
    pub as_before: u64,
    /// Items that an undo left alone because a later change had changed them.
    pub held_back: u64,
}

/// Gives items a state as one change; the state is made when it is new.
///
/// # Errors
/// The name cannot be one, or the database's; nothing is changed then.
pub fn set(conn: &Connection, state: &str, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Reviewed> {
    let state = sets::check_name(state, WHAT)?;
    if sets::key_of(state) == NOT_REVIEWED {
        return Err(FactsError::BadName {
            text: state.to_owned(),
            what: WHAT,
            detail: "it means having none; `review clear` takes the state away",
        });
    }
    atomically(conn, |conn| {
        let stamp = own_time(conn, stamp)?;
        let set_id = sets::ensure(conn, SetKind::Review, &sets::key_of(state), state)?;
        let mut moved = 0;
        for other in list(conn)?.iter().filter(|other| other.set_id != set_id) {
            moved += sets::change(conn, other.set_id, Action::Removed, items, reason, stamp)?.changed;
        }
        let change = sets::change(conn, set_id, Action::Added, items, reason, stamp)?;
        Ok(Reviewed {
            event: change.event,
            changed: change.changed,
            moved,
            as_before: change.as_before,
            held_back: 0,
        })
    })
}

/// Takes their state from items as one change, whichever it is.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn clear(conn: &Connection, items: &RoaringBitmap, reason: &str, stamp: Stamp<'_>) -> Result<Reviewed> {
    atomically(conn, |conn| {
        let stamp = own_time(conn, stamp)?;
        let mut done = Reviewed::default();
        for state in list(conn)? {
            let change = sets::change(conn, state.set_id, Action::Removed, items, reason, stamp)?;
            done.event = change.event.or(done.event);
            done.changed += change.changed;
        }
        done.moved = done.changed;
        done.as_before = items.len() - done.changed;
        Ok(done)
    })
}

/// Takes a change back, by any of its events: items get the state that they had before it, save those that a later change changed
/// again. It is a change itself and can be taken back.
///
/// # Errors
/// There is no such event, or nothing is left to take back; nothing is changed then.
pub fn undo(conn: &Connection, event_id: i64, reason: &str, stamp: Stamp<'_>) -> Result<Reviewed> {
    atomically(conn, |conn| {
        let events = events_of_change(conn, event_id)?;
        let last = events.iter().map(|event| event.event_id).max();
        let last = last.ok_or_else(|| no_event(event_id))?;
        let done = events
            .iter()
            .fold(RoaringBitmap::new(), |done, event| done | &event.delta);
        if is_hidden(conn, &done)? {
            return Err(no_event(event_id));
        }
        let still = &done - changed_after(conn, last)?;
        if seen_len(conn, &still)? == 0 {
            return Err(FactsError::NothingToUndo {
                event: event_id,
                detail: "it was undone before, or every item was changed again later",
            });
        }
        let stamp = own_time(conn, stamp)?;
        let mut undone = Reviewed {
            changed: seen_len(conn, &still)?,
            held_back: seen_len(conn, &(&done - &still))?,
            ..Reviewed::default()
        };
        for event in &events {
            let delta = &event.delta & &still;
            let written = sets::reverse(conn, event.event_id, &delta, reason, stamp)?;
            undone.event = written.or(undone.event);
            if event.action == Action::Added {
                undone.moved += seen_len(conn, &delta)?;
            }
        }
        Ok(undone)
    })
}

/// All states that were ever given, with their counts, in the order of their names.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<SetRow>> {
    sets::list(conn, SetKind::Review)
}

fn no_event(event_id: i64) -> FactsError {
    FactsError::NotFound {
        what: "event of a review state",
        name: event_id.to_string(),
    }
}

struct Event {
    event_id: i64,
    action: Action,
    delta: RoaringBitmap,
}

/// The events of the change that an event is part of; none when it is no event of a review state.
fn events_of_change(conn: &Connection, event_id: i64) -> Result<Vec<Event>> {
    let mut statement = conn.prepare_cached(
        "SELECT e.event_id, e.action, e.delta FROM fact_event e JOIN fact_set s ON s.set_id = e.set_id
         WHERE s.kind = ?1 AND e.at_micros = (
             SELECT o.at_micros FROM fact_event o JOIN fact_set t ON t.set_id = o.set_id
             WHERE o.event_id = ?2 AND t.kind = ?1)
         ORDER BY e.event_id",
    )?;
    let mut rows = statement.query(params![SetKind::Review.code(), event_id])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let event_id: i64 = row.get(0)?;
        events.push(Event {
            event_id,
            action: Action::from_code(row.get(1)?),
            delta: read_bitmap(row.get_ref(2)?.as_blob().unwrap_or_default(), || {
                format!("fact_event {event_id}")
            })?,
        });
    }
    Ok(events)
}

/// Items whose state changed after an event.
fn changed_after(conn: &Connection, event_id: i64) -> Result<RoaringBitmap> {
    let mut statement = conn.prepare_cached(
        "SELECT e.event_id, e.delta FROM fact_event e JOIN fact_set s ON s.set_id = e.set_id
         WHERE s.kind = ?1 AND e.event_id > ?2",
    )?;
    let mut rows = statement.query(params![SetKind::Review.code(), event_id])?;
    let mut changed = RoaringBitmap::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        changed |= read_bitmap(row.get_ref(1)?.as_blob().unwrap_or_default(), || {
            format!("fact_event {id}")
        })?;
    }
    Ok(changed)
}

/// The time of a new change: the one given, or the first microsecond behind it that no change of states has.
fn own_time<'a>(conn: &Connection, stamp: Stamp<'a>) -> Result<Stamp<'a>> {
    let mut taken = conn.prepare_cached(
        "SELECT 1 FROM fact_event e JOIN fact_set s ON s.set_id = e.set_id WHERE s.kind = ?1 AND e.at_micros = ?2",
    )?;
    let mut own = stamp;
    while taken.exists(params![SetKind::Review.code(), own.at_micros])? {
        own.at_micros += 1;
    }
    Ok(own)
}
