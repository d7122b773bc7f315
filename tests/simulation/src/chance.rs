//! Chance from a seed: the same seed, the same choices on every run.

use std::sync::{Mutex, PoisonError};

use mirror_engine::outside::Entropy;

/// `SplitMix64`: small, fast, and good enough to choose by.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds begin far apart.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.bits() % end).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub(crate) fn permille(&mut self, times: u32) -> bool {
        self.bits() % 1_000 < u64::from(times)
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// The place of one of these weights, each as often as it weighs.
    pub(crate) fn weigh(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let mut left = self.bits() % total.max(1);
        for (place, weight) in weights.iter().copied().map(u64::from).enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }
}

/// The names that one machine makes: never twice in a run.
#[derive(Debug)]
pub(crate) struct SeededEntropy(Mutex<Chance>);

impl SeededEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Chance::new(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn bits(&self) -> u128 {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(chance.bits()) << 64 | u128::from(chance.bits())
    }
}
