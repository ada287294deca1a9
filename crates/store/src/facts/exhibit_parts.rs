//! Parts of items that are an exhibit: a page, or a selection of an item's text by its place and hash.
//!
//! A selection is a range of UTF-8 bytes of the text that is searched (`show ITEM --text`), with the SHA-256 of those bytes, so that anyone
//! can say whether the text is still the one that was exhibited. Not for: reading texts (the caller brings the bytes). Invariant: rows are only
//! ever added (triggers); a part is withdrawn by a row of its own.
//!
//! The tables are made by the first part; a register without them reads as one without parts.

use embley_model::id::{ItemNo, Sha256};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use serde::Serialize;
use sha2::Digest;

use super::exhibit_files::Withdrawn;
use super::exhibits::Exhibit;
use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, has_table, is_hidden};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS exhibit_part (
    part_id INTEGER PRIMARY KEY,
    exhibit_id INTEGER NOT NULL REFERENCES exhibit (exhibit_id),
    item_no INTEGER NOT NULL,
    page INTEGER,                       -- from 1; null for a selection without one
    first INTEGER,                      -- UTF-8 bytes of the text that is searched; null for a whole page
    last INTEGER,                       -- the first byte behind it
    sha256 TEXT NOT NULL,               -- of the selected bytes, hexadecimal; empty for a whole page
    text TEXT NOT NULL,                 -- the selected text, cut
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS exhibit_part_by_exhibit ON exhibit_part (exhibit_id);
CREATE TRIGGER IF NOT EXISTS exhibit_part_not_changed BEFORE UPDATE ON exhibit_part
    BEGIN SELECT RAISE(ABORT, 'parts of exhibits are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS exhibit_part_not_deleted BEFORE DELETE ON exhibit_part
    BEGIN SELECT RAISE(ABORT, 'parts of exhibits are only ever added'); END;
CREATE TABLE IF NOT EXISTS exhibit_part_withdrawn (
    part_id INTEGER PRIMARY KEY REFERENCES exhibit_part (part_id),
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS exhibit_part_withdrawn_not_changed BEFORE UPDATE ON exhibit_part_withdrawn
    BEGIN SELECT RAISE(ABORT, 'withdrawals are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS exhibit_part_withdrawn_not_deleted BEFORE DELETE ON exhibit_part_withdrawn
    BEGIN SELECT RAISE(ABORT, 'withdrawals are only ever added'); END;
";

/// A range of an item's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// First UTF-8 byte of the text that is searched.
    pub first: u64,
    /// First byte behind the selection.
    pub last: u64,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// The text, cut where it is long.
    pub text: String,
}

/// Longest text of a selection that is shown in the register, in bytes.
const SHOWN_BYTES: usize = 2_000;

impl Selection {
    /// The bytes from `first` to before `last` of a text.
    ///
    /// # Errors
    /// The range is empty, not within the text, or cuts a character.
    pub fn of(text: &str, first: u64, last: u64) -> Result<Self> {
        let range = usize::try_from(first).ok().zip(usize::try_from(last).ok());
        let chosen = range
            .and_then(|(first, last)| text.get(first..last))
            .filter(|chosen| !chosen.is_empty());
        let Some(chosen) = chosen else {
            return Err(FactsError::not_allowed(
                format!(
                    "bytes {first} to {last} are no selection of a text of {} bytes, or cut a character",
                    text.len()
                ),
                Some("`embley show ITEM --text` writes the text; --quote TEXT finds the bytes"),
            ));
        };
        let mut shown = chosen;
        while shown.len() > SHOWN_BYTES {
            // Cut at a character; there is one within four bytes.
            let end = (0..=SHOWN_BYTES)
                .rev()
                .find(|end| shown.is_char_boundary(*end))
                .unwrap_or(0);
            shown = &shown[..end];
        }
        Ok(Self {
            first,
            last,
            sha256: Sha256(sha2::Sha256::digest(chosen.as_bytes()).into()).to_hex(),
            text: shown.to_owned(),
        })
    }

    /// The one place at which a text holds these words.
    ///
    /// # Errors
    /// It does not hold them, or holds them more than once.
    pub fn quoted(text: &str, quote: &str) -> Result<Self> {
        let mut places = text.match_indices(quote).map(|(at, _)| at);
        match (places.next().filter(|_| !quote.is_empty()), places.next()) {
            (Some(at), None) => Self::of(text, at as u64, (at + quote.len()) as u64),
            (Some(first), Some(second)) => Err(FactsError::not_allowed(
                format!("the text holds these words at byte {first}, at byte {second} and maybe later"),
                Some("quote more of it, or name the bytes with --bytes FIRST..LAST"),
            )),
            (None, _) => Err(FactsError::not_allowed(
                "the text does not hold these words exactly so",
                Some("`embley show ITEM --text` writes the text that is searched"),
            )),
        }
    }

    /// True when a text still holds at this place what was selected.
    pub fn still_in(&self, text: &str) -> bool {
        Self::of(text, self.first, self.last).is_ok_and(|now| now.sha256 == self.sha256)
    }
}

/// What is exhibited of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// The item.
    pub item: ItemNo,
    /// A page, from 1.
    pub page: Option<u32>,
    /// A selection of its text.
    pub selection: Option<Selection>,
}

/// A part as it stands in the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExhibitPart {
    /// Row id.
    pub part_id: i64,
    /// Its exhibit's row id.
    #[serde(skip)]
    pub exhibit_id: i64,
    /// The item.
    pub item_no: ItemNo,
    /// The page, from 1.
    pub page: Option<u32>,
    /// The selection of its text.
    pub selection: Option<Selection>,
    /// When it was added, microseconds since 1970.
    pub at_micros: i64,
    /// Who added it.
    pub actor: String,
    /// Why and by whom it was withdrawn.
    pub withdrawn: Option<Withdrawn>,
}

/// Makes a part of an item part of an exhibit. The caller adds the item itself to the exhibit's set, in the same transaction.
///
/// # Errors
/// It is neither a page nor a selection, or the database's; nothing is changed then.
pub fn add(conn: &Connection, exhibit: &Exhibit, part: &NewPart, stamp: Stamp<'_>) -> Result<i64> {
    if part.page.is_none() && part.selection.is_none() || part.page == Some(0) {
        return Err(FactsError::not_allowed(
            "a part of an item is a page from 1 on, or a selection of its text",
            None,
        ));
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let selection = part.selection.as_ref();
        conn.prepare_cached(
            "INSERT INTO exhibit_part (exhibit_id, item_no, page, first, last, sha256, text, at_micros, actor)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            exhibit.exhibit_id,
            part.item.0,
            part.page,
            selection.map(|one| as_i64(one.first)),
            selection.map(|one| as_i64(one.last)),
            selection.map_or("", |one| one.sha256.as_str()),
            selection.map_or("", |one| one.text.as_str()),
            stamp.at_micros,
            stamp.actor
        ])?;
        Ok(conn.last_insert_rowid())
    })
}

/// Withdraws a part. Its row stays.
///
/// # Errors
/// The exhibit has no such part, or it was withdrawn before.
pub fn withdraw(conn: &Connection, exhibit: &Exhibit, part_id: i64, reason: &str, stamp: Stamp<'_>) -> Result<()> {
    atomically(conn, |conn| {
        let held = of(conn, exhibit)?;
        let found = held
            .iter()
            .find(|part| part.part_id == part_id && part.withdrawn.is_none());
        let is_there = match found {
            Some(part) => !is_hidden(conn, &RoaringBitmap::from_iter([part.item_no.0]))?,
            None => false,
        };
        if !is_there {
            return Err(FactsError::NotFound {
                what: "part",
                name: format!("{part_id} of exhibit {}", exhibit.reference),
            });
        }
        conn.execute(
            "INSERT INTO exhibit_part_withdrawn (part_id, at_micros, actor, reason) VALUES (?1, ?2, ?3, ?4)",
            params![part_id, stamp.at_micros, stamp.actor, reason],
        )?;
        Ok(())
    })
}

/// The parts of an exhibit in the order in which they were added, withdrawn ones too.
///
/// # Errors
/// The database's.
pub fn of(conn: &Connection, exhibit: &Exhibit) -> Result<Vec<ExhibitPart>> {
    read(conn, "WHERE p.exhibit_id = ?1", &exhibit.exhibit_id)
}

/// All parts of all exhibits.
///
/// # Errors
/// The database's.
pub fn all(conn: &Connection) -> Result<Vec<ExhibitPart>> {
    read(conn, "WHERE ?1", &true)
}

fn read(conn: &Connection, condition: &str, parameter: &dyn rusqlite::ToSql) -> Result<Vec<ExhibitPart>> {
    if !has_table(conn, "exhibit_part")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(&format!(
        "SELECT p.part_id, p.exhibit_id, p.item_no, p.page, p.first, p.last, p.sha256, p.text, p.at_micros, p.actor,
            w.at_micros, w.actor, w.reason
         FROM exhibit_part p LEFT JOIN exhibit_part_withdrawn w ON w.part_id = p.part_id {condition} ORDER BY p.part_id"
    ))?;
    let mut rows = statement.query([parameter])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let selection = match (row.get::<_, Option<i64>>(4)?, row.get::<_, Option<i64>>(5)?) {
            (Some(first), Some(last)) => Some(Selection {
                first: as_u64(first),
                last: as_u64(last),
                sha256: row.get(6)?,
                text: row.get(7)?,
            }),
            (Some(_) | None, Some(_) | None) => None,
        };
        let withdrawn = match row.get::<_, Option<i64>>(10)? {
            None => None,
            Some(at_micros) => Some(Withdrawn {
                at_micros,
                actor: row.get(11)?,
                reason: row.get(12)?,
            }),
        };
        parts.push(ExhibitPart {
            part_id: row.get(0)?,
            exhibit_id: row.get(1)?,
            item_no: ItemNo(row.get(2)?),
            page: row.get(3)?,
            selection,
            at_micros: row.get(8)?,
            actor: row.get(9)?,
            withdrawn,
        });
    }
    Ok(parts)
}
