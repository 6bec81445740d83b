//! Upload servers: a request is a length of eight bytes and a body, the answer is the number of
//! received bytes, in eight bytes.

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;

mod compio;
mod mio;
mod ours;
mod tokio;

pub(super) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(listen()?)?),
        Peer::Compio => compio::serve(listen),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        Peer::TokioThreads => Ok(tokio::serve_on_threads(listen()?, threads)?),
        _ => Err(Error::missing(format!("no upload server for {}", peer.name()))),
    }
}

/// The most bytes of one read.
const CHUNK: usize = 64 * 1024;
