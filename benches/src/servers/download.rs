//! Download servers: a request is a length of eight bytes, the answer is that number of bytes.

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
        _ => Err(Error::missing(format!("no download server for {}", peer.name()))),
    }
}

/// The source of all sent bytes.
static BYTES: [u8; 256 * 1024] = [b'x'; 256 * 1024];

/// The next bytes of a download with `left` bytes left.
fn chunk(left: u64) -> &'static [u8] {
    &BYTES[..usize::try_from(left).unwrap_or(usize::MAX).min(BYTES.len())]
}
