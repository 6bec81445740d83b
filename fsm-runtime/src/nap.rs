use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::control::Control;
use crate::link::Ready;
use crate::worker::{Drain, Waits};
use crate::{Key, PoolError};

/// What a port without sockets has for a poll: a place to sleep, where it is woken.
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
    fn sleep(&self, time: Option<Duration>) {
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

/// The waiting of a port without sockets.
pub(crate) struct Nap {
    pub(crate) bed: Arc<Bed>,
    pub(crate) control: Arc<Control>,
    pub(crate) drain: Drain,
}

impl Waits for Nap {
    fn wait(
        &mut self,
        until: u64,
        clock: &mut Clock,
        _: &mut Vec<(Key, Ready)>,
    ) -> Result<(), PoolError> {
        let (now, _) = clock.read();
        if self.drain.begins(&self.control, now) {
            self.control.close_if_drained();
        }
        let until = self.drain.ends_by(&self.control).map_or(until, |by| by.min(until));
        if until > now {
            let time = Duration::from_millis(until - now);
            self.bed.sleep((until != u64::MAX).then_some(time));
        }
        Ok(())
    }
}
