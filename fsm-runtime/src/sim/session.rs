use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::LIMITS;
use super::clock::{Clock, OnClock, TimeOrigin};
use super::harness::Harness;
use super::methods::session_methods;
use super::other::StubTargets;
use super::pipe::{Pipe, PipeEnd};
use super::received_bytes::ReceivedBytes;
use crate::connection::ConnectionTask;
use crate::net::readiness::Readiness;
use crate::outgoing::jobs::JobsInHand;
use crate::{Connection, Drive, Ended, JobHandle, Machine, Service, TrySendError};

mod start;
mod steps;

/// A client's end of one connection to a machine, for tests.
///
/// The machine has answered what the client does before the call returns.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::sim::Session;
///
/// #[state_machine(start = Line, eof => Gone)]
/// enum Shout {
///     #[read(until = b"\n", max = 64, limit => Gone, idle = 60s => Gone)]
///     #[to(Line)]
///     #[rest]
///     Line,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
/// impl shout::Handler for Client {
///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
///         cx.write(&line.to_ascii_uppercase());
///         shout::AfterLine::Line
///     }
/// }
///
/// let mut peer = Session::<Shout, _>::new(Client);
/// peer.send(b"hel");
/// assert_eq!(peer.receive(), b"");
/// peer.send(b"lo\n");
/// assert_eq!(peer.receive(), b"HELLO");
///
/// // A client that does not read.
/// peer.window(0);
/// peer.send(b"one\n");
/// assert_eq!(peer.receive(), b"");
/// peer.window(2);
/// assert_eq!(peer.receive(), b"ONE");
///
/// // A line that has begun is answered before a drain closes the connection.
/// peer.send(b"half ");
/// peer.drain();
/// assert_eq!(peer.ended(), None);
/// peer.send(b"a line\n");
/// assert_eq!(peer.receive(), b"HALF A LINE");
/// assert_eq!(peer.ended(), Some(Ended::Drained));
/// ```
pub struct Session<M: Drive<H>, H> {
    harness: Rc<RefCell<Harness<ConnectionTask<M, H, PipeEnd>>>>,
    /// The clock that it shares with other sessions, if it shares one.
    clock: Option<Clock>,
    pub(super) pipe: Rc<Pipe>,
    /// The targets that the machine connects to.
    pub(super) world: Arc<StubTargets>,
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Session<M, H> {
    /// Connects to a machine in its start state.
    pub fn new(handler: H) -> Self
    where
        M: Machine<Seed = ()>,
    {
        Self::seeded(handler, ())
    }

    /// A connection that has been handed over with `seed`.
    pub fn seeded(handler: H, seed: M::Seed) -> Self {
        let settings = Arc::default();
        let mut session = Self::start(&TimeOrigin::new(), handler, seed, settings, LIMITS.calls);
        session.run(Readiness::NONE);
        session
    }

    /// Connects to a machine in its start state, in a pool with these settings.
    pub fn with_settings(handler: H, settings: M::Settings) -> Self
    where
        M: Machine<Seed = ()>,
    {
        let origin = TimeOrigin::new();
        let mut session = Self::start(&origin, handler, (), Arc::new(settings), LIMITS.calls);
        session.run(Readiness::NONE);
        session
    }

    /// Connects to a machine in its start state, on a clock with other sessions.
    pub fn on(clock: &Clock, handler: H) -> Self
    where
        M: Machine<Seed = ()> + 'static,
        H: 'static,
    {
        Self::seeded_on(clock, handler, ())
    }

    /// A connection that has been handed over with `seed`, on a clock with other sessions.
    pub fn seeded_on(clock: &Clock, handler: H, seed: M::Seed) -> Self
    where
        M: 'static,
        H: 'static,
    {
        let settings = Arc::default();
        let mut session = Self::start(clock.origin(), handler, seed, settings, LIMITS.calls);
        clock.add(Rc::downgrade(&session.harness) as OnClock);
        session.clock = Some(clock.clone());
        session.run(Readiness::NONE);
        session
    }

    session_methods!();

    /// Gives the machine a job, which its connection answers when it is free. The handle has the reply, or
    /// knows that the job is gone, as soon as the machine has done its part.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    /// use std::time::Duration;
    ///
    /// /// Asks a server to double numbers. `None` means that it may have done so.
    /// #[state_machine(start = Free, job = u8, reply = Option<u8>, eof => Lost)]
    /// enum Double {
    ///     #[job(idle = 50s => Gone, eof => Gone)]
    ///     #[to(Answer)]
    ///     #[rest]
    ///     Free,
    ///     #[read(exact = 1, within = 5s => Lost)]
    ///     #[to(Free)]
    ///     Answer,
    ///     #[run]
    ///     #[to(Gone)]
    ///     Lost,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl double::Handler for Client {
    ///     fn free(&mut self, job: u8, cx: &mut Cx<'_>) -> double::AfterFree {
    ///         cx.write(&[job]);
    ///         double::AfterFree::Answer
    ///     }
    ///
    ///     fn answer(&mut self, answer: &[u8; 1], _: &mut Cx<'_>) -> double::AfterAnswer {
    ///         double::AfterAnswer::Free { reply: Some(answer[0]) }
    ///     }
    ///
    ///     fn lost(&mut self, _: &mut Cx<'_>) -> double::AfterLost {
    ///         double::AfterLost::Gone { reply: None }
    ///     }
    /// }
    ///
    /// # fn main() {
    /// // The test takes the part of the server.
    /// let mut server = Session::<Double, _>::new(Client);
    /// let (first, second) = (server.submit(4).unwrap(), server.submit(5).unwrap());
    /// assert_eq!(server.receive(), [4]);
    /// server.send(&[8]);
    /// assert_eq!(first.wait(), Some(Some(8)));
    /// // The connection was free again, and took the second job. Its server does not answer.
    /// assert_eq!(server.receive(), [5]);
    /// server.advance(Duration::from_secs(5));
    /// assert_eq!(second.wait(), Some(None));
    /// assert_eq!(server.state(), None);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the job if 1,024 jobs wait.
    pub fn submit(&mut self, job: M::Job) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>>
    where
        M: Service,
    {
        let outgoing = self.harness.borrow().scratch().environment.outgoing.clone();
        let jobs = outgoing.as_ref().and_then(|outgoing| outgoing.jobs.as_ref());
        let Some(jobs) = jobs.and_then(|jobs| jobs.as_any().downcast_ref::<JobsInHand<M>>()) else {
            return Err(TrySendError::Gone(job));
        };
        let handle = JobHandle::submit(jobs, job)?;
        self.run(Readiness::NONE);
        Ok(handle)
    }

    /// Sends `bytes` to the machine. They are lost when the machine is at its end, as on a socket.
    ///
    /// To a machine that reads datagrams they are one datagram. It is lost if it is empty, or larger than the
    /// `max` of every state.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Word)]
    /// enum Shout {
    ///     #[read(datagram, max = 64, idle = 60s => Gone)]
    ///     #[to(Word)]
    ///     #[rest]
    ///     Word,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    /// impl shout::Handler for Client {
    ///     fn word(&mut self, word: &[u8], cx: &mut Cx<'_>) -> shout::AfterWord {
    ///         cx.write(&word.to_ascii_uppercase());
    ///         cx.write(b"!");
    ///         shout::AfterWord::Word
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Shout, _>::new(Client);
    /// peer.send(b"one");
    /// peer.send(b"two");
    /// // Each call returns one datagram.
    /// assert_eq!(peer.receive(), b"ONE!");
    /// assert_eq!(peer.receive(), b"TWO!");
    /// assert_eq!(peer.receive(), b"");
    /// # }
    /// ```
    pub fn send(&mut self, bytes: &[u8]) {
        self.feed(bytes);
        self.run(Readiness::READ);
    }

    /// Takes what the machine has sent: of one that reads datagrams the next one, or nothing.
    pub fn receive(&mut self) -> ReceivedBytes {
        if let Some(datagrams) = &self.pipe.datagrams {
            return datagrams.to_peer.borrow_mut().pop_front().unwrap_or_default().into();
        }
        let mut received = self.pipe.stream.borrow_mut().take_unsent();
        loop {
            self.run(Readiness::WRITE);
            let more = self.pipe.stream.borrow_mut().take_unsent();
            if more.is_empty() {
                return received.into();
            }
            received.extend(more);
        }
    }

    /// From now on the machine can send only `bytes` before the client receives: a slow reader.
    pub fn window(&mut self, bytes: usize) {
        self.pipe.stream.borrow_mut().window = bytes;
        self.run(Readiness::WRITE);
    }

    /// Ends the client's stream; the machine can still send.
    pub fn end(&mut self) {
        self.pipe.stream.borrow_mut().ended = true;
        self.run(Readiness::READ | Readiness::MAYBE_EOF);
    }

    /// Resets the connection: the bytes in flight are lost.
    pub fn reset(&mut self) {
        self.pipe.stream.borrow_mut().reset = true;
        self.run(Readiness::READ | Readiness::WRITE | Readiness::MAYBE_EOF | Readiness::BROKEN);
    }

    /// Drains the pool: the connection is closed as soon as it is at rest, but if the client has not sent anything, not
    /// in the first second ([`Builder::drain_grace`](crate::Builder::drain_grace)).
    pub fn drain(&mut self) {
        self.harness.borrow_mut().drain();
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
    ///
    /// struct Client;
    /// impl gate::Handler for Client {
    ///     fn door(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> gate::AfterDoor {
    ///         gate::AfterDoor::Through { seed: byte[0] }
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Gate, _>::new(Client);
    /// peer.room_for::<Inner>(0);
    /// peer.send(&[7]);
    /// assert_eq!((peer.state(), peer.seed::<Inner>()), (Some("Through"), None));
    /// peer.room_for::<Inner>(1);
    /// peer.advance(std::time::Duration::ZERO);
    /// assert_eq!(peer.seed::<Inner>(), Some(7));
    /// assert_eq!(peer.ended(), Some(Ended::HandedOff));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no state of the machine hands over to `N`.
    pub fn seed<N: Machine>(&mut self) -> Option<N::Seed> {
        self.harness.borrow().stubs.seed::<N>()
    }

    /// Bounds the connections that the pool of `N` has; at first nothing does.
    ///
    /// # Panics
    ///
    /// When no state of the machine hands over to `N`.
    pub fn room_for<N: Machine>(&mut self, connections: usize) {
        self.harness.borrow().stubs.room_for::<N>(connections);
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> fmt::Debug for Session<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}
