//! The timeline of a case: decisions, roles, dates of the case, mail that names it, and exhibits in one order.
//!
//! Order: UTC seconds, then kind, then item number; undated entries at the end, never left out. A day without a time
//! stands at its first moment in the zone of the case and is marked as a day. What belongs to the case is evaluated over
//! what is in it at that moment. Not for: conclusions. A sentence says what a record or a header says, no more.

mod cards;
mod collect;
mod entry;
mod sentence;

pub use collect::timeline;
pub use entry::{DecisionDetail, Entry, EntryKind, Part, Precision, RoleDetail, Timeline};

use embley_model::address::Participant;
use embley_model::date::EvidenceDate;
use embley_model::id::ItemNo;
use embley_model::item::ItemKind;
use embley_search::Searcher;
use embley_store::facts::Connection;
use jiff::civil;
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

use crate::error::Result;
use crate::links::CaseNames;

/// What a timeline needs to know of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemCard {
    /// Its number.
    pub item: ItemNo,
    /// Its printed id.
    pub id: String,
    /// Its kind.
    pub kind: ItemKind,
    /// Its date.
    pub date: EvidenceDate,
    /// Subject or title.
    pub subject: String,
    /// File name.
    pub filename: Option<String>,
    /// Who stands in its headers; for a part, those of its top-level message.
    pub participants: Vec<Participant>,
    /// The top-level item of its family.
    pub root: ItemNo,
}

/// Gives items by their numbers.
pub trait ItemSource {
    /// The cards of these items, in the order of their numbers; numbers without an item are left out.
    ///
    /// # Errors
    /// The catalogue refuses or is damaged.
    fn cards(&self, items: &RoaringBitmap) -> Result<Vec<ItemCard>>;
}

/// Where a timeline takes things from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Facts.
    pub facts: &'a Connection,
    /// Items.
    pub items: &'a dyn ItemSource,
    /// The index.
    pub names: &'a dyn CaseNames,
    /// The zone of the case.
    pub zone: &'a TimeZone,
}

impl<'a> Sources<'a> {
    /// Everything from one searcher: index and catalogue at the same state.
    pub fn of(searcher: &'a Searcher) -> Self {
        Self {
            facts: searcher.reader().facts(),
            items: searcher.reader(),
            names: searcher,
            zone: searcher.zone(),
        }
    }
}

/// Which timeline is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The case.
    pub case_ref: String,
    /// First moment, UTC seconds.
    pub from_secs: Option<i64>,
    /// First moment after the end, UTC seconds.
    pub until_secs: Option<i64>,
    /// Only what somebody takes part in: an id, name or address.
    pub person: Option<String>,
}

impl Ask {
    /// The whole timeline of a case.
    pub fn of(case_ref: impl Into<String>) -> Self {
        Self {
            case_ref: case_ref.into(),
            ..Self::default()
        }
    }

    /// Limits it to days in a zone, both included. A day that the zone's calendar cannot hold sets no limit.
    pub fn between(mut self, from: Option<civil::Date>, to: Option<civil::Date>, zone: &TimeZone) -> Self {
        let start = |day: civil::Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second());
        self.from_secs = from.and_then(start);
        self.until_secs = to.and_then(|day| day.tomorrow().ok()).and_then(start);
        self
    }
}
