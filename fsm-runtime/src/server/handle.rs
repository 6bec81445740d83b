use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::hand_off::{CarriedIo, DetachedConnection};
use crate::call::mailboxes::Mailboxes;
use crate::call::semaphore::NoPermit;
use crate::lifecycle::pool_state::PoolState;
use crate::server::snapshot;
use crate::{
    Connection, EndError, Ended, Filter, JobHandle, Key, Machine, OpenStream, PoolSnapshot,
    Service, Stats, Submitter, TrySendError,
};

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
    /// others when they come to one. It ends when none is left, and closes those that are left after the
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

    /// Gives the pool a connection that other code has opened or accepted, and starts its machine with `seed`:
    /// `()` for a machine that a connection starts.
    ///
    /// The pool makes the stream non-blocking and, for TCP, sets `TCP_NODELAY`; both can be seen by others that
    /// have the same stream, such as the shell of a terminal. The connection counts as one that was handed over:
    /// it takes part in [`Builder::max_connections`](crate::Builder::max_connections), and goes to the shard with
    /// the fewest connections.
    ///
    /// A child process is a connection, too: give it one end of a pair of Unix sockets as its standard streams,
    /// and the pool the other. A pipe carries bytes one way; a write to its end for reading resets the
    /// connection, as does a file that the system does not poll.
    ///
    /// In a pool whose machine answers jobs, the connection answers jobs like those that the pool opens.
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use fsm_runtime::prelude::*;
    /// use std::os::fd::OwnedFd;
    /// use std::os::unix::net::UnixStream;
    /// use std::process::Command;
    /// use std::sync::mpsc;
    ///
    /// /// Asks a program for its first line.
    /// #[state_machine(start = Ask, seed = String, eof => Gone, limit => Gone, within = 10s => Gone)]
    /// enum Program {
    ///     #[run]
    ///     #[to(Line)]
    ///     Ask { question: String },
    ///     #[read(until = b"\n", max = 1KiB)]
    ///     #[to(Gone)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Asker(mpsc::Sender<String>);
    ///
    /// impl program::Handler for Asker {
    ///     fn ask(&mut self, question: &mut String, cx: &mut Cx<'_>) -> program::AfterAsk {
    ///         writeln!(cx, "{question}");
    ///         program::AfterAsk::Line
    ///     }
    ///
    ///     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> program::AfterLine {
    ///         let _ = self.0.send(String::from_utf8_lossy(line).into_owned());
    ///         program::AfterLine::Gone
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Program>("program");
    /// let handle = builder.handle();
    /// let (sender, answers) = mpsc::channel();
    /// let running = builder.handler(move |_peer| Asker(sender.clone())).start()?;
    ///
    /// let (ours, childs) = UnixStream::pair()?;
    /// let childs = OwnedFd::from(childs);
    /// let mut child =
    ///     Command::new("cat").stdin(childs.try_clone()?).stdout(childs).spawn()?;
    /// handle.adopt(ours, "hello".to_owned()).map_err(|error| error.to_string())?;
    /// assert_eq!(answers.recv()?, "hello");
    /// child.wait()?;
    /// running.drain()?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the stream and the seed: [`Full`](TrySendError::Full) if the pool has as many connections as it may
    /// have, or others wait for room, [`Gone`](TrySendError::Gone) if it has not started, drains or is closed.
    ///
    /// A stream that the system does not let the pool use is dropped, and counted as
    /// [`Ended::Reset`](crate::Ended::Reset).
    pub fn adopt(
        &self,
        stream: impl Into<OpenStream>,
        seed: M::Seed,
    ) -> Result<(), TrySendError<(OpenStream, M::Seed)>>
    where
        M: Machine<Kind = Connection>,
    {
        let stream = stream.into();
        let Some(target) = self.state.adoption::<M::Seed>() else {
            return Err(TrySendError::Gone((stream, seed)));
        };
        let permit = match target.semaphore().try_offer() {
            Ok(permit) => permit,
            Err(NoPermit::Full) => return Err(TrySendError::Full((stream, seed))),
            Err(NoPermit::Closed) => return Err(TrySendError::Gone((stream, seed))),
        };
        match stream.into_socket() {
            Ok(socket) => {
                let carried = CarriedIo::default();
                target.accept(
                    seed,
                    permit,
                    DetachedConnection { socket: Some(socket), layer: None, carried },
                );
            }
            Err(error) => {
                crate::log::warn!(%error, "a stream that was handed in cannot be used");
                self.state.counters.accepted();
                self.state.counters.ended(Ended::Reset);
            }
        }
        Ok(())
    }

    /// Returns the pool at work: its counters and threads, its connections or jobs by state, and the 100 oldest
    /// with where they are and why they wait. [`Handle::stats`] is much cheaper.
    ///
    /// It takes less than `within`, give or take what the system's scheduler does, and usually less than a
    /// millisecond for each 10,000 connections. A port with one thread cannot answer while that thread is in a
    /// handler: if that lasts longer than `within`, the snapshot says so, and which handler it is. A handler that
    /// calls this must not wait for its own port, which cannot answer.
    ///
    /// It costs nothing until it is called. Then a port visits up to 4,096 slots between two rounds of turns,
    /// at some nanoseconds each, and describes up to 256 connections, at about a microsecond each. If the pool has
    /// states with a `#[call]`, ports of the called pools are asked about the jobs, too. It is no instant:
    /// see [`PoolSnapshot`].
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::net::TcpStream;
    /// use std::time::Duration;
    ///
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Line, eof => Gone)]
    /// enum Shout {
    ///     #[read(until = b"\n", max = 64, limit => Gone, within = 60s => Gone)]
    ///     #[to(Line)]
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
    ///
    /// let pool = handle.snapshot(Duration::from_secs(1));
    /// assert_eq!(pool.count("Line"), 1);
    /// let oldest = &pool.tasks[0];
    /// assert_eq!(oldest.peer.unwrap().to_string(), client.local_addr()?.to_string());
    /// // Such as `Line 2 ms: waits for read(until = b"\n"); 59.9 s left; 5 bytes unread`.
    /// assert!(oldest.to_string().contains(r#": waits for read(until = b"\n"); "#));
    /// # drop(client);
    /// # running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self, within: Duration) -> PoolSnapshot {
        self.snapshot_of(&Filter::new(), within)
    }

    /// Returns the pool at work like [`snapshot`](Handle::snapshot), with those connections or jobs that
    /// `filter` lets through.
    pub fn snapshot_of(&self, filter: &Filter, within: Duration) -> PoolSnapshot {
        snapshot::of_pool(&self.state, filter, within)
    }

    /// Ends the connection with this key as [`Ended::Closed`], in its next turn and without another call of its
    /// handler. The connection is reset if output is unsent or input unread, as when the pool closes.
    ///
    /// It waits for less than `within` until the port of the connection has noted it: usually some microseconds.
    /// A handler must not wait for its own port in this way.
    ///
    /// ```
    /// use std::io::Read;
    /// use std::net::TcpStream;
    /// use std::time::Duration;
    ///
    /// use fsm_runtime::EndError;
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Line, eof => Gone)]
    /// enum Shout {
    ///     #[read(until = b"\n", max = 64, limit => Gone, within = 60s => Gone)]
    ///     #[to(Line)]
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
    /// # while handle.stats().open == 0 {
    /// #     std::thread::yield_now();
    /// # }
    ///
    /// let second = Duration::from_secs(1);
    /// let key = handle.snapshot(second).tasks[0].key.unwrap();
    /// assert_eq!(handle.end(key, second), Ok(()));
    /// assert_eq!(client.read(&mut [0])?, 0);
    /// assert_eq!(handle.end(key, second), Err(EndError::Gone));
    /// # running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the reason why no connection ends.
    pub fn end(&self, key: Key, within: Duration) -> Result<(), EndError> {
        snapshot::end::connection(std::slice::from_ref(&self.state), key, within)
    }

    /// Returns the counters of the pool.
    pub fn stats(&self) -> Stats {
        self.state.stats()
    }
}

impl<M: Machine + Service> Handle<M> {
    /// Gives the pool a job from a plain thread, if there is room. [`JobHandle::wait`] waits for
    /// the reply.
    ///
    /// It is for `main`, tests, and programs that are not made of pools. A machine gives a job with
    /// `#[call(..)]` instead, and its thread does other things until the reply arrives.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Count, job = String, reply = usize)]
    /// enum Words {
    ///     #[run]
    ///     #[to(Done)]
    ///     Count { text: String },
    ///     #[end]
    ///     Done,
    /// }
    ///
    /// struct Worker;
    ///
    /// impl words::Handler for Worker {
    ///     fn count(&mut self, text: &mut String, _: &mut JobCx<'_>) -> words::AfterCount {
    ///         words::AfterCount::Done { reply: text.split_whitespace().count() }
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Words>("words").threads(2);
    /// let words = builder.handle();
    /// let running = builder.worker(|| Worker).start()?;
    /// // Both jobs run at a time, on the two threads.
    /// let first = words.submit("one".to_owned())?;
    /// let second = words.submit("to be or not to be".to_owned())?;
    /// assert_eq!((first.wait(), second.wait()), (Some(1), Some(6)));
    /// running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the job: [`Full`](TrySendError::Full) if the pool has as many jobs as
    /// [`Builder::max_jobs`](crate::Builder::max_jobs) allows or others wait for room,
    /// [`Gone`](TrySendError::Gone) if it has not started, drains or is closed.
    pub fn submit(&self, job: M::Job) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>> {
        Submitter::<M>::new(Arc::clone(&self.state)).submit(job)
    }

    /// Gives the pool a job like [`submit`](Handle::submit), but blocks this thread for up to
    /// `time` until there is room. Threads and machines that wait for room get it in FIFO order.
    ///
    /// A handler must not call it, because it would block all that its thread serves.
    ///
    /// # Errors
    ///
    /// Returns the job: [`Full`](TrySendError::Full) if there was no room in that time,
    /// [`Gone`](TrySendError::Gone) if the pool has not started or drains, or is closed before there
    /// is room.
    pub fn submit_within(
        &self,
        job: M::Job,
        time: Duration,
    ) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>> {
        Submitter::<M>::new(Arc::clone(&self.state)).submit_within(job, time)
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
