use std::fmt;

use crate::net::listener::ListeningSocket;

/// An address or socket on which a pool listens, and how.
#[derive(Debug)]
pub(super) struct Listens {
    pub(super) on: Listen,
    /// Its connections stay plain in a pool that encrypts.
    pub(super) plain: bool,
}

/// An address or socket on which a pool listens.
#[derive(Debug)]
pub(super) enum Listen {
    Address(String),
    Socket(ListeningSocket),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Socket(_) => f.write_str("a listener that was handed in"),
        }
    }
}
