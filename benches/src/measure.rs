//! Counters: how the lab measures a server or a program.

pub(crate) mod allocations;
pub(crate) mod callgrind;
pub(crate) mod cpu_time;
pub(crate) mod memory;
mod rounds;
mod slope;
pub(crate) mod system_calls;

pub(crate) use self::rounds::in_rounds;
pub(crate) use self::slope::Slope;
