use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use mio::Waker;

use crate::inbox::{Inbox, Wake};
use crate::stats::Counters;
use crate::{Key, Machine, PostError, Stats};

/// What the threads of a pool and its handles share.
#[derive(Debug, Default)]
pub(crate) struct Control {
    order: AtomicU8,
    waker: OnceLock<Waker>,
    pub(crate) counters: Arc<Counters>,
}

/// What a pool is told to do; a later one overrules an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Run,
    Drain,
    Close,
}

impl Control {
    pub(crate) fn attach(&self, waker: Waker) {
        // A pool starts once, so there is no waker yet.
        let _ = self.waker.set(waker);
    }

    pub(crate) fn order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Run,
            1 => Order::Drain,
            _ => Order::Close,
        }
    }

    pub(crate) fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.wake();
    }
}

impl Wake for Control {
    fn wake(&self) {
        if let Some(Err(error)) = self.waker.get().map(Waker::wake) {
            tracing::warn!(%error, "cannot wake a port");
        }
    }
}

impl Wake for Arc<Control> {
    fn wake(&self) {
        Control::wake(self);
    }
}

/// A pool from outside: drain it, post to its connections, see what it counts. Cheap to clone, and
/// good on any thread.
///
/// ```no_run
/// # use fsm_runtime::prelude::*;
/// # #[state_machine(start = Talk, eof => Gone)]
/// # enum Echo {
/// #     #[read(some, max = 16KiB, idle = 60s => Gone)]
/// #     #[to(Talk)]
/// #     #[rest]
/// #     Talk,
/// #     #[end]
/// #     Gone,
/// # }
/// # struct Client;
/// # impl echo::Handler for Client {
/// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
/// #         cx.write(bytes);
/// #         echo::AfterTalk::Talk
/// #     }
/// # }
/// let builder = Pool::builder::<Echo>("echo").listen("127.0.0.1:0");
/// let handle = builder.handle();
/// let running = builder.handler(|_peer| Client).start()?;
/// println!("{} connections", handle.stats().open);
/// handle.drain();
/// running.join()?;
/// # Ok::<(), PoolError>(())
/// ```
pub struct Handle<M: Machine> {
    control: Arc<Control>,
    inbox: Inbox<M::Message>,
}

impl<M: Machine> Handle<M> {
    pub(crate) fn new(control: Arc<Control>, inbox: Inbox<M::Message>) -> Self {
        Self { control, inbox }
    }

    /// Stops accepting, closes the connections that are at rest, and the others when they come to
    /// rest or the drain time is over. The pool ends when none is left.
    pub fn drain(&self) {
        self.control.give(Order::Drain);
    }

    /// Closes all connections at once, whatever they are doing, and ends the pool.
    pub fn close(&self) {
        self.control.give(Order::Close);
    }

    /// Puts `message` into the mailbox of the connection `key`.
    ///
    /// ```
    /// # use fsm_runtime::{Handle, Key, Machine};
    /// fn tell<M: Machine<Message = String>>(pool: &Handle<M>, members: &[Key]) {
    ///     for member in members {
    ///         let _ = pool.post(*member, "maintenance in 5 minutes".to_owned());
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the mailbox is full or the connection is gone. The message comes back.
    pub fn post(&self, key: Key, message: M::Message) -> Result<(), PostError<M::Message>> {
        self.inbox.post(key, message)
    }

    /// What the pool has counted until now.
    pub fn stats(&self) -> Stats {
        self.control.counters.snapshot()
    }
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { control: Arc::clone(&self.control), inbox: self.inbox.clone() }
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
