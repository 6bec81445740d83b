use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Poll, Waker};

use crate::acceptor::Acceptor;
use crate::clock::Clock;
use crate::conn::Bounds;
use crate::handle::Control;
use crate::inbox::Inbox;
use crate::key::SLOTS;
use crate::listener::Listener;
use crate::pool::Prepared;
use crate::port::Port;
use crate::reactor::{Limits, Reactor};
use crate::signals::Signals;
use crate::{Address, Drive, Handle, Machine, Peer, Pool, PoolError, Timing, token};

/// Settings of a pool. Each has a default that suits a server.
///
/// ```
/// # use std::time::Duration;
/// # use fsm_runtime::prelude::*;
/// # #[state_machine(start = Talk, eof => Gone)]
/// # enum Echo {
/// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
/// #     #[end] Gone,
/// # }
/// # struct Client;
/// # impl echo::Handler for Client {
/// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
/// #         cx.write(bytes);
/// #         echo::AfterTalk::Talk
/// #     }
/// # }
/// let pool = Pool::builder::<Echo>("front")
///     .listen("127.0.0.1:7070")
///     .listen("unix:/run/front.sock")
///     .max_connections(50_000)
///     .drain_within(Duration::from_secs(10))
///     .handler(|_peer| Client);
/// # drop(pool);
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
    /// All that has a default.
    pub(crate) fn new(name: String) -> Self {
        let control = Arc::<Control>::default();
        Self {
            name,
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

    /// Adds an address to listen on, as [`Address::parse`] reads it; at most 32. Port 0 lets the
    /// system choose.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         cx.write(bytes);
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").listen("localhost:0");
    /// assert_eq!(echo.handler(|_peer| Client).start()?.addresses().len(), 2);
    ///
    /// let error = Pool::builder::<Echo>("echo").listen("7007").handler(|_peer| Client).start();
    /// assert!(matches!(error, Err(PoolError::Address { .. })));
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen.push(address.into());
        self
    }

    /// How many connections the system keeps waiting for us; 4,096 by default. The system may
    /// have a lower bound of its own (`net.core.somaxconn` on Linux).
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         cx.write(bytes);
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// // Where the system allows it, a burst of 16,384 clients waits to be accepted.
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").backlog(16_384);
    /// # let _running = echo.handler(|_peer| Client).start()?;
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn backlog(mut self, connections: u16) -> Self {
        self.backlog = connections.into();
        self
    }

    /// The most connections at a time; 10,000 by default, at least 1 and at most 2,147,483,647
    /// (524,287 where a pointer has 32 bits). At the limit the listeners
    /// pause, and new connections wait in the backlog until a sixteenth of the limit is free again.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         cx.write(bytes);
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # use std::{io::{Read, Write}, net::TcpStream};
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").max_connections(1);
    /// let running = echo.handler(|_peer| Client).start()?;
    /// # let address = running.addresses()[0].to_string();
    /// let mut first = TcpStream::connect(&address)?;
    /// first.write_all(b"1")?;
    /// first.read_exact(&mut [0])?;
    ///
    /// let mut second = TcpStream::connect(&address)?;
    /// second.write_all(b"2")?;
    /// assert_eq!(running.stats().accepted, 1);
    ///
    /// drop(first);
    /// second.read_exact(&mut [0])?;
    /// assert_eq!(running.stats().accepted, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, SLOTS / 2);
        self
    }

    /// How many bytes of output a connection may have queued, 256 KiB by default, before its
    /// input and messages are not taken up any more until the peer has read. One handler call may
    /// exceed it, and states that wait for nothing run all the same.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         cx.write(bytes);
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// // 10,000 clients that do not read hold about 160 MB of output, and not 2.6 GB.
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").output_mark(16 * 1024);
    /// # let _running = echo.handler(|_peer| Client).start()?;
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn output_mark(mut self, bytes: usize) -> Self {
        self.output = bytes.max(1);
        self
    }

    /// How many messages a connection's mailbox takes before those who post learn that it is full;
    /// 1,024 by default, at least 1. A connection takes them out when it has its turn, and a turn
    /// of somebody else who posts may be 1,024 handler calls long. A mailbox that is empty
    /// keeps memory for 16 of them at most.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::{io::{Read, Write}, net::TcpStream};
    /// # #[state_machine(start = Ask, message = u8, eof => Gone)]
    /// # enum Note {
    /// #     #[read(some, max = 16, idle = 60s => Gone)] #[to(Answer)] #[rest] Ask,
    /// #     #[wait(within = 1s => Gone)] #[to(Ask)] Answer,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl note::Handler for Client {
    /// fn ask(&mut self, _bytes: &[u8], cx: &mut Cx<'_, u8>) -> note::AfterAsk {
    ///     assert_eq!(cx.post(cx.key(), 1), Ok(()));
    ///     assert_eq!(cx.post(cx.key(), 2), Err(PostError::Full(2)));
    ///     note::AfterAsk::Answer
    /// }
    /// #     fn answer(&mut self, note: u8, cx: &mut Cx<'_, u8>) -> note::AfterAnswer {
    /// #         cx.write(&[note]);
    /// #         note::AfterAnswer::Ask
    /// #     }
    /// # }
    ///
    /// let pool = Pool::builder::<Note>("notes").listen("127.0.0.1:0").mailbox(1);
    /// # let running = pool.handler(|_peer| Client).start()?;
    /// # let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// # client.write_all(b"?")?;
    /// # let mut answer = [0];
    /// # client.read_exact(&mut answer)?;
    /// # assert_eq!(answer, [1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mailbox(self, messages: usize) -> Self {
        self.inbox.set_bound(messages.max(1));
        self
    }

    /// How long a drain waits for connections in the middle of something, 30 s by default, before
    /// it closes them.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Shout {
    /// #     #[read(until = b"\n", max = 64, limit => Gone, idle = 60s => Gone)]
    /// #     #[to(Line)] #[rest] Line,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl shout::Handler for Client {
    /// #     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
    /// #         cx.write(&line.to_ascii_uppercase());
    /// #         shout::AfterLine::Line
    /// #     }
    /// # }
    /// # use std::{io::{Read, Write}, net::TcpStream, time::Duration};
    /// let pool = Pool::builder::<Shout>("shout").listen("127.0.0.1:0");
    /// let pool = pool.drain_within(Duration::from_millis(50)).handler(|_peer| Client);
    /// let running = pool.start()?;
    ///
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// client.write_all(b"a line\nhalf a li")?;
    /// client.read_exact(&mut [0; 6])?;
    /// assert_eq!(running.drain()?.closed, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drain_within(mut self, time: Duration) -> Self {
        self.drain = time;
        self
    }

    /// How long output may wait without the peer taking any of it, 60 s by default. Then the
    /// connection is reset: a peer that has stopped reading holds neither memory nor a state
    /// without a deadline. Any byte that it takes starts the time anew. (nginx calls this
    /// `send_timeout`.)
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::bytes::Bytes;
    /// # use std::{io::Write, net::TcpStream, thread, time::Duration};
    /// # #[state_machine(start = Ask, eof => Gone)]
    /// # enum Flood {
    /// #     #[read(some, max = 16, idle = 60s => Gone)] #[to(Ask)] #[rest] Ask,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl flood::Handler for Client {
    /// #     fn ask(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> flood::AfterAsk {
    /// #         cx.send(Bytes::from(vec![0; 64 << 20]));
    /// #         flood::AfterAsk::Ask
    /// #     }
    /// # }
    /// let pool = Pool::builder::<Flood>("flood").listen("127.0.0.1:0");
    /// let pool = pool.send_timeout(Duration::from_millis(50)).handler(|_peer| Client);
    /// let running = pool.start()?;
    ///
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// client.write_all(b"give me 64 MiB")?;
    /// // It does not read them.
    /// while running.stats().stalled == 0 {
    ///     thread::yield_now();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    /// The same for a connection that has come to its end, 5 s by default. If the peer is still
    /// sending by then, it is also how long its end is waited for: closing at once would reset the
    /// connection, and the reset could overtake the last answer.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::{io::{Read, Write}, net::TcpStream, thread, time::Duration};
    /// # #[state_machine(start = Ask, eof => Gone)]
    /// # enum Once {
    /// #     #[read(some, max = 16, idle = 60s => Gone)] #[to(Gone)] #[rest] Ask,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl once::Handler for Client {
    /// #     fn ask(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> once::AfterAsk {
    /// #         cx.write(bytes);
    /// #         once::AfterAsk::Gone
    /// #     }
    /// # }
    /// let pool = Pool::builder::<Once>("once").listen("127.0.0.1:0");
    /// let running = pool.linger(Duration::from_millis(50)).handler(|_peer| Client).start()?;
    ///
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// client.write_all(b"bye")?;
    /// let mut answer = String::new();
    /// client.read_to_string(&mut answer)?;
    /// assert_eq!(answer, "bye");
    /// // The client has the end of the stream; the pool does not wait for the client's.
    /// while running.stats().open > 0 {
    ///     thread::yield_now();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// A handle to the pool, which also works before it starts: messages are then for nobody.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
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
    ///
    /// std::thread::spawn(move || handle.drain());
    /// running.join()?;
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn handle(&self) -> Handle<M> {
        Handle::new(Arc::clone(&self.control), self.inbox.clone())
    }

    /// Completes the pool: `make` gives each new connection its handler.
    ///
    /// `make` runs on the pool's thread, and must not block. The handler is dropped when its
    /// connection is gone, for whatever reason: what must be done then goes into its `Drop`.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::{io::Read, net::TcpStream};
    /// # #[state_machine(start = Greet)]
    /// # enum Guests {
    /// #     #[run] #[to(Gone)] Greet,
    /// #     #[end] Gone,
    /// # }
    /// struct Guest {
    ///     number: u32,
    /// }
    ///
    /// # impl guests::Handler for Guest {
    /// #     fn greet(&mut self, cx: &mut Cx<'_>) -> guests::AfterGreet {
    /// #         write!(cx, "you are number {}", self.number);
    /// #         guests::AfterGreet::Gone
    /// #     }
    /// # }
    /// let mut number = 0;
    /// let pool = Pool::builder::<Guests>("guests").listen("127.0.0.1:0").handler(move |_peer| {
    ///     number += 1;
    ///     Guest { number }
    /// });
    /// # let running = pool.start()?;
    /// # for number in 1..3 {
    /// #     let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// #     let mut answer = String::new();
    /// #     client.read_to_string(&mut answer)?;
    /// #     assert_eq!(answer, format!("you are number {number}"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handler<H, F>(self, make: F) -> Pool
    where
        M: Drive<H> + Machine<Seed = ()>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        let name = self.name.clone();
        let control = Arc::clone(&self.control);
        let connections = self.connections;
        let prepare = move |signals| self.prepare(make, signals);
        Pool::new(name, Box::new(prepare), control, connections)
    }

    fn prepare<H, F>(self, make: F, signals: bool) -> Result<Prepared, PoolError>
    where
        M: Drive<H> + Machine<Seed = ()>,
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
            stall: Timing::millis(self.stall, u64::MAX),
            linger: Timing::millis(self.linger, u64::MAX),
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
                backlog: usize::try_from(self.backlog).unwrap_or(usize::MAX),
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
