//! The items of a case: those whose text names its reference, and its records.
//!
//! The first part is derived: whoever can ask the index writes it here with the index's ticket, and may write it again
//! at any time. So the order in which mail and records come in makes no difference.

use std::collections::HashMap;

use embley_model::id::Ticket;
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Result, as_i64, as_u64, atomically, bitmap_bytes, fold, read_bitmap};

/// How case references are compared: without case, with single spaces.
pub fn case_key(case_ref: &str) -> String {
    fold(case_ref)
}

/// The items that name a case, as last computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    /// The reference as written.
    pub case_ref: String,
    /// The index's ticket when it was computed.
    pub ticket: Ticket,
    /// The items.
    pub items: RoaringBitmap,
}

/// Writes the items whose text names a case. Nothing is written when they are as before at a later ticket, save
/// the ticket.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn put_names(conn: &Connection, names: &[Names]) -> Result<()> {
    atomically(conn, |conn| {
        for one in names {
            conn.prepare_cached(
                "INSERT INTO case_names (case_key, case_ref, version, ticket, member_count, members)
                 VALUES (?1, ?2, 1, ?3, ?4, ?5)
                 ON CONFLICT (case_key) DO UPDATE SET ticket = excluded.ticket, member_count = excluded.member_count,
                    version = version + (members <> excluded.members), members = excluded.members",
            )?
            .execute(params![
                case_key(&one.case_ref),
                one.case_ref,
                as_i64(one.ticket.0),
                as_i64(one.items.len()),
                bitmap_bytes(&one.items)?
            ])?;
        }
        Ok(())
    })
}

/// For each case key with a computed set: the index's ticket then, and the number of items.
///
/// # Errors
/// The database's.
pub fn computed(conn: &Connection) -> Result<HashMap<String, (Ticket, u64)>> {
    let mut statement = conn.prepare_cached("SELECT case_key, ticket, member_count FROM case_names")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, (Ticket(as_u64(row.get(1)?)), as_u64(row.get(2)?))))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The items that name a case, as last computed.
///
/// # Errors
/// The database's.
pub fn names(conn: &Connection, case_ref: &str) -> Result<Option<Names>> {
    let key = case_key(case_ref);
    let found: Option<(String, i64, Vec<u8>)> = conn
        .prepare_cached("SELECT case_ref, ticket, members FROM case_names WHERE case_key = ?1")?
        .query_row([&key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((case_ref, ticket, bytes)) = found else {
        return Ok(None);
    };
    let items = read_bitmap(&bytes, || format!("case_names {key}"))?;
    Ok(Some(Names {
        case_ref,
        ticket: Ticket(as_u64(ticket)),
        items,
    }))
}

/// Gives each case that items name, as last computed, with those items, in the order of keys.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn for_each_names(conn: &Connection, mut each: impl FnMut(&str, &RoaringBitmap)) -> Result<()> {
    let mut statement =
        conn.prepare_cached("SELECT case_ref, members FROM case_names WHERE member_count > 0 ORDER BY case_key")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let case_ref: String = row.get(0)?;
        let bytes: Vec<u8> = row.get(1)?;
        each(&case_ref, &read_bitmap(&bytes, || format!("case_names {case_ref}"))?);
    }
    Ok(())
}

/// The items of the records that belong to a case.
///
/// # Errors
/// The database's.
pub fn record_items(conn: &Connection, case_ref: &str) -> Result<RoaringBitmap> {
    let mut statement = conn.prepare_cached(
        "SELECT r.item_no FROM record_case c JOIN record r ON r.record_no = c.record_no WHERE c.case_key = ?1",
    )?;
    let rows = statement.query_map([case_key(case_ref)], |row| row.get::<_, u32>(0))?;
    Ok(rows.collect::<rusqlite::Result<RoaringBitmap>>()?)
}

/// The set `case:REF`: items that name the case, as last computed, and its records; `None` when nothing is known
/// of such a case.
///
/// # Errors
/// The database's.
pub fn items(conn: &Connection, case_ref: &str) -> Result<Option<RoaringBitmap>> {
    let named = names(conn, case_ref)?.map(|names| names.items);
    let records = record_items(conn, case_ref)?;
    if named.is_none() && records.is_empty() {
        return Ok(None);
    }
    Ok(Some(named.unwrap_or_default() | records))
}
