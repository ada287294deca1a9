//! Verification: proves, or names what is wrong. Never writes.
//!
//! [`quick`] compares formats, headers, positions, counts, sums and references; [`deep`] besides reads and hashes every byte again and
//! compares every table with every other. Not for: repairing (the next ingest cuts tails; a damaged original is put back from a
//! copy of the case). Invariant: an empty list of findings means that each check was made and held.

mod bytes;
mod facts;
mod packs;
mod report;
mod rows;
mod sets;
mod sums;

use rayon::prelude::*;

use crate::case::Case;
use crate::catalogue::Sight;
use crate::error::Result;
use crate::originals::DeriveBytes;

use report::Findings;
pub use report::{Checked, Finding, VerifyReport};

/// Checks that cost little: seconds for a case of millions of items.
///
/// # Errors
/// When the case cannot be read at all. What can be read and is wrong is a finding.
pub fn quick(case: &Case) -> Result<VerifyReport> {
    let mut findings = Findings::default();
    run_quick(case, &mut findings)?;
    Ok(findings.finish())
}

/// Everything, with every byte hashed again by BLAKE3 and SHA-256 on the threads of the present rayon pool. `parts` takes attachments out
/// of their messages; `progress` hears of plain bytes as they are done.
///
/// # Errors
/// As [`quick`].
pub fn deep(case: &Case, parts: &(dyn DeriveBytes + Sync), progress: &(dyn Fn(u64) + Sync)) -> Result<VerifyReport> {
    let mut findings = Findings::default();
    run_quick(case, &mut findings)?;
    let reader = case.reader_as(Sight::Whole)?;
    rows::integrity(&reader, &mut findings)?;
    rows::every_row(&reader, &mut findings)?;
    step(&mut findings, |findings| sets::every_set(&reader, findings))?;
    step(&mut findings, |findings| facts::sums(&reader, findings))?;
    step(&mut findings, |findings| facts::files(case, &reader, true, findings))?;
    step(&mut findings, |findings| {
        packs::against_catalogue(case, &reader, findings)
    })?;
    let mut chunks = Vec::new();
    step(&mut findings, |_| {
        chunks = bytes::chunks(&reader)?;
        Ok(())
    })?;
    let done: Vec<Result<Findings>> = chunks
        .par_iter()
        .map(|chunk| bytes::check(case, chunk, parts, progress))
        .collect();
    for one in done {
        step(&mut findings, |findings| {
            findings.join(one?);
            Ok(())
        })?;
    }
    Ok(findings.finish())
}

/// One check. Damage that keeps it from going on is a finding of its own.
fn step(findings: &mut Findings, check: impl FnOnce(&mut Findings) -> Result<()>) -> Result<()> {
    match check(findings) {
        Ok(()) => Ok(()),
        Err(error) => packs::report(findings, "catalogue.sqlite", error, report::next::RESTORE_CATALOGUE),
    }
}

fn run_quick(case: &Case, findings: &mut Findings) -> Result<()> {
    let reader = case.reader_as(Sight::Whole)?;
    step(findings, |findings| packs::positions(case, &reader, findings))?;
    step(findings, |findings| rows::checkpoints(&reader, findings))?;
    step(findings, |findings| rows::references(&reader, findings))?;
    step(findings, |findings| sums::runs(&reader, findings))?;
    step(findings, |findings| sums::files(&reader, findings))?;
    step(findings, |findings| facts::files(case, &reader, false, findings))?;
    step(findings, |findings| sets::quarantine(&reader, findings))?;
    step(findings, |findings| sets::sizes(&reader, findings))
}
