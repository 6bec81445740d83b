use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use super::Builder;
#[cfg(feature = "transitions")]
use crate::machine::history::History;
use crate::machine::label::Show;
use crate::{Connection, ConnectionMachine, Drive, Machine, PoolError, Transport};

/// The function that labels the connections of a pool, with the type of the handlers that it takes.
pub(super) struct ShowOfAny {
    /// An `Arc<Show<H>>`.
    show: Box<dyn Any + Send + Sync>,
    handler: &'static str,
}

impl ShowOfAny {
    /// The function, if it takes these handlers.
    pub(super) fn of<H: 'static>(&self) -> Option<Arc<Show<H>>> {
        self.show.downcast_ref().cloned()
    }
}

impl<M: Machine, L: Transport> Builder<M, L> {
    /// Measures one journey in so many, at least 1; with 1 it measures all. None by default.
    ///
    /// A journey is the work of a connection from rest to rest, which is a request with its answer in most protocols.
    /// It begins with the turn in which the first bytes arrive in a `#[rest]` state. It ends when the connection is at
    /// rest again with nothing unread and nothing unsent, or when it is over.
    ///
    /// Each measured journey is a span of `tracing` at `INFO`, of the name `journey` and without a parent, with the
    /// fields `pool`, `key`, `from` and `to` (states) and `seconds`. The events that handlers log in it are in the
    /// span. A job for which a state of it waits in a `call` is a span `job` in it, with the same fields, in
    /// whatever pool of the process it runs, and so are the jobs of that job. Jobs that the connections of a pool
    /// answer, and those that a handler gives away with [`Cx::submit`](crate::Cx::submit), have none.
    /// [`PoolSnapshot::journeys`](crate::PoolSnapshot::journeys) and `fsm_journey_seconds` of the
    /// console count the durations.
    ///
    /// A peer that only ends its stream makes no journey, and messages and deadlines begin none. Each thread
    /// counts by itself, and measures its first one.
    ///
    /// Without this setting a pool of connections runs the same code as if there were no journeys. With it, a
    /// thread looks at each turn, and keeps an entry for each measured journey that is under way; so do
    /// the threads of jobs in all pools that start with this one or after it.
    pub fn journeys(mut self, one_in: u32) -> Self
    where
        M: ConnectionMachine,
    {
        self.ranges.check("journeys", one_in as usize, 1..=u32::MAX as usize);
        self.journeys = Some(one_in.max(1));
        self
    }
}

/// The settings of what a snapshot says of a connection beyond its state.
impl<M: Machine<Kind = Connection>, L: Transport> Builder<M, L> {
    /// Labels connections with what they work on, for [`TaskSnapshot::label`](crate::TaskSnapshot::label) and
    /// the console. None by default.
    ///
    /// `show` is called while a snapshot is taken, for the connections that it describes, between their turns:
    /// nothing is stored, and a pool of which nobody takes a snapshot does nothing for it. With
    /// [`Filter::label`](crate::Filter::label) it is called for all connections. It should only write: a port
    /// with several threads is locked meanwhile, and one with a single thread serves nobody else.
    ///
    /// A label has 128 bytes at most, the rest is cut off. A character that would end its line, move a cursor or
    /// turn the text around becomes `?`. If `show` panics, which is logged, it is not called again.
    ///
    /// If the handlers turn out to be of another type than `H`, the pool does not start
    /// ([`PoolError::Setting`]).
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Line, eof => Gone, limit => Gone)]
    /// enum Lines {
    ///     #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    ///     #[to(Line)]
    ///     #[rest]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client {
    ///     last: String,
    /// }
    ///
    /// impl lines::Handler for Client {
    ///     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> lines::AfterLine {
    ///         self.last = String::from_utf8_lossy(line).into_owned();
    ///         lines::AfterLine::Line
    ///     }
    /// }
    ///
    /// let pool = Pool::builder::<Lines>("lines")
    ///     .listen("127.0.0.1:0")
    ///     .show(|client: &Client, f| write!(f, "said {:?}", client.last))
    ///     .handler(|_peer| Client { last: String::new() });
    /// # drop(pool);
    /// ```
    pub fn show<H>(
        mut self,
        show: impl Fn(&H, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync + 'static,
    ) -> Self
    where
        M: Drive<H>,
        H: 'static,
    {
        self.show = Some(ShowOfAny {
            show: Box::new(Arc::new(Show::new(show))),
            handler: type_name::<H>(),
        });
        self
    }

    /// Refuses a function for labels that does not take the handlers of the pool.
    pub(super) fn check_show<H: 'static>(&self) -> Result<(), PoolError> {
        match &self.show {
            Some(show) if show.of::<H>().is_none() => Err(PoolError::Setting {
                pool: self.name.clone(),
                setting: "show",
                why: format!(
                    "it shows a `{}`, and the handlers are `{}`",
                    show.handler,
                    type_name::<H>()
                ),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "transitions")]
impl<M: Machine, L: Transport> Builder<M, L> {
    /// Sets how many of the last transitions of each connection or job are kept until it ends. 0 by default, and
    /// at most 1,024. With the feature `transitions`, which `console` includes.
    ///
    /// They are in [`TaskSnapshot::history`](crate::TaskSnapshot::history) of a snapshot that is taken of one
    /// key. A pool that keeps none pays nothing. One that does takes a lock, which is nearly always free, and
    /// looks into a table at each transition, and needs 16 bytes for each of them and some 100 for each
    /// connection. It lies beside the connections, whose size does not change.
    pub fn history(mut self, transitions: usize) -> Self {
        let most = self.ranges.check("history", transitions, 0..=1_024);
        self.environment.history = (most > 0).then(|| Arc::new(History::new(most)));
        self
    }
}
