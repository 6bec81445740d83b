use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The time between two looks while threads could help out, and while not.
pub(super) const FAST: Duration = Duration::from_micros(500);
const SLOW: Duration = Duration::from_millis(250);

/// The call that wakes the watchdog.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    /// A `Pace`, which is changed under the lock.
    pace: AtomicU8,
    lock: Mutex<()>,
    condvar: Condvar,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Nothing runs.
    Asleep,
    /// Something does.
    Slow,
    /// Something blocks, or work waits.
    Fast,
    Over,
}

impl Alarm {
    fn pace(&self) -> Pace {
        match self.pace.load(Ordering::Relaxed) {
            0 => Pace::Asleep,
            1 => Pace::Slow,
            2 => Pace::Fast,
            _ => Pace::Over,
        }
    }

    /// A handler is about to run.
    #[inline]
    pub(crate) fn turn_begins(&self) {
        if self.pace() == Pace::Asleep {
            self.raise(Pace::Slow);
        }
    }

    /// Work waits, and so do threads.
    #[inline]
    pub(crate) fn work_waits(&self) {
        if self.pace() < Pace::Fast {
            self.raise(Pace::Fast);
        }
    }

    /// Whether it was called because work waits.
    #[cfg(test)]
    pub(crate) fn is_raised(&self) -> bool {
        self.pace() == Pace::Fast
    }

    #[cold]
    pub(super) fn raise(&self, pace: Pace) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.pace() < pace;
        if news {
            self.pace.store(pace as u8, Ordering::Relaxed);
        }
        drop(lock);
        if news {
            self.condvar.notify_one();
        }
    }

    /// Goes slower, unless it was raised since it was `seen`; says what the pace is.
    ///
    /// A turn that began until then had no reason to call, so the watchdog must look once more. That is
    /// enough: a look takes the locks of the ports, or for those with one thread the lock of what was
    /// injected, and a turn that begins after it sees the new pace.
    pub(super) fn lower(&self, seen: Pace, pace: Pace) -> Pace {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.pace() == seen {
            self.pace.store(pace as u8, Ordering::Relaxed);
        }
        self.pace()
    }

    /// Sleeps as long as the pace says, which is `at_least` that, or until it is raised.
    pub(super) fn wait(&self, at_least: Pace) -> Pace {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = self.pace().max(at_least);
        self.pace.store(pace as u8, Ordering::Relaxed);
        let time = match pace {
            Pace::Asleep => None,
            Pace::Slow => Some(SLOW),
            Pace::Fast => Some(FAST),
            Pace::Over => return pace,
        };
        match time {
            None => {
                while self.pace() == Pace::Asleep {
                    lock = self.condvar.wait(lock).unwrap_or_else(PoisonError::into_inner);
                }
            }
            Some(time) => drop(self.condvar.wait_timeout(lock, time)),
        }
        self.pace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_a_call_while_the_watchdog_slows_down_is_not_lost() {
        let alarm = Alarm::default();
        alarm.work_waits();
        // It has looked, and seen no reason to be fast.
        let pace = alarm.lower(Pace::Fast, Pace::Slow);
        // Work comes before it looks once more.
        alarm.work_waits();
        assert_eq!((pace, alarm.wait(pace)), (Pace::Slow, Pace::Fast));
    }

    #[test]
    fn r3_a_call_before_the_watchdog_slows_down_is_kept() {
        let alarm = Alarm::default();
        alarm.turn_begins();
        alarm.work_waits();
        assert_eq!(alarm.lower(Pace::Slow, Pace::Asleep), Pace::Fast);
    }
}
