use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use self::connect::Connect;
use self::listen::{Listen, Listens};
use self::ranges::Ranges;
use self::visible::ShowOfAny;
use crate::key::{MAX_TASKS, PORTS};
use crate::lifecycle::facts::PoolFacts;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::environment::{Environment, EnvironmentOf};
use crate::machine::limits::Limits;
use crate::net::listener::ListeningSocket;
use crate::scheduler::shared::THREADS;
use crate::{ConnectionMachine, Handle, Machine, OpenMachine, Plain, Service, Transport};

mod completion;
pub(crate) mod connect;
mod connections;
mod datagrams;
mod jobs;
mod layer;
mod listen;
mod ranges;
mod shard;
mod threads;
#[cfg(feature = "tls")]
mod tls;
mod visible;

/// The most shards of a pool.
pub(crate) const MAX_SHARDS: usize = if PORTS < 64 { PORTS } else { 64 };

/// Settings of a pool. Each has a default that suits a server.
///
/// [`handler`](Builder::handler) completes a pool of connections, [`worker`](Builder::worker) or
/// [`try_worker`](Builder::try_worker) a pool of jobs. A number that is out of its range makes the start of
/// the pool fail with [`PoolError::Setting`](crate::PoolError::Setting).
///
/// ```
/// use std::time::Duration;
///
/// use fsm_runtime::prelude::*;
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)]
///     #[to(Talk)]
///     #[rest]
///     Talk,
///     #[end]
///     Gone,
/// }
///
/// /// A client, by its number.
/// struct Client(u64);
///
/// impl echo::Handler for Client {
///     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
///         cx.write(format!("you are number {}; ", self.0).as_bytes());
///         cx.write(bytes);
///         echo::AfterTalk::Talk
///     }
/// }
///
/// let mut clients = 0;
/// let builder = Pool::builder::<Echo>("front")
///     .listen("127.0.0.1:7070")
///     .listen("unix:/run/front.sock")
///     .shards(4)
///     .max_connections(50_000)
///     .drain_within(Duration::from_secs(10));
/// // A handle is good before the pool starts, and for as long as it runs.
/// let handle = builder.handle();
/// let pool = builder.handler(move |_peer| {
///     clients += 1;
///     Client(clients)
/// });
/// assert_eq!(handle.stats().open, 0);
/// # drop(pool);
/// ```
#[must_use = "settings do nothing until they have a handler"]
pub struct Builder<M: Machine, L: Transport = Plain> {
    name: String,
    listen: Vec<Listens>,
    backlog: i32,
    reuse_port: bool,
    shards: usize,
    /// The threads of each shard.
    threads: usize,
    max_running: Option<usize>,
    watchdog: bool,
    /// The most connections.
    limit: usize,
    shed_at_rest: bool,
    /// The farewell to new clients at the limit, in a pool that turns them away.
    farewell: Option<Vec<u8>>,
    /// One journey in so many is measured.
    journeys: Option<u32>,
    /// The most jobs.
    max_jobs: usize,
    connect: Connect,
    output_mark: usize,
    environment: EnvironmentOf<M>,
    /// Labels connections for snapshots.
    show: Option<ShowOfAny>,
    drain_within: Duration,
    send_timeout: Duration,
    linger: Duration,
    state: Arc<PoolState>,
    /// Somebody has a handle, with which streams may be handed in.
    has_handle: Cell<bool>,
    ranges: Ranges,
    /// Makes the seed of the machine of an accepted connection; set by `listen`.
    seed: Option<fn() -> M::Seed>,
    layer: L::Settings,
    machine: PhantomData<fn() -> M>,
}

impl<M: Machine> Builder<M> {
    pub(crate) fn new(name: String) -> Self {
        let limit = 10_000;
        let state = Arc::new(PoolState::new(PoolFacts::new(&name, M::SPEC), limit));
        Self {
            name,
            listen: Vec::new(),
            backlog: 4096,
            reuse_port: false,
            shards: 1,
            threads: 1,
            max_running: None,
            watchdog: true,
            limit,
            shed_at_rest: false,
            farewell: None,
            journeys: None,
            max_jobs: limit,
            connect: Connect::default(),
            output_mark: Limits::DEFAULT.output,
            environment: Environment::default(),
            show: None,
            drain_within: Duration::from_secs(30),
            send_timeout: Duration::from_millis(Limits::DEFAULT.send_timeout),
            linger: Duration::from_millis(Limits::DEFAULT.linger),
            state,
            has_handle: Cell::new(false),
            ranges: Ranges::default(),
            seed: None,
            layer: (),
            machine: PhantomData,
        }
    }
}

impl<M: Machine, L: Transport> Builder<M, L> {
    /// Adds an address to listen on, in the syntax of [`Address::parse`](crate::Address::parse):
    /// TCP like `127.0.0.1:7070`, a Unix socket like `unix:/run/front.sock`, or sockets that listen already
    /// and that a service manager has passed, like `fd:front`. For a machine that reads datagrams it is UDP like
    /// `udp:127.0.0.1:7070`, and nothing else; a pool whose machine and address do not fit does not start
    /// ([`PoolError::Datagrams`](crate::PoolError::Datagrams)).
    ///
    /// A pool listens on at most 32 addresses. With port 0 the system chooses a free one, which
    /// [`Running::addresses`](crate::Running::addresses) returns. An address that is wrong, or a
    /// 33rd one, makes the start of the pool fail with [`PoolError::Address`](crate::PoolError::Address).
    ///
    /// # Sockets of a service manager
    ///
    /// On Linux systemd and others pass sockets as descriptors from 3 on, and say so in the variables
    /// `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`. `fd:NAME` are all sockets of that name
    /// (`FileDescriptorName=` in a `.socket` unit, and else the name of that unit), and `fd:3` is the descriptor
    /// of that number. Sockets without names are called `unknown`, as systemd calls them. They are used as those of
    /// [`listener`](Builder::listener) are: the system keeps connections while the server restarts.
    ///
    /// The first call with such an address takes all sockets that were passed, and marks them so that other
    /// programs which the process starts do not inherit them; call it before the process has threads that open
    /// files or start programs. Each socket can be used once: a second pool
    /// that wants it does not start. The variables stay as they are. Where `LISTEN_PID` is another process, no
    /// socket was passed, and the pool does not start.
    pub fn listen(self, address: impl Into<String>) -> Self
    where
        M: OpenMachine,
    {
        self.listen_at(address.into(), false)
    }

    fn listen_at(mut self, address: String, plain: bool) -> Self
    where
        M: OpenMachine,
    {
        #[cfg(target_os = "linux")]
        if address.starts_with("fd:") {
            crate::net::passed::claim();
        }
        self.listen.push(Listens { on: Listen::Address(address), plain });
        self.seed = Some(|| ());
        self
    }

    /// Adds a socket that listens already: one that a service manager or another process has handed over, or
    /// that was bound with options of the caller's.
    ///
    /// The pool makes the socket non-blocking and, for TCP, sets `TCP_NODELAY`; both can be seen by others that
    /// have the same socket. [`backlog`](Builder::backlog) and [`reuse_port`](Builder::reuse_port) do not apply
    /// to it. At its end the pool closes its copy of the socket: connections that still come wait in the
    /// queue of the socket for as long as somebody has another copy. The file of a Unix socket stays where it
    /// is.
    ///
    /// It counts as one of the pool's addresses. A socket that does not listen makes the start of the pool
    /// fail with [`PoolError::Io`](crate::PoolError::Io), where the system tells (Linux, Android and FreeBSD).
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use std::net::TcpListener;
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 4KiB, idle = 60s => Gone)] #[to(Line)] Line,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn line(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterLine {
    /// #         cx.write(bytes);
    /// #         echo::AfterLine::Line
    /// #     }
    /// # }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let address = listener.local_addr()?;
    /// let running =
    ///     Pool::builder::<Echo>("echo").listener(listener).handler(|_peer| Client).start()?;
    /// assert_eq!(running.addresses()[0].to_string(), address.to_string());
    /// # Ok(())
    /// # }
    /// ```
    pub fn listener(mut self, listener: impl Into<ListeningSocket>) -> Self
    where
        M: OpenMachine,
    {
        self.listen.push(Listens { on: Listen::Socket(listener.into()), plain: false });
        self.seed = Some(|| ());
        self
    }

    /// Sets the number of shards: ports with a poll and threads of their own. 1 by default, at most
    /// [`Pool::MAX_SHARDS`](crate::Pool::MAX_SHARDS).
    ///
    /// A connection stays on its shard. The shard with the fewest connections gets the next one.
    /// A pool of jobs has one shard, whatever is set here.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = self.ranges.check("shards", shards, 1..=MAX_SHARDS);
        self
    }

    /// Sets the number of threads of each shard. 1 by default, at most
    /// [`Pool::MAX_THREADS`](crate::Pool::MAX_THREADS).
    ///
    /// No more than [`max_running`](Builder::max_running) of them run handlers at a time. The
    /// others take over when a handler blocks.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = self.ranges.check("threads", threads, 1..=THREADS);
        self
    }

    /// Sets how many threads of a shard run handlers at a time, at least 1 and at most
    /// [`Pool::MAX_THREADS`](crate::Pool::MAX_THREADS). By default as many as there are processors. A number
    /// above that of the threads lets all of them run.
    ///
    /// A thread that blocks does not count: see [`Cx::blocking`](crate::Cx::blocking) and
    /// [`watchdog`](Builder::watchdog). (A Win32 I/O completion port calls this its concurrency
    /// value.)
    pub fn max_running(mut self, running: usize) -> Self {
        self.max_running = Some(self.ranges.check("max_running", running, 1..=THREADS));
        self
    }

    /// Turns the watchdog on or off, which notices handlers that block without declaring it. It is
    /// on by default, and works on Linux.
    ///
    /// The watchdog is a thread of the process. While work waits for a thread, it looks at handlers
    /// that have run for half a millisecond or more. A thread that is asleep then does not count for
    /// [`max_running`](Builder::max_running) until it runs again. A handler that runs for a tenth of a
    /// second is warned about in the log, also in a shard with a single thread, where no other
    /// could take over.
    ///
    /// It looks four times a second while no work waits, and not at all while nothing runs.
    /// Blocking that is declared with [`Cx::blocking`](crate::Cx::blocking) needs no watchdog.
    pub fn watchdog(mut self, watchdog: bool) -> Self {
        self.watchdog = watchdog;
        self
    }

    /// Gives each shard TCP listeners of its own, among which the system spreads the connections
    /// (`SO_REUSEPORT`). Without it the first shard listens for all.
    ///
    /// It is for very many short connections, where accepting them is most of the work. A shard
    /// keeps the connections that the system gives it, so a slow shard gets as many as the others.
    /// Another process of the same user can listen on the same address, too.
    ///
    /// A machine that reads datagrams uses more than the first shard only with this, and each peer stays on the
    /// shard that the system chooses. It has no effect on Unix sockets, and on systems without the option.
    pub fn reuse_port(mut self) -> Self {
        self.reuse_port = true;
        self
    }

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
    /// A connection is at rest in a `#[rest]` state while nothing of it is unread or unsent and no reply to a job
    /// of its is to come. It ends as in a drain: over the `drain` edge of its state if there is one, so that it can
    /// say goodbye, and otherwise with the end of the stream. Requests that have arrived by then are answered
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

    /// Sets the settings of the pool, which expressions in attributes know as `settings` and handlers
    /// as [`cx.settings()`](crate::Cx::settings). The default value of their type by default.
    ///
    /// The value does not change while the pool runs. A setting that may change is an atomic, or has a
    /// lock; a time or a size in it counts from the next time that it is armed or read.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[derive(Default)]
    /// struct Limits {
    ///     idle: Duration,
    ///     line: usize,
    /// }
    ///
    /// #[state_machine(start = Line, settings = Limits, eof => Gone, limit => Gone)]
    /// enum Lines {
    ///     #[read(until = b"\n", max = settings.line <= 64KiB, idle = settings.idle <= 1h => Gone)]
    ///     #[to(Line)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// # fn main() {
    /// let limits = Limits { idle: Duration::from_secs(300), line: 512 };
    /// let builder = Pool::builder::<Lines>("lines").settings(limits);
    /// # drop(builder);
    /// # }
    /// ```
    pub fn settings(mut self, settings: M::Settings) -> Self {
        self.environment.settings = Arc::new(settings);
        self
    }

    /// Sets how long a drain lets connections and jobs finish. After that it closes them. 30 s by
    /// default. In whole milliseconds, rounded up; zero counts as one.
    pub fn drain_within(mut self, time: Duration) -> Self {
        self.drain_within = time;
        self
    }

    /// Sets how long output may wait while the peer takes none of it. After that the connection is
    /// reset. 60 s by default. In whole milliseconds, rounded up; zero counts as one. (nginx has a
    /// `send_timeout`, too.)
    ///
    /// The time starts anew with any byte that the peer takes. It bounds how long a peer that does not
    /// read occupies memory, also in a state without a deadline.
    ///
    /// It is also the time for the handshake of TLS or of a layer that begins with the connection, whatever the
    /// deadline of the machine: after that the connection ends as a handshake that has failed.
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.send_timeout = time;
        self
    }

    /// Sets the [`send_timeout`](Builder::send_timeout) of a connection whose machine has reached an
    /// end state. 5 s by default. In whole milliseconds, rounded up; zero counts as one.
    ///
    /// When all output is sent, the server ends its stream. If the last turn sent something, or the peer
    /// is still sending, the connection then reads and drops input until the peer ends its stream, for
    /// this time at most. Otherwise a peer that sends before it reads, such as an HTTP client whose upload
    /// is refused, would get a reset and not the answer. (nginx calls this `lingering_close`.) A drain does
    /// not wait for peers that are silent by then.
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// Returns a handle to the pool. It works before the pool starts: a drain or close takes effect
    /// at the start, and messages and jobs come back as [`Gone`](crate::TrySendError::Gone).
    pub fn handle(&self) -> Handle<M> {
        self.has_handle.set(true);
        Handle::new(Arc::clone(&self.state), self.environment.mailboxes.clone())
    }

    #[cfg(unix)]
    pub(crate) fn longest_drain(&self) -> Duration {
        self.drain_within
    }

    /// The state that the threads and handles of the pool will share.
    #[cfg(unix)]
    pub(crate) fn state(&self) -> Arc<PoolState> {
        Arc::clone(&self.state)
    }
}

impl<M: Machine, L: Transport> fmt::Debug for Builder<M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}
