//! What mail rules ask of the whole index, asked once for a run: which items name which case, which are marked as privileged, which hold a
//! pattern.
//!
//! Each pattern is run once, within the items that name a case; what it finds is then cut with the items of each case, so that no case
//! scans the mail of others. Not for: texts (`case_mail`). Main type: [`MailIndex`]. Invariant: what is marked as privileged, and its
//! whole family, is in nothing that is given.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use embley_model::id::ItemNo;
use embley_search::Searcher;
use embley_store::facts::Connection;
use embley_store::facts::cases;
use embley_store::facts::text_links::{Named, corrected};
use roaring::RoaringBitmap;

use super::material::CaseName;
use crate::error::{CaseworkError, Result};
use crate::links::CaseNames;
use crate::rules::Pattern;

/// See the module. It belongs to one moment of one searcher.
#[derive(Default)]
pub struct MailIndex {
    privileged: OnceCell<RoaringBitmap>,
    naming: RefCell<HashMap<String, Rc<RoaringBitmap>>>,
    linked: OnceCell<Linked>,
    patterns: RefCell<HashMap<String, Rc<RoaringBitmap>>>,
}

/// Items that name cases.
struct Linked {
    /// Any case.
    any: RoaringBitmap,
    /// More than one.
    several: RoaringBitmap,
}

impl MailIndex {
    /// Nothing is asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The items that a query finds, those kept from rules left out.
    pub(super) fn items(&self, searcher: &Searcher, query: &str) -> Result<RoaringBitmap> {
        Ok(raw(searcher, query)? - self.privileged(searcher)?)
    }

    /// Items with a mark of privilege, with their families.
    pub(super) fn privileged(&self, searcher: &Searcher) -> Result<&RoaringBitmap> {
        if let Some(held) = self.privileged.get() {
            return Ok(held);
        }
        let marked = raw(searcher, "privilege:*")?;
        let mut roots = RoaringBitmap::new();
        for item in &marked {
            let row = searcher.reader().brief(ItemNo(item))?;
            roots.insert(row.map_or(item, |row| row.root.0));
        }
        let found = marked | searcher.reader().families(&roots)?;
        Ok(self.privileged.get_or_init(|| found))
    }

    /// The items that name a case by one of its references, those kept from rules left out.
    pub(super) fn naming(&self, searcher: &Searcher, case: &CaseName) -> Result<Rc<RoaringBitmap>> {
        if let Some(held) = self.naming.borrow().get(&case.written) {
            return Ok(Rc::clone(held));
        }
        let mut found = RoaringBitmap::new();
        for reference in &case.keys {
            found |= naming(searcher, reference)?;
        }
        let found = Rc::new(found - self.privileged(searcher)?);
        let mut all = self.naming.borrow_mut();
        Ok(Rc::clone(all.entry(case.written.clone()).or_insert(found)))
    }

    /// Asks for all cases of a run at once, so that patterns are looked for in all of their items together.
    pub(super) fn begin(&self, searcher: &Searcher, cases: &[CaseName]) -> Result<()> {
        if self.linked.get().is_some() {
            return Ok(());
        }
        let (mut any, mut several) = (RoaringBitmap::new(), RoaringBitmap::new());
        for case in cases {
            let items = self.naming(searcher, case)?;
            several |= &any & items.as_ref();
            any |= items.as_ref();
        }
        self.linked.get_or_init(|| Linked { any, several });
        Ok(())
    }

    /// True for an item that names more than one case.
    pub(super) fn names_several(&self, item: ItemNo) -> bool {
        self.linked.get().is_some_and(|linked| linked.several.contains(item.0))
    }

    /// The items that hold a pattern somewhere in their text.
    pub(super) fn holding(&self, searcher: &Searcher, pattern: &Pattern) -> Result<Rc<RoaringBitmap>> {
        if let Some(held) = self.patterns.borrow().get(&pattern.id) {
            return Ok(Rc::clone(held));
        }
        let refuse = |source| CaseworkError::Search {
            case_ref: pattern.id.clone(),
            source: Box::new(source),
        };
        let mut plan = searcher.plan(&pattern.index_query()).map_err(refuse)?;
        if let Some(linked) = self.linked.get() {
            plan = plan.within(linked.any.clone());
        }
        let found = Rc::new(searcher.items(&plan).map_err(refuse)? - self.privileged(searcher)?);
        let mut all = self.patterns.borrow_mut();
        Ok(Rc::clone(all.entry(pattern.id.clone()).or_insert(found)))
    }
}

/// As last computed when that is of this very index, else asked now.
fn naming(searcher: &Searcher, reference: &str) -> Result<RoaringBitmap> {
    let facts: &Connection = searcher.reader().facts();
    match cases::names(facts, reference)? {
        Some(names) if names.ticket == searcher.ticket() => {
            // A later view of the facts may speak of items that this view of the index does not have.
            let mut items = names.items;
            items.remove_range(searcher.reader().checkpoint().next_item..);
            Ok(items)
        }
        Some(_) | None => Ok(corrected(facts, Named::Case(reference), searcher.naming(reference)?)?),
    }
}

fn raw(searcher: &Searcher, query: &str) -> Result<RoaringBitmap> {
    let found = searcher.plan(query).and_then(|plan| searcher.items(&plan));
    found.map_err(|source| CaseworkError::Search {
        case_ref: query.to_owned(),
        source: Box::new(source),
    })
}
