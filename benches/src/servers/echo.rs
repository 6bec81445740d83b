//! Servers that send back whatever comes.

use super::listen;
use crate::{Error, Peer};

mod compio;
mod may;
mod mio;
mod mio_features;
mod ours;
mod tokio;

pub(crate) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(listen()?)?),
        Peer::MioFeatures => Ok(mio_features::serve(listen()?)?),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        Peer::TokioThreads => Ok(tokio::serve_on_threads(listen()?, threads)?),
        Peer::Compio => compio::serve(listen),
        Peer::May => Ok(may::serve(threads)?),
        _ => Err(Error::missing(format!("no echo server of {}", peer.word()))),
    }
}
