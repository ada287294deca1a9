//! What a page of hits shows beside each item: exhibits, tags, cases, and the decisions of those cases with their
//! distance in days.
//!
//! A decision stands here because records put it into a case that the item names, nothing more: nearness in time
//! is shown, not interpreted.

use std::collections::HashMap;

use embley_model::id::ItemNo;
use embley_model::record::{RecordTime, RecordType};
use embley_search::DecisionLink;
use embley_store::facts::cases::case_key;
use embley_store::facts::links::{self, Target};
use embley_store::facts::member::{FactSets, Membership};
use embley_store::facts::{Connection, exhibits, records};
use jiff::civil;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::error::Result;

/// How an item and a decision come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The item is in an exhibit that is linked to the decision.
    ExhibitOfDecision,
    /// The item is a record of the decision's case.
    RecordOfCase,
    /// The item names the decision's case.
    NamesCase,
    /// The item is in an exhibit that is linked to the decision's case.
    ExhibitOfCase,
}

impl Relation {
    /// The word in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::ExhibitOfDecision => "exhibit-of-decision",
            Self::RecordOfCase => "record-of-case",
            Self::NamesCase => "names-case",
            Self::ExhibitOfCase => "exhibit-of-case",
        }
    }
}

/// A decision beside an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearDecision {
    /// Its printed id.
    pub id: String,
    /// Its item.
    pub item_no: ItemNo,
    /// The case.
    pub case_ref: String,
    /// What was decided about, as in `severity_assessment`; empty when the record does not say.
    pub decision_type: String,
    /// How they come together; the closest one of several.
    pub relation: Relation,
    /// Calendar days, in the zone of the case, from the decision to the item: negative when the item came first.
    /// `None` when one of the two has no date.
    pub days: Option<i64>,
}

impl NearDecision {
    /// As hits show it.
    pub fn link(&self) -> DecisionLink {
        DecisionLink {
            id: self.id.clone(),
            relation: self.relation.word().to_owned(),
            days: self.days,
        }
    }
}

/// What stands beside an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Annotation {
    /// Exhibits, tags, cases.
    #[serde(flatten)]
    pub membership: Membership,
    /// Decisions, nearest first, undated last, then by item number.
    pub decisions: Vec<NearDecision>,
}

/// An item of a page and its date in UTC seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedItem {
    /// The item.
    pub item: ItemNo,
    /// Its date.
    pub utc_secs: Option<i64>,
}

/// Looks up what stands beside each item of a page, in their order. `sets` is brought up to date by the caller.
///
/// # Errors
/// The catalogue refuses or is damaged.
pub fn annotate(conn: &Connection, sets: &FactSets, zone: &TimeZone, items: &[DatedItem]) -> Result<Vec<Annotation>> {
    let numbers: Vec<ItemNo> = items.iter().map(|one| one.item).collect();
    let memberships = sets.of(conn, &numbers)?;
    let mut decisions = Decisions::new(conn)?;
    let mut page = Vec::with_capacity(items.len());
    for (item, membership) in items.iter().zip(memberships) {
        let near = decisions.near(item, &membership, zone)?;
        page.push(Annotation {
            membership,
            decisions: near,
        });
    }
    Ok(page)
}

/// A decision as read once for a page.
#[derive(Clone, Debug)]
struct Held {
    id: String,
    item: ItemNo,
    case_ref: String,
    decision_type: String,
    decided_at: Option<RecordTime>,
}

/// The decisions of the cases on a page, each case read once.
struct Decisions<'a> {
    conn: &'a Connection,
    of_case: HashMap<String, Vec<Held>>,
    /// Targets of links by exhibit reference.
    linked: HashMap<String, Vec<Target>>,
}

impl<'a> Decisions<'a> {
    fn new(conn: &'a Connection) -> Result<Self> {
        let mut linked: HashMap<String, Vec<Target>> = HashMap::new();
        let links = links::all(conn)?;
        if !links.is_empty() {
            let references: HashMap<i64, String> = exhibits::list(conn)?
                .into_iter()
                .map(|one| (one.exhibit_id, one.reference.to_string()))
                .collect();
            for link in links {
                if let Some(reference) = references.get(&link.exhibit_id) {
                    linked.entry(reference.clone()).or_default().push(link.target);
                }
            }
        }
        Ok(Self {
            conn,
            of_case: HashMap::new(),
            linked,
        })
    }

    fn near(&mut self, item: &DatedItem, membership: &Membership, zone: &TimeZone) -> Result<Vec<NearDecision>> {
        let own_cases = self.own_cases(item.item)?;
        let mut found: HashMap<ItemNo, (Held, Relation)> = HashMap::new();
        for case_ref in &membership.cases {
            let own = own_cases.contains(&case_key(case_ref));
            let relation = if own {
                Relation::RecordOfCase
            } else {
                Relation::NamesCase
            };
            self.collect(case_ref, relation, &mut found)?;
        }
        for target in self.targets(&membership.exhibits) {
            match target {
                Target::Case(case_ref) => self.collect(&case_ref, Relation::ExhibitOfCase, &mut found)?,
                Target::Decision(text) => {
                    for stored in records::named(self.conn, RecordType::Decision, &text)? {
                        note(held(&stored)?, Relation::ExhibitOfDecision, &mut found);
                    }
                }
            }
        }
        found.remove(&item.item);
        let day = item.utc_secs.and_then(|secs| day_of(secs, zone));
        let mut near: Vec<NearDecision> = found
            .into_values()
            .map(|(held, relation)| at_distance(held, relation, day, zone))
            .collect();
        near.sort_by_key(|one| (one.days.map_or(i64::MAX, i64::abs), one.item_no));
        Ok(near)
    }

    fn own_cases(&self, item: ItemNo) -> Result<Vec<String>> {
        let Some(stored) = records::of_item(self.conn, item)? else {
            return Ok(Vec::new());
        };
        Ok(stored.record()?.case_refs().into_iter().map(case_key).collect())
    }

    fn targets(&self, exhibits: &[String]) -> Vec<Target> {
        exhibits
            .iter()
            .filter_map(|reference| self.linked.get(reference))
            .flatten()
            .cloned()
            .collect()
    }

    fn collect(
        &mut self,
        case_ref: &str,
        relation: Relation,
        found: &mut HashMap<ItemNo, (Held, Relation)>,
    ) -> Result<()> {
        let key = case_key(case_ref);
        if !self.of_case.contains_key(&key) {
            let mut all = Vec::new();
            for stored in records::of_case(self.conn, case_ref)? {
                if stored.key.record_type == RecordType::Decision {
                    all.push(held(&stored)?);
                }
            }
            self.of_case.insert(key.clone(), all);
        }
        for one in self.of_case.get(&key).into_iter().flatten() {
            note(one.clone(), relation, found);
        }
        Ok(())
    }
}

/// Keeps the closest relation of each decision.
fn note(held: Held, relation: Relation, found: &mut HashMap<ItemNo, (Held, Relation)>) {
    let entry = found.entry(held.item).or_insert((held, relation));
    entry.1 = entry.1.min(relation);
}

fn held(stored: &records::Stored) -> Result<Held> {
    let record = stored.record()?;
    Ok(Held {
        id: stored.key.display(),
        item: stored.item,
        case_ref: record.text("case_ref").unwrap_or_default().to_owned(),
        decision_type: record.text("decision_type").unwrap_or_default().to_owned(),
        decided_at: record.time("decided_at"),
    })
}

fn at_distance(held: Held, relation: Relation, day: Option<civil::Date>, zone: &TimeZone) -> NearDecision {
    let decided = held.decided_at.and_then(|time| time.day(zone));
    let days = match (day, decided) {
        (Some(day), Some(decided)) => decided.until(day).ok().map(|span| i64::from(span.get_days())),
        (Some(_) | None, Some(_) | None) => None,
    };
    NearDecision {
        id: held.id,
        item_no: held.item,
        case_ref: held.case_ref,
        decision_type: held.decision_type,
        relation,
        days,
    }
}

fn day_of(utc_secs: i64, zone: &TimeZone) -> Option<civil::Date> {
    Some(
        jiff::Timestamp::from_second(utc_secs)
            .ok()?
            .to_zoned(zone.clone())
            .date(),
    )
}
