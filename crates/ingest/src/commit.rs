//! Checkpoints: pack synced, then one catalogue transaction; and, more rarely, the index.
//!
//! Units arrive in ticket order. Invariant: a catalogue commit covers whole units, and only those whose originals are on the
//! disk; an index commit names a ticket that the catalogue has committed.

use std::sync::Mutex;

use embley_index::{FinishedSegment, IndexStore};
use embley_model::event::{Event, Stage};
use embley_model::id::{RunNo, Ticket};
use embley_store::catalogue::{CatalogueWriter, Checkpoint, NextIds};
use embley_store::packs::PackPosition;

use crate::error::IngestError;
use crate::number::Numberer;
use crate::order::lock;
use crate::request::IngestOptions;
use crate::rows::RowedUnit;

/// See the module.
pub(crate) struct Committer<'a> {
    options: &'a IngestOptions,
    writer: &'a mut CatalogueWriter,
    run: RunNo,
    /// The last unit appended.
    reached: Option<(Ticket, NextIds, PackPosition)>,
    /// Rows appended and not committed.
    pending_bytes: u64,
    last_micros: i64,
    committed: Option<Ticket>,
}

impl<'a> Committer<'a> {
    pub(crate) fn new(options: &'a IngestOptions, writer: &'a mut CatalogueWriter, run: RunNo) -> Self {
        let last_micros = options.clock.now_micros();
        Self {
            options,
            writer,
            run,
            reached: None,
            pending_bytes: 0,
            last_micros,
            committed: None,
        }
    }

    /// Takes the next unit in order, and makes a checkpoint when one is due.
    ///
    /// # Errors
    /// When pack or catalogue cannot be written; nothing since the last checkpoint counts then.
    pub(crate) fn take(&mut self, unit: RowedUnit, numberer: &Mutex<Numberer>) -> Result<(), IngestError> {
        self.writer.append(unit.batch);
        self.reached = Some((Ticket(unit.ticket), unit.next, unit.pack));
        self.pending_bytes += unit.bytes;
        let due = self.pending_bytes >= self.options.checkpoint_bytes
            || self.options.clock.now_micros() - self.last_micros >= self.options.checkpoint_micros;
        if due { self.checkpoint(numberer) } else { Ok(()) }
    }

    /// Makes everything taken so far durable.
    ///
    /// # Errors
    /// As [`Committer::take`].
    pub(crate) fn checkpoint(&mut self, numberer: &Mutex<Numberer>) -> Result<(), IngestError> {
        let Some((ticket, next, pack)) = self.reached else {
            return Ok(());
        };
        if self.committed == Some(ticket) {
            return Ok(());
        }
        let started = self.options.clock.monotonic_nanos();
        // Disk before this line: frames of all units up to the ticket written, maybe not yet on the medium.
        lock(numberer).pack.sync()?;
        // Disk here: the frames are durable; the catalogue does not speak of them. A stop cuts them off.
        let now = self.options.clock.now_micros();
        self.writer.commit(Checkpoint {
            ticket,
            run_no: self.run,
            pack,
            next_item: next.item,
            next_blob: next.blob,
            next_instance: next.instance,
            at_micros: now,
        })?;
        // Disk here: the catalogue is at the ticket; the index may be behind and is replayed at the next start.
        let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
        self.options.counters.add(Stage::Commit, 1, self.pending_bytes, busy);
        self.options.observer.event(&Event::Checkpoint {
            ticket: ticket.0,
            items: u64::from(next.item - 1),
        });
        self.committed = Some(ticket);
        self.pending_bytes = 0;
        self.last_micros = now;
        Ok(())
    }

    /// Makes the segments of all workers visible. They hold exactly the items up to the last unit taken.
    ///
    /// # Errors
    /// As [`Committer::take`]; and when the index cannot be written: the catalogue is ahead then, and the next start replays.
    pub(crate) fn commit_index(
        &mut self,
        index: &mut IndexStore,
        segments: Vec<FinishedSegment>,
        numberer: &Mutex<Numberer>,
    ) -> Result<(), IngestError> {
        self.checkpoint(numberer)?;
        let Some((ticket, _, _)) = self.reached else {
            return Ok(());
        };
        if index.committed_ticket() == Some(ticket) {
            return Ok(());
        }
        let started = self.options.clock.monotonic_nanos();
        index.commit(segments, ticket)?;
        let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
        self.options.counters.add(Stage::Commit, 0, 0, busy);
        self.options.observer.event(&Event::IndexCommit { ticket: ticket.0 });
        Ok(())
    }
}
