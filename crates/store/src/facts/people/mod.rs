//! People: what was said about who is who, and the directory that follows from it.
//!
//! Records name people by id, mail by address. [`events`] keeps what a person decided about them (two ids are one person, an address
//! belongs to somebody from one day to another); [`Directory`] reads person records and events and resolves addresses by
//! time. Not for: guessing; suggestions are made in `casework` and become events only by somebody's hand.
//! Invariant: nothing is overwritten. A merge is ended by a later event, and the records stay as they are.

mod directory;
mod events;
mod named;

pub use directory::{Directory, Entry, Match, PersonRef, Span};
pub use events::{Action, Alias, PersonEvent, add_alias, events, merge, remove_alias, split};
pub use named::items_naming;
pub(super) use named::{put_people, ready};

use super::fold;

/// How ids, names and addresses of people are compared: without case, with single spaces.
pub fn person_key(text: &str) -> String {
    fold(text)
}
