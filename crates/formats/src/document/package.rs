//! Parts of a ZIP package: Office Open XML, OpenDocument, EPUB.
//!
//! Not for: archives as evidence (they keep every entry and its times). Main type: [`Package`]. Invariant: a part is never longer than its limit, and
//! all parts read together never exceed the package's budget; a package without a directory is read from its start as far as it goes.

use std::io::{Cursor, Read};

use embley_model::defect::DefectCode;
use zip::ZipArchive;
use zip::read::read_zipfile_from_stream;

use super::draft::Draft;

/// Longest part that is read as XML.
const MAX_PART_BYTES: u64 = 256 << 20;
/// A package may always unpack to this much; beyond, its ratio counts.
const FREE_BYTES: u64 = 64 << 20;
/// Most parts that are looked at.
const MAX_PARTS: usize = 100_000;

/// One part.
pub(super) struct Part {
    /// Name in the package, `/` between its steps.
    pub(super) name: String,
    /// Bytes when unpacked, as stated.
    pub(super) stated_bytes: u64,
    place: Place,
}

enum Place {
    Indexed(usize),
    Held(Vec<u8>),
}

pub(super) struct Package<'b> {
    archive: Option<ZipArchive<Cursor<&'b [u8]>>>,
    /// In the package's order.
    pub(super) parts: Vec<Part>,
    left: u64,
}

impl<'b> Package<'b> {
    /// Opens a package; `None` when not a single part can be found.
    pub(super) fn open(bytes: &'b [u8], draft: &mut Draft<'_>) -> Option<Self> {
        let limits = draft.limits();
        let budget = limits
            .max_total_bytes
            .min((bytes.len() as u64).saturating_mul(limits.max_ratio).max(FREE_BYTES))
            .min(4 << 30);
        let why = match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => {
                let mut parts = Vec::new();
                for at in 0..archive.len().min(MAX_PARTS) {
                    let Ok(entry) = archive.by_index_data(at) else { continue };
                    let name = String::from_utf8_lossy(entry.name_raw()).replace('\\', "/");
                    let name = name.trim_start_matches('/').to_owned();
                    if name.ends_with('/') || name.is_empty() {
                        continue;
                    }
                    parts.push(Part {
                        name,
                        stated_bytes: entry.size(),
                        place: Place::Indexed(at),
                    });
                }
                if !parts.is_empty() {
                    return Some(Self {
                        archive: Some(archive),
                        parts,
                        left: budget,
                    });
                }
                "no entries".to_owned()
            }
            Err(error) => error.to_string(),
        };
        let parts = from_start(bytes, budget);
        if parts.is_empty() {
            return None;
        }
        draft.partly();
        draft.defect(
            DefectCode::DocStructure,
            format!(
                "the package has no usable directory ({why}); read from its start, {} parts",
                parts.len()
            ),
        );
        Some(Self {
            archive: None,
            parts,
            left: budget,
        })
    }

    /// Position of the part with this name; case does not matter (ECMA-376 part 2, 6.2.2.3).
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.parts.iter().position(|part| part.name == name);
        exact.or_else(|| self.parts.iter().position(|part| part.name.eq_ignore_ascii_case(name)))
    }

    /// The unpacked bytes of a part; what could be read of it when it is damaged, and a defect.
    pub(super) fn read(&mut self, at: usize, draft: &mut Draft<'_>) -> Vec<u8> {
        let Some(part) = self.parts.get(at) else {
            return Vec::new();
        };
        let index = match &part.place {
            Place::Held(bytes) => return bytes.clone(),
            Place::Indexed(index) => *index,
        };
        let limit = self.left.min(MAX_PART_BYTES);
        let Some(archive) = &mut self.archive else {
            return Vec::new();
        };
        let name = part.name.clone();
        let mut out = Vec::new();
        let outcome = match archive.by_index(index) {
            Ok(entry) => entry
                .take(limit)
                .read_to_end(&mut out)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let read = out.len() as u64;
        self.left -= read.min(self.left);
        if let Err(why) = outcome {
            draft.partly();
            draft.defect(DefectCode::DocStructure, format!("{name}: {why}"));
        } else if read == limit && limit > 0 && self.parts[at].stated_bytes != read || limit == 0 {
            draft.partly();
            draft.defect(DefectCode::DocLimit, format!("{name} was cut at its limit"));
        }
        out
    }

    /// Hands a part to the taker of members under `path`.
    pub(super) fn member(&mut self, at: usize, path: &str, draft: &mut Draft<'_>) -> bool {
        let Some(part) = self.parts.get(at) else {
            return true;
        };
        let index = match &part.place {
            Place::Held(bytes) => return draft.member(path.as_bytes(), &mut bytes.as_slice()),
            Place::Indexed(index) => *index,
        };
        let Some(archive) = &mut self.archive else {
            return true;
        };
        match archive.by_index(index) {
            Ok(mut entry) => draft.member(path.as_bytes(), &mut entry),
            Err(error) => {
                draft.defect(DefectCode::DocStructure, format!("{path}: {error}"));
                true
            }
        }
    }
}

/// Parts as they follow one another, up to the first that cannot be read.
fn from_start(bytes: &[u8], budget: u64) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut left = budget.min(512 << 20);
    let mut rest = bytes;
    while parts.len() < MAX_PARTS {
        let Ok(Some(mut entry)) = read_zipfile_from_stream(&mut rest) else {
            break;
        };
        let name = String::from_utf8_lossy(entry.name_raw()).replace('\\', "/");
        let mut content = Vec::new();
        let whole = entry.by_ref().take(left).read_to_end(&mut content).is_ok();
        left -= (content.len() as u64).min(left);
        drop(entry);
        if !name.ends_with('/') && !name.is_empty() {
            parts.push(Part {
                name,
                stated_bytes: content.len() as u64,
                place: Place::Held(content),
            });
        }
        if !whole || left == 0 {
            break;
        }
    }
    parts
}
