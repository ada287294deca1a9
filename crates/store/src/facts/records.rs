//! Case-system records in the catalogue: key, item, every version, the cases they belong to.
//!
//! A record is identified by (source system, type, id), never by its hash. An update keeps the item number and adds
//! a version. `ingest` calls [`put`] in the transaction in which it catalogues the item, so that a record without
//! an item, or an item of a record without its key, cannot exist.

use std::collections::HashMap;

use embley_model::id::{ItemNo, Key128, RunNo};
use embley_model::record::{Record, RecordKey, RecordType};
use rusqlite::{Connection, Row, params};

use super::cases::case_key;
use super::{Result, as_i64, as_u64, atomically, people};
use crate::error::StoreError;

/// What is known of a record's newest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Row id.
    pub record_no: i64,
    /// Its item.
    pub item: ItemNo,
    /// The newest version, from 1.
    pub version: u32,
    /// Hash of its content.
    pub content: Key128,
}

/// A version to be written; owned, so that it can wait in a batch of catalogue rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// The key.
    pub key: RecordKey,
    /// The item: a new one, or that of the earlier versions.
    pub item: ItemNo,
    /// [`content_hash`] of the record.
    pub content: Key128,
    /// The canonical form: the same bytes as the item's original.
    pub body: Vec<u8>,
    /// The references by which it belongs to a case.
    pub case_refs: Vec<String>,
    /// The people whom it names, by id.
    pub people: Vec<String>,
    /// The run that imports it.
    pub run: RunNo,
    /// Label of the file.
    pub source: String,
    /// Row in the file.
    pub source_row: u64,
    /// Who imports it.
    pub actor: String,
    /// When, in microseconds since 1970.
    pub at_micros: i64,
}

/// A version as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Row id of the record.
    pub record_no: i64,
    /// The key.
    pub key: RecordKey,
    /// Its item.
    pub item: ItemNo,
    /// The version, from 1.
    pub version: u32,
    /// The canonical form.
    pub body: Vec<u8>,
    /// Label of the file that it came from.
    pub source: String,
    /// Row in that file.
    pub source_row: u64,
    /// When it was imported, in microseconds since 1970.
    pub imported_at_micros: i64,
    /// The run that imported it.
    pub run: RunNo,
}

impl Stored {
    /// The record itself.
    ///
    /// # Errors
    /// The stored bytes are not a record: the catalogue is damaged.
    pub fn record(&self) -> Result<Record> {
        match Record::read(&self.body) {
            Ok((record, _)) => Ok(record),
            Err(cause) => {
                Err(StoreError::damaged("a case-system record", self.key.display(), cause.to_string()).into())
            }
        }
    }
}

/// Hash of everything that a later row must repeat to be `unchanged`.
pub fn content_hash(record: &Record) -> Key128 {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(record.content().as_bytes()).as_bytes()[..16]);
    Key128(half)
}

/// What is known under a key.
///
/// # Errors
/// The database's.
pub fn known(conn: &Connection, key: &RecordKey) -> Result<Option<Known>> {
    let mut statement = conn.prepare_cached(
        "SELECT r.record_no, r.item_no, r.version, v.content_hash
         FROM record r JOIN record_version v ON v.record_no = r.record_no AND v.version = r.version
         WHERE r.source_system = ?1 AND r.record_type = ?2 AND r.record_id = ?3",
    )?;
    let mut rows = statement.query(params![key.source_system, key.record_type.code(), key.record_id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let hash = row.get_ref(3)?.as_blob().ok().and_then(Key128::from_slice);
    Ok(Some(Known {
        record_no: row.get(0)?,
        item: ItemNo(row.get(1)?),
        version: row.get(2)?,
        content: hash.ok_or_else(|| StoreError::damaged("table record_version", key.display(), "content_hash"))?,
    }))
}

/// Writes a version; the present version stays when its content is the same. Gives the version's number.
///
/// # Errors
/// The item is not the one of the earlier versions, or the database's; nothing is changed then.
pub fn put(conn: &Connection, new: &VersionRow) -> Result<u32> {
    atomically(conn, |conn| {
        people::ready(conn)?;
        put_one(conn, new)
    })
}

/// Writes many versions, all or none.
///
/// # Errors
/// As [`put`].
pub fn put_all(conn: &Connection, all: impl IntoIterator<Item = VersionRow>) -> Result<()> {
    atomically(conn, |conn| {
        people::ready(conn)?;
        for new in all {
            put_one(conn, &new)?;
        }
        Ok(())
    })
}

fn put_one(conn: &Connection, new: &VersionRow) -> Result<u32> {
    let (record_no, version) = match known(conn, &new.key)? {
        Some(known) if known.item != new.item => {
            return Err(StoreError::internal(format!(
                "record {} is item {}, an update came as item {}",
                new.key.display(),
                known.item,
                new.item
            ))
            .into());
        }
        Some(known) if known.content == new.content => return Ok(known.version),
        Some(known) => {
            conn.prepare_cached("UPDATE record SET version = ?2 WHERE record_no = ?1")?
                .execute(params![known.record_no, known.version + 1])?;
            (known.record_no, known.version + 1)
        }
        None => {
            conn.prepare_cached(
                "INSERT INTO record (source_system, record_type, record_id, item_no, version)
                 VALUES (?1, ?2, ?3, ?4, 1)",
            )?
            .execute(params![
                new.key.source_system,
                new.key.record_type.code(),
                new.key.record_id,
                new.item.0
            ])?;
            (conn.last_insert_rowid(), 1)
        }
    };
    conn.prepare_cached(
        "INSERT INTO record_version (record_no, version, content_hash, imported_at_micros, actor, run_no, source,
            source_row, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        record_no,
        version,
        new.content.0,
        new.at_micros,
        new.actor,
        new.run.0,
        new.source,
        as_i64(new.source_row),
        new.body
    ])?;
    put_cases(conn, record_no, version, &new.case_refs)?;
    people::put_people(conn, record_no, version, &new.people)?;
    Ok(version)
}

/// The newest version decides to which cases a record belongs.
fn put_cases(conn: &Connection, record_no: i64, version: u32, case_refs: &[String]) -> Result<()> {
    if version > 1 {
        conn.prepare_cached("DELETE FROM record_case WHERE record_no = ?1")?
            .execute([record_no])?;
    }
    for case_ref in case_refs {
        conn.prepare_cached("INSERT OR IGNORE INTO record_case (case_key, record_no, case_ref) VALUES (?1, ?2, ?3)")?
            .execute(params![case_key(case_ref), record_no, case_ref])?;
    }
    Ok(())
}

const SELECT: &str = "SELECT r.record_no, r.source_system, r.record_type, r.record_id, r.item_no, v.version, v.body,
        v.source, v.source_row, v.imported_at_micros, v.run_no
    FROM record r JOIN record_version v ON v.record_no = r.record_no ";

fn stored(row: &Row<'_>) -> Result<Stored> {
    let record_no: i64 = row.get(0)?;
    let code: u8 = row.get(2)?;
    let record_type = RecordType::from_code(code)
        .ok_or_else(|| StoreError::damaged("table record", format!("record {record_no}"), format!("type {code}")))?;
    Ok(Stored {
        record_no,
        key: RecordKey {
            source_system: row.get(1)?,
            record_type,
            record_id: row.get(3)?,
        },
        item: ItemNo(row.get(4)?),
        version: row.get(5)?,
        body: row.get(6)?,
        source: row.get(7)?,
        source_row: as_u64(row.get(8)?),
        imported_at_micros: row.get(9)?,
        run: RunNo(row.get(10)?),
    })
}

fn select(conn: &Connection, condition: &str, parameters: &[&dyn rusqlite::ToSql]) -> Result<Vec<Stored>> {
    let mut statement = conn.prepare_cached(&format!("{SELECT}{condition}"))?;
    let mut rows = statement.query(parameters)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(stored(row)?);
    }
    Ok(all)
}

/// The newest versions of the records of a case, by item number.
///
/// # Errors
/// The database's.
pub fn of_case(conn: &Connection, case_ref: &str) -> Result<Vec<Stored>> {
    select(
        conn,
        "JOIN record_case c ON c.record_no = r.record_no WHERE c.case_key = ?1 AND v.version = r.version ORDER BY r.item_no",
        &[&case_key(case_ref)],
    )
}

/// The newest versions of the records of a type that belong to a case, by item number.
///
/// # Errors
/// The database's.
pub fn of_case_and_type(conn: &Connection, case_ref: &str, record_type: RecordType) -> Result<Vec<Stored>> {
    select(
        conn,
        "JOIN record_case c ON c.record_no = r.record_no
         WHERE c.case_key = ?1 AND r.record_type = ?2 AND v.version = r.version ORDER BY r.item_no",
        &[&case_key(case_ref), &record_type.code()],
    )
}

/// The case references that records of a type have, in the order of keys: (key, as written first).
///
/// # Errors
/// The database's.
pub fn case_refs_of_type(conn: &Connection, record_type: RecordType) -> Result<Vec<(String, String)>> {
    let mut statement = conn.prepare_cached(
        "SELECT c.case_key, min(c.case_ref) FROM record r JOIN record_case c ON c.record_no = r.record_no
         WHERE r.record_type = ?1 GROUP BY c.case_key ORDER BY c.case_key",
    )?;
    let rows = statement.query_map([record_type.code()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest versions of all records of a type, by item number.
///
/// # Errors
/// The database's.
pub fn of_type(conn: &Connection, record_type: RecordType) -> Result<Vec<Stored>> {
    select(
        conn,
        "WHERE r.record_type = ?1 AND v.version = r.version ORDER BY r.item_no",
        &[&record_type.code()],
    )
}

/// The newest version of the record that is an item.
///
/// # Errors
/// The database's.
pub fn of_item(conn: &Connection, item: ItemNo) -> Result<Option<Stored>> {
    Ok(select(conn, "WHERE r.item_no = ?1 AND v.version = r.version", &[&item.0])?.pop())
}

/// Every version of the record that is an item, oldest first.
///
/// # Errors
/// The database's.
pub fn versions(conn: &Connection, item: ItemNo) -> Result<Vec<Stored>> {
    select(conn, "WHERE r.item_no = ?1 ORDER BY v.version", &[&item.0])
}

/// Records of a type that a text names: `dec:SYSTEM/ID`, `SYSTEM/ID`, or an id alone (then there may be several).
///
/// # Errors
/// The database's.
pub fn named(conn: &Connection, record_type: RecordType, text: &str) -> Result<Vec<Stored>> {
    let text = text.trim();
    let prefix = format!("{}:", record_type.prefix());
    let bare = text.strip_prefix(&prefix).unwrap_or(text);
    select(
        conn,
        "WHERE r.record_type = ?1 AND v.version = r.version
             AND (r.record_id = ?2 OR r.source_system || '/' || r.record_id = ?2) ORDER BY r.item_no",
        &[&record_type.code(), &bare],
    )
}

/// Every case reference that records have, in the order of keys: (key, as written first).
///
/// # Errors
/// The database's.
pub fn case_refs(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement =
        conn.prepare_cached("SELECT case_key, min(case_ref) FROM record_case GROUP BY case_key ORDER BY case_key")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Records and versions by type and source, for `records list`: (source system, type, records, versions).
///
/// # Errors
/// The database's.
pub fn summary(conn: &Connection) -> Result<Vec<(String, RecordType, u64, u64)>> {
    let mut statement = conn.prepare_cached(
        "SELECT source_system, record_type, count(*), sum(version) FROM record
         GROUP BY source_system, record_type ORDER BY source_system, record_type",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(record_type) = RecordType::from_code(row.get(1)?) {
            all.push((row.get(0)?, record_type, as_u64(row.get(2)?), as_u64(row.get(3)?)));
        }
    }
    Ok(all)
}

/// Times of recording that at least `least` rows of one source system have in common: ((source system, `recorded_at` as found), rows).
///
/// # Errors
/// The database's.
pub fn recorded_at_once(conn: &Connection, least: u64) -> Result<HashMap<(String, String), u64>> {
    let mut statement = conn.prepare_cached(
        "SELECT r.source_system, json_extract(CAST(v.body AS TEXT), '$.recorded_at') AS at, count(*)
         FROM record r JOIN record_version v ON v.record_no = r.record_no AND v.version = r.version
         WHERE typeof(at) = 'text' GROUP BY 1, 2 HAVING count(*) >= ?1",
    )?;
    let mut rows = statement.query([as_i64(least)])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        all.insert(
            (row.get(0)?, row.get::<_, String>(1)?.trim().to_owned()),
            as_u64(row.get(2)?),
        );
    }
    Ok(all)
}
