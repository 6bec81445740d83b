//! The pool that looks names up, on threads that may block.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Weak;

use fsm_runtime::prelude::*;

/// The service of the pool.
pub(crate) struct Lookup;

impl Service for Lookup {
    type Job = Query;
    /// All addresses; none if there is no such name.
    type Reply = Vec<SocketAddr>;
}

/// A name to be looked up, and the port of the addresses.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// Is gone when the client is.
    pub(crate) client: Weak<()>,
}

/// Looks a name up, unless its client has gone while the query waited: others need the thread.
pub(crate) fn look_up(Query { name, port, client }: Query) -> Vec<SocketAddr> {
    if client.strong_count() == 0 {
        return Vec::new();
    }
    match (name.as_str(), port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            tracing::debug!(name, %error, "no address");
            Vec::new()
        }
    }
}
