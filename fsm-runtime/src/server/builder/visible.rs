use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use super::Builder;
#[cfg(feature = "transitions")]
use crate::machine::history::History;
use crate::machine::label::Show;
use crate::{Connection, Drive, Machine, PoolError, Transport};

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
