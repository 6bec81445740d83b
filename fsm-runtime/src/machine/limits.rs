/// The limits of a turn, and of the time that a peer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most handler calls of a turn.
    pub(crate) calls: usize,
    /// The number of bytes read and sent after which a turn ends.
    pub(crate) bytes: usize,
    /// The number of bytes of queued output at which the machine takes no input and no messages.
    pub(crate) output: usize,
    /// The milliseconds within which the peer must take some of the queued output.
    pub(crate) send_timeout: u64,
    /// The same after the machine is done, and then the milliseconds within which the peer must end
    /// its stream.
    pub(crate) linger: u64,
}
