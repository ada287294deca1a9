//! The finish step that links messages to threads and groups near-duplicates: `embley_search::threads` with the texts of a case.
//!
//! Not for: the rules of links. Main type: [`LinkThreads`]. Invariant: a run that brought nothing new does not come here.

use embley_ingest::{FinishStep, IngestError};
use embley_search::ItemText;
use embley_search::threads::{ThreadSummary, renew};
use embley_store::Case;
use embley_store::catalogue::Sight;
use embley_store::facts::derived::{self, Kind};

use crate::error::{CaseworkError, Result};
use crate::texts::StoredTexts;

/// Links threads after an ingest and after the index was made again.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkThreads {
    /// Compares the texts of messages without references, so that quotations link them too. That reads originals again, which on mail without
    /// references costs as much as the ingest itself, so it is asked for; a case in which it was done once goes on doing it.
    pub compare_texts: bool,
}

impl LinkThreads {
    /// Links when the catalogue is further than the links are.
    ///
    /// # Errors
    /// The catalogue refuses; links stand as before.
    pub fn renew(self, case: &Case) -> Result<ThreadSummary> {
        self.renew_some(case, false)
    }

    /// Links again whatever there is, and compares texts again where that was done before.
    ///
    /// # Errors
    /// As [`LinkThreads::renew`].
    pub fn renew_all(case: &Case) -> Result<ThreadSummary> {
        Self::default().renew_some(case, true)
    }

    fn renew_some(self, case: &Case, all: bool) -> Result<ThreadSummary> {
        let facts = case.facts()?;
        let compared_before = derived::state(facts.connection(), Kind::Quotations)?.is_some();
        let texts = (self.compare_texts || compared_before).then(|| StoredTexts::new(case));
        let all = all || (self.compare_texts && !compared_before);
        // Links are read by all, so they are made of what all may see; whoever sees more has them made in memory.
        let reader = case.reader_as(Sight::Released)?;
        let texts = texts.as_ref().map(|texts| texts as &dyn ItemText);
        let made = renew(&reader, texts, all).map_err(|source| CaseworkError::Threads {
            source: Box::new(source),
        })?;
        drop(reader);
        for table in &made.tables {
            // Stopped here: the links are older than the catalogue, and the next start makes all tables again.
            derived::put(facts.connection(), table.kind, &table.state, &table.chunks)?;
        }
        Ok(made.summary)
    }
}

impl FinishStep for LinkThreads {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn run(&self, case: &Case) -> std::result::Result<String, IngestError> {
        let summary = self.renew(case).map_err(CaseworkError::into_ingest)?;
        Ok(summary.sentence())
    }
}
