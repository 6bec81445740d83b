use crate::Peer;
use crate::call::semaphore::Permit;
use crate::net::socket::Socket;

/// Makes connections of the sockets that a listener has accepted.
pub(crate) trait Accept: Send {
    /// Takes a socket that the port `shard` has accepted at `now`, with a permit for it.
    fn accepted(&mut self, socket: Socket, peer: Peer, permit: Permit, shard: usize, now: u64);
}
