//! Casework: case-system records, exhibits and tags beside items, links between mail and cases, timelines.
//!
//! Start reading at [`import`] (rows to records) and [`timeline`]. Exhibits, tags and stored records themselves are
//! `embley_store::facts`; this crate puts them together. Not for: numbers of items, originals, the index (`ingest`), query
//! language (`search`). Invariant: words for people say what is on record and conclude nothing.

pub mod annotate;
pub mod case_links;
pub mod changes;
pub mod coding;
mod context;
pub mod dip_sample;
pub mod disclosure;
pub mod document_links;
pub mod documents;
pub mod error;
pub mod exhibits;
pub mod export;
pub mod history;
pub mod hits;
pub mod import;
pub mod indicators;
pub mod links;
pub mod mapping;
pub mod people;
pub mod quarantine;
pub mod references;
pub mod rows;
pub mod rules;
pub mod saved;
pub mod texts;
pub mod threads;
pub mod timeline;

#[cfg(test)]
mod tests;

pub use error::{CaseworkError, Result};
pub use mapping::Mapping;

use embley_store::Case;
use jiff::tz::TimeZone;

/// The zone of a case, in which its days begin.
///
/// # Errors
/// `case.toml` names a zone that is not known.
pub fn zone_of(case: &Case) -> Result<TimeZone> {
    let name = &case.config().zone;
    TimeZone::get(name).map_err(|cause| CaseworkError::Request {
        detail: format!("case.toml: zone \"{name}\" is not known: {cause}"),
    })
}
