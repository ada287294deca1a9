//! Every byte again: originals out of packs and parts out of their messages, hashed by BLAKE3 and SHA-256.

use std::io::{self, Write};
use std::ops::Range;

use embley_model::id::{Blake3, BlobId, FileId, Sha256};
use sha2::Digest;

use super::packs::report;
use super::report::{Findings, next};
use crate::case::Case;
use crate::catalogue::{BlobPlaceRow, BlobRow, CatalogueReader};
use crate::error::{Result, StoreError};
use crate::originals::{DeriveBytes, Originals};

/// Blobs of one piece of work.
const CHUNK_BLOBS: u32 = 4_000;
const CHUNK_BYTES: u64 = 64 << 20;

/// All blobs in pieces of consecutive ids: neighbours in packs, and parts of the same messages.
pub(super) fn chunks(reader: &CatalogueReader) -> Result<Vec<Range<BlobId>>> {
    let mut chunks = Vec::new();
    let (mut first, mut next, mut bytes) = (1, 1, 0);
    reader.for_each_blob(|row| {
        bytes += row.size;
        next = row.blob_id.0 + 1;
        if next - first >= CHUNK_BLOBS || bytes >= CHUNK_BYTES {
            chunks.push(BlobId(first)..BlobId(next));
            (first, bytes) = (next, 0);
        }
        Ok::<_, StoreError>(())
    })?;
    if first < next {
        chunks.push(BlobId(first)..BlobId(next));
    }
    Ok(chunks)
}

/// Hashes the blobs of a piece.
pub(super) fn check(
    case: &Case,
    chunk: &Range<BlobId>,
    parts: &dyn DeriveBytes,
    progress: &dyn Fn(u64),
) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut originals = case.all_originals()?;
    let mut rows = Vec::new();
    originals.catalogue().for_each_blob_in(chunk.clone(), |row| {
        rows.push(row);
        Ok::<_, StoreError>(())
    })?;
    // Parts of one message together, so that it is read once.
    rows.sort_by_key(|row| match row.place {
        BlobPlaceRow::Pack { .. } | BlobPlaceRow::Source { .. } => 0,
        BlobPlaceRow::Derived { root_item, .. } => root_item.0,
    });
    for row in &rows {
        match &row.place {
            BlobPlaceRow::Pack { .. } => packed(&mut originals, row, &mut findings)?,
            BlobPlaceRow::Source { file_id } => referenced(&originals, row, *file_id, &mut findings)?,
            BlobPlaceRow::Derived { .. } => derived(&mut originals, row, parts, &mut findings)?,
        }
        findings.checked.bytes += row.size;
        progress(row.size);
    }
    Ok(findings)
}

fn packed(originals: &mut Originals, row: &BlobRow, findings: &mut Findings) -> Result<()> {
    let mut hashes = Hashes::default();
    match originals.packs_mut().read_blob_to(&row.place, row.size, &mut hashes) {
        Ok(()) => compare(row, hashes.finish(), next::RESTORE_PACK, findings),
        Err(StoreError::Damaged { what, place, detail }) => {
            let thing = what
                .rsplit_once("originals/")
                .map_or(what.clone(), |(_, name)| format!("originals/{name}"));
            let place = format!("{place}, for {}", named(row));
            findings.add(&thing, place, detail, next::RESTORE_PACK);
        }
        Err(other) => report(findings, "originals", other, next::RESTORE_PACK)?,
    }
    findings.checked.packed_blobs += 1;
    Ok(())
}

fn derived(originals: &mut Originals, row: &BlobRow, parts: &dyn DeriveBytes, findings: &mut Findings) -> Result<()> {
    match originals.blob_bytes(row, parts) {
        Ok(bytes) => {
            let mut hashes = Hashes::default();
            hashes.update(&bytes);
            compare(row, hashes.finish(), next::OTHER_VERSION, findings);
        }
        Err(StoreError::Damaged { what, place, detail }) => {
            // A damaged pack is said once, with the original; here only what concerns the part itself.
            if what.starts_with("blob ") {
                findings.add(&what, place, detail, next::OTHER_VERSION);
            }
        }
        // Said once, with the header of the pack.
        Err(StoreError::Newer { .. }) => {}
        Err(other) => return Err(other),
    }
    findings.checked.derived_blobs += 1;
    Ok(())
}

/// A container that was not copied: checked when it still lies where it was found. The case does not promise that it does.
fn referenced(originals: &Originals, row: &BlobRow, file: FileId, findings: &mut Findings) -> Result<()> {
    let path = originals.catalogue().source_path(file)?;
    let mut hashes = Hashes::default();
    let read = std::fs::File::open(&path).and_then(|mut file| io::copy(&mut file, &mut hashes));
    match read {
        Ok(_) => compare(row, hashes.finish(), next::RESTORE_SOURCE, findings),
        Err(error) => findings.notes.push(format!(
            "{} was referenced and not copied; it cannot be read now: {error}",
            path.display()
        )),
    }
    findings.checked.referenced_blobs += 1;
    Ok(())
}

fn compare(row: &BlobRow, found: (Blake3, Sha256), next: &'static str, findings: &mut Findings) {
    let (blake3, sha256) = found;
    if blake3 != row.blake3 {
        let detail = format!("BLAKE3 is {blake3}, and the catalogue says {}", row.blake3);
        findings.add("original bytes", named(row), detail, next);
    } else if sha256 != row.sha256 {
        let detail = format!("SHA-256 is {sha256}, and the catalogue says {}", row.sha256);
        findings.add("table blob", named(row), detail, super::report::next::RESTORE_CATALOGUE);
    }
}

fn named(row: &BlobRow) -> String {
    match (&row.place, row.top_item) {
        (_, Some(item)) => format!("blob {} (item {item})", row.blob_id),
        (BlobPlaceRow::Derived { root_item, part_path }, None) => {
            format!("blob {} (item {root_item} part {part_path})", row.blob_id)
        }
        (BlobPlaceRow::Pack { .. } | BlobPlaceRow::Source { .. }, None) => format!("blob {}", row.blob_id),
    }
}

/// Both hashes of what is written to it.
#[derive(Default)]
struct Hashes {
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
}

impl Hashes {
    fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
    }

    fn finish(self) -> (Blake3, Sha256) {
        (
            Blake3(*self.blake3.finalize().as_bytes()),
            Sha256(self.sha256.finalize().into()),
        )
    }
}

impl Write for Hashes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
