use std::sync::atomic::Ordering;

use super::Mailboxes;
use crate::{Key, TrySendError};

/// Replies that come as messages.
///
/// A reply must not be lost in a full mailbox, and nobody could give it back. So it has its place from the
/// moment at which the job is given away: a mailbox gets no more replies than its bound allows messages, and
/// at most twice the bound of both.
impl<Msg> Mailboxes<Msg> {
    /// Keeps a place for a reply, if the messages and awaited replies are fewer than the bound.
    pub(crate) fn await_reply(&self, key: Key) -> Result<(), TrySendError<()>> {
        let bound = self.shared.bound.load(Ordering::Relaxed);
        let mut stripe = self.shared.stripe(key);
        let mailbox = stripe.get_or_create(key).ok_or(TrySendError::Gone(()))?;
        if mailbox.messages.len() + usize::from(mailbox.awaited) >= bound {
            return Err(TrySendError::Full(()));
        }
        mailbox.awaited = mailbox.awaited.checked_add(1).ok_or(TrySendError::Full(()))?;
        Ok(())
    }

    /// Gives up the place of a reply whose job was not given away. Returns whether the owner is still there.
    pub(crate) fn forget_reply(&self, key: Key) -> bool {
        let mut stripe = self.shared.stripe(key);
        let mailbox = stripe.get_mut(key);
        mailbox.map(|mailbox| mailbox.awaited = mailbox.awaited.saturating_sub(1)).is_some()
    }

    /// Gives up the place of a reply of which no message was made, and wakes the owner, which may have waited
    /// for it alone.
    pub(crate) fn lose_reply(&self, key: Key) {
        if self.forget_reply(key) {
            self.shared.wake(key);
        }
    }

    /// Whether a reply is awaited, or has arrived since an owner that `takes_messages` took the last one.
    pub(crate) fn awaits_reply(&self, key: Key, takes_messages: bool) -> bool {
        let mut stripe = self.shared.stripe(key);
        stripe.get_mut(key).is_some_and(|mailbox| {
            mailbox.awaited > 0 || takes_messages && !mailbox.messages.is_empty()
        })
    }

    /// Puts the message of a reply in its place. Returns it if the connection or job has ended.
    pub(crate) fn post_reply(&self, key: Key, message: Msg) -> Result<(), Msg> {
        let mut stripe = self.shared.stripe(key);
        let Some(mailbox) = stripe.get_mut(key) else { return Err(message) };
        mailbox.awaited = mailbox.awaited.saturating_sub(1);
        mailbox.messages.push_back(message);
        // A connection that drains waits for its last reply also where it takes no messages.
        let wakes = mailbox.messages.len() == 1 || mailbox.awaited == 0;
        drop(stripe);
        if wakes {
            self.shared.wake(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::wake::Wake;

    #[test]
    fn x7_replies_have_places_of_their_own_in_a_bounded_mailbox() {
        let (mailboxes, key) = (Mailboxes::<u8>::default(), Key::of(0, 0, 0));
        assert_eq!(mailboxes.await_reply(key), Err(TrySendError::Gone(())));
        mailboxes.set_bound(3);
        mailboxes.open(key);
        mailboxes.post(key, 0).unwrap();
        assert_eq!([(); 2].map(|()| mailboxes.await_reply(key)), [Ok(()), Ok(())]);
        assert_eq!(mailboxes.await_reply(key), Err(TrySendError::Full(())));
        // The places of replies take none from those who post.
        assert_eq!([1, 2].map(|message| mailboxes.post(key, message)), [Ok(()), Ok(())]);
        assert_eq!([3, 4].map(|reply| mailboxes.post_reply(key, reply)), [Ok(()), Ok(())]);
        assert_eq!(mailboxes.post(key, 9), Err(TrySendError::Full(9)));
        assert_eq!(mailboxes.await_reply(key), Err(TrySendError::Full(())));
        let taken = std::iter::from_fn(|| mailboxes.take(key));
        assert_eq!(taken.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        // A place that is given up is free again.
        for _ in 0..10 {
            assert_eq!(mailboxes.await_reply(key), Ok(()));
            mailboxes.forget_reply(key);
        }
    }

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(&self, _: Key) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn x11_the_last_awaited_reply_wakes_a_connection_that_leaves_its_messages_alone() {
        let (mailboxes, key) = (Mailboxes::<u8>::default(), Key::of(0, 0, 0));
        let woken = Arc::new(Woken::default());
        let port: Arc<dyn Wake> = Arc::<Woken>::clone(&woken);
        mailboxes.attach(Box::new([Arc::downgrade(&port)]));
        mailboxes.open(key);
        mailboxes.post(key, 0).unwrap();
        assert_eq!([(); 2].map(|()| mailboxes.await_reply(key)), [Ok(()), Ok(())]);
        let woken = [1, 2].map(|reply| {
            mailboxes.post_reply(key, reply).unwrap();
            woken.0.load(Ordering::Relaxed)
        });
        assert_eq!(woken, [1, 2]);
    }

    #[test]
    fn x5_a_late_reply_does_not_reach_the_next_owner_of_its_slot() {
        let (mailboxes, key) = (Mailboxes::<u8>::default(), Key::of(0, 0, 7));
        let next = Key::of(0, 0, 8);
        mailboxes.open(key);
        mailboxes.await_reply(key).unwrap();
        mailboxes.close(key);
        mailboxes.open(next);
        assert_eq!(mailboxes.post_reply(key, 1), Err(1));
        mailboxes.forget_reply(key);
        assert_eq!(mailboxes.take(next), None);
    }
}
