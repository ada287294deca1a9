//! Saved searches at work: running one against the case as it is, and all of them after an ingest.
//!
//! After an ingest every saved search says which hits it has that the last run by a person had not; what is new stays new until
//! somebody runs it. Not for: keeping them (`embley_store::facts::saved`). Main types: [`CheckSaved`], [`Checked`]. Invariant: a search that
//! cannot run any more is named with the reason and stops nothing.

use embley_ingest::{FinishStep, IngestError};
use embley_model::id::{ItemNo, RunNo, Ticket};
use embley_search::{Level, Searcher};
use embley_store::Case;
use embley_store::catalogue::Sight;
use embley_store::facts::Stamp;
use embley_store::facts::saved::{self, Ran, SavedSearch};
use roaring::RoaringBitmap;
use serde::Deserialize;

use crate::error::{CaseworkError, Result};
use crate::texts::StoredTexts;

/// What a saved search has to say after an ingest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// New and gone hits, or why it could not run.
    pub outcome: std::result::Result<News, String>,
}

/// Hits against the last run by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// Hits that it had not.
    pub new: u64,
    /// Its hits that are none any more.
    pub gone: u64,
    /// Hits that the last ingest brought: items that it made.
    pub brought: u64,
    /// False when no person ran it yet, so that all hits are new.
    pub was_run: bool,
}

impl Checked {
    /// The outcome in words.
    pub fn sentence(&self) -> String {
        match &self.outcome {
            Err(why) => format!("\"{}\" could not run: {why}", self.name),
            Ok(news) => {
                let gone = match news.gone {
                    0 => String::new(),
                    gone => format!(", {gone} gone"),
                };
                if news.was_run {
                    format!("\"{}\" {} new hits since it was run{gone}", self.name, news.new)
                } else {
                    format!(
                        "\"{}\" {} new hits of {} (not run yet)",
                        self.name, news.brought, news.new
                    )
                }
            }
        }
    }
}

/// How a saved search is counted, as it is kept; what is not there is as usual.
#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    level: Level,
}

/// The items (at the level of families, the top-level items) that a saved search finds.
fn hits(case: &Case, searcher: &Searcher, saved: &SavedSearch) -> std::result::Result<RoaringBitmap, String> {
    let options: Options = serde_json::from_str(&saved.options).map_err(|error| format!("its options: {error}"))?;
    let texts = StoredTexts::new(case);
    let plan = searcher.plan_with_texts(&saved.query, &texts);
    plan.and_then(|plan| searcher.items(&plan.at(options.level)))
        .map_err(|error| error.to_string())
}

/// The finish step that runs all saved searches.
#[derive(Clone, Debug)]
pub struct CheckSaved {
    /// Who ingests.
    pub actor: String,
    /// Now, microseconds since 1970.
    pub at_micros: i64,
}

impl CheckSaved {
    /// Runs every saved search that is in use and puts the results on record, in the order of their names.
    ///
    /// # Errors
    /// The catalogue or the index cannot be read, or the record cannot be written.
    pub fn check(&self, case: &Case) -> Result<Vec<Checked>> {
        let facts = case.facts()?;
        let all = saved::list(facts.connection())?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        // The results are read by all.
        let searcher = Searcher::open_as(case, Sight::Released).map_err(|source| CaseworkError::Saved {
            source: Box::new(source),
        })?;
        let last_run = case.reader()?.runs()?.into_iter().map(|run| run.run_no).max();
        let ran = Ran {
            stamp: Stamp {
                actor: &self.actor,
                at_micros: self.at_micros,
            },
            ingest_run: Some(last_run.unwrap_or(RunNo(0))),
            ticket: searcher.snapshot().ticket().unwrap_or(Ticket(0)),
        };
        let hidden = searcher.reader().hidden().items();
        let mut checked = Vec::with_capacity(all.len());
        for one in &all {
            let outcome = match hits(case, &searcher, one) {
                Ok(found) => {
                    let mut news = self.news(facts.connection(), one, (&found, hidden), ran)?;
                    news.brought = brought(&searcher, &found, last_run)?;
                    Ok(news)
                }
                Err(why) => Err(why),
            };
            checked.push(Checked {
                name: one.name.clone(),
                outcome,
            });
        }
        Ok(checked)
    }

    /// Once for a run and a state of the index: a step that is run again says the same and records nothing.
    fn news(
        &self,
        conn: &embley_store::facts::Connection,
        one: &SavedSearch,
        (found, hidden): (&RoaringBitmap, &RoaringBitmap),
        ran: Ran<'_>,
    ) -> Result<News> {
        let newest = saved::newest(conn, one)?;
        let is_recorded = newest.is_some_and(|row| row.ingest_run == ran.ingest_run && row.ticket == ran.ticket);
        let delta = if is_recorded {
            saved::compare(conn, one, found, hidden)?
        } else {
            saved::record(conn, one, found, hidden, ran)?
        };
        Ok(News {
            new: delta.new.len(),
            gone: delta.gone.len(),
            brought: 0,
            was_run: delta.before.is_some(),
        })
    }
}

/// How many of the hits are items that a run made: they have the highest numbers.
fn brought(searcher: &Searcher, found: &RoaringBitmap, run: Option<RunNo>) -> Result<u64> {
    let mut count = 0;
    for item in found.iter().rev() {
        let brief = searcher.reader().brief(ItemNo(item))?;
        if brief.map(|brief| brief.run_no) != run {
            break;
        }
        count += 1;
    }
    Ok(count)
}

impl FinishStep for CheckSaved {
    fn name(&self) -> &'static str {
        "saved searches"
    }

    fn run(&self, case: &Case) -> std::result::Result<String, IngestError> {
        let checked = self.check(case).map_err(CaseworkError::into_ingest)?;
        let sentences: Vec<String> = checked.iter().map(Checked::sentence).collect();
        Ok(sentences.join("; "))
    }
}
