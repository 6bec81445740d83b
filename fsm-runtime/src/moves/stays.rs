use std::fmt;

/// Why a connection does not move, or not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stays {
    /// The machine is none with `moves`, or there are no sockets to be moved on this system.
    Machine,
    /// The other process has no such pool, or it has not started, or it drains.
    Pool,
    /// The pool is at its limit of connections.
    Full,
    /// TLS has secrets and sequence numbers that cannot move.
    Tls,
    /// It is a session of datagrams, which share a socket.
    Datagrams,
    /// The pool has opened the connection itself, and so does the other process.
    Opened,
    /// It has another socket, too.
    OtherSocket,
    /// The machine is in a state that is not marked with `#[rest]`.
    NotAtRest,
    /// A call, a hand-off or a job that was given away is not over.
    InFlight,
    /// Messages that were posted to it wait to be taken.
    Messages,
    /// A part of a file is to be sent.
    File,
    /// A part of a message that is thrown away has come.
    Discarding,
    /// It says goodbye, or is asked to end.
    Closing,
    /// `pack` has panicked.
    PackPanicked,
    /// The machine has no such state, or its fields do not unpack.
    State,
    /// The handler does not unpack, or the function that makes it has panicked.
    Handler,
    /// The other process has refused the connection, or has gone.
    Refused,
    /// The system does not let the pool use the socket.
    Socket,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "its machine is none with `moves`",
            Self::Pool => "the pool is not there, has not started, or drains",
            Self::Full => "the pool is full",
            Self::Tls => "it uses TLS",
            Self::Datagrams => "it is a session of datagrams",
            Self::Opened => "the pool has opened it itself",
            Self::OtherSocket => "it has another socket, too",
            Self::NotAtRest => "it is not at rest",
            Self::InFlight => "a call or a job of it is not over",
            Self::Messages => "it has messages that it has not taken",
            Self::File => "it sends a file",
            Self::Discarding => "it throws away input",
            Self::Closing => "it closes",
            Self::PackPanicked => "`pack` has panicked",
            Self::State => "its state does not unpack",
            Self::Handler => "its handler does not unpack",
            Self::Refused => "the other process has not taken it",
            Self::Socket => "its socket cannot be used",
        })
    }
}
