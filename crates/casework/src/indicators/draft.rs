//! What a rule gives, and what a run makes of it.
//!
//! Invariant: every sentence begins with "In the material loaded, " because [`Draft::sentence`] is the only way to set one; the
//! confidence is never above what the points against it allow.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use serde::Serialize;

use super::conclusion::Conclusion;
use super::material::Row;
use super::run::State;

/// How sure an indicator is that there is something to look at; nothing about people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Everything that the rule asks for is on record, and no other explanation is.
    High,
    /// One other explanation has something on record.
    Medium,
    /// Several have, or one that is likely.
    Low,
    /// Something on record explains it wholly: it is kept apart and not counted.
    Explained,
}

impl Confidence {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Explained => "explained",
        }
    }

    fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
            Self::Explained => Self::Explained,
        }
    }
}

/// What a point against does to the confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is possible, and nothing on record says so: confidence stays.
    Open,
    /// Something on record points to it: one class lower.
    Lowers,
    /// Something on record explains the indicator wholly.
    Explains,
}

/// An indicator as a rule gives it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whether a case is meant, and which; as the record writes it.
    pub(super) case_ref: Option<String>,
    /// What tells it from other indicators of the rule on the same records.
    pub(super) about: Vec<String>,
    pub(super) people: BTreeSet<String>,
    pub(super) records: BTreeMap<String, ItemNo>,
    /// Records that make it what it is: their keys are part of its id. The others only speak for or against it.
    pub(super) inputs: BTreeSet<String>,
    pub(super) items: BTreeSet<u32>,
    pub(super) base: Confidence,
    pub(super) sentence: String,
    pub(super) speaks_for: Vec<String>,
    pub(super) against: Vec<(String, Weight)>,
    pub(super) not_searchable: Vec<String>,
    pub(super) citation: Option<String>,
}

impl Draft {
    /// A draft about a case (`None`: about no single case). `words` is a sentence without its beginning and full stop.
    pub fn sentence(case_ref: Option<&str>, words: &str) -> Self {
        Self {
            case_ref: case_ref.map(ToOwned::to_owned),
            about: Vec::new(),
            people: BTreeSet::new(),
            records: BTreeMap::new(),
            inputs: BTreeSet::new(),
            items: BTreeSet::new(),
            base: Confidence::High,
            sentence: format!("In the material loaded, {words}."),
            speaks_for: Vec::new(),
            against: Vec::new(),
            not_searchable: Vec::new(),
            citation: None,
        }
    }

    /// A record that makes it what it is.
    pub fn input(mut self, row: &Row) -> Self {
        self.inputs.insert(row.key.display());
        self.record(row)
    }

    /// A record that speaks for or against it.
    pub fn record(mut self, row: &Row) -> Self {
        self.records.insert(row.key.display(), row.item);
        self.items.insert(row.item.0);
        self
    }

    /// An item that is no record: a message, a document.
    pub fn item(mut self, item: ItemNo) -> Self {
        self.items.insert(item.0);
        self
    }

    /// Somebody it names; an empty id is nobody.
    pub fn person(mut self, id: &str) -> Self {
        if !id.is_empty() {
            self.people.insert(id.to_owned());
        }
        self
    }

    /// What tells it from others on the same records, such as the id of a clock; part of its id.
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.about.push(what.into());
        self
    }

    /// The confidence before anything speaks against it; high unless set.
    pub fn base(mut self, base: Confidence) -> Self {
        self.base = self.base.max(base);
        self
    }

    /// Something that speaks for it.
    pub fn speaks_for(mut self, words: impl Into<String>) -> Self {
        self.speaks_for.push(words.into());
        self
    }

    /// Something that speaks against it.
    pub fn against(mut self, weight: Weight, words: impl Into<String>) -> Self {
        self.against.push((words.into(), weight));
        self
    }

    /// Something that could not be looked at.
    pub fn not_searchable(mut self, words: impl Into<String>) -> Self {
        self.not_searchable.push(words.into());
        self
    }

    /// Where the rule that was applied stands.
    pub fn citation(mut self, citation: impl Into<String>) -> Self {
        self.citation = Some(citation.into());
        self
    }

    /// The confidence after what speaks against it.
    pub(super) fn confidence(&self) -> Confidence {
        let mut confidence = self.base;
        for (_, weight) in &self.against {
            match weight {
                Weight::Open => {}
                Weight::Lowers => confidence = confidence.lowered(),
                Weight::Explains => return Confidence::Explained,
            }
        }
        confidence
    }
}

/// What could not be searched when an indicator was raised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NotSearchable {
    /// Items in the case folder whose text cannot be searched, by reason.
    pub items: BTreeMap<&'static str, u64>,
    /// What the rule did not or could not look at.
    pub said: Vec<String>,
}

/// An indicator; the names of the fields are those of the JSON form.
#[derive(Clone, Debug, Serialize)]
pub struct Indicator {
    /// `ind:` and a hash over rule, version, case, inputs: the same in every run.
    pub id: String,
    /// The rule.
    pub rule: &'static str,
    /// Its version.
    pub version: u32,
    /// Where it stands.
    pub citation: String,
    /// The case; `None` for indicators about no single case.
    pub case_ref: Option<String>,
    /// Ids of the people it names.
    pub people: Vec<String>,
    /// Ids of its items: those of its records, and messages or documents.
    pub items: Vec<String>,
    /// Its records.
    pub records: Vec<String>,
    /// How sure.
    pub confidence: Confidence,
    /// One plain sentence.
    pub sentence: String,
    /// What speaks for it.
    #[serde(rename = "for")]
    pub speaks_for: Vec<String>,
    /// What speaks against it.
    #[serde(rename = "against")]
    pub speaks_against: Vec<String>,
    /// What was not searchable.
    pub not_searchable: NotSearchable,
    /// Against the last run.
    pub state: State,
    /// The conclusion, when there is one for it as it stands.
    pub conclusion: Option<Conclusion>,
    /// A conclusion of an earlier form of it, which the material has since changed.
    pub earlier_conclusion: Option<Conclusion>,
    /// True while there is no conclusion for it as it stands.
    pub draft: bool,
    /// Hash of what it says, without `not_searchable`, state and conclusion.
    #[serde(skip)]
    pub content: [u8; 16],
}
