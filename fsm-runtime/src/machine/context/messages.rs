use super::{Cx, TakenEvent};
use crate::{Key, Kind, TrySendError};

impl<Msg, Settings, K: Kind> Cx<'_, Msg, Settings, K> {
    /// Puts `message` into the mailbox of the connection `key` of this pool.
    ///
    /// The mailbox keeps messages in order until the connection is in a `#[message]` state. The
    /// other connection has its turn after this one, so a handler that posts many messages in one
    /// turn can fill a mailbox: see [`Builder::mailbox`](crate::Builder::mailbox).
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Ask, message = String, eof => Gone)]
    /// enum Chat {
    ///     #[read(until = b"\n", max = 256, limit => Gone, idle = 60s => Gone)]
    ///     #[to(Listen)]
    ///     Ask,
    ///     #[message(within = 60s => Gone)]
    ///     #[to(Ask)]
    ///     Listen,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Member {
    ///     members: Vec<Key>,
    /// }
    ///
    /// impl chat::Handler for Member {
    ///     fn ask(&mut self, line: &[u8], cx: &mut Cx<'_, String>) -> chat::AfterAsk {
    ///         let text = String::from_utf8_lossy(line);
    ///         self.members.push(cx.key());
    ///         // Members that have left, or whose mailbox is full, are removed.
    ///         self.members.retain(|member| cx.post(*member, text.to_string()).is_ok());
    ///         chat::AfterAsk::Listen
    ///     }
    ///
    ///     fn listen(&mut self, text: String, cx: &mut Cx<'_, String>) -> chat::AfterListen {
    ///         writeln!(cx, "{text}");
    ///         chat::AfterListen::Ask
    ///     }
    /// }
    ///
    /// let mut peer = Session::<Chat, _>::new(Member { members: Vec::new() });
    /// peer.send(b"news\n");
    /// assert_eq!(peer.receive(), b"news\n");
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the message: [`Full`](TrySendError::Full) if the mailbox is full,
    /// [`Gone`](TrySendError::Gone) if the connection or job has ended.
    pub fn post(&self, key: Key, message: Msg) -> Result<(), TrySendError<Msg>> {
        self.environment.mailboxes.post(key, message)
    }

    /// Takes the next message for this connection or job. Generated code calls it in a `#[message]`
    /// state.
    #[doc(hidden)]
    pub fn message(&mut self) -> Option<Msg> {
        let message = self.environment.mailboxes.take(self.key);
        self.received += usize::from(message.is_some());
        message
    }

    /// Takes the next message in a state that also waits for input, if the handler before was called
    /// for input: the two alternate (W2).
    #[doc(hidden)]
    #[inline]
    pub fn message_after_input(&mut self) -> Option<Msg> {
        if self.last_taken == TakenEvent::Input { self.message_beside_input() } else { None }
    }

    /// Takes the next message in a state whose input is incomplete. After a message it returns `None`
    /// while the socket may have more input, which is read first.
    #[doc(hidden)]
    #[inline]
    pub fn message_instead(&mut self) -> Option<Msg> {
        if self.stream.is_readable() && self.last_taken == TakenEvent::Message {
            return None;
        }
        self.message_beside_input()
    }

    #[inline]
    fn message_beside_input(&mut self) -> Option<Msg> {
        if self.last_taken == TakenEvent::AllMessages {
            return None;
        }
        let Some((message, left)) = self.environment.mailboxes.take_counted(self.key) else {
            self.last_taken = TakenEvent::AllMessages;
            return None;
        };
        self.received += 1;
        // A connection that drains has no turn to come, and looks again for what this message's handler posts to it.
        let all = left == 0 && !self.context.draining;
        self.last_taken = if all { TakenEvent::AllMessages } else { TakenEvent::Message };
        Some(message)
    }

    /// Records that a state that also waits for messages has taken input.
    #[doc(hidden)]
    #[inline]
    pub fn input_taken(&mut self) {
        if self.last_taken != TakenEvent::AllMessages {
            self.last_taken = TakenEvent::Input;
        }
    }

    #[inline]
    pub(crate) fn messages_taken(&self) -> usize {
        self.received
    }
}
