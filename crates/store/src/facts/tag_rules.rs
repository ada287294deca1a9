//! Sets of tags with colours and rules: of an exclusive set an item carries one tag at most; a set can ask for a note with each change.
//!
//! Rules act when a tag is put on or taken off ([`super::tags`]); a set becomes exclusive only when no item carries two of its tags. Every change of
//! a rule is a row of `tag_rule_change` with what was before. Main type: [`TagSet`]. Invariant: a tag is in one set at most.
//!
//! The tables are made by the first rule; a catalogue without them reads as one without rules.

use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::sets::{self, SetKind, check_name, key_of};
use super::{FactsError, Result, Stamp, atomically, has_table, tags, told};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS tag_set (
    tag_set_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,           -- the name folded
    name TEXT NOT NULL,                 -- as first written
    colour TEXT NOT NULL,               -- #rrggbb, or empty
    exclusive INTEGER NOT NULL,
    note_required INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS tag_set_not_deleted BEFORE DELETE ON tag_set
    BEGIN SELECT RAISE(ABORT, 'a set of tags is emptied, never deleted'); END;
CREATE TABLE IF NOT EXISTS tag_trait (
    set_id INTEGER PRIMARY KEY REFERENCES fact_set (set_id),
    tag_set_id INTEGER REFERENCES tag_set (tag_set_id),
    colour TEXT NOT NULL                -- of the tag itself; empty: that of its set
) STRICT;
CREATE TABLE IF NOT EXISTS tag_rule_change (
    change_id INTEGER PRIMARY KEY,
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,              -- tag or tag set, with its name
    field TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS tag_rule_change_not_changed BEFORE UPDATE ON tag_rule_change
    BEGIN SELECT RAISE(ABORT, 'changes are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS tag_rule_change_not_deleted BEFORE DELETE ON tag_rule_change
    BEGIN SELECT RAISE(ABORT, 'changes are only ever added'); END;
";

/// Colours that have a name.
const COLOURS: [(&str, &str); 9] = [
    ("red", "#c62828"),
    ("orange", "#ef6c00"),
    ("yellow", "#f9a825"),
    ("green", "#2e7d32"),
    ("teal", "#00838f"),
    ("blue", "#1565c0"),
    ("purple", "#6a1b9a"),
    ("brown", "#5d4037"),
    ("grey", "#616161"),
];

/// A set of tags and its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagSet {
    /// Row id.
    #[serde(skip)]
    pub tag_set_id: i64,
    /// Its name as first written.
    pub name: String,
    /// `#rrggbb`, or empty.
    pub colour: String,
    /// An item carries one of its tags at most.
    pub exclusive: bool,
    /// A change of its tags has a note.
    pub note_required: bool,
}

/// What is said about a set of tags; absent parts stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Said<'a> {
    /// A name of a colour, or `#rrggbb`; empty takes it away.
    pub colour: Option<&'a str>,
    /// An item carries one of its tags at most.
    pub exclusive: Option<bool>,
    /// A change of its tags has a note.
    pub note_required: Option<bool>,
    /// Tags that belong to it from now on, beside those that do; made when they are new.
    pub tags: &'a [String],
    /// Tags that belong to no set from now on.
    pub without: &'a [String],
}

/// Where a tag belongs, and its colour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trait {
    /// Its set.
    pub set: Option<TagSet>,
    /// Its own colour, else that of its set; may be empty.
    pub colour: String,
}

/// One change of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// `tag "x"` or `tag set "x"`.
    pub subject: String,
    /// What was changed.
    pub field: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
}

/// Makes a set of tags or changes what is said about it.
///
/// # Errors
/// A name or colour cannot be one, a tag belongs to another set, or items carry two tags of what is to be exclusive (the message counts them);
/// nothing is changed then.
pub fn define(conn: &Connection, name: &str, said: &Said<'_>, stamp: Stamp<'_>) -> Result<TagSet> {
    let name = check_name(name, "set of tags")?;
    let colour = said.colour.map(colour_of).transpose()?;
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let held = match find(conn, name)? {
            Some(held) => held,
            None => {
                conn.prepare_cached(
                    "INSERT INTO tag_set (key, name, colour, exclusive, note_required) VALUES (?1, ?2, '', 0, 0)",
                )?
                .execute(params![key_of(name), name])?;
                let subject = format!("tag set \"{name}\"");
                changed(conn, &subject, "made", "", name, stamp)?;
                find(conn, name)?.ok_or_else(|| FactsError::NotFound {
                    what: "set of tags",
                    name: name.to_owned(),
                })?
            }
        };
        let subject = format!("tag set \"{}\"", held.name);
        let yes = |value: bool| if value { "yes" } else { "no" };
        let new = TagSet {
            colour: colour.unwrap_or_else(|| held.colour.clone()),
            exclusive: said.exclusive.unwrap_or(held.exclusive),
            note_required: said.note_required.unwrap_or(held.note_required),
            ..held.clone()
        };
        for (field, before, after) in [
            ("colour", held.colour.as_str(), new.colour.as_str()),
            ("exclusive", yes(held.exclusive), yes(new.exclusive)),
            ("note required", yes(held.note_required), yes(new.note_required)),
        ] {
            if before != after {
                changed(conn, &subject, field, before, after, stamp)?;
            }
        }
        conn.prepare_cached(
            "UPDATE tag_set SET colour = ?2, exclusive = ?3, note_required = ?4 WHERE tag_set_id = ?1",
        )?
        .execute(params![held.tag_set_id, new.colour, new.exclusive, new.note_required])?;
        for tag in said.tags {
            join(conn, &new, tag, stamp)?;
        }
        for tag in said.without {
            leave(conn, &new, tag, stamp)?;
        }
        if new.exclusive {
            refuse_overlap(conn, &new)?;
        }
        Ok(new)
    })
}

/// Gives a tag a colour of its own; empty for that of its set. The tag is made when it is new.
///
/// # Errors
/// The name or colour cannot be one.
pub fn colour(conn: &Connection, tag: &str, colour: &str, stamp: Stamp<'_>) -> Result<()> {
    let tag = check_name(tag, "tag")?;
    let colour = colour_of(colour)?;
    atomically(conn, |conn| {
        conn.execute_batch(TABLES)?;
        let set_id = sets::ensure(conn, SetKind::Tag, &key_of(tag), tag)?;
        let before: Option<String> = conn
            .prepare_cached("SELECT colour FROM tag_trait WHERE set_id = ?1")?
            .query_row([set_id], |row| row.get(0))
            .optional()?;
        let before = before.unwrap_or_default();
        if before != colour {
            changed(conn, &format!("tag \"{tag}\""), "colour", &before, &colour, stamp)?;
        }
        conn.prepare_cached(
            "INSERT INTO tag_trait (set_id, colour) VALUES (?1, ?2) ON CONFLICT (set_id) DO UPDATE SET colour = excluded.colour",
        )?
        .execute(params![set_id, colour])?;
        Ok(())
    })
}

fn colour_of(text: &str) -> Result<String> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Ok(text);
    }
    if let Some((_, code)) = COLOURS.iter().find(|(name, _)| *name == text) {
        return Ok((*code).to_owned());
    }
    let hex = text.strip_prefix('#').unwrap_or_default();
    if hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text);
    }
    let names: Vec<&str> = COLOURS.iter().map(|(name, _)| *name).collect();
    Err(FactsError::not_allowed(
        format!("\"{text}\" is no colour: #rrggbb, or one of {}", names.join(", ")),
        None,
    ))
}

fn join(conn: &Connection, set: &TagSet, tag: &str, stamp: Stamp<'_>) -> Result<()> {
    let tag = check_name(tag, "tag")?;
    let set_id = sets::ensure(conn, SetKind::Tag, &key_of(tag), tag)?;
    let before = of_tag(conn, set_id)?.set;
    match before {
        Some(before) if before.tag_set_id == set.tag_set_id => return Ok(()),
        Some(before) => {
            return Err(FactsError::not_allowed(
                format!("tag \"{tag}\" belongs to the set \"{}\"", before.name),
                Some("take it out of that set first: `embley tag set NAME --without TAG`"),
            ));
        }
        None => {}
    }
    changed(conn, &format!("tag \"{tag}\""), "set", "", &set.name, stamp)?;
    conn.prepare_cached(
        "INSERT INTO tag_trait (set_id, tag_set_id, colour) VALUES (?1, ?2, '')
         ON CONFLICT (set_id) DO UPDATE SET tag_set_id = excluded.tag_set_id",
    )?
    .execute(params![set_id, set.tag_set_id])?;
    Ok(())
}

fn leave(conn: &Connection, set: &TagSet, tag: &str, stamp: Stamp<'_>) -> Result<()> {
    let row = tags::find(conn, tag)?;
    if of_tag(conn, row.set_id)?
        .set
        .is_none_or(|one| one.tag_set_id != set.tag_set_id)
    {
        return Err(FactsError::not_allowed(
            format!("tag \"{}\" does not belong to the set \"{}\"", row.name, set.name),
            None,
        ));
    }
    changed(conn, &format!("tag \"{}\"", row.name), "set", &set.name, "", stamp)?;
    conn.prepare_cached("UPDATE tag_trait SET tag_set_id = NULL WHERE set_id = ?1")?
        .execute([row.set_id])?;
    Ok(())
}

fn refuse_overlap(conn: &Connection, set: &TagSet) -> Result<()> {
    let twice = carried_twice(conn, set)?;
    let seen = told(conn, &twice)?;
    match seen.min() {
        None if twice.is_empty() => Ok(()),
        None => Err(FactsError::not_allowed(
            format!(
                "tags of \"{}\" cannot be exclusive: what is kept from you carries more than one of them",
                set.name
            ),
            Some("make the set of other tags"),
        )),
        Some(first) => Err(FactsError::not_allowed(
            format!(
                "{} items carry more than one tag of \"{}\", the first of them item {first}; of an exclusive set an item carries one",
                seen.len(),
                set.name
            ),
            Some("take the tags off that are too many, then make the set exclusive"),
        )),
    }
}

/// Items that carry more than one tag of a set.
fn carried_twice(conn: &Connection, set: &TagSet) -> Result<RoaringBitmap> {
    let mut seen = RoaringBitmap::new();
    let mut twice = RoaringBitmap::new();
    for set_id in members(conn, set)? {
        let items = sets::members(conn, set_id)?;
        twice |= &seen & &items;
        seen |= items;
    }
    Ok(twice)
}

/// Checks that no item carries two tags of an exclusive set; gives what does not hold, in words. For `verify`.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn verify(conn: &Connection) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for set in all(conn)?.iter().filter(|set| set.exclusive) {
        let twice = carried_twice(conn, set)?.len();
        if twice > 0 {
            problems.push(format!(
                "{twice} items carry more than one tag of the exclusive set \"{}\"",
                set.name
            ));
        }
    }
    Ok(problems)
}

fn changed(conn: &Connection, subject: &str, field: &str, before: &str, after: &str, stamp: Stamp<'_>) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO tag_rule_change (at_micros, actor, subject, field, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![stamp.at_micros, stamp.actor, subject, field, before, after])?;
    Ok(())
}

/// Finds a set of tags by its name.
///
/// # Errors
/// The database's.
pub fn find(conn: &Connection, name: &str) -> Result<Option<TagSet>> {
    Ok(all(conn)?.into_iter().find(|set| key_of(&set.name) == key_of(name)))
}

/// All sets of tags, by name.
///
/// # Errors
/// The database's.
pub fn all(conn: &Connection) -> Result<Vec<TagSet>> {
    if !has_table(conn, "tag_set")? {
        return Ok(Vec::new());
    }
    let mut statement =
        conn.prepare_cached("SELECT tag_set_id, name, colour, exclusive, note_required FROM tag_set ORDER BY key")?;
    let rows = statement.query_map([], tag_set_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn tag_set_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<TagSet> {
    Ok(TagSet {
        tag_set_id: row.get(0)?,
        name: row.get(1)?,
        colour: row.get(2)?,
        exclusive: row.get(3)?,
        note_required: row.get(4)?,
    })
}

/// Row ids (of `fact_set`) of the tags of a set.
pub(super) fn members(conn: &Connection, set: &TagSet) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached("SELECT set_id FROM tag_trait WHERE tag_set_id = ?1 ORDER BY set_id")?;
    let rows = statement.query_map([set.tag_set_id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Where a tag belongs, and its colour.
///
/// # Errors
/// The database's.
pub fn of_tag(conn: &Connection, set_id: i64) -> Result<Trait> {
    if !has_table(conn, "tag_trait")? {
        return Ok(Trait::default());
    }
    let found: Option<(Option<i64>, String)> = conn
        .prepare_cached("SELECT tag_set_id, colour FROM tag_trait WHERE set_id = ?1")?
        .query_row([set_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((tag_set, own)) = found else {
        return Ok(Trait::default());
    };
    let set = match tag_set {
        None => None,
        Some(tag_set) => conn
            .prepare_cached(
                "SELECT tag_set_id, name, colour, exclusive, note_required FROM tag_set WHERE tag_set_id = ?1",
            )?
            .query_row([tag_set], tag_set_row)
            .optional()?,
    };
    let colour = match &set {
        Some(set) if own.is_empty() => set.colour.clone(),
        Some(_) | None => own,
    };
    Ok(Trait { set, colour })
}

/// All changes of rules, oldest first.
///
/// # Errors
/// The database's.
pub fn changes(conn: &Connection) -> Result<Vec<RuleChange>> {
    if !has_table(conn, "tag_rule_change")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT at_micros, actor, subject, field, before, after FROM tag_rule_change ORDER BY change_id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(RuleChange {
            at_micros: row.get(0)?,
            actor: row.get(1)?,
            subject: row.get(2)?,
            field: row.get(3)?,
            before: row.get(4)?,
            after: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
