use std::fmt;
use std::time::Duration;

use super::host::{Host, NAME, millis};
use super::wire::WireEnd;
use crate::clock::{Time, TimeSource};
use crate::connection::ConnectionTask;
use crate::connection::scratch::ConnectionScratch;
use crate::machine::runner::Started;
use crate::net::memory::MemoryStream;
use crate::net::readiness::Readiness;
use crate::scheduler::executor::Executor;
use crate::scheduler::task::{Task, TurnOutcome, end};
use crate::{Connection, Drive, Ended, Key, Machine, Peer, TrySendError};

/// The most bytes that a call of [`Conn::input`] takes.
const INPUT: usize = 64 * 1024;

/// The connection itself.
type TaskOf<M, H> = ConnectionTask<M, H, WireEnd>;

/// One connection of a machine, without a socket, a thread or a clock.
///
/// Bytes go in with [`input`](Self::input) and come out with [`output`](Self::output), and each call says
/// what time it is: how much has passed since a start that its user chooses. See [the module](crate::embed) for the
/// loop around it.
///
/// A call that says an earlier time than one before counts as at that time. After the end of the machine, calls
/// change nothing but the output that is still to be sent. A panic of a handler is caught, logged and the end of this
/// connection, as in a pool ([`Ended::Panicked`]).
pub struct Conn<M: Drive<H> + Machine<Kind = Connection>, H> {
    host: Host<M, H>,
    key: Key,
    /// `None` at the end.
    task: Option<TaskOf<M, H>>,
    /// The rest of the streams, at the end.
    rest: MemoryStream,
    ended: Option<Ended>,
    /// The last time that it was told, in milliseconds.
    now: u64,
    /// The turn's budget was used up, so that there is more to do now.
    has_more: bool,
    /// The machine did not take all input, and has not gone on since then.
    is_full: bool,
    draining: bool,
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Conn<M, H> {
    pub(super) fn open(
        host: Host<M, H>,
        peer: Peer,
        seed: M::Seed,
        handler: H,
        now: Duration,
    ) -> Self {
        let key = host.join();
        let now = millis(now);
        let started = Started::new(seed, now, host.environment().settings.as_ref());
        let wire = WireEnd::new(peer, host.window());
        let task = ConnectionTask::new(wire, started, handler);
        if TaskOf::<M, H>::HAS_MAILBOX {
            host.environment().mailboxes.open(key);
        }
        let mut conn = Self {
            host,
            key,
            task: Some(task),
            rest: MemoryStream::new(0),
            ended: None,
            now,
            has_more: false,
            is_full: false,
            draining: false,
        };
        conn.turn(Readiness::NONE, Duration::ZERO);
        conn
    }

    /// Takes `bytes` that have come from the peer, and runs the machine. Returns how many it took, which is at most
    /// 64 KiB and all of that unless the machine waits for something else, such as room for its output: see
    /// [`wants_input`](Self::wants_input).
    ///
    /// Input after the end of the peer's stream or of the machine is taken and lost, as on a socket.
    ///
    /// ```
    /// use fsm_runtime::embed;
    /// use fsm_runtime::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[state_machine(start = Byte, eof => Gone)]
    /// enum Repeat {
    ///     /// Answers each byte with 1,000.
    ///     #[read(exact = 1, idle = 60s => Gone)]
    ///     #[to(Byte)]
    ///     Byte,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    /// impl repeat::Handler for Client {
    ///     fn byte(&mut self, byte: &[u8; 1], cx: &mut Cx<'_>) -> repeat::AfterByte {
    ///         cx.write(&[byte[0]; 1_000]);
    ///         repeat::AfterByte::Byte
    ///     }
    /// }
    ///
    /// let now = Duration::ZERO;
    /// let host = embed::HostBuilder::<Repeat>::new().output_mark(4_000).build();
    /// let mut conn = host.open(Peer::Memory, Client, now);
    /// // A peer that sends and does not read: the output is bounded, and what comes then is not taken.
    /// while conn.wants_input() {
    ///     conn.input(b"x", now);
    /// }
    /// assert_eq!(conn.output().len(), 4_000);
    /// assert_eq!(conn.input(b"x", now), 0);
    /// conn.sent(4_000, now);
    /// assert!(conn.wants_input());
    /// ```
    #[inline]
    pub fn input(&mut self, bytes: &[u8], now: Duration) -> usize {
        let Some(task) = &mut self.task else { return bytes.len() };
        if task.socket().stream.ended || bytes.is_empty() {
            return bytes.len();
        }
        let fed = bytes.len().min(INPUT);
        let bytes = &bytes[..fed];
        let mut was_fed = false;
        self.run(now, |task, key, scratch| {
            // Nearly always the machine waits for input alone, and needs no copy of it.
            task.turn_on_input(bytes, key, scratch).unwrap_or_else(|| {
                was_fed = true;
                task.socket_mut().stream.feed(bytes);
                task.turn(key, Readiness::READ, scratch)
            })
        });
        if !was_fed {
            return fed;
        }
        let unread = self.stream_mut().discard_unread();
        self.is_full = unread > 0 && self.ended.is_none();
        if self.is_full { fed - unread } else { fed }
    }

    /// Tells the machine that the peer's stream has ended. All that came before it must have been
    /// [taken](Self::input).
    pub fn eof(&mut self, now: Duration) {
        self.stream_mut().ended = true;
        self.turn(Readiness::READ | Readiness::MAYBE_EOF, now);
    }

    /// Tells the machine that the connection is broken. It ends as [`Ended::Reset`], unless it is at its end
    /// already; output that is left is lost.
    pub fn reset(&mut self, now: Duration) {
        self.stream_mut().reset = true;
        let broken = Readiness::READ | Readiness::WRITE | Readiness::MAYBE_EOF | Readiness::BROKEN;
        self.turn(broken, now);
        self.stream_mut().take_unsent();
    }

    /// The bytes that are to be sent to the peer next; empty if there are none.
    #[inline]
    pub fn output(&self) -> &[u8] {
        self.stream().unsent()
    }

    /// Notes that the first `bytes` of the [`output`](Self::output) were sent, and runs the machine if it has waited
    /// for that.
    ///
    /// # Panics
    ///
    /// When the output is shorter.
    #[inline]
    pub fn sent(&mut self, bytes: usize, now: Duration) {
        let stream = self.stream_mut();
        assert!(bytes <= stream.unsent().len(), "more was sent than there was output");
        if stream.sent(bytes) {
            self.turn(Readiness::WRITE, now);
        }
    }

    /// The time at which [`on_time`](Self::on_time) is to be called, if it is to be called at all. It may change
    /// with every other call. It is over if a call has not done all that there was to do, because it ran 1,024
    /// handlers.
    #[inline]
    pub fn deadline(&self) -> Option<Duration> {
        let task = self.task.as_ref()?;
        if self.has_more {
            return Some(Duration::from_millis(self.now));
        }
        let due = task.due();
        (due != u64::MAX).then(|| Duration::from_millis(due))
    }

    /// Tells the machine what time it is, and lets it take the messages that others have posted.
    pub fn on_time(&mut self, now: Duration) {
        self.turn(Readiness::NONE, now);
    }

    /// Posts a message to the machine, and lets it take it.
    ///
    /// # Errors
    ///
    /// Returns the message: [`Full`](TrySendError::Full) if the mailbox is full, because the machine takes none
    /// now, [`Gone`](TrySendError::Gone) at its end.
    pub fn post(
        &mut self,
        message: M::Message,
        now: Duration,
    ) -> Result<(), TrySendError<M::Message>> {
        self.host.environment().mailboxes.post(self.key, message)?;
        self.turn(Readiness::NONE, now);
        Ok(())
    }

    /// Ends the connection as soon as it is in a `#[rest]` state with nothing in progress, as the drain of a pool
    /// does ([`Ended::Drained`]), and tells handlers with [`Cx::draining`](crate::Cx::draining). It may take until
    /// the peer has sent the rest of a message, and then has no bound but that of the state.
    pub fn drain(&mut self, now: Duration) {
        self.draining = true;
        self.turn(Readiness::NONE, now);
    }

    /// Whether the machine may take input: not between an [`input`](Self::input) that was not taken as a whole
    /// and the next call that lets it go on, and not after the end of either.
    #[inline]
    pub fn wants_input(&self) -> bool {
        !self.is_full && self.ended.is_none() && !self.stream().ended
    }

    /// Whether the machine has ended its stream to the peer, by a `#[shutdown]` state or its end. Nothing comes
    /// behind the [`output`](Self::output) then.
    pub fn is_shut(&self) -> bool {
        self.ended.is_some() || self.stream().shut
    }

    /// Whether the connection has ended otherwise than by its machine or a drain, or has lost output: the peer must
    /// not take what it gets for the whole. The close is to be a reset, or one without the closing message of a layer
    /// such as TLS.
    pub fn is_aborted(&self) -> bool {
        let ended_well = matches!(self.ended, None | Some(Ended::Done | Ended::Drained));
        !ended_well || self.stream().aborted
    }

    /// Why the machine is at its end, if it is and all its output has left it.
    #[inline]
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The name of the state that the machine is in; `None` when it is at its [end](Self::ended).
    pub fn state(&self) -> Option<&'static str> {
        self.task.as_ref().map(|task| M::SPEC.states[task.state()].name)
    }

    /// The key of the connection, to which handlers of the same [`Host`] post with
    /// [`Cx::post`](crate::Cx::post).
    pub fn key(&self) -> Key {
        self.key
    }

    fn stream(&self) -> &MemoryStream {
        self.task.as_ref().map_or(&self.rest, |task| &task.socket().stream)
    }

    #[inline]
    fn stream_mut(&mut self) -> &mut MemoryStream {
        match &mut self.task {
            Some(task) => &mut task.socket_mut().stream,
            None => &mut self.rest,
        }
    }

    fn turn(&mut self, ready: Readiness, now: Duration) {
        self.run(now, |task, key, scratch| task.turn(key, ready, scratch));
    }

    /// Runs the machine until it waits, or the budget of a turn is used up.
    #[inline]
    fn run(
        &mut self,
        now: Duration,
        turn: impl FnOnce(&mut TaskOf<M, H>, Key, &mut ConnectionScratch<M, H>) -> TurnOutcome,
    ) {
        self.now = self.now.max(millis(now));
        let Self { host, key, task: Some(task), now, draining, .. } = self else { return };
        let (key, now) = (*key, *now);
        let is_full = self.is_full;
        let (outcome, is_full) = host.lend(|scratch| {
            scratch.context.draining = *draining;
            let mut time = Told { host, now, known: scratch.context.now };
            let mut executor = Executor { pool: NAME, scratch, time: &mut time };
            let mut outcome = executor.run(task, key, |task, scratch| turn(task, key, scratch));
            if task.socket().lingers() {
                task.socket_mut().end_lingering();
                if !matches!(outcome, TurnOutcome::Ended(_)) {
                    outcome = executor.run_turn(task, key, Readiness::READ | Readiness::MAYBE_EOF);
                }
            }
            (outcome, is_full && task.unsent() >= scratch.limits.output)
        });
        self.has_more = outcome == TurnOutcome::Again;
        self.is_full = is_full;
        if let TurnOutcome::Ended(why) = outcome {
            self.end(why);
        }
    }

    #[cold]
    fn end(&mut self, why: Ended) {
        let Some(mut task) = self.task.take() else { return };
        self.ended = Some(why);
        // Output that has not left the machine is lost, which makes the close a reset.
        task.abort();
        self.rest = std::mem::replace(&mut task.socket_mut().stream, MemoryStream::new(0));
        if self.rest.aborted {
            self.rest.take_unsent();
        }
        let key = self.key;
        self.host.lend(|scratch| end(NAME, key, task, why, scratch));
        self.host.leave(self.key);
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Drop for Conn<M, H> {
    fn drop(&mut self) {
        self.end(Ended::Closed);
    }
}

/// The time that a call was told.
struct Told<'a, M: Machine, H> {
    host: &'a Host<M, H>,
    now: u64,
    /// The time that the buffers know.
    known: u64,
}

impl<M: Machine, H> TimeSource for Told<'_, M, H> {
    fn now(&self) -> Time {
        self.host.time(self.now)
    }

    #[inline]
    fn now_if_changed(&mut self) -> Option<Time> {
        (self.now != self.known).then(|| self.now())
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> fmt::Debug for Conn<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, ended) = (self.state(), self.ended);
        let mut conn = f.debug_struct("Conn");
        conn.field("key", &self.key)
            .field("state", &state)
            .field("ended", &ended)
            .finish_non_exhaustive()
    }
}
