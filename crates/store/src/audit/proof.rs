//! Proofs to hand out: that an entry is in the log, and that one checkpoint continues another.
//!
//! A proof of an entry has the form of C2SP `tlog-proof`: the entry's number, the path to the root, and the checkpoint; whoever has the
//! entry's line and the key needs nothing else. Main functions: [`AuditLog::prove`], [`Proof::holds`]. Invariant: a proof is made of the lines
//! as they stand, so a log that was changed gives none that holds.

use base64ct::{Base64, Encoding};

use super::entry::{What, line_hash};
use super::log::AuditLog;
use super::note::{Checkpoint, Signed};
use super::tree::Leaves;
use crate::error::{Result, StoreError};
use crate::merkle::{self, Hash};
use crate::signing::PublicKey;

/// First line of a proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof that an entry is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its number.
    pub index: u64,
    /// Hashes from the leaf's neighbour up.
    pub path: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
}

impl Proof {
    /// The file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\nindex {}\n", self.index);
        for hash in &self.path {
            text.push_str(&Base64::encode_string(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint.to_note());
        text
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let (proof, note) = text
            .split_once("\n\n")
            .ok_or("it has no empty line before its checkpoint")?;
        let mut lines = proof.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(format!("it does not begin with {HEADER:?}"));
        }
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or("it has no index")?;
        let number: u64 = index.parse().map_err(|_| format!("{index:?} is not a number"))?;
        let path = lines
            .map(|line| {
                Base64::decode_vec(line)
                    .ok()
                    .and_then(|bytes| Hash::try_from(bytes).ok())
            })
            .collect::<Option<Vec<Hash>>>()
            .ok_or("a line of its path is not a hash")?;
        Ok(Self {
            index: number,
            path,
            checkpoint: Checkpoint::parse(note)?,
        })
    }

    /// True when this line, without its end, is entry [`Proof::index`] of a log that this key has signed.
    pub fn holds(&self, line: &[u8], key: &PublicKey) -> bool {
        let checkpoint = &self.checkpoint;
        checkpoint.signed_by(key) == Signed::Rightly
            && merkle::leads_to(
                &line_hash(line),
                self.index,
                checkpoint.size,
                &self.path,
                &checkpoint.root,
            )
    }
}

impl AuditLog {
    /// Proves an entry by the first checkpoint behind it. Returns its line too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such entry, or no checkpoint behind it yet; when the log cannot be read.
    pub fn prove(&self, index: u64) -> Result<(String, Proof)> {
        let (mut line_of, mut checkpoint) = (None, None);
        let mut leaves: Vec<Hash> = Vec::new();
        self.each_line(|line| {
            let number = leaves.len() as u64;
            leaves.push(line_hash(&line.bytes));
            if number == index {
                line_of = String::from_utf8(line.bytes.clone()).ok();
            }
            if number > index
                && checkpoint.is_none()
                && let Ok(entry) = line.entry()
                && let What::Checkpoint { note, .. } = entry.event
            {
                checkpoint = Checkpoint::parse(&note).ok().filter(|one| one.size > index);
            }
            Ok(())
        })?;
        let line = line_of.ok_or_else(|| StoreError::NotFound {
            what: format!("entry {index} of the audit log"),
        })?;
        let checkpoint = checkpoint.ok_or_else(|| StoreError::NotFound {
            what: format!("a checkpoint behind entry {index} (`embley audit checkpoint` makes one)"),
        })?;
        let path = merkle::inclusion(&Leaves(&leaves), index, checkpoint.size.min(leaves.len() as u64))?;
        let proof = Proof {
            index,
            path,
            checkpoint,
        };
        Ok((line, proof))
    }

    /// The path that proves the first `size` entries to continue the first `old` (RFC 9162, 2.1.4).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there are not so many; when the log cannot be read.
    pub fn prove_growth(&self, old: u64, size: u64) -> Result<Vec<Hash>> {
        let mut leaves: Vec<Hash> = Vec::new();
        self.each_line(|line| {
            leaves.push(line_hash(&line.bytes));
            Ok(())
        })?;
        if old == 0 || old > size || size > leaves.len() as u64 {
            return Err(StoreError::NotFound {
                what: format!("a log of {old} entries that grew to {size}"),
            });
        }
        merkle::consistency(&Leaves(&leaves), old, size)
    }
}
