//! Reconciliation: whatever was found has exactly one outcome, in every container, source and the run.
//!
//! Reads the catalogue and compares what was counted before any decision with what became of it. Invariant: it repairs nothing;
//! a sum that does not close makes the run fail by name.

use embley_store::catalogue::{CatalogueReader, FileState, RunRow, TallyRow};

use crate::error::IngestError;
use crate::load::kind_code;
use crate::report::RunReport;
use crate::run::run_id;

/// Checks all sums of a run.
///
/// # Errors
/// [`IngestError::NotBalanced`] naming the first sum that does not close.
pub(crate) fn check(
    reader: &CatalogueReader,
    run: &RunRow,
    totals: &[TallyRow],
    report: &RunReport,
) -> Result<(), IngestError> {
    let fail = |detail: String| IngestError::NotBalanced {
        run: run_id(run.run_no),
        detail,
    };
    if let Some(row) = totals.iter().find(|row| !row.closes()) {
        let name = match row.file_id {
            Some(file) => reader.shown_path(file)?,
            None => format!("source {}", row.source_id),
        };
        return Err(fail(format!("{name}: {}", figures(row))));
    }
    let mut sum: Option<TallyRow> = None;
    for row in totals {
        match &mut sum {
            Some(sum) => sum.add(row),
            None => sum = Some(row.clone()),
        }
    }
    if let Some(sum) = &sum
        && (sum.discovered != report.sums.discovered || !sum.closes())
    {
        return Err(fail(format!(
            "the run: {}; its sources say {}",
            figures(sum),
            report.sums.discovered
        )));
    }
    if !report.balanced {
        return Err(fail("the sums of a source do not close".to_owned()));
    }
    check_mailboxes(reader, run, totals)
}

/// Per mailbox, message, separator and junk bytes sum to the file's size.
fn check_mailboxes(reader: &CatalogueReader, run: &RunRow, totals: &[TallyRow]) -> Result<(), IngestError> {
    for file in totals.iter().filter_map(|row| row.file_id) {
        let Some(row) = reader.file(file)? else { continue };
        let sum = row.message_bytes + row.separator_bytes + row.junk_bytes;
        if row.kind == kind_code::MAILBOX && row.state == FileState::Done && sum != row.size {
            return Err(IngestError::NotBalanced {
                run: run_id(run.run_no),
                detail: format!(
                    "{}: message {} + separator {} + junk {} bytes are not its size {}",
                    reader.shown_path(file)?,
                    row.message_bytes,
                    row.separator_bytes,
                    row.junk_bytes,
                    row.size
                ),
            });
        }
    }
    Ok(())
}

fn figures(row: &TallyRow) -> String {
    format!(
        "discovered {} = new {} + duplicate {} + unchanged {} + excluded {} + excepted {}; children {} = items {} + excepted {}",
        row.discovered,
        row.new,
        row.duplicate,
        row.unchanged,
        row.excluded,
        row.excepted,
        row.children_discovered,
        row.children_items,
        row.children_excepted
    )
}
