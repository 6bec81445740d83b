//! Servers of RESP2, the protocol of Redis: GET, SET and PING, as arrays of bulk strings.
//!
//! All but Redis have the same decoder and the same store.

use crate::{Error, Peer};

mod compio;
mod decoder;
mod mio;
mod ours;
mod store;
mod tokio;

pub(crate) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(super::listen()?)?),
        Peer::Compio => compio::serve(super::listen),
        Peer::Tokio => Ok(tokio::serve(super::listen()?)?),
        Peer::TokioThreads => Ok(tokio::serve_on_threads(super::listen()?, threads)?),
        _ => Err(Error::missing(format!("no RESP server of {}", peer.word()))),
    }
}
