//! `fsm-runtime`'s `Shell` and `Credits` with the locks of shuttle, which runs more threads than
//! `tests/loom` does, under random schedules. A thread that is never woken is a deadlock, which
//! shuttle reports, with a text that `shuttle::replay` runs again.
//!
//! `FSM_SCHEDULES` says how many there are of each check.
#![expect(clippy::missing_panics_doc, reason = "a check panics where it fails")]

// The runtime uses what is left over here.
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/bed.rs"]
mod bed;
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/core.rs"]
mod core;
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/credits.rs"]
mod credits;
#[allow(dead_code, unreachable_pub)]
#[path = "../../../fsm-runtime/src/key.rs"]
mod key;
#[path = "../../loom/src/port.rs"]
mod port;
#[allow(dead_code)]
#[path = "../../../fsm-runtime/src/shell.rs"]
mod shell;

/// What takes the place of `fsm-runtime`'s module of this name.
mod sync {
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
}

pub mod rules;

use key::Key;
