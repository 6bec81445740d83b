//! Echo servers: they send all received bytes back.

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;

mod compio;
mod may;
mod mio;
mod mio_features;
mod ours;
mod tokio;

pub(crate) use self::ours::pool;
pub(super) use self::ours::serve_encrypted;

pub(super) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(listen()?)?),
        Peer::MioFeatures => Ok(mio_features::serve(listen()?)?),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        Peer::TokioThreads => Ok(tokio::serve_on_threads(listen()?, threads)?),
        Peer::Compio => compio::serve(listen),
        Peer::May => Ok(may::serve(threads)?),
        _ => Err(Error::missing(format!("no echo server for {}", peer.name()))),
    }
}
