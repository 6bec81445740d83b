use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Key;

/// Wakes a port that waits for events.
pub(crate) trait Wake: Send + Sync {
    fn wake(&self);
}

/// The mailboxes of the connections of a port, which any thread may post to.
///
/// There is a mailbox for each connection of a machine that takes messages, bounded; the poster
/// learns if it is full or gone. Keys with new messages are listed for the port, which is woken
/// once for a batch of them: queue first, then wake.
pub(crate) struct Inbox<Msg> {
    shared: Arc<Shared<Msg>>,
}

struct Shared<Msg> {
    boxes: Mutex<Boxes<Msg>>,
    waker: Box<dyn Wake>,
}

struct Boxes<Msg> {
    of: HashMap<Key, VecDeque<Msg>>,
    ready: Vec<Key>,
    /// The most messages in a mailbox.
    bound: usize,
}

impl<Msg> Inbox<Msg> {
    pub(crate) fn new(bound: usize, waker: Box<dyn Wake>) -> Self {
        let boxes = Mutex::new(Boxes { of: HashMap::new(), ready: Vec::new(), bound });
        Self { shared: Arc::new(Shared { boxes, waker }) }
    }

    /// Changes how many messages a mailbox takes.
    pub(crate) fn set_bound(&self, messages: usize) {
        self.boxes().bound = messages;
    }

    pub(crate) fn open(&self, key: Key) {
        self.boxes().of.insert(key, VecDeque::new());
    }

    /// Closes a mailbox and drops what is in it.
    pub(crate) fn close(&self, key: Key) {
        let dropped = self.boxes().of.remove(&key);
        drop(dropped);
    }

    pub(crate) fn post(&self, key: Key, message: Msg) -> Result<(), PostError<Msg>> {
        let mut boxes = self.boxes();
        let bound = boxes.bound;
        let Some(mailbox) = boxes.of.get_mut(&key) else {
            return Err(PostError::Gone(message));
        };
        if mailbox.len() >= bound {
            return Err(PostError::Full(message));
        }
        mailbox.push_back(message);
        if mailbox.len() == 1 {
            boxes.ready.push(key);
            let first = boxes.ready.len() == 1;
            drop(boxes);
            if first {
                self.shared.waker.wake();
            }
        }
        Ok(())
    }

    pub(crate) fn take(&self, key: Key) -> Option<Msg> {
        let mut boxes = self.boxes();
        let mailbox = boxes.of.get_mut(&key)?;
        let message = mailbox.pop_front();
        if mailbox.is_empty() && mailbox.capacity() > 16 {
            // A burst is over: its memory goes back.
            *mailbox = VecDeque::new();
        }
        message
    }

    /// The keys that have got a message into an empty mailbox since the last call.
    pub(crate) fn ready(&self) -> Vec<Key> {
        std::mem::take(&mut self.boxes().ready)
    }

    fn boxes(&self) -> MutexGuard<'_, Boxes<Msg>> {
        self.shared.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Msg> Clone for Inbox<Msg> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// Why a message was not taken; it holds the message.
///
/// ```
/// use fsm_runtime::PostError;
/// assert_eq!(PostError::Full("hi").to_string(), "the mailbox is full");
/// assert_eq!(PostError::Gone("hi").into_message(), "hi");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PostError<Msg> {
    /// The connection has as many messages waiting as it may.
    Full(Msg),
    /// There is no such connection any more.
    Gone(Msg),
}

impl<Msg> PostError<Msg> {
    /// The message that was not taken.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::PostError::Full(7).into_message(), 7);
    /// ```
    pub fn into_message(self) -> Msg {
        match self {
            Self::Full(message) | Self::Gone(message) => message,
        }
    }
}

impl<Msg> fmt::Display for PostError<Msg> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the mailbox is full",
            Self::Gone(_) => "the connection is gone",
        })
    }
}

impl<Msg> fmt::Debug for PostError<Msg> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Gone(_) => "Gone",
        })
    }
}

impl<Msg> std::error::Error for PostError<Msg> {}
