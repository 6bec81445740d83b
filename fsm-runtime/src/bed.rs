use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

/// What a port without sockets has for a poll: a place to sleep, where it is woken.
///
/// Who is woken before it sleeps does not fall asleep.
#[derive(Debug, Default)]
pub(crate) struct Bed {
    woken: Mutex<bool>,
    bell: Condvar,
}

impl Bed {
    pub(crate) fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }

    /// Sleeps until it is woken or `time` is over; it may wake up for nothing.
    pub(crate) fn sleep(&self, time: Option<Duration>) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        if !*woken {
            woken = match time {
                None => self.bell.wait(woken).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    let result = self.bell.wait_timeout(woken, time);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *woken = false;
    }
}
