//! The loop of a thread: it waits for events, and runs the turns that they cause.

#[cfg(feature = "pool")]
pub(crate) mod acceptor;
#[cfg(feature = "pool")]
pub(crate) mod connector;
#[cfg(feature = "pool")]
pub(crate) mod parker;
#[cfg(feature = "pool")]
pub(crate) mod reactor;
#[cfg(feature = "pool")]
pub(crate) mod receiver;
#[cfg(feature = "pool")]
pub(crate) mod shedder;
#[cfg(feature = "pool")]
pub(crate) mod turn_away;
pub(crate) mod worker;
