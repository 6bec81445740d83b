use super::Builder;
use crate::key::MAX_TASKS;
use crate::{ConnectionMachine, Machine, Service, Transport};

/// How much the pool takes, and what happens to what is more.
impl<M: Machine, L: Transport> Builder<M, L> {
    /// Sets the most jobs that run or wait for a thread. 1,024 by default for
    /// [`Pool::workers`](crate::Pool::workers) and 10,000 for others; at least 1 and at most
    /// [`Pool::MAX_JOBS`](crate::Pool::MAX_JOBS).
    ///
    /// Callers beyond that wait for room in FIFO order, or take their `full` edge. A plain thread that
    /// does not wait gets [`TrySendError::Full`](crate::TrySendError::Full).
    pub fn max_jobs(mut self, jobs: usize) -> Self
    where
        M: Service,
    {
        self.max_jobs = self.ranges.check("max_jobs", jobs, 1..=MAX_TASKS);
        self
    }

    /// Sets how many connections the system keeps waiting until the pool accepts them. 4,096 by
    /// default, at most 65,535. The system may have a lower bound (`net.core.somaxconn` on Linux), and
    /// it sets the meaning of 0 (on Linux one connection waits).
    ///
    /// A pool that drains still accepts the waiting connections, at most this number from each listener.
    pub fn backlog(mut self, connections: u16) -> Self {
        self.backlog = connections.into();
        self
    }

    /// Sets the most connections at a time. 10,000 by default; at least 1 and at most
    /// [`Pool::MAX_CONNECTIONS`](crate::Pool::MAX_CONNECTIONS).
    ///
    /// Of a machine that reads datagrams they are the peers whose machine waits. At the limit datagrams of others
    /// are dropped and counted ([`Stats::datagrams_dropped`](crate::Stats::datagrams_dropped)).
    ///
    /// At the limit the listeners pause. New connections wait in the [`backlog`](Builder::backlog)
    /// until a sixteenth of the limit, and at least one, is free again. With
    /// [`shed_at_rest`](Builder::shed_at_rest) they take the places of connections at rest.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limit = self.ranges.check("max_connections", connections, 1..=MAX_TASKS);
        self
    }

    /// Ends the connection that has been longest at rest when a new one finds the pool at its
    /// [limit](Builder::max_connections), or no descriptor free, so that the new one is served and does not wait.
    /// Off by default.
    ///
    /// A connection is at rest in a `#[rest]` state while nothing of it is unread or unsent, at either socket if it
    /// has two, and no reply to a job of its is to come. It ends as in a drain: over the `drain` edge of its state if
    /// there is one, so that it can say goodbye, and otherwise with the end of the stream. Requests that have arrived by then are answered
    /// before. It counts as [`Ended::Shed`](crate::Ended::Shed), also if its machine has said goodbye. The pool
    /// does not wait for the peer to notice ([`linger`](Builder::linger)): a request that crosses the goodbye is
    /// reset.
    ///
    /// These keep their places:
    ///
    /// - connections at work;
    /// - those that have been at rest for less than a second, so that a flood of new connections ends none between two
    ///   requests, and none whose first request is on its way;
    /// - those in a state with `#[rest(keep)]`, such as subscribers;
    /// - those in a state without a time but `never`, because it is the `within` or `idle` of the state that tells how
    ///   long it lasts.
    ///
    /// While there is nobody else, new connections wait, as without this setting. The next end of a
    /// connection makes room for one.
    ///
    /// The shard that accepts asks the one with the most connections, and the others if that has none to end; which
    /// connection of all shards is longest at rest is not looked for. To find those of a shard takes one
    /// look at each of its connections for 1,024 ends, at most ten times a second. A connection stores
    /// nothing for it. Each shard keeps a descriptor to spare, and may have accepted one connection more from each
    /// listener than the limit says, which waits for its place. Another pool that hands connections over
    /// waits for room as before. Peers that send datagrams have no queue in which they could wait, so a pool of
    /// datagrams with this setting does not start ([`PoolError::Datagrams`](crate::PoolError::Datagrams)).
    pub fn shed_at_rest(mut self) -> Self
    where
        M: ConnectionMachine,
    {
        self.shed_at_rest = true;
        self
    }

    /// Turns new connections away while the pool is at its limit of connections, with a `farewell` of at most 4,096
    /// bytes, instead of letting them wait in the backlog. It may be empty.
    ///
    /// Such a connection is accepted, gets the farewell and the end of the stream, and is no connection of the pool:
    /// no handler is made for it, and [`Stats::turned_away`](crate::Stats::turned_away) alone counts it. So that what
    /// the peer may have sent does not make the close a reset, which could take the farewell from it, each shard keeps
    /// the last 64 of these sockets for a second, and needs as many descriptors more.
    ///
    /// Where connections begin with [`tls`](Builder::tls) or in a [`layer`](Builder::layer), only those of plain
    /// addresses get the farewell; the others are closed without it. With [`shed_at_rest`](Builder::shed_at_rest)
    /// nobody is turned away. A pool of datagrams with this setting does not start
    /// ([`PoolError::Datagrams`](crate::PoolError::Datagrams)).
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Line, eof => Gone, limit => Gone)]
    /// # enum Mail {
    /// #     #[read(until = b"\r\n", max = 512, idle = 5min => Gone)] #[to(Line)] Line,
    /// #     #[end] Gone,
    /// # }
    ///
    /// let builder = Pool::builder::<Mail>("mail")
    ///     .listen("127.0.0.1:2525")
    ///     .max_connections(1_000)
    ///     .turn_away(*b"421 too many connections, try again later\r\n");
    /// # drop(builder);
    /// ```
    pub fn turn_away(mut self, farewell: impl Into<Vec<u8>>) -> Self
    where
        M: ConnectionMachine,
    {
        let farewell = farewell.into();
        self.ranges.check("turn_away", farewell.len(), 0..=4096);
        self.farewell = Some(farewell);
        self
    }

    /// Sets how many bytes of output a connection may have queued before its input and messages
    /// wait until the peer has read. 256 KiB by default, at least 1.
    ///
    /// For a machine that reads datagrams it is the largest datagram that is sent, and 65,507 at most. A larger one is
    /// lost, logged and counted ([`Stats::datagrams_unsent`](crate::Stats::datagrams_unsent)).
    ///
    /// It bounds memory for peers that do not read: with a mark of 16 KiB, 10,000 of them hold
    /// about 160 MB of output. One handler call may exceed it, and states that wait for nothing run
    /// all the same.
    pub fn output_mark(mut self, bytes: usize) -> Self {
        self.output_mark = self.ranges.check("output_mark", bytes, 1..=usize::MAX);
        self
    }

    /// Sets how many messages a connection's mailbox holds. 1,024 by default, at least 1, without an
    /// upper bound. A post to a full mailbox fails with
    /// [`TrySendError::Full`](crate::TrySendError::Full).
    ///
    /// A connection takes its messages in its next turn. Until then a turn of another connection may
    /// run 1,024 handlers, each of which may post. A mailbox takes memory for the messages in it, and
    /// an empty one keeps memory for 16 messages at most.
    pub fn mailbox(mut self, messages: usize) -> Self {
        let messages = self.ranges.check("mailbox", messages, 1..=usize::MAX);
        self.environment.mailboxes.set_bound(messages);
        self
    }
}
