//! The searcher at the level of families: what it runs, in which order, and who matched.

use std::sync::Arc;

use embley_index::{Hits as Ranked, ItemBits, Node, Order};
use roaring::RoaringBitmap;

use super::families::Families;
use super::run::{matching, telling};
use crate::error::SearchError;
use crate::plan::Plan;
use crate::searcher::Searcher;

impl Searcher {
    /// The families of the case.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn families(&self) -> Result<Arc<Families>, SearchError> {
        if let Some(known) = self.families.get() {
            return Ok(Arc::clone(known));
        }
        let roots = self
            .reader()
            .family_starts()
            .map_err(|source| SearchError::catalogue("read its roots", source))?;
        let read = Families::new(&roots, self.reader().checkpoint().next_item);
        let read = Arc::new(read.without(self.reader().hidden().items()));
        Ok(Arc::clone(self.families.get_or_init(|| read)))
    }

    /// These items and all members of their families.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn with_families(&self, items: &RoaringBitmap) -> Result<RoaringBitmap, SearchError> {
        let families = self.families()?;
        let roots = families.roots_of(&ItemBits::from_bitmap(items));
        Ok(families.members_of(&roots).to_bitmap())
    }

    /// The top-level items of the families for which a tree is true.
    pub(crate) fn families_matching(&self, node: &Node, within: Option<&ItemBits>) -> Result<ItemBits, SearchError> {
        Ok(matching(self.snapshot(), self.families()?.as_ref(), node, within)?)
    }

    /// The members of these families that say why their family matched.
    pub(crate) fn members_matching(&self, plan: &Plan, roots: &ItemBits) -> Result<ItemBits, SearchError> {
        let members = Node::Bits(Arc::new(self.families()?.members_of(roots)));
        Ok(self.snapshot().bits(&Node::And(vec![members, telling(&plan.node)]))?)
    }

    /// Families by the score of their best member; those of which no member has any follow by number.
    pub(crate) fn by_best_member(&self, plan: &Plan, roots: &ItemBits) -> Result<ByBestMember, SearchError> {
        let families = self.families()?;
        let members = Node::Bits(Arc::new(families.members_of(roots)));
        let telling = Node::And(vec![members, telling(&plan.node)]);
        Ok(ByBestMember {
            ranked: self.snapshot().stream(&telling, Order::Relevance)?,
            families,
            left: roots.clone(),
            rest: None,
        })
    }
}

/// See [`Searcher::by_best_member`]. Families are disjoint runs of numbers, so ties are by number as they are between items.
pub(crate) struct ByBestMember {
    ranked: Ranked,
    families: Arc<Families>,
    /// Families that did not come yet.
    left: ItemBits,
    rest: Option<std::vec::IntoIter<u32>>,
}

impl Iterator for ByBestMember {
    type Item = (u32, f32);

    fn next(&mut self) -> Option<(u32, f32)> {
        if self.rest.is_none() {
            for (item, score) in self.ranked.by_ref() {
                if let Some(root) = self.families.root_of(item).filter(|root| self.left.contains(*root)) {
                    self.left.remove(root);
                    return Some((root, score));
                }
            }
        }
        let left = &self.left;
        let rest = self
            .rest
            .get_or_insert_with(|| left.iter().collect::<Vec<_>>().into_iter());
        rest.next().map(|root| (root, 0.0))
    }
}
