//! Making checkpoints: which key signs, and how one key takes the place of another.
//!
//! The key lies outside of the case. The log itself names it, in an entry before the first checkpoint; a key that takes its place is named
//! in an entry that the old one has signed, or that says why it could not. So every checkpoint covers the entry that names its key, and
//! re-signing an old one with another key needs another past. A checkpoint is an entry that holds the whole note; the file in
//! `audit/checkpoints/` is a copy to hand out. Not for: whose key that is: that must be known from outside.

use super::entry::What;
use super::log::{Appender, AuditLog, Author};
use super::note::{Checkpoint, origin_of};
use crate::error::{Result, StoreError};
use crate::signing::PrivateKey;

/// What is known of the key that signed before, when another one is to sign.
#[derive(Clone, Copy)]
pub enum Handover<'a> {
    /// Nothing: another key is refused.
    None,
    /// It is there and signs the handing over.
    Signed {
        /// The old key.
        old: &'a PrivateKey,
        /// Why.
        why: &'a str,
    },
    /// It is lost.
    Lost {
        /// Why another key signs.
        why: &'a str,
    },
}

/// A checkpoint that was made.
#[derive(Clone, Debug)]
pub struct MadeCheckpoint {
    /// The number of its entry, which is the number of entries under it.
    pub size: u64,
    /// The note.
    pub note: String,
    /// The key.
    pub key_id: String,
    /// The copy in the case.
    pub copy: std::path::PathBuf,
    /// The key that this one took the place of.
    pub replaced: Option<String>,
}

/// What an old key signs when it hands over.
pub(super) fn handover_text(case: &str, entry: u64, from: &str, to: &str) -> String {
    format!("embley audit log: key handed over\ncase {case}\nentry {entry}\nfrom {from}\nto {to}\n")
}

impl AuditLog {
    /// Signs the tree of all entries so far and records it.
    ///
    /// # Errors
    /// As [`AuditLog::intent`]; [`StoreError::Config`] when the log is signed with another key and `handover` does not allow this one. No
    /// checkpoint is made then.
    pub fn checkpoint(&self, key: &PrivateKey, handover: Handover<'_>, author: Author<'_>) -> Result<MadeCheckpoint> {
        self.locked(author, |appender| {
            let replaced = self.name_key(appender, key, handover)?;
            let size = appender.count();
            let made = Checkpoint::sign(&origin_of(self.case, self.segment), size, appender.root()?, key);
            let (note, key_id) = (made.to_note(), key.public().id());
            appender.push(What::Checkpoint {
                size,
                note: note.clone(),
                key_id: key_id.clone(),
            })?;
            // Stopped here: the copy is missing, and the log holds the note.
            let copy = self.copy_note(size, &note)?;
            Ok(MadeCheckpoint {
                size,
                note,
                key_id,
                copy,
                replaced,
            })
        })
    }

    /// Sees to it that the log names this key. Returns the key that it takes the place of.
    fn name_key(
        &self,
        appender: &mut Appender<'_>,
        key: &PrivateKey,
        handover: Handover<'_>,
    ) -> Result<Option<String>> {
        let public = key.public();
        let key_id = public.id();
        let here = self.named_key()?;
        if here.as_ref() == Some(&key_id) {
            return Ok(None);
        }
        // The first key of a later segment comes from the last one of those before it.
        let before = (1..=self.segment)
            .rev()
            .find_map(|segment| self.of_segment(segment).named_key().transpose())
            .transpose()?;
        let (handed_over, why) = match (&before, handover) {
            (Some(named), _) if *named == key_id => (None, "the same key as in the segment before".to_owned()),
            (None, _) => (None, "the first key of this log".to_owned()),
            (Some(named), Handover::Signed { old, why }) if old.public().id() == *named => {
                let text = handover_text(&self.case.to_hex(), appender.count(), named, &key_id);
                (Some(old.sign(text.as_bytes())), why.to_owned())
            }
            (Some(named), Handover::Signed { old, .. }) => {
                return Err(self.other_key(&format!(
                    "the log is signed with the key {named}, and the old key given is {}",
                    old.public().id()
                )));
            }
            (Some(_), Handover::Lost { why }) => (None, why.to_owned()),
            (Some(named), Handover::None) => {
                return Err(self.other_key(&format!(
                    "the log is signed with the key {named}, and this one is {key_id}: hand over with --old-key FILE, or, when that key \
                     is lost, with --key-lost WHY"
                )));
            }
        };
        appender.push(What::Key {
            key_id: key_id.clone(),
            public: public.pem(),
            replaces: before.clone(),
            handed_over,
            why,
        })?;
        Ok(before.filter(|before| *before != key_id))
    }

    fn other_key(&self, detail: &str) -> StoreError {
        StoreError::Config {
            path: self.log_path(),
            detail: detail.to_owned(),
        }
    }

    /// The key that the log names last.
    fn named_key(&self) -> Result<Option<String>> {
        let mut named = None;
        self.each_line(|line| {
            let may_be = line.bytes.windows(12).any(|window| window == b"\"kind\":\"key\"");
            if may_be
                && let Ok(entry) = line.entry()
                && let What::Key { key_id, .. } = entry.event
            {
                named = Some(key_id);
            }
            Ok(())
        })?;
        Ok(named)
    }

    /// Where the copy of a checkpoint's note is.
    pub(super) fn note_path(&self, size: u64) -> std::path::PathBuf {
        self.checkpoints_dir().join(format!("{size:012}.note"))
    }

    /// Where the time-stamp token of a checkpoint is.
    pub(super) fn token_path(&self, size: u64) -> std::path::PathBuf {
        self.checkpoints_dir().join(format!("{size:012}.tsr"))
    }

    fn copy_note(&self, size: u64, note: &str) -> Result<std::path::PathBuf> {
        let (folder, path) = (self.checkpoints_dir(), self.note_path(size));
        self.disk
            .create_dir(&folder)
            .map_err(|error| StoreError::io("make", &folder, error))?;
        self.disk
            .replace(&path, note.as_bytes())
            .map_err(|error| StoreError::io("write", &path, error))?;
        Ok(path)
    }
}
