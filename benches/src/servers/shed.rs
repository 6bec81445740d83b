//! Load-shedding servers: they compute as [`heavy`](super::heavy) does, but on a second thread with a
//! bounded queue, and refuse a request at once if the queue is full.

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;

mod ours;
mod tokio;

pub(super) fn serve(peer: Peer) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        _ => Err(Error::missing(format!("no load-shedding server for {}", peer.name()))),
    }
}
