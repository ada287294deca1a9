//! What stands around a hit: the decisions before and after it, its family, the messages before and behind it in its thread.
//!
//! For a reader who has found something and asks what led to it and what followed. Decisions are those that [`crate::annotate`] puts beside the
//! item; links between messages are the kept ones with their reasons. Not for: conclusions, whole threads (`show --thread`), whole
//! timelines. Main type: [`Surroundings`]. Invariant: nothing that the reader does not see stands in it; what is not listed is counted.

use embley_model::date::rfc3339;
use embley_model::id::ItemNo;
use embley_search::Searcher;
use embley_search::hit::{Beside, CONTEXT_LIMIT, DecisionBeside, HitContext};
use embley_search::threads::StoredThreads;

use crate::annotate::NearDecision;
use crate::error::{CaseworkError, Result};

/// Where contexts are read from. Links are kept from hit to hit.
pub(crate) struct Surroundings<'a> {
    searcher: &'a Searcher,
    threads: StoredThreads,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(searcher: &'a Searcher) -> Self {
        Self {
            searcher,
            threads: StoredThreads::new(),
        }
    }

    /// The context of an item, given its decisions, the nearest first.
    pub(crate) fn of(&self, item: ItemNo, decisions: &[NearDecision]) -> Result<HitContext> {
        let reader = self.searcher.reader();
        let first = |fits: fn(i64) -> bool| {
            let found = decisions.iter().find(|one| one.days.is_some_and(fits));
            found.map(|one| self.decision(one)).transpose()
        };
        let mut context = HitContext {
            decision_before: first(|days| days >= 0)?,
            decision_after: first(|days| days < 0)?,
            ..HitContext::default()
        };
        let family = reader.family(item)?;
        let others = || family.iter().filter(|row| row.item_no != item);
        context.family = others().take(CONTEXT_LIMIT).map(Beside::from).collect();
        context.family_count = others().count() as u64;
        // A message in a message has a place of its own; any other part stands where its top-level message does.
        let root = family.first().map_or(item, |row| row.root);
        for of in [item, root] {
            if self.in_thread(of, &mut context)? {
                break;
            }
        }
        Ok(context)
    }

    /// Adds the neighbours of a message; false for what is no message.
    fn in_thread(&self, item: ItemNo, context: &mut HitContext) -> Result<bool> {
        let reader = self.searcher.reader();
        let failed = |source| CaseworkError::Threads {
            source: Box::new(source),
        };
        let rows = self.threads.thread(reader, item).map_err(failed)?;
        let Some(own) = rows.iter().find(|row| row.item == item.0) else {
            return Ok(false);
        };
        context.thread_messages = rows.len() as u64;
        context.answers_reason = Some(own.reason.word());
        if own.parent > 0 {
            context.answers = self.beside(ItemNo(own.parent))?;
        }
        let mut following: Vec<u32> = rows
            .iter()
            .filter(|row| row.parent == item.0)
            .map(|row| row.item)
            .collect();
        following.sort_unstable();
        context.answered_by_count = following.len() as u64;
        for one in following.into_iter().take(CONTEXT_LIMIT) {
            context.answered_by.extend(self.beside(ItemNo(one))?);
        }
        Ok(true)
    }

    fn beside(&self, item: ItemNo) -> Result<Option<Beside>> {
        Ok(self.searcher.reader().item(item)?.as_ref().map(Beside::from))
    }

    fn decision(&self, near: &NearDecision) -> Result<DecisionBeside> {
        let brief = self.searcher.reader().brief(near.item_no)?;
        Ok(DecisionBeside {
            link: near.link(),
            item_no: near.item_no.0,
            case: near.case_ref.clone(),
            decision_type: near.decision_type.clone(),
            date: brief.and_then(|brief| brief.date).and_then(rfc3339),
        })
    }
}
