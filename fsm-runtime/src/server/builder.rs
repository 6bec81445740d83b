use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use self::connect::Connect;
use self::listen::{Listen, Listens};
use self::ranges::Ranges;
use self::visible::ShowOfAny;
use crate::key::PORTS;
use crate::lifecycle::facts::PoolFacts;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::environment::{Environment, EnvironmentOf};
use crate::machine::limits::Limits;
use crate::net::listener::ListeningSocket;
use crate::scheduler::shared::THREADS;
use crate::{Handle, Machine, OpenMachine, Plain, Transport};

mod completion;
pub(crate) mod connect;
mod connections;
mod datagrams;
mod jobs;
mod layer;
mod limits;
mod listen;
mod ranges;
mod shard;
mod threads;
mod times;
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
    drain_grace: Duration,
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
            drain_grace: Duration::from_millis(Limits::DEFAULT.drain_grace),
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
