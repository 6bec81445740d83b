use std::collections::VecDeque;

use super::{ReplySlot, STRIPES};
use crate::Key;
use crate::call::outbound::Outbound;

/// The mailboxes of a stripe: for each port, those of every [`STRIPES`]th slot. A key finds its
/// mailbox by its port and slot, and only if the generation is the same (X5).
pub(super) struct MailboxTable<Msg>(Vec<Vec<MailboxEntry<Msg>>>);

struct MailboxEntry<Msg> {
    generation: u32,
    /// Whether a connection or job has the slot.
    is_open: bool,
    /// `None` before the first message or call, so that the mailbox of an idle connection is small.
    mailbox: Option<Box<Mailbox<Msg>>>,
}

pub(super) struct Mailbox<Msg> {
    pub(super) messages: VecDeque<Msg>,
    /// The number of replies that will arrive as messages.
    pub(super) awaited: u16,
    /// The number of the last call.
    pub(super) call: u32,
    pub(super) reply: ReplyState,
    pub(super) reply_slot: ReplySlot,
    /// A job or connection that has not left for its pool.
    pub(super) outbound: Option<Outbound>,
}

/// The state of the reply to the last call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyState {
    /// There was no call, or its reply was taken.
    None,
    Pending,
    Ready,
    /// The job failed.
    Gone,
}

impl<Msg> Default for Mailbox<Msg> {
    fn default() -> Self {
        Self {
            messages: VecDeque::new(),
            awaited: 0,
            call: 0,
            reply: ReplyState::None,
            reply_slot: None,
            outbound: None,
        }
    }
}

#[cfg(all(feature = "pool", unix))]
impl<Msg> Mailbox<Msg> {
    /// Whether something waits in it or is to come.
    pub(super) fn is_in_use(&self) -> bool {
        !self.messages.is_empty()
            || self.awaited > 0
            || self.outbound.is_some()
            || self.reply != ReplyState::None
    }
}

impl<Msg> Default for MailboxTable<Msg> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Msg> MailboxTable<Msg> {
    /// The mailbox, if it is open and has been used.
    #[inline]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Mailbox<Msg>> {
        self.entry(key)?.mailbox.as_deref_mut()
    }

    /// The mailbox, if it is open, to put something into it.
    pub(super) fn get_or_create(&mut self, key: Key) -> Option<&mut Mailbox<Msg>> {
        let entry = self.entry(key).filter(|entry| entry.is_open)?;
        Some(entry.mailbox.get_or_insert_default())
    }

    pub(super) fn open(&mut self, key: Key) {
        let (port, index) = (key.port(), key.slot() / STRIPES);
        if self.0.len() <= port {
            self.0.resize_with(port + 1, Vec::new);
        }
        let entries = &mut self.0[port];
        if entries.len() <= index {
            let closed = || MailboxEntry { generation: 0, is_open: false, mailbox: None };
            entries.resize_with(index + 1, closed);
        }
        entries[index] =
            MailboxEntry { generation: key.generation(), is_open: true, mailbox: None };
    }

    /// Lets messages in or not, and leaves what is there.
    #[cfg(all(feature = "pool", unix))]
    pub(super) fn set_open(&mut self, key: Key, is_open: bool) {
        if let Some(entry) = self.entry(key) {
            entry.is_open = is_open;
        }
    }

    pub(super) fn close(&mut self, key: Key) -> Option<Box<Mailbox<Msg>>> {
        let entry = self.entry(key)?;
        entry.is_open = false;
        entry.mailbox.take()
    }

    #[inline]
    fn entry(&mut self, key: Key) -> Option<&mut MailboxEntry<Msg>> {
        let entry = self.0.get_mut(key.port())?.get_mut(key.slot() / STRIPES)?;
        if entry.generation == key.generation() { Some(entry) } else { None }
    }
}
