//! The words of the domain: ids, items, dates, addresses, defect codes, the one table of searchable
//! fields, case records and progress events.
//!
//! Not for: I/O of any kind, threads, clocks (`clock` only defines the trait and the system clock the
//! binary passes in). Invariant: nothing here opens a file, and every other crate may import this one.

pub mod address;
pub mod clock;
pub mod date;
pub mod defect;
pub mod event;
pub mod failpoint;
pub mod field;
pub mod id;
pub mod item;
pub mod language;
pub mod outcome;
pub mod record;
pub mod role;
