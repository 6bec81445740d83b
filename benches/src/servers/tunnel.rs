//! Tunnels: each connection is joined to one of its own to another server.

use std::net::SocketAddr;

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;

mod ours;
mod tokio;

/// The variable that says where the tunnels lead.
pub(crate) const TARGET: &str = "BENCHES_TARGET";

pub(super) fn serve(peer: Peer) -> Result<(), Error> {
    let target = std::env::var(TARGET).ok().and_then(|target| target.parse().ok());
    let target: SocketAddr =
        target.ok_or_else(|| Error::failed(format!("`{TARGET}` is no address")))?;
    match peer {
        Peer::Ours => ours::serve(target),
        Peer::Tokio => Ok(tokio::serve(listen()?, target)?),
        _ => Err(Error::missing(format!("no tunnel for {}", peer.name()))),
    }
}
