use std::io;

use crate::Peer;

/// The number of bytes that a `#[relay]` state has passed on.
///
/// ```
/// use fsm_runtime::Moved;
///
/// fn log(moved: Moved) -> String {
///     format!("{} out, {} back", moved.out, moved.back)
/// }
/// # assert_eq!(log(Moved::default()), "0 out, 0 back");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// From the connection's first socket to the other one.
    pub out: u64,
    /// From the other socket to the first one.
    pub back: u64,
}

/// The connection that a `#[connect]` state has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connected {
    /// The address that was connected to.
    pub peer: Peer,
    /// It is the connection that was there already, because it is open to the same target, and nothing has come
    /// on it. Its peer may be about to close it.
    pub reused: bool,
}

/// The way of a relay: from the connection's first socket to the other one, and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both ways, until both streams have ended.
    Both,
    /// From the first socket to the other one.
    Out,
    /// From the other socket to the first one.
    Back,
}

/// The progress of connecting, which generated code gets from `Cx::connected`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Connecting {
    Waiting,
    Connected(Connected),
    Failed(io::Error),
}

/// The progress of a relay, which generated code gets from `Cx::relayed`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Relaying {
    Waiting,
    Done(Moved),
    Eof,
    Gone,
}
