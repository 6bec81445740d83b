use std::any::Any;
use std::fmt::{self, Arguments};
use std::io;
use std::marker::PhantomData;
use std::time::Instant;

use bytes::Bytes;

use crate::call::mailboxes::Mailboxes;
use crate::net::send_buffer::SendBuffer;
use crate::net::transport::PeerAddr;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::WorkerContext;
use crate::{Connection, Job, Key, Kind, NoMessage, Peer, TrySendError};

mod calls;
mod hand_off;

/// What a handler can do besides its verdict: write to the peer, ask for time, key and peer, post
/// messages.
///
/// What a handler writes is queued, and leaves in one system call when the connection's turn ends.
/// Queueing never fails and never blocks. When more is queued than the pool's output mark, the
/// connection takes up no input and no messages until the peer has taken enough of it.
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
pub struct Cx<'a, Msg = NoMessage, On: Kind = Connection> {
    out: &'a mut SendBuffer,
    peer: &'a dyn PeerAddr,
    mailboxes: &'a Mailboxes<Msg>,
    key: Key,
    context: &'a WorkerContext,
    /// An `Option` of the job's reply.
    reply: Option<&'a mut dyn Any>,
    /// Messages and replies taken in this turn.
    taken: usize,
    /// A call has left since its reply was last asked for.
    called: bool,
    /// Input that no state has used yet.
    unread: usize,
    side: PhantomData<On>,
}

/// What a handler of a job can do besides its verdict: a [`Cx`] without a peer to write to.
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// fn complain(cx: &JobCx<'_>, why: &str) {
///     cx.warn(format_args!("job {}: {why}", cx.key()));
/// }
/// ```
pub type JobCx<'a, Msg = NoMessage> = Cx<'a, Msg, Job>;

impl<'a, Msg, On: Kind> Cx<'a, Msg, On> {
    #[inline]
    pub(crate) fn new(
        out: &'a mut SendBuffer,
        peer: &'a dyn PeerAddr,
        mailboxes: &'a Mailboxes<Msg>,
        key: Key,
        context: &'a WorkerContext,
    ) -> Self {
        let (reply, taken, called, unread, side) = (None, 0, false, 0, PhantomData);
        Self { out, peer, mailboxes, key, context, reply, taken, called, unread, side }
    }

    /// Notes the state whose handler may run next.
    #[inline]
    pub(crate) fn at_state(&self, state: usize) {
        self.context.status.at_state(state);
    }

    /// Milliseconds since the first pool of the process started.
    #[inline]
    pub(crate) fn millis(&self) -> u64 {
        self.context.now
    }

    /// Notes how much input there is for the next handler.
    #[inline]
    pub(crate) fn set_unread(&mut self, unread: usize) {
        self.unread = unread;
    }

    #[inline]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.out.len()
    }

    /// The key of this connection: where others post messages to.
    ///
    /// ```
    /// fn remember(cx: &Cx<'_>, members: &mut Vec<Key>) {
    ///     members.push(cx.key());
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         let mut members = Vec::new();
    /// #         remember(cx, &mut members);
    /// #         write!(cx, "{}", members[0].index());
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"0");
    /// ```
    #[inline]
    pub fn key(&self) -> Key {
        self.key
    }

    /// The time. It is read once for a batch of events, so it may be a little behind the clock;
    /// under test it is the test's.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// fn age(cx: &Cx<'_>, since: Instant) -> u64 {
    ///     cx.now().saturating_duration_since(since).as_secs()
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         let since = cx.now() - Duration::from_secs(3);
    /// #         write!(cx, "{}", age(cx, since));
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"3");
    /// ```
    #[inline]
    pub fn now(&self) -> Instant {
        self.context.instant
    }

    /// Puts `message` into the mailbox of the connection `key` of this pool.
    ///
    /// It is delivered when that connection is in a `#[message]` state; until then it waits in the
    /// mailbox, in order. The other connection has its turn after this one's, so a handler that
    /// posts much in one turn fills the mailbox: see [`Builder::mailbox`](crate::Builder::mailbox).
    ///
    /// ```
    /// fn tell(cx: &Cx<'_, String>, members: &mut Vec<Key>, text: &str) {
    ///     members.retain(|member| cx.post(*member, text.to_owned()).is_ok());
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, message = String, eof => Gone)]
    /// # enum Chat {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Listen)] #[rest] Talk,
    /// #     #[message(within = 60s => Gone)] #[to(Talk)] Listen,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl chat::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_, String>) -> chat::AfterTalk {
    /// #         tell(cx, &mut vec![cx.key()], "news");
    /// #         chat::AfterTalk::Listen
    /// #     }
    /// #     fn listen(&mut self, text: String, cx: &mut Cx<'_, String>) -> chat::AfterListen {
    /// #         cx.write(text.as_bytes());
    /// #         chat::AfterListen::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Chat, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"news");
    /// ```
    ///
    /// # Errors
    ///
    /// When the mailbox is full or the connection is gone. The message comes back.
    pub fn post(&self, key: Key, message: Msg) -> Result<(), TrySendError<Msg>> {
        self.mailboxes.post(key, message)
    }

    /// Logs a warning with the key of this connection.
    ///
    /// ```
    /// fn refuse(cx: &Cx<'_>, length: u64) {
    ///     cx.warn(format_args!("a document of {length} bytes is too long"));
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         refuse(cx, 7);
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"");
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

    /// The next message for this connection. Generated code calls it in a `#[message]` state.
    #[doc(hidden)]
    pub fn message(&mut self) -> Option<Msg> {
        let message = self.mailboxes.take(self.key)?;
        self.taken += 1;
        Some(message)
    }

    #[inline]
    pub(crate) fn messages_taken(&self) -> usize {
        self.taken
    }

    /// Runs `code`, which may block: meanwhile the port lets another thread run.
    ///
    /// It is what `#[run(blocking)]` does for a whole handler. A port with one thread has no other,
    /// and waits.
    ///
    /// ```
    /// fn load(cx: &mut Cx<'_>, path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    ///     cx.blocking(|| std::fs::read(path))
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         assert!(load(cx, "no/such/file".as_ref()).is_err());
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"");
    /// ```
    pub fn blocking<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let outermost = self.block();
        let result = code();
        // A handler that is declared to block does so after this as well.
        if outermost {
            self.unblock();
        }
        result
    }

    /// The handler that is called next may block. Generated code calls it. If that handler panics
    /// the end of its turn takes it back. Says whether that is news to the port.
    #[doc(hidden)]
    pub fn block(&mut self) -> bool {
        let WorkerContext { port, thread, turn, .. } = self.context;
        port.block(*thread, *turn, Blocked::Declared)
    }

    /// That handler is back.
    #[doc(hidden)]
    pub fn unblock(&mut self) {
        let WorkerContext { port, thread, turn, .. } = self.context;
        port.unblock(*thread, *turn, Blocked::Declared);
    }

    /// The state does not wait any more: its deadline has passed.
    #[doc(hidden)]
    pub fn withdraw(&mut self) {
        self.called = false;
        self.mailboxes.withdraw_call(self.key);
    }
}

impl<Msg> Cx<'_, Msg, Connection> {
    /// Queues a copy of `bytes`.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Quote {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl quote::Handler for Client {
    /// fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> quote::AfterTalk {
    ///     cx.write(b"> ");
    ///     cx.write(bytes);
    ///     quote::AfterTalk::Talk
    /// }
    /// # }
    /// # let mut peer = Session::<Quote, _>::new(Client);
    /// # peer.send(b"hello");
    /// # assert_eq!(peer.receive(), b"> hello");
    /// ```
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        self.out.write(bytes);
    }

    /// Queues formatted text: this is what `write!(cx, ..)` and `writeln!(cx, ..)` call.
    ///
    /// A `Display` that fails leaves what it wrote before; it is a bug of that type.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use fsm_runtime::sim::Session;
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Count {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl count::Handler for Client {
    /// fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> count::AfterTalk {
    ///     writeln!(cx, "{:>4} bytes", bytes.len());
    ///     count::AfterTalk::Talk
    /// }
    /// # }
    /// # let mut peer = Session::<Count, _>::new(Client);
    /// # peer.send(b"hello");
    /// # assert_eq!(peer.receive(), b"   5 bytes\n");
    /// ```
    #[inline]
    pub fn write_fmt(&mut self, text: Arguments<'_>) {
        let _ = io::Write::write_fmt(self.out.buffer_mut(), text);
    }

    /// Queues `bytes` without copying them, for large or shared answers.
    ///
    /// Less than 1 KiB is copied all the same; that is cheaper.
    ///
    /// ```
    /// # use fsm_runtime::bytes::Bytes;
    /// fn answer(cx: &mut Cx<'_>, page: &Bytes) {
    ///     write!(cx, "{}\r\n", page.len());
    ///     cx.send(page.clone());
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         answer(cx, &Bytes::from_static(&[b'-'; 2000]));
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), [&b"2000\r\n"[..], &[b'-'; 2000]].concat());
    /// ```
    pub fn send(&mut self, bytes: impl Into<Bytes>) {
        self.out.send(bytes.into());
    }

    /// How many bytes of output are queued.
    ///
    /// ```
    /// fn is_slow(cx: &Cx<'_>) -> bool {
    ///     cx.queued() > 64 * 1024
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         let before = is_slow(cx);
    /// #         cx.write(&[0; 64 * 1024 + 1]);
    /// #         assert!(!before && is_slow(cx));
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), [0; 64 * 1024 + 1]);
    /// ```
    #[inline]
    pub fn queued(&self) -> usize {
        self.out.len()
    }

    /// How many bytes had come that no state had used, before what this handler was called with was
    /// taken from them. In a state that reads nothing it says whether the peer has begun to send
    /// something, such as when a deadline has led there.
    ///
    /// ```
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # use std::time::Duration;
    /// #[state_machine(start = Line, eof => Gone, limit => Gone)]
    /// enum Lines {
    ///     #[read(until = b"\n", max = 80, within = 10s => Late)]
    ///     #[to(Line)]
    ///     #[rest]
    ///     Line,
    ///     #[run]
    ///     #[to(Gone)]
    ///     Late,
    ///     #[end]
    ///     Gone,
    /// }
    /// # struct Client;
    /// # impl lines::Handler for Client {
    /// #     fn line(&mut self, _line: &[u8], _cx: &mut Cx<'_>) -> lines::AfterLine {
    /// #         lines::AfterLine::Line
    /// #     }
    /// // Only who has begun a line is told that it did not come in time.
    /// fn late(&mut self, cx: &mut Cx<'_>) -> lines::AfterLate {
    ///     if cx.unread() > 0 {
    ///         cx.write(b"too slow\n");
    ///     }
    ///     lines::AfterLate::Gone
    /// }
    /// # }
    /// # for (sent, answer) in [("", ""), ("half a li", "too slow\n")] {
    /// #     let mut peer = Session::<Lines, _>::new(Client);
    /// #     peer.send(sent.as_bytes());
    /// #     peer.advance(Duration::from_secs(10));
    /// #     assert_eq!(peer.receive(), answer.as_bytes());
    /// # }
    /// ```
    #[inline]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Who is at the other end. Asks the system on every call: nothing is kept for it while a
    /// connection is idle.
    ///
    /// ```
    /// fn greet(cx: &mut Cx<'_>) -> std::io::Result<()> {
    ///     let peer = cx.peer()?;
    ///     write!(cx, "hello {peer}\r\n");
    ///     Ok(())
    /// }
    /// # use fsm_runtime::{prelude::*, sim::Session};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl echo::Handler for Client {
    /// #     fn talk(&mut self, _bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
    /// #         greet(cx).unwrap();
    /// #         echo::AfterTalk::Talk
    /// #     }
    /// # }
    /// # let mut peer = Session::<Echo, _>::new(Client);
    /// # peer.send(b"x");
    /// # assert_eq!(peer.receive(), b"hello memory\r\n");
    /// ```
    ///
    /// # Errors
    ///
    /// When the system does not say, such as after the peer reset the connection.
    pub fn peer(&self) -> io::Result<Peer> {
        self.peer.peer()
    }
}

impl<'a, Msg> Cx<'a, Msg, Job> {
    /// `reply` is an `Option` of what the job replies.
    pub(crate) fn with_reply(mut self, reply: &'a mut dyn Any) -> Self {
        self.reply = Some(reply);
        self
    }

    /// The reply of the job. Generated code calls it when an end is entered.
    #[doc(hidden)]
    pub fn finish<R: Send + 'static>(&mut self, reply: R) {
        if let Some(slot) = self.reply.as_mut().and_then(|slot| slot.downcast_mut()) {
            *slot = Some(reply);
        }
    }
}

/// For what takes a writer, such as a serializer; no method of it fails.
///
/// ```
/// # use fsm_runtime::prelude::*;
/// # use fsm_runtime::sim::Session;
/// # #[state_machine(start = Ask, eof => Gone)]
/// # enum Files {
/// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Ask | Gone)] #[rest] Ask,
/// #     #[end] Gone,
/// # }
/// # struct Client;
/// # impl files::Handler for Client {
/// fn ask(&mut self, _name: &[u8], cx: &mut Cx<'_>) -> files::AfterAsk {
///     let mut file = &b"a page"[..];
///     match std::io::copy(&mut file, cx) {
///         Ok(_) => files::AfterAsk::Ask,
///         Err(_) => files::AfterAsk::Gone,
///     }
/// }
/// # }
/// # let mut peer = Session::<Files, _>::new(Client);
/// # peer.send(b"index");
/// # assert_eq!(peer.receive(), b"a page");
/// ```
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

impl<Msg, On: Kind> fmt::Debug for Cx<'_, Msg, On> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("key", &self.key).field("queued", &self.out.len()).finish()
    }
}
