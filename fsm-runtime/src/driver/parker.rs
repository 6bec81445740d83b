use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::TimeSource;
use crate::driver::worker::Driver;
use crate::lifecycle::drain::Drain;
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::net::readiness::Readiness;
use crate::scheduler::port::EventSource;
use crate::sync::{Condvar, Mutex};
use crate::{Key, PoolError};

/// Lets a thread sleep until another thread wakes it, for ports without sockets.
///
/// A wake-up before `sleep` makes the next `sleep` return at once.
#[derive(Debug, Default)]
pub(crate) struct Parker {
    state: Mutex<ParkState>,
    condvar: Condvar,
}

#[derive(Debug, Default)]
struct ParkState {
    woken: bool,
    /// The thread sleeps. Without this, each wake-up would cost a system call, also if no thread sleeps.
    asleep: bool,
}

impl Parker {
    pub(crate) fn wake(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.woken = true;
        // One notification is enough.
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.condvar.notify_one();
        }
    }

    /// Sleeps until a wake-up or until `time` is over. It may also return without either.
    pub(crate) fn sleep(&self, time: Option<Duration>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.woken {
            state.asleep = true;
            state = match time {
                None => self.condvar.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    let result = self.condvar.wait_timeout(state, time);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.asleep = false;
        }
        state.woken = false;
    }
}

/// The poll of a port without sockets, which sleeps in a [`Parker`].
pub(crate) struct ParkDriver {
    pub(crate) parker: Arc<Parker>,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) drain: Drain,
}

impl Driver for ParkDriver {
    fn before_poll(&mut self, until: u64, time: &impl TimeSource) -> Option<Duration> {
        if self.pool_state.phase() != Phase::Drain {
            // In these cases, which are by far the most frequent, the clock need not be read.
            match until {
                0 => return Some(Duration::ZERO),
                u64::MAX => return None,
                _ => {}
            }
        }
        let now = time.now().millis;
        if self.drain.begins(&self.pool_state, now) {
            self.pool_state.close_if_drained();
        }
        let until = self.drain.deadline(&self.pool_state).map_or(until, |by| by.min(until));
        (until != u64::MAX).then(|| Duration::from_millis(until.saturating_sub(now)))
    }

    fn poll(&mut self, timeout: Option<Duration>) -> Result<(), PoolError> {
        // Does not take a wake-up that has arrived; the next poll that sleeps takes it.
        if timeout != Some(Duration::ZERO) {
            self.parker.sleep(timeout);
        }
        Ok(())
    }

    fn after_poll(&mut self, _: u64) {}
}

impl EventSource for ParkDriver {
    const HAS_EVENTS: bool = false;

    fn events(&mut self, _: impl FnMut(Key, Readiness)) {}
}
