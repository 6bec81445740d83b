//! Compute-bound echo servers: they compute for about 0.1 ms before each answer.

use std::hint::black_box;

use super::listener::listen;
use crate::error::Error;
use crate::peer::Peer;
use crate::workload::ECHO_BYTES;

mod ours;
mod tokio;

/// Rounds of the computation.
const ROUNDS: u32 = 100_000;

pub(super) fn serve(peer: Peer, threads: usize) -> Result<(), Error> {
    match peer {
        Peer::Ours => ours::serve(threads),
        Peer::TokioThreads => Ok(tokio::serve(listen()?, threads)?),
        _ => Err(Error::missing(format!("no compute-bound server for {}", peer.name()))),
    }
}

/// The computation for a request.
pub(super) fn compute(request: &[u8; ECHO_BYTES]) {
    let mut state = u64::from(request[0]) | 1;
    for _ in 0..black_box(ROUNDS) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}
