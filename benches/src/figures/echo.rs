//! 64 bytes to the server and back.

mod counts;
mod cpu;
mod crowd;
mod idle;
mod setup;

pub(super) use self::counts::{allocations, epoll_ctl, instructions, system_calls};
pub(super) use self::cpu::{churn_cpu, cpu};
pub(super) use self::crowd::crowd;
pub(super) use self::idle::idle_bytes;
