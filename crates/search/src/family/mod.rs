//! Families: a query whose leaves are met by different members of one family.
//!
//! A leaf (a term, a phrase, proximity, a field, a set, a date) matches within one member and stands for the top-level item of its
//! family; AND, OR and NOT act on top-level items. Not for: what a leaf matches, which the index decides. Start reading at
//! [`Families`]. Invariant: the answer is that of the definition, however a query is evaluated.

mod families;
mod level;
pub(crate) mod members;
pub(crate) mod run;
pub(crate) mod searcher;
#[cfg(test)]
mod tests;

pub use families::Families;
pub use level::Level;
pub(crate) use run::matching;

pub use members::{MEMBERS_WITH_SNIPPETS, Member};
