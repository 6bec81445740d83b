use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use crate::call::mailboxes::Mailboxes;
use crate::job::Make;
use crate::key::{PORTS, SLOTS};
use crate::lifecycle::pool_state::PoolState;
use crate::machine::limits::Limits;
use crate::machine::route::RouteKind;
use crate::scheduler::shared::THREADS;
use crate::server::prepared::Accepts;
use crate::{Connection, Drive, Handle, JobMachine, Machine, Peer, Pool, Timing};

mod connections;
mod jobs;

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
    reuse_port: bool,
    shards: usize,
    threads: usize,
    max_running: Option<usize>,
    watchdog: bool,
    /// The most connections or jobs.
    limit: usize,
    output: usize,
    mailboxes: Mailboxes<M::Message>,
    drain: Duration,
    stall: Duration,
    linger: Duration,
    pool_state: Arc<PoolState>,
    seed: Option<fn() -> M::Seed>,
    machine: PhantomData<fn() -> M>,
}

impl<M: Machine> Builder<M> {
    /// All that has a default.
    pub(crate) fn new(name: String) -> Self {
        let limit = 10_000;
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
            output: 256 * 1024,
            mailboxes: Mailboxes::default(),
            drain: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            linger: Duration::from_secs(5),
            pool_state: Arc::new(PoolState::new(limit)),
            seed: None,
            machine: PhantomData,
        }
    }

    /// Adds an address to listen on, as [`Address::parse`](crate::Address::parse) reads it; at most
    /// 32. Port 0 lets the system choose.
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
    pub fn listen(mut self, address: impl Into<String>) -> Self
    where
        M: Machine<Seed = (), Kind = Connection>,
    {
        self.listen.push(address.into());
        self.seed = Some(|| ());
        self
    }

    /// How many ports it has, each with a poll and threads of its own; 1 by default, at most 64.
    /// Connections are placed on the port that has the fewest.
    ///
    /// With one thread a port these are what other servers call shards.
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
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").shards(2);
    /// drop(echo.handler(|_peer| Client).start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards.clamp(1, PORTS.min(64));
        self
    }

    /// How many threads each port has; 1 by default, at most 64. No more of them run than
    /// [`cap`](Builder::max_running) says: the others are there for when one blocks.
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
    /// // Two run at a time; should both block, two others go on.
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").threads(4).max_running(2);
    /// drop(echo.handler(|_peer| Client).start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, THREADS);
        self
    }

    /// How many threads of a port run handlers at a time; at least 1. By default as many as there
    /// are processors, or fewer where there are fewer threads.
    ///
    /// A thread that blocks does not count: see [`Cx::blocking`](crate::Cx::blocking). (It is the
    /// concurrency value of a Win32 I/O completion port.)
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
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").threads(8).max_running(1);
    /// drop(echo.handler(|_peer| Client).start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn max_running(mut self, running: usize) -> Self {
        self.max_running = Some(running.max(1));
        self
    }

    /// Whether handlers that block without saying so are noticed; they are by default, on Linux.
    ///
    /// A thread of the process, the watchdog, looks at handlers that have run for half a millisecond
    /// while work waits for a thread. One that sleeps does not count to the [`cap`](Builder::max_running)
    /// until it goes on, and one that runs for a tenth of a second is warned about in the log. What is
    /// declared with [`Cx::blocking`](crate::Cx::blocking) needs no watchdog. A port with one thread
    /// has no other to give way to, but the warnings.
    ///
    /// It sleeps while nothing runs, and looks four times a second while no work waits. Turn it off to
    /// see what it does for you.
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
    /// // Four handlers that wait in a `std::thread::sleep` hold up all the others.
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0");
    /// let echo = echo.threads(8).max_running(4).watchdog(false);
    /// drop(echo.handler(|_peer| Client).start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn watchdog(mut self, watchdog: bool) -> Self {
        self.watchdog = watchdog;
        self
    }

    /// Gives each port listeners of its own, among which the system spreads the connections
    /// (`SO_REUSEPORT`). Without it one port listens for all and places each connection where there
    /// are the fewest.
    ///
    /// A port keeps what the system gives it, so one that is slow is given as much as the others. It
    /// is for very many short connections, where accepting them is most of the work. Another process
    /// of the same user can then listen on the same address too. On systems without the option, and
    /// for Unix sockets, it does nothing.
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
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").shards(2).reuse_port();
    /// drop(echo.handler(|_peer| Client).start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn reuse_port(mut self) -> Self {
        self.reuse_port = true;
        self
    }

    /// How many jobs it has at most, running and waiting for a thread; 1,024 by default. Callers
    /// beyond that wait for room, or take their `full` edge.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Count, job = String, reply = usize)]
    /// # enum Length {
    /// #     #[run] #[to(Done)] Count { text: String },
    /// #     #[end] Done,
    /// # }
    /// # struct Counter;
    /// # impl length::Handler for Counter {
    /// #     fn count(&mut self, text: &mut String, _: &mut JobCx<'_>) -> length::AfterCount {
    /// #         length::AfterCount::Done { reply: text.len() }
    /// #     }
    /// # }
    /// let pool = Pool::builder::<Length>("length").max_jobs(64).worker(|| Counter);
    /// # drop(pool);
    /// ```
    pub fn max_jobs(mut self, jobs: usize) -> Self
    where
        M: JobMachine,
    {
        self.limit = jobs.clamp(1, SLOTS / 2);
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
        self.limit = connections.clamp(1, SLOTS / 2);
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
    ///     assert_eq!(cx.post(cx.key(), 2), Err(TrySendError::Full(2)));
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
        self.mailboxes.set_bound(messages.max(1));
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
    /// while running.stats().send_timeouts == 0 {
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
        Handle::new(Arc::clone(&self.pool_state), self.mailboxes.clone())
    }

    /// Completes the pool: `make` gives each new connection its handler.
    ///
    /// `make` is called in the first turn of the connection, for one connection of the pool at a time.
    /// The handler is dropped when its connection is gone, for whatever reason: what must be done then
    /// goes into its `Drop`.
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
        M: Drive<H> + Machine<Kind = Connection>,
        H: Send + 'static,
        F: FnMut(Peer) -> H + Send + 'static,
    {
        let limit = self.limit;
        let resume = limit - (limit / 16).max(1);
        self.pool_state.set_limit(limit, resume);
        let (name, pool_state) = (self.name.clone(), Arc::clone(&self.pool_state));
        let takes = Accepts { kind: RouteKind::HandOff, target: TypeId::of::<M>() };
        let prepare = Box::new(move || self.connections(make));
        Pool::new::<M>(name, prepare, pool_state, limit, takes)
    }

    /// Takes the function that makes the handler of a worker thread, and has the pool complete.
    ///
    /// A handler is made on each of the pool's threads when it starts, and serves all jobs that run
    /// there, one after another: it is the place for a connection to a database. A job that panics
    /// is its end; then another one is made. If that fails the thread tries again ten times a second, and
    /// takes no jobs until it has one. While the pool drains jobs without a handler fail.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Count, job = String, reply = usize)]
    /// # enum Length {
    /// #     #[run] #[to(Done)] Count { text: String },
    /// #     #[end] Done,
    /// # }
    /// # struct Counter;
    /// # impl length::Handler for Counter {
    /// #     fn count(&mut self, text: &mut String, _: &mut JobCx<'_>) -> length::AfterCount {
    /// #         length::AfterCount::Done { reply: text.len() }
    /// #     }
    /// # }
    /// let pool = Pool::builder::<Length>("length").threads(2).worker(|| Counter);
    /// drop(pool.start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn worker<H, F>(self, make: F) -> Pool
    where
        M: JobMachine + Drive<H>,
        H: 'static,
        F: Fn() -> H + Send + Sync + 'static,
    {
        self.try_worker(move || Ok::<H, std::convert::Infallible>(make()))
    }

    /// The same with a function that may fail: then the pool does not start, and
    /// [`PoolError::Handler`](crate::PoolError::Handler) says why.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # #[state_machine(start = Count, job = String, reply = usize)]
    /// # enum Length {
    /// #     #[run] #[to(Done)] Count { text: String },
    /// #     #[end] Done,
    /// # }
    /// # struct Counter;
    /// # impl length::Handler for Counter {
    /// #     fn count(&mut self, text: &mut String, _: &mut JobCx<'_>) -> length::AfterCount {
    /// #         length::AfterCount::Done { reply: text.len() }
    /// #     }
    /// # }
    /// let pool = Pool::builder::<Length>("length").try_worker(|| Err::<Counter, _>("no database"));
    /// let error = pool.start().unwrap_err();
    /// assert_eq!(error.to_string(), "the pool `length` cannot make a handler: no database");
    /// ```
    pub fn try_worker<H, E, F>(self, make: F) -> Pool
    where
        M: JobMachine + Drive<H>,
        H: 'static,
        E: fmt::Display,
        F: Fn() -> Result<H, E> + Send + Sync + 'static,
    {
        self.serves::<M, H, E, F>(make)
    }

    /// Completes a pool that takes the jobs of `S`.
    pub(crate) fn serves<S, H, E, F>(self, make: F) -> Pool
    where
        S: crate::Service<Job = M::Job, Reply = M::Reply>,
        M: JobMachine + Drive<H>,
        H: 'static,
        E: fmt::Display,
        F: Fn() -> Result<H, E> + Send + Sync + 'static,
    {
        let limit = self.limit;
        self.pool_state.set_limit(limit, limit);
        let (name, pool_state) = (self.name.clone(), Arc::clone(&self.pool_state));
        let takes = Accepts { kind: RouteKind::Call, target: TypeId::of::<S>() };
        let make = move || make().map_err(|error| error.to_string());
        let prepare = Box::new(move || Ok(self.jobs::<S, H>(&(Arc::new(make) as Arc<Make<H>>))));
        Pool::new::<M>(name, prepare, pool_state, 0, takes)
    }

    /// The threads of a port, and how many of them run.
    fn threads_and_cap(&self) -> (usize, usize) {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let cap = self.max_running.unwrap_or(processors).min(self.threads);
        (self.threads, cap)
    }

    fn bounds(&self) -> Limits {
        Limits {
            calls: 1024,
            bytes: 256 * 1024,
            output: self.output,
            stall: Timing::millis(self.stall, u64::MAX),
            linger: Timing::millis(self.linger, u64::MAX),
        }
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
