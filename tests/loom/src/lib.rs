//! `fsm-runtime`'s `Shell` and `Credits` with the locks of loom, which runs a few threads under all
//! schedules of so many preemptions. A thread that is never woken is a deadlock, which loom reports.
//!
//! `FSM_PREEMPTIONS` says how many a schedule has at most; each more takes about ten times as long.
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
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/scheduler/shared.rs"]
mod shell;

/// What takes the place of `fsm-runtime`'s module of this name.
mod sync {
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
}

mod port;
mod room;
pub mod rules;

use key::Key;
