use std::collections::VecDeque;

use super::{ReplySlot, STRIPES};
use crate::Key;
use crate::call::outbound::Outbound;

/// The mailboxes of a stripe: for each port, those of every [`STRIPES`]th slot. A key finds its
/// mailbox by its port and slot, and only if the generation is the same (X5).
pub(super) struct MailboxTable<Msg>(Vec<Vec<MailboxEntry<Msg>>>);

struct MailboxEntry<Msg> {
    generation: u32,
    /// `None` while no connection or job has the slot.
    mailbox: Option<Mailbox<Msg>>,
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

impl<Msg> Default for MailboxTable<Msg> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Msg> MailboxTable<Msg> {
    #[inline]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Mailbox<Msg>> {
        let entry = self.0.get_mut(key.port())?.get_mut(key.slot() / STRIPES)?;
        if entry.generation == key.generation() { entry.mailbox.as_mut() } else { None }
    }

    pub(super) fn insert(&mut self, key: Key, mailbox: Mailbox<Msg>) {
        let (port, index) = (key.port(), key.slot() / STRIPES);
        if self.0.len() <= port {
            self.0.resize_with(port + 1, Vec::new);
        }
        let entries = &mut self.0[port];
        if entries.len() <= index {
            entries.resize_with(index + 1, || MailboxEntry { generation: 0, mailbox: None });
        }
        entries[index] = MailboxEntry { generation: key.generation(), mailbox: Some(mailbox) };
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Mailbox<Msg>> {
        let entry = self.0.get_mut(key.port())?.get_mut(key.slot() / STRIPES)?;
        if entry.generation == key.generation() { entry.mailbox.take() } else { None }
    }
}
