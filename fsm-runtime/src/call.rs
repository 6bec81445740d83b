//! Communication between pools: permits, jobs, replies, messages and connections that move.

pub(crate) mod hand_off;
pub(crate) mod job_sink;
pub(crate) mod mailboxes;
pub(crate) mod outbound;
pub(crate) mod reply;
pub(crate) mod semaphore;
pub(crate) mod service;
pub(crate) mod stub;
