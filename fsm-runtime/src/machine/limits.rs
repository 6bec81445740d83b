/// The bounds of a turn and of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Handler calls of a turn.
    pub(crate) calls: usize,
    /// Bytes read and sent, after which a turn ends.
    pub(crate) bytes: usize,
    /// Bytes of queued output at which no input and no message is taken.
    pub(crate) output: usize,
    /// Milliseconds in which the peer must take some of the output that waits for it.
    pub(crate) send_timeout: u64,
    /// The same once the machine is done, and for the peer to end its stream after that.
    pub(crate) linger: u64,
    /// Milliseconds from its start in which a connection whose peer has not said anything yet is not closed by a
    /// drain.
    pub(crate) drain_grace: u64,
}

impl Limits {
    /// The limits of a pool without settings. A pool cannot change the first two: they are large enough
    /// that a turn pays for its place in the queue many times over, and small enough that a client that
    /// pipelines without end keeps others waiting for a few milliseconds at most.
    pub(crate) const DEFAULT: Self = Self {
        calls: 1024,
        bytes: 256 * 1024,
        output: 256 * 1024,
        send_timeout: 60_000,
        linger: 5_000,
        drain_grace: 1_000,
    };
}
