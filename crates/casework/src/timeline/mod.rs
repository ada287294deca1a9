//! The timeline of a case or of a person: allegations, roles, decisions, notices, declarations, reviews, updates, mail, documents and exhibits in one order.
//!
//! Start reading at [`timeline()`]. `material` gathers what belongs to it, `of_record` and `collect` make entries, `marks` and `contradictions` say where
//! there is nothing and where records do not fit together, `page` draws it.
//! Order: UTC seconds, then kind, then item number; undated entries at the end, never left out. A day without a time
//! stands at its first moment in the zone of the case and is marked as a day. What belongs to the case is evaluated over
//! what is in it at that moment. Not for: conclusions. A sentence says what a record or a header says, no more.

mod cards;
mod collect;
mod contradictions;
mod entry;
mod marks;
mod material;
mod of_record;
pub mod page;
mod sentence;
mod wording;

pub use collect::timeline;
pub use entry::{
    DecisionDetail, Entry, EntryKind, Line, Part, Precision, RoleDetail, RoleInterval, Subject, Timeline, Twin,
};
pub use marks::{GAP_DAYS, Mark, MarkKind};

use std::collections::BTreeSet;

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
use crate::rules::RuleSet;

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
    /// Clocks, and which determinations are made once. Without them no clock is marked.
    pub rules: Option<&'a RuleSet>,
}

impl<'a> Sources<'a> {
    /// Everything from one searcher: index and catalogue at the same state.
    pub fn of(searcher: &'a Searcher) -> Self {
        Self {
            facts: searcher.reader().facts(),
            items: searcher.reader(),
            names: searcher,
            zone: searcher.zone(),
            rules: None,
        }
    }

    /// The same with rules.
    #[must_use]
    pub fn with_rules(mut self, rules: &'a RuleSet) -> Self {
        self.rules = Some(rules);
        self
    }
}

/// Which timeline is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The case; empty for the timeline of a person over all cases.
    pub case_ref: String,
    /// First moment, UTC seconds.
    pub from_secs: Option<i64>,
    /// First moment after the end, UTC seconds.
    pub until_secs: Option<i64>,
    /// Only what somebody takes part in: an id, name or address.
    pub person: Option<String>,
    /// Only these kinds of entries; empty means all.
    pub kinds: BTreeSet<EntryKind>,
    /// So many days without an entry are marked.
    pub gap_days: u32,
    /// For a person without a case: also messages that name no case on record.
    pub all_mail: bool,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            case_ref: String::new(),
            from_secs: None,
            until_secs: None,
            person: None,
            kinds: BTreeSet::new(),
            gap_days: GAP_DAYS,
            all_mail: false,
        }
    }
}

impl Ask {
    /// The whole timeline of a case.
    pub fn of(case_ref: impl Into<String>) -> Self {
        Self {
            case_ref: case_ref.into(),
            ..Self::default()
        }
    }

    /// The timeline of a person over all cases.
    pub fn of_person(person: impl Into<String>) -> Self {
        Self {
            person: Some(person.into()),
            ..Self::default()
        }
    }

    /// True for a moment inside the limits of time.
    pub(crate) fn covers(&self, secs: i64) -> bool {
        self.from_secs.is_none_or(|from| secs >= from) && self.until_secs.is_none_or(|until| secs < until)
    }

    /// The limits in words.
    pub(crate) fn limits(&self, zone: &TimeZone, of_case: bool) -> Vec<String> {
        let day = |secs: i64| entry::local(secs, Precision::Day, zone).unwrap_or_default();
        let mut limits = Vec::new();
        limits.extend(self.from_secs.map(|from| format!("from {}", day(from))));
        limits.extend(self.until_secs.map(|until| format!("to {}", day(until - 1))));
        if of_case {
            limits.extend(self.person.as_ref().map(|person| format!("person {person}")));
        }
        if !self.kinds.is_empty() {
            let words: Vec<&str> = self.kinds.iter().map(|kind| kind.word()).collect();
            limits.push(format!("kinds {}", words.join(", ")));
        }
        if self.all_mail {
            limits.push("all mail".to_owned());
        }
        limits
    }

    /// Limits it to days in a zone, both included. A day that the zone's calendar cannot hold sets no limit.
    pub fn between(mut self, from: Option<civil::Date>, to: Option<civil::Date>, zone: &TimeZone) -> Self {
        let start = |day: civil::Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second());
        self.from_secs = from.and_then(start);
        self.until_secs = to.and_then(|day| day.tomorrow().ok()).and_then(start);
        self
    }
}
