//! Certificates: a record of a search that another can repeat, and what differs when they do.
//!
//! Data flow: [`make`] runs a query and writes down what was asked, of which items, with which sets, and what came of it: a [`Statement`].
//! [`Signed`] is a statement with its signature, as a file. A replay makes the statement anew, here or on another copy of the case, and
//! [`compare`] names each [`Difference`].
//!
//! Not for: reading keys and files (`store::signing`, the caller), relevance order, which is not certified. Invariants: digests are made
//! of sorted item hashes, so they do not depend on item numbers, packs, segments, threads or input order; the same state of a case gives
//! the same bytes but for who, when and the key.

mod compare;
mod digest;
mod envelope;
mod make;
mod statement;
mod used;

pub use compare::{Difference, Subject, compare};
pub use envelope::{EnvelopeError, LARGEST, Signed};
pub use make::{CertificateOptions, make, root_of_first};
pub use statement::{
    CaseFacts, Corpus, IndexFacts, KeyFacts, NamedVersion, Outcome, Query, SetDigest, SourceDigest, Statement,
    Unsearched, UsedSet,
};
