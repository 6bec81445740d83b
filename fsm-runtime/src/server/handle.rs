use std::fmt;
use std::sync::Arc;

use crate::call::mailboxes::Mailboxes;
use crate::lifecycle::pool_state::PoolState;
use crate::{Key, Machine, TrySendError};

mod adopt;
mod jobs;
mod snapshots;

/// A pool from outside: it drains or closes the pool, posts to its connections, gives it jobs, and
/// reads its counters.
///
/// [`Builder::handle`](crate::Builder::handle) returns one. It is cheap to clone, and any thread
/// may use it, also before the pool starts and after it has ended.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use fsm_runtime::prelude::*;
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
///
/// impl shout::Handler for Client {
///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
///         cx.write(&line.to_ascii_uppercase());
///         shout::AfterLine::Line
///     }
/// }
///
/// let builder = Pool::builder::<Shout>("shout").listen("127.0.0.1:0");
/// let handle = builder.handle();
/// let running = builder.handler(|_peer| Client).start()?;
/// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
/// client.write_all(b"one line\nhalf ")?;
/// client.read_exact(&mut [0; 8])?;
/// assert_eq!(handle.stats().open, 1);
///
/// // The client has sent half a line. A drain lets it finish; `close` would cut it off.
/// handle.drain();
/// client.write_all(b"a line\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert_eq!(answer, "HALF A LINE");
/// assert_eq!(running.join()?.drained, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle<M: Machine> {
    state: Arc<PoolState>,
    mailboxes: Mailboxes<M::Message>,
}

impl<M: Machine> Handle<M> {
    pub(crate) fn new(state: Arc<PoolState>, mailboxes: Mailboxes<M::Message>) -> Self {
        Self { state, mailboxes }
    }

    /// Drains the pool, and returns at once.
    ///
    /// The pool accepts the connections that wait in the backlog now, and none after them. It
    /// answers the requests that have arrived, closes connections in a `#[rest]` state, and the
    /// others when they come to one. A peer that has just connected has the time of
    /// [`Builder::drain_grace`](crate::Builder::drain_grace) for its first bytes. The drain ends when none is left, and closes those that are left after the
    /// time of [`Builder::drain_within`](crate::Builder::drain_within).
    ///
    /// Pools that hand connections over to each other drain together.
    pub fn drain(&self) {
        self.state.drain();
    }

    /// Closes all connections and jobs, also those with something in progress, and ends the pool.
    /// Returns at once; the pool ends when the handlers that run have returned.
    ///
    /// If the pool is one of a [`Pipeline`](crate::Pipeline) that [runs](crate::Pipeline::run), the
    /// others drain.
    pub fn close(&self) {
        self.state.close();
    }

    /// Puts `message` into the mailbox of the connection or job `key`, of this pool. The handler
    /// gets it in a state with `#[message]`.
    ///
    /// ```
    /// use std::io::Read;
    /// use std::net::TcpStream;
    /// use std::sync::mpsc;
    ///
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Hello, message = String, eof => Gone)]
    /// enum Feed {
    ///     #[run]
    ///     #[to(News)]
    ///     Hello,
    ///     #[message(within = never)]
    ///     #[to(News)]
    ///     #[rest]
    ///     News,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// /// Sends the key of its connection to the rest of the program.
    /// struct Reader(mpsc::Sender<Key>);
    ///
    /// impl feed::Handler for Reader {
    ///     fn hello(&mut self, cx: &mut Cx<'_, String>) -> feed::AfterHello {
    ///         self.0.send(cx.key()).unwrap();
    ///         feed::AfterHello::News
    ///     }
    ///
    ///     fn news(&mut self, text: String, cx: &mut Cx<'_, String>) -> feed::AfterNews {
    ///         cx.write(text.as_bytes());
    ///         feed::AfterNews::News
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Feed>("feed").listen("127.0.0.1:0");
    /// let handle = builder.handle();
    /// let (sender, keys) = mpsc::channel();
    /// let running = builder.handler(move |_peer| Reader(sender.clone())).start()?;
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    ///
    /// let reader = keys.recv()?;
    /// assert_eq!(handle.post(reader, "maintenance in 5 minutes".to_owned()), Ok(()));
    /// let mut text = [0; 24];
    /// client.read_exact(&mut text)?;
    /// assert_eq!(&text, b"maintenance in 5 minutes");
    ///
    /// running.drain()?;
    /// assert!(matches!(handle.post(reader, "too late".to_owned()), Err(TrySendError::Gone(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the message: [`Full`](TrySendError::Full) if the mailbox has as many messages as
    /// [`Builder::mailbox`](crate::Builder::mailbox) allows, [`Gone`](TrySendError::Gone) if the
    /// connection or job has ended.
    pub fn post(&self, key: Key, message: M::Message) -> Result<(), TrySendError<M::Message>> {
        self.mailboxes.post(key, message)
    }
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), mailboxes: self.mailboxes.clone() }
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
