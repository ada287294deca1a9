//! The pipeline: N workers that run units to completion, with two ordered steps between.
//!
//! ```text
//! feed ─► read+hash ─► decide ─► pack+parse ─► number ─► index ─► rows ─► checkpoint
//! lock    worker       turn      worker        lane      worker   worker   lane
//! ```
//! A worker takes a unit from the feed, works on it up to its place in the number lane, and leaves it there; whoever leaves the next one in
//! order numbers all that are due. Numbered units are indexed by any worker, in order, each into its own segment. There
//! are no other threads. Invariant: what comes out does not depend on the number of workers or their pace.

use std::sync::Mutex;

use embley_formats::mail::ParseLimits;
use embley_index::{FinishedSegment, IndexStore, SegmentBuilder};
use embley_model::event::Stage;
use embley_model::id::RunNo;
use embley_store::packs::FrameBuilder;

use crate::board::{Board, Job};
use crate::commit::Committer;
use crate::dedup::DedupTable;
use crate::error::IngestError;
use crate::feed::Feed;
use crate::number::{NumberedUnit, Numberer};
use crate::order::{Lane, Turnstile, lock};
use crate::prepare::Depth;
use crate::request::IngestOptions;
use crate::rows::rows;
use crate::unit::Unit;
use crate::work::{KnownHashes, Worker};

/// What a pipeline is made of.
pub(crate) struct Parts<'a> {
    pub(crate) feed: Feed<'a>,
    pub(crate) dedup: DedupTable,
    pub(crate) numberer: Numberer,
    pub(crate) committer: Committer<'a>,
    pub(crate) index: &'a mut IndexStore,
    pub(crate) known_hashes: &'a KnownHashes,
    pub(crate) keep_containers: bool,
    pub(crate) first_ticket: u64,
}

/// How large the de-duplication table became: the one thing that grows with the input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DedupSize {
    pub(crate) blobs: usize,
    pub(crate) bytes: usize,
}

/// Everything that the workers share.
pub(crate) struct Pipeline<'a> {
    options: &'a IngestOptions,
    run: RunNo,
    known_hashes: &'a KnownHashes,
    keep_containers: bool,
    feed: Mutex<Feed<'a>>,
    dedup: Turnstile<DedupTable>,
    numberer: Mutex<Numberer>,
    committer: Mutex<Committer<'a>>,
    index: Mutex<&'a mut IndexStore>,
    board: Board<NumberedUnit>,
    number_lane: Lane<crate::unit::PreparedUnit>,
    commit_lane: Lane<crate::rows::RowedUnit>,
    segments: Mutex<Vec<FinishedSegment>>,
}

impl<'a> Pipeline<'a> {
    pub(crate) fn new(options: &'a IngestOptions, run: RunNo, parts: Parts<'a>) -> Self {
        Self {
            options,
            run,
            known_hashes: parts.known_hashes,
            keep_containers: parts.keep_containers,
            feed: Mutex::new(parts.feed),
            dedup: Turnstile::new(parts.first_ticket, parts.dedup),
            numberer: Mutex::new(parts.numberer),
            committer: Mutex::new(parts.committer),
            index: Mutex::new(parts.index),
            board: Board::new(options.threads, options.flight_bytes()),
            number_lane: Lane::new(parts.first_ticket),
            commit_lane: Lane::new(parts.first_ticket),
            segments: Mutex::new(Vec::new()),
        }
    }

    /// Runs to the end of the feed, or to a stop. Everything taken is durable and indexed afterwards.
    ///
    /// # Errors
    /// The first failure of any worker. What was committed before it stands; the next run goes on from there.
    pub(crate) fn run(self) -> Result<(Feed<'a>, DedupSize), IngestError> {
        std::thread::scope(|scope| {
            let this = &self;
            let workers: Vec<_> = (1..self.options.threads)
                .map(|slot| scope.spawn(move || this.worker(slot)))
                .collect();
            self.worker(0);
            for worker in workers {
                if worker.join().is_err() {
                    self.board.fail(IngestError::internal("a worker panicked"));
                }
            }
        });
        match self.board.into_failure() {
            Some(error) => Err(error),
            None => {
                let size = self.dedup.with(|table| DedupSize {
                    blobs: table.len(),
                    bytes: table.memory_bytes(),
                });
                Ok((
                    self.feed
                        .into_inner()
                        .unwrap_or_else(std::sync::PoisonError::into_inner),
                    size,
                ))
            }
        }
    }

    /// One worker: does whatever is next until all is done. A panic stops the run.
    fn worker(&self, slot: usize) {
        let guard = StopOnPanic(self);
        if let Err(error) = self.work(slot) {
            self.board.fail(error);
            self.dedup.break_off();
        }
        std::mem::forget(guard);
    }

    fn work(&self, slot: usize) -> Result<(), IngestError> {
        let mut worker = Worker {
            options: self.options,
            depth: Depth::Whole,
            limits: ParseLimits::default(),
            frames: FrameBuilder::new()?,
            packing_nanos: 0,
            known_hashes: self.known_hashes,
            keep_containers: self.keep_containers,
            slot,
        };
        let mut builder = lock(&self.index).builder(self.options.segment_bytes());
        loop {
            match self.board.next(slot) {
                Job::Read => self.read(&mut worker)?,
                Job::Index(unit) => self.index(unit, &mut builder)?,
                Job::Flush => self.flush(slot, &mut builder)?,
                Job::End => return Ok(()),
            }
        }
    }

    fn read(&self, worker: &mut Worker<'_>) -> Result<(), IngestError> {
        // The wait for the lock is not work, and the feed takes its own time.
        let mut feed = lock(&self.feed);
        let started = self.options.clock.monotonic_nanos();
        let next = feed.next_unit();
        let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
        drop(feed);
        let unit: Unit = match next {
            Ok(Some(unit)) => {
                self.options.counters.add(Stage::Discover, 1, unit.bytes, busy);
                unit
            }
            Ok(None) => {
                self.board.feed_ended();
                return Ok(());
            }
            Err(error) => {
                self.board.feed_ended();
                return Err(error);
            }
        };
        self.board.took(unit.bytes, &self.options.counters);
        let prepared = worker.run(unit, &self.dedup)?;
        self.number_lane.leave(prepared.ticket.0, prepared, |prepared| {
            let started = self.options.clock.monotonic_nanos();
            let (entries, bytes) = (prepared.entries.len() as u64, prepared.bytes);
            let numbered = lock(&self.numberer).number(prepared, &self.dedup)?;
            let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
            self.options.counters.add(Stage::Number, entries, bytes, busy);
            self.board.numbered(numbered);
            Ok(())
        })
    }

    fn index(&self, unit: NumberedUnit, builder: &mut SegmentBuilder) -> Result<(), IngestError> {
        let started = self.options.clock.monotonic_nanos();
        let entries = unit.numbers.len() as u64;
        let (rowed, docs) = rows(unit, self.run, &self.options.counters);
        for doc in &docs {
            builder.add(doc)?;
        }
        drop(docs);
        let (ticket, bytes) = (rowed.ticket, rowed.bytes);
        let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
        self.options.counters.add(Stage::Index, entries, bytes, busy);
        let left = self
            .commit_lane
            .leave(ticket, rowed, |rowed| lock(&self.committer).take(rowed, &self.numberer));
        if builder.is_full() {
            self.board.ask_flush();
        }
        self.board.indexed(bytes, &self.options.counters);
        left
    }

    fn flush(&self, slot: usize, builder: &mut SegmentBuilder) -> Result<(), IngestError> {
        let started = self.options.clock.monotonic_nanos();
        if let Some(segment) = builder.finish()? {
            lock(&self.segments).push(segment);
        }
        let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
        self.options.counters.add(Stage::Index, 0, 0, busy);
        if self.board.finished_segment(slot) {
            let segments = std::mem::take(&mut *lock(&self.segments));
            lock(&self.committer).commit_index(&mut lock(&self.index), segments, &self.numberer)?;
            self.board.flushed();
        }
        Ok(())
    }
}

/// Wakes the other workers when one panics, so that they end too.
struct StopOnPanic<'p, 'a>(&'p Pipeline<'a>);

impl Drop for StopOnPanic<'_, '_> {
    fn drop(&mut self) {
        self.0.board.fail(IngestError::internal("a worker panicked"));
        self.0.dedup.break_off();
    }
}
