//! The example many times over, for measuring: the same people, days and wordings, with other references, ids and Message-IDs in
//! each copy, so that thousands of cases with their mail lie in one case folder.
//!
//! Not for: scoring (a truth is written for one example only). Invariant: copy 0 is the example itself; two copies share the
//! people and the registers, and no case, record or message.

use std::path::Path;

use crate::config::{BoxFormat, CorpusError};
use crate::write::{make_folder, write_file};

use super::write::{Mailboxes, lines};
use super::{ExampleConfig, plan_copy, rows};

/// Numbers of cases of one copy lie within this range.
pub(super) const NUMBERS_APART: u32 = 1_000;
/// Numbers of rows of one copy lie within this range.
pub(super) const ROWS_APART: u32 = 10_000;
/// More would not fit the numbers.
const MOST_COPIES: u32 = 10_000;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Cases.
    pub cases: u64,
    /// Records of both systems.
    pub records: u64,
    /// Distinct messages.
    pub messages: u64,
}

/// Writes `mail/` (mboxrd) and `records/tribune-like.jsonl`, `records/centurion-like.jsonl` of so many copies below `dir`.
///
/// # Errors
/// No copy or more than 10,000 are asked for, or a file cannot be written; the folder then holds part of them.
pub fn write_copies(dir: &Path, config: &ExampleConfig, copies: u32) -> Result<Copies, CorpusError> {
    if copies == 0 || copies > MOST_COPIES {
        return Err(CorpusError::Setting {
            setting: "copies",
            reason: format!("{copies} is not between 1 and {MOST_COPIES}"),
        });
    }
    let mut made = Copies::default();
    let mut systems = [Vec::new(), Vec::new()];
    let first = plan_copy(config, 0)?;
    let mut mailboxes = Mailboxes::create(dir, &first, &[BoxFormat::Mboxrd])?;
    for copy in 0..copies {
        let world = plan_copy(config, copy)?;
        assert!(
            world.next_row - copy * ROWS_APART < ROWS_APART,
            "an example has fewer rows than lie between two copies"
        );
        let exports = rows::export(&world);
        made.cases += world.cases.len() as u64;
        made.records += (exports.older.len() + exports.newer.len()) as u64;
        made.messages += mailboxes.append(&world)?.len() as u64;
        systems[0].extend_from_slice(&lines(&exports.older));
        systems[1].extend_from_slice(&lines(&exports.newer));
    }
    mailboxes.finish()?;
    let folder = dir.join("records");
    make_folder(&folder)?;
    for (system, bytes) in [rows::OLDER, rows::NEWER].into_iter().zip(&systems) {
        write_file(&folder.join(format!("{system}.jsonl")), bytes)?;
    }
    Ok(made)
}
