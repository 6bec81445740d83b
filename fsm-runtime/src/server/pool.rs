use std::fmt;
use std::sync::Arc;

use crate::job::one_step::{OneStep, Verdict};
use crate::key::MAX_TASKS;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::shared::THREADS;
use crate::server::bound::Bind;
use crate::server::builder::MAX_SHARDS;
use crate::server::layer::Carries;
use crate::server::plan::EntryType;
use crate::server::type_name::short;
use crate::spec::Features;
use crate::{Builder, Machine, Pipeline, PoolError, Route, Running, Service, Spec, Submitter};

/// Connections or jobs of one machine, on ports and threads of their own.
///
/// A pool is built by a [`Builder`], or by [`workers`](Pool::workers) where no machine is needed.
/// It runs by itself, or with others in a [`Pipeline`].
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
///
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
    /// The name of the machine, or of the service of a pool without one.
    pub(crate) machine: &'static str,
    pub(crate) spec: &'static Spec,
    pub(crate) routes: Vec<Route>,
    pub(crate) entry_type: EntryType,
    pub(crate) state: Arc<PoolState>,
    /// The most connections; 0 for a pool of jobs.
    pub(crate) max_connections: usize,
    /// The targets to which the pool connects, as its settings say.
    pub(crate) targets: Vec<String>,
    /// Connections come without another pool: it listens, connects, or somebody has a handle.
    pub(crate) is_open: bool,
    /// Its connections may be encrypted.
    pub(crate) carries: Carries,
    pub(crate) bind: Bind,
}

impl Pool {
    /// The most [`shards`](Builder::shards) of a pool.
    pub const MAX_SHARDS: usize = MAX_SHARDS;
    /// The most [`threads`](Builder::threads) of a shard, and of a pool of jobs.
    pub const MAX_THREADS: usize = THREADS;
    /// The most [`max_connections`](Builder::max_connections) of a pool: 33,554,432, or 65,536 where a pointer
    /// has 32 bits.
    pub const MAX_CONNECTIONS: usize = MAX_TASKS;
    /// The most [`max_jobs`](Builder::max_jobs) of a pool, as many as connections.
    pub const MAX_JOBS: usize = MAX_TASKS;

    /// Returns settings for a pool of machines `M`. The name is for logs and for the names of the
    /// threads; in a pipeline no two pools have the same.
    pub fn builder<M: Machine>(name: impl Into<String>) -> Builder<M> {
        Builder::new(name.into())
    }

    /// Serves on this thread and on those of the pool until SIGTERM or SIGINT, then drains: the
    /// pool accepts nothing new, closes connections in a `#[rest]` state, and lets the others
    /// finish. A second signal ends the process at once.
    ///
    /// On systems without these signals the pool serves until
    /// [`Handle::drain`](crate::Handle::drain) or [`Handle::close`](crate::Handle::close).
    ///
    /// The process's limit of open files is raised to the need of
    /// [`max_connections`](Builder::max_connections), as far as the hard limit of the system
    /// allows.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool cannot listen on an address, if a worker thread cannot make its
    /// handler, or if the system fails the pool later.
    pub fn run(self) -> Result<(), PoolError> {
        Pipeline::new().pool(self).run()
    }

    /// Starts the threads of the pool and returns when it listens. It leaves signals alone.
    ///
    /// [`Running`] has an example.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool cannot listen on an address, if a worker thread cannot make its
    /// handler, or if the system refuses a thread.
    pub fn start(self) -> Result<Running, PoolError> {
        Pipeline::new().pool(self).start()
    }

    /// Returns a pipeline of this pool with a console, which serves on this address. See
    /// [`Pipeline::console`].
    #[cfg(feature = "console")]
    pub fn console(self, console: impl Into<crate::Console>) -> Pipeline {
        Pipeline::new().pool(self).console(console)
    }

    /// Returns a [`Submitter`], which gives jobs to this pool from plain threads. `S` is the
    /// service of [`workers`](Pool::workers), or the machine of a pool with `job = .., reply = ..`.
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
    /// running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the pool takes no jobs of `S`.
    pub fn submitter<S: Service>(&self) -> Result<Submitter<S>, PoolError> {
        if self.entry_type == EntryType::jobs_of::<S>() {
            return Ok(Submitter::new(Arc::clone(&self.state)));
        }
        let (name, service) = (&self.name, std::any::type_name::<S>());
        Err(PoolError::Pipeline { why: format!("the pool `{name}` takes no jobs of `{service}`") })
    }

    /// Makes a pool of plain threads, which do jobs one by one: each thread takes a job, calls
    /// `work`, and replies with its result. `work` may block.
    ///
    /// There are from 1 to [`MAX_THREADS`](Pool::MAX_THREADS) threads; another number makes the start fail with
    /// [`PoolError::Setting`]. `S` names the pool for `#[call(S)]`. Up to 1,024 jobs run or wait for a thread;
    /// callers beyond that wait for room, or take their `full` edge. For other bounds, and for jobs of several
    /// steps, write a machine with `job = .., reply = ..`.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    ///
    /// /// Adds up the bytes of a block.
    /// struct Checksum;
    ///
    /// impl Service for Checksum {
    ///     type Job = Vec<u8>;
    ///     type Reply = u64;
    /// }
    ///
    /// let pool = Pool::workers::<Checksum>("checksum", 4, |block| {
    ///     block.into_iter().map(u64::from).sum()
    /// });
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

    /// Makes a pool of plain threads like [`workers`](Pool::workers), each of which has something
    /// of its own, such as a connection to a database.
    ///
    /// Each thread calls `make` when it starts, and gives its jobs to the result. If `make` fails
    /// the pool does not start. After a job that panicked the thread calls `make` again.
    ///
    /// ```
    /// use std::fs::File;
    /// use std::io::{self, Read, Seek, SeekFrom};
    ///
    /// use fsm_runtime::prelude::*;
    ///
    /// /// Reads a row of a large file.
    /// struct Table;
    ///
    /// impl Service for Table {
    ///     type Job = u64;
    ///     type Reply = io::Result<[u8; 4]>;
    /// }
    ///
    /// let pool = Pool::try_workers::<Table, _, io::Error>("table", 4, || {
    ///     let mut file = File::open("/dev/zero")?;
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
        let builder = Builder::<OneStep<S>>::new(name.into()).threads(threads).max_jobs(1024);
        Self::one_step::<S, _, _, _>(builder.max_running(threads), move || {
            let mut work = make()?;
            Ok::<_, E>(move |job| Some(work(job)))
        })
    }

    /// Makes a pool of processes that run Python, each of which does one job at a time: `target` is the function,
    /// as `module:function` or `path/to/file.py:function`. See [`Python`](crate::Python) for an example and for
    /// what happens to jobs when a process fails. On Unix.
    #[cfg(unix)]
    pub fn python<S: Service>(
        name: impl Into<String>,
        target: impl Into<String>,
    ) -> crate::Python<S> {
        crate::Python::new(name.into(), target.into())
    }

    /// Completes a pool of machines of one step. A job without a reply is gone.
    pub(crate) fn one_step<S: Service, V, W, E>(
        builder: Builder<OneStep<S, V>>,
        make: impl Fn() -> Result<W, E> + Send + Sync + 'static,
    ) -> Self
    where
        V: Verdict<S::Reply>,
        W: FnMut(S::Job) -> Option<S::Reply> + 'static,
        E: fmt::Display,
    {
        let mut pool = builder.serve_jobs::<S, W, E, _>(make);
        pool.machine = short(std::any::type_name::<S>());
        pool
    }

    /// The most sockets of its connections. Peers that send datagrams have none of their own.
    pub(crate) fn max_sockets(&self) -> usize {
        if self.spec.uses(Features::DATAGRAMS) && self.targets.is_empty() {
            return 0;
        }
        let each = if self.spec.uses(Features::OTHER) { 2 } else { 1 };
        self.max_connections.saturating_mul(each)
    }

    /// Whether it is a pool of connections, and not of jobs alone.
    pub(crate) fn has_connections(&self) -> bool {
        self.max_connections > 0
    }
}

impl Pool {
    /// Whether the other pool can go on with what is between connections of this one and their sockets.
    pub(crate) fn can_hand_over_to(&self, other: &Self) -> bool {
        self.carries == Carries::Nothing || self.carries == other.carries
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish_non_exhaustive()
    }
}
