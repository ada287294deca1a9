//! The exhibit register: references, producers, descriptions, items.
//!
//! Two producers can share initials, so that the key is reference *and* producer; a clash is a warning for people,
//! never an error. What was said about an exhibit before is kept in `exhibit_change`.

use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::reference::NextRef;
use super::sets::{self, Action, Change, SetKind};
use super::{ExhibitRef, FactsError, Result, Stamp, atomically, fold, is_hidden, is_limited, seen_len};
use crate::error::StoreError;

/// An exhibit as the register has it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exhibit {
    /// Row id.
    #[serde(skip)]
    pub exhibit_id: i64,
    /// Its set of items.
    #[serde(skip)]
    pub set_id: i64,
    /// The reference.
    pub reference: ExhibitRef,
    /// Who produced it; empty when it was not said.
    pub produced_by: String,
    /// When it was produced, as said: RFC 3339 or a day; empty when it was not said.
    pub produced_on: String,
    /// What it is.
    pub description: String,
    /// Number of items.
    pub count: u64,
    /// Who entered it.
    pub created_by: String,
    /// When, in microseconds since 1970.
    pub created_at_micros: i64,
}

/// What is said about an exhibit when items are added; absent parts stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Said<'a> {
    /// Who produced it.
    pub produced_by: Option<&'a str>,
    /// When it was produced: RFC 3339 or a day (checked by the caller).
    pub produced_on: Option<&'a str>,
    /// What it is.
    pub description: Option<&'a str>,
}

/// What [`register`] found or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// The exhibit.
    pub exhibit: Exhibit,
    /// True when it is new.
    pub created: bool,
    /// Other producers with the same initials, sorted: to be shown as a warning.
    pub clashes: Vec<Clash>,
}

/// Another producer with the same initials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Clash {
    /// The other producer.
    pub produced_by: String,
    /// One of their exhibits: the same reference if they have it, else the first.
    pub reference: ExhibitRef,
}

/// Finds an exhibit or enters it in the register, and writes down what is newly said about it.
///
/// Without a producer, the reference must name at most one exhibit. An exhibit whose producer was not said takes
/// the first producer that is.
///
/// # Errors
/// The reference is ambiguous, or the database's; nothing is changed then.
pub fn register(conn: &Connection, reference: &ExhibitRef, said: &Said<'_>, stamp: Stamp<'_>) -> Result<Registered> {
    atomically(conn, |conn| {
        let held = with_reference(conn, reference)?;
        let (exhibit, created) = match choose(held, reference, said.produced_by)? {
            Some(found) => (amend(conn, found, said, stamp)?, false),
            None => {
                let producer = fold(said.produced_by.unwrap_or_default());
                refuse_taken(conn, reference, &producer)?;
                (insert(conn, reference, said, stamp)?, true)
            }
        };
        let clashes = clashes(conn, &exhibit)?;
        Ok(Registered {
            exhibit,
            created,
            clashes,
        })
    })
}

/// Which of the exhibits with one reference is meant; `None` means a new one.
fn choose(held: Vec<Exhibit>, reference: &ExhibitRef, produced_by: Option<&str>) -> Result<Option<Exhibit>> {
    if reference.series().is_some() {
        // The number of a statement, document, report or message is given once, whoever made it.
        return Ok(held.into_iter().next());
    }
    let Some(producer) = produced_by else {
        return only(held, reference);
    };
    let key = fold(producer);
    let exact = held.iter().find(|one| fold(&one.produced_by) == key);
    let unsaid = held.iter().find(|one| one.produced_by.is_empty());
    Ok(exact.or(unsaid).cloned())
}

fn only(mut held: Vec<Exhibit>, reference: &ExhibitRef) -> Result<Option<Exhibit>> {
    if held.len() < 2 {
        return Ok(held.pop());
    }
    let producers: Vec<&str> = held.iter().map(|one| one.produced_by.as_str()).collect();
    Err(FactsError::Ambiguous {
        reference: reference.to_string(),
        producers: producers.join(", "),
    })
}

fn insert(conn: &Connection, reference: &ExhibitRef, said: &Said<'_>, stamp: Stamp<'_>) -> Result<Exhibit> {
    let producer = said.produced_by.unwrap_or_default().trim();
    let producer_key = fold(producer);
    let name = reference.to_string();
    let set_id = sets::ensure(conn, SetKind::Exhibit, &format!("{name}|{producer_key}"), &name)?;
    conn.prepare_cached(
        "INSERT INTO exhibit (set_id, reference, initials, producer_key, produced_by, produced_on, description,
            created_at_micros, created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        set_id,
        name,
        reference.initials(),
        producer_key,
        producer,
        said.produced_on.unwrap_or_default(),
        said.description.unwrap_or_default(),
        stamp.at_micros,
        stamp.actor
    ])?;
    one(conn, "WHERE exhibit_id = ?1", &conn.last_insert_rowid())
}

/// Refuses what an exhibit has that whoever holds the connection may not be told of: it is not there for them, and its place in the
/// register is not free. Nothing of it is said.
fn refuse_taken(conn: &Connection, reference: &ExhibitRef, producer_key: &str) -> Result<()> {
    let is_series = reference.series().is_some();
    let taken: i64 = conn
        .prepare_cached("SELECT count(*) FROM exhibit WHERE reference = ?1 AND (?2 OR producer_key = ?3)")?
        .query_row(params![reference.to_string(), is_series, producer_key], |row| {
            row.get(0)
        })?;
    if taken == 0 {
        return Ok(());
    }
    Err(FactsError::not_allowed(
        format!("{reference} is not free"),
        Some("take another number; `+` in its place gives the next free one"),
    ))
}

/// Writes what is newly said, and what was said before into the history.
fn amend(conn: &Connection, held: Exhibit, said: &Said<'_>, stamp: Stamp<'_>) -> Result<Exhibit> {
    let news = [
        ("produced_by", &held.produced_by, said.produced_by),
        ("produced_on", &held.produced_on, said.produced_on),
        ("description", &held.description, said.description),
    ];
    let mut changed = false;
    for (field, before, after) in news {
        let Some(after) = after.map(str::trim).filter(|after| after != before) else {
            continue;
        };
        if field == "produced_by" && fold(before) == fold(after) {
            continue;
        }
        changed = true;
        conn.prepare_cached(
            "INSERT INTO exhibit_change (exhibit_id, at_micros, actor, field, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            held.exhibit_id,
            stamp.at_micros,
            stamp.actor,
            field,
            before,
            after
        ])?;
        set_field(conn, &held, field, after)?;
    }
    if changed {
        one(conn, "WHERE exhibit_id = ?1", &held.exhibit_id)
    } else {
        Ok(held)
    }
}

fn set_field(conn: &Connection, held: &Exhibit, field: &str, after: &str) -> Result<()> {
    let id = held.exhibit_id;
    match field {
        "produced_by" => {
            if held.reference.series().is_none() {
                refuse_taken(conn, &held.reference, &fold(after))?;
            }
            conn.execute(
                "UPDATE exhibit SET produced_by = ?2, producer_key = ?3 WHERE exhibit_id = ?1",
                params![id, after, fold(after)],
            )?;
            let key = format!("{}|{}", held.reference, fold(after));
            conn.execute(
                "UPDATE fact_set SET key = ?2 WHERE set_id = ?1",
                params![held.set_id, key],
            )?;
        }
        "produced_on" => {
            conn.execute(
                "UPDATE exhibit SET produced_on = ?2 WHERE exhibit_id = ?1",
                params![id, after],
            )?;
        }
        _ => {
            conn.execute(
                "UPDATE exhibit SET description = ?2 WHERE exhibit_id = ?1",
                params![id, after],
            )?;
        }
    }
    Ok(())
}

/// Producers of other exhibits with the same initials. An exhibit whose producer was not said clashes with nobody.
fn clashes(conn: &Connection, exhibit: &Exhibit) -> Result<Vec<Clash>> {
    let own = fold(&exhibit.produced_by);
    if own.is_empty() || exhibit.reference.series().is_some() {
        return Ok(Vec::new());
    }
    let mut found: Vec<Clash> = Vec::new();
    let mut same = many(conn, "WHERE e.initials = ?1", &exhibit.reference.initials())?;
    same.retain(|other| other.reference.series().is_none());
    same.sort_by_key(|other| (other.reference != exhibit.reference, other.reference.clone()));
    for other in same {
        let key = fold(&other.produced_by);
        if key.is_empty() || key == own || found.iter().any(|clash| fold(&clash.produced_by) == key) {
            continue;
        }
        found.push(Clash {
            produced_by: other.produced_by,
            reference: other.reference,
        });
    }
    found.sort();
    Ok(found)
}

/// Finds one exhibit.
///
/// # Errors
/// There is none, or there are several and no producer was said.
pub fn find(conn: &Connection, reference: &ExhibitRef, produced_by: Option<&str>) -> Result<Exhibit> {
    let mut held = with_reference(conn, reference)?;
    if let Some(producer) = produced_by {
        let key = fold(producer);
        held.retain(|one| fold(&one.produced_by) == key);
    }
    only(held, reference)?.ok_or_else(|| FactsError::NotFound {
        what: "exhibit",
        name: reference.to_string(),
    })
}

/// The next free reference of a place in the register, whoever produces there: the one behind the highest that was ever given, also to
/// what is kept from sight.
///
/// # Errors
/// There is no number left, or the database's.
pub fn next_free(conn: &Connection, next: &NextRef) -> Result<ExhibitRef> {
    let held = register_rows(conn, "WHERE e.initials = ?1", &next.initials())?;
    next.behind(held.iter().map(|one| &one.reference))
        .ok_or_else(|| FactsError::BadReference {
            text: next.initials().to_owned(),
            detail: "there is no number left behind the highest one",
        })
}

/// All exhibits with a reference: more than one when producers share initials.
///
/// # Errors
/// The database's.
pub fn with_reference(conn: &Connection, reference: &ExhibitRef) -> Result<Vec<Exhibit>> {
    many(conn, "WHERE e.reference = ?1", &reference.to_string())
}

/// The register, in the order of references, then producers.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<Exhibit>> {
    many(conn, "WHERE ?1", &true)
}

/// The items of all exhibits with a reference; `None` when there is no such exhibit.
///
/// # Errors
/// The database's.
pub fn items(conn: &Connection, reference: &ExhibitRef) -> Result<Option<RoaringBitmap>> {
    let held = with_reference(conn, reference)?;
    if held.is_empty() {
        return Ok(None);
    }
    let mut all = RoaringBitmap::new();
    for exhibit in held {
        all |= sets::members(conn, exhibit.set_id)?;
    }
    Ok(Some(all))
}

/// Adds items to an exhibit as one event.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn add_items(
    conn: &Connection,
    exhibit: &Exhibit,
    items: &RoaringBitmap,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<Change> {
    sets::change(conn, exhibit.set_id, Action::Added, items, reason, stamp)
}

/// Takes items out of an exhibit as one event.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn remove_items(
    conn: &Connection,
    exhibit: &Exhibit,
    items: &RoaringBitmap,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<Change> {
    sets::change(conn, exhibit.set_id, Action::Removed, items, reason, stamp)
}

/// What was said about an exhibit before, oldest first.
///
/// # Errors
/// The database's.
pub fn changes(conn: &Connection, exhibit: &Exhibit) -> Result<Vec<ExhibitChange>> {
    let mut statement = conn.prepare_cached(
        "SELECT at_micros, actor, field, before, after FROM exhibit_change WHERE exhibit_id = ?1 ORDER BY change_id",
    )?;
    let rows = statement.query_map([exhibit.exhibit_id], |row| {
        Ok(ExhibitChange {
            at_micros: row.get(0)?,
            actor: row.get(1)?,
            field: row.get(2)?,
            before: row.get(3)?,
            after: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One amendment of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExhibitChange {
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// Which field.
    pub field: String,
    /// What it said.
    pub before: String,
    /// What it says.
    pub after: String,
}

/// Exhibits of which whoever holds the connection may be told: one that holds nothing but what is kept from them is not there.
fn many(conn: &Connection, condition: &str, parameter: &dyn rusqlite::ToSql) -> Result<Vec<Exhibit>> {
    let all = register_rows(conn, condition, parameter)?;
    if all.is_empty() || !is_limited(conn)? {
        return Ok(all);
    }
    let mut told = Vec::with_capacity(all.len());
    for mut exhibit in all {
        let items = sets::members(conn, exhibit.set_id)?;
        if !is_hidden(conn, &items)? {
            exhibit.count = seen_len(conn, &items)?;
            told.push(exhibit);
        }
    }
    Ok(told)
}

fn register_rows(conn: &Connection, condition: &str, parameter: &dyn rusqlite::ToSql) -> Result<Vec<Exhibit>> {
    let sql = format!(
        "SELECT e.exhibit_id, e.set_id, e.reference, e.produced_by, e.produced_on, e.description, s.member_count,
            e.created_by, e.created_at_micros
         FROM exhibit e JOIN fact_set s ON s.set_id = e.set_id {condition}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([parameter])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let exhibit_id: i64 = row.get(0)?;
        let text: String = row.get(2)?;
        let reference = text.parse().map_err(|_| {
            StoreError::damaged(
                "the exhibit register",
                format!("exhibit {exhibit_id}"),
                format!("reference \"{text}\""),
            )
        })?;
        all.push(Exhibit {
            exhibit_id,
            set_id: row.get(1)?,
            reference,
            produced_by: row.get(3)?,
            produced_on: row.get(4)?,
            description: row.get(5)?,
            count: super::as_u64(row.get(6)?),
            created_by: row.get(7)?,
            created_at_micros: row.get(8)?,
        });
    }
    all.sort_by(|one, other| {
        (&one.reference, &one.produced_by, one.exhibit_id).cmp(&(
            &other.reference,
            &other.produced_by,
            other.exhibit_id,
        ))
    });
    Ok(all)
}

fn one(conn: &Connection, condition: &str, parameter: &dyn rusqlite::ToSql) -> Result<Exhibit> {
    many(conn, condition, parameter)?
        .pop()
        .ok_or_else(|| StoreError::internal("an exhibit just written is not there").into())
}
