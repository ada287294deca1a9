//! Messages that others name and no source held, with what is known of them from those that do.
//!
//! A reference alone proves little: the points for and against stand with each one. Main function: [`of`], pure over the messages of a
//! thread. Invariant: nothing is listed here that a message of the case carries as its Message-ID.

use std::collections::{BTreeMap, HashMap};

use embley_model::date::rfc3339;
use embley_model::id::Key128;
use serde::Serialize;

use super::view::Member;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingMessage {
    /// Its Message-ID.
    pub message_id: String,
    /// Items that name it, by number.
    pub named_by: Vec<u32>,
    /// Of these, those that name it as what they answer.
    pub answered_by: Vec<u32>,
    /// It was sent after this, by the messages that stand before it where it is named; RFC 3339 UTC.
    pub not_before: Option<String>,
    /// It was sent before this, by those that name it; RFC 3339 UTC.
    pub not_after: Option<String>,
    /// The line by which an answer says whom it quotes.
    pub quoted_as: Option<String>,
    /// What speaks for its having existed.
    #[serde(rename = "for")]
    pub speaks_for: Vec<String>,
    /// What else would explain that it is not here.
    #[serde(rename = "against")]
    pub speaks_against: Vec<String>,
    /// Seconds of `not_after`, for ordering.
    #[serde(skip)]
    pub(super) latest: Option<i64>,
}

/// The missing messages of a thread.
pub(super) fn of(members: &[Member]) -> BTreeMap<Key128, MissingMessage> {
    let held: HashMap<Key128, Option<i64>> = members
        .iter()
        .rev()
        .filter_map(|one| Some((one.own?, one.date())))
        .collect();
    let mut found: BTreeMap<Key128, MissingMessage> = BTreeMap::new();
    let mut earliest: HashMap<Key128, i64> = HashMap::new();
    for member in members {
        let ids = member.chain.iter().enumerate();
        for (place, (key, id)) in ids.filter(|(_, (key, _))| !held.contains_key(key)) {
            let one = found.entry(*key).or_insert_with(|| MissingMessage {
                message_id: id.clone(),
                named_by: Vec::new(),
                answered_by: Vec::new(),
                not_before: None,
                not_after: None,
                quoted_as: None,
                speaks_for: Vec::new(),
                speaks_against: Vec::new(),
                latest: None,
            });
            if one.named_by.last() != Some(&member.link.item) {
                one.named_by.push(member.link.item);
            }
            if place + 1 == member.chain.len() {
                one.answered_by.push(member.link.item);
            }
            let dates_of = |ids: &[(Key128, String)]| -> Vec<i64> {
                ids.iter()
                    .filter_map(|(key, _)| held.get(key).copied().flatten())
                    .collect()
            };
            let before = dates_of(&member.chain[..place]).into_iter().max();
            let after = dates_of(&member.chain[place + 1..])
                .into_iter()
                .chain(member.date())
                .min();
            if let Some(after) = after {
                one.latest = Some(one.latest.map_or(after, |latest| latest.min(after)));
            }
            if let Some(before) = before {
                let held = earliest.entry(*key).or_insert(before);
                *held = before.max(*held);
            }
        }
    }
    for (key, one) in &mut found {
        let before = earliest.get(key).copied();
        one.not_before = before.and_then(rfc3339);
        one.not_after = one.latest.and_then(rfc3339);
        points(one, before);
    }
    found
}

fn points(one: &mut MissingMessage, before: Option<i64>) {
    let count = one.named_by.len();
    one.speaks_for.push(match count {
        1 => "one message names it".to_owned(),
        _ => format!("{count} messages name it"),
    });
    if !one.answered_by.is_empty() {
        one.speaks_for
            .push(format!("{} of them as what they answer", one.answered_by.len()));
    }
    one.speaks_against
        .push("its holders, its date or its folder may lie outside what was taken in".to_owned());
    one.speaks_against
        .push("it may have been deleted in the ordinary course".to_owned());
    if count == 1 {
        one.speaks_against
            .push("a single header may be wrong, or rewritten on the way".to_owned());
    }
    if before.zip(one.latest).is_some_and(|(before, after)| before > after) {
        one.speaks_against
            .push("the dates around it contradict one another".to_owned());
    }
}
