//! Saved searches: a name, what it asks in each of its versions, and what it found each time it ran.
//!
//! What a run found is kept as a bitmap, so that the next run can say which hits are new and which are gone, whatever made them
//! so: new material, text that was recognised later, a tag. Not for: running a query. Invariant: versions and results are only ever
//! added (triggers refuse to change or delete them); a search that is removed is ended, and its name can be used again.
//!
//! The tables are made by the first change; a catalogue without them reads as one without saved searches.

use embley_model::id::{RunNo, Ticket};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::sets::check_name;
use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, bitmap_bytes, fold, has_table, read_bitmap};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS saved_search (
    saved_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,           -- the name folded
    name TEXT NOT NULL                  -- as first written
) STRICT;
CREATE TRIGGER IF NOT EXISTS saved_search_not_deleted BEFORE DELETE ON saved_search
    BEGIN SELECT RAISE(ABORT, 'a saved search is ended, never deleted'); END;

-- What it asks from then on; the newest version holds.
CREATE TABLE IF NOT EXISTS saved_version (
    saved_id INTEGER NOT NULL REFERENCES saved_search (saved_id),
    version INTEGER NOT NULL,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    in_use INTEGER NOT NULL,            -- 0 when this version ended it
    query TEXT NOT NULL,
    options TEXT NOT NULL,              -- how it is counted, as JSON
    note TEXT NOT NULL,
    PRIMARY KEY (saved_id, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS saved_version_not_changed BEFORE UPDATE ON saved_version
    BEGIN SELECT RAISE(ABORT, 'versions of saved searches are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS saved_version_not_deleted BEFORE DELETE ON saved_version
    BEGIN SELECT RAISE(ABORT, 'versions of saved searches are only ever added'); END;

-- What it found: run by a person (ingest_run is null), or after an ingest.
CREATE TABLE IF NOT EXISTS saved_result (
    result_id INTEGER PRIMARY KEY,
    saved_id INTEGER NOT NULL REFERENCES saved_search (saved_id),
    version INTEGER NOT NULL,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    ingest_run INTEGER,
    ticket INTEGER NOT NULL,            -- of the index
    new_count INTEGER NOT NULL,         -- against the last run by a person
    gone_count INTEGER NOT NULL,
    member_count INTEGER NOT NULL,
    members BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS saved_result_by_search ON saved_result (saved_id, result_id);
CREATE TRIGGER IF NOT EXISTS saved_result_not_changed BEFORE UPDATE ON saved_result
    BEGIN SELECT RAISE(ABORT, 'results of saved searches are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS saved_result_not_deleted BEFORE DELETE ON saved_result
    BEGIN SELECT RAISE(ABORT, 'results of saved searches are only ever added'); END;
";

/// A saved search as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SavedSearch {
    /// Row id.
    #[serde(skip)]
    pub saved_id: i64,
    /// Its name as first written.
    pub name: String,
    /// Which version holds.
    pub version: u64,
    /// Who wrote this version.
    pub actor: String,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// False when it was ended.
    pub in_use: bool,
    /// The query as it was typed.
    pub query: String,
    /// How it is counted, as JSON of whoever runs it.
    pub options: String,
    /// What it is for.
    pub note: String,
}

/// What a saved search asks.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The query as typed.
    pub query: &'a str,
    /// How it is counted, as JSON.
    pub options: &'a str,
    /// What it is for; may be empty.
    pub note: &'a str,
}

/// One run of a saved search, without its hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultRow {
    /// Row id.
    pub result_id: i64,
    /// Which version ran.
    pub version: u64,
    /// Who ran it.
    pub actor: String,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// The ingest after which it ran by itself; `None` when a person ran it.
    pub ingest_run: Option<RunNo>,
    /// The index's ticket.
    pub ticket: Ticket,
    /// Hits that the last run by a person had not.
    pub new: u64,
    /// Hits of that run that are none any more.
    pub gone: u64,
    /// Hits.
    pub hits: u64,
}

/// What a run has to say against the last one by a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// Hits that it had not; all of them when there was none.
    pub new: RoaringBitmap,
    /// Its hits that are none any more.
    pub gone: RoaringBitmap,
    /// The run compared with.
    pub before: Option<ResultRow>,
}

/// Saves a search under a name that none in use has.
///
/// # Errors
/// The name cannot be one or is taken, or the database's; nothing is changed then.
pub fn add(conn: &Connection, name: &str, asked: Asked<'_>, stamp: Stamp<'_>) -> Result<SavedSearch> {
    let name = check_name(name, "saved search")?;
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        match find(conn, name)? {
            Some(found) if found.in_use => Err(FactsError::BadName {
                text: name.to_owned(),
                what: "saved search",
                detail: "there is one with this name; `saved change` gives it another query",
            }),
            Some(ended) => put_version(conn, &ended, asked, true, stamp),
            None => {
                conn.prepare_cached("INSERT INTO saved_search (key, name) VALUES (?1, ?2)")?
                    .execute(params![fold(name), name])?;
                let none = SavedSearch {
                    saved_id: conn.last_insert_rowid(),
                    name: name.to_owned(),
                    version: 0,
                    actor: String::new(),
                    at_micros: 0,
                    in_use: false,
                    query: String::new(),
                    options: String::new(),
                    note: String::new(),
                };
                put_version(conn, &none, asked, true, stamp)
            }
        }
    })
}

/// Gives a saved search another query; what it asked before stays on record.
///
/// # Errors
/// There is none in use with this name, or the database's.
pub fn change(conn: &Connection, name: &str, asked: Asked<'_>, stamp: Stamp<'_>) -> Result<SavedSearch> {
    atomically(conn, |conn| {
        let found = in_use(conn, name)?;
        put_version(conn, &found, asked, true, stamp)
    })
}

/// Ends a saved search: it is listed no more and runs after no ingest.
///
/// # Errors
/// There is none in use with this name, or the database's.
pub fn end(conn: &Connection, name: &str, stamp: Stamp<'_>) -> Result<SavedSearch> {
    atomically(conn, |conn| {
        let found = in_use(conn, name)?;
        let (query, options, note) = (found.query.clone(), found.options.clone(), found.note.clone());
        let asked = Asked {
            query: &query,
            options: &options,
            note: &note,
        };
        put_version(conn, &found, asked, false, stamp)
    })
}

fn put_version(
    conn: &Connection,
    before: &SavedSearch,
    asked: Asked<'_>,
    in_use: bool,
    stamp: Stamp<'_>,
) -> Result<SavedSearch> {
    let after = SavedSearch {
        version: before.version + 1,
        actor: stamp.actor.to_owned(),
        at_micros: stamp.at_micros,
        in_use,
        query: asked.query.to_owned(),
        options: asked.options.to_owned(),
        note: asked.note.to_owned(),
        ..before.clone()
    };
    conn.prepare_cached("INSERT INTO saved_version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            after.saved_id,
            as_i64(after.version),
            after.at_micros,
            after.actor,
            after.in_use,
            after.query,
            after.options,
            after.note
        ])?;
    Ok(after)
}

const NEWEST: &str = "
SELECT s.saved_id, s.name, v.version, v.actor, v.at_micros, v.in_use, v.query, v.options, v.note
FROM saved_search s JOIN saved_version v ON v.saved_id = s.saved_id
WHERE v.version = (SELECT max(version) FROM saved_version WHERE saved_id = s.saved_id)";

fn saved_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<SavedSearch> {
    Ok(SavedSearch {
        saved_id: row.get(0)?,
        name: row.get(1)?,
        version: as_u64(row.get(2)?),
        actor: row.get(3)?,
        at_micros: row.get(4)?,
        in_use: row.get(5)?,
        query: row.get(6)?,
        options: row.get(7)?,
        note: row.get(8)?,
    })
}

/// The search of this name as it stands, ended or not.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, name: &str) -> Result<Option<SavedSearch>> {
    if !has_table(conn, "saved_search")? {
        return Ok(None);
    }
    Ok(conn
        .prepare_cached(&format!("{NEWEST} AND s.key = ?1"))?
        .query_row([fold(name)], saved_row)
        .optional()?)
}

/// The search of this name that is in use.
///
/// # Errors
/// There is none, or the database's.
pub fn in_use(conn: &Connection, name: &str) -> Result<SavedSearch> {
    find(conn, name)?
        .filter(|found| found.in_use)
        .ok_or_else(|| FactsError::NotFound {
            what: "saved search",
            name: format!("\"{}\"", name.trim()),
        })
}

/// All that are in use, in the order of their names.
///
/// # Errors
/// The database's.
pub fn list(conn: &Connection) -> Result<Vec<SavedSearch>> {
    if !has_table(conn, "saved_search")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(&format!("{NEWEST} AND v.in_use = 1 ORDER BY s.key"))?;
    let rows = statement.query_map([], saved_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Its versions, oldest first.
///
/// # Errors
/// The database's.
pub fn versions(conn: &Connection, saved: &SavedSearch) -> Result<Vec<SavedSearch>> {
    let mut statement = conn.prepare_cached(
        "SELECT s.saved_id, s.name, v.version, v.actor, v.at_micros, v.in_use, v.query, v.options, v.note
         FROM saved_search s JOIN saved_version v ON v.saved_id = s.saved_id WHERE s.saved_id = ?1 ORDER BY v.version",
    )?;
    let rows = statement.query_map([saved.saved_id], saved_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

const RESULT: &str = "result_id, version, actor, at_micros, ingest_run, ticket, new_count, gone_count, member_count";

fn result_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ResultRow> {
    Ok(ResultRow {
        result_id: row.get(0)?,
        version: as_u64(row.get(1)?),
        actor: row.get(2)?,
        at_micros: row.get(3)?,
        ingest_run: row.get::<_, Option<u32>>(4)?.map(RunNo),
        ticket: Ticket(as_u64(row.get(5)?)),
        new: as_u64(row.get(6)?),
        gone: as_u64(row.get(7)?),
        hits: as_u64(row.get(8)?),
    })
}

/// Its runs, oldest first.
///
/// # Errors
/// The database's.
pub fn results(conn: &Connection, saved: &SavedSearch) -> Result<Vec<ResultRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {RESULT} FROM saved_result WHERE saved_id = ?1 ORDER BY result_id"
    ))?;
    let rows = statement.query_map([saved.saved_id], result_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Its newest run, by whomever.
///
/// # Errors
/// The database's.
pub fn newest(conn: &Connection, saved: &SavedSearch) -> Result<Option<ResultRow>> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {RESULT} FROM saved_result WHERE saved_id = ?1 ORDER BY result_id DESC LIMIT 1"
        ))?
        .query_row([saved.saved_id], result_row)
        .optional()?)
}

/// What these hits are against the last run by a person, whichever version it ran. What is `hidden` from whoever asks is left out of
/// what was found before.
///
/// # Errors
/// The database's, or its hits are damaged.
pub fn compare(conn: &Connection, saved: &SavedSearch, hits: &RoaringBitmap, hidden: &RoaringBitmap) -> Result<Delta> {
    let before = conn
        .prepare_cached(&format!(
            "SELECT {RESULT}, members FROM saved_result WHERE saved_id = ?1 AND ingest_run IS NULL
             ORDER BY result_id DESC LIMIT 1"
        ))?
        .query_row([saved.saved_id], |row| {
            Ok((result_row(row)?, row.get::<_, Vec<u8>>(9)?))
        })
        .optional()?;
    let Some((row, bytes)) = before else {
        return Ok(Delta {
            new: hits.clone(),
            ..Delta::default()
        });
    };
    let members = read_bitmap(&bytes, || format!("saved_result {}", row.result_id))? - hidden;
    Ok(Delta {
        new: hits - &members,
        gone: members - hits,
        before: Some(row),
    })
}

/// Who ran it, on which state of the index.
#[derive(Clone, Copy, Debug)]
pub struct Ran<'a> {
    /// Who and when.
    pub stamp: Stamp<'a>,
    /// The ingest after which it ran by itself.
    pub ingest_run: Option<RunNo>,
    /// The index's ticket.
    pub ticket: Ticket,
}

/// Puts a run on record and says what it has against the last one by a person, as [`compare`].
///
/// # Errors
/// The database's; nothing is changed then.
pub fn record(
    conn: &Connection,
    saved: &SavedSearch,
    hits: &RoaringBitmap,
    hidden: &RoaringBitmap,
    ran: Ran<'_>,
) -> Result<Delta> {
    atomically(conn, |conn| {
        let delta = compare(conn, saved, hits, hidden)?;
        conn.prepare_cached(
            "INSERT INTO saved_result (saved_id, version, at_micros, actor, ingest_run, ticket, new_count, gone_count, member_count, members)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            saved.saved_id,
            as_i64(saved.version),
            ran.stamp.at_micros,
            ran.stamp.actor,
            ran.ingest_run.map(|run| run.0),
            as_i64(ran.ticket.0),
            as_i64(delta.new.len()),
            as_i64(delta.gone.len()),
            as_i64(hits.len()),
            bitmap_bytes(hits)?
        ])?;
        Ok(delta)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked {
        query: "contract",
        options: "{}",
        note: "",
    };

    fn at(at_micros: i64) -> Stamp<'static> {
        Stamp {
            actor: "ann",
            at_micros,
        }
    }

    fn ran(at_micros: i64, ingest_run: Option<u32>) -> Ran<'static> {
        Ran {
            stamp: at(at_micros),
            ingest_run: ingest_run.map(RunNo),
            ticket: Ticket(7),
        }
    }

    fn bits(items: &[u32]) -> RoaringBitmap {
        items.iter().copied().collect()
    }

    #[test]
    fn a_search_is_saved_changed_ended_and_its_name_used_again() {
        let conn = Connection::open_in_memory().unwrap();
        assert!(list(&conn).unwrap().is_empty());
        assert!(find(&conn, "Contracts").unwrap().is_none());
        let saved = add(&conn, " Contracts ", ASKED, at(1)).unwrap();
        assert_eq!((saved.name.as_str(), saved.version), ("Contracts", 1));
        assert!(add(&conn, "contracts", ASKED, at(2)).is_err(), "the name is taken");
        let other = Asked {
            query: "contract*",
            ..ASKED
        };
        assert_eq!(change(&conn, "CONTRACTS", other, at(3)).unwrap().version, 2);
        end(&conn, "contracts", at(4)).unwrap();
        assert!(list(&conn).unwrap().is_empty());
        assert!(change(&conn, "contracts", other, at(5)).is_err(), "it was ended");
        let again = add(&conn, "contracts", ASKED, at(6)).unwrap();
        assert_eq!((again.saved_id, again.version), (saved.saved_id, 4));
        let queries: Vec<(String, bool)> = versions(&conn, &again)
            .unwrap()
            .into_iter()
            .map(|one| (one.query, one.in_use))
            .collect();
        let expected = [
            ("contract", true),
            ("contract*", true),
            ("contract*", false),
            ("contract", true),
        ];
        assert_eq!(queries, expected.map(|(query, in_use)| (query.to_owned(), in_use)));
        for bad in ["", "  ", "a\nb", "a\"b", &"x".repeat(121)] {
            assert!(add(&conn, bad, ASKED, at(7)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn new_hits_are_counted_against_the_last_run_by_a_person() {
        let conn = Connection::open_in_memory().unwrap();
        let saved = add(&conn, "one", ASKED, at(1)).unwrap();
        let first = record(&conn, &saved, &bits(&[1, 2, 3]), &bits(&[]), ran(2, None)).unwrap();
        assert_eq!((first.new, first.before), (bits(&[1, 2, 3]), None));
        let after_ingest = record(&conn, &saved, &bits(&[2, 3, 9]), &bits(&[]), ran(3, Some(5))).unwrap();
        assert_eq!((&after_ingest.new, &after_ingest.gone), (&bits(&[9]), &bits(&[1])));
        // Nobody has looked since, so the next ingest says the same again.
        let next_ingest = record(&conn, &saved, &bits(&[2, 3, 9, 10]), &bits(&[]), ran(4, Some(6))).unwrap();
        assert_eq!(next_ingest.new, bits(&[9, 10]));
        let looked = record(&conn, &saved, &bits(&[2, 3, 9, 10]), &bits(&[]), ran(5, None)).unwrap();
        assert_eq!(looked.new, bits(&[9, 10]));
        let nothing_new = record(&conn, &saved, &bits(&[2, 3, 9, 10]), &bits(&[]), ran(6, None)).unwrap();
        assert!(nothing_new.new.is_empty() && nothing_new.gone.is_empty());
        assert_eq!(results(&conn, &saved).unwrap().len(), 5);
        assert_eq!(newest(&conn, &saved).unwrap().map(|row| row.at_micros), Some(6));
        for change in ["UPDATE saved_result SET actor = 'x'", "DELETE FROM saved_version"] {
            assert!(conn.execute(change, []).is_err(), "{change}");
        }
    }
}
