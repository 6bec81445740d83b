use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::call::hand_off::PendingHandOff;
use crate::call::outbound::Outbound;
use crate::wake::Wake;
use crate::{Key, TrySendError};

mod table;

use table::{Mailbox, MailboxTable, Reply};

/// How many parts the mailboxes are kept in, each with its lock, so that threads seldom meet.
const PARTS: usize = 16;

/// The mailboxes of the connections or jobs of a pool, which any thread may post to.
///
/// There is a mailbox for each of a machine that takes messages or calls other pools. Messages are
/// bounded; the poster learns if it is full or gone. Of replies there is at most one: that to the
/// last call. A mailbox that was empty has its owner given a turn: queue first, then wake.
pub(crate) struct Mailboxes<Msg> {
    shared: Arc<Shared<Msg>>,
}

struct Shared<Msg> {
    parts: [Part<Msg>; PARTS],
    /// The most messages in a mailbox.
    bound: AtomicUsize,
    /// The ports, which give turns, once the pool has started.
    wakes: OnceLock<Box<[Weak<dyn Wake>]>>,
}

/// Nothing else is in its cache line, which the thread of the owner and those that post meet at.
#[repr(align(64))]
struct Part<Msg>(Mutex<MailboxTable<Msg>>);

/// What a call has come to.
pub(crate) enum Answer<R> {
    /// Nothing yet.
    None,
    Reply(R),
    /// The job has failed, or its pool is closed.
    Gone,
    /// It waits for room.
    Outbound(Outbound),
}

/// Where the reply to a job goes. If this is dropped the job has failed, and its caller learns it.
pub(crate) struct ReplySender {
    to: Option<(Arc<dyn ReplyTo>, Key, u32)>,
}

/// Mailboxes of some machine.
pub(crate) trait ReplyTo: Wake {
    /// The reply to call number `call` has come, or never will; `fill` writes it into what holds it.
    fn answer(&self, key: Key, call: u32, fill: Option<&mut Fill<'_>>);
}

/// What holds a reply, or held one.
pub(crate) type Holder = Option<Box<dyn Any + Send>>;

pub(crate) type Fill<'a> = dyn FnMut(&mut Holder) + 'a;

impl<Msg> Default for Mailboxes<Msg> {
    fn default() -> Self {
        let shared = Shared {
            parts: std::array::from_fn(|_| Part(Mutex::new(MailboxTable::default()))),
            bound: AtomicUsize::new(1024),
            wakes: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl<Msg> Mailboxes<Msg> {
    /// Changes how many messages a mailbox takes.
    pub(crate) fn set_bound(&self, messages: usize) {
        self.shared.bound.store(messages, Ordering::Relaxed);
    }

    /// The ports of the pool, which is about to start.
    pub(crate) fn attach(&self, ports: Box<[Weak<dyn Wake>]>) {
        // A pool starts once.
        let _ = self.shared.wakes.set(ports);
    }

    pub(crate) fn open(&self, key: Key) {
        let mailbox = Mailbox {
            messages: VecDeque::new(),
            call: 0,
            reply: Reply::None,
            holder: None,
            outbound: None,
        };
        self.shared.part(key).insert(key, mailbox);
    }

    /// Closes a mailbox and drops what is in it.
    pub(crate) fn close(&self, key: Key) {
        let dropped = self.shared.part(key).remove(key);
        drop(dropped);
    }

    pub(crate) fn post(&self, key: Key, message: Msg) -> Result<(), TrySendError<Msg>> {
        let bound = self.shared.bound.load(Ordering::Relaxed);
        let mut part = self.shared.part(key);
        let Some(mailbox) = part.get_mut(key) else {
            return Err(TrySendError::Gone(message));
        };
        if mailbox.messages.len() >= bound {
            return Err(TrySendError::Full(message));
        }
        mailbox.messages.push_back(message);
        let first = mailbox.messages.len() == 1;
        drop(part);
        if first {
            self.shared.wake(key);
        }
        Ok(())
    }

    pub(crate) fn take(&self, key: Key) -> Option<Msg> {
        let mut part = self.shared.part(key);
        let messages = &mut part.get_mut(key)?.messages;
        let message = messages.pop_front();
        if messages.is_empty() && messages.capacity() > 16 {
            // A burst is over: its memory goes back.
            *messages = VecDeque::new();
        }
        message
    }

    /// Keeps what waits to be given to another pool, instead of what was kept before.
    pub(crate) fn set_outbound(&self, key: Key, outbound: Outbound) {
        let mut part = self.shared.part(key);
        let before = match part.get_mut(key) {
            Some(mailbox) => mailbox.outbound.replace(outbound),
            None => Some(outbound),
        };
        drop(part);
        drop(before);
    }

    pub(crate) fn take_outbound(&self, key: Key) -> Option<Outbound> {
        let mut part = self.shared.part(key);
        part.get_mut(key)?.outbound.take()
    }

    /// Takes the hand-off of a connection that leaves.
    pub(crate) fn take_hand_off(&self, key: Key) -> Option<PendingHandOff> {
        match self.take_outbound(key)? {
            Outbound::Leaving(hand_off) => Some(hand_off),
            other => {
                self.set_outbound(key, other);
                None
            }
        }
    }

    /// Nobody waits for the reply to the last call any more.
    pub(crate) fn withdraw_call(&self, key: Key) {
        let mut part = self.shared.part(key);
        let before = part.get_mut(key).map(|mailbox| {
            mailbox.call = mailbox.call.wrapping_add(1);
            mailbox.reply = Reply::None;
            (mailbox.holder.take(), mailbox.outbound.take())
        });
        drop(part);
        drop(before);
    }
}

impl<Msg: Send + 'static> Mailboxes<Msg> {
    pub(crate) fn mail(&self) -> Arc<dyn ReplyTo> {
        Arc::<Shared<Msg>>::clone(&self.shared)
    }

    pub(crate) fn wakes(&self) -> Arc<dyn Wake> {
        Arc::<Shared<Msg>>::clone(&self.shared)
    }

    /// Begins a call: where its reply is to go. Replies to earlier ones come too late.
    pub(crate) fn begin_call(&self, key: Key) -> ReplySender {
        let mut part = self.shared.part(key);
        let mut number = 0;
        if let Some(mailbox) = part.get_mut(key) {
            mailbox.call = mailbox.call.wrapping_add(1);
            mailbox.reply = Reply::Waiting;
            number = mailbox.call;
        }
        drop(part);
        ReplySender::new(self.mail(), key, number)
    }

    /// The reply to the last call, if it has come, or word that there will be none. If it has neither,
    /// what was put away.
    pub(crate) fn reply<R: Send + 'static>(&self, key: Key) -> Answer<R> {
        let mut part = self.shared.part(key);
        let Some(mailbox) = part.get_mut(key) else { return Answer::None };
        let answer = match mailbox.reply {
            Reply::None | Reply::Waiting => {
                return mailbox.outbound.take().map_or(Answer::None, Answer::Outbound);
            }
            Reply::Gone => Answer::Gone,
            Reply::Came => {
                let holder = mailbox.holder.as_mut();
                let holder = holder.and_then(|holder| holder.downcast_mut::<Option<R>>());
                holder.and_then(Option::take).map_or(Answer::None, Answer::Reply)
            }
        };
        mailbox.reply = Reply::None;
        answer
    }
}

impl<Msg> Shared<Msg> {
    #[inline]
    fn part(&self, key: Key) -> MutexGuard<'_, MailboxTable<Msg>> {
        self.parts[key.slot() % PARTS].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, key: Key) {
        let port = self.wakes.get().and_then(|ports| ports.get(key.port()));
        if let Some(port) = port.and_then(Weak::upgrade) {
            port.wake(key);
        }
    }
}

impl<Msg: Send> Wake for Shared<Msg> {
    fn wake(&self, key: Key) {
        Self::wake(self, key);
    }
}

impl<Msg: Send> ReplyTo for Shared<Msg> {
    fn answer(&self, key: Key, call: u32, fill: Option<&mut Fill<'_>>) {
        let mut part = self.part(key);
        let Some(mailbox) = part.get_mut(key).filter(|mailbox| mailbox.call == call) else {
            return;
        };
        mailbox.reply = Reply::Gone;
        if let Some(fill) = fill {
            fill(&mut mailbox.holder);
            mailbox.reply = Reply::Came;
        }
        drop(part);
        self.wake(key);
    }
}

impl ReplySender {
    pub(crate) fn new(mail: Arc<dyn ReplyTo>, key: Key, call: u32) -> Self {
        Self { to: Some((mail, key, call)) }
    }

    /// Sends the reply.
    pub(crate) fn send<R: Send + 'static>(mut self, reply: R) {
        let Some((mail, key, call)) = self.to.take() else { return };
        let mut reply = Some(reply);
        mail.answer(
            key,
            call,
            Some(&mut |holder| {
                let held = holder.as_mut().and_then(|holder| holder.downcast_mut::<Option<R>>());
                match held {
                    Some(held) => *held = reply.take(),
                    None => *holder = Some(Box::new(reply.take())),
                }
            }),
        );
    }
}

impl Drop for ReplySender {
    fn drop(&mut self) {
        if let Some((mail, key, call)) = self.to.take() {
            mail.answer(key, call, None);
        }
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
    fn x5_a_mailbox_is_that_of_one_use_of_the_slot() {
        let mailboxes = Mailboxes::<u8>::default();
        // Two ports, and slots of the same part and of others.
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
        // What comes late for the one before does not close it.
        mailboxes.close(keys[0]);
        assert_eq!(mailboxes.post(next, 9), Ok(()));
    }

    #[test]
    fn x7_a_reply_is_that_to_the_last_call() {
        let (mailboxes, key) = (Mailboxes::<u8>::default(), Key::of(0, 0, 0));
        mailboxes.open(key);
        let (first, second) = (mailboxes.begin_call(key), mailboxes.begin_call(key));
        first.send("late");
        assert!(matches!(mailboxes.reply::<&str>(key), Answer::None));
        second.send("in time");
        assert!(matches!(mailboxes.reply(key), Answer::Reply("in time")));
        // What held it holds the next one, also one of another type.
        mailboxes.begin_call(key).send(7_u64);
        assert!(matches!(mailboxes.reply(key), Answer::Reply(7_u64)));
        drop(mailboxes.begin_call(key));
        assert!(matches!(mailboxes.reply::<u64>(key), Answer::Gone));
        mailboxes.set_outbound(key, Outbound::Refused(Box::new("a job")));
        assert!(matches!(mailboxes.reply::<u64>(key), Answer::Outbound(_)));
        assert!(matches!(mailboxes.reply::<u64>(key), Answer::None));
    }
}
