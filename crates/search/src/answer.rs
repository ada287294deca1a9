//! What is asked of a search besides the query, and what comes back: counts, facets, and a stream of hits.
//!
//! Main type: [`Answer`]. Invariants: counts are exact and come from the same sets as the hits; nothing is capped; every answer
//! says what could not be searched in its scope.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use embley_index::{ItemBits, Node, Order};
use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_store::catalogue::ItemRow;
use rayon::prelude::*;
use serde::Serialize;

use crate::error::SearchError;
use crate::facet::{Facet, FacetCounts};
use crate::family::members::{self, MemberDraft};
use crate::family::{Level, MEMBERS_WITH_SNIPPETS, Member};
use crate::fold::Folded;
use crate::hit::{self, Draft, Hit, HitLinks, HitMaker, ItemText, JoinedHit};
use crate::near_date::NearDate;
use crate::not_searchable::NotSearchable;
use crate::plan::Plan;
use crate::searcher::Searcher;
use crate::snippet::{Marker, Snippet, SnippetStyle};

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

impl Scope {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Custodian => "custodian",
            Self::Instance => "instance",
        }
    }
}

/// The order of hits; ties always by item number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Oldest first, undated last.
    #[default]
    Date,
    /// Newest first, undated last.
    DateDescending,
    /// Nearest to a date first, undated last; not for certificates.
    NearDate(NearDate),
    /// Best first; not for certificates.
    Relevance,
    /// By item number.
    Item,
}

impl Serialize for Sort {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
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

    /// The name in JSON and of certificates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateDescending => "-date",
            Self::NearDate(_) => "near-date",
            Self::Relevance => "relevance",
            Self::Item => "item",
        }
    }

    pub(crate) fn order(self) -> Order {
        match self {
            Self::NearDate(date) => date.order(),
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
    /// Count families that say the same as one ([`crate::Summary::fold`]), and show the one with the lowest item number.
    pub fold: bool,
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
    /// At which level AND, OR and NOT acted. Of families, every number here counts top-level items.
    pub level: Level,
    /// How equal items were counted.
    pub scope: Scope,
    /// The order of hits.
    pub sort: Sort,
    /// The date that the hits are ordered by their nearness to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_date: Option<NearDate>,
    /// `email` when families with the same family key count as one; null when they do not.
    pub fold: Option<&'static str>,
    /// Exact number of hits in the scope.
    pub count: u64,
    /// Exact number of items; where equal families count as one, of all of them.
    pub items: u64,
    /// Items that dates, sets and kinds in the query would let in, and whose text could not be searched, by reason. A family counts
    /// with each reason that one of its members has.
    pub not_searchable: BTreeMap<&'static str, u64>,
    /// How many items, or families, those are.
    pub not_searchable_total: u64,
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
    found: Found<'s>,
}

/// What the index has to say of an answer.
pub(crate) struct Found<'s> {
    /// What it runs.
    pub(crate) node: Cow<'s, Node>,
    /// The items of a short page, in order; `None` when they have to be asked for.
    pub(crate) page: Option<Vec<(u32, f32)>>,
    /// Which hits stand for others, when equal families are one.
    pub(crate) folded: Option<Arc<Folded>>,
}

impl<'s> Answer<'s> {
    pub(crate) fn new(
        searcher: &'s Searcher,
        plan: &'s Plan,
        options: SearchOptions<'s>,
        summary: Summary,
        found: Found<'s>,
    ) -> Self {
        Self {
            searcher,
            plan,
            options,
            summary,
            found,
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
        let order = match &self.found.page {
            Some(page) => Box::new(page.clone().into_iter()),
            None => self.searcher.ordered(self.plan, &self.found.node, &self.options)?,
        };
        let shown = self.shown(self.summary.items);
        let told = match (self.plan.level, self.found.node.as_ref()) {
            (Level::Item, _) => Told::Nothing,
            (Level::Family, Node::Bits(roots)) if shown >= COUNT_ALL_FROM => {
                Told::Matched(Some(self.searcher.members_matching(self.plan, roots)?))
            }
            (Level::Family, _) => Told::Matched(None),
        };
        Ok(self.listed(order, shown, told))
    }

    /// The items that [`Summary::not_searchable`] counts, as hits with their reasons and defects, in the order of hits; from `offset` on
    /// and at most `limit`. At the level of families each comes with the members that could not be searched.
    ///
    /// # Errors
    /// When index or catalogue cannot be read.
    pub fn not_searchable(&self) -> Result<Hits<'s>, SearchError> {
        let found = self.searcher.not_searchable(self.plan)?;
        let shown = self.shown(found.hits.len());
        let order: Box<dyn Iterator<Item = (u32, f32)>> = match self.options.limit {
            Some(0) => Box::new(std::iter::empty()),
            _ => {
                let items = Node::Items(Arc::new(found.hits.clone()));
                self.searcher.ordered(self.plan, &items, &self.options)?
            }
        };
        Ok(self.listed(order, shown, Told::NotSearchable(found)))
    }

    fn shown(&self, all: u64) -> u64 {
        let left = all.saturating_sub(self.options.offset as u64);
        left.min(self.options.limit.map_or(u64::MAX, |limit| limit as u64))
    }

    fn listed(&self, order: Box<dyn Iterator<Item = (u32, f32)>>, shown: u64, told: Told) -> Hits<'s> {
        Hits {
            searcher: self.searcher,
            plan: self.plan,
            options: self.options,
            order,
            folded: self.found.folded.clone(),
            counts_all: shown >= COUNT_ALL_FROM || (shown > 0 && !self.searcher.has_instance_lookup()),
            told,
            page: Vec::new().into_iter(),
            failed: false,
        }
    }
}

/// What hits are told with besides their own rows.
enum Told {
    Nothing,
    /// The members that matched, for all hits at once when there are many.
    Matched(Option<ItemBits>),
    /// What could not be searched, and why.
    NotSearchable(NotSearchable),
}

/// The hits of an answer, read page by page. Ends behind the first error.
pub struct Hits<'s> {
    searcher: &'s Searcher,
    plan: &'s Plan,
    options: SearchOptions<'s>,
    order: Box<dyn Iterator<Item = (u32, f32)>>,
    folded: Option<Arc<Folded>>,
    /// Instances of all items are counted at once.
    counts_all: bool,
    told: Told,
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
        let read = |item, score| {
            let draft = maker.draft(ItemNo(item), score);
            draft.map_err(|source| SearchError::catalogue("read a hit", source))
        };
        let mut drafts = Vec::with_capacity(page.len());
        for (item, score) in &page {
            let mut draft = read(*item, scored.then_some(*score))?;
            if let Some(folded) = &self.folded {
                let mut joined = Vec::new();
                for other in folded.others(*item) {
                    joined.push(JoinedHit::from(read(other, None)?.hit));
                }
                draft.hit.joined = Some(joined);
            }
            drafts.push(draft);
        }
        self.add_facts(&mut drafts)?;
        if let Sort::NearDate(date) = self.options.sort {
            for draft in &mut drafts {
                let secs = draft.row.date.utc_secs;
                draft.hit.near_days = Some(secs.and_then(|secs| date.days_to(secs, searcher.zone())));
            }
        }
        match &self.told {
            Told::Nothing => self.add_snippets(&mut drafts),
            Told::Matched(all) => self.add_matched(&mut drafts, all.as_ref())?,
            Told::NotSearchable(found) => self.add_reasons(&mut drafts, found)?,
        }
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
            draft.hit.privilege = member.privilege;
            draft.hit.review = member.review;
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
                draft.hit.context = links.context;
                draft.hit.thread = links.thread.or(draft.hit.thread.take());
            }
        }
        Ok(())
    }

    fn add_snippets(&self, drafts: &mut [Draft]) {
        self.snip(drafts, |draft, marked| {
            let (snippets, error) = marked.snippets(&draft.row);
            draft.hit.snippets = snippets;
            draft.hit.snippet_error = error;
        });
    }

    /// The members of each family that matched; `all` holds those of every hit.
    fn add_matched(&self, drafts: &mut [Draft], all: Option<&ItemBits>) -> Result<(), SearchError> {
        let of_page = match all {
            Some(_) => None,
            None => {
                let roots: ItemBits = drafts.iter().map(|draft| draft.row.item_no.0).collect();
                Some(self.searcher.members_matching(self.plan, &roots)?)
            }
        };
        let Some(matched) = all.or(of_page.as_ref()) else {
            return Ok(());
        };
        let mut members = self.members(drafts, |item| matched.contains(item))?;
        let mut told: Vec<&mut MemberDraft> = Vec::new();
        for family in &mut members {
            for (at, draft) in family.iter_mut().enumerate() {
                if at < MEMBERS_WITH_SNIPPETS {
                    told.push(draft);
                } else {
                    draft.member.snippets_left_out = true;
                }
            }
        }
        self.snip(&mut told, |draft, marked| {
            if let Some(row) = draft.row.take() {
                (draft.member.snippets, draft.member.snippet_error) = marked.snippets(&row);
            }
        });
        for (draft, family) in drafts.iter_mut().zip(members) {
            let members: Vec<Member> = family.into_iter().map(|one| one.member).collect();
            if let Some(own) = members.first().filter(|one| one.item_no == draft.hit.item_no) {
                draft.hit.snippets.clone_from(&own.snippets);
                draft.hit.snippet_error.clone_from(&own.snippet_error);
            }
            draft.hit.matched = Some(members);
        }
        Ok(())
    }

    /// Why each of them could not be searched, and at the level of families which members.
    fn add_reasons(&self, drafts: &mut [Draft], found: &NotSearchable) -> Result<(), SearchError> {
        if self.plan.level == Level::Item {
            for draft in drafts {
                draft.hit.reasons = vec![draft.hit.searchability];
            }
            return Ok(());
        }
        let of_any = |item: u32| found.by_reason.iter().any(|(_, items)| items.contains(item));
        let members = self.members(drafts, of_any)?;
        for (draft, family) in drafts.iter_mut().zip(members) {
            let mut listed = Vec::with_capacity(family.len());
            for one in family {
                let mut member = one.member;
                member.defects = members::defects(self.searcher.reader(), member.item_no)
                    .map_err(|source| SearchError::catalogue("read defects", source))?;
                listed.push(member);
            }
            let reasons: BTreeSet<&'static str> = listed.iter().map(|member| member.searchability).collect();
            draft.hit.reasons = reasons.into_iter().collect();
            draft.hit.not_searchable = Some(listed);
        }
        Ok(())
    }

    /// The members of each family of a page that are wanted.
    fn members(&self, drafts: &[Draft], wanted: impl Fn(u32) -> bool) -> Result<Vec<Vec<MemberDraft>>, SearchError> {
        let families = self.searcher.families()?;
        let mut all = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let root = draft.row.item_no.0;
            let mut members = Vec::new();
            for item in (root..families.end_of(root)).filter(|item| wanted(*item)) {
                let mut member = MemberDraft::read(self.searcher.reader(), &draft.hit.family, item)
                    .map_err(|source| SearchError::catalogue("read a member of a family", source))?;
                if members.len() >= MEMBERS_WITH_SNIPPETS {
                    member.row = None;
                }
                members.push(member);
            }
            all.push(members);
        }
        Ok(all)
    }

    /// Does something with texts, on as many threads as there are; a text that cannot be read costs its hit the snippets only.
    fn snip<T: Send>(&self, drafts: &mut [T], one: impl Fn(&mut T, &Marked<'_>) + Sync) {
        let Some(texts) = self.options.texts else { return };
        if self.plan.highlights.is_empty() {
            return;
        }
        let marked = Marked {
            texts,
            marker: Marker::new(&self.plan.highlights),
            style: self.options.style,
        };
        if drafts.len() > 3 && rayon::current_num_threads() > 1 {
            drafts.par_iter_mut().for_each(|draft| one(draft, &marked));
        } else {
            drafts.iter_mut().for_each(|draft| one(draft, &marked));
        }
    }
}

/// Texts and what is marked in them.
struct Marked<'a> {
    texts: &'a dyn ItemText,
    marker: Marker<'a>,
    style: SnippetStyle,
}

impl Marked<'_> {
    /// The snippets of an item, and why there are none from its text when that could not be read.
    fn snippets(&self, row: &ItemRow) -> (Vec<Snippet>, Option<String>) {
        let mut failed = None;
        let text = if self.marker.wants(hit::text_field(row.kind)) {
            self.texts.text(row.item_no)
        } else {
            Ok(String::new())
        };
        let text = text.unwrap_or_else(|error| {
            failed = Some(causes(error.as_ref()));
            String::new()
        });
        (hit::snippets(row, &text, &self.marker, self.style), failed)
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
