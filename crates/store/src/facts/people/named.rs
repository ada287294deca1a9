//! Which records name which person: made with each version of a record, by the newest one.
//!
//! The table is made with the first record; in a case that had records before, it is filled from them then.

use embley_model::record::Record;
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};

use super::super::{Result, has_table};
use super::person_key;

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS record_person (
    person_key TEXT NOT NULL,           -- the id as records write it, folded
    record_no INTEGER NOT NULL REFERENCES record (record_no),
    PRIMARY KEY (person_key, record_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_person_by_record ON record_person (record_no);
";

/// Makes the table where it is missing.
pub(in crate::facts) fn ready(conn: &Connection) -> Result<()> {
    if has_table(conn, "record_person")? {
        return Ok(());
    }
    conn.execute_batch(TABLE)?;
    let mut statement = conn.prepare(
        "SELECT r.record_no, v.body FROM record r
         JOIN record_version v ON v.record_no = r.record_no AND v.version = r.version",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(1)?;
        if let Ok((record, _)) = Record::read(&body) {
            insert(conn, row.get(0)?, record.people())?;
        }
    }
    Ok(())
}

/// The newest version decides whom a record names.
pub(in crate::facts) fn put_people(conn: &Connection, record_no: i64, version: u32, people: &[String]) -> Result<()> {
    if version > 1 {
        conn.prepare_cached("DELETE FROM record_person WHERE record_no = ?1")?
            .execute([record_no])?;
    }
    insert(conn, record_no, people.iter().map(String::as_str))
}

fn insert<'a>(conn: &Connection, record_no: i64, people: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut statement =
        conn.prepare_cached("INSERT OR IGNORE INTO record_person (person_key, record_no) VALUES (?1, ?2)")?;
    for person in people {
        statement.execute(params![person_key(person), record_no])?;
    }
    Ok(())
}

/// The items of the records that name one of these people, by their keys.
///
/// # Errors
/// The database's.
pub fn items_naming<'a>(conn: &Connection, keys: impl IntoIterator<Item = &'a str>) -> Result<RoaringBitmap> {
    let mut items = RoaringBitmap::new();
    if !has_table(conn, "record_person")? {
        return Ok(items);
    }
    let mut statement = conn.prepare_cached(
        "SELECT r.item_no FROM record_person p JOIN record r ON r.record_no = p.record_no WHERE p.person_key = ?1",
    )?;
    for key in keys {
        let rows = statement.query_map([key], |row| row.get::<_, u32>(0))?;
        for item in rows {
            items.insert(item?);
        }
    }
    Ok(items)
}
