//! Review batches: parts of a query's hits that reviewers check out, and that two people never get at once or one after the other by accident.
//!
//! A *review* is made once from a query and cut into batches by item number, families together where that is asked for; what another review holds
//! already is left out unless it is wanted again. Checking out, releasing and finishing are each one transaction that takes the write lock before
//! it looks, so that of two people who ask at the same time each gets another batch, or one of them none. A second round goes to other people: its
//! batches name whom they are not for. Main types: [`Review`], [`Batch`]. Invariant: what a batch holds never changes, and every step is an event
//! with who, when, before and after (triggers); a batch's state is that of its last event.
//!
//! The tables are made by the first review; a catalogue without them reads as one without batches.

mod read;
mod rows;

pub use read::{events, find, list, members, reviews, verify};
pub use rows::{Batch, BatchEvent, NewReview, Review, State};

use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use read::find_review;
use rows::{TABLES, cut};

use super::sets::{check_name, key_of};
use super::{
    FactsError, Result, Stamp, as_i64, atomically, bitmap_bytes, codings, fold, pass, read_bitmap, seen_len, told,
};
use crate::error::StoreError;

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
        let open = list(conn)?.into_iter().filter(|batch| {
            batch.state == State::Open
                && batch.not_for != actor
                && review.as_ref().is_none_or(|one| one.name == batch.review)
        });
        for batch in open {
            // One of which the actor may see nothing is not for them.
            if seen_len(conn, &members(conn, batch.batch_id)?)? > 0 {
                return step(conn, &batch, "checked out", State::Out, stamp.actor, "", stamp).map(Some);
            }
        }
        Ok(None)
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

/// Finishes a batch: every item of it is coded by its holder, where its review has a form. What is kept from the holder's sight is not
/// asked for.
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
            let left = told(conn, &members(conn, batch_id)?)? - codings::coded(conn, &batch.form, stamp.actor)?;
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
