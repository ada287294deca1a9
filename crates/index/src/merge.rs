//! Merging of segments: fewer, larger ones, with item numbers still increasing in each.
//!
//! Workers take ranges in turn, so their segments interleave item numbers and cannot just be stacked. A
//! merge is a k-way merge by the item column (the engine stacks by itself where the numbers do not overlap).
//! It is written into a sub-folder, moved beside the others, and made visible by one commit.

use std::path::Path;

use rayon::prelude::*;
use tantivy::index::{IndexSortByField, Order};
use tantivy::indexer::merge_filtered_segments;
use tantivy::{Index, IndexSettings, Segment, SegmentMeta};

use crate::error::{IndexError, Result};
use crate::files;
use crate::schema::ITEM;
use crate::writer::{IndexStore, MERGE_PREFIX, open_directory, segment_files, settings};

/// What a merge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Segments before.
    pub before: usize,
    /// Segments after.
    pub after: usize,
    /// Items that were written again.
    pub items_rewritten: u64,
}

/// Segments to be made one; a single one is left alone.
struct Group {
    items: u64,
    members: Vec<SegmentMeta>,
}

impl IndexStore {
    /// Merges until there are at most `max_segments` (at least one), the smallest first, groups in parallel on
    /// the present thread pool. The ticket stays. Pending deletions stay pending.
    ///
    /// # Errors
    /// The index is as before; unfinished files are swept at the next opening.
    pub fn merge(&mut self, max_segments: usize) -> Result<Merged> {
        let before = self.segments.len();
        let groups = group(&self.segments, max_segments.max(1));
        let rewritten = groups.iter().filter(|group| group.members.len() > 1);
        let items_rewritten = rewritten.map(|group| group.items).sum();
        if items_rewritten == 0 {
            return Ok(Merged {
                before,
                after: before,
                items_rewritten,
            });
        }
        let merged: Result<Vec<_>> = groups
            .into_par_iter()
            .enumerate()
            .map(|(number, group)| self.merge_group(number, group))
            .collect();
        // Disk here: merged segments lie beside their sources, named by no commit.
        let merged = merged?;
        self.replace_meta(merged, self.payload.clone())?;
        // Disk here: the new commit is whole; the sources are garbage that the sweep (or the next one) removes.
        self.sweep()?;
        Ok(Merged {
            before,
            after: self.segments.len(),
            items_rewritten,
        })
    }

    fn merge_group(&self, number: usize, mut group: Group) -> Result<SegmentMeta> {
        if group.members.len() == 1
            && let Some(only) = group.members.pop()
        {
            return Ok(only);
        }
        let folder = self.folder.join(format!("{MERGE_PREFIX}{number}"));
        files::remove_folder(&folder)?;
        files::make_folder(&folder)?;
        let sources: Vec<Segment> = group
            .members
            .iter()
            .map(|member| self.index.segment(member.clone()))
            .collect();
        let merged = merge_into(&folder, &sources)?;
        let only = merged
            .searchable_segment_metas()
            .map_err(|source| IndexError::engine(&folder, "read a merged segment", source))?
            .pop()
            .ok_or_else(|| IndexError::damaged(&folder, "merging gave no segment"))?;
        for file in segment_files(&only) {
            files::rename(&folder.join(&file), &self.folder.join(&file))?;
        }
        files::remove_folder(&folder)?;
        Ok(self.index.new_segment_meta(only.id(), only.max_doc()))
    }
}

fn merge_into(folder: &Path, sources: &[Segment]) -> Result<Index> {
    let sorted = IndexSettings {
        sort_by_field: Some(IndexSortByField {
            field: ITEM.to_owned(),
            order: Order::Asc,
        }),
        ..settings()
    };
    let no_filter = sources.iter().map(|_| None).collect();
    merge_filtered_segments(sources, sorted, no_filter, open_directory(folder)?)
        .map_err(|source| IndexError::engine(folder, "merge segments", source))
}

/// Joins the two smallest groups until few enough are left: little is written again, and sizes even out.
fn group(segments: &[SegmentMeta], max_segments: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = segments
        .iter()
        .map(|segment| Group {
            items: u64::from(segment.num_docs()),
            members: vec![segment.clone()],
        })
        .collect();
    while groups.len() > max_segments {
        groups.sort_by_key(|group| std::cmp::Reverse(group.items));
        if let (Some(smallest), Some(next)) = (groups.pop(), groups.last_mut()) {
            next.items += smallest.items;
            next.members.extend(smallest.members);
        }
    }
    groups
}
