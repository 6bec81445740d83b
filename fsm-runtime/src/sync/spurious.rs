use std::sync::LockResult;
use std::time::Duration;

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::MutexGuard;

/// Shuttle's, with a wake-up without a cause now and then, as those of operating systems may have.
#[derive(Debug, Default)]
pub(crate) struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        if thread_rng().gen_range(0..4) == 0 { Ok(guard) } else { self.0.wait(guard) }
    }

    /// Waits without a limit, because no check has a clock.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        self.wait(guard).map(|guard| (guard, ())).map_err(|_| unreachable!("no panics"))
    }
}
