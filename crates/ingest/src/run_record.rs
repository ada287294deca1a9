//! The run record: `runs/<id>/` with the settings as resolved, what came of it, and the exceptions, for people and for ever.
//!
//! The catalogue is what counts; these files are its copy in plain JSON, first line or member a format version.

use embley_model::event::ProgressSnapshot;
use embley_model::id::RunNo;
use embley_store::catalogue::{RunKind, RunState};
use embley_store::{Case, StoreError};
use serde_json::json;

use crate::error::IngestError;
use crate::report::RunReport;
use crate::request::{IngestOptions, IngestRequest};
use crate::run::run_id;

/// Version of the files.
const FORMAT: u32 = 1;

/// What a run was like while it went on; not known of a run whose process was stopped before it wrote its record.
pub(crate) struct Conduct {
    threads: usize,
    memory_bytes: u64,
    progress: ProgressSnapshot,
}

impl Conduct {
    pub(crate) fn of(options: &IngestOptions) -> Self {
        Self {
            threads: options.threads,
            memory_bytes: options.memory_bytes,
            progress: options.counters.snapshot(),
        }
    }
}

/// Writes the records of earlier runs that were stopped between their end and their record.
///
/// # Errors
/// As [`write`].
pub(crate) fn complete(case: &Case) -> Result<(), IngestError> {
    for row in case.reader()?.runs()? {
        let done = row.kind == RunKind::Ingest && row.state == RunState::Done;
        if !done || case.run_dir(row.run_no).join(LAST).is_file() {
            continue;
        }
        let unreadable = |error| IngestError::internal(format!("{} cannot be read again: {error}", run_id(row.run_no)));
        let request: IngestRequest = serde_json::from_str(&row.settings).map_err(unreadable)?;
        let report: RunReport = serde_json::from_str(&row.summary).map_err(unreadable)?;
        write(case, row.run_no, &request, &report, None)?;
    }
    Ok(())
}

/// The file that is written last: where it is, the record is whole.
const LAST: &str = "summary.json";

/// Writes the record of a run that is done.
///
/// # Errors
/// When the folder cannot be written; the run itself stands.
pub(crate) fn write(
    case: &Case,
    run: RunNo,
    request: &IngestRequest,
    report: &RunReport,
    conduct: Option<Conduct>,
) -> Result<(), IngestError> {
    let internal = |error: serde_json::Error| IngestError::internal(format!("run record: {error}"));
    let folder = case.make_run_dir(run)?;
    let settings = json!({
        "format": FORMAT,
        "run": run_id(run),
        "request": request,
        "threads": conduct.as_ref().map(|conduct| conduct.threads),
        "memory_bytes": conduct.as_ref().map(|conduct| conduct.memory_bytes),
        "tool": concat!("embley ", env!("CARGO_PKG_VERSION")),
    });
    let summary = json!({"format": FORMAT, "report": report, "progress": conduct.map(|conduct| conduct.progress)});
    let mut exceptions = format!("{{\"format\":{FORMAT},\"run\":{:?}}}\n", run_id(run));
    for row in case.reader()?.exceptions(Some(run))? {
        let line = json!({
            "path": row.path, "phase": row.phase, "class": row.class, "code": row.code.text(),
            "range": row.range.map(|range| [range.start, range.end]), "detail": row.detail, "action": row.action,
        });
        exceptions.push_str(&line.to_string());
        exceptions.push('\n');
    }
    let files = [
        ("settings.json", serde_json::to_vec_pretty(&settings).map_err(internal)?),
        ("exceptions.jsonl", exceptions.into_bytes()),
        (LAST, serde_json::to_vec_pretty(&summary).map_err(internal)?),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        case.disk().replace(&path, &bytes).map_err(|source| StoreError::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}
