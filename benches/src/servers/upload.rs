//! Takes uploads: eight bytes of length, the body; the answer is eight bytes with the number of
//! bytes of the body that have come.

use crate::{Error, Peer};

mod compio;
mod mio;
mod ours;
mod tokio;

pub(crate) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(super::listen()?)?),
        Peer::Compio => compio::serve(super::listen),
        Peer::Tokio => Ok(tokio::serve(super::listen()?)?),
        Peer::TokioThreads => Ok(tokio::serve_on_threads(super::listen()?, threads)?),
        _ => Err(Error::missing(format!("no server of uploads of {}", peer.word()))),
    }
}

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;
