use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use crate::job::one_step::OneStep;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::route::RouteKind;
use crate::server::prepared::{Accepts, Prepare};
use crate::server::type_name::short;
use crate::{Builder, Machine, Pipeline, PoolError, Route, Running, Service, Spec, Submitter};

/// Connections or jobs of one machine, on ports and threads of their own.
///
/// ```no_run
/// use fsm_runtime::prelude::*;
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
/// fn main() -> Result<(), PoolError> {
///     Pool::builder::<Echo>("echo").listen("127.0.0.1:7007").handler(|_peer| Client).run()
/// }
/// ```
#[must_use = "a pool does nothing until it is run or started"]
pub struct Pool {
    pub(crate) name: String,
    /// What it runs, for pictures of it.
    pub(crate) machine: &'static str,
    pub(crate) spec: &'static Spec,
    pub(crate) routes: Vec<Route>,
    pub(crate) takes: Accepts,
    pub(crate) prepare: Prepare,
    pub(crate) state: Arc<PoolState>,
    /// The most connections.
    pub(crate) connections: usize,
}

impl Pool {
    pub(crate) fn new<M: Machine>(
        name: String,
        prepare: Prepare,
        state: Arc<PoolState>,
        connections: usize,
        takes: Accepts,
    ) -> Self {
        let (machine, spec, routes) = (M::SPEC.name, M::SPEC, M::routes());
        Self { name, machine, spec, routes, takes, prepare, state, connections }
    }

    /// Settings for a pool of machines `M`; the name is for logs and the thread.
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
    /// let pool = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").handler(|_peer| Client);
    /// assert_eq!(pool.start()?.addresses().len(), 1);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn builder<M: Machine>(name: impl Into<String>) -> Builder<M> {
        Builder::new(name.into())
    }

    /// Serves until SIGTERM or SIGINT, then drains: nothing new is accepted,
    /// connections in a `#[rest]` state close, the others finish what they are doing. A second
    /// signal ends the process at once.
    ///
    /// On systems without these signals it serves until [`Handle::drain`](crate::Handle::drain) or [`Handle::close`](crate::Handle::close).
    ///
    /// The process's limit of open files is raised to what
    /// [`max_connections`](Builder::max_connections) needs, as far as the system's hard limit
    /// allows.
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
    /// // A signal would do the same. Ordered now, it ends the pool as soon as it runs.
    /// builder.handle().drain();
    /// builder.handler(|_peer| Client).run()?;
    /// # Ok::<(), PoolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pool cannot listen where it should, or the system fails it later.
    pub fn run(self) -> Result<(), PoolError> {
        Pipeline::new().pool(self).run()
    }

    /// Serves on threads of its own, and leaves signals alone. It is listening when this returns.
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
    /// # use std::{io::{Read, Write}, net::TcpStream};
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").handler(|_peer| Client);
    /// let running = echo.start()?;
    ///
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// client.write_all(b"hello")?;
    /// let mut answer = [0; 5];
    /// client.read_exact(&mut answer)?;
    /// assert_eq!(&answer, b"hello");
    ///
    /// assert_eq!(running.drain()?.open, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pool cannot listen where it should, or no thread can be made.
    pub fn start(self) -> Result<Running, PoolError> {
        Pipeline::new().pool(self).start()
    }

    /// Gives jobs to this pool from plain threads, whether it is one of [`workers`](Pool::workers) or of a
    /// machine with `job = .., reply = ..`.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// struct Length;
    ///
    /// impl Service for Length {
    ///     type Job = String;
    ///     type Reply = usize;
    /// }
    ///
    /// let pool = Pool::workers::<Length>("length", 2, |text| text.len());
    /// let lengths = pool.submitter::<Length>()?;
    /// let running = pool.start()?;
    /// assert_eq!(lengths.submit("hello".to_owned())?.wait(), Some(5));
    /// assert_eq!(lengths.stats().taken, 1);
    /// # drop(running);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pool does not take the jobs of `S`.
    pub fn submitter<S: Service>(&self) -> Result<Submitter<S>, PoolError> {
        if self.takes == (Accepts { kind: RouteKind::Call, target: TypeId::of::<S>() }) {
            return Ok(Submitter::new(Arc::clone(&self.state)));
        }
        let (name, service) = (&self.name, std::any::type_name::<S>());
        Err(PoolError::Pipeline { why: format!("the pool `{name}` takes no jobs of `{service}`") })
    }

    /// A pool of plain threads that does jobs one by one, for those who need no machine: each thread
    /// takes a job, calls `work`, and replies what that returns. It may block.
    ///
    /// `S` is a type that names the pool for `#[call(S)]`. Up to 1,024 jobs run or wait for a thread;
    /// callers beyond that wait for room, or take their `full` edge. For other bounds, and for jobs
    /// of several steps, write a machine with `job = .., reply = ..`.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use sha2::{Digest, Sha256};
    /// # mod sha2 { pub struct Sha256; pub trait Digest { fn digest(_: &[u8]) -> [u8; 32] { [0; 32] } } impl Digest for Sha256 {} }
    ///
    /// struct Hash;
    ///
    /// impl Service for Hash {
    ///     type Job = Vec<u8>;
    ///     type Reply = [u8; 32];
    /// }
    ///
    /// let pool = Pool::workers::<Hash>("hash", 4, |bytes| Sha256::digest(&bytes).into());
    /// # drop(pool);
    /// ```
    pub fn workers<S: Service>(
        name: impl Into<String>,
        threads: usize,
        work: impl Fn(S::Job) -> S::Reply + Send + Sync + 'static,
    ) -> Self {
        let work = Arc::new(work);
        Self::try_workers::<S, _, std::convert::Infallible>(name, threads, move || {
            let work = Arc::clone(&work);
            Ok(move |job| work(job))
        })
    }

    /// The same where each thread has something of its own, such as a connection to a database:
    /// `make` is called on each thread and makes what does the jobs there. If it fails the pool does
    /// not start. When a job panics, it is called again on that thread.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use std::io::{self, Read, Seek, SeekFrom};
    ///
    /// /// Reads from a large file.
    /// struct Table;
    ///
    /// impl Service for Table {
    ///     type Job = u64;
    ///     type Reply = io::Result<[u8; 4]>;
    /// }
    ///
    /// let pool = Pool::try_workers::<Table, _, io::Error>("table", 4, || {
    ///     let mut file = std::fs::File::open("/dev/zero")?;
    ///     Ok(move |at| {
    ///         let mut row = [0; 4];
    ///         file.seek(SeekFrom::Start(at))?;
    ///         file.read_exact(&mut row)?;
    ///         Ok(row)
    ///     })
    /// });
    /// # drop(pool);
    /// ```
    pub fn try_workers<S: Service, W, E>(
        name: impl Into<String>,
        threads: usize,
        make: impl Fn() -> Result<W, E> + Send + Sync + 'static,
    ) -> Self
    where
        W: FnMut(S::Job) -> S::Reply + 'static,
        E: fmt::Display,
    {
        let builder = Builder::<OneStep<S>>::new(name.into()).threads(threads).max_running(threads);
        let mut pool = builder.max_jobs(1024).serves::<S, W, E, _>(make);
        pool.machine = short(std::any::type_name::<S>());
        pool
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish_non_exhaustive()
    }
}
