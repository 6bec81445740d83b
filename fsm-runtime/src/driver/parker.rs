use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

/// What a port without sockets has for a poll: a place to sleep, where it is woken.
///
/// Who is woken before it sleeps does not fall asleep.
#[derive(Debug, Default)]
pub(crate) struct Parker {
    state: Mutex<State>,
    condvar: Condvar,
}

#[derive(Debug, Default)]
struct State {
    woken: bool,
    /// Somebody sleeps. To ring for nobody is a system call all the same.
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

    /// Sleeps until it is woken or `time` is over; it may wake up for nothing.
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
