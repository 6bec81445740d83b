use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::call::hand_off::PendingHandOff;
use crate::call::outbound::Outbound;
use crate::call::reply::{ReplyReceiver, ReplySender, ReplySlot, WriteReply};
use crate::wake::Wake;
use crate::{Key, TrySendError};

mod awaited;
mod table;

use table::{MailboxTable, ReplyState};

/// The number of stripes of mailboxes. Each has a lock of its own, so that threads seldom contend.
const STRIPES: usize = 16;

/// The mailboxes of the connections or jobs of a pool. Any thread may post to them.
///
/// Each connection or job has a mailbox if its machine takes messages or calls other pools. A
/// mailbox has a bounded queue of messages, and room for one reply, the one to the last call. Replies that
/// come as messages have room of their own in the queue: see `awaited.rs`.
/// A message in an empty mailbox and a reply cause a turn of the owner: the poster queues first and
/// then wakes the port (pitfall 11).
pub(crate) struct Mailboxes<Msg> {
    shared: Arc<SharedMailboxes<Msg>>,
}

struct SharedMailboxes<Msg> {
    stripes: [Stripe<Msg>; STRIPES],
    /// The most messages in a mailbox.
    bound: AtomicUsize,
    /// The ports that run the owners, after the pool has started.
    ports: OnceLock<Box<[Weak<dyn Wake>]>>,
}

/// A part of the mailboxes, in cache lines of its own because the owner's thread and posters
/// contend for its lock.
#[repr(align(64))]
struct Stripe<Msg>(Mutex<MailboxTable<Msg>>);

/// The progress of the last call of a connection or job.
pub(crate) enum CallProgress<R> {
    /// There is neither a reply nor a failure.
    Pending,
    Reply(R),
    /// The job failed, or its pool is closed.
    Gone,
    /// The job has not left for its pool.
    Outbound(Outbound),
}

/// An entry of a mailbox.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MailboxContent {
    pub(crate) messages: usize,
    /// The replies that will come as messages.
    pub(crate) awaited: usize,
    pub(crate) call: CallState,
}

/// The state of a connection's or job's last call or hand-off.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum CallState {
    /// There is none, or its end is known.
    #[default]
    None,
    /// It is in the queue for a permit.
    WaitsForRoom,
    /// The call with this number waits for its reply.
    Pending { number: u32 },
}

impl<Msg> Default for Mailboxes<Msg> {
    fn default() -> Self {
        let shared = SharedMailboxes {
            stripes: std::array::from_fn(|_| Stripe(Mutex::new(MailboxTable::default()))),
            bound: AtomicUsize::new(1024),
            ports: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl<Msg> Mailboxes<Msg> {
    /// Changes the bound of messages for each mailbox.
    pub(crate) fn set_bound(&self, messages: usize) {
        self.shared.bound.store(messages, Ordering::Relaxed);
    }

    /// Sets the ports of the pool when it starts. Only the first call has an effect, because a pool
    /// starts once.
    pub(crate) fn attach(&self, ports: Box<[Weak<dyn Wake>]>) {
        let _ = self.shared.ports.set(ports);
    }

    pub(crate) fn open(&self, key: Key) {
        self.shared.stripe(key).open(key);
    }

    /// Closes a mailbox and drops its content.
    pub(crate) fn close(&self, key: Key) {
        let mailbox = self.shared.stripe(key).close(key);
        // After the lock is released, because a user's `Drop` may post to a mailbox of the same
        // stripe.
        drop(mailbox);
    }

    /// Lets no more messages into a mailbox in which nothing waits, for which no reply is to come, and whose owner has
    /// no call. Returns whether it did. [`reopen`](Self::reopen) undoes it.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn shut_if_unused(&self, key: Key) -> bool {
        let mut stripe = self.shared.stripe(key);
        let unused = !stripe.get_mut(key).is_some_and(|mailbox| mailbox.is_in_use());
        if unused {
            stripe.set_open(key, false);
        }
        unused
    }

    /// Whether nothing waits in a mailbox and none of its content is to come.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn is_unused(&self, key: Key) -> bool {
        !self.shared.stripe(key).get_mut(key).is_some_and(|mailbox| mailbox.is_in_use())
    }

    /// Lets messages in again.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn reopen(&self, key: Key) {
        self.shared.stripe(key).set_open(key, true);
    }

    pub(crate) fn post(&self, key: Key, message: Msg) -> Result<(), TrySendError<Msg>> {
        let bound = self.shared.bound.load(Ordering::Relaxed);
        let mut stripe = self.shared.stripe(key);
        let Some(mailbox) = stripe.get_or_create(key) else {
            return Err(TrySendError::Gone(message));
        };
        if mailbox.messages.len() >= bound {
            return Err(TrySendError::Full(message));
        }
        mailbox.messages.push_back(message);
        let first = mailbox.messages.len() == 1;
        drop(stripe);
        if first {
            self.shared.wake(key);
        }
        Ok(())
    }

    pub(crate) fn take(&self, key: Key) -> Option<Msg> {
        self.take_counted(key).map(|(message, _)| message)
    }

    /// Takes a message. Returns the number of those that wait behind it, too.
    pub(crate) fn take_counted(&self, key: Key) -> Option<(Msg, usize)> {
        let mut stripe = self.shared.stripe(key);
        let messages = &mut stripe.get_mut(key)?.messages;
        let message = messages.pop_front()?;
        if messages.is_empty() && messages.capacity() > 16 {
            // Frees the memory of a burst.
            *messages = VecDeque::new();
        }
        Some((message, messages.len()))
    }

    /// The number of messages that wait.
    pub(crate) fn queued(&self, key: Key) -> usize {
        self.shared.stripe(key).get_mut(key).map_or(0, |mailbox| mailbox.messages.len())
    }

    /// Keeps a job or connection that is to leave for another pool, and drops the one before.
    pub(crate) fn set_outbound(&self, key: Key, outbound: Outbound) {
        let mut stripe = self.shared.stripe(key);
        let before = match stripe.get_or_create(key) {
            Some(mailbox) => mailbox.outbound.replace(outbound),
            None => Some(outbound),
        };
        drop(stripe);
        drop(before);
    }

    pub(crate) fn take_outbound(&self, key: Key) -> Option<Outbound> {
        let mut stripe = self.shared.stripe(key);
        stripe.get_mut(key)?.outbound.take()
    }

    /// Takes the hand-off of a connection that has a permit of another pool.
    pub(crate) fn take_hand_off(&self, key: Key) -> Option<PendingHandOff> {
        match self.take_outbound(key)? {
            Outbound::Leaving(hand_off) => Some(hand_off),
            other => {
                self.set_outbound(key, other);
                None
            }
        }
    }

    /// The contents of the mailbox of a connection or job, for a snapshot.
    pub(crate) fn content(&self, key: Key) -> MailboxContent {
        let mut stripe = self.shared.stripe(key);
        let Some(mailbox) = stripe.get_mut(key) else { return MailboxContent::default() };
        let call = match (&mailbox.outbound, mailbox.reply) {
            (Some(Outbound::Job(_) | Outbound::HandOff(_)), _) => CallState::WaitsForRoom,
            (None, ReplyState::Pending) => CallState::Pending { number: mailbox.call },
            _ => CallState::None,
        };
        MailboxContent {
            messages: mailbox.messages.len(),
            awaited: usize::from(mailbox.awaited),
            call,
        }
    }

    /// Abandons the last call: drops its job if it has not left, and its reply.
    pub(crate) fn withdraw_call(&self, key: Key) {
        let mut stripe = self.shared.stripe(key);
        let before = stripe.get_mut(key).map(|mailbox| {
            mailbox.call = mailbox.call.wrapping_add(1);
            mailbox.reply = ReplyState::None;
            (mailbox.reply_slot.take(), mailbox.outbound.take())
        });
        drop(stripe);
        drop(before);
    }
}

impl<Msg: Send + 'static> Mailboxes<Msg> {
    fn receiver(&self) -> Arc<dyn ReplyReceiver> {
        Arc::<SharedMailboxes<Msg>>::clone(&self.shared)
    }

    /// Gives turns to the owners of the mailboxes.
    pub(crate) fn waker(&self) -> Arc<dyn Wake> {
        Arc::<SharedMailboxes<Msg>>::clone(&self.shared)
    }

    /// Begins a call and returns the sender of its reply. Replies to earlier calls are dropped from
    /// now on.
    pub(crate) fn begin_call(&self, key: Key) -> ReplySender {
        let mut stripe = self.shared.stripe(key);
        let mut number = 0;
        if let Some(mailbox) = stripe.get_or_create(key) {
            mailbox.call = mailbox.call.wrapping_add(1);
            mailbox.reply = ReplyState::Pending;
            number = mailbox.call;
        }
        drop(stripe);
        ReplySender::new(self.receiver(), key, number)
    }

    /// The progress of the last call. Takes its reply, or the outbound job if there is no reply.
    pub(crate) fn call_progress<R: Send + 'static>(&self, key: Key) -> CallProgress<R> {
        let mut stripe = self.shared.stripe(key);
        let Some(mailbox) = stripe.get_mut(key) else { return CallProgress::Pending };
        let progress = match mailbox.reply {
            ReplyState::None | ReplyState::Pending => {
                return mailbox
                    .outbound
                    .take()
                    .map_or(CallProgress::Pending, CallProgress::Outbound);
            }
            ReplyState::Gone => CallProgress::Gone,
            ReplyState::Ready => {
                let slot = mailbox.reply_slot.as_mut();
                let slot = slot.and_then(|slot| slot.downcast_mut::<Option<R>>());
                slot.and_then(Option::take).map_or(CallProgress::Pending, CallProgress::Reply)
            }
        };
        mailbox.reply = ReplyState::None;
        progress
    }
}

impl<Msg> SharedMailboxes<Msg> {
    #[inline]
    fn stripe(&self, key: Key) -> MutexGuard<'_, MailboxTable<Msg>> {
        self.stripes[key.slot() % STRIPES].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, key: Key) {
        let port = self.ports.get().and_then(|ports| ports.get(key.port()));
        if let Some(port) = port.and_then(Weak::upgrade) {
            port.wake(key);
        }
    }
}

impl<Msg: Send> Wake for SharedMailboxes<Msg> {
    fn wake(&self, key: Key) {
        Self::wake(self, key);
    }
}

impl<Msg: Send> ReplyReceiver for SharedMailboxes<Msg> {
    fn deliver(&self, key: Key, call: u32, write: Option<&mut WriteReply<'_>>) {
        let mut stripe = self.stripe(key);
        let Some(mailbox) = stripe.get_mut(key).filter(|mailbox| mailbox.call == call) else {
            return;
        };
        mailbox.reply = ReplyState::Gone;
        if let Some(write) = write {
            write(&mut mailbox.reply_slot);
            mailbox.reply = ReplyState::Ready;
        }
        drop(stripe);
        self.wake(key);
    }
}

impl<Msg> Clone for Mailboxes<Msg> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x5_a_mailbox_belongs_to_one_generation_of_its_slot() {
        let mailboxes = Mailboxes::<u8>::default();
        // Two ports, and slots of the same stripe and of others.
        let keys: Vec<Key> = [(0, 0), (0, 16), (1, 0), (0, 3), (1, 40)]
            .into_iter()
            .map(|(port, slot)| Key::of(port, slot, 7))
            .collect();
        assert_eq!(mailboxes.post(keys[4], 0), Err(TrySendError::Gone(0)));
        for key in &keys {
            mailboxes.open(*key);
        }
        for (key, message) in keys.iter().zip(0..) {
            assert_eq!(mailboxes.post(*key, message), Ok(()));
        }
        let next = Key::of(0, 0, 8);
        assert_eq!(mailboxes.post(next, 9), Err(TrySendError::Gone(9)));
        mailboxes.close(next);
        assert_eq!(mailboxes.take(next), None);
        for (key, message) in keys.iter().zip(0..) {
            assert_eq!(mailboxes.take(*key), Some(message));
        }
        mailboxes.close(keys[0]);
        mailboxes.open(next);
        assert_eq!(mailboxes.post(keys[0], 9), Err(TrySendError::Gone(9)));
        // A late `close` of the generation before does not close it.
        mailboxes.close(keys[0]);
        assert_eq!(mailboxes.post(next, 9), Ok(()));
    }

    #[test]
    fn x7_only_the_reply_to_the_last_call_is_delivered() {
        let (mailboxes, key) = (Mailboxes::<u8>::default(), Key::of(0, 0, 0));
        mailboxes.open(key);
        let (first, second) = (mailboxes.begin_call(key), mailboxes.begin_call(key));
        first.send("late");
        assert!(matches!(mailboxes.call_progress::<&str>(key), CallProgress::Pending));
        second.send("in time");
        assert!(matches!(mailboxes.call_progress(key), CallProgress::Reply("in time")));
        // A slot takes later replies, also those of another type.
        mailboxes.begin_call(key).send(7_u64);
        assert!(matches!(mailboxes.call_progress(key), CallProgress::Reply(7_u64)));
        drop(mailboxes.begin_call(key));
        assert!(matches!(mailboxes.call_progress::<u64>(key), CallProgress::Gone));
        mailboxes.set_outbound(key, Outbound::Refused(Box::new("a job")));
        assert!(matches!(mailboxes.call_progress::<u64>(key), CallProgress::Outbound(_)));
        assert!(matches!(mailboxes.call_progress::<u64>(key), CallProgress::Pending));
    }
}
