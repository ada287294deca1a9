//! What a certificate says, as data.
//!
//! Main type: [`Statement`]. Invariant: a member is never removed and never changes its meaning; new ones are added with a default, and
//! [`VERSION`] goes up.

use serde::{Deserialize, Serialize};

use crate::standing::ReasonCount;

/// What the first member says.
pub(crate) const WHAT: &str = "embley search certificate";
/// Version of the members.
pub(crate) const VERSION: u32 = 1;

/// See the module. Hashes are lower-case hexadecimal of SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Always the same words, so that a signature over them can mean nothing else.
    pub what: String,
    /// Version of the members.
    pub version: u32,
    /// The case.
    pub case: CaseFacts,
    /// What was asked.
    pub query: Query,
    /// The index.
    pub index: IndexFacts,
    /// The items that were searched.
    pub corpus: Corpus,
    /// The items in the query's scope whose text could not be searched.
    pub not_searchable: Unsearched,
    /// The sets of the case that the query speaks of, in the order of their first mention.
    pub sets: Vec<UsedSet>,
    /// What was found.
    pub result: Outcome,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// The program and its version.
    pub tool: String,
    /// Who asked.
    pub who: String,
    /// When, RFC 3339 UTC; relative dates in the query are counted from this moment.
    pub when: String,
    /// The key that signs.
    pub key: KeyFacts,
}

/// Which case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// Its name.
    pub name: String,
    /// Its reference.
    pub reference: String,
    /// Its id; a copy made by another ingest has another one.
    pub id: String,
    /// Zone in which days begin.
    pub zone: String,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// As typed.
    pub typed: String,
    /// In its canonical form.
    pub canonical: String,
    /// The tree, one node a line.
    pub tree: Vec<String>,
    /// The plan, one node a line, with dates as ranges of UTC.
    pub plan: Vec<String>,
    /// How equal items are counted: `global`, `custodian` or `instance`.
    pub scope: String,
    /// Whether conditions are about items or families.
    pub level: String,
    /// The order that is certified.
    pub sort: String,
}

/// Which index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFacts {
    /// Version of its format.
    pub version: u32,
    /// Ticket of its commit: it held exactly the items up to it.
    pub ticket: u64,
}

/// Items with the hash of them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetDigest {
    /// How many.
    pub items: u64,
    /// Merkle tree hash of their sorted item hashes.
    pub root: String,
}

/// What was searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corpus {
    /// All items that the index held.
    pub all: SetDigest,
    /// Items of the case that it did not hold yet.
    pub not_indexed: u64,
    /// The same items by source, in the order of labels.
    pub sources: Vec<SourceDigest>,
}

/// Items of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceDigest {
    /// The source's label.
    pub label: String,
    /// Its items.
    #[serde(flatten)]
    pub digest: SetDigest,
}

/// What could not be searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsearched {
    /// By reason.
    pub reasons: Vec<ReasonCount>,
    /// All of them.
    #[serde(flatten)]
    pub digest: SetDigest,
}

/// A set as a query speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedSet {
    /// The field.
    pub field: String,
    /// The name or pattern.
    pub asked: String,
    /// The tags and exhibits that fit, with their versions.
    pub named: Vec<NamedVersion>,
    /// The items of all sets that fit.
    #[serde(flatten)]
    pub digest: SetDigest,
}

/// A set that people change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedVersion {
    /// Its name.
    pub name: String,
    /// Changes so far.
    pub version: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Hits as the scope counts them.
    pub hits: u64,
    /// Families with a hit.
    pub families: u64,
    /// The items found.
    #[serde(flatten)]
    pub digest: SetDigest,
    /// Merkle tree hash of the item hashes of the hits in the certified order.
    pub order_root: String,
    /// The hits one by one, sorted, when that was asked for: SHA-256 and item id.
    pub listed: Option<Vec<String>>,
}

/// Which key signs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// First half of the SHA-256 of its DER form.
    pub id: String,
    /// SubjectPublicKeyInfo, PEM.
    pub public: String,
}
