//! What is asked of a search besides the query, and what comes back: counts, facets, and a stream of hits.
//!
//! Main type: [`Answer`]. Invariants: counts are exact and come from the same sets as the hits; nothing is capped; every answer
//! says what could not be searched in its scope.

use std::collections::BTreeMap;

use embley_index::Order;
use embley_model::field::Field;
use embley_model::id::ItemNo;
use rayon::prelude::*;
use serde::Serialize;

use crate::error::SearchError;
use crate::facet::{Facet, FacetCounts};
use crate::hit::{self, Draft, Hit, HitLinks, HitMaker, ItemText};
use crate::plan::Plan;
use crate::searcher::Searcher;
use crate::snippet::{Marker, SnippetStyle};

/// Rows read at a time.
const PAGE: usize = 32;
/// From this many hits on, instances are counted for all items at once rather than item by item.
const COUNT_ALL_FROM: u64 = 2_000;
/// How equal items found in several places are counted. A view: nothing is ingested again for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Each item once.
    #[default]
    Global,
    /// Each item once for each of its custodians; once when it has none.
    Custodian,
    /// Each item as often as the top-level item of its family was found.
    Instance,
}

/// The order of hits; ties always by item number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Sort {
    /// Oldest first, undated last.
    #[default]
    #[serde(rename = "date")]
    Date,
    /// Newest first, undated last.
    #[serde(rename = "-date")]
    DateDescending,
    /// Best first; not for certificates.
    #[serde(rename = "relevance")]
    Relevance,
    /// By item number.
    #[serde(rename = "item")]
    Item,
}

impl Sort {
    /// The order with this name: `date`, `-date`, `relevance`, `item`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "date" => Some(Self::Date),
            "-date" => Some(Self::DateDescending),
            "relevance" => Some(Self::Relevance),
            "item" => Some(Self::Item),
            _ => None,
        }
    }

    pub(crate) fn order(self) -> Order {
        match self {
            Self::Date => Order::DateAsc,
            Self::DateDescending => Order::DateDesc,
            Self::Relevance => Order::Relevance,
            Self::Item => Order::ItemNo,
        }
    }
}

/// What is wanted of an answer.
#[derive(Clone, Copy, Default)]
pub struct SearchOptions<'o> {
    /// How equal items are counted.
    pub scope: Scope,
    /// The order of hits.
    pub sort: Sort,
    /// Hits to pass over.
    pub offset: usize,
    /// Most hits; `None` for all, `Some(0)` for counts only.
    pub limit: Option<usize>,
    /// Facets to count.
    pub facets: &'o [Facet],
    /// Most values of a facet that are listed; all are counted. `None` for all.
    pub facet_limit: Option<usize>,
    /// Where texts for snippets come from; without it there are no snippets.
    pub texts: Option<&'o dyn ItemText>,
    /// How much of them to show.
    pub style: SnippetStyle,
    /// What case records say of hits.
    pub links: Option<&'o dyn HitLinks>,
}

/// Counts of an answer, as data.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The query in its canonical form.
    pub query: String,
    /// How equal items were counted.
    pub scope: Scope,
    /// The order of hits.
    pub sort: Sort,
    /// Exact number of hits in the scope.
    pub count: u64,
    /// Exact number of items.
    pub items: u64,
    /// Items that dates, sets and kinds in the query would let in, and whose text could not be searched, by reason.
    pub not_searchable: BTreeMap<&'static str, u64>,
    /// Items of the case that the index does not hold yet, because an ingest is under way or was stopped.
    pub not_indexed: u64,
    /// The facets asked for, in that order.
    pub facets: Vec<FacetCounts>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// What a plan found: counts at once, hits when they are asked for.
pub struct Answer<'s> {
    searcher: &'s Searcher,
    plan: &'s Plan,
    options: SearchOptions<'s>,
    summary: Summary,
    /// The items of a short page, in order; `None` when all of them have to be ordered.
    page: Option<Vec<(u32, f32)>>,
}

impl<'s> Answer<'s> {
    pub(crate) fn new(
        searcher: &'s Searcher,
        plan: &'s Plan,
        options: SearchOptions<'s>,
        summary: Summary,
        page: Option<Vec<(u32, f32)>>,
    ) -> Self {
        Self {
            searcher,
            plan,
            options,
            summary,
            page,
        }
    }

    /// Counts, facets, notes.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The hits in order, from `offset` on and at most `limit`. Rows and texts are read page by page as they are taken; beyond
    /// that, a list without a limit holds 16 bytes a hit (a bitmap in the order of item numbers). May be asked for again.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn hits(&self) -> Result<Hits<'s>, SearchError> {
        let (options, limit) = (self.options, self.options.limit.unwrap_or(usize::MAX));
        let order: Box<dyn Iterator<Item = (u32, f32)>> = match &self.page {
            Some(page) => Box::new(page.clone().into_iter()),
            None => {
                let all = self.searcher.snapshot().stream(&self.plan.node, options.sort.order())?;
                Box::new(all.skip(options.offset).take(limit))
            }
        };
        let shown = self.summary.items.min(limit as u64);
        let counts_all = shown >= COUNT_ALL_FROM || (shown > 0 && !self.searcher.has_instance_lookup());
        Ok(Hits {
            searcher: self.searcher,
            plan: self.plan,
            options,
            order,
            counts_all,
            page: Vec::new().into_iter(),
            failed: false,
        })
    }
}

/// The hits of an answer, read page by page. Ends behind the first error.
pub struct Hits<'s> {
    searcher: &'s Searcher,
    plan: &'s Plan,
    options: SearchOptions<'s>,
    order: Box<dyn Iterator<Item = (u32, f32)>>,
    /// Instances of all items are counted at once.
    counts_all: bool,
    page: std::vec::IntoIter<Hit>,
    failed: bool,
}

impl Iterator for Hits<'_> {
    type Item = Result<Hit, SearchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if let Some(hit) = self.page.next() {
            return Some(Ok(hit));
        }
        match self.next_page() {
            Ok(page) => {
                self.page = page.into_iter();
                self.page.next().map(Ok)
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

impl Hits<'_> {
    fn next_page(&mut self) -> Result<Vec<Hit>, SearchError> {
        let scored = self.options.sort == Sort::Relevance;
        let page: Vec<(u32, f32)> = self.order.by_ref().take(PAGE).collect();
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let searcher = self.searcher;
        let custodians = searcher.named(Field::Custodian)?;
        let counts = if self.counts_all {
            Some(searcher.instance_counts()?)
        } else {
            None
        };
        let maker = HitMaker {
            sets: searcher.sets(),
            zone: searcher.zone(),
            custodians: &custodians,
            instance_counts: counts.as_ref().map(|counts| counts.as_slice()),
        };
        let mut drafts = Vec::with_capacity(page.len());
        for (item, score) in &page {
            let draft = maker.draft(ItemNo(*item), scored.then_some(*score));
            drafts.push(draft.map_err(|source| SearchError::catalogue("read a hit", source))?);
        }
        self.add_facts(&mut drafts)?;
        self.add_snippets(&mut drafts);
        Ok(drafts.into_iter().map(|draft| draft.hit).collect())
    }

    fn add_facts(&self, drafts: &mut [Draft]) -> Result<(), SearchError> {
        let items: Vec<ItemNo> = drafts.iter().map(|draft| draft.row.item_no).collect();
        let facts = self.searcher.facts()?;
        let members = facts
            .of(self.searcher.reader().facts(), &items)
            .map_err(|source| SearchError::catalogue("read its facts", source))?;
        for (draft, member) in drafts.iter_mut().zip(members) {
            draft.hit.exhibits = member.exhibits;
            draft.hit.tags = member.tags;
            draft.hit.cases = member.cases;
        }
        let numbers: Vec<u32> = items.iter().map(|item| item.0).collect();
        for (draft, language) in drafts.iter_mut().zip(self.searcher.snapshot().languages_of(&numbers)?) {
            draft.hit.language = language;
        }
        for (draft, thread) in drafts.iter_mut().zip(self.searcher.sets().threads_of(&items)?) {
            draft.hit.thread = thread;
        }
        if let Some(links) = self.options.links {
            let links = links
                .links(&items)
                .map_err(|source| SearchError::catalogue("read links of hits", source))?;
            for (draft, links) in drafts.iter_mut().zip(links) {
                draft.hit.people = links.people;
                draft.hit.decisions = links.decisions;
                draft.hit.thread = links.thread.or(draft.hit.thread.take());
            }
        }
        Ok(())
    }

    /// Texts are read on as many threads as there are; a text that cannot be read costs its hit the snippets only.
    fn add_snippets(&self, drafts: &mut [Draft]) {
        let Some(texts) = self.options.texts else { return };
        if self.plan.highlights.is_empty() {
            return;
        }
        let marker = Marker::new(&self.plan.highlights);
        let style = self.options.style;
        let one = |draft: &mut Draft| {
            let text = if marker.wants(hit::text_field(draft.row.kind)) {
                texts.text(draft.row.item_no)
            } else {
                Ok(String::new())
            };
            let text = text.unwrap_or_else(|error| {
                draft.hit.snippet_error = Some(causes(error.as_ref()));
                String::new()
            });
            draft.hit.snippets = hit::snippets(draft, &text, &marker, style);
        };
        if drafts.len() > 3 && rayon::current_num_threads() > 1 {
            drafts.par_iter_mut().for_each(one);
        } else {
            drafts.iter_mut().for_each(one);
        }
    }
}

/// An error and what caused it, on one line.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text.push_str(": ");
        text.push_str(&one.to_string());
        cause = one.source();
    }
    text
}
