//! Screening: the terms of privilege run over the case, their hits, copies and families into quarantine; and release.
//!
//! A copy is an item with the same bytes as one that a term hits: under another file name, or found with somebody else, the term may pass it
//! by, and it says the same. Bytes that counsel released are no reason to take a copy. Members of the family of a hit have copies that stay in
//! sight: what is quarantined for its company only (a signature's picture) would else take every message with it.
//!
//! [`Screen`] is a finish step of every ingest, before all others, so that links, saved searches and totals that others read are made of
//! what was screened. New material is held back by the catalogue itself until then (`store::facts::quarantine`), so a run that was
//! stopped, or a term that cannot run, leaves it held back and never open. Not for: who may do it (the store refuses), what is kept from
//! whom (`store::catalogue::sight`). Main functions: [`screen`], [`release`]. Invariant: every term runs over everything; nothing that
//! was released comes back.

use embley_ingest::{FinishStep, IngestError};
use embley_model::id::RunNo;
use embley_search::{SearchError, Searcher};
use embley_store::Case;
use embley_store::catalogue::{CatalogueReader, RunState, Sight};
use embley_store::facts::quarantine::{self, State, UpTo};
use embley_store::facts::{FactsError, Stamp};
use roaring::RoaringBitmap;

use crate::error::{CaseworkError, Result};
use crate::texts::StoredTexts;

/// How often a change is tried again when another one came between.
const ATTEMPTS: u32 = 5;

/// What screening did; for privilege reviewers only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screened {
    /// Terms that ran.
    pub terms: u64,
    /// Items that they hit.
    pub hits: u64,
    /// Items that they did not hit and that have the same bytes as one that they did.
    pub copies: u64,
    /// Items, with those of their families, that were not in quarantine before.
    pub added: u64,
    /// Items in quarantine now.
    pub held: u64,
    /// Hits that counsel released before and that stay released.
    pub released_before: u64,
    /// Terms that could not run, each with the reason. While there is one, new material stays held back.
    pub failed: Vec<(String, String)>,
}

/// What a release did; for privilege reviewers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// Items that were in quarantine and are not any more.
    pub released: u64,
    /// Items asked for that were not in quarantine.
    pub not_held: u64,
    /// Released items that stay out of sight: a member of their family, or something that lies in them, is in quarantine still.
    pub still_hidden: u64,
    /// Items in quarantine that have the same bytes as one that was released.
    pub copies_held: u64,
    /// Items in quarantine now.
    pub held: u64,
}

/// Up to where the case goes now, for the first term: what is in it stays as it is until somebody screens.
///
/// # Errors
/// The catalogue cannot be read.
pub fn up_to_now(case: &Case) -> Result<UpTo> {
    let reader = case.reader_as(Sight::Whole)?;
    Ok(reader.up_to(|run| run.state != RunState::Running)?)
}

/// Runs all terms over the whole case and puts what they hit into quarantine. `None` when there never was a term. With `alone`, the caller
/// holds the case lock, and a run that is under way is its own.
///
/// # Errors
/// Index or catalogue cannot be read; nothing is changed then, and what was held back stays so.
pub fn screen(case: &Case, alone: bool, reason: &str, stamp: Stamp<'_>) -> Result<Option<Screened>> {
    let facts = case.facts()?;
    let conn = facts.connection();
    for attempt in 1.. {
        let Some(state) = quarantine::state(conn)? else {
            return Ok(None);
        };
        let searcher = Searcher::open_as(case, Sight::Whole).map_err(failed)?;
        let mut done = Screened::default();
        let hits = run_terms(case, &searcher, &quarantine::terms(conn)?, &mut done)?;
        let copies = copies(searcher.reader(), &hits, &state.released)?;
        let with_families = searcher.with_families(&(&hits | &copies)).map_err(failed)?;
        // A term that did not run may have hit anything that is new.
        let up_to = match done.failed.is_empty() {
            true => reached(case, &searcher, alone)?,
            false => UpTo {
                ticket: state.ticket,
                run_no: state.run_no,
            },
        };
        let next = closed(&searcher, state.screened(&with_families, up_to))?;
        done.hits = hits.len();
        done.copies = copies.len();
        done.held = next.held.len();
        done.released_before = with_families.intersection_len(&state.released);
        match quarantine::put_screened(conn, &next, reason, stamp) {
            Ok(added) => {
                done.added = added;
                return Ok(Some(done));
            }
            Err(FactsError::ChangedMeanwhile { .. }) if attempt < ATTEMPTS => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(None)
}

/// Puts on record that counsel released these items.
///
/// # Errors
/// The actor may not, nobody is named, or catalogue or index cannot be read; nothing is changed then.
pub fn release(case: &Case, items: &RoaringBitmap, counsel: &str, reason: &str, stamp: Stamp<'_>) -> Result<Released> {
    let facts = case.facts()?;
    let conn = facts.connection();
    let mut attempt = 1;
    loop {
        let state = quarantine::state(conn)?.unwrap_or_else(|| State {
            last_event: 0,
            ticket: embley_model::id::Ticket(0),
            run_no: RunNo(0),
            held: RoaringBitmap::new(),
            released: RoaringBitmap::new(),
            closed: RoaringBitmap::new(),
        });
        let searcher = Searcher::open_as(case, Sight::Whole).map_err(failed)?;
        let next = closed(&searcher, state.released(items))?;
        let copies_held = searcher.reader().with_same_bytes(&(items & &state.held))?;
        let copies_held = copies_held.intersection_len(&next.held);
        match quarantine::put_released(conn, &next, counsel, reason, stamp) {
            Ok(released) => {
                return Ok(Released {
                    released,
                    not_held: items.len() - released,
                    copies_held,
                    still_hidden: (items & &state.held).intersection_len(&next.closed),
                    held: next.held.len(),
                });
            }
            Err(FactsError::ChangedMeanwhile { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(other) => return Err(other.into()),
        }
    }
}

fn failed(source: SearchError) -> CaseworkError {
    CaseworkError::Screening {
        source: Box::new(source),
    }
}

fn run_terms(
    case: &Case,
    searcher: &Searcher,
    terms: &[quarantine::Term],
    done: &mut Screened,
) -> Result<RoaringBitmap> {
    let texts = StoredTexts::new(case);
    let mut hits = RoaringBitmap::new();
    for term in terms {
        match searcher.plan_with_texts(&term.query, &texts) {
            Ok(plan) => {
                hits |= searcher.items(&plan).map_err(failed)?;
                done.terms += 1;
            }
            Err(SearchError::Syntax(fault)) => done.failed.push((term.query.clone(), fault.to_string())),
            Err(other) => return Err(failed(other)),
        }
    }
    Ok(hits)
}

/// What has the same bytes as a hit, unless counsel released an item with these bytes.
fn copies(reader: &CatalogueReader, hits: &RoaringBitmap, released: &RoaringBitmap) -> Result<RoaringBitmap> {
    let copies = reader.with_same_bytes(hits)? - hits;
    if copies.is_empty() || released.is_empty() {
        return Ok(copies);
    }
    Ok(copies - reader.with_same_bytes(released)?)
}

/// The state with what has to be kept from sight for what it holds.
fn closed(searcher: &Searcher, mut state: State) -> Result<State> {
    state.closed = searcher.reader().closure(&state.held)?;
    Ok(state)
}

/// Up to where the searcher saw everything. Records keep their numbers when they are imported again, so a run counts only when the index
/// holds all of it.
fn reached(case: &Case, searcher: &Searcher, alone: bool) -> Result<UpTo> {
    let seen = searcher.reader().checkpoint();
    let behind = case.reader_as(Sight::Whole)?.checkpoint().ticket > seen.ticket;
    let over = |run: &embley_store::catalogue::RunRow| {
        (alone || run.state != RunState::Running) && !(behind && run.run_no >= seen.run_no)
    };
    Ok(searcher.reader().up_to(over)?)
}

/// The finish step that screens what an ingest brought, before anybody else can see it.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Who ingests.
    pub actor: String,
    /// Now, microseconds since 1970.
    pub at_micros: i64,
}

impl FinishStep for Screen {
    fn name(&self) -> &'static str {
        "screening"
    }

    /// The record of a run is read by all, so no number stands in the sentence.
    fn run(&self, case: &Case) -> std::result::Result<String, IngestError> {
        let stamp = Stamp {
            actor: &self.actor,
            at_micros: self.at_micros,
        };
        let done = screen(case, true, "after an ingest", stamp).map_err(CaseworkError::into_ingest)?;
        Ok(match done {
            None => String::new(),
            Some(done) if done.failed.is_empty() => "new material was screened by the terms of privilege".to_owned(),
            Some(_) => "a term of privilege could not run: new material is held back until a privilege reviewer runs \
                        `embley privilege screen`"
                .to_owned(),
        })
    }
}
