//! What a searcher sees, for work on whole sets: plans run on several threads, weights of a scope.
//!
//! Not for: planning, which needs the case's sets and so stays with the one [`Searcher`]. Main type: [`Runner`]. Invariant: everything
//! here belongs to the searcher's moment.

use std::sync::Arc;

use embley_index::{ItemBits, Node, Snapshot};
use embley_model::field::Field;

use crate::answer::Scope;
use crate::error::SearchError;
use crate::family::{Families, Level, matching};
use crate::plan::Plan;
use crate::searcher::Searcher;

/// Runs plans on any thread.
#[derive(Clone)]
pub(crate) struct Runner {
    snapshot: Arc<Snapshot>,
    families: Arc<Families>,
}

impl Runner {
    /// What a plan finds: items, or at the level of families top-level items.
    pub(crate) fn found(&self, plan: &Plan) -> Result<ItemBits, SearchError> {
        self.matching(&plan.node, plan.level, None)
    }

    /// What a tree of a plan finds; with `within`, at least what it finds there.
    pub(crate) fn matching(
        &self,
        node: &Node,
        level: Level,
        within: Option<&ItemBits>,
    ) -> Result<ItemBits, SearchError> {
        Ok(match level {
            Level::Item => self.snapshot.bits(node)?,
            Level::Family => matching(self.snapshot.as_ref(), &self.families, node, within)?,
        })
    }

    /// All families.
    pub(crate) fn families(&self) -> &Families {
        &self.families
    }
}

impl Searcher {
    pub(crate) fn runner(&self) -> Result<Runner, SearchError> {
        Ok(Runner {
            snapshot: self.shared_snapshot(),
            families: self.families()?,
        })
    }

    /// How much each item counts in a scope, by item number; nothing when each counts once.
    pub(crate) fn weights(&self, scope: Scope) -> Result<Option<Vec<u32>>, SearchError> {
        let mut weights = vec![0_u32; self.reader().checkpoint().next_item as usize];
        match scope {
            Scope::Global => return Ok(None),
            Scope::Custodian => {
                for set in self.named(Field::Custodian)?.iter() {
                    for item in set.items.iter() {
                        if let Some(weight) = weights.get_mut(item as usize) {
                            *weight += 1;
                        }
                    }
                }
            }
            Scope::Instance => {
                let (found, families) = (self.instance_counts()?, self.families()?);
                for root in families.roots().iter() {
                    let times = found.get(root as usize).copied().unwrap_or(0);
                    if let Some(family) = weights.get_mut(root as usize..families.end_of(root) as usize) {
                        family.fill(times);
                    }
                }
            }
        }
        // What nobody held, and what was made and not found, such as a record, counts once.
        weights.iter_mut().for_each(|weight| *weight = (*weight).max(1));
        Ok(Some(weights))
    }
}
