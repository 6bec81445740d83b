//! What all threads and handles of a pool share, from its start until it has drained.

pub(crate) mod drain;
pub(crate) mod pool_state;
