use std::collections::VecDeque;

use crate::driver::acceptor::QUIET;
use crate::net::listener::{Accepted, SocketOrigin};
use crate::net::socket::Socket;
use crate::net::transport::ByteStream;

/// Milliseconds for which a peer that was turned away may still send.
const LINGER: u64 = 1_000;
/// The most sockets that are kept for that.
const MOST: usize = 64;
/// The most bytes that are read out before a socket is closed.
const READ_OUT: usize = 64 * 1024;

/// Tells newcomers that the pool is full, and closes their connections (X18).
#[derive(Debug)]
pub(crate) struct TurnAway {
    farewell: Vec<u8>,
    /// Connections are wrapped, as in TLS, from their first byte, but for plain ones: only these get the farewell.
    wraps: bool,
    /// The sockets that were turned away, with the times at which they are closed.
    leaving: VecDeque<(u64, Socket)>,
    /// The time of the last warning.
    warned: Option<u64>,
}

impl TurnAway {
    pub(crate) fn new(farewell: Vec<u8>, wraps: bool) -> Self {
        Self { farewell, wraps, leaving: VecDeque::new(), warned: None }
    }

    /// Sends the farewell and our end of the stream. The socket stays open for a while, because what the peer
    /// has sent and nobody has read would make the close a reset, and a reset may take the farewell from the peer.
    pub(crate) fn refuse(&mut self, accepted: Accepted, now: u64) {
        let Accepted { mut socket, origin, .. } = accepted;
        if !self.wraps || matches!(origin, SocketOrigin::Accepted { plain: true }) {
            // A new socket has room for all of it. The error of a peer that is gone already does not matter.
            let _ = socket.write(&self.farewell);
        }
        let _ = socket.shutdown();
        if self.leaving.len() == MOST {
            self.close_first();
        }
        self.leaving.push_back((now.saturating_add(LINGER), socket));
    }

    /// Closes the sockets whose time is over.
    pub(crate) fn round(&mut self, now: u64) {
        while self.leaving.front().is_some_and(|(at, _)| *at <= now) {
            self.close_first();
        }
    }

    /// The time of the next close.
    pub(crate) fn due(&self) -> Option<u64> {
        self.leaving.front().map(|(at, _)| *at)
    }

    /// Whether there was no warning lately; now there is one.
    pub(crate) fn warns(&mut self, now: u64) -> bool {
        let warns = self.warned.is_none_or(|at| at.saturating_add(QUIET) <= now);
        if warns {
            self.warned = Some(now);
        }
        warns
    }

    fn close_first(&mut self) {
        let Some((_, mut socket)) = self.leaving.pop_front() else { return };
        let (mut buffer, mut left) = ([0; 4096], READ_OUT);
        while left > 0 {
            match socket.read(&mut buffer) {
                Ok(read) if read.bytes > 0 => left = left.saturating_sub(read.bytes),
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::Peer;

    /// An accepted connection, and the peer's side of it.
    fn accepted(plain: bool) -> (Accepted, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, address) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let socket = Socket::from(mio::net::TcpStream::from_std(stream));
        let origin = SocketOrigin::Accepted { plain };
        (Accepted { socket, peer: Peer::Tcp(address), stays: false, origin }, peer)
    }

    #[test]
    fn x18_nothing_plain_is_said_where_connections_are_encrypted() {
        let mut turn_away = TurnAway::new(b"full".to_vec(), true);
        for (plain, told) in [(false, ""), (true, "full")] {
            let (accepted, mut peer) = accepted(plain);
            turn_away.refuse(accepted, 0);
            let mut text = String::new();
            peer.read_to_string(&mut text).unwrap();
            assert_eq!(text, told);
        }
    }

    #[test]
    fn x18_sockets_are_closed_without_a_reset_after_a_second_or_when_others_come() {
        let mut turn_away = TurnAway::new(b"full".to_vec(), false);
        let (first, mut peer) = accepted(false);
        turn_away.refuse(first, 0);
        peer.write_all(b"hello").unwrap();
        assert_eq!(turn_away.due(), Some(LINGER));
        turn_away.round(LINGER - 1);
        assert_eq!(turn_away.leaving.len(), 1);
        turn_away.round(LINGER);
        assert_eq!(turn_away.due(), None);
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "full");
        let _peers: Vec<_> = (0..MOST + 3)
            .map(|_| {
                let (accepted, peer) = accepted(false);
                turn_away.refuse(accepted, 0);
                peer
            })
            .collect();
        assert_eq!(turn_away.leaving.len(), MOST);
    }
}
