//! The scheduler that threads share, with the parker as its poll, under many schedules: no packet
//! is lost, a close ends all threads, some thread polls, and the running turns are counted right.

mod port;

#[cfg(loom)]
mod loom;
#[cfg(shuttle)]
mod shuttle;
