//! Sends downloads: a client asks with eight bytes of length, and gets so many bytes.

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
        _ => Err(Error::missing(format!("no server of downloads of {}", peer.word()))),
    }
}

/// What all bytes that are sent come from.
static BYTES: [u8; 256 * 1024] = [b'x'; 256 * 1024];

/// The next bytes of a download of which so many are left.
fn chunk(left: u64) -> &'static [u8] {
    &BYTES[..usize::try_from(left).unwrap_or(usize::MAX).min(BYTES.len())]
}
