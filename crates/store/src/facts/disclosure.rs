//! What the disclosure officer decided about items (Criminal Procedure and Investigations Act 1996): relevant or not, used, unused,
//! sensitive; and whether unused material may undermine the prosecution's case or assist the defence.
//!
//! An item has one status and one answer to the disclosure test at most. A change is one event for each state that items were in before:
//! who, when, from which state, to which, why, which items. The present members of each state are kept beside the events as one bitmap.
//! Not for: schedules ([`super::schedules`]), and for who may decide. Invariants: no item has two states of one [`Axis`]; events and
//! descriptions are only ever added (triggers refuse to change or delete them).
//!
//! The tables are made by the first change; a catalogue without them reads as one in which nothing was decided.

use std::collections::HashMap;

use embley_model::id::ItemNo;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, bitmap_bytes, has_table, read_bitmap};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS disclosure_state (
    axis INTEGER NOT NULL,              -- 1 status, 2 disclosure test
    state TEXT NOT NULL,
    member_count INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (axis, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS disclosure_event (
    event_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    axis INTEGER NOT NULL,
    before TEXT NOT NULL,               -- empty for none
    after TEXT NOT NULL,                -- empty for none
    reason TEXT NOT NULL,
    how TEXT NOT NULL,                  -- the query, the file of ids
    delta_count INTEGER NOT NULL,
    delta BLOB NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS disclosure_event_not_changed BEFORE UPDATE ON disclosure_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS disclosure_event_not_deleted BEFORE DELETE ON disclosure_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TABLE IF NOT EXISTS disclosure_words (
    words_id INTEGER PRIMARY KEY,
    item_no INTEGER NOT NULL,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS disclosure_words_by_item ON disclosure_words (item_no);
CREATE TRIGGER IF NOT EXISTS disclosure_words_not_changed BEFORE UPDATE ON disclosure_words
    BEGIN SELECT RAISE(ABORT, 'descriptions are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS disclosure_words_not_deleted BEFORE DELETE ON disclosure_words
    BEGIN SELECT RAISE(ABORT, 'descriptions are only ever added'); END;
";
const STATE_TABLE: &str = "disclosure_state";
/// Longest reason or description, in bytes.
const MAX_WORDS_BYTES: usize = 4_000;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// What the item is for the case.
    Status,
    /// Whether it may undermine the prosecution's case or assist the defence (CPIA 1996 s. 3).
    Test,
}

impl Axis {
    fn code(self) -> u8 {
        match self {
            Self::Status => 1,
            Self::Test => 2,
        }
    }

    fn from_code(code: u8) -> Self {
        if code == 1 { Self::Status } else { Self::Test }
    }
}

/// A state that an item can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Looked at; not relevant to the investigation.
    NotRelevant,
    /// Relevant; not yet decided whether it is used.
    Relevant,
    /// Part of the prosecution's case.
    Used,
    /// Relevant, unused, not sensitive: for the MG6C.
    Unused,
    /// Relevant, unused, sensitive: for the MG6D, with a reason.
    Sensitive,
    /// May undermine the prosecution's case or assist the defence.
    MeetsTest,
    /// Looked at for that; it does not.
    FailsTest,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::NotRelevant,
        Self::Relevant,
        Self::Used,
        Self::Unused,
        Self::Sensitive,
        Self::MeetsTest,
        Self::FailsTest,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRelevant => "not-relevant",
            Self::Relevant => "relevant",
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Sensitive => "sensitive",
            Self::MeetsTest => "meets-test",
            Self::FailsTest => "fails-test",
        }
    }

    /// The inverse of [`State::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Which decision it belongs to.
    pub fn axis(self) -> Axis {
        match self {
            Self::NotRelevant | Self::Relevant | Self::Used | Self::Unused | Self::Sensitive => Axis::Status,
            Self::MeetsTest | Self::FailsTest => Axis::Test,
        }
    }

    /// True when it may be given only with a reason.
    pub fn needs_reason(self) -> bool {
        matches!(self, Self::Sensitive | Self::MeetsTest)
    }
}

/// What a change did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Items whose state is another one now.
    pub changed: u64,
    /// Those among them that had another state before.
    pub moved: u64,
    /// Items that were so already.
    pub as_before: u64,
}

/// Why, in words, and how the items were chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Why<'a> {
    /// The officer's reason; goes on the MG6D.
    pub reason: &'a str,
    /// The query, the file of ids.
    pub how: &'a str,
}

/// An event without its bitmap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// Row id, increasing.
    pub event_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// What was decided.
    pub axis: Axis,
    /// The state before; empty for none.
    pub before: String,
    /// The state after; empty for none.
    pub after: String,
    /// Why.
    pub reason: String,
    /// How the items were chosen.
    pub how: String,
    /// How many items.
    pub count: u64,
}

/// Items that were given their state for one reason.
#[derive(Clone, Debug)]
pub struct Reasoned {
    /// Which.
    pub items: RoaringBitmap,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When, microseconds since 1970.
    pub at_micros: i64,
}

/// Gives items a state, or takes the state of an axis away (`None`). One event for each state that they had.
///
/// # Errors
/// A reason is missing or too long, or the database's; nothing is changed then.
pub fn set(
    conn: &Connection,
    axis: Axis,
    state: Option<State>,
    items: &RoaringBitmap,
    why: Why<'_>,
    stamp: Stamp<'_>,
) -> Result<Decided> {
    let after = state.map_or("", State::word);
    if let Some(state) = state {
        if state.axis() != axis {
            return Err(bad(after, "it belongs to another decision"));
        }
        if state.needs_reason() && why.reason.trim().is_empty() {
            return Err(bad(after, "it is given only with a reason: it goes on the schedule"));
        }
    }
    if why.reason.len() > MAX_WORDS_BYTES {
        return Err(bad(after, "the reason has more than 4000 bytes"));
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let mut left = items.clone();
        let mut done = Decided::default();
        for other in states_of(axis) {
            let (held, _) = load(conn, axis, other.word())?;
            let delta = &held & items;
            left -= &delta;
            if Some(other) == state {
                done.as_before = delta.len();
                continue;
            }
            if delta.is_empty() {
                continue;
            }
            done.moved += delta.len();
            store(conn, axis, other.word(), &(held - &delta))?;
            event(conn, axis, other.word(), after, &delta, why, stamp)?;
        }
        if state.is_some() && !left.is_empty() {
            event(conn, axis, "", after, &left, why, stamp)?;
        }
        match state {
            Some(_) => {
                let (held, _) = load(conn, axis, after)?;
                store(conn, axis, after, &(held | items))?;
                done.changed = items.len() - done.as_before;
            }
            None => {
                done.changed = done.moved;
                done.as_before = left.len();
            }
        }
        Ok(done)
    })
}

fn states_of(axis: Axis) -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(move |state| state.axis() == axis)
}

fn load(conn: &Connection, axis: Axis, state: &str) -> Result<(RoaringBitmap, bool)> {
    let found: Option<Vec<u8>> = conn
        .prepare_cached("SELECT members FROM disclosure_state WHERE axis = ?1 AND state = ?2")?
        .query_row(params![axis.code(), state], |row| row.get(0))
        .optional()?;
    match found {
        Some(bytes) => Ok((read_bitmap(&bytes, || format!("disclosure_state {state}"))?, true)),
        None => Ok((RoaringBitmap::new(), false)),
    }
}

fn store(conn: &Connection, axis: Axis, state: &str, members: &RoaringBitmap) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO disclosure_state (axis, state, member_count, members) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (axis, state) DO UPDATE SET member_count = excluded.member_count, members = excluded.members",
    )?
    .execute(params![
        axis.code(),
        state,
        as_i64(members.len()),
        bitmap_bytes(members)?
    ])?;
    Ok(())
}

fn event(
    conn: &Connection,
    axis: Axis,
    before: &str,
    after: &str,
    delta: &RoaringBitmap,
    why: Why<'_>,
    stamp: Stamp<'_>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO disclosure_event (at_micros, actor, axis, before, after, reason, how, delta_count, delta)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        stamp.at_micros,
        stamp.actor,
        axis.code(),
        before,
        after,
        why.reason.trim(),
        why.how,
        as_i64(delta.len()),
        bitmap_bytes(delta)?
    ])?;
    Ok(())
}

fn bad(text: &str, detail: &'static str) -> FactsError {
    FactsError::BadName {
        text: text.to_owned(),
        what: "disclosure state",
        detail,
    }
}

/// The items in a state now.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn items(conn: &Connection, state: State) -> Result<RoaringBitmap> {
    if !has_table(conn, STATE_TABLE)? {
        return Ok(RoaringBitmap::new());
    }
    Ok(load(conn, state.axis(), state.word())?.0)
}

/// How many items are in each state, all states.
///
/// # Errors
/// The database's.
pub fn counts(conn: &Connection) -> Result<Vec<(State, u64)>> {
    let mut all = Vec::with_capacity(State::ALL.len());
    let made = has_table(conn, STATE_TABLE)?;
    for state in State::ALL {
        let count = if made {
            conn.prepare_cached("SELECT member_count FROM disclosure_state WHERE axis = ?1 AND state = ?2")?
                .query_row(params![state.axis().code(), state.word()], |row| row.get(0))
                .optional()?
                .map_or(0, as_u64)
        } else {
            0
        };
        all.push((state, count));
    }
    Ok(all)
}

/// All decisions, oldest first; with an item, those about it.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn events(conn: &Connection, about: Option<ItemNo>) -> Result<Vec<EventRow>> {
    if !has_table(conn, STATE_TABLE)? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT event_id, at_micros, actor, axis, before, after, reason, how, delta_count, delta
         FROM disclosure_event ORDER BY event_id",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let event_id: i64 = row.get(0)?;
        if let Some(item) = about {
            let delta = read_bitmap(row.get_ref(9)?.as_blob().unwrap_or_default(), || {
                format!("disclosure_event {event_id}")
            })?;
            if !delta.contains(item.0) {
                continue;
            }
        }
        all.push(EventRow {
            event_id,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            axis: Axis::from_code(row.get(3)?),
            before: row.get(4)?,
            after: row.get(5)?,
            reason: row.get(6)?,
            how: row.get(7)?,
            count: as_u64(row.get(8)?),
        });
    }
    Ok(all)
}

/// Why the items of a state are in it, by the last decision that put each there.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn reasons(conn: &Connection, state: State) -> Result<Vec<Reasoned>> {
    let mut left = items(conn, state)?;
    let mut all = Vec::new();
    if left.is_empty() {
        return Ok(all);
    }
    let mut statement = conn.prepare_cached(
        "SELECT event_id, at_micros, actor, reason, delta FROM disclosure_event
         WHERE axis = ?1 AND after = ?2 ORDER BY event_id DESC",
    )?;
    let mut rows = statement.query(params![state.axis().code(), state.word()])?;
    while let Some(row) = rows.next()? {
        let event_id: i64 = row.get(0)?;
        let delta = read_bitmap(row.get_ref(4)?.as_blob().unwrap_or_default(), || {
            format!("disclosure_event {event_id}")
        })?;
        let items = &delta & &left;
        if items.is_empty() {
            continue;
        }
        left -= &items;
        all.push(Reasoned {
            items,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            reason: row.get(3)?,
        });
        if left.is_empty() {
            break;
        }
    }
    Ok(all)
}

/// Puts an officer's own description of an item on record, in place of the one made from its fields. Earlier ones are kept.
///
/// # Errors
/// The description is empty or too long, or the database's; nothing is changed then.
pub fn describe(conn: &Connection, item: ItemNo, words: &str, stamp: Stamp<'_>) -> Result<()> {
    let words = words.trim();
    if words.is_empty() || words.len() > MAX_WORDS_BYTES {
        return Err(FactsError::BadName {
            text: words.chars().take(60).collect(),
            what: "description",
            detail: "it is empty, or longer than 4000 bytes",
        });
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let before: Option<String> = conn
            .prepare_cached("SELECT after FROM disclosure_words WHERE item_no = ?1 ORDER BY words_id DESC LIMIT 1")?
            .query_row([item.0], |row| row.get(0))
            .optional()?;
        conn.prepare_cached(
            "INSERT INTO disclosure_words (item_no, at_micros, actor, before, after) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            item.0,
            stamp.at_micros,
            stamp.actor,
            before.unwrap_or_default(),
            words
        ])?;
        Ok(())
    })
}

/// The newest description of each item that has one.
///
/// # Errors
/// The database's.
pub fn descriptions(conn: &Connection) -> Result<HashMap<ItemNo, String>> {
    let mut all = HashMap::new();
    if !has_table(conn, "disclosure_words")? {
        return Ok(all);
    }
    let mut statement = conn.prepare_cached("SELECT item_no, after FROM disclosure_words ORDER BY words_id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        all.insert(ItemNo(row.get(0)?), row.get(1)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
