//! Chat rooms: the first 64 bytes of a connection come back, and it is a member; each later 64 bytes go to
//! all other members.

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;

mod mio;
mod ours;
mod tokio;

pub(super) fn serve(peer: Peer) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Mio => Ok(mio::serve(listen()?)?),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        _ => Err(Error::missing(format!("no chat room for {}", peer.name()))),
    }
}
