//! The state that all threads and handles of a pool share, from its start until it has drained.

pub(crate) mod accept_gate;
pub(crate) mod drain;
pub(crate) mod drain_group;
pub(crate) mod entry;
pub(crate) mod facts;
#[cfg(all(feature = "pool", unix))]
pub(crate) mod moving;
pub(crate) mod phase;
pub(crate) mod pool_state;
pub(crate) mod shards;
