/// The bounds of a turn and of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Handler calls of a turn.
    pub(crate) calls: usize,
    /// Bytes read and sent in a turn, from when on it goes no further.
    pub(crate) bytes: usize,
    /// Queued output from which on nothing that comes in is taken up.
    pub(crate) output: usize,
    /// Milliseconds in which the peer must take some of the output that waits for it.
    pub(crate) stall: u64,
    /// The same once the machine is done, and for the peer to end its stream after that.
    pub(crate) linger: u64,
}
