//! What could not be searched: the items that an answer might miss, counted by reason and listed.
//!
//! An item whose text is hidden counts when everything else that the query asks for (dates, sets, kinds) lets it in; at the level of
//! families, when those let its family in, and then the family counts once with each reason that a member has. Main type:
//! [`NotSearchable`]. Invariant: what is counted and what is listed come from the same sets.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use embley_index::{ItemBits, Node};
use roaring::RoaringBitmap;

use crate::error::SearchError;
use crate::family::{Families, Level};
use crate::plan::Plan;
use crate::searcher::Searcher;

/// Items of one reason, the reason being a word of [`embley_model::item::Searchability`].
pub(crate) type ByReason = Vec<(&'static str, Arc<RoaringBitmap>)>;

/// What is kept of it as long as a searcher lives.
#[derive(Default)]
pub(crate) struct Hidden {
    items: OnceLock<Arc<ByReason>>,
    roots: OnceLock<Arc<Vec<(&'static str, ItemBits)>>>,
}

/// The items in the scope of a query that could not be searched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NotSearchable {
    /// What is listed: the items, or at the level of families their top-level items.
    pub hits: RoaringBitmap,
    /// The items themselves, by reason; no item has two.
    pub by_reason: Vec<(&'static str, RoaringBitmap)>,
}

/// The same as numbers.
pub(crate) struct Counted {
    pub(crate) by_reason: BTreeMap<&'static str, u64>,
    pub(crate) total: u64,
}

impl Searcher {
    /// The items in the scope of a plan that could not be searched.
    ///
    /// # Errors
    /// When index or catalogue cannot be read.
    pub fn not_searchable(&self, plan: &Plan) -> Result<NotSearchable, SearchError> {
        let hidden = self.hidden_items()?;
        let among = |items: Option<RoaringBitmap>| -> Vec<(&'static str, RoaringBitmap)> {
            let all = hidden.iter().map(|(reason, of)| match &items {
                Some(items) => (*reason, items & of.as_ref()),
                None => (*reason, of.as_ref().clone()),
            });
            all.filter(|(_, items)| !items.is_empty()).collect()
        };
        let scope = self.in_scope(plan)?;
        match plan.level {
            Level::Item => {
                let by_reason = among(scope);
                let hits = by_reason
                    .iter()
                    .fold(RoaringBitmap::new(), |all, (_, items)| all | items);
                Ok(NotSearchable { hits, by_reason })
            }
            Level::Family => {
                let mut roots = self.any_hidden_root()?;
                if let Some(scope) = &scope {
                    roots.and(&ItemBits::from_bitmap(scope));
                }
                let members = self.families()?.members_of(&roots);
                Ok(NotSearchable {
                    hits: roots.to_bitmap(),
                    by_reason: among(Some(members.to_bitmap())),
                })
            }
        }
    }

    /// How many there are; with a plan that lets everything in, without looking at any.
    pub(crate) fn count_not_searchable(&self, plan: &Plan) -> Result<Counted, SearchError> {
        let scope = self.in_scope(plan)?;
        let mut by_reason = BTreeMap::new();
        let mut note = |reason, count| {
            if count > 0 {
                by_reason.insert(reason, count);
            }
        };
        let total = match plan.level {
            Level::Item => {
                let mut total = 0;
                for (reason, of) in self.hidden_items()?.iter() {
                    let count = scope.as_ref().map_or(of.len(), |items| items.intersection_len(of));
                    note(*reason, count);
                    total += count;
                }
                total
            }
            Level::Family => {
                let scope = scope.as_ref().map(ItemBits::from_bitmap);
                let counted = |of: &ItemBits| {
                    scope
                        .as_ref()
                        .map_or_else(|| of.len(), |items| items.intersection_len(of))
                };
                for (reason, of) in self.hidden_roots()?.iter() {
                    note(*reason, counted(of));
                }
                counted(&self.any_hidden_root()?)
            }
        };
        Ok(Counted { by_reason, total })
    }

    /// What the scope of a plan lets in of the items that are hidden, or of the top-level items of their families; `None` for all.
    fn in_scope(&self, plan: &Plan) -> Result<Option<RoaringBitmap>, SearchError> {
        match (&plan.scope, plan.level) {
            (Node::All, _) => Ok(None),
            (Node::Nothing, _) => Ok(Some(RoaringBitmap::new())),
            (Node::Items(items), Level::Item) => Ok(Some(items.as_ref().clone())),
            (node, Level::Item) => {
                let hidden = self.hidden_items()?;
                let all = hidden
                    .iter()
                    .fold(RoaringBitmap::new(), |all, (_, of)| all | of.as_ref());
                let within = Node::And(vec![Node::Items(Arc::new(all)), node.clone()]);
                Ok(Some(self.bitmap(&within)?))
            }
            (node, Level::Family) => {
                let within = self.any_hidden_root()?;
                Ok(Some(self.families_matching(node, Some(&within))?.to_bitmap()))
            }
        }
    }

    /// Items whose text could not be searched, by reason.
    pub(crate) fn hidden_items(&self) -> Result<Arc<ByReason>, SearchError> {
        if let Some(known) = self.hidden.items.get() {
            return Ok(Arc::clone(known));
        }
        let read = self
            .sets()
            .hidden()
            .map_err(|source| SearchError::catalogue("read what is not searchable", source))?;
        let read: ByReason = read
            .into_iter()
            .map(|(reason, items)| (reason.word(), Arc::new(items)))
            .collect();
        Ok(Arc::clone(self.hidden.items.get_or_init(|| Arc::new(read))))
    }

    fn hidden_roots(&self) -> Result<Arc<Vec<(&'static str, ItemBits)>>, SearchError> {
        if let Some(known) = self.hidden.roots.get() {
            return Ok(Arc::clone(known));
        }
        let (items, families) = (self.hidden_items()?, self.families()?);
        let roots = |of: &RoaringBitmap, families: &Families| families.roots_of(&ItemBits::from_bitmap(of));
        let roots = items.iter().map(|(reason, of)| (*reason, roots(of, &families)));
        let roots = Arc::new(roots.collect());
        Ok(Arc::clone(self.hidden.roots.get_or_init(|| roots)))
    }

    fn any_hidden_root(&self) -> Result<ItemBits, SearchError> {
        let mut any = ItemBits::default();
        self.hidden_roots()?.iter().for_each(|(_, of)| any.or(of));
        Ok(any)
    }
}
