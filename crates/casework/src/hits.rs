//! What case records say of search hits: the link from `search`, which knows no decisions, to [`crate::annotate`].

use std::cell::OnceCell;

use embley_model::id::ItemNo;
use embley_search::Searcher;
use embley_search::hit::{DecisionLink, HitLinks, Links};
use embley_search::plan::BoxError;
use embley_store::facts::member::FactSets;

use crate::annotate::{DatedItem, annotate};
use crate::error::Result;

/// Gives hits of one searcher their decisions. Sets are read with the first page.
pub struct CaseHits<'a> {
    searcher: &'a Searcher,
    sets: OnceCell<FactSets>,
}

impl<'a> CaseHits<'a> {
    /// For the hits of this searcher.
    pub fn new(searcher: &'a Searcher) -> Self {
        Self {
            searcher,
            sets: OnceCell::new(),
        }
    }

    fn read(&self, items: &[ItemNo]) -> Result<Vec<Links>> {
        let reader = self.searcher.reader();
        let mut dated = Vec::with_capacity(items.len());
        for item in items {
            let utc_secs = reader.brief(*item)?.and_then(|brief| brief.date);
            dated.push(DatedItem { item: *item, utc_secs });
        }
        let sets = match self.sets.get() {
            Some(sets) => sets,
            None => {
                let loaded = FactSets::load(reader.facts())?;
                self.sets.get_or_init(|| loaded)
            }
        };
        let page = annotate(reader.facts(), sets, self.searcher.zone(), &dated)?;
        Ok(page
            .into_iter()
            .map(|one| Links {
                decisions: one
                    .decisions
                    .into_iter()
                    .map(|near| DecisionLink {
                        id: near.id,
                        relation: near.relation.word().to_owned(),
                        days: near.days,
                    })
                    .collect(),
                ..Links::default()
            })
            .collect())
    }
}

impl HitLinks for CaseHits<'_> {
    fn links(&self, items: &[ItemNo]) -> std::result::Result<Vec<Links>, BoxError> {
        Ok(self.read(items)?)
    }
}
