//! The messages that connections post to each other.

use fsm_runtime::Key;

/// A message to a connection.
#[derive(Debug)]
pub(crate) enum Event {
    /// The registry says something new about the connection, such as that it is killed.
    Changed,
}

/// A message that a command sends. Its connection posts it after it has released the store.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) to: Key,
    pub(crate) event: Event,
}
