//! How the emptying of a container goes on with a new reader after one was lost over it.
//!
//! Not for: deciding that (the caller of workers does). Main type: [`Resume`]. Invariant: with it the new reader counts members, bytes and faults from where
//! the lost one stood, so that limits fire at the same member as without a loss.

use serde::{Deserialize, Serialize};

/// What was counted before, and how to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// Members that came out before, whole or broken off. They are passed over: their names are read, their bytes are not looked at.
    pub members: u64,
    /// Bytes of those members.
    pub bytes: u64,
    /// Members that ended with a fault.
    pub cut: u64,
    /// What else the lost reader had counted when it was heard of last.
    pub tally: Tally,
    /// What is read of the next members.
    pub onward: Onward,
}

/// What is read behind the members that came before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Onward {
    /// Everything.
    #[default]
    Everything,
    /// Everything but the next member, at which a reader was lost: it comes with its name and without bytes.
    BehindNext,
    /// As [`Onward::BehindNext`], without what can only be unpacked through that member: the rest of its block of a 7z archive comes without bytes.
    AroundBlock,
    /// Nothing: all members come with their names and without bytes.
    Names,
}

/// What the reader of a container counts on its way, said with each member so that it outlives the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Members with bytes, or rightly without.
    pub readable: u64,
    /// Members that no password opens.
    pub encrypted: u64,
    /// Passwords that were tried.
    pub passwords_tried: u32,
    /// Index of the first password that opened something.
    pub password_used: Option<u32>,
}
