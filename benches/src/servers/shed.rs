//! Servers that compute as [`heavy`](super::heavy) does, but on another thread, with room for a few
//! requests: those beyond are refused at once.

use super::listen;
use crate::load::echo::REQUEST;
use crate::{Error, Peer};

mod ours;
mod tokio;

/// Requests that are computed, or wait for it, at a time.
pub(crate) const ROOM: usize = 32;
/// The answer to a request for which there is no room.
pub(crate) const BUSY: [u8; REQUEST] = [b'-'; REQUEST];

pub(crate) fn serve(peer: Peer) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(),
        Peer::Tokio => Ok(tokio::serve(listen()?)?),
        _ => Err(Error::missing(format!("no server of {} that sheds load", peer.word()))),
    }
}
