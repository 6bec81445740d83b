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
use std::time::{Duration, Instant};

use crate::actor::Actor;
use crate::conn::{Bounds, Conn, Env};
use crate::control::Control;
use crate::inbox::Inbox;
use crate::link::Ready;
use crate::pipe::{End, Pipe};
use crate::port::{Blocks, Next, Port};
use crate::shell::Blocked;
use crate::task::{Desk, Entry, Task};
use crate::worker;
use crate::{Drive, Ended, Key, Machine, PostError, Spec};

/// The name of its pool, and its only thread.
const POOL: &str = "session";
const THREAD: usize = 0;
/// So many turns without a pause are an endless loop.
const ENDLESS: usize = 10_000_000;

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
pub struct Session<M: Machine, H> {
    port: Port<Conn<M, H, End>>,
    env: Env<M>,
    pipe: Rc<Pipe>,
    key: Key,
    start: Instant,
    now: u64,
}

impl<M: Drive<H> + Machine<Seed = ()>, H> Session<M, H> {
    /// Connects to a machine in its start state.
    pub fn new(handler: H) -> Self {
        let mut session = Self::with_calls(handler, 1024);
        session.run(Ready::NONE);
        session
    }

    /// A session of turns of at most so many handler calls.
    pub(crate) fn with_calls(handler: H, calls: usize) -> Self {
        let bounds =
            Bounds { calls, bytes: 256 * 1024, output: 64 * 1024, stall: 60_000, linger: 5_000 };
        let pipe = Rc::new(Pipe {
            to_machine: RefCell::default(),
            to_peer: RefCell::default(),
            window: Cell::new(usize::MAX),
            ended: Cell::new(false),
            reset: Cell::new(false),
            shut: Cell::new(false),
        });
        let control = Arc::new(Control::new(1));
        let port = Port::new(0, (1, 1), Arc::clone(&control.counters), Box::new(|| {}));
        let inbox = Inbox::<M::Message>::default();
        let routes: Arc<[Entry]> = Arc::new([]);
        let desk = Desk::new(Arc::new(Alone), THREAD, port.state(THREAD), routes);
        let start = desk.instant;
        let env = Env::new(inbox.clone(), bounds, control, None, desk);
        let _ = port.begin(THREAD);
        env.control.counters.accepted();
        if let Ok(credit) = env.control.credits.draw() {
            credit.keep();
        }
        let conn = Box::new(Conn::new(End(Rc::clone(&pipe)), Actor::new((), 0), handler));
        let opened = port.open(conn, Ready::NONE, true, |_, key| {
            if Conn::<M, H, End>::MAIL {
                inbox.open(key);
            }
            Ok(())
        });
        let Ok(key) = opened else { unreachable!("nothing is registered") };
        let mut session = Self { port, env, pipe, key, start, now: 0 };
        // The start state has its turn as soon as the connection is there.
        session.work(&[]);
        session
    }

    /// Tells of events and runs what is ready; says whether there is more.
    fn work(&mut self, events: &[(Key, Ready)]) -> bool {
        let mut next = self.port.polled(THREAD, self.now, events);
        loop {
            next = match next {
                Next::Run(turn) => worker::turn(POOL, &self.port, THREAD, turn, &mut self.env),
                Next::Poll { until } => return until == 0,
                Next::End => return false,
            }
        }
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
        self.run(Ready::READ);
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
            self.run(Ready::WRITE);
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
        self.run(Ready::WRITE);
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
        self.run(Ready::READ | Ready::DOUBT | Ready::HANGUP);
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
        self.run(Ready::READ | Ready::WRITE | Ready::DOUBT | Ready::BROKEN);
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
        let until = self.now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        while let Some(due) = self.port.next_deadline().filter(|due| *due <= until) {
            self.set_time(due.max(self.now));
            self.run(Ready::NONE);
        }
        self.set_time(until);
        self.run(Ready::NONE);
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
    pub fn post(&mut self, message: M::Message) -> Result<(), PostError<M::Message>> {
        self.env.inbox.post(self.key, message)?;
        self.run(Ready::NONE);
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
        self.port.drain();
        self.run(Ready::NONE);
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
        self.state_index().map(|state| Self::spec().states[state].name)
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
        if self.state_index().is_some() {
            return None;
        }
        let stats = self.env.control.stats();
        let counts = [
            (stats.done, Ended::Done),
            (stats.reset, Ended::Reset),
            (stats.panicked, Ended::Panicked),
            (stats.stalled, Ended::Stalled),
            (stats.spun, Ended::Spun),
            (stats.drained, Ended::Drained),
            (stats.closed, Ended::Closed),
            (stats.handed_off, Ended::HandedOff),
        ];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, why)| why)
    }

    pub(crate) fn spec() -> &'static Spec {
        M::SPEC
    }

    pub(crate) fn state_index(&self) -> Option<usize> {
        self.port.look(self.key, Conn::state)
    }

    /// How many bytes the machine has not used, of those that were sent.
    pub(crate) fn unused(&self) -> usize {
        self.pipe.to_machine.borrow().len() + self.port.look(self.key, Conn::unread).unwrap_or(0)
    }

    /// Gives the connection one turn, without waiting for what it waits for; `false` when it waits.
    pub(crate) fn turn(&mut self, ready: Ready) -> bool {
        self.work(&[(self.key, ready)])
    }

    /// Runs turns until the connection waits.
    ///
    /// # Panics
    ///
    /// When that takes for ever.
    fn run(&mut self, ready: Ready) {
        let mut turns = 0;
        while self.turn(ready) {
            turns += 1;
            assert!(turns < ENDLESS, "the machine `{}` goes round and round", M::SPEC.name);
        }
    }

    fn set_time(&mut self, now: u64) {
        self.now = now;
        self.env.desk.now = now;
        self.env.desk.instant = self.start + Duration::from_millis(now);
    }
}

impl<M: Drive<H> + Machine<Seed = ()>, H> fmt::Debug for Session<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// The threads of a session: nobody else runs while one blocks.
#[derive(Debug)]
struct Alone;

impl Blocks for Alone {
    fn block(&self, _: usize, _: u64, _: Blocked) -> bool {
        false
    }

    fn unblock(&self, _: usize, _: u64, _: Blocked) {}
}
