//! The locks that the threads of a port and the callers of a pool share.
//!
//! They are std's. The checks of interleavings run the same code with locks whose every step they
//! order themselves: those of loom under `--cfg loom`, those of shuttle under `--cfg shuttle`.

#[cfg(all(test, any(loom, shuttle)))]
pub(crate) mod schedules;
#[cfg(all(test, shuttle))]
mod spurious;

#[cfg(all(test, loom))]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(all(test, shuttle))]
pub(crate) use self::spurious::Condvar;
