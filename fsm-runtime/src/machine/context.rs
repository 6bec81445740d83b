use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;

use crate::call::mailboxes::Mailboxes;
use crate::machine::environment::Environment;
use crate::net::send_buffer::SendBuffer;
use crate::net::stream_state::StreamState;
use crate::net::transport::PeerAddr;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::WorkerContext;
use crate::spec::Features;
use crate::{Connection, Job, Key, Kind, Machine, NoMessage};

mod answers;
mod calls;
mod hand_off;
#[cfg(feature = "pool")]
mod layer;
mod messages;
mod other;
mod peer_io;
mod time;
mod tls;

/// The second argument of every handler: it writes to the peer, posts messages, and knows the time,
/// the peer and the connection's key.
///
/// Output is queued, and leaves in one system call when the connection's turn ends. Queueing never
/// fails and never blocks. While more output is queued than the pool's output mark
/// ([`Builder::output_mark`](crate::Builder::output_mark)), the connection takes no input and no
/// messages, until the peer has taken enough of the output.
///
/// `Msg` is the `message` type of the machine, and `Settings` its `settings`; a machine with neither
/// has plain `Cx<'_>`. Handlers of jobs get a [`JobCx`].
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::sim::Session;
///
/// #[state_machine(start = Line, eof => Gone)]
/// enum Greeter {
///     #[read(until = b"\n", max = 64, limit => Gone, idle = 10s => Gone)]
///     #[to(Line)]
///     #[rest]
///     Line,
///     #[end]
///     Gone,
/// }
///
/// struct Polite {
///     /// The text is shared by all connections and never copied.
///     rules: Bytes,
/// }
///
/// impl greeter::Handler for Polite {
///     fn line(&mut self, name: &[u8], cx: &mut Cx<'_>) -> greeter::AfterLine {
///         cx.write(b"hello ");
///         cx.write(name);
///         let caller = cx.key().index();
///         writeln!(cx, ", caller {caller}");
///         if cx.queued() < 1024 {
///             cx.send(self.rules.clone());
///         }
///         greeter::AfterLine::Line
///     }
/// }
///
/// let mut peer = Session::<Greeter, _>::new(Polite { rules: Bytes::from_static(b"be kind\n") });
/// peer.send(b"Ann\n");
/// assert_eq!(peer.receive(), b"hello Ann, caller 0\nbe kind\n");
/// ```
pub struct Cx<'a, Msg = NoMessage, Settings = (), K: Kind = Connection> {
    out: &'a mut SendBuffer,
    peer: &'a dyn PeerAddr,
    environment: &'a Environment<Msg, Settings>,
    key: Key,
    context: &'a WorkerContext,
    /// An `Option` of the job's reply; `None` for a connection.
    reply: Option<&'a mut dyn Any>,
    /// The number of messages and replies that this turn has taken.
    received: usize,
    /// A job has left since generated code last asked for its reply.
    just_submitted: bool,
    /// The number of input bytes that no state has used.
    unread: usize,
    /// The connection's own input buffer, if it holds all of a large message.
    whole_input: Option<&'a Bytes>,
    /// The event that the last handler was called for, if its state interleaves input and messages.
    last_taken: TakenEvent,
    /// The state of the stream to the peer, if the machine uses it.
    stream: StreamState,
    kind: PhantomData<K>,
}

/// An event that a state which waits for input and messages has taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenEvent {
    Nothing,
    Input,
    Message,
    /// The mailbox is empty. The next message causes another turn, so this one does not look again.
    AllMessages,
}

/// The [`Cx`] of a handler of jobs, which has no peer to write to.
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// fn log_retry(cx: &JobCx<'_>, error: &std::io::Error) {
///     cx.warn(format_args!("retrying after: {error}"));
/// }
/// ```
pub type JobCx<'a, Msg = NoMessage, Settings = ()> = Cx<'a, Msg, Settings, Job>;

impl<'a, Msg, Settings, K: Kind> Cx<'a, Msg, Settings, K> {
    #[inline]
    pub(crate) fn new(
        out: &'a mut SendBuffer,
        peer: &'a dyn PeerAddr,
        environment: &'a Environment<Msg, Settings>,
        key: Key,
        context: &'a WorkerContext,
    ) -> Self {
        Self {
            out,
            peer,
            environment,
            key,
            context,
            reply: None,
            received: 0,
            just_submitted: false,
            unread: 0,
            whole_input: None,
            last_taken: TakenEvent::Nothing,
            stream: StreamState::NEW,
            kind: PhantomData,
        }
    }

    /// Records the state whose handler may run next, for the watchdog's log.
    #[inline]
    pub(crate) fn at_state(&self, state: usize) {
        self.context.status.at_state(state);
    }

    /// Notes that a handler may be called, in a machine with another socket.
    pub(crate) fn begin_other_call(&self) {
        if let Some(other) = self.peer.other() {
            other.begin_call();
        }
    }

    /// The time in milliseconds of the pool's clock.
    #[inline]
    pub(crate) fn millis(&self) -> u64 {
        self.context.now
    }

    /// Records the number of unread bytes that the next handler sees as [`unread`](Cx::unread).
    #[inline]
    pub(crate) fn set_unread(&mut self, unread: usize) {
        self.unread = unread;
    }

    /// Records the buffer that handlers may share.
    #[inline]
    pub(crate) fn set_whole_input(&mut self, whole: Option<&'a Bytes>) {
        self.whole_input = whole;
    }

    /// Notes what the machine uses of the state of the stream to the peer.
    #[inline]
    pub(crate) fn look_at<M: Machine>(&mut self, state: StreamState) {
        if const { M::SPEC.uses(Features::READS_FIRST) || M::SPEC.uses(Features::SHUTDOWN) } {
            self.stream = state;
        }
    }

    /// Records the event that the last handler of the same state was called for.
    pub(crate) fn set_last_taken(&mut self, taken: TakenEvent) {
        self.last_taken = taken;
    }

    /// The event that the last handler was called for, if its state interleaves input and messages.
    pub(crate) fn last_taken(&self) -> TakenEvent {
        self.last_taken
    }

    /// Whether bytes have come since the connection has taken its job.
    pub(crate) fn has_heard(&self) -> bool {
        self.stream.has_heard()
    }

    /// The mailboxes of the pool.
    pub(crate) fn mailboxes(&self) -> &'a Mailboxes<Msg> {
        &self.environment.mailboxes
    }

    #[inline]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.out.len()
    }

    /// The key of this connection or job, to which others [`post`](Self::post) messages.
    #[inline]
    pub fn key(&self) -> Key {
        self.key
    }

    /// The settings of the pool: the value that [`Builder::settings`](crate::Builder::settings) was
    /// called with, or the default one. Expressions in attributes know it as `settings`.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    /// use std::time::Duration;
    ///
    /// /// What an operator may choose.
    /// struct Limits {
    ///     greeting: String,
    ///     idle: Duration,
    /// }
    ///
    /// impl Default for Limits {
    ///     fn default() -> Self {
    ///         Self { greeting: "hello".to_owned(), idle: Duration::from_secs(60) }
    ///     }
    /// }
    ///
    /// #[state_machine(start = Talk, settings = Limits, eof => Gone)]
    /// enum Greeter {
    ///     #[read(some, max = 64, idle = settings.idle <= 1h => Gone)]
    ///     #[to(Talk)]
    ///     Talk,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl greeter::Handler for Client {
    ///     fn talk(&mut self, _: &[u8], cx: &mut Cx<'_, NoMessage, Limits>) -> greeter::AfterTalk {
    ///         cx.write(cx.settings().greeting.as_bytes());
    ///         greeter::AfterTalk::Talk
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let limits = Limits { greeting: "servus".to_owned(), idle: Duration::from_secs(5) };
    /// let mut peer = Session::<Greeter, _>::with_settings(Client, limits);
    /// peer.send(b"?");
    /// assert_eq!(peer.receive(), b"servus");
    /// peer.advance(Duration::from_secs(5));
    /// assert_eq!(peer.state(), None);
    /// # }
    /// ```
    #[inline]
    pub fn settings(&self) -> &'a Settings {
        &self.environment.settings
    }

    /// Whether the pool drained at the beginning of this turn, because of a signal or
    /// [`Handle::drain`](crate::Handle::drain).
    ///
    /// A drain closes a connection in a `#[rest]` state when it has no input. A peer that always has
    /// another request on the way is therefore served until [`drain_within`] is over, unless the handler
    /// tells the peer that this answer is the last one, and ends the machine.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Ask, eof => Gone)]
    /// enum Polite {
    ///     #[read(until = b"\n", max = 80, limit => Gone, idle = 60s => Gone)]
    ///     #[to(Ask | Gone)]
    ///     #[rest]
    ///     Ask,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl polite::Handler for Client {
    ///     fn ask(&mut self, _: &[u8], cx: &mut Cx<'_>) -> polite::AfterAsk {
    ///         if cx.draining() {
    ///             cx.write(b"answer, and goodbye\n");
    ///             return polite::AfterAsk::Gone;
    ///         }
    ///         cx.write(b"answer\n");
    ///         polite::AfterAsk::Ask
    ///     }
    /// }
    ///
    /// let mut peer = Session::<Polite, _>::new(Client);
    /// peer.send(b"question\nquest");
    /// assert_eq!(peer.receive(), b"answer\n");
    /// peer.drain();
    /// peer.send(b"ion\nquestion\n");
    /// assert_eq!(peer.receive(), b"answer, and goodbye\n");
    /// ```
    ///
    /// [`drain_within`]: crate::Builder::drain_within
    #[inline]
    pub fn draining(&self) -> bool {
        self.context.draining
    }

    /// Logs `text` as a `tracing` event of level `WARN`, with the key of this connection or job.
    pub fn warn(&self, text: impl fmt::Display) {
        crate::log::warn!(key = %self.key, "{text}");
    }

    /// Logs an error that no state stores. Generated code calls it for an `error` edge to a state
    /// without an `#[error]` field.
    #[doc(hidden)]
    #[cold]
    pub fn failed(&self, state: &'static str, error: &dyn fmt::Display) {
        crate::log::debug!(key = %self.key, state, %error, "the `error` edge is taken");
    }

    /// Counts the edge with this number, which the machine takes. Generated code calls it, but not for the edges of
    /// deadlines and drains, which the runtime finds by their event.
    #[doc(hidden)]
    #[inline]
    pub fn edge(&self, edge: usize) {
        #[cfg(feature = "transitions")]
        self.context.edges.count(edge);
        #[cfg(not(feature = "transitions"))]
        let _ = edge;
    }

    /// Notes the edge that was just taken in the history of the connection or job, if its pool has one.
    #[inline]
    pub(crate) fn note_transition(&self) {
        #[cfg(feature = "transitions")]
        self.environment.note_transition(self.key, self.context);
        #[cfg(not(feature = "transitions"))]
        let _ = self;
    }

    /// Whether the stream to the peer was shut down. Generated code asks in a `#[shutdown]` state.
    #[doc(hidden)]
    #[inline]
    pub fn is_shut(&self) -> bool {
        self.stream.is_shut()
    }

    /// Runs `code`, which may block. Meanwhile the port lets another thread run.
    ///
    /// `#[run(blocking)]` does the same for a whole handler. A port with a single thread runs
    /// nothing else until `code` returns. There is no bound on the time. A panic of `code` is a panic of
    /// the handler.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// fn load(cx: &mut Cx<'_>, path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    ///     cx.blocking(|| std::fs::read(path))
    /// }
    /// ```
    pub fn blocking<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let outermost = self.block();
        let result = code();
        // The handler of a `#[run(blocking)]` state counts as blocked until it returns.
        if outermost {
            self.unblock();
        }
        result
    }

    /// Tells the port that the code that runs next may block. Returns whether the thread did not
    /// count as blocked before. Generated code calls it before the handler of a `#[run(blocking)]`
    /// state; if that handler panics, the end of the turn unblocks.
    #[doc(hidden)]
    pub fn block(&mut self) -> bool {
        let WorkerContext { port, thread, turn, .. } = self.context;
        port.block(*thread, *turn, Blocked::Declared)
    }

    /// Tells the port that the code that might block has returned.
    #[doc(hidden)]
    pub fn unblock(&mut self) {
        let WorkerContext { port, thread, turn, .. } = self.context;
        port.unblock(*thread, *turn, Blocked::Declared);
    }

    /// Abandons the call or hand-off of a state that is left by a deadline.
    #[doc(hidden)]
    pub fn withdraw(&mut self) {
        self.just_submitted = false;
        self.environment.mailboxes.withdraw_call(self.key);
    }
}

impl<'a, Msg, Settings> Cx<'a, Msg, Settings, Job> {
    /// `reply` is an `Option` of the job's reply.
    pub(crate) fn with_reply(mut self, reply: &'a mut dyn Any) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Sets the reply of the job. Generated code calls it when an end state is entered.
    #[doc(hidden)]
    pub fn finish<R: Send + 'static>(&mut self, reply: R) {
        if let Some(slot) = self.reply.as_mut().and_then(|slot| slot.downcast_mut()) {
            *slot = Some(reply);
        }
    }
}

impl<Msg, Settings, K: Kind> fmt::Debug for Cx<'_, Msg, Settings, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("key", &self.key).field("queued", &self.out.len()).finish()
    }
}
