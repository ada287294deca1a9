//! Indicators: places to look, each with what speaks for it, what speaks against it, and what was not searchable.
//!
//! Start reading at [`run::run`]. A rule ([`Rule`]) sees one case at a time, or everything, and gives [`Draft`]s; the run gives them stable
//! ids, compares them with the last run and adds conclusions. Not for: findings. An indicator says what is on record *in the material
//! loaded* and concludes nothing; an innocent explanation that is on record lowers its confidence or, where it explains it wholly, sets it
//! aside as explained. Main type: [`Indicator`]. Invariant: the same records and rules give the same indicators in the same order, and
//! `migrated_at` is never read as a date of recording.

mod case_mail;
mod clock_states;
pub mod conclusion;
mod draft;
mod governing;
mod mail_index;
mod material;
mod moment;
pub mod run;
mod shared;
mod tried;

mod n1;
mod n10;
mod n11;
mod n12;
mod n13;
mod n14;
mod n2;
mod n3;
mod n4;
mod n4_mail;
mod n5;
mod n6;
mod n7;
mod n7_mail;
mod n8;
mod n8_mail;
mod n9;

#[cfg(test)]
pub(crate) mod tests;

pub use clock_states::{ClockState, Done, clock_states};
pub use conclusion::{Conclusion, conclude};
pub use draft::{Confidence, Draft, Indicator, Weight};
pub use governing::Governing;
pub use mail_index::MailIndex;
pub use material::{CaseFile, CaseName, Held, Row};
pub use moment::{Moment, Span};
pub(crate) use n8::under_older;
pub use run::{Ask, Outcome, State, run};
pub use shared::{Career, Past, Shared};
pub use tried::{Tried, tried};

use embley_search::threads::StoredThreads;
use embley_search::{ItemText, Searcher};
use embley_store::facts::Connection;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::Result;
use crate::people::Directory;
use crate::rules::RuleSet;

/// What rules may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Facts: records, exhibits, derived tables.
    pub facts: &'a Connection,
    /// Mail and documents. `None` where only records are looked at.
    pub mail: Option<Mail<'a>>,
    /// The zone of the case, in which days begin.
    pub zone: &'a TimeZone,
    /// Regulations, deciders, clocks, holidays, settings.
    pub rules: &'a RuleSet,
    /// Names and addresses of people.
    pub people: &'a Directory,
    /// What belongs to no single case: people's histories, registers, declarations, the heads of all cases.
    pub shared: &'a Shared,
    /// The day up to which clocks are judged; else the last day of which the records of a case speak.
    pub as_at: Option<Date>,
}

/// Mail and documents, as rules look at them.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// Queries, and items through its reader.
    pub searcher: &'a Searcher,
    /// Links of threads.
    pub links: &'a StoredThreads,
    /// Texts of messages.
    pub texts: &'a dyn ItemText,
    /// What is asked of the index once for a run.
    pub index: &'a MailIndex,
}

/// One rule. Both functions are pure over the context; what they give is put in order by the run.
pub trait Rule: Sync {
    /// Its id, such as `N2`.
    fn id(&self) -> &'static str;

    /// True when it reads mail or documents; a run without mail leaves it out.
    fn reads_mail(&self) -> bool {
        false
    }

    /// What it sees in a case.
    ///
    /// # Errors
    /// The catalogue or the index refuses.
    fn in_case(&self, _context: &Context<'_>, _case: &CaseFile) -> Result<Vec<Draft>> {
        Ok(Vec::new())
    }

    /// What it sees over all cases.
    ///
    /// # Errors
    /// The catalogue or the index refuses.
    fn across(&self, _context: &Context<'_>) -> Result<Vec<Draft>> {
        Ok(Vec::new())
    }
}

/// All rules that this version has, in the order in which they are shown.
pub const RULES: [&dyn Rule; 14] = [
    &n1::Stated,
    &n2::Authority,
    &n3::Conflation,
    &n4::Conflict,
    &n5::Framework,
    &n6::Twice,
    &n7::Consultation,
    &n8::ClockPassed,
    &n9::Recording,
    &n10::NotHeld,
    &n11::NoRole,
    &n12::Registers,
    &n13::Missing,
    &n14::Altered,
];
