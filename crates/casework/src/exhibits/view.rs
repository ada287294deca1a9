//! All that is on record about one exhibit: in the register, in the case, on timelines.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use embley_search::{ItemText, Searcher};
use embley_store::facts::continuity::{self, Entry};
use embley_store::facts::custody::{self, Gap};
use embley_store::facts::details::{self, Detail};
use embley_store::facts::exhibit_files::{self, ExhibitFile};
use embley_store::facts::exhibit_parts::{self, ExhibitPart};
use embley_store::facts::exhibits::Exhibit;
use embley_store::facts::links::{self, Link, Target};
use embley_store::facts::member::FactSets;
use embley_store::facts::notes::{self, Note, On};
use embley_store::facts::{Connection, cases, sets};
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::annotate::{DatedItem, annotate};
use crate::error::{CaseworkError, Result};
use crate::timeline::{Ask, ItemSource, Sources, timeline};

/// What the register says of an exhibit.
#[derive(Clone, Debug, Serialize)]
pub struct Register {
    /// Reference, producer, description.
    #[serde(flatten)]
    pub exhibit: Exhibit,
    /// `exhibit`, `statement`, `document`, `report` or `message`.
    pub kind: &'static str,
    /// The form for file names.
    pub file_form: String,
    /// Found by, booked in by, and so on.
    pub details: BTreeMap<Detail, String>,
    /// Files from outside.
    pub files: Vec<ExhibitFile>,
    /// Parts of items.
    pub parts: Vec<ExhibitPart>,
    /// Entries of continuity, corrected ones too.
    pub continuity: Vec<Entry>,
    /// What does not fit together in them.
    pub gaps: Vec<Gap>,
}

impl Register {
    /// Reads it.
    ///
    /// # Errors
    /// The database's, or a row is damaged.
    pub fn read(conn: &Connection, exhibit: &Exhibit) -> Result<Self> {
        let continuity = continuity::of(conn, exhibit)?;
        Ok(Self {
            kind: exhibit.reference.kind(),
            file_form: exhibit.reference.file_form(),
            details: details::of(conn, exhibit)?,
            files: exhibit_files::of(conn, exhibit)?,
            parts: exhibit_parts::of(conn, exhibit)?,
            gaps: custody::gaps(&continuity),
            continuity,
            exhibit: exhibit.clone(),
        })
    }

    /// The seal that was left last; empty when none is on record.
    pub fn seal(&self) -> String {
        let said = |entry: &Entry| {
            [entry.seal_after.clone(), entry.seal_before.clone()]
                .into_iter()
                .find(|seal| !seal.is_empty())
        };
        let newest = self
            .continuity
            .iter()
            .rev()
            .filter(|entry| entry.counts())
            .find_map(said);
        newest.unwrap_or_default()
    }
}

/// An item of an exhibit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldItem {
    /// Its printed id.
    pub item: String,
    /// Its number.
    pub item_no: ItemNo,
    /// Its kind.
    pub kind: &'static str,
    /// Its date, RFC 3339 in UTC.
    pub date: Option<String>,
    /// Subject, title or file name.
    pub title: String,
}

/// A part with what its text is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartView {
    /// The part.
    #[serde(flatten)]
    pub part: ExhibitPart,
    /// For a selection: true while the item's text still holds it at its place.
    pub still_there: Option<bool>,
}

/// A case that an exhibit has to do with, and where it stands on its timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseLine {
    /// Its reference.
    pub case_ref: String,
    /// Why: linked, or how many of its items name the case or are records of it.
    pub why: Vec<String>,
    /// The exhibit's own entry and those of its items: what `timeline CASE_REF` shows of it.
    pub entries: Vec<TimelineLine>,
}

/// An entry of a timeline, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineLine {
    /// When, in the zone of the case; nothing for the undated.
    pub when: Option<String>,
    /// `exhibit`, `mail`, `decision`, ...
    pub what: &'static str,
    /// The item.
    pub item_no: Option<ItemNo>,
    /// What it says.
    pub sentence: String,
}

/// All that is on record about one exhibit.
#[derive(Debug, Serialize)]
pub struct ExhibitView {
    /// What the register says.
    #[serde(flatten)]
    pub register: Register,
    /// The query that finds its items.
    pub query: String,
    /// Its items in the order of their numbers, as many as were asked for.
    pub items: Vec<HeldItem>,
    /// Links in force.
    pub links: Vec<Link>,
    /// Cases that it is linked to, and those that its items name or belong to.
    pub cases: Vec<CaseLine>,
    /// Decisions of those cases beside its items, and decisions that it is linked to: printed ids.
    pub decisions: Vec<String>,
    /// Selections with what the text is now.
    pub part_texts: Vec<PartView>,
    /// Notes on it, withdrawn ones too.
    pub notes: Vec<Note>,
}

/// Puts together what is on record. `limit` items are listed, all of them without one; cases and timelines are of all items.
///
/// # Errors
/// The catalogue or index cannot be read or is damaged.
pub fn view(searcher: &Searcher, texts: &dyn ItemText, exhibit: &Exhibit, limit: Option<u64>) -> Result<ExhibitView> {
    let reader = searcher.reader();
    let conn = reader.facts();
    let register = Register::read(conn, exhibit)?;
    let members = sets::members(conn, exhibit.set_id)?;
    let shown: RoaringBitmap = match limit {
        Some(limit) => members
            .iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect(),
        None => members.clone(),
    };
    let cards = reader.cards(&shown)?;
    let dated: Vec<DatedItem> = cards
        .iter()
        .map(|card| DatedItem {
            item: card.item,
            utc_secs: card.date.utc_secs,
        })
        .collect();
    let annotations = annotate(conn, &FactSets::load(conn)?, searcher.zone(), &dated)?;
    let links = links::of_exhibit(conn, exhibit)?;
    let mut decisions: BTreeSet<String> = annotations
        .iter()
        .flat_map(|one| one.decisions.iter().map(|near| near.id.clone()))
        .collect();
    let mut why: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for link in &links {
        match &link.target {
            Target::Case(case_ref) => {
                let said = why
                    .entry(cases::case_key(case_ref))
                    .or_insert_with(|| (case_ref.clone(), Vec::new()));
                said.1.push(format!("linked by {}", link.actor));
            }
            Target::Decision(id) => {
                decisions.insert(id.clone());
            }
        }
    }
    let mut named: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for case_ref in annotations.iter().flat_map(|one| &one.membership.cases) {
        named
            .entry(cases::case_key(case_ref))
            .or_insert_with(|| (case_ref.clone(), 0))
            .1 += 1;
    }
    for (key, (case_ref, count)) in named {
        let said = why.entry(key).or_insert_with(|| (case_ref, Vec::new()));
        said.1
            .push(format!("{count} of its listed items name it or are records of it"));
    }
    let mut lines = Vec::new();
    for (case_ref, why) in why.into_values() {
        let entries = on_timeline(searcher, exhibit, &case_ref)?;
        lines.push(CaseLine { case_ref, why, entries });
    }
    let mut part_texts = Vec::new();
    for part in &register.parts {
        let still_there = match &part.selection {
            Some(selection) if part.withdrawn.is_none() => Some(selection.still_in(&text_of(texts, part.item_no)?)),
            Some(_) | None => None,
        };
        part_texts.push(PartView {
            part: part.clone(),
            still_there,
        });
    }
    let items = cards.into_iter().map(|card| HeldItem {
        item: card.id,
        item_no: card.item,
        kind: card.kind.word(),
        date: card.date.utc_secs.and_then(embley_model::date::rfc3339),
        title: Some(card.subject)
            .filter(|subject| !subject.is_empty())
            .or(card.filename)
            .unwrap_or_default(),
    });
    Ok(ExhibitView {
        query: format!("exhibit:{}", exhibit.reference),
        items: items.collect(),
        links,
        cases: lines,
        decisions: decisions.into_iter().collect(),
        part_texts,
        notes: notes::of(conn, On::Exhibit(exhibit))?,
        register,
    })
}

fn text_of(texts: &dyn ItemText, item: ItemNo) -> Result<String> {
    texts.text(item).map_err(|cause| CaseworkError::Request {
        detail: format!("the text of item {item} cannot be read: {cause}"),
    })
}

/// What the timeline of a case shows of an exhibit.
fn on_timeline(searcher: &Searcher, exhibit: &Exhibit, case_ref: &str) -> Result<Vec<TimelineLine>> {
    let sources = Sources::of(searcher);
    let reference = exhibit.reference.to_string();
    let all = timeline(sources, &Ask::of(case_ref))?;
    let own = all
        .entries
        .into_iter()
        .filter(|entry| entry.exhibits.contains(&reference));
    Ok(own
        .map(|entry| TimelineLine {
            what: entry.kind.word(),
            when: entry.local,
            item_no: entry.item_no,
            sentence: entry.sentence,
        })
        .collect())
}
