//! Indicators as they were raised, run by run, and the conclusions that people drew.
//!
//! What an indicator says is kept once for each form it had; a run is the list of forms that it saw. So a run can be compared with
//! the one before, and a conclusion says to which form it was drawn. Not for: raising indicators (`casework`). Invariant: runs, forms and
//! conclusions are only ever added (triggers refuse to change or delete them); a later conclusion takes the place of an earlier one, which stays.
//!
//! The tables are made by the first change; a catalogue without them reads as one without runs.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::{FactsError, Result, Stamp, as_i64, as_u64, atomically, has_table};
use crate::error::StoreError;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS indicator_run (
    run_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    case_key TEXT,                      -- null: all cases
    rules TEXT,                         -- ids joined by a comma; null: all rules
    sources TEXT NOT NULL,              -- the files of rules, with hashes, as JSON
    seen_count INTEGER NOT NULL,
    new_count INTEGER NOT NULL,
    gone_count INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS indicator_run_not_changed BEFORE UPDATE ON indicator_run
    BEGIN SELECT RAISE(ABORT, 'runs of indicators are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS indicator_run_not_deleted BEFORE DELETE ON indicator_run
    BEGIN SELECT RAISE(ABORT, 'runs of indicators are only ever added'); END;

CREATE TABLE IF NOT EXISTS indicator_form (
    id TEXT NOT NULL,
    content BLOB NOT NULL,              -- hash of what it says
    rule TEXT NOT NULL,
    case_key TEXT NOT NULL,             -- empty: about no single case
    body TEXT NOT NULL,                 -- the indicator as JSON
    PRIMARY KEY (id, content)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS indicator_form_not_changed BEFORE UPDATE ON indicator_form
    BEGIN SELECT RAISE(ABORT, 'forms of indicators are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS indicator_form_not_deleted BEFORE DELETE ON indicator_form
    BEGIN SELECT RAISE(ABORT, 'forms of indicators are only ever added'); END;

CREATE TABLE IF NOT EXISTS indicator_seen (
    run_id INTEGER NOT NULL REFERENCES indicator_run (run_id),
    id TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run_id, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS indicator_seen_not_changed BEFORE UPDATE ON indicator_seen
    BEGIN SELECT RAISE(ABORT, 'runs of indicators are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS indicator_seen_not_deleted BEFORE DELETE ON indicator_seen
    BEGIN SELECT RAISE(ABORT, 'runs of indicators are only ever added'); END;

CREATE TABLE IF NOT EXISTS indicator_conclusion (
    conclusion_id INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    content BLOB NOT NULL,              -- the form to which it was drawn
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS indicator_conclusion_by_id ON indicator_conclusion (id, conclusion_id);
CREATE TRIGGER IF NOT EXISTS indicator_conclusion_not_changed BEFORE UPDATE ON indicator_conclusion
    BEGIN SELECT RAISE(ABORT, 'conclusions are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS indicator_conclusion_not_deleted BEFORE DELETE ON indicator_conclusion
    BEGIN SELECT RAISE(ABORT, 'conclusions are only ever added'); END;
";

/// What a run looked at: a case or all, some rules or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Key of the case ([`super::cases::case_key`]).
    pub case_key: Option<String>,
    /// Ids of rules.
    pub rules: Option<BTreeSet<String>>,
}

impl Scope {
    fn holds(&self, form: &Form) -> bool {
        self.case_key.as_ref().is_none_or(|key| *key == form.case_key)
            && self.rules.as_ref().is_none_or(|rules| rules.contains(&form.rule))
    }

    fn covers(&self, other: &Self) -> bool {
        let case = self.case_key.is_none() || self.case_key == other.case_key;
        let rules = match (&self.rules, &other.rules) {
            (None, _) => true,
            (Some(own), Some(asked)) => asked.is_subset(own),
            (Some(_), None) => false,
        };
        case && rules
    }
}

/// An indicator in the form that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its id.
    pub id: String,
    /// Hash of what it says.
    pub content: [u8; 16],
    /// Its rule.
    pub rule: String,
    /// Key of its case; empty when it is about no single case.
    pub case_key: String,
    /// All of it, as JSON.
    pub body: String,
}

/// A conclusion as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConclusionRow {
    /// The indicator.
    pub id: String,
    /// The form to which it was drawn.
    pub content: [u8; 16],
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// What it was, as a word.
    pub kind: String,
    /// In words.
    pub words: String,
}

/// A run, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Row id, increasing.
    pub run_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// What it looked at.
    pub scope: Scope,
    /// The files of rules, as JSON.
    pub sources: String,
    /// Indicators, explained ones among them.
    pub seen: u64,
    /// Not in the run before.
    pub new: u64,
    /// In the run before and no more.
    pub gone: u64,
}

/// A stable id over texts: 26 letters and digits of a hash of their lengths and bytes.
pub fn stable_id(prefix: &str, parts: &[&str]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let bits = hasher.finalize();
    let letters = bits
        .as_bytes()
        .iter()
        .take(26)
        .map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    format!("{prefix}:{}", letters.collect::<String>())
}

/// Hash of a text: of what an indicator says, or of a file of rules.
pub fn text_hash(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    half
}

fn sixteen(bytes: &[u8], place: &str) -> Result<[u8; 16]> {
    bytes
        .try_into()
        .map_err(|_| StoreError::damaged("table indicator_seen", place.to_owned(), "a hash has another length").into())
}

/// What the newest run that looked at all of `scope` saw in it, by id; `None` when there was no such run.
///
/// # Errors
/// The database's, or a row is damaged.
pub fn before(conn: &Connection, scope: &Scope) -> Result<Option<BTreeMap<String, Form>>> {
    let Some(run) = runs(conn)?.into_iter().rev().find(|run| run.scope.covers(scope)) else {
        return Ok(None);
    };
    let mut statement = conn.prepare_cached(
        "SELECT s.id, s.content, f.rule, f.case_key, f.body
         FROM indicator_seen s JOIN indicator_form f ON f.id = s.id AND f.content = s.content WHERE s.run_id = ?1",
    )?;
    let mut rows = statement.query([run.run_id])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let form = Form {
            content: sixteen(&row.get::<_, Vec<u8>>(1)?, &id)?,
            id,
            rule: row.get(2)?,
            case_key: row.get(3)?,
            body: row.get(4)?,
        };
        if scope.holds(&form) {
            all.insert(form.id.clone(), form);
        }
    }
    Ok(Some(all))
}

/// Puts a run on record: what it looked at, by which rules, and every indicator in its form. Gives the run's number.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn record(conn: &Connection, scope: &Scope, sources: &str, seen: &[Form], stamp: Stamp<'_>) -> Result<i64> {
    atomically(conn, |conn| {
        if !has_table(conn, "indicator_run")? {
            conn.execute_batch(TABLES)?;
        }
        let earlier = before(conn, scope)?.unwrap_or_default();
        let ids: BTreeSet<&String> = seen.iter().map(|form| &form.id).collect();
        let new = ids.iter().filter(|id| !earlier.contains_key(**id)).count() as u64;
        let gone = earlier.keys().filter(|id| !ids.contains(id)).count() as u64;
        let rules = scope
            .rules
            .as_ref()
            .map(|rules| rules.iter().cloned().collect::<Vec<_>>().join(","));
        conn.prepare_cached(
            "INSERT INTO indicator_run (at_micros, actor, case_key, rules, sources, seen_count, new_count, gone_count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            stamp.at_micros,
            stamp.actor,
            scope.case_key,
            rules,
            sources,
            as_i64(ids.len() as u64),
            as_i64(new),
            as_i64(gone)
        ])?;
        let run_id = conn.last_insert_rowid();
        for form in seen {
            conn.prepare_cached(
                "INSERT OR IGNORE INTO indicator_form (id, content, rule, case_key, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![form.id, form.content, form.rule, form.case_key, form.body])?;
            conn.prepare_cached("INSERT OR IGNORE INTO indicator_seen (run_id, id, content) VALUES (?1, ?2, ?3)")?
                .execute(params![run_id, form.id, form.content])?;
        }
        Ok(run_id)
    })
}

/// All runs, oldest first.
///
/// # Errors
/// The database's.
pub fn runs(conn: &Connection) -> Result<Vec<RunRow>> {
    if !has_table(conn, "indicator_run")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT run_id, at_micros, actor, case_key, rules, sources, seen_count, new_count, gone_count
         FROM indicator_run ORDER BY run_id",
    )?;
    let rows = statement.query_map([], |row| {
        let rules: Option<String> = row.get(4)?;
        Ok(RunRow {
            run_id: row.get(0)?,
            at_micros: row.get(1)?,
            actor: row.get(2)?,
            scope: Scope {
                case_key: row.get(3)?,
                rules: rules.map(|text| text.split(',').map(ToOwned::to_owned).collect()),
            },
            sources: row.get(5)?,
            seen: as_u64(row.get(6)?),
            new: as_u64(row.get(7)?),
            gone: as_u64(row.get(8)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The indicator that a text names, in the form in which a run saw it last: its id, or the beginning of one.
///
/// # Errors
/// None or several begin so, or the database's.
pub fn find(conn: &Connection, text: &str) -> Result<Form> {
    let not_found = || FactsError::NotFound {
        what: "indicator",
        name: text.to_owned(),
    };
    let bare = text.trim().trim_start_matches("ind:");
    if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_alphanumeric()) || !has_table(conn, "indicator_run")? {
        return Err(not_found());
    }
    let mut statement =
        conn.prepare_cached("SELECT DISTINCT id FROM indicator_form WHERE id GLOB ?1 ORDER BY id LIMIT 2")?;
    let ids: Vec<String> = statement
        .query_map([format!("ind:{}*", bare.to_ascii_lowercase())], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let [id] = ids.as_slice() else {
        if ids.is_empty() {
            return Err(not_found());
        }
        return Err(FactsError::BadName {
            text: text.to_owned(),
            what: "single indicator",
            detail: "several ids begin so",
        });
    };
    let newest = conn
        .prepare_cached(
            "SELECT f.content, f.rule, f.case_key, f.body FROM indicator_seen s
             JOIN indicator_form f ON f.id = s.id AND f.content = s.content WHERE s.id = ?1 ORDER BY s.run_id DESC LIMIT 1",
        )?
        .query_row([id], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((content, rule, case_key, body)) = newest else {
        return Err(not_found());
    };
    Ok(Form {
        content: sixteen(&content, id)?,
        id: id.clone(),
        rule,
        case_key,
        body,
    })
}

/// Puts a conclusion on record, drawn to an indicator in the form that it has.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn conclude(conn: &Connection, form: &Form, kind: &str, words: &str, stamp: Stamp<'_>) -> Result<()> {
    atomically(conn, |conn| {
        conn.prepare_cached(
            "INSERT INTO indicator_conclusion (id, content, at_micros, actor, kind, words) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![form.id, form.content, stamp.at_micros, stamp.actor, kind, words])?;
        Ok(())
    })
}

/// All conclusions, oldest first, by indicator.
///
/// # Errors
/// The database's, or a row is damaged.
pub fn conclusions(conn: &Connection) -> Result<BTreeMap<String, Vec<ConclusionRow>>> {
    let mut all: BTreeMap<String, Vec<ConclusionRow>> = BTreeMap::new();
    if !has_table(conn, "indicator_conclusion")? {
        return Ok(all);
    }
    let mut statement = conn.prepare_cached(
        "SELECT id, content, at_micros, actor, kind, words FROM indicator_conclusion ORDER BY conclusion_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let one = ConclusionRow {
            content: sixteen(&row.get::<_, Vec<u8>>(1)?, &id)?,
            id,
            at_micros: row.get(2)?,
            actor: row.get(3)?,
            kind: row.get(4)?,
            words: row.get(5)?,
        };
        all.entry(one.id.clone()).or_default().push(one);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Stamp<'static> = Stamp {
        actor: "ann",
        at_micros: 5,
    };

    fn form(name: &str, body: &str, case_key: &str) -> Form {
        Form {
            id: stable_id("ind", &[name]),
            content: text_hash(body),
            rule: "N2".to_owned(),
            case_key: case_key.to_owned(),
            body: body.to_owned(),
        }
    }

    fn of_case(key: &str) -> Scope {
        Scope {
            case_key: Some(key.to_owned()),
            rules: None,
        }
    }

    #[test]
    fn a_run_is_compared_with_the_newest_one_that_looked_at_as_much() {
        let conn = Connection::open_in_memory().unwrap();
        assert_eq!(before(&conn, &Scope::default()).unwrap(), None);
        let (one, two) = (form("one", "a", "cm/1"), form("two", "b", "cm/2"));
        record(&conn, &of_case("cm/1"), "{}", std::slice::from_ref(&one), ANN).unwrap();
        assert_eq!(before(&conn, &Scope::default()).unwrap(), None, "one case is not all");
        record(&conn, &Scope::default(), "{}", &[one.clone(), two.clone()], ANN).unwrap();
        let seen = before(&conn, &of_case("cm/2")).unwrap().unwrap();
        assert_eq!(seen.into_keys().collect::<Vec<_>>(), std::slice::from_ref(&two.id));
        let changed = form("one", "a, and more", "cm/1");
        record(&conn, &of_case("cm/1"), "{}", std::slice::from_ref(&changed), ANN).unwrap();
        let seen = before(&conn, &of_case("cm/1")).unwrap().unwrap();
        assert_eq!(seen[&one.id].body, "a, and more");
        record(&conn, &of_case("cm/1"), "{}", &[], ANN).unwrap();
        let counts: Vec<(u64, u64, u64)> = runs(&conn)
            .unwrap()
            .iter()
            .map(|run| (run.seen, run.new, run.gone))
            .collect();
        assert_eq!(counts, [(1, 1, 0), (2, 2, 0), (1, 0, 0), (0, 0, 1)]);
    }

    #[test]
    fn a_conclusion_is_drawn_to_a_form_and_nothing_is_ever_changed() {
        let conn = Connection::open_in_memory().unwrap();
        assert!(find(&conn, "ind:a").is_err());
        let one = form("one", "a", "cm/1");
        record(&conn, &Scope::default(), "{}", std::slice::from_ref(&one), ANN).unwrap();
        assert_eq!(find(&conn, &one.id[..12]).unwrap(), one);
        for text in ["", "ind:", "ind:zzzzzz99", "*"] {
            assert!(find(&conn, text).is_err(), "{text:?}");
        }
        conclude(&conn, &one, "tasked_review", "see R1", ANN).unwrap();
        conclude(&conn, &one, "other", "see R2", ANN).unwrap();
        let all = conclusions(&conn).unwrap();
        let kinds: Vec<&str> = all[&one.id].iter().map(|row| row.kind.as_str()).collect();
        assert_eq!(kinds, ["tasked_review", "other"]);
        for change in [
            "UPDATE indicator_conclusion SET words = ''",
            "DELETE FROM indicator_conclusion",
            "UPDATE indicator_form SET body = ''",
            "DELETE FROM indicator_seen",
            "UPDATE indicator_run SET actor = 'x'",
        ] {
            assert!(conn.execute(change, []).is_err(), "{change}");
        }
        assert_ne!(stable_id("ind", &["ab", "c"]), stable_id("ind", &["a", "bc"]));
    }
}
