//! Tables of the catalogue, and how a connection to it is opened.
//!
//! Durability: WAL with `synchronous = FULL`, so that a commit that returned survives a pulled plug; an index commit may then
//! rely on it. Invariant: `user_version` is the format, and a newer one is refused before anything is read.

use std::path::Path;
use std::time::Duration;

use embley_model::id::Key128;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Doing, Result, StoreError};

/// Newest format of the catalogue that this program writes and reads.
/// 2 added the tables of openings and containers; the writer adds them to a catalogue of format 1.
pub const CATALOGUE_FORMAT: i64 = 2;
/// `EMBL`, so that `file` and other tools can tell whose database this is.
const APPLICATION_ID: i64 = 0x454D_424C;
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const PAGE_BYTES: i64 = 8192;
const LOG_PAGES: i64 = (48 << 20) / PAGE_BYTES;

const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run(
  run_no INTEGER PRIMARY KEY, kind INTEGER NOT NULL, state INTEGER NOT NULL, started_micros INTEGER NOT NULL,
  ended_micros INTEGER, settings TEXT NOT NULL, summary TEXT NOT NULL) STRICT;
CREATE TABLE checkpoint(
  ticket INTEGER PRIMARY KEY, run_no INTEGER NOT NULL, pack INTEGER NOT NULL, pack_offset INTEGER NOT NULL,
  next_item INTEGER NOT NULL, next_blob INTEGER NOT NULL, next_instance INTEGER NOT NULL, at_micros INTEGER NOT NULL) STRICT;
CREATE TABLE custodian(custodian_id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE source(
  source_id INTEGER PRIMARY KEY, label TEXT NOT NULL, absolute TEXT NOT NULL, custodian_id INTEGER,
  custodian_rule TEXT NOT NULL, run_no INTEGER NOT NULL) STRICT;
CREATE TABLE folder(folder_id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL, path BLOB NOT NULL) STRICT;
CREATE TABLE file(
  file_id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL, folder_id INTEGER NOT NULL, custodian_id INTEGER,
  name BLOB NOT NULL, version INTEGER NOT NULL, size INTEGER NOT NULL, mtime_nanos INTEGER NOT NULL, inode INTEGER NOT NULL,
  kind INTEGER NOT NULL, variant INTEGER NOT NULL, flags TEXT NOT NULL, scan_state TEXT, state INTEGER NOT NULL,
  first_instance INTEGER NOT NULL, instance_count INTEGER NOT NULL, message_bytes INTEGER NOT NULL,
  separator_bytes INTEGER NOT NULL, junk_bytes INTEGER NOT NULL, previous_file INTEGER, absent_since_run INTEGER,
  run_no INTEGER NOT NULL) STRICT;
CREATE INDEX file_by_folder ON file(folder_id);
CREATE TABLE instance(
  instance_id INTEGER PRIMARY KEY, item_no INTEGER NOT NULL, file_id INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  offset INTEGER NOT NULL, length INTEGER NOT NULL, separator BLOB, trailer_len INTEGER NOT NULL, flags INTEGER NOT NULL,
  run_no INTEGER NOT NULL, second_blake3 BLOB, labels TEXT) STRICT;
CREATE TABLE blob(
  blob_id INTEGER PRIMARY KEY, top_item INTEGER, blake3 BLOB NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL,
  pack INTEGER, frame_offset INTEGER, offset_in_frame INTEGER, root_item INTEGER, part_path TEXT) STRICT;
CREATE TABLE item(
  item_no INTEGER PRIMARY KEY, blob_id INTEGER NOT NULL, root INTEGER NOT NULL, parent INTEGER, family_size INTEGER NOT NULL,
  kind INTEGER NOT NULL, searchability INTEGER NOT NULL, flags INTEGER NOT NULL, size INTEGER NOT NULL, date INTEGER,
  date_meta INTEGER NOT NULL, run_no INTEGER NOT NULL, media_type INTEGER NOT NULL, part_path TEXT, filename TEXT,
  date_raw TEXT, subject TEXT, participants BLOB, message_id TEXT, links BLOB, thread_index BLOB, mih BLOB, keys BLOB,
  sketch BLOB, labels TEXT) STRICT;
CREATE TABLE defect(defect_id INTEGER PRIMARY KEY, code INTEGER NOT NULL, detail TEXT, first INTEGER, last INTEGER) STRICT;
CREATE TABLE exception(
  exception_id INTEGER PRIMARY KEY, run_no INTEGER NOT NULL, source_id INTEGER, path TEXT NOT NULL, phase TEXT NOT NULL,
  class TEXT NOT NULL, code TEXT NOT NULL, first INTEGER, last INTEGER, detail TEXT NOT NULL, action TEXT NOT NULL) STRICT;
CREATE TABLE tally(
  run_no INTEGER NOT NULL, source_id INTEGER NOT NULL, file_id INTEGER NOT NULL, discovered INTEGER NOT NULL,
  new INTEGER NOT NULL, duplicate INTEGER NOT NULL, unchanged INTEGER NOT NULL, excluded INTEGER NOT NULL,
  excepted INTEGER NOT NULL, children_discovered INTEGER NOT NULL, children_items INTEGER NOT NULL,
  children_excepted INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(run_no, source_id, file_id)) STRICT, WITHOUT ROWID;
CREATE TABLE address(address_id INTEGER PRIMARY KEY, name TEXT NOT NULL, addr TEXT NOT NULL) STRICT;
CREATE TABLE word(word_id INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE set_delta(
  kind INTEGER NOT NULL, key TEXT NOT NULL, ticket INTEGER NOT NULL, items BLOB NOT NULL,
  PRIMARY KEY(kind, key, ticket)) STRICT, WITHOUT ROWID;
";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenAs {
    /// Reading only; nothing is written, not even a log.
    Reader,
    /// The one writer of evidence rows; the caller holds the case lock.
    Writer,
    /// Short transactions over facts.
    Facts,
}

/// Makes a new catalogue. The file must not be there.
pub(crate) fn create(path: &Path, case_id: Key128, facts_schema: &str) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).doing("make the catalogue")?;
    conn.pragma_update(None, "page_size", PAGE_BYTES)
        .doing("set the page size")?;
    // Autovacuum off: evidence rows are never deleted, and moved pages cost time.
    conn.pragma_update(None, "auto_vacuum", 0)
        .doing("set up the catalogue")?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)
        .doing("set up the catalogue")?;
    set_journal(&conn)?;
    // One transaction: a plug pulled here leaves a database without tables, which is refused as not a catalogue.
    let script = format!(
        "BEGIN IMMEDIATE;{TABLES}{}{facts_schema};
         INSERT INTO meta VALUES('case_id','{case_id}');
         INSERT INTO checkpoint VALUES(0,0,0,0,1,1,1,0);
         PRAGMA user_version={CATALOGUE_FORMAT};COMMIT;",
        super::openings::TABLES
    );
    conn.execute_batch(&script).doing("make the tables")?;
    conn.close().map_err(|(_, error)| error).doing("close the catalogue")
}

/// Opens a connection and checks format and owner.
pub(crate) fn open_connection(path: &Path, case_id: Key128, how: OpenAs) -> Result<Connection> {
    let conn = match how {
        OpenAs::Reader => open_reader(path)?,
        OpenAs::Writer | OpenAs::Facts => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags).doing("open the catalogue")?
        }
    };
    conn.busy_timeout(BUSY_TIMEOUT).doing("open the catalogue")?;
    conn.set_prepared_statement_cache_capacity(128);
    check_format(&conn, path)?;
    check_owner(&conn, path, case_id)?;
    match how {
        OpenAs::Reader => {
            // What a reader keeps from sight stands in temporary views, and a case may lie on a medium that cannot be written.
            conn.pragma_update(None, "temp_store", "MEMORY")
                .doing("open the catalogue")?;
            conn.pragma_update(None, "query_only", true)
                .doing("open the catalogue")?;
            conn.pragma_update(None, "cache_size", -64 * 1024)
                .doing("open the catalogue")?;
        }
        OpenAs::Writer => {
            set_journal(&conn)?;
            bring_up_to_date(&conn)?;
            conn.pragma_update(None, "cache_size", -32 * 1024)
                .doing("open the catalogue")?;
        }
        OpenAs::Facts => set_journal(&conn)?,
    }
    // A damaged page is said when it is read, and nothing in the file can make the program run code.
    conn.pragma_update(None, "cell_size_check", true)
        .doing("open the catalogue")?;
    conn.pragma_update(None, "trusted_schema", false)
        .doing("open the catalogue")?;
    // A plan is made once, of the statement alone. Else every new value of a parameter that a plan might gain from (a small number,
    // say) has the statement compiled again: it was a quarter of an import of records.
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .doing("open the catalogue")?;
    Ok(conn)
}

/// Tells from the file header alone whether this is a database; `None` when it is.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn not_a_catalogue(path: &Path) -> Result<Option<String>> {
    let mut head = [0; 16];
    let read =
        std::fs::File::open(path).and_then(|file| std::os::unix::fs::FileExt::read_exact_at(&file, &mut head, 0));
    Ok(match read {
        Ok(()) if &head == b"SQLite format 3\0" => None,
        Ok(()) => Some("it does not begin as an SQLite database".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Some("it is too short to be an SQLite database".to_owned())
        }
        Err(error) => return Err(StoreError::io("read", path, error)),
    })
}

/// A connection that only reads, also where nothing can be written.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).doing("open the catalogue")?;
    match conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Ok(()) => Ok(conn),
        // A folder that cannot be written has no room for the shared-memory file. Without a log there is nothing that another
        // process could be writing, and the file can be read as it stands.
        // SQLite says so in two ways, by what it tried first.
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly)
            ) && log_is_empty(path) =>
        {
            open_immutable(path)
        }
        Err(source) => Err(StoreError::Catalogue {
            doing: "read the catalogue",
            source,
        }),
    }
}

/// Opens a catalogue that nobody can be writing, without log, lock or shared memory.
fn open_immutable(path: &Path) -> Result<Connection> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri, flags).doing("open the catalogue")?;
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .doing("read the catalogue")?;
    Ok(conn)
}

fn log_is_empty(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(Path::new(&log)).map_or(true, |meta| meta.len() == 0)
}

fn set_journal(conn: &Connection) -> Result<()> {
    let mode: String = conn
        .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))
        .doing("switch the catalogue to its log")?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::internal(format!(
            "the catalogue stays in journal mode {mode}"
        )));
    }
    // The log goes into the file when it has grown to about 48 MiB: each page is copied once for many commits.
    conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)
        .doing("set up the catalogue")?;
    conn.pragma_update(None, "synchronous", "FULL")
        .doing("set up the catalogue")
}

/// The format that a catalogue says it has.
pub(crate) fn format_of(conn: &Connection) -> Result<i64> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
        .doing("read the catalogue's format")
}

/// Adds what later formats have, in one transaction.
fn bring_up_to_date(conn: &Connection) -> Result<()> {
    if format_of(conn)? >= CATALOGUE_FORMAT {
        return Ok(());
    }
    let script = format!(
        "BEGIN IMMEDIATE;{};PRAGMA user_version={CATALOGUE_FORMAT};COMMIT;",
        super::openings::TABLES
    );
    conn.execute_batch(&script).doing("bring the catalogue up to date")
}

fn check_format(conn: &Connection, path: &Path) -> Result<()> {
    let version = format_of(conn)?;
    if version > CATALOGUE_FORMAT {
        return Err(StoreError::Newer {
            what: path.display().to_string(),
            found: version.unsigned_abs(),
            known: CATALOGUE_FORMAT.unsigned_abs(),
        });
    }
    if version < 1 {
        return Err(StoreError::damaged(
            path.display().to_string(),
            "user_version",
            "the database is not a catalogue, or was never finished",
        ));
    }
    Ok(())
}

fn check_owner(conn: &Connection, path: &Path, case_id: Key128) -> Result<()> {
    let owner: String = conn
        .query_row("SELECT value FROM meta WHERE key='case_id'", [], |row| row.get(0))
        .doing("read the catalogue's owner")?;
    if owner != case_id.to_hex() {
        return Err(StoreError::damaged(
            path.display().to_string(),
            "meta",
            "the catalogue belongs to another case",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_in_a_place_that_cannot_be_written_is_read_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        // A name that an URI must escape.
        let path = folder.path().join("ä ?#%20.sqlite");
        let id = Key128([3; 16]);
        create(&path, id, "").unwrap();
        assert!(log_is_empty(&path));
        let conn = open_immutable(&path).unwrap();
        check_owner(&conn, &path, id).unwrap();
        check_format(&conn, &path).unwrap();
        assert!(conn.execute("DELETE FROM checkpoint", []).is_err());
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "nothing is left beside it");
    }
}
