//! What was tried on one encrypted thing, and what opened it.
//!
//! Main types: [`Tried`], [`By`]. Invariant: names of keys and places in the list of passwords, never what is secret.

use super::keys::Secrets;
use crate::opened::Opened;

/// Notes that are kept of one thing.
const MAX_NOTES: usize = 5;

/// What opened it: index into the list given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Key(usize),
    Password(usize),
}

/// Counts of attempts, and why some could not be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) keys: usize,
    pub(super) passwords: usize,
    pub(super) notes: Vec<String>,
}

impl Tried {
    /// Keeps why something could not be tried, once.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Puts the counts into an answer; several things in one answer count the most of each.
    pub(super) fn count(&self, opened: &mut Opened) {
        let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        opened.keys_tried = opened.keys_tried.max(most(self.keys));
        opened.passwords_tried = opened.passwords_tried.max(most(self.passwords));
    }

    /// `; 2 keys and 1 passwords tried`, or nothing.
    pub(super) fn words(&self) -> String {
        if self.keys == 0 && self.passwords == 0 {
            return String::new();
        }
        format!("; tried in vain: {} keys, {} passwords", self.keys, self.passwords)
    }
}

impl By {
    /// Puts into an answer what opened it, and gives the words for its note.
    pub(super) fn record(self, secrets: &Secrets<'_>, opened: &mut Opened) -> String {
        match self {
            Self::Key(at) => {
                let name = secrets
                    .keys
                    .get(at)
                    .map(|key| key.name().to_owned())
                    .unwrap_or_default();
                opened.key_used = Some(name.clone());
                name
            }
            Self::Password(at) => {
                opened.password_used = u32::try_from(at).ok();
                format!("password {} of the list", at + 1)
            }
        }
    }
}
