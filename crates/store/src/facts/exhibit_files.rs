//! Files from outside that are part of an exhibit: photographs, signed statements, downloads.
//!
//! A file is *kept*, not referenced: copied to `originals/exhibits/SHA-256`, hashed, and never changed. So a case folder that moves takes its
//! exhibits along, and a hash on a label can be checked against bytes that the case holds. Order: the copy is durable before the catalogue
//! speaks of it; a stop between the two leaves a copy that nobody names, which the same command completes. A file is withdrawn from its exhibit by a new
//! row, its copy stays. Main functions: [`keep`], [`add`]. Invariant: rows are only ever added (triggers), and what they name is on disk.
//!
//! The tables are made by the first file; a register without them reads as one without files.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use embley_model::failpoint;
use embley_model::id::{Blake3, Sha256};
use rusqlite::{Connection, params};
use serde::Serialize;
use sha2::Digest;

use super::exhibits::Exhibit;
use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, has_table};
use crate::case::Case;
use crate::disk::DiskFile;
use crate::error::StoreError;

/// Bytes that are read at once.
const WINDOW: usize = 1 << 20;
/// Linux's flag that keeps the time of the last access as it is (open(2)); refused for files of others, and then left away.
const NO_ACCESS_TIME: i32 = 0o1_000_000;
/// Linux's flag against waiting for the other end of a pipe (open(2)).
const NO_WAIT: i32 = 0o4_000;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS exhibit_file (
    file_id INTEGER PRIMARY KEY,
    exhibit_id INTEGER NOT NULL REFERENCES exhibit (exhibit_id),
    name TEXT NOT NULL,                 -- base name, as it was given
    origin TEXT NOT NULL,               -- where it lay: information only
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,               -- also the name of the copy below originals/exhibits
    blake3 BLOB NOT NULL,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS exhibit_file_by_exhibit ON exhibit_file (exhibit_id);
CREATE TRIGGER IF NOT EXISTS exhibit_file_not_changed BEFORE UPDATE ON exhibit_file
    BEGIN SELECT RAISE(ABORT, 'files of exhibits are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS exhibit_file_not_deleted BEFORE DELETE ON exhibit_file
    BEGIN SELECT RAISE(ABORT, 'files of exhibits are only ever added'); END;
CREATE TABLE IF NOT EXISTS exhibit_file_withdrawn (
    file_id INTEGER PRIMARY KEY REFERENCES exhibit_file (file_id),
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS exhibit_file_withdrawn_not_changed BEFORE UPDATE ON exhibit_file_withdrawn
    BEGIN SELECT RAISE(ABORT, 'withdrawals are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS exhibit_file_withdrawn_not_deleted BEFORE DELETE ON exhibit_file_withdrawn
    BEGIN SELECT RAISE(ABORT, 'withdrawals are only ever added'); END;
";

/// A copy in the case, not yet part of an exhibit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Base name of the file.
    pub name: String,
    /// Where it lay.
    pub origin: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// BLAKE3 of its bytes.
    pub blake3: Blake3,
}

/// A file of an exhibit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExhibitFile {
    /// Row id.
    pub file_id: i64,
    /// Its exhibit's row id.
    #[serde(skip)]
    pub exhibit_id: i64,
    /// Base name, as it was given.
    pub name: String,
    /// Where it lay: information only.
    pub origin: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, hexadecimal; the name of the copy.
    pub sha256: String,
    /// BLAKE3 of its bytes, hexadecimal.
    pub blake3: String,
    /// When it was added, microseconds since 1970.
    pub at_micros: i64,
    /// Who added it.
    pub actor: String,
    /// Why and by whom it was withdrawn from the exhibit.
    pub withdrawn: Option<Withdrawn>,
}

/// That a row counts no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// Why, in their words.
    pub reason: String,
}

/// Folder of copies, below the originals.
pub fn folder(case: &Case) -> PathBuf {
    case.originals_dir().join("exhibits")
}

/// Where the copy with this hash lies.
pub fn path_of(case: &Case, sha256: &str) -> PathBuf {
    folder(case).join(sha256)
}

/// Copies a file into the case and hashes it. A copy that is there already is compared by its bytes.
///
/// # Errors
/// The file cannot be read, is none, or changed while it was read; the disk refuses; or a copy of this name holds other bytes. An unfinished copy
/// may be left, which the catalogue does not speak of.
pub fn keep(case: &Case, path: &Path) -> std::result::Result<Kept, StoreError> {
    let (size, sha256, blake3) = hash(path)?;
    let folder = folder(case);
    let disk = case.disk();
    disk.create_dir(&folder)
        .map_err(|error| StoreError::io("make", &folder, error))?;
    let target = path_of(case, &sha256.to_hex());
    if !is_copy(&target, size, &sha256)? {
        let made = match disk.create_new(&target) {
            // Left unfinished by a stop, or being written by another process, with the same bytes at the same places.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => disk.open_write(&target),
            made => made,
        };
        let mut out = made.map_err(|error| StoreError::io("make", &target, error))?;
        let copied = copy(path, &target, out.as_mut())?;
        if copied != sha256 {
            return Err(StoreError::Io {
                doing: "copy",
                path: path.to_owned(),
                source: std::io::Error::other("it changed while it was read"),
            });
        }
        out.set_len(size)
            .and_then(|()| out.sync())
            .map_err(|error| StoreError::io("write", &target, error))?;
        if !is_copy(&target, size, &sha256)? {
            let detail = format!("it does not hold the bytes of {}", path.display());
            return Err(StoreError::damaged(
                target.display().to_string(),
                "the whole file",
                detail,
            ));
        }
    }
    // Stopped here: a copy that nobody names; the same command finds it.
    failpoint::pass("exhibit-copied").map_err(|error| StoreError::io("copy", path, error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Ok(Kept {
        name,
        origin: origin.to_string_lossy().into_owned(),
        size,
        sha256,
        blake3,
    })
}

/// Opens a source for reading, leaving its times as they are where the system allows it.
fn open(path: &Path) -> std::result::Result<File, StoreError> {
    let cannot = |error| StoreError::io("read", path, error);
    let with = |flags| std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = match with(NO_WAIT | NO_ACCESS_TIME) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => with(NO_WAIT),
        opened => opened,
    };
    let file = file.map_err(cannot)?;
    if file.metadata().map_err(cannot)?.is_file() {
        Ok(file)
    } else {
        Err(cannot(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "it is not a file",
        )))
    }
}

/// Length and hashes of a file.
///
/// # Errors
/// It cannot be read.
pub fn hash(path: &Path) -> std::result::Result<(u64, Sha256, Blake3), StoreError> {
    let (mut sha256, mut blake3, mut size) = (sha2::Sha256::new(), blake3::Hasher::new(), 0);
    each_window(path, |bytes, _| {
        sha256.update(bytes);
        blake3.update(bytes);
        size += bytes.len() as u64;
        Ok(())
    })?;
    Ok((
        size,
        Sha256(sha256.finalize().into()),
        Blake3(*blake3.finalize().as_bytes()),
    ))
}

fn copy(path: &Path, target: &Path, out: &mut dyn DiskFile) -> std::result::Result<Sha256, StoreError> {
    let mut sha256 = sha2::Sha256::new();
    each_window(path, |bytes, offset| {
        sha256.update(bytes);
        out.write_all_at(bytes, offset)
            .and_then(|()| failpoint::pass("exhibit-copying"))
            .map_err(|error| StoreError::io("write", target, error))
    })?;
    Ok(Sha256(sha256.finalize().into()))
}

fn each_window(
    path: &Path,
    mut each: impl FnMut(&[u8], u64) -> std::result::Result<(), StoreError>,
) -> std::result::Result<(), StoreError> {
    let mut file = open(path)?;
    let mut window = vec![0; WINDOW];
    let mut offset = 0;
    loop {
        let read = match file.read(&mut window) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(StoreError::io("read", path, error)),
        };
        each(&window[..read], offset)?;
        offset += read as u64;
    }
}

/// True when the file is there and holds these bytes; false when it is not there, or an unfinished copy.
fn is_copy(target: &Path, size: u64, sha256: &Sha256) -> std::result::Result<bool, StoreError> {
    match target.metadata() {
        Ok(meta) if meta.len() == size => Ok(hash(target)?.1 == *sha256),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("read", target, error)),
    }
}

/// Makes a copy part of an exhibit; false when the exhibit has a file with these bytes and this name already.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn add(conn: &Connection, exhibit: &Exhibit, kept: &Kept, stamp: Stamp<'_>) -> Result<bool> {
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let hex = kept.sha256.to_hex();
        let held = of(conn, exhibit)?;
        if held
            .iter()
            .any(|file| file.withdrawn.is_none() && file.sha256 == hex && file.name == kept.name)
        {
            return Ok(false);
        }
        conn.prepare_cached(
            "INSERT INTO exhibit_file (exhibit_id, name, origin, size, sha256, blake3, at_micros, actor)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            exhibit.exhibit_id,
            kept.name,
            kept.origin,
            as_i64(kept.size),
            kept.sha256.0.as_slice(),
            kept.blake3.0.as_slice(),
            stamp.at_micros,
            stamp.actor
        ])?;
        Ok(true)
    })
}

/// Withdraws a file from its exhibit. Row and copy stay.
///
/// # Errors
/// The exhibit has no such file, or it was withdrawn before.
pub fn withdraw(conn: &Connection, exhibit: &Exhibit, file_id: i64, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    atomically(conn, |conn| {
        let held = of(conn, exhibit)?;
        let found = held
            .iter()
            .find(|file| file.file_id == file_id && file.withdrawn.is_none());
        if found.is_none() {
            return Err(FactsError::NotFound {
                what: "file",
                name: format!("{file_id} of exhibit {}", exhibit.reference),
            });
        }
        conn.execute(
            "INSERT INTO exhibit_file_withdrawn (file_id, at_micros, actor, reason) VALUES (?1, ?2, ?3, ?4)",
            params![file_id, stamp.at_micros, stamp.actor, reason],
        )?;
        Ok(())
    })
}

/// The files of an exhibit in the order in which they were added, withdrawn ones too.
///
/// # Errors
/// The database's, or a row is damaged.
pub fn of(conn: &Connection, exhibit: &Exhibit) -> Result<Vec<ExhibitFile>> {
    read(conn, "WHERE f.exhibit_id = ?1", &exhibit.exhibit_id)
}

/// All files of all exhibits.
///
/// # Errors
/// The database's, or a row is damaged.
pub fn all(conn: &Connection) -> Result<Vec<ExhibitFile>> {
    read(conn, "WHERE ?1", &true)
}

fn read(conn: &Connection, condition: &str, parameter: &dyn rusqlite::ToSql) -> Result<Vec<ExhibitFile>> {
    if !has_table(conn, "exhibit_file")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(&format!(
        "SELECT f.file_id, f.exhibit_id, f.name, f.origin, f.size, f.sha256, f.blake3, f.at_micros, f.actor,
            w.at_micros, w.actor, w.reason
         FROM exhibit_file f LEFT JOIN exhibit_file_withdrawn w ON w.file_id = f.file_id {condition} ORDER BY f.file_id"
    ))?;
    let mut rows = statement.query([parameter])?;
    let mut files = Vec::new();
    while let Some(row) = rows.next()? {
        let file_id: i64 = row.get(0)?;
        let hex = |at: usize| -> Result<String> {
            let bytes = row.get_ref(at)?.as_blob().unwrap_or_default();
            <[u8; 32]>::try_from(bytes)
                .map(|hash| Sha256(hash).to_hex())
                .map_err(|_| {
                    StoreError::damaged(
                        "table exhibit_file",
                        format!("file {file_id}"),
                        "a hash has another length",
                    )
                    .into()
                })
        };
        let withdrawn = match row.get::<_, Option<i64>>(9)? {
            None => None,
            Some(at_micros) => Some(Withdrawn {
                at_micros,
                actor: row.get(10)?,
                reason: row.get(11)?,
            }),
        };
        files.push(ExhibitFile {
            file_id,
            exhibit_id: row.get(1)?,
            name: row.get(2)?,
            origin: row.get(3)?,
            size: as_u64(row.get(4)?),
            sha256: hex(5)?,
            blake3: hex(6)?,
            at_micros: row.get(7)?,
            actor: row.get(8)?,
            withdrawn,
        });
    }
    Ok(files)
}
