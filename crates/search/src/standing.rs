//! Which state of which case an answer comes from: what every report says at its head.
//!
//! Not for: judging that state. Main type: [`Standing`]. Invariant: every number in it belongs to the one commit of the index, and the
//! view of the catalogue pinned to it, that the answer was made from.

use embley_index::INDEX_VERSION;
use embley_store::case::CaseConfig;
use serde::{Deserialize, Serialize};

use crate::error::SearchError;
use crate::searcher::Searcher;

/// Name and version of this program, as reports name it.
pub const TOOL: &str = concat!("embley ", env!("CARGO_PKG_VERSION"));

/// Who asks, and when: inputs, never looked up here.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The actor.
    pub who: &'a str,
    /// Microseconds since 1970 UTC.
    pub at_micros: i64,
}

impl Asked<'_> {
    /// The moment as RFC 3339 in UTC, whole seconds.
    pub fn when(&self) -> String {
        rfc3339(self.at_micros.div_euclid(1_000_000))
    }
}

/// The head of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Name of the case.
    pub case: String,
    /// Its reference.
    pub reference: String,
    /// Its id: 32 hexadecimal digits that tell it from every other.
    pub case_id: String,
    /// Zone in which days begin.
    pub zone: String,
    /// Version of the index's format.
    pub index_version: u32,
    /// Ticket of the index's commit: it holds exactly the items up to it.
    pub index_ticket: u64,
    /// Items in it that whoever asks may see.
    pub items: u64,
    /// Items of the case that it does not hold yet.
    pub not_indexed: u64,
    /// Items whose text could not be searched, by reason.
    pub not_searchable: Vec<ReasonCount>,
    /// The program and its version.
    pub tool: String,
    /// Who asked.
    pub who: String,
    /// When, RFC 3339 UTC.
    pub when: String,
}

/// Items that could not be searched for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// A word of [`embley_model::item::Searchability`].
    pub reason: String,
    /// How many items.
    pub items: u64,
}

impl Standing {
    /// The head of a report on what this searcher sees of the case.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn of(searcher: &Searcher, case: &CaseConfig, asked: Asked<'_>) -> Result<Self, SearchError> {
        let hidden = searcher.hidden_items()?;
        Ok(Self {
            case: case.name.clone(),
            reference: case.reference.clone(),
            case_id: case.id.clone(),
            zone: zone_name(searcher),
            index_version: INDEX_VERSION,
            index_ticket: searcher.snapshot().ticket().map_or(0, |ticket| ticket.0),
            items: searcher.reader().seen_items().len(),
            not_indexed: searcher.not_indexed(),
            not_searchable: hidden
                .iter()
                .map(|(reason, items)| ReasonCount {
                    reason: (*reason).to_owned(),
                    items: items.len(),
                })
                .collect(),
            tool: TOOL.to_owned(),
            who: asked.who.to_owned(),
            when: asked.when(),
        })
    }
}

/// The IANA name of the searcher's zone.
pub(crate) fn zone_name(searcher: &Searcher) -> String {
    searcher.zone().iana_name().unwrap_or("UTC").to_owned()
}

/// Seconds since 1970 as RFC 3339 in UTC; a moment outside of the calendar as its number.
pub(crate) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |stamp| stamp.to_string())
}
