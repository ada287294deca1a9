//! Query text to answer: a typed tree, a plan over the index and the catalogue's sets, hits with snippets, facets.
//!
//! Start reading at [`syntax::parse`], then `plan`, then `answer`. Not for: writing anything, reading original
//! bytes (texts for snippets come through a trait), printing. Invariant: one grammar and one plan for every
//! caller; a query is run as it was written or refused by name.

pub mod error;
mod nearest;
pub mod plan;
mod snippet;
pub mod syntax;
pub mod tree;

pub use error::{SearchError, SyntaxError};
pub use plan::{Plan, PlanContext, Sets, plan, prepare};
pub use syntax::parse;
