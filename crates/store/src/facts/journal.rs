//! Every change that people made to facts, in one list: who, when, what, before and after.
//!
//! Read from the rows that only grow: events of sets (tags, exhibits, marks, review states), changes of the register, links, continuity,
//! files and parts of exhibits, rules of tags, notes, batches, codings. Not for: proving that nobody changed the rows (the audit log does), searches
//! ([`super::looks`]). Main function: [`read`]. Invariant: nothing here is derived; an entry is one row of one table.

use embley_model::id::ItemNo;
use rusqlite::Connection;
use serde::Serialize;

use super::exhibits::{self, Exhibit};
use super::sets::Action;
use super::{
    Result, SetKind, as_u64, batches, codings, continuity, exhibit_files, exhibit_parts, fold, notes, read_bitmap,
    tag_rules, tags,
};

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tags of items.
    Tag,
    /// Rules of tags.
    TagRule,
    /// Items of an exhibit.
    ExhibitItems,
    /// What the register says of an exhibit.
    Exhibit,
    /// Links of an exhibit to cases and decisions.
    Link,
    /// Continuity of an exhibit.
    Continuity,
    /// Files and parts of an exhibit.
    ExhibitFile,
    /// Marks of privilege.
    Privilege,
    /// Review states.
    Review,
    /// Notes.
    Note,
    /// Batches.
    Batch,
    /// Codings.
    Coding,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Tag,
        Self::TagRule,
        Self::ExhibitItems,
        Self::Exhibit,
        Self::Link,
        Self::Continuity,
        Self::ExhibitFile,
        Self::Privilege,
        Self::Review,
        Self::Note,
        Self::Batch,
        Self::Coding,
    ];

    /// The word in JSON and lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::TagRule => "tag-rule",
            Self::ExhibitItems => "exhibit-items",
            Self::Exhibit => "exhibit",
            Self::Link => "link",
            Self::Continuity => "continuity",
            Self::ExhibitFile => "exhibit-file",
            Self::Privilege => "privilege",
            Self::Review => "review",
            Self::Note => "note",
            Self::Batch => "batch",
            Self::Coding => "coding",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// What it is about.
    pub kind: Kind,
    /// The tag, exhibit, note, batch, ...
    pub subject: String,
    /// What was done.
    pub action: String,
    /// What was so before.
    pub before: String,
    /// What is so since.
    pub after: String,
    /// How many items it changed, where it is about items.
    pub items: Option<u64>,
    /// The query, the file of ids, a note.
    pub reason: String,
    /// The event, as `undo` takes it.
    pub event: Option<i64>,
    /// The event that it took back.
    pub undoes: Option<i64>,
}

/// Which changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which<'a> {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// By this actor.
    pub actor: Option<&'a str>,
    /// About this tag.
    pub tag: Option<&'a str>,
    /// About this exhibit.
    pub exhibit: Option<&'a Exhibit>,
    /// About this item.
    pub item: Option<ItemNo>,
}

impl Which<'_> {
    fn narrow(&self) -> bool {
        self.tag.is_some() || self.exhibit.is_some() || self.item.is_some()
    }

    fn wants(&self, kind: Kind) -> bool {
        self.kind.is_none_or(|one| one == kind)
    }
}

/// All changes asked for, oldest first.
///
/// # Errors
/// The database's, or a row is damaged.
pub fn read(conn: &Connection, which: Which<'_>) -> Result<Vec<Entry>> {
    Ok(newest(conn, which, None)?.0)
}

/// The newest changes asked for, oldest first, and how many there are in all. Codings, of which there may be millions, are read as far as
/// they are wanted.
///
/// # Errors
/// As [`read`].
pub fn newest(conn: &Connection, which: Which<'_>, limit: Option<u64>) -> Result<(Vec<Entry>, u64)> {
    let mut all = Vec::new();
    let mut not_read = 0;
    let register = exhibits::list(conn)?;
    set_events(conn, which, &register, &mut all)?;
    for exhibit in &register {
        if which.exhibit.is_none_or(|one| one.exhibit_id == exhibit.exhibit_id) && which.tag.is_none() {
            of_exhibit(conn, which, exhibit, &mut all)?;
        }
    }
    if which.wants(Kind::TagRule) && which.item.is_none() && which.exhibit.is_none() {
        let own = which.tag.map(|tag| format!("tag \"{}\"", fold(tag)));
        for change in tag_rules::changes(conn)? {
            if own.as_ref().is_none_or(|own| fold(&change.subject) == *own) {
                let mut entry = Entry::of(
                    change.at_micros,
                    &change.actor,
                    Kind::TagRule,
                    change.subject,
                    &change.field,
                );
                entry.before = change.before;
                entry.after = change.after;
                all.push(entry);
            }
        }
    }
    if which.wants(Kind::Note) && which.tag.is_none() {
        note_versions(conn, which, &register, &mut all)?;
    }
    if which.wants(Kind::Batch) && !which.narrow() {
        for event in batches::events(conn)? {
            let subject = format!("batch {}", event.batch_id);
            let mut entry = Entry::of(event.at_micros, &event.actor, Kind::Batch, subject, &event.action);
            entry.before = event.before;
            entry.after = event.after;
            entry.reason = event.note;
            all.push(entry);
        }
    }
    if which.wants(Kind::Coding) && which.tag.is_none() && which.exhibit.is_none() {
        not_read = code_events(conn, which, limit, &mut all)?;
    }
    if let Some(actor) = which.actor {
        all.retain(|entry| fold(&entry.actor) == fold(actor));
    }
    // Stable: changes of one moment stay in the order of their tables and rows.
    all.sort_by_key(|entry| entry.at_micros);
    let total = all.len() as u64 + not_read;
    if let Some(limit) = limit {
        let first = all.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        all.drain(..first);
    }
    Ok((all, total))
}

impl Entry {
    fn of(at_micros: i64, actor: &str, kind: Kind, subject: String, action: &str) -> Self {
        Self {
            at_micros,
            actor: actor.to_owned(),
            kind,
            subject,
            action: action.to_owned(),
            before: String::new(),
            after: String::new(),
            items: None,
            reason: String::new(),
            event: None,
            undoes: None,
        }
    }
}

fn set_events(conn: &Connection, which: Which<'_>, register: &[Exhibit], all: &mut Vec<Entry>) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT s.kind, s.name, s.key, s.set_id, e.event_id, e.at_micros, e.actor, e.action, e.undoes, e.reason, e.delta_count,
            CASE WHEN ?1 THEN e.delta END
         FROM fact_event e JOIN fact_set s ON s.set_id = e.set_id ORDER BY e.event_id",
    )?;
    let mut rows = statement.query([which.item.is_some()])?;
    while let Some(row) = rows.next()? {
        let Some(of) = SetKind::from_code(row.get(0)?) else {
            continue;
        };
        let set_id: i64 = row.get(3)?;
        let (kind, mut subject) = match of {
            SetKind::Tag => (Kind::Tag, row.get::<_, String>(1)?),
            SetKind::Exhibit => (Kind::ExhibitItems, row.get(1)?),
            SetKind::Privilege => (Kind::Privilege, row.get(1)?),
            SetKind::Review => (Kind::Review, row.get(1)?),
        };
        let key: String = row.get(2)?;
        let held = register.iter().find(|one| one.set_id == set_id);
        let actor: String = row.get(6)?;
        if !which.wants(kind)
            || which.actor.is_some_and(|by| fold(by) != fold(&actor))
            || which.tag.is_some_and(|tag| kind != Kind::Tag || fold(tag) != key)
            || which
                .exhibit
                .is_some_and(|one| held.is_none_or(|held| held.exhibit_id != one.exhibit_id))
        {
            continue;
        }
        let event_id: i64 = row.get(4)?;
        if let Some(item) = which.item {
            let delta = read_bitmap(row.get_ref(11)?.as_blob().unwrap_or_default(), || {
                format!("fact_event {event_id}")
            })?;
            if !delta.contains(item.0) {
                continue;
            }
        }
        if let Some(held) = held {
            subject = named(held);
        }
        let action = Action::from_code(row.get(7)?);
        let (word, before, after) = match action {
            Action::Added => ("added", "without", "with"),
            Action::Removed => ("removed", "with", "without"),
        };
        let mut entry = Entry::of(row.get(5)?, &actor, kind, subject, word);
        entry.before = before.to_owned();
        entry.after = after.to_owned();
        entry.items = Some(as_u64(row.get(10)?));
        entry.reason = row.get(9)?;
        if let Some(note) = tags::note_of(conn, event_id)? {
            let stop = if entry.reason.is_empty() { "" } else { "; " };
            entry.reason = format!("{}{stop}{note}", entry.reason);
        }
        entry.event = Some(event_id);
        entry.undoes = row.get(8)?;
        all.push(entry);
    }
    Ok(())
}

/// The reference, with the producer where that was said: two producers may share it.
fn named(exhibit: &Exhibit) -> String {
    if exhibit.produced_by.is_empty() {
        exhibit.reference.to_string()
    } else {
        format!("{} ({})", exhibit.reference, exhibit.produced_by)
    }
}

fn of_exhibit(conn: &Connection, which: Which<'_>, exhibit: &Exhibit, all: &mut Vec<Entry>) -> Result<()> {
    let name = named(exhibit);
    let no_item = which.item.is_none();
    if which.wants(Kind::Exhibit) && no_item {
        register_rows(conn, exhibit, &name, all)?;
    }
    if which.wants(Kind::Link) && no_item {
        link_rows(conn, exhibit, &name, all)?;
    }
    if which.wants(Kind::Continuity) && no_item {
        for one in continuity::of(conn, exhibit)? {
            let action = one.handling.word();
            let mut entry = Entry::of(
                one.recorded_at_micros,
                &one.recorded_by,
                Kind::Continuity,
                name.clone(),
                action,
            );
            entry.before = one.corrects.map_or_else(String::new, |other| format!("entry {other}"));
            entry.after = format!("entry {} at {} by {}", one.entry_id, one.at.said, one.by);
            entry.reason = one.note;
            all.push(entry);
        }
    }
    if which.wants(Kind::ExhibitFile) {
        if no_item {
            for file in exhibit_files::of(conn, exhibit)? {
                let what = format!("file {} {} (sha256 {})", file.file_id, file.name, file.sha256);
                in_and_out(&name, file.at_micros, &file.actor, what, file.withdrawn.as_ref(), all);
            }
        }
        for part in exhibit_parts::of(conn, exhibit)? {
            if which.item.is_some_and(|item| item != part.item_no) {
                continue;
            }
            let mut what = format!("part {} of item {}", part.part_id, part.item_no);
            if let Some(page) = part.page {
                what.push_str(&format!(", page {page}"));
            }
            if let Some(selection) = &part.selection {
                what.push_str(&format!(", bytes {} to {}", selection.first, selection.last));
            }
            in_and_out(&name, part.at_micros, &part.actor, what, part.withdrawn.as_ref(), all);
        }
    }
    Ok(())
}

/// What the register says of an exhibit, from its making on. What was said then is not a row of its own: it is what the first change
/// replaced, else what holds now.
fn register_rows(conn: &Connection, exhibit: &Exhibit, name: &str, all: &mut Vec<Entry>) -> Result<()> {
    let changes = exhibits::changes(conn, exhibit)?;
    let (at_micros, actor) = (exhibit.created_at_micros, exhibit.created_by.as_str());
    let mut made = Entry::of(at_micros, actor, Kind::Exhibit, name.to_owned(), "registered");
    made.after = exhibit.reference.to_string();
    all.push(made);
    for (field, now) in [
        ("produced_by", &exhibit.produced_by),
        ("produced_on", &exhibit.produced_on),
        ("description", &exhibit.description),
    ] {
        let first = changes
            .iter()
            .find(|change| change.field == field)
            .map_or(now, |change| &change.before);
        if !first.is_empty() {
            let mut entry = Entry::of(at_micros, actor, Kind::Exhibit, name.to_owned(), field);
            entry.after.clone_from(first);
            all.push(entry);
        }
    }
    for change in changes {
        let mut entry = Entry::of(
            change.at_micros,
            &change.actor,
            Kind::Exhibit,
            name.to_owned(),
            &change.field,
        );
        entry.before = change.before;
        entry.after = change.after;
        all.push(entry);
    }
    Ok(())
}

fn in_and_out(
    exhibit: &str,
    at_micros: i64,
    actor: &str,
    what: String,
    withdrawn: Option<&exhibit_files::Withdrawn>,
    all: &mut Vec<Entry>,
) {
    let mut entry = Entry::of(at_micros, actor, Kind::ExhibitFile, exhibit.to_owned(), "added");
    entry.after.clone_from(&what);
    all.push(entry);
    if let Some(gone) = withdrawn {
        let mut entry = Entry::of(
            gone.at_micros,
            &gone.actor,
            Kind::ExhibitFile,
            exhibit.to_owned(),
            "withdrawn",
        );
        entry.before = what;
        entry.reason.clone_from(&gone.reason);
        all.push(entry);
    }
}

fn link_rows(conn: &Connection, exhibit: &Exhibit, name: &str, all: &mut Vec<Entry>) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT target, at_micros, actor, reason, removed_at_micros, removed_by FROM exhibit_link WHERE exhibit_id = ?1 ORDER BY link_id",
    )?;
    let mut rows = statement.query([exhibit.exhibit_id])?;
    while let Some(row) = rows.next()? {
        let (target, actor): (String, String) = (row.get(0)?, row.get(2)?);
        let mut entry = Entry::of(row.get(1)?, &actor, Kind::Link, name.to_owned(), "linked");
        entry.after.clone_from(&target);
        entry.reason = row.get(3)?;
        all.push(entry);
        if let (Some(at_micros), Some(by)) = (row.get::<_, Option<i64>>(4)?, row.get::<_, Option<String>>(5)?) {
            let mut entry = Entry::of(at_micros, &by, Kind::Link, name.to_owned(), "unlinked");
            entry.before = target;
            all.push(entry);
        }
    }
    Ok(())
}

fn note_versions(conn: &Connection, which: Which<'_>, register: &[Exhibit], all: &mut Vec<Entry>) -> Result<()> {
    for note in notes::all(conn)? {
        if which.item.is_some() && note.item_no != which.item
            || which.exhibit.is_some_and(|one| note.exhibit_id != Some(one.exhibit_id))
        {
            continue;
        }
        let on = match (note.item_no, note.exhibit_id) {
            (Some(item), _) => format!("item {item}"),
            (None, id) => register
                .iter()
                .find(|one| Some(one.exhibit_id) == id)
                .map_or_else(String::new, |one| format!("exhibit {}", named(one))),
        };
        let mut before = String::new();
        for version in note.versions {
            let action = match (version.version, version.withdrawn) {
                (_, true) => "withdrawn",
                (1, false) => "made",
                (_, false) => "edited",
            };
            let subject = format!("note {} on {on}", note.note_id);
            let mut entry = Entry::of(version.at_micros, &version.actor, Kind::Note, subject, action);
            entry.before = std::mem::take(&mut before);
            if version.withdrawn {
                entry.reason = version.text;
            } else {
                entry.after.clone_from(&version.text);
                before = version.text;
            }
            all.push(entry);
        }
    }
    Ok(())
}

/// Gives how many are there besides and were not read.
fn code_events(conn: &Connection, which: Which<'_>, limit: Option<u64>, all: &mut Vec<Entry>) -> Result<u64> {
    let asked = codings::Which {
        item: which.item,
        reviewer: which.actor,
        ..codings::Which::default()
    };
    let (newest, total) = codings::newest(conn, asked, limit)?;
    let not_read = total.saturating_sub(newest.len() as u64);
    for codings::Recoded { coding, before } in newest {
        let subject = format!("item {} by form {}", coding.item_no, coding.form);
        let mut entry = Entry::of(coding.at_micros, &coding.reviewer, Kind::Coding, subject, "coded");
        entry.before = before;
        entry.after = coding.answers;
        entry.items = Some(1);
        all.push(entry);
    }
    Ok(not_read)
}
