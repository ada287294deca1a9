//! The crate from outside: queries about a small case, written through `store` and `index`.
//!
//! The case is synthetic and made by `small_case.rs`; nothing here reads originals.

mod answers;
mod facets;
mod family;
mod reports;
mod sets;
mod small_case;
mod threads;
