//! The messages that connections post to each other.

use std::sync::Arc;

use fsm_runtime::Key;

use crate::subscriber::{Backlog, Published};

/// A message to a connection.
#[derive(Debug)]
pub(crate) enum Event {
    /// The registry says something new about the connection, such as that it is killed.
    Changed,
    /// A text for a channel, which counts in the backlog of the subscriber until it is sent.
    Published { text: Arc<Published>, backlog: Arc<Backlog> },
}

impl Event {
    /// Whether the connection may have to end because of this.
    pub(crate) fn may_end(&self) -> bool {
        match self {
            Self::Changed => true,
            Self::Published { backlog, .. } => backlog.is_over(),
        }
    }

    /// Lets a subscriber whose mailbox is full end as one that is too slow.
    pub(crate) fn found_no_room(self) {
        if let Self::Published { backlog, .. } = self {
            backlog.give_up();
        }
    }
}

/// A message that a command sends. Its connection posts it after it has released the store.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) to: Key,
    pub(crate) event: Event,
}
