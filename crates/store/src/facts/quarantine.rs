//! Quarantine of what may be legally privileged: its terms, what they hit, what counsel released.
//!
//! Terms are queries; screening runs them (`casework::quarantine`) and hands the hits here, with their families. The rows of an event hold
//! what it changed; the one state row holds what follows from all of them: what is quarantined, what was released, what has to be kept
//! from sight so that nothing of it shows ([`State::closed`]), and up to where the evidence was screened. From the first term on, whatever
//! comes in behind that place is held back until it is screened, so there is no moment at which new material stands open.
//! Not for: who may see it (`sight`), running queries. Main types: [`State`], [`Event`]. Invariant: events and changes of terms are only
//! ever added, each with who, when, and what held before and after; the state can be made again from the events.
//!
//! The tables are made by the first term; a catalogue without them reads as one where nothing is quarantined.

use embley_model::id::{RunNo, Ticket, hex_encode};
use embley_model::role::Task;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::users::Actor;
use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, bitmap_bytes, has_table, read_bitmap};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS privilege_term (
    event_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    in_use INTEGER NOT NULL,            -- 0 when this event ended the term
    query TEXT NOT NULL,
    source TEXT NOT NULL                -- the file it came from, or why it was ended
) STRICT;
CREATE TRIGGER IF NOT EXISTS privilege_term_not_changed BEFORE UPDATE ON privilege_term
    BEGIN SELECT RAISE(ABORT, 'changes of terms are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS privilege_term_not_deleted BEFORE DELETE ON privilege_term
    BEGIN SELECT RAISE(ABORT, 'changes of terms are only ever added'); END;

CREATE TABLE IF NOT EXISTS quarantine_event (
    event_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,               -- began, screened, released
    ticket INTEGER NOT NULL,            -- screened up to
    run_no INTEGER NOT NULL,
    counsel TEXT NOT NULL,              -- who released
    reason TEXT NOT NULL,
    before_count INTEGER NOT NULL,      -- items in quarantine
    before_hash TEXT NOT NULL,          -- BLAKE3 of their numbers, as bitmap_hash
    after_count INTEGER NOT NULL,
    after_hash TEXT NOT NULL,
    delta_count INTEGER NOT NULL,
    delta BLOB NOT NULL                 -- what was added (screened) or released
) STRICT;
CREATE TRIGGER IF NOT EXISTS quarantine_event_not_changed BEFORE UPDATE ON quarantine_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS quarantine_event_not_deleted BEFORE DELETE ON quarantine_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;

-- One row: what the events come to.
CREATE TABLE IF NOT EXISTS quarantine_state (
    state_id INTEGER PRIMARY KEY CHECK (state_id = 1),
    last_event INTEGER NOT NULL,
    ticket INTEGER NOT NULL,
    run_no INTEGER NOT NULL,
    held BLOB NOT NULL,
    released BLOB NOT NULL,
    closed BLOB NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS quarantine_state_not_deleted BEFORE DELETE ON quarantine_state
    BEGIN SELECT RAISE(ABORT, 'the quarantine is emptied, never deleted'); END;
";

/// What the quarantine is at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The newest event: a change made from this state is refused when another came between.
    pub last_event: i64,
    /// Evidence up to this ticket was screened; what is behind it is held back.
    pub ticket: Ticket,
    /// Records imported by runs behind this one were not screened.
    pub run_no: RunNo,
    /// What the terms hit, with families, and nobody released.
    pub held: RoaringBitmap,
    /// What counsel released: no term takes it back.
    pub released: RoaringBitmap,
    /// `held`, and whatever would show it: what lies in quarantined containers, and the containers in which something quarantined lies.
    pub closed: RoaringBitmap,
}

/// A change of the quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Row id, increasing.
    pub event_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who put it on record.
    pub actor: String,
    /// `began`, `screened` or `released`.
    pub action: String,
    /// Up to which ticket the evidence is screened since.
    pub ticket: Ticket,
    /// Who released, for a release.
    pub counsel: String,
    /// Why, or by what.
    pub reason: String,
    /// Items in quarantine before.
    pub before_count: u64,
    /// Hash of those.
    pub before_hash: String,
    /// Items in quarantine after.
    pub after_count: u64,
    /// Hash of those.
    pub after_hash: String,
    /// Items added or released.
    pub delta_count: u64,
}

/// A term in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// The query.
    pub query: String,
    /// Who added it.
    pub actor: String,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// The file it came from, if any.
    pub source: String,
}

/// Up to where evidence was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpTo {
    /// Ticket of the state of the case that was looked at.
    pub ticket: Ticket,
    /// The newest run whose records were all in it.
    pub run_no: RunNo,
}

/// The state, `None` when there never was a term.
///
/// # Errors
/// The database's, or the row is damaged.
pub fn state(conn: &Connection) -> Result<Option<State>> {
    if !has_table(conn, "quarantine_state")? {
        return Ok(None);
    }
    let row = conn
        .prepare_cached(
            "SELECT last_event, ticket, run_no, held, released, closed FROM main.quarantine_state WHERE state_id = 1",
        )?
        .query_row([], |row| {
            let bytes = |at| row.get::<_, Vec<u8>>(at);
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, [bytes(3)?, bytes(4)?, bytes(5)?]))
        })
        .optional()?;
    let Some((last_event, ticket, run_no, [held, released, closed])) = row else {
        return Ok(None);
    };
    let read = |bytes: &[u8], what: &str| read_bitmap(bytes, || format!("quarantine_state {what}"));
    Ok(Some(State {
        last_event,
        ticket: Ticket(as_u64(ticket)),
        run_no: RunNo(run_no),
        held: read(&held, "held")?,
        released: read(&released, "released")?,
        closed: read(&closed, "closed")?,
    }))
}

/// Terms in use, in the order in which they were added.
///
/// # Errors
/// The database's.
pub fn terms(conn: &Connection) -> Result<Vec<Term>> {
    if !has_table(conn, "privilege_term")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT query, actor, at_micros, source FROM privilege_term
         WHERE in_use = 1 AND event_id IN (SELECT max(event_id) FROM privilege_term GROUP BY query) ORDER BY event_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Term {
            query: row.get(0)?,
            actor: row.get(1)?,
            at_micros: row.get(2)?,
            source: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds terms; those in use already are passed over. From the first one on, what comes in behind `now` is held back until it is screened.
/// Returns how many were added.
///
/// # Errors
/// [`FactsError::Refused`] unless the actor may, or the database's; nothing is changed then.
pub fn add_terms(conn: &Connection, queries: &[String], source: &str, now: UpTo, stamp: Stamp<'_>) -> Result<u64> {
    atomically(conn, |conn| {
        Actor::find(conn, stamp.actor)?.require(Task::Quarantine)?;
        conn.execute_batch(TABLES)?;
        let mut known: Vec<String> = terms(conn)?.into_iter().map(|term| term.query).collect();
        let mut added = 0;
        for query in queries {
            if !known.contains(query) {
                put_term(conn, query, true, source, stamp)?;
                known.push(query.clone());
                added += 1;
            }
        }
        if state(conn)?.is_none() && !known.is_empty() {
            let none = State {
                last_event: 0,
                ticket: now.ticket,
                run_no: now.run_no,
                held: RoaringBitmap::new(),
                released: RoaringBitmap::new(),
                closed: RoaringBitmap::new(),
            };
            put(
                conn,
                &none,
                &none,
                "began",
                ["", "the first term was added"],
                &RoaringBitmap::new(),
                stamp,
            )?;
        }
        Ok(added)
    })
}

/// Ends a term: it hits nothing any more. What it quarantined stays until it is released.
///
/// # Errors
/// [`FactsError::Refused`] unless the actor may; [`FactsError::NotFound`]. Nothing is changed then.
pub fn end_term(conn: &Connection, query: &str, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    atomically(conn, |conn| {
        Actor::find(conn, stamp.actor)?.require(Task::Quarantine)?;
        if !terms(conn)?.iter().any(|term| term.query == query) {
            return Err(FactsError::NotFound {
                what: "term",
                name: format!("\"{query}\""),
            });
        }
        put_term(conn, query, false, reason, stamp)
    })
}

fn put_term(conn: &Connection, query: &str, in_use: bool, source: &str, stamp: Stamp<'_>) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO privilege_term (at_micros, actor, in_use, query, source) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![stamp.at_micros, stamp.actor, in_use, query, source])?;
    Ok(())
}

/// Puts the result of screening on record. Anybody's ingest screens what it brings, so this asks for no role.
///
/// # Errors
/// [`FactsError::ChangedMeanwhile`] when another event came between; the database's. Nothing is changed then.
pub fn put_screened(conn: &Connection, next: &State, reason: &str, stamp: Stamp<'_>) -> Result<u64> {
    atomically(conn, |conn| {
        let before = current(conn, next)?;
        let delta = &next.held - &before.held;
        put(conn, &before, next, "screened", ["", reason], &delta, stamp)?;
        Ok(delta.len())
    })
}

/// Puts a release on record: what `next` does not hold any more.
///
/// # Errors
/// [`FactsError::Refused`] unless the actor may; [`FactsError::BadName`] without a name of who released or a reason; as
/// [`put_screened`]. Nothing is changed then.
pub fn put_released(conn: &Connection, next: &State, counsel: &str, reason: &str, stamp: Stamp<'_>) -> Result<u64> {
    for (text, detail) in [(counsel, "say who released it"), (reason, "say why it was released")] {
        if text.trim().is_empty() {
            return Err(FactsError::BadName {
                text: text.to_owned(),
                what: "release",
                detail,
            });
        }
    }
    atomically(conn, |conn| {
        Actor::find(conn, stamp.actor)?.require(Task::Quarantine)?;
        let before = current(conn, next)?;
        let delta = &before.held - &next.held;
        put(conn, &before, next, "released", [counsel, reason], &delta, stamp)?;
        Ok(delta.len())
    })
}

fn current(conn: &Connection, next: &State) -> Result<State> {
    let before = state(conn)?.ok_or_else(|| FactsError::NotFound {
        what: "term",
        name: "of privilege".to_owned(),
    })?;
    if before.last_event != next.last_event {
        return Err(FactsError::ChangedMeanwhile { what: "quarantine" });
    }
    Ok(before)
}

fn put(
    conn: &Connection,
    before: &State,
    next: &State,
    action: &str,
    [counsel, reason]: [&str; 2],
    delta: &RoaringBitmap,
    stamp: Stamp<'_>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO quarantine_event (at_micros, actor, action, ticket, run_no, counsel, reason, before_count, before_hash,
         after_count, after_hash, delta_count, delta) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        stamp.at_micros,
        stamp.actor,
        action,
        as_i64(next.ticket.0),
        next.run_no.0,
        counsel,
        reason,
        as_i64(before.held.len()),
        bitmap_hash(&before.held),
        as_i64(next.held.len()),
        bitmap_hash(&next.held),
        as_i64(delta.len()),
        bitmap_bytes(delta)?
    ])?;
    // Stopped here: nothing is changed, event and state are one transaction.
    conn.prepare_cached(
        "INSERT OR REPLACE INTO quarantine_state (state_id, last_event, ticket, run_no, held, released, closed)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        conn.last_insert_rowid(),
        as_i64(next.ticket.0),
        next.run_no.0,
        bitmap_bytes(&next.held)?,
        bitmap_bytes(&next.released)?,
        bitmap_bytes(&next.closed)?
    ])?;
    Ok(())
}

/// What a set of items is called in an event: BLAKE3, hexadecimal, of the item numbers as 4 bytes each, little-endian, ascending.
pub fn bitmap_hash(items: &RoaringBitmap) -> String {
    let mut hash = blake3::Hasher::new();
    for item in items {
        hash.update(&item.to_le_bytes());
    }
    hex_encode(hash.finalize().as_bytes())
}

/// All changes, the oldest first.
///
/// # Errors
/// The database's.
pub fn events(conn: &Connection) -> Result<Vec<Event>> {
    if !has_table(conn, "quarantine_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT event_id, at_micros, actor, action, ticket, counsel, reason, before_count, before_hash, after_count, after_hash,
         delta_count FROM quarantine_event ORDER BY event_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Event {
            event_id: row.get(0)?,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            ticket: Ticket(as_u64(row.get(4)?)),
            counsel: row.get(5)?,
            reason: row.get(6)?,
            before_count: as_u64(row.get(7)?),
            before_hash: row.get(8)?,
            after_count: as_u64(row.get(9)?),
            after_hash: row.get(10)?,
            delta_count: as_u64(row.get(11)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What does not fit between the events and the state; empty when they agree.
///
/// # Errors
/// The database's.
pub fn verify(conn: &Connection) -> Result<Vec<String>> {
    let Some(state) = state(conn)? else {
        return Ok(Vec::new());
    };
    let mut faults = Vec::new();
    let (mut held, mut released) = (RoaringBitmap::new(), RoaringBitmap::new());
    let mut last = 0;
    let mut statement = conn.prepare_cached(
        "SELECT event_id, action, delta, before_hash, after_hash FROM quarantine_event ORDER BY event_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let action: String = row.get(1)?;
        let delta = read_bitmap(&row.get::<_, Vec<u8>>(2)?, || format!("quarantine_event {last}"))?;
        if row.get::<_, String>(3)? != bitmap_hash(&held) {
            faults.push(format!(
                "event {last} of the quarantine does not follow from those before it"
            ));
        }
        match action.as_str() {
            "released" => {
                held -= &delta;
                released |= &delta;
            }
            _ => held |= &delta,
        }
        if row.get::<_, String>(4)? != bitmap_hash(&held) {
            faults.push(format!("event {last} of the quarantine does not give what it says"));
        }
    }
    if last != state.last_event || held != state.held || released != state.released {
        faults.push("the state of the quarantine is not what its events give".to_owned());
    }
    if !state.held.is_subset(&state.closed) {
        faults.push("something quarantined is not kept from sight".to_owned());
    }
    Ok(faults)
}

impl State {
    /// The state after screening: these hits, with families, are held unless they were released.
    #[must_use]
    pub fn screened(&self, hits: &RoaringBitmap, up_to: UpTo) -> Self {
        let mut next = self.clone();
        next.held |= hits - &self.released;
        // A run that looked at an older state does not take back what a newer one looked at.
        next.ticket = next.ticket.max(up_to.ticket);
        next.run_no = next.run_no.max(up_to.run_no);
        next
    }

    /// The state after a release of these items; what is not held is not released.
    #[must_use]
    pub fn released(&self, items: &RoaringBitmap) -> Self {
        let mut next = self.clone();
        let delta = items & &self.held;
        next.held -= &delta;
        next.released |= delta;
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::users;
    use embley_model::role::Role;

    fn by(actor: &str) -> Stamp<'_> {
        Stamp { actor, at_micros: 5 }
    }

    fn at(ticket: u64) -> UpTo {
        UpTo {
            ticket: Ticket(ticket),
            run_no: RunNo(1),
        }
    }

    fn bits(items: &[u32]) -> RoaringBitmap {
        items.iter().copied().collect()
    }

    fn with_reviewer() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        users::add(&conn, "ann", &[Role::Administrator], "", by("ann")).unwrap();
        users::add(&conn, "pat", &[Role::PrivilegeReviewer], "", by("ann")).unwrap();
        conn
    }

    /// The state with its closure, as a case without containers has it.
    fn closed(mut state: State) -> State {
        state.closed = state.held.clone();
        state
    }

    #[test]
    fn only_a_privilege_reviewer_adds_terms_and_releases_and_a_refusal_leaves_no_table() {
        let conn = with_reviewer();
        let terms = ["counsel".to_owned()];
        for actor in ["ann", "eve"] {
            assert!(matches!(
                add_terms(&conn, &terms, "", at(3), by(actor)),
                Err(FactsError::Refused { .. })
            ));
        }
        assert!(state(&conn).unwrap().is_none());
        assert_eq!(add_terms(&conn, &terms, "", at(3), by("pat")).unwrap(), 1);
        assert_eq!(add_terms(&conn, &terms, "", at(9), by("pat")).unwrap(), 0);
        let held = state(&conn).unwrap().unwrap();
        assert_eq!(
            held.ticket,
            Ticket(3),
            "what is in the case when the first term comes stays as it is"
        );
        put_screened(&conn, &closed(held.screened(&bits(&[1, 2]), at(4))), "", by("ann")).unwrap();
        let held = state(&conn).unwrap().unwrap();
        let next = closed(held.released(&bits(&[1])));
        assert!(put_released(&conn, &next, "Counsel QC", "not privileged", by("ann")).is_err());
        assert!(put_released(&conn, &next, " ", "not privileged", by("pat")).is_err());
        assert_eq!(
            put_released(&conn, &next, "Counsel QC", "not privileged", by("pat")).unwrap(),
            1
        );
    }

    #[test]
    fn what_was_released_is_not_taken_back_and_the_events_give_the_state() {
        let conn = with_reviewer();
        add_terms(&conn, &["counsel".to_owned()], "", at(3), by("pat")).unwrap();
        let change = |work: &dyn Fn(&State) -> State| closed(work(&state(&conn).unwrap().unwrap()));
        put_screened(
            &conn,
            &change(&|now| now.screened(&bits(&[1, 2, 3]), at(4))),
            "",
            by("pat"),
        )
        .unwrap();
        put_released(
            &conn,
            &change(&|now| now.released(&bits(&[2, 9]))),
            "QC",
            "r",
            by("pat"),
        )
        .unwrap();
        let again = change(&|now| now.screened(&bits(&[1, 2, 3, 4]), at(2)));
        put_screened(&conn, &again, "", by("pat")).unwrap();
        let now = state(&conn).unwrap().unwrap();
        assert_eq!((&now.held, &now.released), (&bits(&[1, 3, 4]), &bits(&[2])));
        assert_eq!(now.ticket, Ticket(4), "an older look takes nothing back");
        assert_eq!(verify(&conn).unwrap(), Vec::<String>::new());
        let told: Vec<_> = events(&conn).unwrap();
        let counts: Vec<_> = told
            .iter()
            .map(|one| (one.before_count, one.after_count, one.delta_count))
            .collect();
        assert_eq!(counts, [(0, 0, 0), (0, 3, 3), (3, 2, 1), (2, 3, 1)]);
        assert_eq!((told[2].actor.as_str(), told[2].counsel.as_str()), ("pat", "QC"));
        for change in ["UPDATE quarantine_event SET actor = ''", "DELETE FROM privilege_term"] {
            assert!(conn.execute(change, []).is_err(), "{change}");
        }
        conn.execute("UPDATE quarantine_state SET held = released", []).unwrap();
        assert!(!verify(&conn).unwrap().is_empty());
    }

    #[test]
    fn a_change_made_from_an_older_state_is_refused() {
        let conn = with_reviewer();
        add_terms(&conn, &["counsel".to_owned()], "", at(3), by("pat")).unwrap();
        let old = state(&conn).unwrap().unwrap();
        put_screened(&conn, &closed(old.screened(&bits(&[1]), at(4))), "", by("pat")).unwrap();
        let late = put_screened(&conn, &closed(old.screened(&bits(&[2]), at(4))), "", by("pat"));
        assert!(matches!(late, Err(FactsError::ChangedMeanwhile { .. })), "{late:?}");
    }

    #[test]
    fn an_ended_term_is_not_in_use_and_can_be_added_again() {
        let conn = with_reviewer();
        let query = "counsel".to_owned();
        add_terms(&conn, std::slice::from_ref(&query), "list.txt", at(3), by("pat")).unwrap();
        end_term(&conn, &query, "too wide", by("pat")).unwrap();
        assert!(terms(&conn).unwrap().is_empty());
        assert!(end_term(&conn, &query, "", by("pat")).is_err());
        add_terms(&conn, &[query], "", at(3), by("pat")).unwrap();
        assert_eq!(terms(&conn).unwrap().len(), 1);
    }
}
