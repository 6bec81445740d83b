use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::random::Random;

/// What is known of the calls of a round, by their numbers.
pub(crate) struct Books {
    calls: Box<[Call]>,
    /// The next number.
    next: AtomicU64,
    /// Numbers from here on are not given out.
    end: AtomicU64,
    seed: u64,
    /// The highest slot that a job has had in each pool.
    pub(crate) caller_slot: AtomicU32,
    pub(crate) worker_slot: AtomicU32,
    /// What must not happen.
    wrong: std::sync::Mutex<Option<String>>,
}

#[derive(Default)]
struct Call {
    /// An `Outcome`, or 0 while there is none.
    outcome: AtomicU8,
    /// How often its job was run.
    runs: AtomicU8,
}

/// What comes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    Reply = 1,
    Full,
    Gone,
    Late,
}

/// What is special about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Waits for room.
    Waits,
    /// Takes the edge `full` if there is none.
    Sheds,
    /// Has a job that takes longer than its caller waits.
    Hurries,
    /// Has a job that panics.
    Panics,
    /// Has a job that says it blocks.
    Blocks,
    /// Has a job that blocks without a word.
    Sleeps,
}

impl Books {
    pub(crate) fn new(calls: u64, seed: u64) -> Self {
        Self {
            calls: (0..calls).map(|_| Call::default()).collect(),
            next: AtomicU64::new(0),
            end: AtomicU64::new(calls),
            seed,
            caller_slot: AtomicU32::new(0),
            worker_slot: AtomicU32::new(0),
            wrong: std::sync::Mutex::default(),
        }
    }

    /// The number of the next call, if there is to be one.
    pub(crate) fn number(&self) -> Option<u64> {
        let end = || self.end.load(Ordering::Relaxed);
        let next = |next| (next < end()).then_some(next + 1);
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }

    /// The calls until now.
    pub(crate) fn made(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// There are only so many more calls.
    pub(crate) fn stop_after(&self, calls: u64) {
        self.end.fetch_min(self.made() + calls, Ordering::Relaxed);
    }

    pub(crate) fn kind(&self, number: u64) -> Kind {
        match Random::new(self.seed ^ number).below(1000) {
            0..450 => Kind::Waits,
            450..900 => Kind::Sheds,
            900..960 => Kind::Blocks,
            960..979 => Kind::Hurries,
            979..980 => Kind::Sleeps,
            _ => Kind::Panics,
        }
    }

    fn call(&self, number: u64) -> &Call {
        &self.calls[usize::try_from(number).unwrap_or(usize::MAX)]
    }

    /// The job of the call runs.
    pub(crate) fn runs(&self, number: u64) {
        if self.call(number).runs.fetch_add(1, Ordering::Relaxed) > 0 {
            self.wrong(format!("the job of call {number} runs twice"));
        }
    }

    /// This has come of the call.
    pub(crate) fn settle(&self, number: u64, outcome: Outcome) {
        let before = self.call(number).outcome.swap(outcome as u8, Ordering::Relaxed);
        if before != 0 {
            self.wrong(format!("call {number} comes to {outcome:?} after outcome {before}"));
        }
    }

    pub(crate) fn wrong(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        wrong.get_or_insert(what);
    }

    /// Checks every call; `closed` says that the called pool was closed in the middle of it.
    /// `lost` calls may have come to nothing, since their callers were closed.
    pub(crate) fn audit(&self, closed: bool, lost: u64) -> Result<Counts, String> {
        let wrong = self.wrong.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(wrong) = &*wrong {
            return Err(wrong.clone());
        }
        let mut counts = Counts { calls: self.made(), ..Counts::default() };
        for number in 0..counts.calls {
            let call = self.call(number);
            let ran = call.runs.load(Ordering::Relaxed) > 0;
            let (outcome, kind) = (call.outcome.load(Ordering::Relaxed), self.kind(number));
            let (count, fits) = match outcome {
                1 => (&mut counts.replies, ran && kind != Kind::Panics),
                2 => (&mut counts.full, !ran && kind != Kind::Waits),
                // A job that panics has run.
                3 => (&mut counts.gone, closed || (ran && kind == Kind::Panics)),
                4 => (&mut counts.late, kind == Kind::Hurries),
                _ => (&mut counts.closed, true),
            };
            if !fits {
                let ran = if ran { "has run" } else { "has not run" };
                return Err(format!(
                    "call {number}, a {kind:?}, has outcome {outcome}, and its job {ran}"
                ));
            }
            *count += 1;
        }
        if counts.closed > lost {
            return Err(format!("{} calls came to nothing, of {lost} callers", counts.closed));
        }
        Ok(counts)
    }
}

/// How often what has come of calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    replies: u64,
    full: u64,
    gone: u64,
    late: u64,
    /// Their callers were closed.
    closed: u64,
    /// Rounds in which a pool was closed.
    pub(crate) rounds_cut: u64,
}

impl Counts {
    pub(crate) fn rate(&self, time: Duration) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it is printed without a fraction")]
        let calls = self.calls as f64;
        calls / time.as_secs_f64()
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.replies += other.replies;
        self.full += other.full;
        self.gone += other.gone;
        self.late += other.late;
        self.closed += other.closed;
        self.rounds_cut += other.rounds_cut;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, replies, full, gone, late, closed, rounds_cut } = self;
        write!(
            f,
            "calls: {calls}: {replies} replies, {full} full, {gone} gone, {late} late, {closed} of \
             callers that were closed\nrounds in which a pool was closed: {rounds_cut}"
        )
    }
}
