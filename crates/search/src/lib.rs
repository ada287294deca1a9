//! Query text to answer: a typed tree, a plan over the index and the catalogue's sets, hits with snippets, facets.
//!
//! Start reading at [`syntax::parse`], then [`plan()`], then [`Searcher`]. Not for: writing anything, reading original
//! bytes (texts for snippets come through a trait), printing. Invariant: one grammar and one plan for every
//! caller; a query is run as it was written or refused by name.

pub mod answer;
mod case_sets;
pub mod certificate;
mod counting;
pub mod error;
pub mod exact;
pub mod facet;
pub mod family;
mod fold;
pub mod hit;
pub mod interval;
pub mod near_date;
mod nearest;
mod not_searchable;
mod people;
mod places;
pub mod plan;
pub mod reach;
mod runner;
pub mod sample;
pub mod searcher;
pub mod snippet;
pub mod standing;
pub mod syntax;
pub mod terms;
pub mod text_query;
pub mod threads;
pub mod tree;

pub use answer::{Answer, Hits, Scope, SearchOptions, Sort, Summary};
pub use case_sets::CaseSets;
pub use error::{SearchError, SyntaxError};
pub use exact::{ExactForms, ExactFound, ExactWord};
pub use facet::{Facet, FacetCounts, FacetValue, OtherValues};
pub use family::{Level, Member};
pub use hit::{DecisionLink, Hit, HitContext, HitLinks, ItemText, JoinedHit, Links};
pub use near_date::NearDate;
pub use not_searchable::NotSearchable;
pub use plan::{BoxError, Plan, PlanContext, Sets, plan, prepare};
pub use reach::Reach;
pub use searcher::Searcher;
pub use snippet::{Snippet, SnippetStyle};
pub use standing::{Asked, Standing};
pub use syntax::parse;
pub use text_query::TextQuery;
