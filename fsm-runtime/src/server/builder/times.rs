use std::time::Duration;

use super::Builder;
use crate::{Machine, Transport};

/// How long the pool waits for peers.
impl<M: Machine, L: Transport> Builder<M, L> {
    /// Sets how long a drain lets connections and jobs finish. After that it closes them. 30 s by
    /// default. In whole milliseconds, rounded up; zero counts as one.
    pub fn drain_within(mut self, time: Duration) -> Self {
        self.drain_within = time;
        self
    }

    /// Sets how long a drain waits for the first bytes of a peer that has connected and not said anything yet. 1 s by
    /// default. In whole milliseconds, rounded up; zero counts as one.
    ///
    /// Such a peer has often sent its first request already, and would see a close as the failure of a server that has
    /// just accepted it. The time counts from the start of the connection, as far as the `within` or `idle` of its
    /// state tells when that was, and otherwise from the drain. So a drain closes connections that have been silent
    /// for longer at once, and lasts at most this much longer. What comes in time is answered, and the connection is
    /// closed at the next rest, or takes its `drain` edge there. (Go's `http.Server` gives such connections 5 s;
    /// nginx and hyper wait for as long as a request may take to come.)
    pub fn drain_grace(mut self, time: Duration) -> Self {
        self.drain_grace = time;
        self
    }

    /// Sets how long output may wait while the peer takes none of it. After that the connection is
    /// reset. 60 s by default. In whole milliseconds, rounded up; zero counts as one. (nginx has a
    /// `send_timeout`, too.)
    ///
    /// The time starts anew with any byte that the peer takes. It bounds how long a peer that does not
    /// read occupies memory, also in a state without a deadline.
    ///
    /// It is also the time for the handshake of TLS or of a layer that begins with the connection, whatever the
    /// deadline of the machine: after that the connection ends as a handshake that has failed.
    ///
    /// The other socket of a machine with a `#[connect]` state has the same times. If its peer takes nothing it is reset,
    /// and for the machine its stream has ended; if the handshake takes longer, the `refused` edge is taken.
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.send_timeout = time;
        self
    }

    /// Sets the [`send_timeout`](Builder::send_timeout) of a connection whose machine has reached an
    /// end state. 5 s by default. In whole milliseconds, rounded up; zero counts as one.
    ///
    /// When all output is sent, the server ends its stream. If the last turn sent something, or the peer
    /// is still sending, the connection then reads and drops input until the peer ends its stream, for
    /// this time at most. The other socket of a machine ends in the same way and times; the connection ends with the
    /// later one. Otherwise a peer that sends before it reads, such as an HTTP client whose upload
    /// is refused, would get a reset and not the answer. (nginx calls this `lingering_close`.) A drain does
    /// not wait for peers that are silent by then.
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }
}
