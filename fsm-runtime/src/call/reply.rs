use std::any::Any;
use std::sync::Arc;

use crate::Key;

/// A call, by which a job is found in the pool that has taken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    pub(crate) key: Key,
    /// The number of the call, from 1; 0 for a job that is no call of a state.
    pub(crate) number: u32,
}

/// Sends the reply to a job. Dropping it tells the caller that the job failed.
pub(crate) struct ReplySender {
    /// `None` after the reply was sent.
    to: Option<ReplyAddress>,
}

struct ReplyAddress {
    receiver: Arc<dyn ReplyReceiver>,
    key: Key,
    call: u32,
}

/// A receiver of replies: the [`Mailboxes`](crate::call::mailboxes::Mailboxes) of any machine, a thread that waits, or a function that makes a
/// message of one.
pub(crate) trait ReplyReceiver: Send + Sync {
    /// Delivers the reply to call number `call` of `key`. `write` puts it into the receiver's slot;
    /// without `write` the job failed. A reply to an earlier call is dropped.
    fn deliver(&self, key: Key, call: u32, write: Option<&mut WriteReply<'_>>);
}

/// An `Option` of a reply in a box that later replies of the same type use again.
pub(crate) type ReplySlot = Option<Box<dyn Any + Send>>;

pub(crate) type WriteReply<'a> = dyn FnMut(&mut ReplySlot) + 'a;

/// The reply that `write` puts into a slot of its own; `None` if there is none.
pub(crate) fn read_reply<R: 'static>(write: Option<&mut WriteReply<'_>>) -> Option<R> {
    let mut slot = ReplySlot::None;
    write?(&mut slot);
    *slot?.downcast::<Option<R>>().ok()?
}

impl ReplySender {
    pub(crate) fn new(receiver: Arc<dyn ReplyReceiver>, key: Key, call: u32) -> Self {
        Self { to: Some(ReplyAddress { receiver, key, call }) }
    }

    /// The call that it replies to.
    pub(crate) fn caller(&self) -> Option<Caller> {
        self.to.as_ref().map(|to| Caller { key: to.key, number: to.call })
    }

    /// Sends the reply.
    pub(crate) fn send<R: Send + 'static>(mut self, reply: R) {
        let Some(ReplyAddress { receiver, key, call }) = self.to.take() else { return };
        let mut reply = Some(reply);
        receiver.deliver(
            key,
            call,
            Some(
                &mut |slot| match slot.as_mut().and_then(|slot| slot.downcast_mut::<Option<R>>()) {
                    Some(before) => *before = reply.take(),
                    None => *slot = Some(Box::new(reply.take())),
                },
            ),
        );
    }
}

impl Drop for ReplySender {
    fn drop(&mut self) {
        if let Some(ReplyAddress { receiver, key, call }) = self.to.take() {
            receiver.deliver(key, call, None);
        }
    }
}
