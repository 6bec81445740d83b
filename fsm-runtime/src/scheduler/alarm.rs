use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The time between two looks at [`Pace::Fast`], and the age from which a turn is judged.
pub(super) const FAST: Duration = Duration::from_micros(500);
/// The time between two looks at [`Pace::Slow`].
const SLOW: Duration = Duration::from_millis(250);

/// Wakes the watchdog, and holds the pace at which it looks.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    /// A `Pace`, which is changed under the lock.
    pace: AtomicU8,
    lock: Mutex<()>,
    condvar: Condvar,
}

/// How often the watchdog looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Not until it is woken: no handler runs.
    Asleep,
    /// Every [`SLOW`]: a handler runs.
    Slow,
    /// Every [`FAST`]: a handler blocks, or work waits while threads are idle.
    Fast,
    /// Never again: its thread ends.
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

    /// Wakes the watchdog if it sleeps, because a handler is about to run.
    #[inline]
    pub(crate) fn turn_begins(&self) {
        if self.pace() == Pace::Asleep {
            self.raise(Pace::Slow);
        }
    }

    /// Makes the watchdog look often, because work waits and so do threads.
    #[inline]
    pub(crate) fn work_waits(&self) {
        if self.pace() < Pace::Fast {
            self.raise(Pace::Fast);
        }
    }

    /// Whether the watchdog looks often.
    #[cfg(test)]
    pub(crate) fn is_fast(&self) -> bool {
        self.pace() == Pace::Fast
    }

    /// Raises the pace to `pace` if it is lower, and wakes the watchdog then.
    #[cold]
    pub(super) fn raise(&self, pace: Pace) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let raised = self.pace() < pace;
        if raised {
            self.pace.store(pace as u8, Ordering::Relaxed);
        }
        drop(lock);
        if raised {
            self.condvar.notify_one();
        }
    }

    /// Lowers the pace, unless it was raised since it was `seen`. Returns the pace.
    ///
    /// A turn that began before this call did not wake the watchdog, so the watchdog must look once
    /// more. That is enough: a look takes the locks of the ports, or for those with one thread the lock
    /// of their `Injected`, and a turn that begins after the look sees the new pace.
    pub(super) fn lower(&self, seen: Pace, pace: Pace) -> Pace {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.pace() == seen {
            self.pace.store(pace as u8, Ordering::Relaxed);
        }
        self.pace()
    }

    /// Sleeps for the time of the pace, which is raised to `at_least` before, or until the pace is
    /// raised. Returns the pace.
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
        // The watchdog has looked, and seen no reason to be fast.
        let pace = alarm.lower(Pace::Fast, Pace::Slow);
        // Work arrives before it looks once more.
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
