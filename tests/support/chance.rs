//! Chance that can be had again: a seed is told by every test that fails.

use std::env;
use std::io::{self, Write};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// The seed of a run, instead of another one each time.
const SEED: &str = "MIRROR_TEST_SEED";

/// Set where a run may take hours.
const LONG: &str = "MIRROR_TEST_LONG";

/// Numbers that look random and follow from the seed (`SplitMix64`).
#[derive(Debug)]
pub(crate) struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let given = env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(now.subsec_nanos()) ^ now.as_secs() << 30);
        Self { seed, state: seed }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit.max(1) as u64).expect("it is below a usize")
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Bytes that no compression makes smaller.
    pub(crate) fn noise(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.number().to_le_bytes()[3]).take(length).collect()
    }
}

impl Drop for Chance {
    fn drop(&mut self) {
        if thread::panicking() {
            let test = thread::current().name().unwrap_or("a test").to_owned();
            // Nobody to tell is no reason to fail again.
            let _ = writeln!(io::stderr(), "{SEED}={} leads {test} the same way", self.seed);
        }
    }
}

/// How many rounds a test makes: `often`, or `long` where there is time.
pub(crate) fn rounds(often: usize, long: usize) -> usize {
    if env::var_os(LONG).is_some_and(|set| set != "0") { long } else { often }
}
