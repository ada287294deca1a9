//! Randomness as a function: every stream is named by the seed, a purpose and a number.
//!
//! Not for: anything secret. Invariant: only integer arithmetic, so the same name gives the same values on every
//! machine; there is no state shared between two names, so messages can be made in any order.

/// What a stream of random values is for. Two purposes never share values.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Purpose {
    Block = 1,
    Copies,
    Form,
    Body,
    Header,
    Attachment,
    Case,
    Vocabulary,
    Needle,
    Example,
}

/// A small, fast generator (the multiply-and-fold step of wyrand) started from a well-mixed name.
pub(crate) struct Rng {
    state: u64,
}

/// The finalizer of SplitMix64: every input bit changes every output bit.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream with this name.
    pub(crate) fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        Self {
            state: mix(mix(seed.wrapping_add((purpose as u64) << 56)) ^ number),
        }
    }

    /// 64 random bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0xa076_1d64_78bd_642f);
        let wide = u128::from(self.state) * u128::from(self.state ^ 0xe703_7ed1_a0b4_28db);
        (wide >> 64) as u64 ^ wide as u64
    }

    /// A value in `0..limit`; `limit` is at least 1.
    #[inline]
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        ((u64::from((self.bits() >> 32) as u32) * u64::from(limit)) >> 32) as u32
    }

    /// A value in `0..limit` for long ranges; `limit` is at least 1.
    #[inline]
    pub(crate) fn below_wide(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// A value in `low..high`; `low < high`.
    #[inline]
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low)
    }

    /// True with the probability that [`threshold`] was given.
    #[inline]
    pub(crate) fn chance(&mut self, threshold: u64) -> bool {
        self.bits() < threshold
    }

    /// One of a non-empty list.
    #[inline]
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let limit = u32::try_from(list.len()).unwrap_or(u32::MAX);
        &list[self.below(limit) as usize]
    }
}

/// A probability as a number to compare 64 random bits with.
pub(crate) fn threshold(share: f64) -> u64 {
    // 2^64 as f64; the cast saturates, so a share of 1 is "practically always".
    (share.clamp(0.0, 1.0) * 18_446_744_073_709_551_616.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_with_other_names_differ_and_the_same_name_repeats() {
        let first: Vec<u64> = (0..4)
            .map({
                let mut rng = Rng::new(1, Purpose::Body, 7);
                move |_| rng.bits()
            })
            .collect();
        let mut again = Rng::new(1, Purpose::Body, 7);
        assert!(first.iter().all(|value| *value == again.bits()));
        assert_ne!(first[0], Rng::new(1, Purpose::Form, 7).bits());
        assert_ne!(first[0], Rng::new(2, Purpose::Body, 7).bits());
        assert_ne!(first[0], Rng::new(1, Purpose::Body, 8).bits());
    }

    #[test]
    fn shares_are_met_within_a_percent() {
        let mut rng = Rng::new(3, Purpose::Form, 0);
        let quarter = threshold(0.25);
        let hits = (0..100_000).filter(|_| rng.chance(quarter)).count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
    }
}
