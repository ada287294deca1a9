//! Documents on record and the attachments that are the same: what a finish step found, and what somebody decided about it.
//!
//! What was found stands by case with a mark of what it was found from, and is made again when that changes. Decisions are rows that are only ever
//! added; the last one about a pair counts, and goes before what was found. Main types: [`Pair`], [`Decision`]. Not for: comparing (`casework`).
//! Invariant: what is derived can be deleted and made again; a decision never changes.
//!
//! The tables are made by the first change; a catalogue without them reads as one where nothing was found and nothing decided.

use std::collections::{BTreeMap, HashMap};

use embley_model::id::{ItemNo, Key128};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::cases::case_key;
use super::{FactsError, Result, Stamp, atomically, has_table};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS document_state (
    case_key TEXT PRIMARY KEY,
    inputs BLOB NOT NULL                -- of documents, attachments and rules that the pairs were found from
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS document_pair (
    document INTEGER NOT NULL,          -- item of the record
    attachment INTEGER NOT NULL,        -- item
    case_key TEXT NOT NULL,
    reason TEXT NOT NULL,               -- same-bytes, same-words, near-duplicate
    per_mille INTEGER NOT NULL,         -- similarity
    PRIMARY KEY (document, attachment, case_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_pair_by_case ON document_pair (case_key);
CREATE TABLE IF NOT EXISTS document_decision (
    decision_id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL,
    attachment INTEGER NOT NULL,
    linked INTEGER NOT NULL,            -- 1 they are the same document, 0 they are not
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS document_decision_by_document ON document_decision (document);
CREATE TRIGGER IF NOT EXISTS document_decision_not_changed BEFORE UPDATE ON document_decision
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS document_decision_not_deleted BEFORE DELETE ON document_decision
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
";

/// A document on record and an attachment that were found to be alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The record's item.
    pub document: ItemNo,
    /// The attachment's item.
    pub attachment: ItemNo,
    /// Why, as whoever compares words it.
    pub reason: String,
    /// Similarity in thousandths.
    pub per_mille: u16,
}

/// What somebody said about a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The record's item.
    pub document: ItemNo,
    /// The attachment's item.
    pub attachment: ItemNo,
    /// True: they are the same document. False: they are not.
    pub linked: bool,
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// Why, in their words.
    pub reason: String,
}

/// A link in force: found, or decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentLink {
    /// The record's item.
    pub document: ItemNo,
    /// The attachment's item.
    pub attachment: ItemNo,
    /// What was found, if anything was.
    pub found: Option<(String, u16)>,
    /// The last decision, if there is one.
    pub decided: Option<Decision>,
}

impl DocumentLink {
    /// True unless somebody said that the two are not the same.
    pub fn holds(&self) -> bool {
        self.decided
            .as_ref()
            .map_or(self.found.is_some(), |decision| decision.linked)
    }
}

fn is_there(conn: &Connection) -> Result<bool> {
    has_table(conn, "document_pair")
}

/// What the pairs of a case were found from, `None` when nobody looked.
///
/// # Errors
/// The database's.
pub fn inputs(conn: &Connection, case_ref: &str) -> Result<Option<Key128>> {
    if !is_there(conn)? {
        return Ok(None);
    }
    let bytes: Option<Vec<u8>> = conn
        .prepare_cached("SELECT inputs FROM document_state WHERE case_key = ?1")?
        .query_row([case_key(case_ref)], |row| row.get(0))
        .optional()?;
    Ok(bytes.and_then(|bytes| Key128::from_slice(&bytes)))
}

/// Writes what was found for a case in place of what was found before.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn put(conn: &Connection, case_ref: &str, inputs: &Key128, pairs: &[Pair]) -> Result<()> {
    let key = case_key(case_ref);
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        conn.prepare_cached("DELETE FROM document_pair WHERE case_key = ?1")?
            .execute([&key])?;
        for pair in pairs {
            conn.prepare_cached("INSERT OR REPLACE INTO document_pair VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![
                    pair.document.0,
                    pair.attachment.0,
                    key,
                    pair.reason,
                    pair.per_mille
                ])?;
        }
        conn.prepare_cached("INSERT OR REPLACE INTO document_state VALUES (?1, ?2)")?
            .execute(params![key, inputs.0])?;
        Ok(())
    })
}

/// How many pairs of document and attachment were found in all cases.
///
/// # Errors
/// The database's.
pub fn pair_count(conn: &Connection) -> Result<u64> {
    if !is_there(conn)? {
        return Ok(0);
    }
    let sql = "SELECT count(*) FROM (SELECT DISTINCT document, attachment FROM document_pair)";
    let count: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(super::as_u64(count))
}

/// Says that a document on record and an attachment are the same, or are not. True when that is new.
///
/// # Errors
/// No reason is given, or the database's; nothing is changed then.
pub fn decide(
    conn: &Connection,
    document: ItemNo,
    attachment: ItemNo,
    linked: bool,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<bool> {
    if reason.trim().is_empty() {
        return Err(FactsError::BadName {
            text: reason.to_owned(),
            what: "reason for a link",
            detail: "it is empty",
        });
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let last = decisions_where(conn, document)?.remove(&attachment);
        if last.is_some_and(|last| last.linked == linked) {
            return Ok(false);
        }
        conn.prepare_cached(
            "INSERT INTO document_decision (document, attachment, linked, at_micros, actor, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            document.0,
            attachment.0,
            linked,
            stamp.at_micros,
            stamp.actor,
            reason.trim()
        ])?;
        Ok(true)
    })
}

/// The last decision about each attachment of a document.
fn decisions_where(conn: &Connection, document: ItemNo) -> Result<HashMap<ItemNo, Decision>> {
    let mut statement = conn.prepare_cached(
        "SELECT document, attachment, linked, at_micros, actor, reason FROM document_decision
         WHERE document = ?1 ORDER BY decision_id",
    )?;
    let rows = statement.query_map([document.0], |row| {
        Ok(Decision {
            document: ItemNo(row.get(0)?),
            attachment: ItemNo(row.get(1)?),
            linked: row.get(2)?,
            at_micros: row.get(3)?,
            actor: row.get(4)?,
            reason: row.get(5)?,
        })
    })?;
    let mut last = HashMap::new();
    for row in rows {
        let row = row?;
        last.insert(row.attachment, row);
    }
    Ok(last)
}

/// Every pair that was found or decided about, for these documents, by document and attachment; those that somebody denied among them.
///
/// # Errors
/// The database's.
pub fn links(conn: &Connection, documents: &RoaringBitmap) -> Result<Vec<DocumentLink>> {
    let mut all = Vec::new();
    if documents.is_empty() || !is_there(conn)? {
        return Ok(all);
    }
    let mut found = conn.prepare_cached(
        "SELECT attachment, reason, per_mille FROM document_pair WHERE document = ?1 ORDER BY attachment, per_mille",
    )?;
    for document in documents {
        let mut of_document: BTreeMap<ItemNo, DocumentLink> = BTreeMap::new();
        let empty = |attachment| DocumentLink {
            document: ItemNo(document),
            attachment,
            found: None,
            decided: None,
        };
        let rows = found.query_map([document], |row| Ok((ItemNo(row.get(0)?), row.get(1)?, row.get(2)?)))?;
        for row in rows {
            let (attachment, reason, per_mille): (ItemNo, String, u16) = row?;
            of_document.entry(attachment).or_insert_with(|| empty(attachment)).found = Some((reason, per_mille));
        }
        for (attachment, decision) in decisions_where(conn, ItemNo(document))? {
            of_document
                .entry(attachment)
                .or_insert_with(|| empty(attachment))
                .decided = Some(decision);
        }
        all.extend(of_document.into_values());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Stamp<'static> = Stamp {
        actor: "ann",
        at_micros: 7,
    };

    fn pair(document: u32, attachment: u32, reason: &str) -> Pair {
        Pair {
            document: ItemNo(document),
            attachment: ItemNo(attachment),
            reason: reason.to_owned(),
            per_mille: 910,
        }
    }

    fn held(conn: &Connection) -> Vec<(u32, u32, bool)> {
        let all = links(conn, &(1..10).collect()).expect("read");
        all.iter()
            .map(|one| (one.document.0, one.attachment.0, one.holds()))
            .collect()
    }

    #[test]
    fn a_decision_goes_before_what_was_found_and_is_never_changed() {
        let conn = Connection::open_in_memory().expect("a database in memory opens");
        assert_eq!(held(&conn), []);
        assert_eq!(inputs(&conn, "A/1").expect("read"), None);
        let first = [pair(1, 20, "same-bytes"), pair(1, 21, "near-duplicate")];
        put(&conn, "A/1", &Key128([1; 16]), &first).expect("written");
        put(&conn, "a/2", &Key128([2; 16]), &[pair(1, 20, "same-bytes")]).expect("written");
        assert_eq!(pair_count(&conn).expect("read"), 2);
        assert_eq!(inputs(&conn, "a/1").expect("read"), Some(Key128([1; 16])));
        assert_eq!(held(&conn), [(1, 20, true), (1, 21, true)]);
        let say = |attachment: u32, linked, why: &str| decide(&conn, ItemNo(1), ItemNo(attachment), linked, why, ANN);
        assert!(say(21, false, "another annex").expect("decided"));
        assert!(!say(21, false, "again").expect("decided"), "it was said before");
        assert!(say(30, true, "scan of the same letter").expect("decided"));
        assert_eq!(held(&conn), [(1, 20, true), (1, 21, false), (1, 30, true)]);
        put(&conn, "A/1", &Key128([3; 16]), &[]).expect("written");
        assert_eq!(
            held(&conn),
            [(1, 20, true), (1, 21, false), (1, 30, true)],
            "the other case holds 20"
        );
        assert!(say(21, true, "it is").expect("decided"));
        assert_eq!(held(&conn)[1], (1, 21, true));
        assert!(say(22, true, "  ").is_err());
        assert!(conn.execute("DELETE FROM document_decision", []).is_err());
    }
}
