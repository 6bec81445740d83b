//! Echo servers that use TLS.

use super::listener::listen;
use crate::certificate::server_config;
use crate::error::Error;
use crate::peer::Peer;

mod tokio;

pub(super) fn serve(peer: Peer) -> Result<(), Error> {
    let config = server_config()?;
    match peer {
        Peer::Ours => super::echo::serve_encrypted(config),
        Peer::Tokio => Ok(tokio::serve(listen()?, config)?),
        _ => Err(Error::missing(format!("no TLS echo server for {}", peer.name()))),
    }
}
