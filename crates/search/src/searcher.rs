//! The executor: runs plans against one pinned state of index and catalogue.
//!
//! Main type: [`Searcher`]. Invariant: index and catalogue are seen at the same ticket for as long as a searcher lives.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use embley_index::{IndexError, ItemBits, Node, Order, Snapshot, Want};
use embley_model::clock::{Clock, SystemClock};
use embley_model::field::Field;
use embley_model::id::Ticket;
use embley_store::catalogue::{CatalogueReader, Sight};
use embley_store::facts::member::FactSets;
use embley_store::{Case, StoreError};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

use crate::answer::{Answer, Found, Scope, SearchOptions, Sort, Summary};
use crate::case_sets::{CaseSets, NamedSet};
use crate::error::SearchError;
use crate::exact::{ExactForms, StoredForms};
use crate::facet::{Facet, FacetSets};
use crate::family::{Families, Level};
use crate::fold::{Folded, Folds};
use crate::hit::ItemText;
use crate::near_date::NearDate;
use crate::not_searchable::Hidden;
use crate::plan::{DEFAULT_ZONE, Plan, PlanContext, prepare};

/// The catalogue's look-up index from items to instances.
const INSTANCE_LOOKUP: &str = "instance_by_item";
/// Pages up to this end are found by keeping only the best; longer ones by ordering everything.
const TOP_LIMIT: usize = 10_000;

/// Answers queries about one case at one moment. Can be sent to another thread, not shared: make one a thread.
pub struct Searcher {
    snapshot: Arc<Snapshot>,
    sets: CaseSets,
    zone: TimeZone,
    now: i64,
    not_indexed: u64,
    facts: RefCell<Option<Arc<FactSets>>>,
    pub(crate) facets: RefCell<HashMap<(Facet, Level), Arc<FacetSets>>>,
    pub(crate) hidden: Hidden,
    pub(crate) families: OnceLock<Arc<Families>>,
    folds: OnceLock<Arc<Folds>>,
    instance_counts: OnceLock<Arc<Vec<u32>>>,
    has_instance_lookup: OnceLock<bool>,
}

/// Keeps from a snapshot what a reader does not see.
fn hide(snapshot: &mut Arc<Snapshot>, reader: &CatalogueReader) -> Result<(), SearchError> {
    let items = reader.hidden().items();
    if snapshot.hides(items) {
        return Ok(());
    }
    let Some(own) = Arc::get_mut(snapshot) else {
        let source = StoreError::Internal {
            detail: "a state of the index is shared by searchers that do not see the same".to_owned(),
        };
        return Err(SearchError::catalogue("keep from sight what is in quarantine", source));
    };
    Ok(own.hide(items)?)
}

impl Searcher {
    /// Opens the newest state of a case that both index and catalogue hold, with the sight of the case. A case into which nothing was taken
    /// has no index, and nothing is found in it.
    ///
    /// # Errors
    /// When index or catalogue cannot be read, or do not belong together.
    pub fn open(case: &Case) -> Result<Self, SearchError> {
        Self::open_as(case, case.sight())
    }

    /// The same with another sight, for work whose result others will read.
    ///
    /// # Errors
    /// As [`Searcher::open`].
    pub fn open_as(case: &Case, sight: Sight) -> Result<Self, SearchError> {
        // The index first: whatever it holds, a catalogue read later holds too, or keeps from sight.
        let snapshot = Snapshot::open(&case.index_dir());
        let reader = case
            .reader_as(sight)
            .map_err(|source| SearchError::catalogue("open it", source))?;
        let snapshot = match snapshot {
            // A new case is whole without an index; one that ever held an item is not.
            Err(IndexError::Missing { .. }) if reader.checkpoint().next_item <= 1 => Snapshot::nothing(),
            opened => opened?,
        };
        let zone = TimeZone::get(&case.config().zone).or_else(|_| TimeZone::get(DEFAULT_ZONE));
        Self::new(Arc::new(snapshot), reader, zone.unwrap_or(TimeZone::UTC))
    }

    /// Joins a commit of the index and a view of the catalogue that is not older. What the reader does not see, the snapshot hides.
    ///
    /// # Errors
    /// When they do not belong together; when somebody else holds the snapshot who sees more or less of the case.
    pub fn new(mut snapshot: Arc<Snapshot>, mut reader: CatalogueReader, zone: TimeZone) -> Result<Self, SearchError> {
        hide(&mut snapshot, &reader)?;
        let all = reader.counts().items;
        let ticket = snapshot.ticket().unwrap_or(Ticket(0));
        reader
            .limit_to(ticket)
            .map_err(|source| SearchError::catalogue("pin it to the index's state", source))?;
        Ok(Self {
            not_indexed: all - reader.counts().items,
            snapshot,
            sets: CaseSets::new(reader),
            zone,
            now: SystemClock::new().now_micros().div_euclid(1_000_000),
            facts: RefCell::default(),
            facets: RefCell::default(),
            hidden: Hidden::default(),
            families: OnceLock::new(),
            folds: OnceLock::new(),
            instance_counts: OnceLock::new(),
            has_instance_lookup: OnceLock::new(),
        })
    }

    /// Sees exhibits, tags and records as they are now. Evidence stays as it was.
    ///
    /// # Errors
    /// When the catalogue cannot be read; the searcher is then not good for anything.
    pub fn refresh_facts(&mut self) -> Result<(), SearchError> {
        let ticket = self.snapshot.ticket().unwrap_or(Ticket(0));
        self.sets
            .refresh(ticket)
            .map_err(|source| SearchError::catalogue("read it anew", source))?;
        self.facets.borrow_mut().clear();
        if !self.snapshot.hides(self.sets.reader().hidden().items()) {
            hide(&mut self.snapshot, self.sets.reader())?;
            self.hidden = Hidden::default();
            self.families = OnceLock::new();
            self.folds = OnceLock::new();
            self.instance_counts = OnceLock::new();
            // Sets are told apart by their versions, which do not change with what is hidden of them.
            *self.facts.borrow_mut() = None;
        }
        let held = self.facts.borrow_mut().take();
        if let Some(held) = held {
            // Sets whose version did not change are kept.
            let mut facts = Arc::try_unwrap(held).unwrap_or_default();
            facts
                .refresh(self.sets.reader().facts())
                .map_err(|source| SearchError::catalogue("read its facts", source))?;
            *self.facts.borrow_mut() = Some(Arc::new(facts));
        }
        Ok(())
    }

    /// The commit of the index.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn shared_snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// Items of the case that the index does not hold yet.
    pub(crate) fn not_indexed(&self) -> u64 {
        self.not_indexed
    }

    /// The catalogue, pinned to the index's state.
    pub fn reader(&self) -> &CatalogueReader {
        self.sets.reader()
    }

    /// The sets of the case.
    pub fn sets(&self) -> &CaseSets {
        &self.sets
    }

    /// The zone in which days begin.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Counts relative dates from this moment instead of when the searcher was made; seconds UTC.
    pub fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// A date or a range as `date:` reads it, for an order of hits by nearness to it. Relative dates are counted from the searcher's present.
    ///
    /// # Errors
    /// [`SearchError::Syntax`] when it cannot be read, has an open end, or lies outside of the calendar.
    pub fn near_date(&self, text: &str) -> Result<NearDate, SearchError> {
        Ok(NearDate::read(text, self.now, &self.zone)?)
    }

    /// The plan in words, with the words that its patterns stand for in this case.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn explain(&self, plan: &Plan) -> Result<String, SearchError> {
        const SHOWN: usize = 20;
        let mut text = plan.explain();
        let patterns = plan.patterns();
        if !patterns.is_empty() {
            text.push_str("\npatterns\n");
        }
        for (fields, pattern) in patterns {
            let words = self.snapshot.words(&fields, &pattern)?;
            let mut shown: Vec<&str> = words.iter().take(SHOWN).map(String::as_str).collect();
            if words.len() > SHOWN {
                shown.push("...");
            }
            text.push_str(&format!(
                "  {pattern}: {} in this case: {}\n",
                words.len(),
                shown.join(" ")
            ));
        }
        Ok(text)
    }

    /// Plans a query against the sets of this case.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn plan(&self, query: &str) -> Result<Plan, SearchError> {
        prepare(query, &self.context(None))
    }

    /// The same for queries that may hold words with case and accents as typed (`=Word`): the texts of all items that hold the words
    /// in some form are read.
    ///
    /// # Errors
    /// As [`prepare`], and when the index or rows cannot be read.
    pub fn plan_with_texts(&self, query: &str, texts: &dyn ItemText) -> Result<Plan, SearchError> {
        let forms = StoredForms { searcher: self, texts };
        prepare(query, &self.context(Some(&forms)))
    }

    pub(crate) fn context<'a>(&'a self, exact: Option<&'a dyn ExactForms>) -> PlanContext<'a> {
        PlanContext {
            sets: &self.sets,
            zone: self.zone.clone(),
            now: self.now,
            exact,
        }
    }

    /// The items that match, for whoever works on sets (tags, exhibits, samples, exports); at the level of families, the top-level
    /// items of those that do.
    ///
    /// # Errors
    /// When index or catalogue cannot be read.
    pub fn items(&self, plan: &Plan) -> Result<RoaringBitmap, SearchError> {
        match plan.level {
            Level::Item => self.bitmap(&plan.node),
            Level::Family => Ok(self.families_matching(&plan.node, None)?.to_bitmap()),
        }
    }

    /// What the index runs for a plan: the plan itself, or the set of top-level items that was found for it.
    fn found<'p>(&self, plan: &'p Plan) -> Result<Cow<'p, Node>, SearchError> {
        match plan.level {
            Level::Item => Ok(Cow::Borrowed(&plan.node)),
            Level::Family => {
                let roots = self.families_matching(&plan.node, None)?;
                Ok(Cow::Owned(Node::Bits(Arc::new(roots))))
            }
        }
    }

    /// Runs a plan of this searcher. Counts and facets are there at once, hits when they are asked for.
    ///
    /// # Errors
    /// When index or catalogue cannot be read.
    pub fn run<'s>(&'s self, plan: &'s Plan, options: SearchOptions<'s>) -> Result<Answer<'s>, SearchError> {
        let found = self.found(plan)?;
        let folded = if options.fold {
            Some(Arc::new(self.folded(&found)?))
        } else {
            None
        };
        let node = match &folded {
            None => found,
            Some(folded) if plan.level == Level::Family => {
                Cow::Owned(Node::Bits(Arc::new(ItemBits::from_bitmap(&folded.shown))))
            }
            Some(folded) => {
                let shown = Node::Items(Arc::new(folded.shown.clone()));
                Cow::Owned(Node::And(vec![shown, found.into_owned()]))
            }
        };
        let scored = options.sort == Sort::Relevance && plan.level == Level::Family;
        let top = page_of(&options).filter(|_| !scored);
        let needs_items = options.scope != Scope::Global || !options.facets.is_empty();
        let outcome = self.snapshot.run(
            &node,
            Want {
                items: needs_items,
                top,
            },
        )?;
        let items = outcome.items.unwrap_or_default();
        let (facets, count) = match &folded {
            None => (
                self.facets(options.facets, &items, plan.level, options.facet_limit)?,
                self.counted(options.scope, outcome.count, &items)?,
            ),
            Some(folded) => (
                self.facets_folded(options.facets, folded, plan.level, options.facet_limit)?,
                self.counted_folded(options.scope, folded)?,
            ),
        };
        let not_searchable = self.count_not_searchable(plan)?;
        let summary = Summary {
            query: plan.query.clone(),
            level: plan.level,
            scope: options.scope,
            sort: options.sort,
            near_date: match options.sort {
                Sort::NearDate(date) => Some(date),
                Sort::Date | Sort::DateDescending | Sort::Relevance | Sort::Item => None,
            },
            fold: folded.is_some().then_some("email"),
            count,
            items: folded.as_ref().map_or(outcome.count, |folded| folded.items.len()),
            not_searchable: not_searchable.by_reason,
            not_searchable_total: not_searchable.total,
            not_indexed: self.not_indexed,
            facets,
            notes: plan.notes.clone(),
        };
        let page = match options.limit {
            Some(0) => Some(Vec::new()),
            _ => top.map(|_| outcome.top),
        };
        Ok(Answer::new(self, plan, options, summary, Found { node, page, folded }))
    }

    /// What was found, with equal families as one.
    fn folded(&self, found: &Node) -> Result<Folded, SearchError> {
        let folds = match self.folds.get() {
            Some(known) => Arc::clone(known),
            None => {
                let read = Folds::read(self.reader())
                    .map_err(|source| SearchError::catalogue("read the keys of its messages", source))?;
                Arc::clone(self.folds.get_or_init(|| Arc::new(read)))
            }
        };
        let items = match found {
            Node::Bits(roots) => roots.to_bitmap(),
            node => self.bitmap(node)?,
        };
        Ok(Folded::new(folds, items))
    }

    /// The number of hits as the scope counts them, equal families being one.
    fn counted_folded(&self, scope: Scope, folded: &Folded) -> Result<u64, SearchError> {
        match scope {
            Scope::Global => Ok(folded.shown.len()),
            Scope::Custodian => {
                let mut left = folded.shown.clone();
                let mut pairs = 0;
                for set in self.named(Field::Custodian)?.iter() {
                    let held = folded.shown_for(&set.items);
                    pairs += held.len();
                    left -= held;
                }
                Ok(pairs + left.len())
            }
            // Each place where one of them was found is one.
            Scope::Instance => self.counted(scope, folded.items.len(), &folded.items),
        }
    }

    /// Items in the order that is wanted, from `offset` on and at most `limit`.
    pub(crate) fn ordered(
        &self,
        plan: &Plan,
        node: &Node,
        options: &SearchOptions<'_>,
    ) -> Result<Box<dyn Iterator<Item = (u32, f32)>>, SearchError> {
        if let Some(top) = page_of(options) {
            let want = Want {
                items: false,
                top: Some(top),
            };
            if !(options.sort == Sort::Relevance && plan.level == Level::Family) {
                return Ok(Box::new(self.snapshot.run(node, want)?.top.into_iter()));
            }
        }
        let limit = options.limit.unwrap_or(usize::MAX);
        Ok(match node {
            Node::Bits(roots) if options.sort == Sort::Relevance && plan.level == Level::Family => {
                let all = self.by_best_member(plan, roots)?;
                Box::new(all.skip(options.offset).take(limit))
            }
            node => {
                let all = self.snapshot.stream(node, options.sort.order())?;
                Box::new(all.skip(options.offset).take(limit))
            }
        })
    }

    pub(crate) fn bitmap(&self, node: &Node) -> Result<RoaringBitmap, SearchError> {
        match node {
            Node::Items(items) => Ok(items.as_ref() - self.reader().hidden().items().as_ref()),
            node => Ok(self
                .snapshot
                .run(node, Want { items: true, top: None })?
                .items
                .unwrap_or_default()),
        }
    }

    /// The number of hits as the scope counts them.
    fn counted(&self, scope: Scope, count: u64, items: &RoaringBitmap) -> Result<u64, SearchError> {
        match scope {
            Scope::Global => Ok(count),
            Scope::Custodian => {
                let counts = self.facets(&[Facet::Custodian], items, Level::Item, None)?;
                let values = counts.iter().flat_map(|facet| &facet.values);
                Ok(values.map(|value| value.count).sum())
            }
            Scope::Instance => {
                let counts = self.instance_counts()?;
                let roots = self
                    .reader()
                    .roots()
                    .map_err(|source| SearchError::catalogue("read its roots", source))?;
                let mut roots = roots.iter().peekable();
                let (mut sum, mut times) = (0, 0);
                for item in items {
                    // Parts go with the last top-level item at or before them.
                    while let Some(root) = roots.next_if(|root| *root <= item) {
                        times = counts.get(root as usize).copied().map_or(0, u64::from);
                    }
                    // What was made, not found, such as a record, counts once.
                    sum += times.max(1);
                }
                Ok(sum)
            }
        }
    }

    pub(crate) fn instance_counts(&self) -> Result<Arc<Vec<u32>>, SearchError> {
        if let Some(known) = self.instance_counts.get() {
            return Ok(Arc::clone(known));
        }
        let read = self
            .sets
            .instance_counts()
            .map_err(|source| SearchError::catalogue("count instances", source))?;
        Ok(Arc::clone(self.instance_counts.get_or_init(|| Arc::new(read))))
    }

    /// True when the instances of one item are a look-up. Without it each would read the whole table.
    pub(crate) fn has_instance_lookup(&self) -> bool {
        *self.has_instance_lookup.get_or_init(|| {
            let names = self.reader().lookups();
            names.is_ok_and(|names| names.iter().any(|name| name == INSTANCE_LOOKUP))
        })
    }

    pub(crate) fn named(&self, field: Field) -> Result<Arc<Vec<NamedSet>>, SearchError> {
        self.sets.named(field).map_err(|source| SearchError::Sets {
            field: field.name(),
            source,
        })
    }

    pub(crate) fn facts(&self) -> Result<Arc<FactSets>, SearchError> {
        if let Some(known) = self.facts.borrow().as_ref() {
            return Ok(Arc::clone(known));
        }
        let read =
            FactSets::load(self.reader().facts()).map_err(|source| SearchError::catalogue("read its facts", source))?;
        let read = Arc::new(read);
        *self.facts.borrow_mut() = Some(Arc::clone(&read));
        Ok(read)
    }
}

/// A page that is found by keeping only the best.
fn page_of(options: &SearchOptions<'_>) -> Option<(Order, usize, usize)> {
    let limit = options.limit.filter(|limit| *limit > 0)?;
    (options.offset.saturating_add(limit) <= TOP_LIMIT).then_some((options.sort.order(), options.offset, limit))
}
