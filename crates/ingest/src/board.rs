//! The board: what is ready, what is in flight, and what a worker should do next.
//!
//! Invariant: units are handed out for indexing in ticket order, so the item numbers inside one worker's segment increase; and when
//! the segments are flushed, no unit is handed out until all of them are finished, so an index commit holds exactly the
//! items up to its ticket.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use embley_model::event::Counters;
use std::sync::atomic::Ordering;

use crate::error::IngestError;
use crate::order::lock;

/// What to do next.
pub(crate) enum Job<N> {
    /// Add this unit to the worker's segment and leave its rows for the catalogue.
    Index(N),
    /// Take a unit from the feed.
    Read,
    /// Finish the worker's segment.
    Flush,
    /// All is done, or the run failed.
    End,
}

struct State<N> {
    ready: VecDeque<N>,
    reading_done: bool,
    /// Units taken from the feed and not yet indexed.
    open_units: u64,
    /// Workers that are between `next` and having taken a unit.
    reading: usize,
    flight_bytes: u64,
    flush: Option<Flush>,
    /// The last flush after the end of reading has been done.
    ended: bool,
    failure: Option<IngestError>,
}

struct Flush {
    /// By worker: has finished its segment in this flush.
    finished: Vec<bool>,
    /// Workers that are adding a unit right now.
    left: usize,
    last: bool,
}

/// See the module. `N` is a numbered unit.
pub(crate) struct Board<N> {
    state: Mutex<State<N>>,
    changed: Condvar,
    workers: usize,
    budget_bytes: u64,
}

impl<N> Board<N> {
    pub(crate) fn new(workers: usize, budget_bytes: u64) -> Self {
        Self {
            state: Mutex::new(State {
                ready: VecDeque::new(),
                reading_done: false,
                open_units: 0,
                reading: 0,
                flight_bytes: 0,
                flush: None,
                ended: false,
                failure: None,
            }),
            changed: Condvar::new(),
            workers,
            budget_bytes,
        }
    }

    /// Waits for something to do.
    pub(crate) fn next(&self, worker: usize) -> Job<N> {
        let mut state = lock(&self.state);
        loop {
            if state.failure.is_some() || state.ended {
                return Job::End;
            }
            if let Some(flush) = &state.flush {
                if !flush.finished[worker] {
                    return Job::Flush;
                }
            } else if let Some(unit) = state.ready.pop_front() {
                return Job::Index(unit);
            }
            let room = state.flight_bytes < self.budget_bytes || (state.open_units == 0 && state.reading == 0);
            if !state.reading_done && room {
                state.reading += 1;
                return Job::Read;
            }
            if state.reading_done && state.open_units == 0 && state.reading == 0 && state.flush.is_none() {
                self.begin_flush(&mut state, true);
                continue;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn begin_flush(&self, state: &mut State<N>, last: bool) {
        if state.flush.is_none() {
            state.flush = Some(Flush {
                finished: vec![false; self.workers],
                left: self.workers,
                last,
            });
            self.changed.notify_all();
        }
    }

    /// A unit was taken from the feed.
    pub(crate) fn took(&self, bytes: u64, counters: &Counters) {
        let mut state = lock(&self.state);
        state.reading -= 1;
        state.open_units += 1;
        state.flight_bytes += bytes;
        counters.in_flight_bytes.store(state.flight_bytes, Ordering::Relaxed);
    }

    /// The feed had nothing more.
    pub(crate) fn feed_ended(&self) {
        let mut state = lock(&self.state);
        state.reading -= 1;
        state.reading_done = true;
        self.changed.notify_all();
    }

    /// A unit has its numbers and waits to be indexed. Called in ticket order.
    pub(crate) fn numbered(&self, unit: N) {
        lock(&self.state).ready.push_back(unit);
        self.changed.notify_all();
    }

    /// A unit is in a segment and its rows are left for the catalogue.
    pub(crate) fn indexed(&self, bytes: u64, counters: &Counters) {
        let mut state = lock(&self.state);
        state.open_units -= 1;
        state.flight_bytes = state.flight_bytes.saturating_sub(bytes);
        counters.in_flight_bytes.store(state.flight_bytes, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// A worker's segment is full: all workers finish theirs.
    pub(crate) fn ask_flush(&self) {
        let mut state = lock(&self.state);
        self.begin_flush(&mut state, false);
    }

    /// A worker finished its segment. True for the last one, which then commits and calls [`Board::flushed`].
    pub(crate) fn finished_segment(&self, worker: usize) -> bool {
        let mut state = lock(&self.state);
        let Some(flush) = &mut state.flush else { return false };
        if !flush.finished[worker] {
            flush.finished[worker] = true;
            flush.left -= 1;
        }
        flush.left == 0
    }

    /// The commit after a flush is done; units are handed out again.
    pub(crate) fn flushed(&self) {
        let mut state = lock(&self.state);
        if let Some(flush) = state.flush.take() {
            state.ended |= flush.last;
        }
        self.changed.notify_all();
    }

    /// Stops everything; the first failure is kept.
    pub(crate) fn fail(&self, error: IngestError) {
        let mut state = lock(&self.state);
        if state.failure.is_none() {
            state.failure = Some(error);
        }
        self.changed.notify_all();
    }

    /// The failure, once all workers have ended.
    pub(crate) fn into_failure(self) -> Option<IngestError> {
        self.state
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .failure
    }
}
