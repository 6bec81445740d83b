use std::collections::VecDeque;

use super::{Holder, PARTS};
use crate::Key;
use crate::call::outbound::Outbound;

/// The mailboxes of every so many slots, for each port: found by the slot of the key, as the slots of
/// a port are, and its own if the generation is the same (X5).
pub(super) struct MailboxTable<Msg>(Vec<Vec<Place<Msg>>>);

struct Place<Msg> {
    generation: u32,
    /// `None` while nobody has the slot.
    mailbox: Option<Mailbox<Msg>>,
}

pub(super) struct Mailbox<Msg> {
    pub(super) messages: VecDeque<Msg>,
    /// The number of the last call.
    pub(super) call: u32,
    pub(super) reply: Reply,
    /// An `Option` of the reply; it is used again for the next one.
    pub(super) holder: Holder,
    /// A job that waits for room, or a connection that is about to leave.
    pub(super) outbound: Option<Outbound>,
}

/// What has become of the last call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// There was none, or its reply was taken.
    None,
    Waiting,
    Came,
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
        let place = self.0.get_mut(key.port())?.get_mut(key.slot() / PARTS)?;
        if place.generation == key.generation() { place.mailbox.as_mut() } else { None }
    }

    pub(super) fn insert(&mut self, key: Key, mailbox: Mailbox<Msg>) {
        let (port, index) = (key.port(), key.slot() / PARTS);
        if self.0.len() <= port {
            self.0.resize_with(port + 1, Vec::new);
        }
        let shards = &mut self.0[port];
        if shards.len() <= index {
            shards.resize_with(index + 1, || Place { generation: 0, mailbox: None });
        }
        shards[index] = Place { generation: key.generation(), mailbox: Some(mailbox) };
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Mailbox<Msg>> {
        let place = self.0.get_mut(key.port())?.get_mut(key.slot() / PARTS)?;
        if place.generation == key.generation() { place.mailbox.take() } else { None }
    }
}
