//! What was read is kept for the next reader, up to a number of bytes.
//!
//! Main type: [`Cache`]. Invariant: never holds more than its budget and one value a shard; what comes out is what went in, so that an
//! answer does not depend on what was cached.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 8;

/// Values by number, first in, first out.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    shards: [Mutex<Shard<T>>; SHARDS],
    shard_bytes: usize,
}

#[derive(Debug)]
struct Shard<T> {
    values: HashMap<u64, (Arc<T>, usize)>,
    order: VecDeque<u64>,
    bytes: usize,
}

impl<T> Cache<T> {
    /// An empty cache that keeps up to `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        let shard = || {
            Mutex::new(Shard {
                values: HashMap::new(),
                order: VecDeque::new(),
                bytes: 0,
            })
        };
        Self {
            shards: std::array::from_fn(|_| shard()),
            shard_bytes: bytes / SHARDS,
        }
    }

    fn shard(&self, key: u64) -> std::sync::MutexGuard<'_, Shard<T>> {
        let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61;
        // A poisoned shard holds whole values all the same: they are never changed.
        self.shards[mixed as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept under `key`.
    pub(crate) fn get(&self, key: u64) -> Option<Arc<T>> {
        self.shard(key).values.get(&key).map(|(value, _)| Arc::clone(value))
    }

    /// Keeps `value`, which takes some `bytes`.
    pub(crate) fn put(&self, key: u64, value: Arc<T>, bytes: usize) {
        let mut shard = self.shard(key);
        if let Some((_, old)) = shard.values.insert(key, (value, bytes)) {
            shard.bytes = shard.bytes - old + bytes;
            return;
        }
        shard.bytes += bytes;
        shard.order.push_back(key);
        while shard.bytes > self.shard_bytes && shard.order.len() > 1 {
            let Some(oldest) = shard.order.pop_front() else { break };
            if let Some((_, old)) = shard.values.remove(&oldest) {
                shard.bytes -= old;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_no_more_than_its_budget_and_gives_back_what_it_took() {
        let cache = Cache::new(8 * 1000);
        for key in 0..1000u64 {
            cache.put(key, Arc::new(key * 2), 100);
            assert_eq!(cache.get(key).as_deref(), Some(&(key * 2)));
        }
        let kept = (0..1000u64).filter(|key| cache.get(*key).is_some()).count();
        assert!((8..=80).contains(&kept), "{kept}");
    }
}
