use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::mailboxes::Mailboxes;
use crate::lifecycle::pool_state::PoolState;
use crate::{JobHandle, JobMachine, Key, Machine, Stats, Submitter, TrySendError};

/// A pool from outside: drain it, post to its connections, give it jobs, see what it counts. Cheap to clone, and
/// good on any thread.
///
/// ```
/// # use fsm_runtime::prelude::*;
/// # #[state_machine(start = Talk, eof => Gone)]
/// # enum Echo {
/// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
/// #     #[end] Gone,
/// # }
/// # struct Client;
/// # impl echo::Handler for Client {
/// #     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
/// #         cx.write(bytes);
/// #         echo::AfterTalk::Talk
/// #     }
/// # }
/// let builder = Pool::builder::<Echo>("echo").listen("127.0.0.1:0");
/// let handle = builder.handle();
/// let running = builder.handler(|_peer| Client).start()?;
/// println!("{} connections", handle.stats().open);
/// handle.drain();
/// running.join()?;
/// # Ok::<(), PoolError>(())
/// ```
pub struct Handle<M: Machine> {
    pool_state: Arc<PoolState>,
    mailboxes: Mailboxes<M::Message>,
}

impl<M: Machine> Handle<M> {
    pub(crate) fn new(pool_state: Arc<PoolState>, mailboxes: Mailboxes<M::Message>) -> Self {
        Self { pool_state, mailboxes }
    }

    /// Takes what waits in the backlog, then stops accepting. Requests that have arrived are
    /// answered; connections at rest are closed, and the others when they come to rest or the drain
    /// time is over. The pool ends when none is left. Pools that hand over to each other drain together.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
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
    /// # use std::{io::{Read, Write}, net::TcpStream};
    /// # let builder = Pool::builder::<Shout>("shout").listen("127.0.0.1:0");
    /// # let handle = builder.handle();
    /// # let running = builder.handler(|_peer| Client).start()?;
    /// # let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// # client.write_all(b"one line\nhalf ")?;
    /// # client.read_exact(&mut [0; 8])?;
    /// // A client has sent half a line. It may finish it.
    /// handle.drain();
    /// client.write_all(b"a line\n")?;
    /// # let mut answer = String::new();
    /// client.read_to_string(&mut answer)?;
    /// assert_eq!(answer, "HALF A LINE");
    /// assert_eq!(running.join()?.drained, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drain(&self) {
        self.pool_state.drain();
    }

    /// Closes all connections at once, whatever they are doing, and ends the pool. Where that is one of a
    /// [`Pipeline`](crate::Pipeline) that [runs](crate::Pipeline::run), the others are drained.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
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
    /// # use std::{io::{Read, Write}, net::TcpStream};
    /// # let builder = Pool::builder::<Shout>("shout").listen("127.0.0.1:0");
    /// # let handle = builder.handle();
    /// # let running = builder.handler(|_peer| Client).start()?;
    /// # let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// # client.write_all(b"one line\nhalf ")?;
    /// # client.read_exact(&mut [0; 8])?;
    /// // A client has sent half a line. Nobody waits for the rest of it.
    /// handle.close();
    /// assert_eq!(running.join()?.closed, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) {
        self.pool_state.close();
    }

    /// Puts `message` into the mailbox of the connection `key`.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::{io::{Read, Write}, net::TcpStream, sync::mpsc};
    /// # #[state_machine(start = Hello, message = String, eof => Gone)]
    /// # enum Feed {
    /// #     #[run] #[to(News)] Hello,
    /// #     #[wait(within = never)] #[to(News)] #[rest] News,
    /// #     #[end] Gone,
    /// # }
    /// # struct Reader(mpsc::Sender<Key>);
    /// # impl feed::Handler for Reader {
    /// #     fn hello(&mut self, cx: &mut Cx<'_, String>) -> feed::AfterHello {
    /// #         self.0.send(cx.key()).unwrap();
    /// #         feed::AfterHello::News
    /// #     }
    /// #     fn news(&mut self, text: String, cx: &mut Cx<'_, String>) -> feed::AfterNews {
    /// #         cx.write(text.as_bytes());
    /// #         feed::AfterNews::News
    /// #     }
    /// # }
    /// # let builder = Pool::builder::<Feed>("feed").listen("127.0.0.1:0");
    /// # let pool = builder.handle();
    /// # let (sender, keys) = mpsc::channel();
    /// # let running = builder.handler(move |_peer| Reader(sender.clone())).start()?;
    /// # let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// // The handler has told its key, and the pool's handle tells the client:
    /// let member: Key = keys.recv()?;
    /// assert_eq!(pool.post(member, "maintenance in 5 minutes".to_owned()), Ok(()));
    /// # let mut text = [0; 24];
    /// # client.read_exact(&mut text)?;
    /// # assert_eq!(&text, b"maintenance in 5 minutes");
    /// running.drain()?;
    /// assert!(matches!(pool.post(member, "too late".to_owned()), Err(TrySendError::Gone(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the mailbox is full or the connection is gone. The message comes back.
    pub fn post(&self, key: Key, message: M::Message) -> Result<(), TrySendError<M::Message>> {
        self.mailboxes.post(key, message)
    }

    /// What the pool has counted until now.
    ///
    /// ```
    /// # use fsm_runtime::{Handle, Machine, Pool, prelude::state_machine};
    /// # #[state_machine(start = Talk, eof => Gone)]
    /// # enum Echo {
    /// #     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
    /// #     #[end] Gone,
    /// # }
    /// /// A line for a page of metrics.
    /// fn metrics<M: Machine>(pool: &Handle<M>) -> String {
    ///     let stats = pool.stats();
    ///     format!("open {}, ended {}, panicked {}", stats.open, stats.ended(), stats.panicked)
    /// }
    ///
    /// let echo = Pool::builder::<Echo>("echo");
    /// assert_eq!(metrics(&echo.handle()), "open 0, ended 0, panicked 0");
    /// ```
    pub fn stats(&self) -> Stats {
        self.pool_state.stats()
    }
}

impl<M: JobMachine> Handle<M> {
    /// Gives the pool a job, from a thread that is none of a pool's. It does not wait: the
    /// [`JobHandle`] does, for the reply.
    ///
    /// It is for `main`, tests, and programs that are not made of pools. (A machine gives a job with
    /// `#[call(..)]`: its thread does other things until the reply has come.)
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
    /// let texts = ["one", "to be or not to be"];
    /// let tickets: Result<Vec<_>, _> =
    ///     texts.into_iter().map(|text| words.submit(text.to_owned())).collect();
    /// let counts: Vec<_> = tickets?.into_iter().map(|ticket| ticket.wait()).collect();
    /// assert_eq!(counts, [Some(1), Some(6)]);
    /// running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pool has as many jobs as it may, and when it has not started, drains or is closed.
    /// The job comes back.
    pub fn submit(&self, job: M::Job) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>> {
        Submitter::<M>::new(Arc::clone(&self.pool_state)).submit(job)
    }

    /// The same, but waits up to `time` for room in the pool. Those who wait get it in turn, be they
    /// threads or machines.
    ///
    /// It is not for handlers, whose threads would wait with it: they have `#[call(..)]`.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # use std::time::Duration;
    /// # #[state_machine(start = Rest, job = (), reply = ())]
    /// # enum Resting {
    /// #     #[sleep(20ms)] #[to(Done)] Rest { nothing: () },
    /// #     #[end] Done,
    /// # }
    /// # struct Worker;
    /// # impl resting::Handler for Worker {
    /// #     fn rest(&mut self, _: &mut (), _: &mut JobCx<'_>) -> resting::AfterRest {
    /// #         resting::AfterRest::Done { reply: () }
    /// #     }
    /// # }
    /// // Jobs that take 20 ms, one at a time.
    /// let builder = Pool::builder::<Resting>("resting").max_jobs(1);
    /// let resting = builder.handle();
    /// let running = builder.worker(|| Worker).start()?;
    /// let first = resting.submit(())?;
    /// assert!(matches!(resting.submit(()), Err(TrySendError::Full(()))));
    /// let second = resting.submit_within((), Duration::from_secs(10))?;
    /// assert_eq!((first.wait(), second.wait()), (Some(()), Some(())));
    /// # drop(running);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there was no room in all that time, and when the pool has not started, drains or is
    /// closed. The job comes back.
    pub fn submit_within(
        &self,
        job: M::Job,
        time: Duration,
    ) -> Result<JobHandle<M::Reply>, TrySendError<M::Job>> {
        Submitter::<M>::new(Arc::clone(&self.pool_state)).submit_within(job, time)
    }
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { pool_state: Arc::clone(&self.pool_state), mailboxes: self.mailboxes.clone() }
    }
}

impl<M: Machine> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
