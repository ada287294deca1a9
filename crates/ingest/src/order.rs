//! Turns: ordered steps that take tickets one after the other, done by whichever worker arrives.
//!
//! [`Turnstile`] makes a worker wait for its turn (used for the decide step, whose predecessor is never far away).
//! [`Lane`] lets a worker leave its result and go on; whoever leaves the next one in order handles all that are due.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::error::IngestError;

/// Locks, taking a poisoned lock as it is: the thread that panicked has already stopped the run.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A counter that admits one ticket after the other.
pub(crate) struct Turnstile<T> {
    state: Mutex<TurnState<T>>,
    moved: Condvar,
}

struct TurnState<T> {
    next: u64,
    broken: bool,
    value: T,
}

impl<T> Turnstile<T> {
    pub(crate) fn new(first: u64, value: T) -> Self {
        Self {
            state: Mutex::new(TurnState {
                next: first,
                broken: false,
                value,
            }),
            moved: Condvar::new(),
        }
    }

    /// Waits until all earlier tickets have passed, then runs `step` and lets the next one pass.
    ///
    /// # Errors
    /// When another worker failed and this turn will never come.
    pub(crate) fn pass<R>(&self, ticket: u64, step: impl FnOnce(&mut T) -> R) -> Result<R, IngestError> {
        let mut state = lock(&self.state);
        while state.next != ticket {
            if state.broken {
                return Err(IngestError::internal("another worker stopped the run"));
            }
            state = self
                .moved
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        let result = step(&mut state.value);
        state.next += 1;
        self.moved.notify_all();
        Ok(result)
    }

    /// Runs `step` on the value out of turn; for values that another ordered step shares.
    pub(crate) fn with<R>(&self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut lock(&self.state).value)
    }

    /// Lets waiting workers give up.
    pub(crate) fn break_off(&self) {
        lock(&self.state).broken = true;
        self.moved.notify_all();
    }
}

/// Results that wait for their turn.
pub(crate) struct Lane<T> {
    state: Mutex<LaneState<T>>,
}

struct LaneState<T> {
    next: u64,
    waiting: BTreeMap<u64, T>,
    busy: bool,
}

impl<T> Lane<T> {
    pub(crate) fn new(first: u64) -> Self {
        Self {
            state: Mutex::new(LaneState {
                next: first,
                waiting: BTreeMap::new(),
                busy: false,
            }),
        }
    }

    /// Leaves a result. Then, unless another worker is at it, handles everything that is due, in order.
    ///
    /// # Errors
    /// What `handle` returned; the lane then stays closed.
    pub(crate) fn leave(
        &self,
        ticket: u64,
        value: T,
        mut handle: impl FnMut(T) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        lock(&self.state).waiting.insert(ticket, value);
        while let Some(value) = self.take_due() {
            handle(value)?;
            let mut state = lock(&self.state);
            state.busy = false;
            state.next += 1;
        }
        Ok(())
    }

    fn take_due(&self) -> Option<T> {
        let mut state = lock(&self.state);
        if state.busy {
            return None;
        }
        let next = state.next;
        let value = state.waiting.remove(&next)?;
        state.busy = true;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lane_handles_in_order_whatever_the_order_of_arrival() {
        let lane = Lane::new(0);
        let seen = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for ticket in (0..50_u64).rev() {
                let (lane, seen) = (&lane, &seen);
                scope.spawn(move || {
                    lane.leave(ticket, ticket, |value| {
                        lock(seen).push(value);
                        Ok(())
                    })
                });
            }
        });
        assert_eq!(*lock(&seen), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn turnstile_admits_in_order_and_gives_up_when_broken() {
        let turn = Turnstile::new(5, Vec::new());
        std::thread::scope(|scope| {
            for ticket in [7_u64, 6, 5] {
                let turn = &turn;
                scope.spawn(move || turn.pass(ticket, |seen| seen.push(ticket)));
            }
        });
        turn.with(|seen| assert_eq!(*seen, vec![5, 6, 7]));
        turn.break_off();
        assert!(turn.pass(99, |_| ()).is_err());
    }
}
