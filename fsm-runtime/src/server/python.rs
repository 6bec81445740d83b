use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::ending::Ending;
use self::idle_watch::IdleWatch;
use self::settings::Settings;
use self::worker_thread::WorkerThread;
use crate::job::one_step::{OneStep, Verdict};
use crate::server::wire::{Raised, Wire, WireFormat};
use crate::{Builder, Pool, Service};

mod channel;
mod ending;
mod idle_watch;
mod process;
mod settings;
mod worker;
mod worker_thread;

/// Settings of a pool whose jobs are done by processes that run Python.
///
/// Each process has a thread of the pool, which gives it one job at a time and blocks until the answer is
/// there. The callers see a pool of jobs like any other: bounded, with `full` and `gone`, drained in its order.
/// The function gets the job in the form that [`Wire`] says, and its result comes back likewise:
///
/// ```no_run
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::Raised;
///
/// /// Extracts the text of a page.
/// struct Extract;
///
/// impl Service for Extract {
///     type Job = Vec<u8>;
///     type Reply = Result<String, Raised>;
/// }
///
/// // In `index.py`: def extract(page: bytes) -> str: ...
/// let pool = Pool::python::<Extract>("extract", "index:extract").path("python").processes(4).build();
/// let pages = pool.submitter::<Extract>()?;
/// let running = pool.start()?;
/// match pages.submit(b"<h1>Hello</h1>".to_vec())?.wait() {
///     Some(Ok(text)) => println!("{text}"),
///     Some(Err(raised)) => println!("{}", raised.traceback),
///     None => println!("the process has ended"),
/// }
/// running.drain()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # When something fails
///
/// - An exception is the reply [`Err(Raised)`](Raised), and the process goes on. So is a job that [`Wire`]
///   cannot encode, or a result of another type.
/// - If the process ends in the middle of a job (`sys.exit`, a crash, out of memory), closes its socket or answers
///   nonsense, the caller takes its `gone` edge: whether the job was done is not known, so it is not done again.
///   Another process is started at once; if this fails as well, then after 100 ms, and after twice the time with
///   each failure, up to 10 s. Meanwhile the other processes do the jobs.
/// - If it ends while it is idle, another process is started at once in its place, without a job for it.
/// - A caller whose `within` passes takes that edge, and the process finishes the job all the same, unless
///   [`kill_after`](Python::kill_after) ends it.
/// - The pool does not start if a process cannot load the function; the error has the traceback.
/// - The log has a warning with the number of each process that has failed, and why.
///   [`Stats::failed`](crate::Stats::failed) counts the jobs that raised and those whose process has ended, apart from
///   those that are `done`.
///
/// # The processes
///
/// A process finds its socket as descriptor 0 and moves it: the function finds its standard input empty, and may
/// print to the standard output and error of the server. It ignores SIGINT and SIGTERM, which terminals and
/// service managers send to all processes of a server; it ends when the pool does. If the server is killed, an idle
/// process ends at once and a job has 5 seconds: a thread of the process waits for that. Only a job in native code
/// that keeps the lock of the interpreter goes on until it returns. At the end of the pool it has
/// [`stop_within`](Python::stop_within) for its exit handlers, then it is killed. Each process leads a process group,
/// which a terminal does not signal; the programs that a job starts are killed with it, at its end at the latest,
/// unless they have left the group (`start_new_session=True`).
/// Python 3.8 to 3.13 are known to work. Processes, and not threads of one interpreter, because these do not run
/// Python code at the same time, and because a crash or a leak of one ends with it.
#[must_use = "settings do nothing until they are built"]
pub struct Python<S: Service> {
    settings: Settings<S::Job>,
    processes: usize,
    max_jobs: usize,
    drain_within: Option<Duration>,
    service: PhantomData<fn() -> S>,
}

impl<S: Service> Python<S> {
    pub(crate) fn new(pool: String, target: String) -> Self {
        let settings = Settings {
            pool,
            target,
            interpreter: PathBuf::from("python3"),
            paths: Vec::new(),
            takes: WireFormat::Bytes,
            gives: WireFormat::Bytes,
            max_reply: 64 << 20,
            kill_after: None,
            recycle_after: None,
            recycle_above: None,
            start_within: Duration::from_secs(30),
            stop_within: Duration::from_secs(5),
            deadline_of: None,
        };
        let processes = std::thread::available_parallelism().map_or(1, usize::from);
        Self { settings, processes, max_jobs: 1024, drain_within: None, service: PhantomData }
    }

    /// Sets the number of processes, from 1 to [`Pool::MAX_THREADS`]; as many as processors by default.
    pub fn processes(mut self, processes: usize) -> Self {
        self.processes = processes;
        self
    }

    /// Sets the most jobs that run or wait for a process; 1,024 by default. Callers beyond that wait for room, or
    /// take their `full` edge.
    pub fn max_jobs(mut self, jobs: usize) -> Self {
        self.max_jobs = jobs;
        self
    }

    /// Sets the interpreter: a path, such as that of a virtual environment, or a name that is looked for in `PATH`;
    /// `python3` by default.
    pub fn interpreter(mut self, interpreter: impl Into<PathBuf>) -> Self {
        self.settings.interpreter = interpreter.into();
        self
    }

    /// Adds a directory in which modules are looked for before those of the interpreter. A relative path begins in the
    /// working directory of the server, as that of a function in a file does.
    pub fn path(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.paths.push(directory.into());
        self
    }

    /// Sets the most bytes of a result; 64 MiB by default, and at most 4 GiB. A process that answers with more is
    /// killed, and its caller takes the `gone` edge.
    pub fn max_reply(mut self, bytes: usize) -> Self {
        self.settings.max_reply = bytes;
        self
    }

    /// Kills a process whose job takes longer than this, to within 200 ms: its caller takes the `gone` edge. Without
    /// it a job may take for ever, and its process with it.
    pub fn kill_after(mut self, limit: Duration) -> Self {
        self.settings.kill_after = Some(limit);
        self
    }

    /// Says until when somebody waits for the result of a job, such as the time that the caller has written into it. The
    /// function gets the seconds that are left from `fsm_runtime.deadline()`, and nothing else comes of it: a job whose
    /// time is over is done, unless the function does not want to. By default, and if `deadline` returns `None`, it is
    /// the time of [`kill_after`](Python::kill_after), if there is one; otherwise the earlier of both.
    pub fn deadline_of(
        mut self,
        deadline: impl Fn(&S::Job) -> Option<Instant> + Send + Sync + 'static,
    ) -> Self {
        self.settings.deadline_of = Some(Box::new(deadline));
        self
    }

    /// Starts a new process in place of one that has done so many jobs, for functions that leak. It is started
    /// between two jobs.
    pub fn recycle_after(mut self, jobs: u64) -> Self {
        self.settings.recycle_after = Some(jobs);
        self
    }

    /// Starts a new process in place of one that has more than so many bytes of memory after a job: what it has
    /// resident on Linux, the most that it has had resident elsewhere.
    pub fn recycle_above(mut self, bytes: u64) -> Self {
        self.settings.recycle_above = Some(bytes);
        self
    }

    /// Sets the time in which a process must have loaded its function; 30 seconds by default.
    pub fn start_within(mut self, limit: Duration) -> Self {
        self.settings.start_within = limit;
        self
    }

    /// Sets the time that an idle process has to end, before it is killed; 5 seconds by default.
    pub fn stop_within(mut self, limit: Duration) -> Self {
        self.settings.stop_within = limit;
        self
    }

    /// Sets the longest time of a drain; see [`Builder::drain_within`]. When it is over, processes that have a job
    /// are killed.
    pub fn drain_within(mut self, limit: Duration) -> Self {
        self.drain_within = Some(limit);
        self
    }

    /// Completes the pool.
    pub fn build<R>(self) -> Pool
    where
        S: Service<Reply = Result<R, Raised>>,
        S::Job: Wire,
        R: Wire + 'static,
    {
        let Self { mut settings, processes, max_jobs, drain_within, .. } = self;
        let mut builder = Builder::<OneStep<S, Raises>>::new(settings.pool.clone())
            .max_jobs(max_jobs)
            .threads(processes)
            .max_running(processes);
        if let Some(limit) = drain_within {
            builder = builder.drain_within(limit);
        }
        settings.takes = <S::Job as Wire>::FORMAT;
        settings.gives = R::FORMAT;
        let (settings, state, drain_within) =
            (Arc::new(settings), builder.state(), builder.longest_drain());
        let watch = Arc::<IdleWatch>::default();
        Pool::one_step::<S, _, _, String>(builder, move || {
            let ending = Ending::new(Arc::clone(&state), &settings.pool, drain_within);
            let worker = WorkerThread::<S::Job, R>::start(&settings, ending, &watch)?;
            Ok(move |job: S::Job| worker.run(&job))
        })
    }
}

/// A job has failed if the function raised, or if there is no reply.
struct Raises;

impl<R: 'static> Verdict<Result<R, Raised>> for Raises {
    fn has_failed(reply: Option<&Result<R, Raised>>) -> bool {
        !matches!(reply, Some(Ok(_)))
    }
}

impl<S: Service> fmt::Debug for Python<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Python")
            .field("settings", &self.settings)
            .field("processes", &self.processes)
            .finish_non_exhaustive()
    }
}
