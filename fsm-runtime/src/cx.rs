use std::fmt::{self, Arguments};
use std::io;
use std::time::Instant;

use bytes::Bytes;

use crate::inbox::Inbox;
use crate::output::Output;
use crate::transport::Transport;
use crate::{Key, NoMessage, Peer, PostError};

/// What a handler can do besides its verdict: write to the peer, ask for time, key and peer, post
/// messages.
///
/// What a handler writes is queued, and leaves in one system call when the connection's turn ends.
/// Queueing never fails and never blocks. When more is queued than the pool's output mark, the
/// connection's handlers are not called until the peer has taken enough of it.
///
/// `Msg` is the `message` type of the machine; plain `Cx<'_>` where it has none.
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
/// struct Polite;
///
/// impl greeter::Handler for Polite {
///     fn line(&mut self, name: &[u8], cx: &mut Cx<'_>) -> greeter::AfterLine {
///         cx.write(b"hello ");
///         cx.write(name);
///         let caller = cx.key().index();
///         writeln!(cx, ", caller {caller}");
///         greeter::AfterLine::Line
///     }
/// }
///
/// let mut peer = Session::<Greeter, _>::new(Polite);
/// peer.send(b"Ann\n");
/// assert_eq!(peer.receive(), b"hello Ann, caller 0\n");
/// ```
pub struct Cx<'a, Msg = NoMessage> {
    out: &'a mut Output,
    socket: &'a dyn Transport,
    inbox: &'a Inbox<Msg>,
    key: Key,
    now: Instant,
}

impl<'a, Msg> Cx<'a, Msg> {
    #[inline]
    pub(crate) fn new(
        out: &'a mut Output,
        socket: &'a dyn Transport,
        inbox: &'a Inbox<Msg>,
        key: Key,
        now: Instant,
    ) -> Self {
        Self { out, socket, inbox, key, now }
    }

    #[inline]
    pub(crate) fn output(&mut self) -> &mut Output {
        self.out
    }

    /// Queues a copy of `bytes`.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        self.out.write(bytes);
    }

    /// Queues formatted text: this is what `write!(cx, ..)` and `writeln!(cx, ..)` call.
    ///
    /// A `Display` that fails leaves what it wrote before; it is a bug of that type.
    #[inline]
    pub fn write_fmt(&mut self, text: Arguments<'_>) {
        let _ = io::Write::write_fmt(self.out.buffer_mut(), text);
    }

    /// Queues `bytes` without copying them, for large or shared answers.
    ///
    /// Less than 1 KiB is copied all the same; that is cheaper.
    ///
    /// ```
    /// # use fsm_runtime::{Cx, bytes::Bytes};
    /// fn answer(cx: &mut Cx<'_>, page: &Bytes) {
    ///     write!(cx, "{}\r\n", page.len());
    ///     cx.send(page.clone());
    /// }
    /// ```
    pub fn send(&mut self, bytes: impl Into<Bytes>) {
        self.out.send(bytes.into());
    }

    /// How many bytes of output are queued.
    ///
    /// ```
    /// # use fsm_runtime::Cx;
    /// fn is_slow(cx: &Cx<'_>) -> bool {
    ///     cx.queued() > 64 * 1024
    /// }
    /// ```
    #[inline]
    pub fn queued(&self) -> usize {
        self.out.len()
    }

    /// The key of this connection: where others post messages to.
    ///
    /// ```
    /// # use fsm_runtime::{Cx, Key};
    /// fn remember(cx: &Cx<'_>, members: &mut Vec<Key>) {
    ///     members.push(cx.key());
    /// }
    /// ```
    #[inline]
    pub fn key(&self) -> Key {
        self.key
    }

    /// The time. It is read once for a batch of events, so it may be a little behind the clock;
    /// under test it is the test's.
    ///
    /// ```
    /// # use fsm_runtime::Cx;
    /// # use std::time::Instant;
    /// fn age(cx: &Cx<'_>, since: Instant) -> u64 {
    ///     cx.now().saturating_duration_since(since).as_secs()
    /// }
    /// ```
    #[inline]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Who is at the other end. Asks the system on every call: nothing is kept for it while a
    /// connection is idle.
    ///
    /// ```
    /// # use fsm_runtime::Cx;
    /// fn greet(cx: &mut Cx<'_>) -> std::io::Result<()> {
    ///     let peer = cx.peer()?;
    ///     write!(cx, "hello {peer}\r\n");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the system does not say, such as after the peer reset the connection.
    pub fn peer(&self) -> io::Result<Peer> {
        self.socket.peer()
    }

    /// Puts `message` into the mailbox of the connection `key` of this pool.
    ///
    /// It is delivered when that connection is in a `#[wait]` state; until then it waits in the
    /// mailbox, in order. The other connection has its turn after this one's, so a handler that
    /// posts much in one turn fills the mailbox: see [`Builder::mailbox`](crate::Builder::mailbox).
    ///
    /// ```
    /// # use fsm_runtime::{Cx, Key};
    /// fn tell(cx: &Cx<'_, String>, members: &mut Vec<Key>, text: &str) {
    ///     members.retain(|member| cx.post(*member, text.to_owned()).is_ok());
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// When the mailbox is full or the connection is gone. The message comes back.
    pub fn post(&self, key: Key, message: Msg) -> Result<(), PostError<Msg>> {
        self.inbox.post(key, message)
    }

    /// Logs a warning with the key of this connection.
    ///
    /// ```
    /// # use fsm_runtime::Cx;
    /// fn refuse(cx: &Cx<'_>, length: u64) {
    ///     cx.warn(format_args!("a document of {length} bytes is too long"));
    /// }
    /// ```
    pub fn warn(&self, text: impl fmt::Display) {
        tracing::warn!(key = %self.key, "{text}");
    }

    /// Logs an error that no state takes up. Generated code calls it for an `error` edge to a state
    /// without an `#[error]` field.
    #[doc(hidden)]
    #[cold]
    pub fn failed(&self, state: &'static str, error: &dyn fmt::Display) {
        tracing::debug!(key = %self.key, state, %error, "the `error` edge is taken");
    }

    /// The next message for this connection. Generated code calls it in a `#[wait]` state.
    #[doc(hidden)]
    pub fn message(&mut self) -> Option<Msg> {
        self.inbox.take(self.key)
    }
}

/// For what takes a writer, such as a serializer; no method of it fails.
impl<Msg> io::Write for Cx<'_, Msg> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write(bytes);
        Ok(())
    }

    /// Does nothing: what is written leaves when the turn ends.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<Msg> fmt::Debug for Cx<'_, Msg> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("key", &self.key).field("queued", &self.queued()).finish()
    }
}
