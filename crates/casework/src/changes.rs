//! Decisions that were followed by another one about the same thing: recommended against final finding, severity assessed
//! locally against severity as revised.
//!
//! A pair is *said* where the later decision names the earlier one (`supersedes_decision_id`); else two decisions of one kind in one case about
//! the same people, one after the other by their dates, are a pair *in sequence*. Undated decisions are in no
//! sequence. Not for: whether a change was right. Invariant: every decision asked about is in a pair, or counted alone.

use std::collections::{BTreeMap, HashMap};

use embley_model::id::ItemNo;
use embley_model::record::{Record, RecordType};
use embley_store::facts::cases::case_key;
use embley_store::facts::{Connection, records};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::error::Result;

/// Which decisions.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Kinds of decision; none for all. A severity assessment and its revision are one kind.
    pub decision_types: Vec<String>,
    /// Only this case.
    pub case_ref: Option<String>,
    /// Only the decisions of this system.
    pub source_system: Option<String>,
}

/// How two decisions came to be a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The later one names the earlier one.
    Said,
    /// One case, kind and set of people, next in time.
    Sequence,
}

/// How the two compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// Outcome and sanction are the same, as far as both decisions state them.
    Same,
    /// The outcomes differ.
    Outcome,
    /// The outcomes are the same and the sanctions differ.
    Sanction,
    /// One of the two states no outcome.
    NotStated,
}

/// One of the two decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Its item.
    pub item_no: ItemNo,
    /// Its printed id.
    pub id: String,
    /// Its kind.
    pub decision_type: String,
    /// What was decided.
    pub outcome: Option<String>,
    /// The sanction or discipline, where the export has one.
    pub sanction: Option<String>,
    /// When, as recorded.
    pub decided_at: Option<String>,
    /// By whom, as recorded.
    pub decided_by: Option<String>,
}

/// A pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The case.
    pub case_ref: String,
    /// Whom the later decision concerns.
    pub subject_person_ids: Vec<String>,
    /// How they came to be a pair.
    pub link: Link,
    /// How they compare.
    pub compared: Compared,
    /// The earlier decision.
    pub earlier: Side,
    /// The later one.
    pub later: Side,
}

/// How often one outcome was followed by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transition {
    /// Outcome of the earlier decision; empty when it states none.
    pub from: String,
    /// Outcome of the later one.
    pub to: String,
    /// Pairs.
    pub count: u64,
}

/// The pairs and their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Decisions asked about.
    pub decisions: u64,
    /// Pairs: `same + outcome_changed + sanction_changed + not_stated`.
    pub pair_count: u64,
    /// Pairs in which nothing changed.
    pub same: u64,
    /// Pairs whose outcome changed.
    pub outcome_changed: u64,
    /// Pairs whose outcome is the same and whose sanction changed.
    pub sanction_changed: u64,
    /// Pairs of which one decision states no outcome.
    pub not_stated: u64,
    /// Pairs in which the later decision names the earlier one.
    pub said: u64,
    /// Decisions that are in no pair.
    pub alone: u64,
    /// Decisions that name an earlier one which is not in the case.
    pub earlier_not_loaded: u64,
    /// Outcomes followed by outcomes, the most frequent first.
    pub transitions: Vec<Transition>,
    /// The pairs, by case and item.
    pub pairs: Vec<Pair>,
}

/// A kind of decision, for pairs: a severity assessment and its revision are one.
fn kind_of(decision_type: &str) -> &str {
    match decision_type {
        "severity_assessment" | "severity_revision" => "severity",
        other => other,
    }
}

struct Held {
    item: ItemNo,
    system: String,
    id: String,
    case_ref: String,
    decision_type: String,
    subjects: Vec<String>,
    outcome: Option<String>,
    sanction: Option<String>,
    decided_at: Option<String>,
    decided_utc: Option<i64>,
    decided_by: Option<String>,
    supersedes: Option<String>,
}

impl Held {
    fn read(item: ItemNo, record: &Record, zone: &TimeZone) -> Self {
        let text = |name: &str| record.text(name).map(str::to_owned);
        let sanction = record.extra.get("sanction").and_then(serde_json::Value::as_str);
        let mut subjects: Vec<String> = record
            .list("subject_person_ids")
            .into_iter()
            .map(str::to_owned)
            .collect();
        subjects.sort_unstable();
        Self {
            item,
            system: record.key.source_system.clone(),
            id: record.key.record_id.clone(),
            case_ref: text("case_ref").unwrap_or_default(),
            decision_type: text("decision_type").unwrap_or_default(),
            subjects,
            outcome: text("outcome"),
            sanction: sanction.map(str::to_owned),
            decided_at: text("decided_at"),
            decided_utc: record.time("decided_at").and_then(|time| time.utc_secs(zone)),
            decided_by: text("decided_by"),
            supersedes: text("supersedes_decision_id"),
        }
    }

    fn side(&self) -> Side {
        Side {
            item_no: self.item,
            id: format!("{}:{}/{}", RecordType::Decision.prefix(), self.system, self.id),
            decision_type: self.decision_type.clone(),
            outcome: self.outcome.clone(),
            sanction: self.sanction.clone(),
            decided_at: self.decided_at.clone(),
            decided_by: self.decided_by.clone(),
        }
    }
}

fn compare(earlier: &Held, later: &Held) -> Compared {
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let differ = |one: &Option<String>, two: &Option<String>| match (one, two) {
        (Some(one), Some(two)) => Some(fold(one) != fold(two)),
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    match (
        differ(&earlier.outcome, &later.outcome),
        differ(&earlier.sanction, &later.sanction),
    ) {
        (None, _) => Compared::NotStated,
        (Some(true), _) => Compared::Outcome,
        (Some(false), Some(true)) => Compared::Sanction,
        (Some(false), Some(false) | None) => Compared::Same,
    }
}

/// Finds the pairs.
///
/// # Errors
/// The catalogue refuses.
pub fn changes(conn: &Connection, ask: &Ask, zone: &TimeZone) -> Result<Changes> {
    let stored = match &ask.case_ref {
        Some(case_ref) => records::of_case(conn, case_ref)?,
        None => records::of_type(conn, RecordType::Decision)?,
    };
    let mut held = Vec::new();
    for one in stored.iter().filter(|one| one.key.record_type == RecordType::Decision) {
        let wanted_system = ask
            .source_system
            .as_ref()
            .is_none_or(|system| *system == one.key.source_system);
        let decision = Held::read(one.item, &one.record()?, zone);
        let wanted_type = ask.decision_types.is_empty()
            || ask
                .decision_types
                .iter()
                .any(|word| kind_of(word) == kind_of(&decision.decision_type));
        if wanted_system && wanted_type {
            held.push(decision);
        }
    }
    Ok(pair_up(&held))
}

fn pair_up(held: &[Held]) -> Changes {
    let by_id: HashMap<(&str, &str), usize> = held
        .iter()
        .enumerate()
        .map(|(at, one)| ((one.system.as_str(), one.id.as_str()), at))
        .collect();
    let mut found = Changes {
        decisions: held.len() as u64,
        ..Changes::default()
    };
    let mut pairs: Vec<(usize, usize, Link)> = Vec::new();
    let mut groups: BTreeMap<(String, &str, &[String]), Vec<usize>> = BTreeMap::new();
    for (at, one) in held.iter().enumerate() {
        if let Some(named) = &one.supersedes {
            match by_id.get(&(one.system.as_str(), bare_id(named, &one.system))) {
                Some(earlier) if *earlier != at => pairs.push((*earlier, at, Link::Said)),
                Some(_) => {}
                None => found.earlier_not_loaded += 1,
            }
        }
        if one.decided_utc.is_some() && !one.case_ref.is_empty() {
            let key = (
                case_key(&one.case_ref),
                kind_of(&one.decision_type),
                one.subjects.as_slice(),
            );
            groups.entry(key).or_default().push(at);
        }
    }
    for mut group in groups.into_values() {
        group.sort_by_key(|at| (held[*at].decided_utc, held[*at].item));
        for two in group.windows(2) {
            // Where the later one says what it replaces, that is its pair.
            if held[two[1]].supersedes.is_none() {
                pairs.push((two[0], two[1], Link::Sequence));
            }
        }
    }
    let mut paired = vec![false; held.len()];
    let mut transitions: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (earlier, later, link) in pairs {
        paired[earlier] = true;
        paired[later] = true;
        let compared = compare(&held[earlier], &held[later]);
        found.pair_count += 1;
        found.said += u64::from(link == Link::Said);
        match compared {
            Compared::Same => found.same += 1,
            Compared::Outcome => found.outcome_changed += 1,
            Compared::Sanction => found.sanction_changed += 1,
            Compared::NotStated => found.not_stated += 1,
        }
        let outcome = |at: usize| held[at].outcome.clone().unwrap_or_default();
        *transitions.entry((outcome(earlier), outcome(later))).or_default() += 1;
        found.pairs.push(Pair {
            case_ref: held[later].case_ref.clone(),
            subject_person_ids: held[later].subjects.clone(),
            link,
            compared,
            earlier: held[earlier].side(),
            later: held[later].side(),
        });
    }
    found.alone = paired.iter().filter(|paired| !**paired).count() as u64;
    found
        .pairs
        .sort_by(|one, two| (&one.case_ref, one.later.item_no).cmp(&(&two.case_ref, two.later.item_no)));
    found.transitions = transitions
        .into_iter()
        .map(|((from, to), count)| Transition { from, to, count })
        .collect();
    found.transitions.sort_by_key(|one| std::cmp::Reverse(one.count));
    found
}

/// The id of a decision as another one names it: alone, or printed with prefix and system.
fn bare_id<'a>(named: &'a str, system: &str) -> &'a str {
    let named = named.trim();
    let bare = named.strip_prefix("dec:").unwrap_or(named);
    bare.strip_prefix(system)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(item: u32, id: &str, kind: &str, outcome: Option<&str>, at: Option<i64>, supersedes: Option<&str>) -> Held {
        Held {
            item: ItemNo(item),
            system: "t".to_owned(),
            id: id.to_owned(),
            case_ref: "CM/1/19".to_owned(),
            decision_type: kind.to_owned(),
            subjects: vec!["P-1".to_owned()],
            outcome: outcome.map(str::to_owned),
            sanction: None,
            decided_at: None,
            decided_utc: at,
            decided_by: None,
            supersedes: supersedes.map(str::to_owned),
        }
    }

    #[test]
    fn said_pairs_and_sequences_close_and_undated_decisions_are_in_no_sequence() {
        let all = [
            held(1, "1", "severity_assessment", Some("Misconduct"), Some(10), None),
            held(2, "2", "severity_revision", Some("gross misconduct"), Some(20), None),
            held(3, "3-r", "misconduct_outcome", Some("not sustained"), None, None),
            held(
                4,
                "3-f",
                "misconduct_outcome",
                Some("Not  sustained"),
                None,
                Some("dec:t/3-r"),
            ),
            held(5, "4", "referral", None, None, Some("gone")),
            held(6, "5", "severity_assessment", None, None, None),
        ];
        let found = pair_up(&all);
        assert_eq!(
            (found.decisions, found.pair_count, found.said, found.alone),
            (6, 2, 1, 2)
        );
        assert_eq!((found.outcome_changed, found.same, found.not_stated), (1, 1, 0));
        assert_eq!(found.earlier_not_loaded, 1);
        let first = &found.pairs[0];
        assert_eq!((first.link, first.compared), (Link::Sequence, Compared::Outcome));
        assert_eq!(found.pairs[1].later.id, "dec:t/3-f");
        assert_eq!(
            found.pair_count,
            found.same + found.outcome_changed + found.sanction_changed + found.not_stated
        );
    }
}
