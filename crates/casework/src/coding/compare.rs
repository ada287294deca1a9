//! Where reviewers of the same items differ, with rates.
//!
//! Compared are the codings that hold of two reviewers of one item; three reviewers make three pairs. A field that one of them left open counts as
//! an answer of its own. Rates have exact intervals, for the case that the second reviewers saw a sample ([`embley_search::interval`]).
//! Main function: [`compare`]. Invariant: `differ + agree = pairs` for each field.

use std::collections::BTreeMap;

use embley_model::id::ItemNo;
use embley_search::interval::{RateInterval, rate};
use embley_store::facts::codings::Coding;
use serde::Serialize;
use serde_json::Value;

use super::form::Form;
use crate::error::{CaseworkError, Result};

/// How often reviewers differ in one field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldRate {
    /// The field.
    pub field: String,
    /// Pairs of codings of one item.
    pub pairs: u64,
    /// Pairs that say the same.
    pub agree: u64,
    /// Pairs that do not.
    pub differ: u64,
    /// Those that do not by all, with its interval; nothing without a pair.
    pub rate: Option<RateInterval>,
}

/// How often two reviewers differ in any field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairRate {
    /// One reviewer.
    pub one: String,
    /// The other.
    pub other: String,
    /// Items that both coded.
    pub items: u64,
    /// Items in which they differ somewhere.
    pub differ: u64,
    /// The second by the first, with its interval.
    pub rate: Option<RateInterval>,
}

/// One field of one item that reviewers answered differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The item.
    pub item_no: ItemNo,
    /// The field.
    pub field: String,
    /// Who said what; null where it was left open.
    pub answers: Vec<(String, Value)>,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The form.
    pub form: String,
    /// How sure the intervals are.
    pub confidence: f64,
    /// Items that anybody coded.
    pub coded: u64,
    /// Items that at least two people coded.
    pub coded_twice: u64,
    /// Items in which they differ somewhere.
    pub differ: u64,
    /// By field, in the order of the form.
    pub fields: Vec<FieldRate>,
    /// By reviewers.
    pub pairs: Vec<PairRate>,
    /// Every difference, by item, then field.
    pub differences: Vec<Difference>,
}

/// Compares codings that hold (`codings::present` of one form).
///
/// # Errors
/// Stored answers are no JSON object.
pub fn compare(form: &Form, codings: &[Coding], confidence: f64) -> Result<Comparison> {
    let mut by_item: BTreeMap<ItemNo, Vec<(&str, Value)>> = BTreeMap::new();
    for coding in codings {
        let answers: Value = serde_json::from_str(&coding.answers).map_err(|cause| CaseworkError::Request {
            detail: format!("coding {} cannot be read: {cause}", coding.coding_id),
        })?;
        by_item
            .entry(coding.item_no)
            .or_default()
            .push((&coding.reviewer, answers));
    }
    let mut tally: Vec<(u64, u64)> = vec![(0, 0); form.fields.len()];
    let mut pairs: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    let mut differences = Vec::new();
    let (mut coded_twice, mut differ) = (0, 0);
    for (item, said) in &by_item {
        coded_twice += u64::from(said.len() > 1);
        for (at, one) in said.iter().enumerate() {
            for other in &said[at + 1..] {
                let mut differs = false;
                for (field, counts) in form.fields.iter().zip(&mut tally) {
                    let same = one.1.get(&field.name) == other.1.get(&field.name);
                    counts.0 += 1;
                    counts.1 += u64::from(!same);
                    differs |= !same;
                }
                let key = if one.0 <= other.0 {
                    (one.0, other.0)
                } else {
                    (other.0, one.0)
                };
                let counts = pairs.entry(key).or_default();
                counts.0 += 1;
                counts.1 += u64::from(differs);
            }
        }
        let before = differences.len();
        for field in &form.fields {
            let answers: Vec<(String, Value)> = said
                .iter()
                .map(|(who, answers)| ((*who).to_owned(), answers.get(&field.name).cloned().unwrap_or_default()))
                .collect();
            if answers
                .iter()
                .any(|(_, value)| Some(value) != answers.first().map(|(_, first)| first))
            {
                differences.push(Difference {
                    item_no: *item,
                    field: field.name.clone(),
                    answers,
                });
            }
        }
        differ += u64::from(differences.len() > before);
    }
    Ok(Comparison {
        form: form.name.clone(),
        confidence,
        coded: by_item.len() as u64,
        coded_twice,
        differ,
        fields: form
            .fields
            .iter()
            .zip(tally)
            .map(|(field, (pairs, differ))| FieldRate {
                field: field.name.clone(),
                pairs,
                agree: pairs - differ,
                differ,
                rate: rate(differ, pairs, confidence),
            })
            .collect(),
        pairs: pairs
            .into_iter()
            .map(|((one, other), (items, differ))| PairRate {
                one: one.to_owned(),
                other: other.to_owned(),
                items,
                differ,
                rate: rate(differ, items, confidence),
            })
            .collect(),
        differences,
    })
}
