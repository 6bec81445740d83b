use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use fsm_tests::Random;

/// The record of a round's calls, by number.
pub(crate) struct CallLog {
    calls: Box<[Call]>,
    /// The number of the next call.
    next: AtomicU64,
    /// The end of the range of numbers.
    end: AtomicU64,
    seed: u64,
    /// The highest slot of a job in each pool.
    pub(crate) caller_slot: AtomicU32,
    pub(crate) worker_slot: AtomicU32,
    /// The first violation.
    violation: std::sync::Mutex<Option<String>>,
}

#[derive(Default)]
struct Call {
    /// The [`Outcome`], or 0 before there is one.
    outcome: AtomicU8,
    /// The number of times its job ran.
    runs: AtomicU8,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    Reply = 1,
    Full,
    Gone,
    Late,
}

/// The behavior of a call and its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The caller waits for room.
    Waits,
    /// The caller takes the edge `full` if there is no room.
    Sheds,
    /// The job takes longer than the caller waits.
    Hurries,
    /// The job panics.
    Panics,
    /// The job blocks in a state that declares it.
    Blocks,
    /// The job blocks in a state that does not declare it.
    Sleeps,
}

impl CallLog {
    pub(crate) fn new(calls: u64, seed: u64) -> Self {
        Self {
            calls: (0..calls).map(|_| Call::default()).collect(),
            next: AtomicU64::new(0),
            end: AtomicU64::new(calls),
            seed,
            caller_slot: AtomicU32::new(0),
            worker_slot: AtomicU32::new(0),
            violation: std::sync::Mutex::default(),
        }
    }

    /// The number of the next call; `None` at the end of the round.
    pub(crate) fn number(&self) -> Option<u64> {
        let end = || self.end.load(Ordering::Relaxed);
        let next = |next| (next < end()).then_some(next + 1);
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }

    /// The number of calls so far.
    pub(crate) fn made(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Ends the round after this many further calls.
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

    /// Records that the job of the call runs.
    pub(crate) fn runs(&self, number: u64) {
        if self.call(number).runs.fetch_add(1, Ordering::Relaxed) > 0 {
            self.fail(format!("the job of call {number} runs twice"));
        }
    }

    /// Records the outcome of the call.
    pub(crate) fn record(&self, number: u64, outcome: Outcome) {
        let before = self.call(number).outcome.swap(outcome as u8, Ordering::Relaxed);
        if before != 0 {
            self.fail(format!("call {number} has outcome {outcome:?} after outcome {before}"));
        }
    }

    pub(crate) fn fail(&self, violation: String) {
        let mut first = self.violation.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        first.get_or_insert(violation);
    }

    /// Checks every call. `closed` says whether the called pool was closed during the round. Up to
    /// `lost` calls may have no outcome, because their callers were closed.
    pub(crate) fn check(&self, closed: bool, lost: u64) -> Result<Counts, String> {
        let violation = self.violation.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(violation) = &*violation {
            return Err(violation.clone());
        }
        let mut counts = Counts { calls: self.made(), ..Counts::default() };
        for number in 0..counts.calls {
            let call = self.call(number);
            let ran = call.runs.load(Ordering::Relaxed) > 0;
            let (outcome, kind) = (call.outcome.load(Ordering::Relaxed), self.kind(number));
            let (count, fits) = match outcome {
                1 => (&mut counts.replies, ran && kind != Kind::Panics),
                2 => (&mut counts.full, !ran && kind != Kind::Waits),
                // A job that panics has run before.
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
            return Err(format!(
                "{} calls have no outcome, but only {lost} callers were closed",
                counts.closed
            ));
        }
        Ok(counts)
    }
}

/// The number of calls with each outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    replies: u64,
    full: u64,
    gone: u64,
    late: u64,
    /// Calls whose callers were closed.
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
             closed callers\nrounds in which a pool was closed: {rounds_cut}"
        )
    }
}
