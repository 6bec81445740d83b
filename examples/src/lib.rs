//! What the examples share.

pub mod log;
