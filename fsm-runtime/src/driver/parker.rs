use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

/// The sleep of a thread that others may end, for ports without sockets.
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
    /// The thread sleeps. A notification without a sleeper would be a system call all the same.
    asleep: bool,
}

impl Parker {
    pub(crate) fn wake(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.woken = true;
        // Once is enough.
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.condvar.notify_one();
        }
    }

    /// Sleeps until a wake-up or until `time` is over; it may also return without either.
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
