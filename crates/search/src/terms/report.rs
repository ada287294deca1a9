//! Running the lines of a list and counting what they found.
//!
//! Lines are planned in order by the one searcher that sees the case's sets; [`BATCH`] of them at a time then run on all threads over
//! its pinned commit and are merged in order.

use std::collections::HashMap;
use std::sync::Arc;

use embley_index::{ItemBits, Node};
use embley_model::field::Field;
use embley_store::case::CaseConfig;
use rayon::prelude::*;
use roaring::RoaringBitmap;
use serde::Serialize;

use super::TermList;
use super::tally::Tally;
use crate::answer::Scope;
use crate::error::SearchError;
use crate::family::Level;
use crate::hit::ItemText;
use crate::plan::Plan;
use crate::runner::Runner;
use crate::searcher::Searcher;
use crate::standing::{Asked, Standing};

/// Lines run before the next are planned.
const BATCH: usize = 32;

/// What is wanted of a report.
#[derive(Clone, Copy)]
pub struct TermOptions<'a> {
    /// How equal items are counted.
    pub scope: Scope,
    /// At which level AND, OR and NOT act; of families, hits are top-level items.
    pub level: Level,
    /// Threads that run queries.
    pub threads: usize,
    /// Where texts for words with case and accents as typed come from.
    pub texts: &'a dyn ItemText,
    /// Who asks, and when.
    pub asked: Asked<'a>,
}

/// A search term report. Counts are in the scope asked for, by custodian always in items.
#[derive(Clone, Debug, Serialize)]
pub struct TermReport {
    /// Which state of the case.
    pub standing: Standing,
    /// SHA-256 of the list.
    pub list_sha256: String,
    /// How equal items were counted.
    pub scope: Scope,
    /// At which level AND, OR and NOT acted; of families, hits are top-level items.
    pub level: Level,
    /// Of all lines together.
    pub totals: TermTotals,
    /// Lines that ran, in the order of the list.
    pub terms: Vec<TermRow>,
    /// Lines that did not, in the order of the list.
    pub errors: Vec<TermFault>,
}

/// Counts of all lines together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TermTotals {
    /// What any line hits.
    pub hits: u64,
    /// The same with all members of the families.
    pub with_families: u64,
    /// Families with a hit of any line.
    pub families: u64,
    /// Lines that ran.
    pub lines: u64,
    /// Lines that ran and hit nothing.
    pub lines_without_hits: u64,
    /// Lines that could not be run.
    pub lines_with_errors: u64,
}

/// Counts of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TermRow {
    /// Line in the list.
    pub line: u64,
    /// What the list calls it.
    pub name: Option<String>,
    /// The query as typed.
    pub query: String,
    /// The query as it was run.
    pub canonical: String,
    /// Hits.
    pub hits: u64,
    /// All members of families with a hit.
    pub with_families: u64,
    /// Families with a hit.
    pub families: u64,
    /// Hits that no other line hits.
    pub unique: u64,
    /// Families that no other line hits.
    pub unique_families: u64,
    /// Items (or families) that the line's dates, sets and kinds let in and whose text could not be searched.
    pub not_searchable: u64,
    /// An earlier line that asks the same, so that nothing is unique to either.
    pub same_as_line: Option<u64>,
    /// By custodian, those with a member of a hit's family; null for items that nobody held.
    pub by_custodian: Vec<CustodianCounts>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Items of one custodian that a line hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustodianCounts {
    /// Whose; null for items that nobody held.
    pub custodian: Option<String>,
    /// Hits.
    pub hits: u64,
    /// All members of families with a hit.
    pub with_families: u64,
    /// Hits that no other line hits.
    pub unique: u64,
}

/// A line that could not be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TermFault {
    /// Line in the list.
    pub line: u64,
    /// What the list calls it.
    pub name: Option<String>,
    /// The query as typed.
    pub query: String,
    /// What is wrong.
    pub message: String,
    /// The character at which it begins, from 1, when it is in the query.
    pub column: Option<usize>,
    /// The query with a mark under the fault, when it is in the query.
    pub pointed: Option<String>,
}

/// Runs a list over what a searcher sees.
///
/// # Errors
/// When index or catalogue cannot be read. A line that cannot be read or run is in the report.
pub fn report(
    searcher: &Searcher,
    case: &CaseConfig,
    list: &TermList,
    options: TermOptions<'_>,
) -> Result<TermReport, SearchError> {
    let counter = Counter::new(searcher, options.scope)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(|source| SearchError::catalogue("start threads for its terms", source))?;
    let next_item = searcher.reader().checkpoint().next_item as usize;
    let (mut items, mut families) = (Tally::new(next_item), Tally::new(next_item));
    let (mut rows, mut faults): (Vec<TermRow>, Vec<TermFault>) = (Vec::new(), Vec::new());
    let mut first_line = HashMap::new();
    for entries in list.entries.chunks(BATCH) {
        let mut planned = Vec::with_capacity(entries.len());
        for entry in entries {
            match plan_line(searcher, entry, options.texts)? {
                Ok(plan) => planned.push((entry, plan.at(options.level))),
                Err(fault) => faults.push(fault),
            }
        }
        let counted: Vec<_> = pool.install(|| planned.par_iter().map(|(_, plan)| counter.run(plan)).collect());
        for ((entry, plan), counted) in planned.into_iter().zip(counted) {
            let Counted {
                mut row,
                hits,
                hit_families,
            } = counted?;
            let line = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            items.hit(line, hits.iter());
            families.hit(line, hit_families.iter());
            row.line = entry.line;
            row.name.clone_from(&entry.name);
            row.query.clone_from(&entry.query);
            row.same_as_line = first_line.get(&plan.query).copied();
            first_line.entry(plan.query).or_insert(entry.line);
            rows.push(row);
        }
    }
    counter.add_unique(&mut rows, &items, &families);
    Ok(TermReport {
        standing: Standing::of(searcher, case, options.asked)?,
        list_sha256: list.sha256.to_hex(),
        scope: options.scope,
        level: options.level,
        totals: counter.totals(&rows, &faults, &items, &families),
        terms: rows,
        errors: faults,
    })
}

type PlannedLine = Result<Plan, TermFault>;

/// The plan of a line, or what is wrong with it.
fn plan_line(searcher: &Searcher, entry: &super::TermEntry, texts: &dyn ItemText) -> Result<PlannedLine, SearchError> {
    let fault = |message: String, column, pointed| TermFault {
        line: entry.line,
        name: entry.name.clone(),
        query: entry.query.clone(),
        message,
        column,
        pointed,
    };
    if let Some(message) = &entry.fault {
        return Ok(Err(fault(message.clone(), None, None)));
    }
    match searcher.plan_with_texts(&entry.query, texts) {
        Ok(plan) => Ok(Ok(plan)),
        Err(SearchError::Syntax(error)) => {
            let pointed = error.render(&entry.query);
            Ok(Err(fault(error.to_string(), Some(error.column), Some(pointed))))
        }
        Err(other) => Err(other),
    }
}

/// What one line found.
struct Counted {
    row: TermRow,
    hits: ItemBits,
    /// By their top-level items.
    hit_families: ItemBits,
}

/// What counting needs to know of the case; shared by all threads.
struct Counter {
    runner: Runner,
    /// How much each item counts, by number; nothing when each counts once.
    weights: Option<Vec<u32>>,
    /// By name, null last.
    custodians: Vec<(Option<String>, Arc<RoaringBitmap>)>,
    /// What could not be searched: items, and top-level items of their families.
    hidden: ItemBits,
    hidden_families: ItemBits,
}

impl Counter {
    fn new(searcher: &Searcher, scope: Scope) -> Result<Self, SearchError> {
        let runner = searcher.runner()?;
        let next_item = searcher.reader().checkpoint().next_item;
        let mut nobodys = RoaringBitmap::from_iter(1..next_item.max(1));
        let mut custodians = Vec::new();
        for set in searcher.named(Field::Custodian)?.iter() {
            nobodys -= set.items.as_ref();
            custodians.push((Some(set.name.clone()), Arc::clone(&set.items)));
        }
        custodians.push((None, Arc::new(nobodys)));
        let mut hidden = ItemBits::default();
        for (_, items) in searcher.hidden_items()?.iter() {
            hidden.or(&ItemBits::from_bitmap(items));
        }
        Ok(Self {
            hidden_families: runner.families().roots_of(&hidden),
            hidden,
            weights: searcher.weights(scope)?,
            runner,
            custodians,
        })
    }

    fn weight(&self, items: &ItemBits) -> u64 {
        match &self.weights {
            None => items.len(),
            Some(weights) => items.iter().map(|item| weight_of(weights, item)).sum(),
        }
    }

    fn run(&self, plan: &Plan) -> Result<Counted, SearchError> {
        let hits = self.runner.found(plan)?;
        let hit_families = self.runner.families().roots_of(&hits);
        let members = self.runner.families().members_of(&hit_families);
        let (all_hits, all_members) = (hits.to_bitmap(), members.to_bitmap());
        let by_custodian = self.custodians.iter().filter_map(|(name, held)| {
            let with_families = all_members.intersection_len(held);
            (with_families > 0).then(|| CustodianCounts {
                custodian: name.clone(),
                hits: all_hits.intersection_len(held),
                with_families,
                unique: 0,
            })
        });
        let row = TermRow {
            line: 0,
            name: None,
            query: String::new(),
            canonical: plan.query.clone(),
            hits: self.weight(&hits),
            with_families: self.weight(&members),
            families: hit_families.len(),
            unique: 0,
            unique_families: 0,
            not_searchable: self.not_searchable(plan)?,
            same_as_line: None,
            by_custodian: by_custodian.collect(),
            notes: plan.notes.clone(),
        };
        Ok(Counted {
            row,
            hits,
            hit_families,
        })
    }

    fn not_searchable(&self, plan: &Plan) -> Result<u64, SearchError> {
        let hidden = match plan.level {
            Level::Item => &self.hidden,
            Level::Family => &self.hidden_families,
        };
        Ok(match &plan.scope {
            Node::All => hidden.len(),
            Node::Nothing => 0,
            scope => {
                let let_in = self.runner.matching(scope, plan.level, Some(hidden))?;
                let_in.intersection_len(hidden)
            }
        })
    }

    fn add_unique(&self, rows: &mut [TermRow], items: &Tally, families: &Tally) {
        let weight = |item| self.weights.as_ref().map_or(1, |weights| weight_of(weights, item));
        let unique_items = items.unique(rows.len(), weight);
        let unique_families = families.unique(rows.len(), |_| 1);
        for ((row, unique), families) in rows.iter_mut().zip(unique_items).zip(unique_families) {
            row.unique = unique;
            row.unique_families = families;
        }
        // Rows name custodians in the same order, those without hits left out.
        let mut next = vec![0; rows.len()];
        for (name, held) in &self.custodians {
            let mut sums = vec![0_u64; rows.len()];
            for line in held.iter().filter_map(|item| items.only(item)) {
                sums[line as usize] += 1;
            }
            for ((row, sum), next) in rows.iter_mut().zip(sums).zip(&mut next) {
                if let Some(counts) = row
                    .by_custodian
                    .get_mut(*next)
                    .filter(|counts| counts.custodian == *name)
                {
                    counts.unique = sum;
                    *next += 1;
                }
            }
        }
    }

    fn totals(&self, rows: &[TermRow], faults: &[TermFault], items: &Tally, families: &Tally) -> TermTotals {
        let hit_families = families.any();
        TermTotals {
            hits: self.weight(&items.any()),
            with_families: self.weight(&self.runner.families().members_of(&hit_families)),
            families: hit_families.len(),
            lines: rows.len() as u64,
            lines_without_hits: rows.iter().filter(|row| row.hits == 0).count() as u64,
            lines_with_errors: faults.len() as u64,
        }
    }
}

fn weight_of(weights: &[u32], item: u32) -> u64 {
    weights.get(item as usize).copied().map_or(1, u64::from)
}
