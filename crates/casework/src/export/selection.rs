//! Which items an export holds: through the searcher, without what is privileged, families whole when that was asked for.
//!
//! Main function: [`select`]. Invariants: nothing comes in that the searcher does not give to this actor; an original that holds a
//! privileged or hidden part does not come in either, so a family with one such member is left out whole; what the actor may not see is
//! neither listed nor counted.

use std::collections::BTreeMap;

use embley_model::id::{BlobId, ItemNo};
use embley_search::{ItemText, Level, SearchOptions, Searcher};
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::{privilege, sets};
use roaring::RoaringBitmap;

use super::record::LeftOut;
use crate::error::{CaseworkError, Result};

/// The catalogue's look-up index from bytes to items.
const BLOB_LOOKUP: &str = "item_by_blob";

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) query: &'a str,
    pub(super) level: Level,
    pub(super) families: bool,
    /// Marks of privilege whose items come in, asked for by name.
    pub(super) privileged: &'a [String],
}

/// What was found.
#[derive(Debug)]
pub(super) struct Selection {
    /// The query in its canonical form.
    pub(super) query: String,
    /// What it found: items, or families at that level.
    pub(super) matched: u64,
    /// The items of the export.
    pub(super) items: RoaringBitmap,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) not_searchable: BTreeMap<String, u64>,
    pub(super) not_indexed: u64,
    pub(super) notes: Vec<String>,
}

/// Finds the items of an export.
pub(super) fn select(searcher: &Searcher, texts: &dyn ItemText, ask: &Ask<'_>) -> Result<Selection> {
    let plan = searcher.plan_with_texts(ask.query, texts).map_err(wrong)?.at(ask.level);
    let counts = SearchOptions {
        limit: Some(0),
        ..SearchOptions::default()
    };
    let answer = searcher.run(&plan, counts).map_err(wrong)?;
    let summary = answer.summary();
    let found = searcher.items(&plan).map_err(wrong)?;
    let reader = searcher.reader();
    let roots = reader.roots()?;
    let whole = |items: &RoaringBitmap| -> Result<RoaringBitmap> { Ok(reader.families(&roots_of(items, &roots))?) };
    let everything = searcher.plan("*").map_err(wrong)?;
    let visible = searcher.items(&everything).map_err(wrong)?;
    let mut hidden = RoaringBitmap::new();
    hidden.insert_range(1..reader.checkpoint().next_item);
    hidden -= &visible;
    // Before families are made whole: a family with a hidden member has no place here at all.
    let found = open_families(reader, &found, &hidden)?;
    let mut items = if ask.families { whole(&found)? } else { found };
    items &= &visible;

    let mut left_out = Vec::new();
    let privileged = privileged(searcher, ask.privileged)? & &visible;
    let privileged = open_families(reader, &with_twins(reader, &privileged)?, &hidden)?;
    let kept_back = &items & whole(&privileged)?;
    if !kept_back.is_empty() {
        let own = (&kept_back & &privileged).len();
        let others = kept_back.len() - own;
        items -= &kept_back;
        left_out.push(LeftOut {
            reason: "privileged".to_owned(),
            items: own,
            sentence: "marked as possibly privileged, or with the same bytes as such an item; a privilege reviewer can ask for a mark by its name"
                .to_owned(),
        });
        if others > 0 {
            left_out.push(LeftOut {
                reason: "family-of-privileged".to_owned(),
                items: others,
                sentence:
                    "of a family with a member that is marked as possibly privileged: their originals may hold it"
                        .to_owned(),
            });
        }
    }
    let not_searchable = summary.not_searchable.iter();
    Ok(Selection {
        query: summary.query.clone(),
        matched: summary.items,
        items,
        left_out,
        not_searchable: not_searchable
            .map(|(reason, count)| ((*reason).to_owned(), *count))
            .collect(),
        not_indexed: summary.not_indexed,
        notes: summary.notes.clone(),
    })
}

/// These items without those of a family with a hidden member. The common case, in which nothing is hidden, reads no row.
fn open_families(reader: &CatalogueReader, items: &RoaringBitmap, hidden: &RoaringBitmap) -> Result<RoaringBitmap> {
    if hidden.is_empty() {
        return Ok(items.clone());
    }
    let mut open = RoaringBitmap::new();
    for item in items {
        let Some(brief) = reader.brief(ItemNo(item))? else {
            continue;
        };
        let root = if brief.root == brief.item_no {
            Some(brief)
        } else {
            reader.brief(brief.root)?
        };
        // A top-level item that is not seen is hidden itself.
        let Some(root) = root else { continue };
        let first = root.item_no.0;
        if hidden.range_cardinality(first..first.saturating_add(root.family_size)) == 0 {
            open.insert(item);
        }
    }
    Ok(open)
}

/// The items with a mark of privilege, save those of marks that were asked for.
pub(crate) fn privileged(searcher: &Searcher, asked: &[String]) -> Result<RoaringBitmap> {
    let facts = searcher.reader().facts();
    let wanted: Vec<i64> = asked
        .iter()
        .map(|name| Ok(privilege::find(facts, name)?.set_id))
        .collect::<Result<_>>()?;
    // An item with two marks comes in only when both were asked for.
    let mut closed = RoaringBitmap::new();
    for mark in privilege::list(facts)?
        .iter()
        .filter(|mark| !wanted.contains(&mark.set_id))
    {
        closed |= sets::members(facts, mark.set_id)?;
    }
    Ok(closed)
}

/// These items and all others with the same bytes, empty ones apart: a copy says what the original says.
pub(crate) fn with_twins(reader: &CatalogueReader, items: &RoaringBitmap) -> Result<RoaringBitmap> {
    let mut all = items.clone();
    let mut blobs = RoaringBitmap::new();
    for item in items {
        let brief = reader.brief(ItemNo(item))?;
        blobs.extend(brief.filter(|brief| brief.size > 0).map(|brief| brief.blob_id.0));
    }
    if blobs.is_empty() {
        return Ok(all);
    }
    // Many, or no index to look them up in, as during an ingest: one look at every item is cheaper.
    if blobs.len() < 1_000 && reader.lookups()?.iter().any(|name| name == BLOB_LOOKUP) {
        for blob in blobs {
            all.extend(reader.items_of_blob(BlobId(blob))?.into_iter().map(|twin| twin.0));
        }
        return Ok(all);
    }
    let range = ItemNo(1)..ItemNo(reader.checkpoint().next_item);
    reader.for_each_brief::<CaseworkError>(range, |brief| {
        if blobs.contains(brief.blob_id.0) {
            all.insert(brief.item_no.0);
        }
        Ok(())
    })?;
    Ok(all)
}

/// The top-level items of the families of these items.
pub(crate) fn roots_of(items: &RoaringBitmap, roots: &RoaringBitmap) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    let mut next = roots.iter().peekable();
    let mut last = None;
    for item in items {
        while let Some(root) = next.next_if(|root| *root <= item) {
            last = Some(root);
        }
        all.extend(last);
    }
    all
}

pub(super) fn wrong(source: embley_search::SearchError) -> CaseworkError {
    CaseworkError::Export {
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_belongs_to_the_last_root_at_or_before_it() {
        let roots: RoaringBitmap = [1, 4, 5, 9].into_iter().collect();
        let items: RoaringBitmap = [2, 3, 5, 12].into_iter().collect();
        let expected: RoaringBitmap = [1, 5, 9].into_iter().collect();
        assert_eq!(roots_of(&items, &roots), expected);
    }
}
