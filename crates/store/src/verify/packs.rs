//! Packs: their files, headers and lengths; and, deep, every frame and blob table against the catalogue.

use embley_model::id::{BlobId, Key128};
use embley_model::outcome::ErrorClass;

use super::report::{Findings, next};
use std::collections::HashSet;

use crate::case::Case;
use crate::catalogue::{BlobPlaceRow, CatalogueReader};
use crate::error::{Result, StoreError};
use crate::packs::{PackWalker, check_header, pack_file_name, pack_numbers};

/// Every pack up to the committed one is there, is ours and is long enough.
pub(super) fn positions(case: &Case, reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let folder = case.originals_dir();
    let committed = reader.checkpoint().pack;
    for number in 1..=committed.pack {
        findings.checked.packs += 1;
        let path = folder.join(pack_file_name(number));
        let name = format!("originals/{}", pack_file_name(number));
        let file = match check_header(&path, number, case.id()) {
            Ok(file) => file,
            Err(error) => {
                report(findings, &name, error, next::RESTORE_PACK)?;
                continue;
            }
        };
        let len = file
            .metadata()
            .map_err(|error| StoreError::io("read the length of", &path, error))?
            .len();
        if number == committed.pack && len < committed.offset {
            let detail = format!("the catalogue was committed up to {}", committed.offset);
            findings.add(
                &name,
                format!("offset {len}: the pack ends here"),
                detail,
                next::RESTORE_PACK,
            );
        }
        if number == committed.pack && len > committed.offset {
            let tail = len - committed.offset;
            findings.notes.push(format!(
                "{name}: {tail} bytes behind the last checkpoint belong to an ingest that runs or was stopped; the next one cuts them"
            ));
        }
    }
    for number in pack_numbers(&folder)?
        .into_iter()
        .filter(|number| *number > committed.pack)
    {
        findings.notes.push(format!(
            "originals/{} was begun behind the last checkpoint; the next ingest removes it",
            pack_file_name(number)
        ));
    }
    Ok(())
}

/// A blob as the catalogue places it, in the order of packs.
struct Placed {
    blob: BlobId,
    half: Key128,
    size: u64,
    pack: u32,
    frame_offset: u64,
    offset_in_frame: u32,
}

/// Walks all packs by their tables: each frame agrees with its checksum, and tables and catalogue name the same blobs at the same
/// places.
pub(super) fn against_catalogue(case: &Case, reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let committed = reader.checkpoint().pack;
    let (placed, known) = placed_blobs(reader)?;
    let mut rest = &placed[..];
    for number in 1..=committed.pack {
        let end = rest.partition_point(|one| one.pack <= number);
        let (here, later) = rest.split_at(end);
        rest = later;
        let limit = (number == committed.pack).then_some(committed.offset);
        walk_pack(case, number, limit, (here, &known), findings)?;
    }
    for lost in rest {
        let detail = format!("it is catalogued in pack {}, behind the last checkpoint", lost.pack);
        findings.add(
            "table blob",
            format!("blob {}", lost.blob),
            detail,
            next::RESTORE_CATALOGUE,
        );
    }
    Ok(())
}

/// Blobs that the catalogue places in packs; and the hashes of all blobs: bytes that came again may stand in a pack twice, as an original of their
/// own that was a part before, or as an attachment that several messages of a mail store share. The catalogue names one place.
fn placed_blobs(reader: &CatalogueReader) -> Result<(Vec<Placed>, HashSet<Key128>)> {
    let mut placed = Vec::new();
    let mut known = HashSet::new();
    reader.for_each_blob(|row| {
        known.insert(row.blake3.half());
        if let BlobPlaceRow::Pack {
            pack,
            frame_offset,
            offset_in_frame,
        } = row.place
        {
            let (blob, half, size) = (row.blob_id, row.blake3.half(), row.size);
            placed.push(Placed {
                blob,
                half,
                size,
                pack,
                frame_offset,
                offset_in_frame,
            });
        }
        Ok::<_, StoreError>(())
    })?;
    // Blobs of no bytes share a place with their neighbour and come first there.
    placed.sort_by_key(|one| (one.pack, one.frame_offset, one.offset_in_frame, one.size > 0, one.blob));
    Ok((placed, known))
}

fn walk_pack(
    case: &Case,
    number: u32,
    limit: Option<u64>,
    (placed, known): (&[Placed], &HashSet<Key128>),
    findings: &mut Findings,
) -> Result<()> {
    let name = format!("originals/{}", pack_file_name(number));
    let mut walker = match PackWalker::open(&case.originals_dir(), number, case.id(), limit) {
        Ok(walker) => walker,
        // Said by the quick part already.
        Err(StoreError::Damaged { .. } | StoreError::Newer { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut found: Vec<(Key128, u64, u64, u32)> = Vec::new();
    // Where the blob that is open at the end of a frame began, and how many of its bytes have passed.
    let mut open: Option<(u64, u32, u64)> = None;
    let mut whole = true;
    loop {
        let frame = match walker.next_table() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) => {
                whole = false;
                report(findings, &name, error, next::RESTORE_PACK)?;
                if !walker.skip_damaged() {
                    break;
                }
                open = None;
                continue;
            }
        };
        findings.checked.frames += 1;
        let mut at = 0_u64;
        for end in &frame.ends {
            let (begun_at, begun_in, passed) = open.take().unwrap_or((frame.offset, at as u32, 0));
            found.push((end.half, end.size, begun_at, begun_in));
            at += end.size.saturating_sub(passed);
        }
        let left = u64::from(frame.plain_len).saturating_sub(at);
        if left > 0 {
            let (begun_at, begun_in, passed) = open.take().unwrap_or((frame.offset, at as u32, 0));
            open = Some((begun_at, begun_in, passed + left));
        }
    }
    if whole {
        let places: HashSet<(u64, u32, Key128)> = placed
            .iter()
            .map(|one| (one.frame_offset, one.offset_in_frame, one.half))
            .collect();
        found.retain(|(half, _, at, within)| places.contains(&(*at, *within, *half)) || !known.contains(half));
        compare(&name, found, placed, findings);
    }
    Ok(())
}

fn compare(name: &str, mut found: Vec<(Key128, u64, u64, u32)>, placed: &[Placed], findings: &mut Findings) {
    found.sort_by_key(|(_, size, frame, offset)| (*frame, *offset, *size > 0));
    let mut found = found.into_iter().peekable();
    for want in placed {
        let key = (want.frame_offset, want.offset_in_frame, want.size > 0);
        while let Some((half, size, frame, offset)) = found.next_if(|one| (one.2, one.3, one.1 > 0) < key) {
            not_catalogued(name, half, size, frame, offset, findings);
        }
        match found.next_if(|one| (one.2, one.3, one.1 > 0) == key) {
            Some((half, size, ..)) if half == want.half && size == want.size => {}
            Some((half, size, ..)) => {
                let detail = format!(
                    "the pack holds {half} of {size} bytes there, the catalogue says {} of {}",
                    want.half, want.size
                );
                findings.add(
                    "table blob",
                    format!("blob {}", want.blob),
                    detail,
                    next::RESTORE_CATALOGUE,
                );
            }
            None => {
                let place = format!(
                    "{name}, offset {} and {} within",
                    want.frame_offset, want.offset_in_frame
                );
                let detail = format!("no blob begins at {place}");
                findings.add(
                    "table blob",
                    format!("blob {}", want.blob),
                    detail,
                    next::RESTORE_CATALOGUE,
                );
            }
        }
    }
    for (half, size, frame, offset) in found {
        not_catalogued(name, half, size, frame, offset, findings);
    }
}

fn not_catalogued(name: &str, half: Key128, size: u64, frame: u64, offset: u32, findings: &mut Findings) {
    let place = format!("offset {frame}, {offset} within the frame");
    let detail = format!("{size} bytes that begin with hash {half} are in no row of the catalogue");
    findings.add(name, place, detail, next::RESTORE_CATALOGUE);
}

/// Makes a finding of damage and of newer formats; everything else stops the verification.
pub(super) fn report(findings: &mut Findings, thing: &str, error: StoreError, next: &'static str) -> Result<()> {
    match error {
        StoreError::Damaged { what, place, detail } => {
            let thing = if what == "catalogue" { what.as_str() } else { thing };
            findings.add(thing, place, detail, next);
            Ok(())
        }
        StoreError::Newer { found, known, .. } => {
            findings.add(
                thing,
                "header",
                format!("format {found} is newer than {known}, the newest known here"),
                next,
            );
            Ok(())
        }
        // SQLite's own words for a damaged page.
        StoreError::Catalogue { ref source, .. } if error.class() == ErrorClass::Corruption => {
            findings.add("catalogue.sqlite", "a page of it", source.to_string(), next);
            Ok(())
        }
        other => Err(other),
    }
}
