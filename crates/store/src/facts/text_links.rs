//! What somebody said about links that rest on a text: an item is about a case, or names a person, or does not.
//!
//! What a text names is found again after every ingest (`cases`, and `casework` for people); a decision here goes before it. Decisions are rows that
//! are only ever added; the last one about an item counts. Main type: [`TextDecision`]. Not for: finding. Invariant: a decision never changes.
//!
//! The table is made by the first change; a catalogue without it reads as one where nothing was decided.

use std::collections::BTreeMap;

use embley_model::id::ItemNo;
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{FactsError, Result, Stamp, atomically, fold, has_table};

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS text_decision (
    decision_id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,              -- 1 a case, 2 a person
    key TEXT NOT NULL,                  -- the reference or id, folded
    written TEXT NOT NULL,              -- as written
    item_no INTEGER NOT NULL,
    linked INTEGER NOT NULL,            -- 1 it is about the case or names the person, 0 it does not
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS text_decision_by_key ON text_decision (kind, key);
CREATE TRIGGER IF NOT EXISTS text_decision_not_changed BEFORE UPDATE ON text_decision
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS text_decision_not_deleted BEFORE DELETE ON text_decision
    BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END;
";

/// What an item is linked to by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// A case, by its reference.
    Case(&'a str),
    /// A person, by the id.
    Person(&'a str),
}

impl<'a> Named<'a> {
    fn code(self) -> i64 {
        match self {
            Self::Case(_) => 1,
            Self::Person(_) => 2,
        }
    }

    fn written(self) -> &'a str {
        match self {
            Self::Case(text) | Self::Person(text) => text,
        }
    }
}

/// The last decision about an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextDecision {
    /// The item.
    pub item: ItemNo,
    /// True: it is about the case, or names the person. False: it does not.
    pub linked: bool,
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// Why, in their words.
    pub reason: String,
}

/// The last decision about each item.
///
/// # Errors
/// The database's.
pub fn decisions(conn: &Connection, named: Named<'_>) -> Result<BTreeMap<ItemNo, TextDecision>> {
    let mut all = BTreeMap::new();
    if !has_table(conn, "text_decision")? {
        return Ok(all);
    }
    let mut statement = conn.prepare_cached(
        "SELECT item_no, linked, at_micros, actor, reason FROM text_decision WHERE kind = ?1 AND key = ?2 ORDER BY decision_id",
    )?;
    let rows = statement.query_map(params![named.code(), fold(named.written())], |row| {
        Ok(TextDecision {
            item: ItemNo(row.get(0)?),
            linked: row.get(1)?,
            at_micros: row.get(2)?,
            actor: row.get(3)?,
            reason: row.get(4)?,
        })
    })?;
    for row in rows {
        let row = row?;
        all.insert(row.item, row);
    }
    Ok(all)
}

/// What was found, as decisions leave it.
///
/// # Errors
/// The database's.
pub fn corrected(conn: &Connection, named: Named<'_>, mut found: RoaringBitmap) -> Result<RoaringBitmap> {
    for decision in decisions(conn, named)?.into_values() {
        if decision.linked {
            found.insert(decision.item.0);
        } else {
            found.remove(decision.item.0);
        }
    }
    Ok(found)
}

/// Says of items that they are about a case or name a person, or do not. Gives how many of these decisions are new.
///
/// # Errors
/// No reason is given, or the database's; nothing is changed then.
pub fn decide(
    conn: &Connection,
    named: Named<'_>,
    items: &RoaringBitmap,
    linked: bool,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<u64> {
    if reason.trim().is_empty() {
        return Err(FactsError::BadName {
            text: reason.to_owned(),
            what: "reason for a link",
            detail: "it is empty",
        });
    }
    atomically(conn, |conn| {
        conn.execute_batch(TABLE)?;
        let last = decisions(conn, named)?;
        let mut new = 0;
        for item in items {
            if last.get(&ItemNo(item)).is_some_and(|last| last.linked == linked) {
                continue;
            }
            conn.prepare_cached(
                "INSERT INTO text_decision (kind, key, written, item_no, linked, at_micros, actor, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                named.code(),
                fold(named.written()),
                named.written().trim(),
                item,
                linked,
                stamp.at_micros,
                stamp.actor,
                reason.trim()
            ])?;
            new += 1;
        }
        // What was found last is kept as it is corrected, so that every reader of it sees the correction at once.
        if let Named::Case(case_ref) = named
            && let Some(mut names) = super::cases::names(conn, case_ref)?
        {
            names.items = corrected(conn, named, names.items)?;
            super::cases::put_names(conn, &[names])?;
        }
        Ok(new)
    })
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, Names};
    use super::*;
    use embley_model::id::Ticket;

    #[test]
    fn the_last_decision_goes_before_what_was_found_and_stands_beside_the_earlier_ones() {
        let conn = Connection::open_in_memory().expect("a database in memory opens");
        crate::facts::create_tables(&conn).expect("the tables are made");
        let case = Named::Case("CM/1/19");
        let bits = |all: &[u32]| all.iter().copied().collect::<RoaringBitmap>();
        let names = |items: &[u32]| Names {
            case_ref: "CM/1/19".to_owned(),
            ticket: Ticket(3),
            items: bits(items),
        };
        assert_eq!(corrected(&conn, case, bits(&[1, 2])).expect("read"), bits(&[1, 2]));
        cases::put_names(&conn, &[names(&[1, 2])]).expect("written");
        let ann = Stamp {
            actor: "ann",
            at_micros: 5,
        };
        assert!(decide(&conn, case, &bits(&[2]), false, " ", ann).is_err(), "no reason");
        assert_eq!(
            decide(&conn, case, &bits(&[2]), false, "another force's number", ann).expect("written"),
            1
        );
        assert_eq!(
            decide(&conn, case, &bits(&[2]), false, "again", ann).expect("written"),
            0
        );
        assert_eq!(
            decide(&conn, Named::Case("cm/1/19"), &bits(&[7]), true, "it is about it", ann).expect("written"),
            1
        );
        let held = |conn: &Connection| cases::names(conn, "CM/1/19").expect("read").expect("it is there").items;
        assert_eq!(held(&conn), bits(&[1, 7]));
        assert_eq!(
            corrected(&conn, case, bits(&[1, 2, 3])).expect("read"),
            bits(&[1, 3, 7])
        );
        assert_eq!(
            decide(&conn, case, &bits(&[2]), true, "after all", ann).expect("written"),
            1
        );
        assert_eq!(held(&conn), bits(&[1, 2, 7]));
        assert!(decisions(&conn, Named::Person("CM/1/19")).expect("read").is_empty());
        let rows: i64 = conn
            .query_row("SELECT count(*) FROM text_decision", [], |row| row.get(0))
            .expect("counted");
        assert_eq!(rows, 3, "nothing is overwritten");
        assert!(conn.execute("DELETE FROM text_decision", []).is_err());
    }
}
