//! Which task runs next, and on which thread.

pub(crate) mod alarm;
pub(crate) mod current;
pub(crate) mod executor;
pub(crate) mod journeys;
pub(crate) mod observe;
pub(crate) mod port;
pub(crate) mod port_core;
pub(crate) mod resting;
pub(crate) mod shared;
pub(crate) mod survey;
pub(crate) mod task;
pub(crate) mod thread_stat;
pub(crate) mod thread_status;
pub(crate) mod timer_heap;
pub(crate) mod watchdog;

#[cfg(all(test, any(loom, shuttle)))]
mod interleavings;
