//! Machines without sockets: one connection on a pipe in memory, with a clock that the test moves.
//!
//! It is the same port, with the same deadlines and drain, as the one that serves sockets; only the
//! bytes and the time come from the test. Its bounds are those of a pool by default, but for an
//! output mark of 64 KiB. Nothing here sleeps or depends on another thread.
//!
//! ```
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::sim::Session;
//! use std::time::Duration;
//!
//! #[state_machine(start = Line, eof => Gone)]
//! enum Shout {
//!     #[read(until = b"\n", max = 64, limit => Gone, within = 10s => Late)]
//!     #[to(Line)]
//!     Line,
//!     /// Says that it was too slow.
//!     #[run]
//!     #[to(Gone)]
//!     Late,
//!     #[end]
//!     Gone,
//! }
//!
//! # struct Client;
//! # impl shout::Handler for Client {
//! #     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
//! #         cx.write(&line.to_ascii_uppercase());
//! #         shout::AfterLine::Line
//! #     }
//! #     fn late(&mut self, cx: &mut Cx<'_>) -> shout::AfterLate {
//! #         cx.write(b"too late");
//! #         shout::AfterLate::Gone
//! #     }
//! # }
//! // Nobody waits ten seconds for this.
//! let mut peer = Session::<Shout, _>::new(Client);
//! peer.advance(Duration::from_secs(10));
//! assert_eq!(peer.receive(), b"too late");
//! ```

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::call::mailboxes::Mailboxes;
use crate::connection::ConnectionTask;
use crate::connection::scratch::Scratch;
use crate::machine::limits::Limits;
use crate::machine::runner::started;
use crate::net::readiness::Readiness;
use crate::{Connection, Drive, Ended, Machine, Service, TrySendError};

pub mod check;
mod harness;
mod job_session;
mod pipe;
mod port;
mod stub_pools;

use self::harness::Harness;
pub use self::job_session::JobSession;
use self::pipe::{Pipe, PipeEnd};

/// The bounds of a pool by default, but for the output mark.
const BOUNDS: Limits =
    Limits { calls: 1024, bytes: 256 * 1024, output: 64 * 1024, stall: 60_000, linger: 5_000 };

/// A client's end of one connection to a machine, for tests.
///
/// What the client does is answered before the call returns.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::sim::Session;
/// use std::time::Duration;
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
/// let mut peer = Session::<Echo, _>::new(Client);
/// peer.send(b"hello");
/// assert_eq!(peer.receive(), b"hello");
///
/// peer.advance(Duration::from_secs(59));
/// assert_eq!(peer.state(), Some("Talk"));
/// peer.advance(Duration::from_secs(1));
/// assert_eq!(peer.ended(), Some(Ended::Done));
/// ```
pub struct Session<M: Drive<H>, H> {
    harness: Harness<ConnectionTask<M, H, PipeEnd>>,
    pipe: Rc<Pipe>,
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Session<M, H> {
    /// Connects to a machine in its start state.
    pub fn new(handler: H) -> Self
    where
        M: Machine<Seed = ()>,
    {
        let mut session = Self::with_calls(handler, BOUNDS.calls);
        session.harness.run(Readiness::NONE);
        session
    }

    /// A connection that has been handed over with `seed`.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Hello, seed = String, eof => Gone)]
    /// enum Echo {
    ///     #[run]
    ///     #[to(Talk)]
    ///     Hello { name: String },
    ///     #[read(some, max = 16KiB, idle = 60s => Gone)]
    ///     #[to(Talk)]
    ///     #[rest]
    ///     Talk,
    ///     #[end]
    ///     Gone,
    /// }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn hello(&mut self, name: &mut String, cx: &mut Cx<'_>) -> echo::AfterHello {
    /// #         write!(cx, "hello {name}");
    /// #         echo::AfterHello::Talk
    /// #     }
    /// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         cx.write(bytes);
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    ///
    /// let mut peer = Session::<Echo, _>::seeded(Client, "Ann".to_owned());
    /// assert_eq!(peer.receive(), b"hello Ann");
    /// ```
    pub fn seeded(handler: H, seed: M::Seed) -> Self {
        let mut session = Self::start(handler, seed, BOUNDS.calls);
        session.harness.run(Readiness::NONE);
        session
    }

    /// The next job that the machine has given to `S`, whose pool the test plays. It waits for the
    /// [`reply`](Session::reply).
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// struct Square;
    ///
    /// impl Service for Square {
    ///     type Job = u32;
    ///     type Reply = u32;
    /// }
    ///
    /// #[state_machine(start = Number, eof => Gone, gone => Sorry)]
    /// enum Maths {
    ///     #[read(exact = 1, idle = 60s => Gone)]
    ///     #[to(Asking)]
    ///     #[rest]
    ///     Number,
    ///     #[call(Square, within = 5s => Sorry, full => Sorry)]
    ///     #[to(Number)]
    ///     Asking,
    ///     #[run]
    ///     #[to(Number)]
    ///     Sorry,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl maths::Handler for Client {
    ///     fn number(&mut self, number: &[u8; 1], _: &mut Cx<'_>) -> maths::AfterNumber {
    ///         maths::AfterNumber::Asking { job: number[0].into() }
    ///     }
    ///
    ///     fn asking(&mut self, reply: u32, cx: &mut Cx<'_>) -> maths::AfterAsking {
    ///         write!(cx, "{reply};");
    ///         maths::AfterAsking::Number
    ///     }
    ///
    ///     fn sorry(&mut self, cx: &mut Cx<'_>) -> maths::AfterSorry {
    ///         write!(cx, "sorry;");
    ///         maths::AfterSorry::Number
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Maths, _>::new(Client);
    /// peer.send(&[7]);
    /// assert_eq!(peer.job::<Square>(), Some(7));
    /// peer.reply::<Square>(49);
    /// assert_eq!(peer.receive(), b"49;");
    ///
    /// // A job that fails, one for which there is no room, and a pool that is closed.
    /// peer.send(&[8]);
    /// peer.job::<Square>();
    /// peer.fail::<Square>();
    /// peer.room::<Square>(0);
    /// peer.send(&[8]);
    /// peer.close::<Square>();
    /// peer.send(&[8]);
    /// assert_eq!(peer.receive(), b"sorry;sorry;sorry;");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine calls `S`.
    pub fn job<S: Service>(&mut self) -> Option<S::Job> {
        self.harness.stubs.job::<S>()
    }

    /// Replies to the first [`job`](Session::job) that was taken and has no reply yet.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Number, eof => Gone, gone => Sorry)]
    /// # enum Maths {
    /// #     #[read(exact = 1, idle = 60s => Gone)] #[to(Asking)] #[rest] Number,
    /// #     #[call(Square, within = 5s => Sorry, full => Sorry)] #[to(Number)] Asking,
    /// #     #[run] #[to(Number)] Sorry,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl maths::Handler for Client {
    /// #     fn number(&mut self, number: &[u8; 1], _: &mut Cx<'_>) -> maths::AfterNumber {
    /// #         maths::AfterNumber::Asking { job: number[0].into() }
    /// #     }
    /// #     fn asking(&mut self, reply: u32, cx: &mut Cx<'_>) -> maths::AfterAsking {
    /// #         write!(cx, "{reply}");
    /// #         maths::AfterAsking::Number
    /// #     }
    /// #     fn sorry(&mut self, cx: &mut Cx<'_>) -> maths::AfterSorry {
    /// #         write!(cx, "sorry");
    /// #         maths::AfterSorry::Number
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut peer = Session::<Maths, _>::new(Client);
    /// peer.send(&[7]);
    /// let number = peer.job::<Square>().unwrap();
    /// peer.reply::<Square>(number * number);
    /// assert_eq!(peer.receive(), b"49");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn reply<S: Service>(&mut self, reply: S::Reply) {
        self.harness.stubs.answer::<S>(Some(reply));
        self.harness.run(Readiness::NONE);
    }

    /// Lets the first [`job`](Session::job) fail that was taken and has no reply yet, as a panic would.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Number, eof => Gone, gone => Sorry)]
    /// # enum Maths {
    /// #     #[read(exact = 1, idle = 60s => Gone)] #[to(Asking)] #[rest] Number,
    /// #     #[call(Square, within = 5s => Sorry, full => Sorry)] #[to(Number)] Asking,
    /// #     #[run] #[to(Number)] Sorry,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl maths::Handler for Client {
    /// #     fn number(&mut self, number: &[u8; 1], _: &mut Cx<'_>) -> maths::AfterNumber {
    /// #         maths::AfterNumber::Asking { job: number[0].into() }
    /// #     }
    /// #     fn asking(&mut self, reply: u32, cx: &mut Cx<'_>) -> maths::AfterAsking {
    /// #         write!(cx, "{reply}");
    /// #         maths::AfterAsking::Number
    /// #     }
    /// #     fn sorry(&mut self, cx: &mut Cx<'_>) -> maths::AfterSorry {
    /// #         write!(cx, "sorry");
    /// #         maths::AfterSorry::Number
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut peer = Session::<Maths, _>::new(Client);
    /// peer.send(&[7]);
    /// peer.job::<Square>();
    /// peer.fail::<Square>();
    /// assert_eq!(peer.receive(), b"sorry");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn fail<S: Service>(&mut self) {
        self.harness.stubs.answer::<S>(None);
        self.harness.run(Readiness::NONE);
    }

    /// Bounds the jobs that the pool of `S` has; at first nothing does.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Number, eof => Gone, gone => Sorry)]
    /// # enum Maths {
    /// #     #[read(exact = 1, idle = 60s => Gone)] #[to(Asking)] #[rest] Number,
    /// #     #[call(Square, within = 5s => Sorry, full => Sorry)] #[to(Number)] Asking,
    /// #     #[run] #[to(Number)] Sorry,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl maths::Handler for Client {
    /// #     fn number(&mut self, number: &[u8; 1], _: &mut Cx<'_>) -> maths::AfterNumber {
    /// #         maths::AfterNumber::Asking { job: number[0].into() }
    /// #     }
    /// #     fn asking(&mut self, reply: u32, cx: &mut Cx<'_>) -> maths::AfterAsking {
    /// #         write!(cx, "{reply}");
    /// #         maths::AfterAsking::Number
    /// #     }
    /// #     fn sorry(&mut self, cx: &mut Cx<'_>) -> maths::AfterSorry {
    /// #         write!(cx, "sorry");
    /// #         maths::AfterSorry::Number
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut peer = Session::<Maths, _>::new(Client);
    /// peer.room::<Square>(0);
    /// peer.send(&[7]);
    /// assert_eq!(peer.job::<Square>(), None);
    /// assert_eq!(peer.receive(), b"sorry");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine calls `S`.
    pub fn room<S: Service>(&mut self, jobs: usize) {
        self.harness.stubs.room::<S>(jobs);
    }

    /// Closes the pool of `S`: no job of it gets a reply any more.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::{JobSession, Session};
    /// # use std::time::Duration;
    /// # struct Square;
    /// # impl Service for Square { type Job = u32; type Reply = u32; }
    /// # #[state_machine(start = Number, eof => Gone, gone => Sorry)]
    /// # enum Maths {
    /// #     #[read(exact = 1, idle = 60s => Gone)] #[to(Asking)] #[rest] Number,
    /// #     #[call(Square, within = 5s => Sorry, full => Sorry)] #[to(Number)] Asking,
    /// #     #[run] #[to(Number)] Sorry,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl maths::Handler for Client {
    /// #     fn number(&mut self, number: &[u8; 1], _: &mut Cx<'_>) -> maths::AfterNumber {
    /// #         maths::AfterNumber::Asking { job: number[0].into() }
    /// #     }
    /// #     fn asking(&mut self, reply: u32, cx: &mut Cx<'_>) -> maths::AfterAsking {
    /// #         write!(cx, "{reply}");
    /// #         maths::AfterAsking::Number
    /// #     }
    /// #     fn sorry(&mut self, cx: &mut Cx<'_>) -> maths::AfterSorry {
    /// #         write!(cx, "sorry");
    /// #         maths::AfterSorry::Number
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut peer = Session::<Maths, _>::new(Client);
    /// peer.send(&[7]);
    /// peer.close::<Square>();
    /// assert_eq!(peer.receive(), b"sorry");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine calls `S`.
    pub fn close<S: Service>(&mut self) {
        self.harness.stubs.close::<S>();
        self.harness.run(Readiness::NONE);
    }

    /// The seed with which the connection has left for the pool of `N`. It has [`ended`](Session::ended)
    /// then, as [`Ended::HandedOff`].
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    /// # #[state_machine(start = Hello, seed = u8, eof => Gone)]
    /// # enum Inner {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Gone)] Hello { n: u8 },
    /// #     #[end] Gone,
    /// # }
    ///
    /// #[state_machine(start = Door, eof => Gone, gone => Gone)]
    /// enum Gate {
    ///     #[read(exact = 1, idle = 60s => Gone)]
    ///     #[to(Through)]
    ///     Door,
    ///     #[handoff(Inner, within = 5s => Gone)]
    ///     Through,
    ///     #[end]
    ///     Gone,
    /// }
    /// # struct Client;
    /// # impl gate::Handler for Client {
    /// #     fn door(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> gate::AfterDoor {
    /// #         gate::AfterDoor::Through { seed: byte[0] }
    /// #     }
    /// # }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Gate, _>::new(Client);
    /// peer.send(&[7]);
    /// assert_eq!(peer.seed::<Inner>(), Some(7));
    /// assert_eq!(peer.ended(), Some(Ended::HandedOff));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine hands over to `N`.
    pub fn seed<N: Machine>(&mut self) -> Option<N::Seed> {
        self.harness.stubs.seed::<N>()
    }

    /// Bounds the connections that the pool of `N` has; at first nothing does.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
    /// # #[state_machine(start = Hello, seed = u8, eof => Gone)]
    /// # enum Inner {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Gone)] Hello { n: u8 },
    /// #     #[end] Gone,
    /// # }
    /// # #[state_machine(start = Door, eof => Gone, gone => Gone)]
    /// # enum Gate {
    /// #     #[read(exact = 1, idle = 60s => Gone)] #[to(Through)] Door,
    /// #     #[handoff(Inner, within = 5s => Gone)] Through,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl gate::Handler for Client {
    /// #     fn door(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> gate::AfterDoor {
    /// #         gate::AfterDoor::Through { seed: byte[0] }
    /// #     }
    /// # }
    /// # fn main() {
    /// # let mut peer = Session::<Gate, _>::new(Client);
    /// peer.room_for::<Inner>(0);
    /// peer.send(&[7]);
    /// assert_eq!(peer.state(), Some("Through"));
    /// assert_eq!(peer.seed::<Inner>(), None);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine hands over to `N`.
    pub fn room_for<N: Machine>(&mut self, connections: usize) {
        self.harness.stubs.room_for::<N>(connections);
    }

    /// A session of turns of at most so many handler calls.
    pub(crate) fn with_calls(handler: H, calls: usize) -> Self
    where
        M: Machine<Seed = ()>,
    {
        Self::start(handler, (), calls)
    }

    /// Closes all pools that the machine calls and hands over to.
    pub(crate) fn close_pools(&mut self) {
        self.harness.stubs.close_all();
    }

    fn start(handler: H, seed: M::Seed, calls: usize) -> Self {
        let pipe = Rc::new(Pipe {
            to_machine: RefCell::default(),
            to_peer: RefCell::default(),
            window: Cell::new(usize::MAX),
            ended: Cell::new(false),
            reset: Cell::new(false),
            shut: Cell::new(false),
        });
        let conn = ConnectionTask::new(PipeEnd(Rc::clone(&pipe)), started(seed, 0), handler);
        let harness = Harness::new(
            &M::routes(),
            |pool_state, context| {
                let bounds = Limits { calls, ..BOUNDS };
                Scratch::new(
                    Mailboxes::default(),
                    bounds,
                    pool_state,
                    None,
                    None,
                    Arc::default(),
                    context,
                )
            },
            conn,
            |scratch, key| {
                if ConnectionTask::<M, H, PipeEnd>::MAIL {
                    scratch.mailboxes.open(key);
                }
            },
        );
        Self { harness, pipe }
    }

    /// Sends `bytes` to the machine.
    ///
    /// What is sent after the machine's end is lost, as it is on a socket.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.send(b"hel");
    /// assert_eq!(peer.receive(), b"");
    /// peer.send(b"lo\n");
    /// assert_eq!(peer.receive(), b"HELLO");
    /// ```
    pub fn send(&mut self, bytes: &[u8]) {
        self.feed(bytes);
        self.harness.run(Readiness::READ);
    }

    /// Puts `bytes` on their way without giving the machine a turn.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.pipe.to_machine.borrow_mut().extend(bytes);
    }

    /// Takes what the machine has sent.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.send(b"one\n");
    /// peer.send(b"two\n");
    /// assert_eq!(peer.receive(), b"ONETWO");
    /// assert_eq!(peer.receive(), b"");
    /// ```
    pub fn receive(&mut self) -> Vec<u8> {
        let mut received = self.pipe.to_peer.take();
        loop {
            self.harness.run(Readiness::WRITE);
            let more = self.pipe.to_peer.take();
            if more.is_empty() {
                return received;
            }
            received.extend(more);
        }
    }

    /// From now on the machine can send only `bytes` before the client receives: a slow reader.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.window(0);
    /// peer.send(b"one\n");
    /// assert_eq!(peer.receive(), b"");
    ///
    /// peer.window(2);
    /// assert_eq!(peer.receive(), b"ONE");
    /// ```
    pub fn window(&mut self, bytes: usize) {
        self.pipe.window.set(bytes);
        self.harness.run(Readiness::WRITE);
    }

    /// Ends the client's stream; the machine can still send.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.send(b"a line\nhalf a li");
    /// peer.end();
    /// assert_eq!(peer.receive(), b"A LINE");
    /// assert_eq!(peer.ended(), Some(Ended::Done));
    /// ```
    pub fn end(&mut self) {
        self.pipe.ended.set(true);
        self.harness.run(Readiness::READ | Readiness::DOUBT | Readiness::HANGUP);
    }

    /// Resets the connection: what was in flight is lost.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.send(b"half a li");
    /// peer.reset();
    /// assert_eq!(peer.ended(), Some(Ended::Reset));
    /// ```
    pub fn reset(&mut self) {
        self.pipe.reset.set(true);
        self.harness.run(Readiness::READ | Readiness::WRITE | Readiness::DOUBT | Readiness::BROKEN);
    }

    /// Lets time pass; deadlines come up one after the other, each at its time.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
    /// # use std::time::Duration;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.advance(Duration::from_secs(59));
    /// // A part of a line does not start `idle = 60s` anew.
    /// peer.send(b"half a li");
    /// peer.advance(Duration::from_secs(1));
    /// assert_eq!(peer.ended(), Some(Ended::Done));
    /// ```
    pub fn advance(&mut self, time: Duration) {
        self.harness.advance(time);
    }

    /// Posts a message to the connection.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
    /// # #[state_machine(start = News, message = String, eof => Gone)]
    /// # enum Feed {
    /// #     #[wait(within = never)] #[to(News)] #[rest] News,
    /// #     #[end] Gone,
    /// # }
    /// # struct Reader;
    /// # impl feed::Handler for Reader {
    /// #     fn news(&mut self, text: String, cx: &mut Cx<'_, String>) -> feed::AfterNews {
    /// #         cx.write(text.as_bytes());
    /// #         feed::AfterNews::News
    /// #     }
    /// # }
    /// let mut reader = Session::<Feed, _>::new(Reader);
    /// assert_eq!(reader.post("rain tomorrow".to_owned()), Ok(()));
    /// assert_eq!(reader.receive(), b"rain tomorrow");
    /// ```
    ///
    /// # Errors
    ///
    /// When the mailbox, which takes 1,024 messages, is full, or the connection is gone.
    pub fn post(&mut self, message: M::Message) -> Result<(), TrySendError<M::Message>> {
        self.harness.scratch().mailboxes.post(self.harness.key, message)?;
        self.harness.run(Readiness::NONE);
        Ok(())
    }

    /// Drains the pool: the connection is closed as soon as it is at rest.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.send(b"half ");
    /// peer.drain();
    /// assert_eq!(peer.ended(), None);
    ///
    /// peer.send(b"a line\n");
    /// assert_eq!(peer.receive(), b"HALF A LINE");
    /// assert_eq!(peer.ended(), Some(Ended::Drained));
    /// ```
    pub fn drain(&mut self) {
        self.harness.drain();
    }

    /// The name of the state that the machine is in; `None` when the connection is gone.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
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
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// assert_eq!(peer.state(), Some("Line"));
    /// peer.end();
    /// assert_eq!(peer.state(), None);
    /// ```
    pub fn state(&self) -> Option<&'static str> {
        self.harness.state()
    }

    /// Why the connection is gone, if it is.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Fragile {
    /// #     #[read(some, max = 16, idle = 60s => Gone)] #[to(Gone)] Talk,
    /// #     #[end] Gone,
    /// # }
    /// struct Client;
    /// impl fragile::Handler for Client {
    ///     fn talk(&mut self, _bytes: &[u8], _cx: &mut Cx<'_>) -> fragile::AfterTalk {
    ///         panic!("a bug")
    ///     }
    /// }
    ///
    /// let mut peer = Session::<Fragile, _>::new(Client);
    /// assert_eq!(peer.ended(), None);
    /// peer.send(b"x");
    /// assert_eq!(peer.ended(), Some(Ended::Panicked));
    /// ```
    pub fn ended(&self) -> Option<Ended> {
        self.harness.ended()
    }

    /// How many bytes the machine has not used, of those that were sent.
    pub(crate) fn unused(&self) -> usize {
        self.pipe.to_machine.borrow().len() + self.harness.look(ConnectionTask::unread).unwrap_or(0)
    }

    /// Gives the connection one turn, without waiting for what it waits for; `false` when it waits.
    pub(crate) fn turn(&mut self, ready: Readiness) -> bool {
        self.harness.turn(ready)
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> fmt::Debug for Session<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}
