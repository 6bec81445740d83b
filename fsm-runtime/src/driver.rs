//! A thread at work: it waits for events, and runs the turns that they cause.

pub(crate) mod accept;
pub(crate) mod acceptor;
pub(crate) mod park_driver;
pub(crate) mod parker;
pub(crate) mod reactor;
pub(crate) mod worker;
