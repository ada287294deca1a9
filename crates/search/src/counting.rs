//! Facets of a set of items: which sets, columns and dates are counted for each.
//!
//! Not for: finding the items. Main function: [`Searcher::facets`].

use std::sync::Arc;

use embley_index::{CountBy, ItemBits, Node};
use embley_model::defect::DefectCode;
use embley_model::field::Field;
use roaring::RoaringBitmap;

use crate::error::SearchError;
use crate::facet::{self, Facet, FacetCounts, FacetHome, FacetSets};
use crate::family::Level;
use crate::fold::Folded;
use crate::searcher::Searcher;

impl Searcher {
    /// Counts a set of items by facets, in the order asked for; at most `limit` values of each are listed, all are counted.
    ///
    /// At the level of families the items are top-level items. Sets, kinds and defects count for every family with a member that has
    /// them; addresses, domains, languages and dates are those of the top-level item.
    ///
    /// # Errors
    /// When index or catalogue cannot be read.
    pub fn facets(
        &self,
        wanted: &[Facet],
        items: &RoaringBitmap,
        level: Level,
        limit: Option<usize>,
    ) -> Result<Vec<FacetCounts>, SearchError> {
        // Columns are counted together, on several threads; dates are read once for years, months and days.
        let columns: Vec<CountBy> = wanted.iter().filter_map(|facet| column(*facet)).collect();
        let mut columns = self.snapshot().count_by(&columns, items, limit)?.into_iter();
        let mut dates: Option<Vec<i64>> = None;
        let mut all = Vec::with_capacity(wanted.len());
        for facet in wanted {
            let counts = match facet.home() {
                FacetHome::Column(_) => facet::of_column(*facet, columns.next().unwrap_or_default()),
                FacetHome::Period(period) => {
                    let dates = match &mut dates {
                        Some(dates) => dates,
                        none => none.insert(self.snapshot().dates_of(items)?),
                    };
                    facet::of_dates((*facet, period), dates, self.zone(), items.len(), limit)
                }
                FacetHome::Named(_) | FacetHome::Defects | FacetHome::Hidden => {
                    facet::count(*facet, self.facet_sets(*facet, level)?.as_ref(), items, limit)
                }
            };
            all.push(counts);
        }
        Ok(all)
    }

    /// The same of hits in which equal families are one: sets, kinds and defects count for each that stands for a hit with them; addresses,
    /// domains, languages and dates are those of the one shown.
    ///
    /// # Errors
    /// As [`Searcher::facets`].
    pub(crate) fn facets_folded(
        &self,
        wanted: &[Facet],
        folded: &Folded,
        level: Level,
        limit: Option<usize>,
    ) -> Result<Vec<FacetCounts>, SearchError> {
        let mut all = self.facets(wanted, &folded.shown, level, limit)?;
        for counts in &mut all {
            match counts.facet.home() {
                FacetHome::Column(_) | FacetHome::Period(_) => {}
                FacetHome::Named(_) | FacetHome::Defects | FacetHome::Hidden => {
                    let sets = self.facet_sets(counts.facet, level)?;
                    let shown = sets
                        .iter()
                        .map(|(name, items)| (name.clone(), Arc::new(folded.shown_for(items))));
                    *counts = facet::count(counts.facet, &shown.collect(), &folded.shown, limit);
                }
            }
        }
        Ok(all)
    }

    fn facet_sets(&self, facet: Facet, level: Level) -> Result<Arc<FacetSets>, SearchError> {
        if let Some(known) = self.facets.borrow().get(&(facet, level)) {
            return Ok(Arc::clone(known));
        }
        if level == Level::Family {
            let (of_items, families) = (self.facet_sets(facet, Level::Item)?, self.families()?);
            let roots = |items: &RoaringBitmap| families.roots_of(&ItemBits::from_bitmap(items)).to_bitmap();
            let sets = of_items
                .iter()
                .map(|(name, items)| (name.clone(), Arc::new(roots(items))));
            let sets: Arc<FacetSets> = Arc::new(sets.collect());
            self.facets.borrow_mut().insert((facet, level), Arc::clone(&sets));
            return Ok(sets);
        }
        let sets: FacetSets = match facet.home() {
            FacetHome::Named(field) => {
                let named = self.named(field)?;
                named
                    .iter()
                    .map(|set| (set.name.clone(), Arc::clone(&set.items)))
                    .collect()
            }
            FacetHome::Defects => self.defects()?,
            FacetHome::Hidden => {
                let hidden = self.hidden_items()?;
                hidden
                    .iter()
                    .map(|(reason, items)| ((*reason).to_owned(), Arc::clone(items)))
                    .collect()
            }
            FacetHome::Column(_) | FacetHome::Period(_) => Vec::new(),
        };
        let sets = Arc::new(sets);
        self.facets.borrow_mut().insert((facet, level), Arc::clone(&sets));
        Ok(sets)
    }

    fn defects(&self) -> Result<FacetSets, SearchError> {
        let mut sets = Vec::new();
        for code in DefectCode::ALL {
            let items = self.bitmap(&Node::Keyword {
                field: Field::Defect,
                value: code.text().to_owned(),
            })?;
            if !items.is_empty() {
                sets.push((code.text().to_owned(), Arc::new(items)));
            }
        }
        Ok(sets)
    }
}

fn column(facet: Facet) -> Option<CountBy> {
    match facet.home() {
        FacetHome::Column(by) => Some(by),
        _ => None,
    }
}
