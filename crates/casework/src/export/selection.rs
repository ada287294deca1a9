//! Which items an export holds: through the searcher, without what is privileged, families whole when that was asked for.
//!
//! Main function: [`select`]. Invariants: nothing comes in that the searcher does not give to this actor; an original that holds a
//! privileged or hidden part does not come in either, so a family with one such member is left out whole, and so is an archive or mailbox in
//! which one lies; what the actor may not see is neither listed nor counted. Marks are looked up in the whole case: a copy of a marked item
//! says what that says, whether the actor may see it or not ([`Marked`]).

use std::collections::BTreeMap;

use embley_model::id::ItemNo;
use embley_search::{ItemText, Level, SearchOptions, Searcher};
use embley_store::Case;
use embley_store::catalogue::{CatalogueReader, Sight};
use embley_store::facts::{Connection, privilege, sets};
use roaring::RoaringBitmap;

use super::record::LeftOut;
use crate::error::{CaseworkError, Result};

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
pub(super) fn select(case: &Case, searcher: &Searcher, texts: &dyn ItemText, ask: &Ask<'_>) -> Result<Selection> {
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
    let marked = Marked::of(case, privileged(searcher, ask.privileged)?)?;
    let kept_back = &items & &marked.with_holders;
    if !kept_back.is_empty() {
        let own = kept_back.intersection_len(&marked.items);
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
                    "of a family with a member that is marked as possibly privileged, or an archive or mailbox in which one lies: their originals may hold it"
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

/// What somebody said of items that is true of their bytes, wherever these are.
pub(crate) struct Marked {
    /// The marked items of the whole case, with all that have the same bytes.
    pub(crate) items: RoaringBitmap,
    /// These, with everything whose original holds one of them.
    pub(crate) with_holders: RoaringBitmap,
}

impl Marked {
    /// Reads the whole case, of which only what the actor sees may be spoken of. `marks` gives the marked items.
    pub(crate) fn of(case: &Case, marks: impl FnOnce(&Connection) -> Result<RoaringBitmap>) -> Result<Self> {
        let whole = case.reader_as(Sight::Whole)?;
        let items = whole.with_same_bytes(&marks(whole.facts())?)?;
        Ok(Self {
            with_holders: whole.closure(&items)?,
            items,
        })
    }
}

/// Gives the items with a mark of privilege, save those of marks that were asked for.
pub(crate) fn privileged(
    searcher: &Searcher,
    asked: &[String],
) -> Result<impl FnOnce(&Connection) -> Result<RoaringBitmap>> {
    let facts = searcher.reader().facts();
    let wanted: Vec<i64> = asked
        .iter()
        .map(|name| Ok(privilege::find(facts, name)?.set_id))
        .collect::<Result<_>>()?;
    Ok(move |whole: &Connection| {
        // An item with two marks comes in only when both were asked for.
        let mut closed = RoaringBitmap::new();
        for mark in privilege::list(whole)?
            .iter()
            .filter(|mark| !wanted.contains(&mark.set_id))
        {
            closed |= sets::members(whole, mark.set_id)?;
        }
        Ok(closed)
    })
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
