//! Random histories, and the shortest one that fails.
//!
//! A history is a list of steps, each of which does nothing where it makes no sense: so every part
//! of a history is one, too, and a history that fails can be made shorter.

use std::fmt::Debug;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The rule that was broken, if one was.
pub(super) type Outcome = Result<(), &'static str>;

/// A kind of history.
pub(super) trait History {
    type Setup: Copy + Debug;
    type Step: Copy + Debug;
    /// The calls of the core, with its answers.
    type Log: Default + Debug;

    fn setup(random: &mut Random) -> Self::Setup;

    fn step(random: &mut Random) -> Self::Step;

    /// Does all steps, and whatever goes on by itself after them.
    fn run(setup: Self::Setup, steps: &[Self::Step], log: &mut Self::Log) -> Outcome;
}

/// Runs a history for each seed, and panics with the shortest one that is like the first to fail.
pub(super) fn histories<H: History>(seeds: Range<u64>) {
    for seed in seeds {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let setup = H::setup(&mut random);
        let steps: Vec<H::Step> = (0..random.below(80)).map(|_| H::step(&mut random)).collect();
        if fails::<H>(setup, &steps).is_some() {
            let steps = shortest::<H>(setup, steps);
            let why = fails::<H>(setup, &steps).unwrap_or_default();
            panic!("{why}\nFSM_SEED={seed} FSM_HISTORIES=1, in short:\n{setup:?}\n{steps:?}");
        }
    }
}

/// Why the history fails, if it does.
fn fails<H: History>(setup: H::Setup, steps: &[H::Step]) -> Option<String> {
    let mut log = H::Log::default();
    let why = match catch_unwind(AssertUnwindSafe(|| H::run(setup, steps, &mut log))) {
        Ok(Ok(())) => return None,
        Ok(Err(why)) => why,
        Err(_) => "the core panics",
    };
    Some(format!("{why}, after:\n{log:#?}"))
}

/// Leaves out every step without which it fails all the same.
fn shortest<H: History>(setup: H::Setup, mut steps: Vec<H::Step>) -> Vec<H::Step> {
    let mut size = steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..steps.len().min(at + size));
            if fails::<H>(setup, &fewer).is_some() {
                steps = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    steps
}

/// A generator of the xorshift family; the seed names the history.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}
