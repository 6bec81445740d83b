//! Servers that send back whatever comes.

use crate::{Error, Peer};

mod mio;
mod ours;

pub(crate) fn serve(peer: Peer, _threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(super::listen()?)?),
        _ => Err(Error::missing(format!("no echo server of {}", peer.word()))),
    }
}
