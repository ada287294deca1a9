//! Verification: every byte of every file of the last commit against its checksum, and the crate's invariant
//! on item numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use roaring::RoaringBitmap;
use tantivy::{Index, SegmentMeta};

use crate::commit::Payload;
use crate::error::{IndexError, Result};
use crate::items::ItemMap;
use crate::schema::{IndexSchema, register};
use crate::segment::OpenSegment;
use crate::writer::{load_meta, open_index, segment_files};

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub detail: String,
}

/// Reads the whole index in `folder` and lists what is damaged; empty means that every checksum holds, item
/// numbers increase in every segment, and no item stands twice.
///
/// # Errors
/// When there is no index that this program can read at all, or the system refuses to read.
pub fn verify(folder: &Path) -> Result<Vec<Damage>> {
    let index = open_index(folder)?;
    let meta = load_meta(folder, &index)?;
    Payload::read(folder, meta.payload.as_deref())?;
    register(&index);
    let files: Vec<PathBuf> = meta.segments.iter().flat_map(segment_files).collect();
    let mut damages: Vec<Damage> = files
        .par_iter()
        .filter_map(|file| damage_of(folder, &index, file))
        .collect();
    if damages.is_empty() {
        damages.extend(check_items(folder, &index, &meta.segments)?);
    }
    damages.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(damages)
}

fn damage_of(folder: &Path, index: &Index, file: &Path) -> Option<Damage> {
    let detail = match index.directory().validate_checksum(file) {
        Ok(true) => return None,
        Ok(false) => "its checksum is wrong".to_owned(),
        Err(why) => match IndexError::engine(folder, "read", why.into()) {
            IndexError::Damaged { detail, .. } => detail,
            other => other.to_string(),
        },
    };
    Some(Damage {
        file: folder.join(file),
        detail,
    })
}

fn check_items(folder: &Path, index: &Index, segments: &[SegmentMeta]) -> Result<Vec<Damage>> {
    let schema = Arc::new(IndexSchema::new());
    let mut seen = RoaringBitmap::new();
    let mut damages = Vec::new();
    for meta in segments {
        let segment = OpenSegment::open(index, &schema, folder, meta)?;
        let file = segment.file("fast");
        let map = match ItemMap::read_all(&segment.item_column()?, segment.doc_count()) {
            Ok(map) => map,
            Err(detail) => {
                damages.push(Damage { file, detail });
                continue;
            }
        };
        let alive = segment
            .alive_docs()
            .unwrap_or_else(|| crate::bits::DocBits::full(segment.doc_count()));
        let mut twice = None;
        map.for_each_item(&alive, |item| {
            if !seen.insert(item) {
                twice = twice.or(Some(item));
            }
        });
        if let Some(item) = twice {
            let detail = format!("item {item} stands in two segments");
            damages.push(Damage { file, detail });
        }
    }
    Ok(damages)
}
