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

use crate::conn::Bounds;
use crate::inbox::{Inbox, Wake};
use crate::link::Ready;
use crate::pipe::{End, Pipe};
use crate::port::Port;
use crate::stats::Counters;
use crate::{Drive, Ended, Key, Machine, PostError, Spec};

/// The mailbox bound of a session.
const MAILBOX: usize = 1024;
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
    port: Port<M, H, End>,
    pipe: Rc<Pipe>,
    key: Key,
    start: Instant,
}

struct Never;

impl Wake for Never {
    fn wake(&self) {}
}

/// A machine that speaks first has spoken when [`new`](Session::new) returns.
///
/// ```
/// # use fsm_runtime::prelude::*;
/// # use fsm_runtime::sim::Session;
/// # #[state_machine(start = Greet, eof => Gone)]
/// # enum Mail {
/// #     #[run] #[to(Command)] Greet,
/// #     #[read(until = b"\n", max = 64, limit => Gone, idle = 60s => Gone)]
/// #     #[to(Command)] #[rest] Command,
/// #     #[end] Gone,
/// # }
/// # struct Client;
/// # impl mail::Handler for Client {
/// #     fn greet(&mut self, cx: &mut Cx<'_>) -> mail::AfterGreet {
/// #         cx.write(b"220 ready\r\n");
/// #         mail::AfterGreet::Command
/// #     }
/// #     fn command(&mut self, _line: &[u8], _cx: &mut Cx<'_>) -> mail::AfterCommand {
/// #         mail::AfterCommand::Command
/// #     }
/// # }
/// let mut peer = Session::<Mail, _>::new(Client);
/// assert_eq!(peer.state(), Some("Command"));
/// assert_eq!(peer.receive(), b"220 ready\r\n");
/// ```
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
        let inbox = Inbox::new(MAILBOX, Box::new(Never));
        let mut port = Port::new(bounds, inbox, Arc::new(Counters::default()));
        let pipe = Rc::new(Pipe {
            to_machine: RefCell::default(),
            to_peer: RefCell::default(),
            window: Cell::new(usize::MAX),
            ended: Cell::new(false),
            reset: Cell::new(false),
            shut: Cell::new(false),
        });
        let start = Instant::now();
        port.at(0, start);
        let key = match port.open(End(Rc::clone(&pipe)), (), || handler, |_, _| Ok(())) {
            Ok(key) => key,
            Err(error) => unreachable!("nothing is registered: {error}"),
        };
        // The start state has its turn as soon as the connection is there.
        port.work(|| None);
        Self { port, pipe, key, start }
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
        let until =
            self.port.now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        while let Some(due) = self.port.next_deadline().filter(|due| *due <= until) {
            self.set_time(due.max(self.port.now()));
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
        self.port.inbox().post(self.key, message)?;
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
        if self.port.conn(self.key).is_some() {
            return None;
        }
        let stats = self.port.counters().snapshot();
        let counts = [
            (stats.done, Ended::Done),
            (stats.reset, Ended::Reset),
            (stats.panicked, Ended::Panicked),
            (stats.stalled, Ended::Stalled),
            (stats.spun, Ended::Spun),
            (stats.drained, Ended::Drained),
            (stats.closed, Ended::Closed),
        ];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, why)| why)
    }

    pub(crate) fn spec() -> &'static Spec {
        M::SPEC
    }

    pub(crate) fn state_index(&self) -> Option<usize> {
        self.port.conn(self.key).map(super::conn::Conn::state)
    }

    /// How many bytes the machine has not used, of those that were sent.
    pub(crate) fn unused(&self) -> usize {
        self.pipe.to_machine.borrow().len()
            + self.port.conn(self.key).map_or(0, super::conn::Conn::unread)
    }

    /// Gives the connection one turn, without waiting for what it waits for; `false` when it waits.
    pub(crate) fn turn(&mut self, ready: Ready) -> bool {
        self.port.event(self.key, ready);
        self.port.polled();
        !self.port.work(|| None)
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
        self.port.at(now, self.start + Duration::from_millis(now));
    }
}

impl<M: Drive<H> + Machine<Seed = ()>, H> fmt::Debug for Session<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}
