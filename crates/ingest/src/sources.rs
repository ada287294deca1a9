//! The sources of a request: that one is there, which of them the case knows, whose they are.
//!
//! Main function: [`resolve_sources`]. Invariant: a source that the case knows under another custodian is refused unless that is asked for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use embley_model::id::{RunNo, SourceId};
use embley_store::catalogue::{CatalogueReader, CatalogueWriter, CustodianRow, RowBatch, SourceRow};

use crate::entrance::ResolvedSource;
use crate::error::IngestError;
use crate::notes::Custodians;
use crate::request::{CustodianRule, IngestRequest};

/// At least one source must be there; the walk lists the others as exceptions.
pub(crate) fn check_sources(request: &IngestRequest) -> Result<(), IngestError> {
    if request.sources.is_empty() && request.retry.is_some() {
        return Ok(());
    }
    if request.sources.is_empty() {
        return Err(IngestError::Request {
            detail: "no source given".to_owned(),
        });
    }
    let mut problems = Vec::new();
    for source in &request.sources {
        let opened = match std::fs::metadata(&source.path) {
            Ok(meta) if meta.is_dir() => std::fs::read_dir(&source.path).map(|_| ()),
            Ok(_) => std::fs::File::open(&source.path).map(|_| ()),
            Err(error) => Err(error),
        };
        match opened {
            Ok(()) => return Ok(()),
            Err(error) => problems.push(format!("{}: {error}", source.path.display())),
        }
    }
    Err(IngestError::NoInput {
        detail: problems.join("; "),
    })
}

/// The custodians that the case knows.
pub(crate) fn custodians(reader: &CatalogueReader, next: u32) -> Result<Custodians, IngestError> {
    let mut custodians = Custodians {
        by_name: Default::default(),
        next,
    };
    for custodian in reader.custodians()? {
        custodians.by_name.insert(custodian.name, custodian.custodian_id);
    }
    Ok(custodians)
}

/// The sources with their numbers, new ones and new custodians as rows; and which of them change their custodian.
pub(crate) fn resolve_sources(
    request: &IngestRequest,
    reader: &CatalogueReader,
    mut next_source: u32,
    run: RunNo,
    custodians: &mut Custodians,
    batch: &mut RowBatch,
) -> Result<(Vec<ResolvedSource>, Vec<usize>), IngestError> {
    let known = reader.sources()?;
    let mut reassigned = Vec::new();
    let mut resolved: Vec<ResolvedSource> = Vec::new();
    for spec in &request.sources {
        if let Some(other) = resolved.iter().find(|other| other.spec.label == spec.label) {
            return Err(IngestError::Request {
                detail: format!(
                    "{} and {} would both be called {:?}; give one of them another --label",
                    other.spec.path.display(),
                    spec.path.display(),
                    spec.label
                ),
            });
        }
        let rule = serde_json::to_string(&spec.custodian).map_err(|error| IngestError::internal(error.to_string()))?;
        let custodian_id = match &spec.custodian {
            CustodianRule::Named(name) => {
                let (id, new) = custodians.id(name);
                if new {
                    batch.custodians.push(CustodianRow {
                        custodian_id: id,
                        name: name.clone(),
                    });
                }
                Some(id)
            }
            CustodianRule::Unknown | CustodianRule::FromPath(_) => None,
        };
        let before = known.iter().find(|source| source.label == spec.label);
        if let Some(before) = before
            && before.custodian_rule != rule
        {
            reassigned.push(resolved.len());
            if !request.reassign {
                return Err(IngestError::Request {
                    detail: format!(
                        "source {:?} is in the case under another custodian ({}); give --label for another source, or --reassign",
                        spec.label, before.custodian_rule
                    ),
                });
            }
        }
        let source_id = match before {
            Some(before) => before.source_id,
            None => {
                next_source += 1;
                SourceId(next_source - 1)
            }
        };
        let absolute = std::path::absolute(&spec.path).unwrap_or_else(|_| PathBuf::from(&spec.path));
        batch.sources.push(SourceRow {
            source_id,
            label: spec.label.clone(),
            absolute: absolute.to_string_lossy().into_owned(),
            custodian_id,
            custodian_rule: rule,
            run_no: before.map_or(run, |before| before.run_no),
        });
        resolved.push(ResolvedSource {
            spec: spec.clone(),
            source: source_id,
        });
    }
    Ok((resolved, reassigned))
}

/// Gives what is in the case of a source to the custodians that its new rule names.
pub(crate) fn reassign(
    writer: &mut CatalogueWriter,
    source: &ResolvedSource,
    custodians: &mut Custodians,
) -> Result<(), IngestError> {
    let rule = &source.spec.custodian;
    let is_folder = source.spec.path.is_dir();
    writer.reassign(source.source, |folder, name| {
        let rel = if is_folder {
            Path::new(OsStr::from_bytes(folder)).join(OsStr::from_bytes(name))
        } else {
            PathBuf::new()
        };
        let name = rule.name_of(&rel)?;
        Some(CustodianRow {
            custodian_id: custodians.id(&name).0,
            name,
        })
    })?;
    Ok(())
}
