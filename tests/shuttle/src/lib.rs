//! `fsm-runtime`'s `Shell` and `Credits` with the locks of shuttle, which runs more threads than
//! `tests/loom` does, under random schedules. A thread that is never woken is a deadlock, which
//! shuttle reports, with a text that `shuttle::replay` runs again.
//!
//! `FSM_SCHEDULES` says how many there are of each check.
#![expect(clippy::missing_panics_doc, reason = "a check panics where it fails")]

// The runtime uses what is left over here.
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/driver/parker.rs"]
mod bed;
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/scheduler/port_core.rs"]
mod core;
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/call/semaphore.rs"]
mod credits;
#[allow(dead_code, unreachable_pub)]
#[path = "../../../fsm-runtime/src/key.rs"]
mod key;
#[path = "../../loom/src/port.rs"]
mod port;
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/scheduler/shared.rs"]
mod shell;

/// What takes the place of `fsm-runtime`'s module of this name.
mod sync {
    use std::sync::LockResult;
    use std::time::Duration;

    use shuttle::rand::{Rng, thread_rng};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    /// One that now and then wakes up for nothing, as those of systems may.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn wait<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
        ) -> LockResult<MutexGuard<'a, T>> {
            if thread_rng().gen_range(0..4) == 0 { Ok(guard) } else { self.0.wait(guard) }
        }

        pub(crate) fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, ())> {
            // No check has a time.
            self.wait(guard).map(|guard| (guard, ())).map_err(|_| unreachable!("no panics"))
        }
    }
}

pub mod rules;

use key::Key;
