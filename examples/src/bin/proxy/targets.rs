//! The targets of a proxy, and how they do.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fsm_runtime::Target;

/// The time for which a target is left alone after its first failure. It doubles with each further one.
pub(crate) const FIRST: Duration = Duration::from_secs(1);
/// The longest such time.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// The targets, which all connections share. They are taken in turn.
///
/// Nothing asks them whether they are well: a target that refuses a connection, or breaks it before a byte was sent
/// either way, is left alone for a while.
pub(crate) struct Targets {
    targets: Vec<Target>,
    state: Mutex<State>,
}

struct State {
    /// The target that is taken next.
    next: usize,
    health: Vec<Health>,
}

#[derive(Clone, Copy, Default)]
struct Health {
    /// The failures in a row.
    failures: u32,
    /// The time until which it is left alone.
    alone_until: Option<Instant>,
}

impl Health {
    fn is_alone(&self, now: Instant) -> bool {
        self.alone_until.is_some_and(|until| now < until)
    }
}

impl Targets {
    pub(crate) fn new(targets: Vec<Target>) -> Self {
        let health = vec![Health::default(); targets.len()];
        Self { targets, state: Mutex::new(State { next: 0, health }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn target(&self, index: usize) -> &Target {
        &self.targets[index]
    }

    /// Whether a target is left alone now.
    pub(crate) fn is_alone(&self, index: usize, now: Instant) -> bool {
        self.state().health[index].is_alone(now)
    }

    /// The target for a client that has tried some already; `None` if it has tried all.
    ///
    /// If all others are left alone, it is the one whose time ends first: a client that would hear nothing else
    /// than a refusal does no harm.
    pub(crate) fn choose(&self, tried: &[usize], now: Instant) -> Option<usize> {
        let mut state = self.state();
        let count = self.targets.len();
        let in_turn = (0..count).map(|step| (state.next + step) % count);
        let left: Vec<usize> = in_turn.filter(|index| !tried.contains(index)).collect();
        let well = left.iter().copied().find(|index| !state.health[*index].is_alone(now));
        let soonest = || left.iter().copied().min_by_key(|index| state.health[*index].alone_until);
        let chosen = well.or_else(soonest)?;
        state.next = (chosen + 1) % count;
        Some(chosen)
    }

    /// Leaves a target alone, because it has failed. Returns for how long; `None` if it is left alone already, so
    /// that a thousand connections that fail at once count as one.
    pub(crate) fn failed(&self, index: usize, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let health = &mut state.health[index];
        if health.is_alone(now) {
            return None;
        }
        let time = with_jitter(doubled(health.failures));
        health.failures = health.failures.saturating_add(1);
        health.alone_until = Some(now + time);
        Some(time)
    }

    /// Takes note that a target has answered.
    pub(crate) fn answered(&self, index: usize) {
        self.state().health[index] = Health::default();
    }
}

fn doubled(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST)
}

/// From a half of the time to all of it, so that several proxies do not come back at once.
fn with_jitter(time: Duration) -> Duration {
    // Each `RandomState` has keys of its own.
    let random = RandomState::new().hash_one(0) % 1_001;
    let thousandths = u32::try_from(random).unwrap_or(1_000);
    time / 2 + time / 2 * thousandths / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(count: u16) -> Targets {
        Targets::new((1..=count).map(|port| Target::name("10.0.0.1", port)).collect())
    }

    #[test]
    fn targets_are_taken_in_turn() {
        let (targets, now) = (targets(3), Instant::now());
        let taken: Vec<_> = (0..6).filter_map(|_| targets.choose(&[], now)).collect();
        assert_eq!(taken, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_client_tries_each_target_once() {
        let (targets, now) = (targets(2), Instant::now());
        targets.failed(0, now);
        assert_eq!(targets.choose(&[], now), Some(1));
        assert_eq!(targets.choose(&[1], now), Some(0), "better one left alone than none");
        assert_eq!(targets.choose(&[1, 0], now), None);
    }

    #[test]
    fn the_time_doubles_to_a_bound_and_an_answer_ends_it() {
        let (targets, mut now) = (targets(2), Instant::now());
        for full in [1, 2, 4, 8, 16, 32, 60, 60] {
            let full = Duration::from_secs(full);
            let time = targets.failed(0, now).expect("it is not left alone");
            assert!(time >= full / 2 && time <= full, "{time:?} of {full:?}");
            assert_eq!(targets.failed(0, now), None, "others that fail meanwhile do not count");
            assert_eq!(targets.choose(&[], now), Some(1));
            now += time;
        }
        targets.answered(0);
        assert!(targets.failed(0, now).is_some_and(|time| time <= FIRST));
    }

    #[test]
    fn jitter_differs() {
        let times: Vec<_> = (0..50).map(|_| with_jitter(LONGEST)).collect();
        assert!(times.iter().any(|time| *time != times[0]));
    }
}
