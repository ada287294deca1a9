//! Which exhibits, tags, marks, review states and cases hold an item: the reverse look-up for a page of hits.
//!
//! [`FactSets`] holds all sets in memory and reads again only those whose version changed, so that a page costs
//! one look-up a set and item, and a refresh without changes reads no bitmap.

use std::collections::HashMap;

use embley_model::id::ItemNo;
use roaring::RoaringBitmap;
use rusqlite::Connection;
use serde::Serialize;

use super::{ExhibitRef, Result, SetKind, as_u64, read_bitmap};

/// What holds an item; each list sorted, exhibits numerically.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// Exhibit references.
    pub exhibits: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Case references.
    pub cases: Vec<String>,
    /// Marks of privilege.
    pub privilege: Vec<String>,
    /// The review state; `None` for what is not reviewed.
    pub review: Option<String>,
}

#[derive(Debug)]
struct Loaded {
    name: String,
    version: u64,
    members: RoaringBitmap,
}

/// All sets of a case folder at one moment.
#[derive(Debug, Default)]
pub struct FactSets {
    tags: HashMap<i64, Loaded>,
    exhibits: HashMap<i64, Loaded>,
    privilege: HashMap<i64, Loaded>,
    review: HashMap<i64, Loaded>,
    cases: HashMap<i64, Loaded>,
}

impl FactSets {
    /// Reads all sets.
    ///
    /// # Errors
    /// The database's, or damaged bytes.
    pub fn load(conn: &Connection) -> Result<Self> {
        let mut sets = Self::default();
        sets.refresh(conn)?;
        Ok(sets)
    }

    /// Reads what changed since.
    ///
    /// # Errors
    /// As [`FactSets::load`]; what was read before then stays.
    pub fn refresh(&mut self, conn: &Connection) -> Result<()> {
        for kind in SetKind::ALL {
            let held = match kind {
                SetKind::Tag => &mut self.tags,
                SetKind::Exhibit => &mut self.exhibits,
                SetKind::Privilege => &mut self.privilege,
                SetKind::Review => &mut self.review,
            };
            let list = format!(
                "SELECT set_id, name, version FROM fact_set WHERE kind = {}",
                kind.code()
            );
            renew(conn, held, &list, "SELECT members FROM fact_set WHERE set_id = ?1")?;
        }
        renew(
            conn,
            &mut self.cases,
            "SELECT case_no, case_ref, version FROM case_names",
            "SELECT members FROM case_names WHERE case_no = ?1",
        )
    }

    /// What holds each of these items, in their order. Cases of records come from the catalogue, the rest from memory.
    ///
    /// # Errors
    /// The database's.
    pub fn of(&self, conn: &Connection, items: &[ItemNo]) -> Result<Vec<Membership>> {
        let mut record_cases = conn.prepare_cached(
            "SELECT c.case_ref FROM record r JOIN record_case c ON c.record_no = r.record_no WHERE r.item_no = ?1",
        )?;
        let page: RoaringBitmap = items.iter().map(|item| item.0).collect();
        let (tag_sets, exhibit_sets) = (touching(&self.tags, &page), touching(&self.exhibits, &page));
        let (marks, states) = (touching(&self.privilege, &page), touching(&self.review, &page));
        let case_sets = touching(&self.cases, &page);
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            let mut cases = holding(&case_sets, *item);
            for case_ref in record_cases.query_map([item.0], |row| row.get::<_, String>(0))? {
                cases.push(case_ref?);
            }
            cases.sort_by_cached_key(|case_ref| (super::cases::case_key(case_ref), case_ref.clone()));
            cases.dedup_by_key(|case_ref| super::cases::case_key(case_ref));
            let tags = by_name(holding(&tag_sets, *item));
            let mut exhibits = holding(&exhibit_sets, *item);
            exhibits.sort_by_cached_key(|text| (text.parse::<ExhibitRef>().ok(), text.clone()));
            exhibits.dedup();
            all.push(Membership {
                exhibits,
                tags,
                cases,
                privilege: by_name(holding(&marks, *item)),
                review: holding(&states, *item).pop(),
            });
        }
        Ok(all)
    }
}

fn by_name(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_cached_key(|name| (super::fold(name), name.clone()));
    names
}

/// The few of many sets that hold any item of a page: most sets are passed over with one comparison.
fn touching<'a>(sets: &'a HashMap<i64, Loaded>, page: &RoaringBitmap) -> Vec<&'a Loaded> {
    sets.values().filter(|set| !set.members.is_disjoint(page)).collect()
}

fn holding(sets: &[&Loaded], item: ItemNo) -> Vec<String> {
    sets.iter()
        .filter(|set| set.members.contains(item.0))
        .map(|set| set.name.clone())
        .collect()
}

/// Brings one kind of sets up to date: rows of `list` are (id, name, version), `members` gives one bitmap by id.
fn renew(conn: &Connection, held: &mut HashMap<i64, Loaded>, list: &str, members: &str) -> Result<()> {
    let mut statement = conn.prepare_cached(list)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, as_u64(row.get(2)?))))?;
    let rows: Vec<(i64, String, u64)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut read = conn.prepare_cached(members)?;
    for (id, name, version) in rows {
        if held.get(&id).is_some_and(|set| set.version == version) {
            continue;
        }
        let bytes: Vec<u8> = read.query_row([id], |row| row.get(0))?;
        let members = read_bitmap(&bytes, || format!("set {id} \"{name}\""))?;
        held.insert(id, Loaded { name, version, members });
    }
    Ok(())
}
