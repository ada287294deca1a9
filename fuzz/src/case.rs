//! The input of a case by its number.

use crate::gather::{Wanted, seeds};
use crate::mutate::mutate;
use crate::random::Random;
use crate::target::Target;

/// All cases of a target with a seed.
pub(crate) struct Cases {
    target: &'static Target,
    seeds: Vec<Vec<u8>>,
    seed: u64,
}

impl Cases {
    pub(crate) fn new(target: &'static Target, wanted: &Wanted, seed: u64) -> Self {
        Self {
            target,
            seeds: seeds(target, wanted),
            seed,
        }
    }

    /// The first are the seeds as they are.
    pub(crate) fn input(&self, number: u64) -> Vec<u8> {
        if let Some(seed) = usize::try_from(number).ok().and_then(|number| self.seeds.get(number)) {
            return seed.clone();
        }
        let mut random = Random::of(self.seed, number);
        let mut bytes = random.pick(&self.seeds).cloned().unwrap_or_default();
        let other = random.pick(&self.seeds).map(Vec::as_slice).unwrap_or_default();
        mutate(&mut bytes, other, self.target.words, self.target.max_bytes, &mut random);
        if let Some(repair) = self.target.repair.filter(|_| random.below(2) == 0) {
            repair(&mut bytes);
        }
        bytes
    }
}
