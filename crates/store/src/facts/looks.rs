//! The history of searches: who asked what, when, of which state, and how much was found.
//!
//! Searches are recorded in the audit log ([`crate::audit`]), once, and the history is read from there ([`of_outcome`]). The table here was
//! written by versions without that log and is read only. Not for: proving that nobody changed it. Invariant: looks are only ever
//! added (triggers refuse to change or delete them).

use embley_model::id::Ticket;
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Result, as_i64, as_u64, has_table};
use crate::audit::{Entry, What};

/// One search that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Look {
    /// Number of the entry of the audit log; of a row of the table, its id.
    pub look_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// The command.
    pub command: String,
    /// Name of the saved search that ran.
    pub saved: Option<String>,
    /// The query as typed.
    pub query: String,
    /// How it was counted, as JSON.
    pub options: String,
    /// The index's ticket.
    pub ticket: Ticket,
    /// Hits as counted.
    pub hits: u64,
    /// Items in scope that could not be searched.
    pub not_searchable: u64,
}

/// What is put on record of a search.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// The command.
    pub command: &'a str,
    /// Name of the saved search that ran.
    pub saved: Option<&'a str>,
    /// The query as typed.
    pub query: &'a str,
    /// How it was counted, as JSON.
    pub options: &'a str,
    /// The index's ticket.
    pub ticket: Ticket,
    /// Hits as counted.
    pub hits: u64,
    /// Items in scope that could not be searched.
    pub not_searchable: u64,
}

impl Looked<'_> {
    /// The search as an outcome of the audit log holds it; [`of_outcome`] reads it.
    pub fn to_value(&self) -> Value {
        json!({
            "command": self.command, "saved": self.saved, "query": self.query, "options": self.options, "ticket": self.ticket.0,
            "hits": self.hits, "not_searchable": self.not_searchable,
        })
    }
}

/// The search that an outcome holds under `search`; its number is the entry's.
pub fn of_outcome(entry: &Entry) -> Option<Look> {
    let What::Outcome { result, .. } = &entry.event else {
        return None;
    };
    let search = result.get("search")?;
    let text = |name: &str| search[name].as_str().map(str::to_owned);
    Some(Look {
        look_id: as_i64(entry.seq),
        at_micros: entry.at_micros,
        actor: entry.who.clone(),
        command: text("command")?,
        saved: text("saved"),
        query: text("query")?,
        options: text("options")?,
        ticket: Ticket(search["ticket"].as_u64()?),
        hits: search["hits"].as_u64()?,
        not_searchable: search["not_searchable"].as_u64()?,
    })
}

/// How many there are.
///
/// # Errors
/// The database's.
pub fn count(conn: &Connection) -> Result<u64> {
    if !has_table(conn, "look")? {
        return Ok(0);
    }
    Ok(as_u64(
        conn.query_row("SELECT count(*) FROM look", [], |row| row.get(0))?,
    ))
}

/// The newest ones, newest first; all of them without a limit.
///
/// # Errors
/// The database's.
pub fn newest(conn: &Connection, limit: Option<u64>) -> Result<Vec<Look>> {
    if !has_table(conn, "look")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT look_id, at_micros, actor, command, saved, query, options, ticket, hits, not_searchable FROM look
         ORDER BY look_id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([limit.map_or(-1, as_i64)], |row| {
        Ok(Look {
            look_id: row.get(0)?,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            command: row.get(3)?,
            saved: row.get(4)?,
            query: row.get(5)?,
            options: row.get(6)?,
            ticket: Ticket(as_u64(row.get(7)?)),
            hits: as_u64(row.get(8)?),
            not_searchable: as_u64(row.get(9)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::super::{Stamp, atomically};
    use super::*;

    const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS look (
        look_id INTEGER PRIMARY KEY,
        at_micros INTEGER NOT NULL,
        actor TEXT NOT NULL,
        command TEXT NOT NULL,              -- search, saved run
        saved TEXT,                         -- name of the saved search
        query TEXT NOT NULL,                -- as typed
        options TEXT NOT NULL,              -- how it was counted, as JSON
        ticket INTEGER NOT NULL,            -- of the index
        hits INTEGER NOT NULL,
        not_searchable INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER IF NOT EXISTS look_not_changed BEFORE UPDATE ON look
        BEGIN SELECT RAISE(ABORT, 'looks are only ever added'); END;
    CREATE TRIGGER IF NOT EXISTS look_not_deleted BEFORE DELETE ON look
        BEGIN SELECT RAISE(ABORT, 'looks are only ever added'); END;
    ";

    /// Puts a search on record, as versions without an audit log did.
    fn record(conn: &Connection, looked: Looked<'_>, stamp: Stamp<'_>) -> Result<()> {
        atomically(conn, |conn| {
            if !has_table(conn, "look")? {
                conn.execute_batch(TABLES)?;
            }
            conn.prepare_cached(
                "INSERT INTO look (at_micros, actor, command, saved, query, options, ticket, hits, not_searchable)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                stamp.at_micros,
                stamp.actor,
                looked.command,
                looked.saved,
                looked.query,
                looked.options,
                as_i64(looked.ticket.0),
                as_i64(looked.hits),
                as_i64(looked.not_searchable)
            ])?;
            Ok(())
        })
    }

    #[test]
    fn looks_are_kept_newest_first_and_cannot_be_changed() {
        let conn = Connection::open_in_memory().unwrap();
        assert_eq!((count(&conn).unwrap(), newest(&conn, None).unwrap()), (0, Vec::new()));
        for (at_micros, query) in [(5, "one"), (4, "two"), (6, "three")] {
            let looked = Looked {
                command: "search",
                saved: None,
                query,
                options: "{}",
                ticket: Ticket(3),
                hits: 2,
                not_searchable: 1,
            };
            record(
                &conn,
                looked,
                Stamp {
                    actor: "ann",
                    at_micros,
                },
            )
            .unwrap();
        }
        let queries: Vec<String> = newest(&conn, Some(2))
            .unwrap()
            .into_iter()
            .map(|look| look.query)
            .collect();
        assert_eq!(queries, ["three", "two"]);
        assert_eq!(count(&conn).unwrap(), 3);
        for change in ["UPDATE look SET query = ''", "DELETE FROM look"] {
            assert!(conn.execute(change, []).is_err(), "{change}");
        }
    }
}
