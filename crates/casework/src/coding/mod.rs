//! Coding: forms as data, answers checked against them, second reviews, and where reviewers differ.
//!
//! Codings and batches themselves are `embley_store::facts`. Start at [`Forms`], then [`compare`] and [`second`]. Not for: deciding who is right; a
//! disagreement is counted and listed. Invariant: an answer that is stored was allowed by the form whose text is stored with it.

mod compare;
mod form;
mod second;

pub use compare::{Comparison, Difference, FieldRate, PairRate, compare};
pub use form::{Answer, Form, FormField, FormKind, Forms};
pub use second::{Extent, choose};

#[cfg(test)]
mod tests;
