//! The pool that looks names up, on threads that may block.

use std::net::{SocketAddr, ToSocketAddrs};

use fsm_runtime::prelude::*;

/// The service of the pool.
pub(crate) struct Lookup;

impl Service for Lookup {
    type Job = Query;
    /// All addresses; none if there is no such name.
    type Reply = Vec<SocketAddr>;
}

/// A name to be looked up, and the port of the addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Looks a name up.
pub(crate) fn look_up(Query { name, port }: Query) -> Vec<SocketAddr> {
    match (name.as_str(), port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            tracing::debug!(name, %error, "no address");
            Vec::new()
        }
    }
}
