//! Servers of RESP2, the protocol of Redis: GET, SET and PING, as arrays of bulk strings.
//!
//! The Rust servers share the decoder and the store.

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;

mod compio;
mod decoder;
mod mio;
mod ours;
mod store;
mod tokio;

pub(super) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(listen()?)?),
        Peer::Compio => compio::serve(listen),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        Peer::TokioThreads => Ok(tokio::serve_on_threads(listen()?, threads)?),
        _ => Err(Error::missing(format!("no RESP server for {}", peer.name()))),
    }
}
