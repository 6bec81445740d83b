//! The loop of a thread: it waits for events, and runs the turns that they cause.

pub(crate) mod acceptor;
pub(crate) mod connector;
pub(crate) mod parker;
pub(crate) mod reactor;
pub(crate) mod receiver;
pub(crate) mod shedder;
pub(crate) mod worker;
