use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::{Poll, Waker};

use crate::acceptor::Acceptor;
use crate::clock::Clock;
use crate::conn::Bounds;
use crate::handle::{Control, Order};
use crate::inbox::Inbox;
use crate::key::INDEX_BITS;
use crate::listener::Listener;
use crate::open_files;
use crate::port::Port;
use crate::reactor::{Limits, Reactor};
use crate::signals::Signals;
use crate::{Address, Drive, Handle, Machine, Peer, PoolError, Stats, token};

/// Connections of one machine on a port of their own.
///
/// ```no_run
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
/// struct Client;
/// impl echo::Handler for Client {
///     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
///         cx.write(bytes);
///         echo::AfterTalk::Talk
///     }
/// }
///
/// fn main() -> Result<(), PoolError> {
///     Pool::builder::<Echo>("echo").listen("127.0.0.1:7007").handler(|_peer| Client).run()
/// }
/// ```
#[must_use = "a pool does nothing until it is run or started"]
pub struct Pool {
    name: String,
    prepare: Box<dyn FnOnce(bool) -> Result<Prepared, PoolError> + Send>,
    control: Arc<Control>,
    connections: usize,
}

/// A pool that is bound to its addresses.
struct Prepared {
    addresses: Vec<Address>,
    serve: Box<dyn FnOnce() -> Result<(), PoolError> + Send>,
}

impl Pool {
    /// Settings for a pool of machines `M`; the name is for logs and the thread.
    pub fn builder<M: Machine>(name: impl Into<String>) -> Builder<M> {
        let control = Arc::<Control>::default();
        Builder {
            name: name.into(),
            listen: Vec::new(),
            backlog: 4096,
            connections: 10_000,
            output: 256 * 1024,
            inbox: Inbox::new(1024, Box::new(Arc::clone(&control))),
            drain: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            linger: Duration::from_secs(5),
            control,
            machine: PhantomData,
        }
    }

    /// Serves on this thread until SIGTERM or SIGINT, then drains: nothing new is accepted,
    /// connections in a `#[rest]` state close, the others finish what they are doing. A second
    /// signal ends the process at once.
    ///
    /// On systems without these signals it serves until [`Handle::drain`].
    ///
    /// The process's limit of open files is raised to what
    /// [`max_connections`](Builder::max_connections) needs, as far as the system's hard limit
    /// allows.
    ///
    /// # Errors
    ///
    /// When the pool cannot listen where it should, or the system fails it later.
    pub fn run(self) -> Result<(), PoolError> {
        open_files::allow(&self.name, self.connections);
        let Prepared { addresses, serve } = (self.prepare)(true)?;
        log_addresses(&self.name, &addresses);
        serve()
    }

    /// Serves on a thread of its own, and leaves signals alone. It is listening when this returns.
    ///
    /// ```no_run
    /// # use fsm_runtime::{Pool, PoolError};
    /// # fn in_a_test(pool: Pool) -> Result<(), PoolError> {
    /// let running = pool.start()?;
    /// println!("listening on {}", running.addresses()[0]);
    /// let stats = running.drain()?;
    /// assert_eq!(stats.open, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the pool cannot listen where it should, or no thread can be made.
    pub fn start(self) -> Result<Running, PoolError> {
        let Prepared { addresses, serve } = (self.prepare)(false)?;
        log_addresses(&self.name, &addresses);
        let thread = thread::Builder::new()
            .name(format!("{}-0", self.name))
            .spawn(serve)
            .map_err(PoolError::io("start a thread"))?;
        Ok(Running { addresses, control: self.control, thread: Some(thread) })
    }
}

fn log_addresses(pool: &str, addresses: &[Address]) {
    for address in addresses {
        tracing::info!(pool, %address, "listening");
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Settings of a pool. Each has a default that suits a server.
///
/// ```
/// # use fsm_runtime::{Drive, Pool};
/// # use std::time::Duration;
/// # fn example<M: Drive<H>, H: Default + Send + 'static>() -> Pool {
/// Pool::builder::<M>("front")
///     .listen("127.0.0.1:7070")
///     .listen("unix:/run/front.sock")
///     .max_connections(50_000)
///     .drain_within(Duration::from_secs(10))
///     .handler(|_peer| H::default())
/// # }
/// ```
#[must_use = "settings do nothing until they have a handler"]
pub struct Builder<M: Machine> {
    name: String,
    listen: Vec<String>,
    backlog: i32,
    connections: usize,
    output: usize,
    inbox: Inbox<M::Message>,
    drain: Duration,
    stall: Duration,
    linger: Duration,
    control: Arc<Control>,
    machine: PhantomData<fn() -> M>,
}

impl<M: Machine> Builder<M> {
    /// Adds an address to listen on, as [`Address::parse`] reads it; at most 32. Port 0 lets the
    /// system choose.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen.push(address.into());
        self
    }

    /// How many connections the system keeps waiting for us; 4,096 by default. The system may
    /// have a lower bound of its own (`net.core.somaxconn` on Linux).
    pub fn backlog(mut self, connections: u16) -> Self {
        self.backlog = connections.into();
        self
    }

    /// The most connections at a time; 10,000 by default, at least 1. At the limit the listeners
    /// pause, and new connections wait in the backlog until a sixteenth of the limit is free again.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, (1 << (INDEX_BITS - 1)) - 1);
        self
    }

    /// How many bytes of output a connection may have queued, 256 KiB by default, before its
    /// handlers are not called any more until the peer has read. One handler call may exceed it.
    pub fn output_mark(mut self, bytes: usize) -> Self {
        self.output = bytes.max(1);
        self
    }

    /// How many messages a connection's mailbox takes before those who post learn that it is full;
    /// 1,024 by default, at least 1. A connection takes them out when it has its turn, and a turn
    /// of somebody else who posts may be 1,024 handler calls long. A mailbox that is empty takes no
    /// memory for them.
    pub fn mailbox(self, messages: usize) -> Self {
        self.inbox.set_bound(messages.max(1));
        self
    }

    /// How long a drain waits for connections in the middle of something, 30 s by default, before
    /// it closes them.
    pub fn drain_within(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// How long output may wait without the peer taking any of it, 60 s by default. Then the
    /// connection is reset: a peer that has stopped reading holds neither memory nor a state
    /// without a deadline. Any byte that it takes starts the time anew. (nginx calls this
    /// `send_timeout`.)
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    /// The same for a connection that has come to its end, 5 s by default; and how long it then
    /// waits for the peer to stop sending, if it was.
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// A handle to the pool, which also works before it starts: messages are then for nobody.
    pub fn handle(&self) -> Handle<M> {
        Handle::new(Arc::clone(&self.control), self.inbox.clone())
    }

    /// Completes the pool: `make` gives each new connection its handler.
    ///
    /// `make` runs on the pool's thread, and must not block. The handler is dropped when its
    /// connection is gone, for whatever reason: what must be done then goes into its `Drop`.
    pub fn handler<H, F>(self, make: F) -> Pool
    where
        M: Drive<H>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        let name = self.name.clone();
        let control = Arc::clone(&self.control);
        let connections = self.connections;
        let prepare = move |signals| self.prepare(make, signals);
        Pool { name, prepare: Box::new(prepare), control, connections }
    }

    fn prepare<H, F>(self, make: F, signals: bool) -> Result<Prepared, PoolError>
    where
        M: Drive<H>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        let poll = Poll::new().map_err(PoolError::io("make a poll"))?;
        let mut acceptors = Vec::new();
        let mut addresses = Vec::new();
        for address in &self.listen {
            if acceptors.len() == token::LISTENERS {
                let why = format!("a pool listens on at most {} addresses", token::LISTENERS);
                return Err(PoolError::Address { address: address.clone(), why });
            }
            let mut listener = Listener::bind(&Address::parse(address)?, self.backlog)?;
            listener
                .register(poll.registry(), token::listener(acceptors.len()))
                .map_err(PoolError::io("register a listener"))?;
            addresses.push(listener.address().map_err(PoolError::io("see where it listens"))?);
            acceptors.push(Acceptor::new(listener));
        }
        let waker = Waker::new(poll.registry(), token::WAKER);
        self.control.attach(waker.map_err(PoolError::io("make a waker"))?);
        let signals = signals.then(|| Signals::install(poll.registry())).transpose();
        let clock = Clock::new(Instant::now());
        let bounds = Bounds {
            calls: 1024,
            bytes: 256 * 1024,
            output: self.output,
            stall: u64::try_from(self.stall.as_millis()).unwrap_or(u64::MAX),
            linger: u64::try_from(self.linger.as_millis()).unwrap_or(u64::MAX),
        };
        let counters = Arc::clone(&self.control.counters);
        let reactor = Reactor::<M, H, F> {
            name: self.name,
            port: Port::new(bounds, self.inbox, counters),
            acceptors,
            signals: signals.map_err(PoolError::io("listen for signals"))?,
            poll,
            make,
            control: self.control,
            limits: Limits {
                connections: self.connections,
                resume: self.connections - (self.connections / 16).max(1),
                drain: self.drain,
            },
            clock,
            full: false,
            drained_by: None,
        };
        Ok(Prepared { addresses, serve: Box::new(move || reactor.run()) })
    }
}

impl<M: Machine> fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// A pool that serves on a thread of its own. Dropping it closes the pool.
#[derive(Debug)]
#[must_use = "dropping it closes the pool"]
pub struct Running {
    addresses: Vec<Address>,
    control: Arc<Control>,
    thread: Option<JoinHandle<Result<(), PoolError>>>,
}

impl Running {
    /// Where it listens, in the order of the [`Builder::listen`] calls, with the ports that the
    /// system chose.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// What it has counted until now.
    pub fn stats(&self) -> Stats {
        self.control.counters.snapshot()
    }

    /// Drains it and waits for its end; says what it counted.
    ///
    /// # Errors
    ///
    /// When the system failed the pool.
    pub fn drain(self) -> Result<Stats, PoolError> {
        self.control.give(Order::Drain);
        self.join()
    }

    /// Waits for its end, which somebody else must have ordered; says what it counted.
    ///
    /// # Errors
    ///
    /// When the system failed the pool.
    pub fn join(mut self) -> Result<Stats, PoolError> {
        self.wait()?;
        Ok(self.stats())
    }

    fn wait(&mut self) -> Result<(), PoolError> {
        let ended = self.thread.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_| {
            Err(PoolError::io("serve")(io::Error::other("the pool's thread panicked")))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.give(Order::Close);
        if let Err(error) = self.wait() {
            tracing::error!(%error, "a pool failed");
        }
    }
}
