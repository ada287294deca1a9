//! The rounds of a run in which things are opened: look, bring the index up, empty the containers, until nothing waits.
//!
//! Invariant: each step ends with a checkpoint, and begins anew from the catalogue, so a stop anywhere is gone on from; a container counts as
//! opened only when all its members are in the case.

use std::sync::Arc;

use embley_model::event::Stage;
use embley_model::id::SourceId;
use embley_store::catalogue::{ContainerRow, ContainerState, OpeningRow, RowBatch, TallyRow};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::attached;
use super::containers::{self, Outcome, Outcomes, WaitingContainer};
use super::documents::{self, Look, commit_step};
use super::mails;
use super::stored::StoredOpening;
use super::{MAX_DEPTH, Opener};
use crate::entrance::Entrance;
use crate::error::IngestError;
use crate::notes::FeedSummary;
use crate::order::lock;
use crate::replay;
use crate::run::{Run, exception_row};

/// What was opened in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedSums {
    /// Distinct originals looked at by their content.
    pub looked_at: u64,
    /// Documents that gave text.
    pub documents: u64,
    /// Containers that were emptied.
    pub containers: u64,
    /// Members counted by the readers of containers.
    pub members: u64,
    /// Images and documents in which characters were recognised.
    #[serde(default)]
    pub recognised: u64,
    /// Originals on which the reader failed.
    pub failed: u64,
}

impl Run<'_> {
    /// Opens what waits. False when a stop was asked for; the next start goes on.
    ///
    /// # Errors
    /// When the store fails or nothing can be opened at all.
    pub(crate) fn open_rounds(&mut self, opener: &Arc<dyn Opener>, sums: &mut OpenedSums) -> Result<bool, IngestError> {
        let (case, options) = (self.case, self.options);
        for round in 0.. {
            let started = options.clock.monotonic_nanos();
            // Once: what comes out of containers waits by itself.
            let again = match &self.request.retry {
                Some(retry) if round == 0 => retry.blobs(&case.reader()?, self.row.run_no)?,
                _ => RoaringBitmap::new(),
            };
            let how = Look::Open(&again);
            let looked = documents::look(case, &mut self.writer, self.row.run_no, options, &**opener, how)?;
            let busy = options.clock.monotonic_nanos().saturating_sub(started);
            options.counters.add(Stage::Finish, looked.blobs, 0, busy);
            sums.looked_at += looked.blobs;
            sums.documents += looked.documents;
            sums.failed += looked.failed;
            replay::catch_up(case, &mut self.index, options)?;
            if !looked.ended {
                return Ok(false);
            }
            // Where a container was found is looked up by what `begin_bulk` may have dropped.
            self.writer.build_lookups()?;
            let outcomes = Outcomes::default();
            let waiting = containers::waiting(case, self.row.run_no, opener, &outcomes)?;
            if waiting.is_empty() {
                if mails::settle(case, &mut self.writer, self.row.run_no, options)? {
                    replay::catch_up(case, &mut self.index, options)?;
                }
                return self.recognise(opener, sums);
            }
            if round >= MAX_DEPTH {
                let too_deep = waiting.iter().map(WaitingContainer::too_deep).collect();
                self.close_containers(too_deep, &FeedSummary::default(), sums)?;
                continue;
            }
            let expected = waiting.len();
            let entrances = waiting
                .into_iter()
                .map(|one| Entrance::Container(Box::new(one)))
                .collect();
            let ran = self.pipeline(entrances)?;
            let mut outcomes = std::mem::take(&mut *lock(&outcomes));
            if let Some(failure) = outcomes.iter_mut().find_map(|outcome| outcome.failure.take()) {
                return Err(failure);
            }
            if !ran.ended {
                return Ok(false);
            }
            if outcomes.len() != expected {
                return Err(IngestError::internal(format!(
                    "{expected} containers were opened, {} said what came of it",
                    outcomes.len()
                )));
            }
            outcomes.sort_by_key(|outcome| (outcome.item, outcome.places));
            self.close_containers(outcomes, &ran.summary, sums)?;
        }
        Ok(true)
    }

    /// After everything else is in and can be searched: recognises characters where that was asked for.
    fn recognise(&mut self, opener: &Arc<dyn Opener>, sums: &mut OpenedSums) -> Result<bool, IngestError> {
        if !self.request.ocr {
            return Ok(true);
        }
        let (case, options) = (self.case, self.options);
        let how = Look::Recognise;
        let looked = documents::look(case, &mut self.writer, self.row.run_no, options, &**opener, how)?;
        sums.recognised += looked.documents;
        sums.failed += looked.failed;
        replay::catch_up(case, &mut self.index, options)?;
        Ok(looked.ended)
    }

    /// Says what came of containers, of members that could not be read, and counts those among the entries.
    fn close_containers(
        &mut self,
        outcomes: Vec<Outcome>,
        summary: &FeedSummary,
        sums: &mut OpenedSums,
    ) -> Result<(), IngestError> {
        let run = self.row.run_no;
        let reader = self.case.reader()?;
        let mut rows = RowBatch::default();
        let mut last = None;
        for outcome in outcomes {
            sums.containers += 1;
            sums.members += outcome.members;
            // It holds the same wherever it was found.
            if last.replace(outcome.item) == Some(outcome.item) {
                continue;
            }
            let Some(row) = reader.item(outcome.item)? else {
                continue;
            };
            let before = match reader.opening(row.blob_id)? {
                Some(before) => StoredOpening::from_bytes(&before.data)?,
                None => StoredOpening::default(),
            };
            let said = before.opened.defects.clone();
            let is_of_the_message = before.is_known_type()
                && attached::is_mail(row.kind, &before.media_type)
                && !attached::is_about_the_attachment(&before);
            let opening = if is_of_the_message {
                // The same bytes are a message in which something was opened: that stays known.
                before
            } else {
                before.emptied(outcome.opened, outcome.members)
            };
            let name = opening.opened.reader.clone();
            rows.containers.push(ContainerRow {
                item_no: outcome.item,
                run_no: run,
                state: ContainerState::Opened,
                members: outcome.members,
                reader: name.clone(),
                places: outcome.places,
            });
            rows.openings.push(OpeningRow {
                blob_id: row.blob_id,
                run_no: run,
                reader: name,
                data: opening.to_bytes()?,
            });
            let mut defects = reader.defects(outcome.item)?;
            defects.retain(|one| !said.iter().any(|old| old.code == one.code && old.detail == one.detail));
            let (row, defects) = opening.update(row, defects);
            rows.item_updates.push(row);
            rows.defects.extend(defects);
        }
        let mut tallies = reader.tallies(run)?;
        tallies.retain(|row| row.file_id.is_none());
        for exception in &summary.exceptions {
            rows.exceptions.push(exception_row(exception, run));
            let tally = source_tally(&mut tallies, exception.source, self);
            tally.discovered += 1;
            tally.excepted += 1;
        }
        rows.tallies = tallies;
        commit_step(&mut self.writer, rows, run, self.options)
    }
}

fn source_tally<'t>(tallies: &'t mut Vec<TallyRow>, source: SourceId, run: &Run<'_>) -> &'t mut TallyRow {
    let at = tallies.iter().position(|row| row.source_id == source);
    let at = at.unwrap_or_else(|| {
        tallies.push(TallyRow::zero(run.row.run_no, source, None));
        tallies.len() - 1
    });
    &mut tallies[at]
}
