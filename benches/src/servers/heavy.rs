//! Servers that compute a while before they send back what came.

use std::hint::black_box;

use super::listen;
use crate::load::echo::REQUEST;
use crate::{Error, Peer};

mod ours;
mod tokio;

/// Rounds of a computation that takes about a tenth of a millisecond in all.
const ROUNDS: u32 = 100_000;

pub(crate) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(threads),
        Peer::TokioThreads => Ok(tokio::serve(listen()?, threads)?),
        _ => Err(Error::missing(format!("no heavy server of {}", peer.word()))),
    }
}

/// What a request is worth.
pub(super) fn compute(request: &[u8; REQUEST]) {
    let mut state = u64::from(request[0]) | 1;
    for _ in 0..black_box(ROUNDS) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}
