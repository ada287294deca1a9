//! Search term reports: a list of queries, and for each how many items it hits, how many with their families, and how many that no other
//! line hits.
//!
//! Data flow: [`TermList`] reads the list, [`report`] plans the lines, runs them on all threads and merges, [`TermReport`] is the answer.
//! Not for: printing, spreadsheets. Invariants: a line that cannot be run is reported with its place and stops nothing; the figures do
//! not depend on the number of threads or the order in which lines finish.
//!
//! Memory: what a line found is let go of as soon as it is counted. Uniqueness needs no bitmap of every line: a [`tally`] holds for each
//! item and each family the one line that hit it, or that several did. That is 8 bytes an item (12 in the scopes of custodians and
//! instances), and for each of the 32 lines that are run at a time a few bits an item, whatever the number of lines.

mod list;
mod records;
mod report;
mod tally;

pub use list::{ListError, TermEntry, TermList};
pub use report::{CustodianCounts, TermFault, TermOptions, TermReport, TermRow, TermTotals, report};
