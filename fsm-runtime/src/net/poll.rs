//! The part of the system's poll that tasks know, also where there is none.

#[cfg(feature = "pool")]
pub(crate) use mio::{Registry, Token};

/// The registry of a poll; without the feature `pool` there is none.
#[cfg(not(feature = "pool"))]
#[derive(Debug)]
pub enum Registry {}

/// The number that names a socket in its poll.
#[cfg(not(feature = "pool"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(pub usize);
