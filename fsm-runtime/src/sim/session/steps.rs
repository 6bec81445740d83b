//! The single steps of a session for [`check`](crate::sim::check): input, messages and time arrive without a turn, and
//! turns are given one by one.

use std::any::Any;
use std::time::Duration;

use super::Session;
use crate::connection::ConnectionTask;
use crate::net::readiness::Readiness;
use crate::{Connection, Drive, Machine};

impl<M: Drive<H> + Machine<Kind = Connection>, H> Session<M, H> {
    /// Closes all pools that the machine calls and hands over to.
    pub(crate) fn close_pools(&mut self) {
        self.harness.borrow().stubs.close_all();
    }

    /// Puts `bytes` on their way without giving the machine a turn.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if let Some(datagrams) = &self.pipe.datagrams {
            if !bytes.is_empty() && bytes.len() <= M::SPEC.largest_datagram() {
                datagrams.to_machine.borrow_mut().push_back(bytes.to_vec());
            }
            return;
        }
        self.pipe.stream.borrow_mut().feed(bytes);
    }

    /// Lets input, messages and time arrive before the machine has its next turn.
    #[cfg(test)]
    #[cfg(not(any(loom, shuttle)))]
    pub(in crate::sim) fn come_together(
        &mut self,
        bytes: &[u8],
        messages: &[M::Message],
        millis: u64,
    ) where
        M::Message: Copy,
    {
        self.feed(bytes);
        for message in messages {
            assert!(self.put(*message), "the mailbox has room");
        }
        self.pass(Duration::from_millis(millis));
        self.run(Readiness::READ);
    }

    /// Posts a message without giving the machine a turn. Returns whether its mailbox took it.
    pub(crate) fn put(&mut self, message: M::Message) -> bool {
        let harness = self.harness.borrow();
        harness.scratch().environment.mailboxes.post(harness.key, message).is_ok()
    }

    /// The number of messages that wait.
    pub(crate) fn queued_messages(&self) -> usize {
        let harness = self.harness.borrow();
        harness.scratch().environment.mailboxes.queued(harness.key)
    }

    /// Moves the clock without giving the machine a turn.
    pub(crate) fn pass(&mut self, time: Duration) {
        let origin = self.harness.borrow().origin().clone();
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        origin.time.set(origin.time.millis().saturating_add(millis));
    }

    /// Takes what the machine has sent without giving it a turn.
    pub(crate) fn sent(&mut self) -> Vec<u8> {
        if let Some(datagrams) = &self.pipe.datagrams {
            return datagrams.to_peer.borrow_mut().drain(..).flatten().collect();
        }
        self.pipe.stream.borrow_mut().take_unsent()
    }

    /// The number of bytes that were sent and that the machine has not used.
    pub(crate) fn unused(&self) -> usize {
        let unread = self.harness.borrow().inspect(ConnectionTask::unread);
        if let Some(datagrams) = &self.pipe.datagrams {
            return datagrams.to_machine.borrow().iter().map(Vec::len).sum();
        }
        self.pipe.stream.borrow().unread() + unread.unwrap_or(0)
    }

    /// Gives the connection one turn; `false` when it waits then.
    pub(crate) fn turn(&mut self, ready: Readiness) -> bool {
        self.harness.borrow_mut().turn(ready)
    }

    /// Takes the panic of a handler, which has ended the machine.
    pub(crate) fn take_panic(&mut self) -> Option<Box<dyn Any + Send>> {
        self.harness.borrow_mut().take_panic()
    }
}
