//! The run record: `runs/<id>/` with the settings as resolved, what came of it, and the exceptions, for people and for ever.
//!
//! The catalogue is what counts; these files are its copy in plain JSON, first line or member a format version.

use embley_model::id::RunNo;
use embley_store::{Case, StoreError};
use serde_json::json;

use crate::error::IngestError;
use crate::report::RunReport;
use crate::request::{IngestOptions, IngestRequest};
use crate::run::run_id;

/// Version of the files.
const FORMAT: u32 = 1;

/// Writes the record of a run that is done.
///
/// # Errors
/// When the folder cannot be written; the run itself stands.
pub(crate) fn write(
    case: &Case,
    run: RunNo,
    request: &IngestRequest,
    report: &RunReport,
    options: &IngestOptions,
) -> Result<(), IngestError> {
    let internal = |error: serde_json::Error| IngestError::internal(format!("run record: {error}"));
    let folder = case.make_run_dir(run)?;
    let settings = json!({
        "format": FORMAT,
        "run": run_id(run),
        "request": request,
        "threads": options.threads,
        "memory_bytes": options.memory_bytes,
        "tool": concat!("embley ", env!("CARGO_PKG_VERSION")),
    });
    let summary = json!({"format": FORMAT, "report": report, "progress": options.counters.snapshot()});
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
        ("summary.json", serde_json::to_vec_pretty(&summary).map_err(internal)?),
        ("exceptions.jsonl", exceptions.into_bytes()),
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
