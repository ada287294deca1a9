//! Facts: sets against their events, batches against theirs, copies of exhibits' files against the register.

use super::report::{Findings, next};
use crate::case::Case;
use crate::catalogue::CatalogueReader;
use crate::error::{Result, StoreError};
use crate::facts::{FactsError, batches, exhibit_files, sets, tag_rules};

/// Every set is the sum of its events, no item is in two review states, every batch stands where its last event left it.
pub(super) fn sums(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let conn = reader.facts();
    for detail in sets::verify(conn).map_err(stored)? {
        findings.add("table fact_set", "", detail, next::RESTORE_CATALOGUE);
    }
    for detail in tag_rules::verify(conn).map_err(stored)? {
        findings.add("table tag_set", "", detail, next::RESTORE_CATALOGUE);
    }
    for detail in batches::verify(conn).map_err(stored)? {
        findings.add("table review_batch", "", detail, next::RESTORE_CATALOGUE);
    }
    Ok(())
}

/// Every file of an exhibit has its copy, of the right length; with `deep` of the right bytes.
pub(super) fn files(case: &Case, reader: &CatalogueReader, deep: bool, findings: &mut Findings) -> Result<()> {
    for file in exhibit_files::all(reader.facts()).map_err(stored)? {
        let path = exhibit_files::path_of(case, &file.sha256);
        let place = format!("file {} \"{}\"", file.file_id, file.name);
        let thing = path.display().to_string();
        match path.metadata() {
            Ok(meta) if meta.len() != file.size => {
                let detail = format!("it has {} bytes, and {} were added", meta.len(), file.size);
                findings.add(&thing, place, detail, next::RESTORE_EXHIBIT);
            }
            Ok(_) if deep => {
                let (_, sha256, blake3) = exhibit_files::hash(&path)?;
                if sha256.to_hex() != file.sha256 || blake3.to_hex() != file.blake3 {
                    let detail = format!("its SHA-256 is {sha256}, not the one in the register");
                    findings.add(&thing, place, detail, next::RESTORE_EXHIBIT);
                }
            }
            Ok(_) => {}
            Err(error) => findings.add(
                &thing,
                place,
                format!("it cannot be read: {error}"),
                next::RESTORE_EXHIBIT,
            ),
        }
    }
    Ok(())
}

fn stored(error: FactsError) -> StoreError {
    match error {
        FactsError::Store(cause) => cause,
        other => StoreError::internal(other.to_string()),
    }
}
