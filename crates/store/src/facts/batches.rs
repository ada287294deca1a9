//! Review batches: parts of a query's hits that reviewers check out, and that two people never get at once or one after the other by accident.
//!
//! A *review* is made once from a query and cut into batches by item number, families together where that is asked for; what another review holds
//! already is left out unless it is wanted again. Checking out, releasing and finishing are each one transaction that takes the write lock before
//! it looks, so that of two people who ask at the same time each gets another batch, or one of them none. A second round goes to other people: its
//! batches name whom they are not for. Main types: [`Review`], [`Batch`]. Invariant: what a batch holds never changes, and every step is an event
//! with who, when, before and after (triggers); a batch's state is that of its last event.
//!
//! The tables are made by the first review; a catalogue without them reads as one without batches.

use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::sets::{check_name, key_of};
use super::{
    FactsError, Result, Stamp, as_i64, as_u64, atomically, bitmap_bytes, codings, fold, has_table, pass, read_bitmap,
};
use crate::error::StoreError;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS review (
    review_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,           -- the name folded
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    level TEXT NOT NULL,                -- item, family
    form TEXT NOT NULL,                 -- coding form; empty for none
    left_out INTEGER NOT NULL,          -- hits that other reviews held
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS review_not_changed BEFORE UPDATE ON review
    BEGIN SELECT RAISE(ABORT, 'a review is made once'); END;
CREATE TRIGGER IF NOT EXISTS review_not_deleted BEFORE DELETE ON review
    BEGIN SELECT RAISE(ABORT, 'a review is made once'); END;
CREATE TABLE IF NOT EXISTS review_batch (
    batch_id INTEGER PRIMARY KEY,
    review_id INTEGER NOT NULL REFERENCES review (review_id),
    round INTEGER NOT NULL,             -- 1; 2 for a second review
    number INTEGER NOT NULL,            -- from 1 within the review
    not_for TEXT NOT NULL,              -- whose work it looks at again, folded; empty in the first round
    member_count INTEGER NOT NULL,
    members BLOB NOT NULL,
    state INTEGER NOT NULL,             -- State::code, that of the last event
    holder TEXT NOT NULL,               -- who has it or finished it; empty when it is open
    holder_key TEXT NOT NULL,
    UNIQUE (review_id, number)
) STRICT;
CREATE INDEX IF NOT EXISTS review_batch_open ON review_batch (review_id, state, number);
CREATE TRIGGER IF NOT EXISTS review_batch_stays BEFORE UPDATE OF review_id, round, number, not_for, member_count, members ON review_batch
    BEGIN SELECT RAISE(ABORT, 'what a batch holds never changes'); END;
CREATE TRIGGER IF NOT EXISTS review_batch_not_deleted BEFORE DELETE ON review_batch
    BEGIN SELECT RAISE(ABORT, 'a batch is finished, never deleted'); END;
CREATE TABLE IF NOT EXISTS batch_event (
    event_id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL REFERENCES review_batch (batch_id),
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,               -- made, checked out, released, done, reopened
    before_state INTEGER NOT NULL,
    before_holder TEXT NOT NULL,
    after_state INTEGER NOT NULL,
    after_holder TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS batch_event_by_batch ON batch_event (batch_id);
CREATE TRIGGER IF NOT EXISTS batch_event_not_changed BEFORE UPDATE ON batch_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS batch_event_not_deleted BEFORE DELETE ON batch_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
";

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Out,
    /// It is finished.
    Done,
}

impl State {
    fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Out => 2,
            Self::Done => 3,
        }
    }

    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Open,
            2 => Self::Out,
            _ => Self::Done,
        }
    }

    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Out => "out",
            Self::Done => "done",
        }
    }
}

/// A review that is made.
#[derive(Clone, Copy, Debug)]
pub struct NewReview<'a> {
    /// Its name.
    pub name: &'a str,
    /// The query, for the record.
    pub query: &'a str,
    /// `item` or `family`, for the record.
    pub level: &'a str,
    /// Name of the coding form; empty for none.
    pub form: &'a str,
    /// What the query found.
    pub items: &'a RoaringBitmap,
    /// Items at which a family begins, when families stay together.
    pub roots: Option<&'a RoaringBitmap>,
    /// Most items of a batch; a larger family is a batch of its own.
    pub size: u64,
    /// Take items too that another review holds.
    pub again: bool,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Row id.
    #[serde(skip)]
    pub review_id: i64,
    /// Its name.
    pub name: String,
    /// The query.
    pub query: String,
    /// `item` or `family`.
    pub level: String,
    /// Name of the coding form; empty for none.
    pub form: String,
    /// Hits that were left out because another review held them.
    pub left_out: u64,
    /// When it was made, microseconds since 1970.
    pub at_micros: i64,
    /// Who made it.
    pub actor: String,
}

/// A batch without its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Row id: the number by which it is called.
    pub batch_id: i64,
    /// Name of its review.
    pub review: String,
    /// Its review's coding form; empty for none.
    pub form: String,
    /// 1; 2 for a second review.
    pub round: u32,
    /// From 1 within the review.
    pub number: u64,
    /// Whose work it looks at again.
    pub not_for: String,
    /// Items in it.
    pub items: u64,
    /// Where it stands.
    pub state: State,
    /// Who has it, or finished it.
    pub holder: String,
}

/// One step of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchEvent {
    /// The batch.
    pub batch_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// `made`, `checked out`, `released`, `done`, `reopened`.
    pub action: String,
    /// State and holder before.
    pub before: String,
    /// State and holder after.
    pub after: String,
    /// Why.
    pub note: String,
}

/// Makes a review and its batches.
///
/// # Errors
/// The name cannot be one or is taken, the size is 0, nothing is left to review, or the database's; nothing is changed then.
pub fn create(conn: &Connection, new: &NewReview<'_>, stamp: Stamp<'_>) -> Result<(Review, Vec<Batch>)> {
    let name = check_name(new.name, "review")?;
    if new.size == 0 {
        return Err(FactsError::not_allowed("a batch holds at least one item", None));
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        if reviews(conn)?.iter().any(|one| key_of(&one.name) == key_of(name)) {
            return Err(FactsError::not_allowed(
                format!("there is a review \"{name}\" already"),
                Some("`embley batch list` shows it; give the new one another name"),
            ));
        }
        let mut items = new.items.clone();
        if !new.again {
            items -= held_items(conn)?;
        }
        let left_out = new.items.len() - items.len();
        if items.is_empty() {
            return Err(FactsError::not_allowed(
                format!("nothing is left to review: {left_out} hits are in batches of other reviews"),
                Some("--again takes them once more"),
            ));
        }
        conn.prepare_cached(
            "INSERT INTO review (key, name, query, level, form, left_out, at_micros, actor) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            key_of(name),
            name,
            new.query,
            new.level,
            new.form,
            as_i64(left_out),
            stamp.at_micros,
            stamp.actor
        ])?;
        let review = find_review(conn, name)?;
        for members in cut(&items, new.roots, new.size) {
            insert(conn, &review, 1, "", &members, stamp)?;
        }
        let mut batches = list(conn)?;
        batches.retain(|one| one.review == review.name);
        Ok((review, batches))
    })
}

/// Cuts items into batches in their order; a family is not divided.
fn cut(items: &RoaringBitmap, roots: Option<&RoaringBitmap>, size: u64) -> Vec<RoaringBitmap> {
    let mut batches = Vec::new();
    let mut batch = RoaringBitmap::new();
    let mut family = RoaringBitmap::new();
    let mut family_root = None;
    let mut close = |family: &mut RoaringBitmap, batch: &mut RoaringBitmap| {
        if !batch.is_empty() && batch.len() + family.len() > size {
            batches.push(std::mem::take(batch));
        }
        *batch |= std::mem::take(family);
    };
    for item in items {
        // The family of an item begins at the last root at or before it.
        let root = match roots {
            None => Some(item),
            Some(roots) => roots.rank(item).checked_sub(1).and_then(|nth| roots.select(nth as u32)),
        };
        if root != family_root {
            close(&mut family, &mut batch);
            family_root = root;
        }
        family.insert(item);
    }
    close(&mut family, &mut batch);
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

fn insert(
    conn: &Connection,
    review: &Review,
    round: u32,
    not_for: &str,
    items: &RoaringBitmap,
    stamp: Stamp<'_>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO review_batch (review_id, round, number, not_for, member_count, members, state, holder, holder_key)
         SELECT ?1, ?2, 1 + coalesce(max(number), 0), ?3, ?4, ?5, 1, '', '' FROM review_batch WHERE review_id = ?1",
    )?
    .execute(params![
        review.review_id,
        round,
        fold(not_for),
        as_i64(items.len()),
        bitmap_bytes(items)?
    ])?;
    let batch_id = conn.last_insert_rowid();
    conn.prepare_cached(
        "INSERT INTO batch_event (batch_id, at_micros, actor, action, before_state, before_holder, after_state, after_holder, note)
         VALUES (?1, ?2, ?3, 'made', 1, '', 1, '', '')",
    )?
    .execute(params![batch_id, stamp.at_micros, stamp.actor])?;
    Ok(())
}

/// Makes batches of a second review: of each reviewer's items in a review, those that `chosen` names, for other people. An item for which a second
/// batch was made before is left out. Gives the new batches.
///
/// # Errors
/// There is no such review, nothing is left, or the database's; nothing is changed then.
pub fn second(
    conn: &Connection,
    review: &str,
    chosen: &[(String, RoaringBitmap)],
    size: u64,
    stamp: Stamp<'_>,
) -> Result<Vec<Batch>> {
    atomically(conn, |conn| {
        let review = find_review(conn, review)?;
        let before: Vec<i64> = list(conn)?.iter().map(|batch| batch.batch_id).collect();
        let mut held = RoaringBitmap::new();
        for batch in list(conn)?
            .iter()
            .filter(|one| one.review == review.name && one.round == 2)
        {
            held |= members(conn, batch.batch_id)?;
        }
        for (reviewer, items) in chosen {
            for part in cut(&(items - &held), None, size.max(1)) {
                insert(conn, &review, 2, reviewer, &part, stamp)?;
            }
        }
        let mut made = list(conn)?;
        made.retain(|batch| !before.contains(&batch.batch_id));
        if made.is_empty() {
            return Err(FactsError::not_allowed(
                format!(
                    "review \"{}\" has nothing coded that is not in a second batch already",
                    review.name
                ),
                None,
            ));
        }
        Ok(made)
    })
}

/// Every item that a batch holds.
fn held_items(conn: &Connection) -> Result<RoaringBitmap> {
    let mut held = RoaringBitmap::new();
    let mut statement = conn.prepare_cached("SELECT batch_id, members FROM review_batch")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let batch_id: i64 = row.get(0)?;
        held |= read_bitmap(row.get_ref(1)?.as_blob().unwrap_or_default(), || {
            format!("review_batch {batch_id}")
        })?;
    }
    Ok(held)
}

/// Gives the actor the first open batch of a review (or of the oldest one that has any) that they may have; `None` when there is none.
///
/// # Errors
/// There is no such review, or the database's; nothing is changed then.
pub fn check_out(conn: &Connection, review: Option<&str>, stamp: Stamp<'_>) -> Result<Option<Batch>> {
    let review = review.map(|name| find_review(conn, name)).transpose()?;
    atomically(conn, |conn| {
        let actor = fold(stamp.actor);
        let open = list(conn)?.into_iter().find(|batch| {
            batch.state == State::Open
                && batch.not_for != actor
                && review.as_ref().is_none_or(|one| one.name == batch.review)
        });
        match open {
            None => Ok(None),
            Some(batch) => step(conn, &batch, "checked out", State::Out, stamp.actor, "", stamp).map(Some),
        }
    })
}

/// Gives the actor this batch.
///
/// # Errors
/// There is no such batch, somebody has or had it, it looks at the actor's own work, or the database's; nothing is changed then.
pub fn check_out_this(conn: &Connection, batch_id: i64, stamp: Stamp<'_>) -> Result<Batch> {
    atomically(conn, |conn| {
        let batch = find(conn, batch_id)?;
        if batch.state != State::Open {
            return Err(taken(&batch));
        }
        if batch.not_for == fold(stamp.actor) {
            return Err(FactsError::not_allowed(
                format!(
                    "batch {batch_id} looks again at what {} coded; it is for somebody else",
                    stamp.actor
                ),
                Some("`embley batch checkout` gives you another one"),
            ));
        }
        step(conn, &batch, "checked out", State::Out, stamp.actor, "", stamp)
    })
}

fn taken(batch: &Batch) -> FactsError {
    let detail = match batch.state {
        State::Open => format!("batch {} is open: nobody has it", batch.batch_id),
        State::Out => format!("{} has batch {}", batch.holder, batch.batch_id),
        State::Done => format!("batch {} was finished by {}", batch.batch_id, batch.holder),
    };
    FactsError::not_allowed(detail, Some("`embley batch list` shows who has what"))
}

/// Gives a batch back unfinished. Of somebody else's batch a reason is asked for, which stays on record.
///
/// # Errors
/// There is no such batch, nobody has it, or it is somebody else's and no reason is given; nothing is changed then.
pub fn release(conn: &Connection, batch_id: i64, note: &str, stamp: Stamp<'_>) -> Result<Batch> {
    atomically(conn, |conn| {
        let batch = find(conn, batch_id)?;
        if batch.state != State::Out {
            return Err(taken(&batch));
        }
        others(&batch, note, stamp)?;
        step(conn, &batch, "released", State::Open, "", note, stamp)
    })
}

/// Finishes a batch: every item of it is coded by its holder, where its review has a form.
///
/// # Errors
/// There is no such batch, the actor does not have it, or items are not coded (the message counts them and names the first); nothing is
/// changed then.
pub fn finish(conn: &Connection, batch_id: i64, note: &str, stamp: Stamp<'_>) -> Result<Batch> {
    atomically(conn, |conn| {
        let batch = find(conn, batch_id)?;
        if batch.state != State::Out || fold(&batch.holder) != fold(stamp.actor) {
            return Err(taken(&batch));
        }
        if !batch.form.is_empty() {
            let left = members(conn, batch_id)? - codings::coded(conn, &batch.form, stamp.actor)?;
            if let Some(first) = left.min() {
                return Err(FactsError::not_allowed(
                    format!(
                        "{} items of batch {batch_id} are not coded by \"{}\", the first of them item {first}",
                        left.len(),
                        batch.form
                    ),
                    Some("code them with `embley coding set`, or give the batch back with `embley batch release`"),
                ));
            }
        }
        step(conn, &batch, "done", State::Done, &batch.holder, note, stamp)
    })
}

/// Opens a finished batch again, for its holder. A reason is asked for.
///
/// # Errors
/// There is no such batch, it is not finished, or no reason is given; nothing is changed then.
pub fn reopen(conn: &Connection, batch_id: i64, note: &str, stamp: Stamp<'_>) -> Result<Batch> {
    atomically(conn, |conn| {
        let batch = find(conn, batch_id)?;
        if batch.state != State::Done {
            return Err(taken(&batch));
        }
        if note.trim().is_empty() {
            return Err(FactsError::not_allowed(
                format!("batch {batch_id} is finished; it is opened again with a reason"),
                Some("say why with --note TEXT"),
            ));
        }
        step(conn, &batch, "reopened", State::Out, &batch.holder, note, stamp)
    })
}

fn others(batch: &Batch, note: &str, stamp: Stamp<'_>) -> Result<()> {
    if fold(&batch.holder) == fold(stamp.actor) || !note.trim().is_empty() {
        return Ok(());
    }
    Err(FactsError::not_allowed(
        format!(
            "{} has batch {}; it is taken from them with a reason",
            batch.holder, batch.batch_id
        ),
        Some("say why with --note TEXT"),
    ))
}

fn step(
    conn: &Connection,
    batch: &Batch,
    action: &str,
    state: State,
    holder: &str,
    note: &str,
    stamp: Stamp<'_>,
) -> Result<Batch> {
    conn.prepare_cached(
        "INSERT INTO batch_event (batch_id, at_micros, actor, action, before_state, before_holder, after_state, after_holder, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        batch.batch_id,
        stamp.at_micros,
        stamp.actor,
        action,
        batch.state.code(),
        batch.holder,
        state.code(),
        holder,
        note.trim()
    ])?;
    pass("fact-batch")?;
    let done = conn
        .prepare_cached(
            "UPDATE review_batch SET state = ?2, holder = ?3, holder_key = ?4 WHERE batch_id = ?1 AND state = ?5",
        )?
        .execute(params![
            batch.batch_id,
            state.code(),
            holder,
            fold(holder),
            batch.state.code()
        ])?;
    if done != 1 {
        return Err(StoreError::internal(format!("batch {} changed under the write lock", batch.batch_id)).into());
    }
    find(conn, batch.batch_id)
}

fn find_review(conn: &Connection, name: &str) -> Result<Review> {
    let found = reviews(conn)?.into_iter().find(|one| key_of(&one.name) == key_of(name));
    found.ok_or_else(|| FactsError::NotFound {
        what: "review",
        name: format!("\"{}\"", name.trim()),
    })
}

/// All reviews, oldest first.
///
/// # Errors
/// The database's.
pub fn reviews(conn: &Connection) -> Result<Vec<Review>> {
    if !has_table(conn, "review")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT review_id, name, query, level, form, left_out, at_micros, actor FROM review ORDER BY review_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Review {
            review_id: row.get(0)?,
            name: row.get(1)?,
            query: row.get(2)?,
            level: row.get(3)?,
            form: row.get(4)?,
            left_out: as_u64(row.get(5)?),
            at_micros: row.get(6)?,
            actor: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One batch.
///
/// # Errors
/// There is no such batch.
pub fn find(conn: &Connection, batch_id: i64) -> Result<Batch> {
    let found = list(conn)?.into_iter().find(|batch| batch.batch_id == batch_id);
    found.ok_or_else(|| FactsError::NotFound {
        what: "batch",
        name: batch_id.to_string(),
    })
}

/// All batches, by review, then number.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Batch>> {
    if !has_table(conn, "review_batch")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT b.batch_id, r.name, r.form, b.round, b.number, b.not_for, b.member_count, b.state, b.holder
         FROM review_batch b JOIN review r ON r.review_id = b.review_id ORDER BY b.review_id, b.number",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Batch {
            batch_id: row.get(0)?,
            review: row.get(1)?,
            form: row.get(2)?,
            round: row.get(3)?,
            number: as_u64(row.get(4)?),
            not_for: row.get(5)?,
            items: as_u64(row.get(6)?),
            state: State::from_code(row.get(7)?),
            holder: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The items of a batch.
///
/// # Errors
/// There is no such batch, or its bytes are damaged.
pub fn members(conn: &Connection, batch_id: i64) -> Result<RoaringBitmap> {
    find(conn, batch_id)?;
    let bytes: Vec<u8> = conn
        .prepare_cached("SELECT members FROM review_batch WHERE batch_id = ?1")?
        .query_row([batch_id], |row| row.get(0))?;
    read_bitmap(&bytes, || format!("review_batch {batch_id}"))
}

/// All steps of all batches, oldest first.
///
/// # Errors
/// The database's.
pub fn events(conn: &Connection) -> Result<Vec<BatchEvent>> {
    if !has_table(conn, "batch_event")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT batch_id, at_micros, actor, action, before_state, before_holder, after_state, after_holder, note
         FROM batch_event ORDER BY event_id",
    )?;
    let rows = statement.query_map([], |row| {
        let side = |state: u8, holder: String| {
            let word = State::from_code(state).word();
            if holder.is_empty() {
                word.to_owned()
            } else {
                format!("{word}: {holder}")
            }
        };
        Ok(BatchEvent {
            batch_id: row.get(0)?,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            before: side(row.get(4)?, row.get(5)?),
            after: side(row.get(6)?, row.get(7)?),
            note: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Checks that every batch stands where its last event left it, and that what it counts is what it holds; gives what does not hold, in words.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn verify(conn: &Connection) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let events = events(conn)?;
    for batch in list(conn)? {
        let held = members(conn, batch.batch_id)?.len();
        if held != batch.items {
            problems.push(format!(
                "batch {} counts {} items and holds {held}",
                batch.batch_id, batch.items
            ));
        }
        let last = events.iter().rev().find(|event| event.batch_id == batch.batch_id);
        let stands = match batch.holder.as_str() {
            "" => batch.state.word().to_owned(),
            holder => format!("{}: {holder}", batch.state.word()),
        };
        if last.is_none_or(|event| event.after != stands) {
            problems.push(format!(
                "batch {} stands as \"{stands}\", its last event says otherwise",
                batch.batch_id
            ));
        }
    }
    Ok(problems)
}
