use std::fmt;
use std::sync::Arc;

use crate::lifecycle::facts::CallTarget;
use crate::server::bound::Bound;
#[cfg(feature = "console")]
use crate::server::console::rules;
use crate::server::diagram;
use crate::server::handover::Handover;
use crate::server::observer::Observer;
use crate::server::open_files;
use crate::server::plan::Plan;
#[cfg(feature = "console")]
use crate::server::plan::acceptors;
use crate::server::supervisor::Supervisor;
use crate::server::thread::OnThreadEnd;
#[cfg(unix)]
use crate::server::upgrade::launch::Launch;
use crate::{Address, Pool, PoolError, Running};

/// The pools of a process, which call each other and hand connections to each other.
///
/// The idea is Mark Hammond's: several pools, each with its own port and its own simple machine, in
/// place of one machine whose states multiply. Two things are [checked](Pipeline::check) before
/// anything starts: each pool that another one calls or hands over to is there, and no pools could
/// wait for each other for ever.
///
/// `Display` lists the pools with their routes and the number of their states, for people.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use fsm_runtime::Pipeline;
/// use fsm_runtime::prelude::*;
///
/// struct Reverse;
///
/// impl Service for Reverse {
///     type Job = Vec<u8>;
///     type Reply = Vec<u8>;
/// }
///
/// #[state_machine(start = Line, eof => Gone)]
/// enum Mirror {
///     #[read(until = b"\n", max = 80, limit => Gone, idle = 60s => Gone)]
///     #[to(Turning)]
///     #[rest]
///     Line,
///     /// Another pool does the work.
///     #[call(Reverse, within = 5s => Gone, gone => Gone)]
///     #[to(Line)]
///     Turning,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
///
/// impl mirror::Handler for Client {
///     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> mirror::AfterLine {
///         mirror::AfterLine::Turning { job: line.to_vec() }
///     }
///
///     fn turning(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> mirror::AfterTurning {
///         cx.write(&reply);
///         cx.write(b"\n");
///         mirror::AfterTurning::Line
///     }
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_peer| Client);
///     let work = Pool::workers::<Reverse>("work", 2, |mut line: Vec<u8>| {
///         line.reverse();
///         line
///     });
///     let pipeline = Pipeline::new().pool(front).pool(work);
///     println!("{pipeline}");
///     let running = pipeline.start()?;
///
///     let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
///     client.write_all(b"stressed\n")?;
///     let mut answer = [0; 9];
///     client.read_exact(&mut answer)?;
///     assert_eq!(&answer, b"desserts\n");
///     running.drain()?;
///     Ok(())
/// }
/// ```
#[derive(Default)]
#[must_use = "pools do nothing until they are run or started"]
pub struct Pipeline {
    pools: Vec<Pool>,
    on_ready: Option<OnReady>,
    #[cfg(feature = "console")]
    console: Option<crate::Console>,
    #[cfg(unix)]
    upgrade: Option<crate::Upgrade>,
}

type OnReady = Box<dyn FnOnce(&[Address]) + Send>;

impl Pipeline {
    /// Returns a pipeline without pools.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pool. The order matters only to [`Running::addresses`] and to pictures.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Calls `ready` once, when all pools listen and all worker threads have made their handlers.
    ///
    /// `ready` gets the addresses in the order of the pools, with the TCP ports that the system
    /// chose. It is not called if the pipeline does not start. A later call of this method replaces
    /// it.
    pub fn on_ready(mut self, ready: impl FnOnce(&[Address]) + Send + 'static) -> Self {
        self.on_ready = Some(Box::new(ready));
        self
    }

    /// Serves a console while the pools run: a page, metrics and text that say where each connection is and why
    /// it waits. A text such as `127.0.0.1:9180` is the address; [`Console`](crate::Console) has more settings
    /// and an example.
    ///
    /// It has a port and threads of its own, and takes snapshots only when somebody asks. It listens before the
    /// pools start, and ends after them.
    #[cfg(feature = "console")]
    pub fn console(mut self, console: impl Into<crate::Console>) -> Self {
        self.console = Some(console.into());
        self
    }

    /// Lets a new process take over from this one without a client that notices: see [`Upgrade`](crate::Upgrade). A
    /// path of a Unix socket is enough, at which the processes meet. On Unix.
    ///
    /// If a process with this path runs already, [`run`](Pipeline::run) and [`start`](Pipeline::start) take over from
    /// it: pools of the same names get its listeners. While they do, `start` returns when the old process accepts no
    /// more.
    #[cfg(unix)]
    pub fn upgradable(mut self, upgrade: impl Into<crate::Upgrade>) -> Self {
        self.upgrade = Some(upgrade.into());
        self
    }

    /// Whether a new process can take over from this one.
    #[cfg(unix)]
    pub fn is_upgradable(&self) -> bool {
        self.upgrade.is_some()
    }

    /// Checks that the pools fit together. [`run`](Pipeline::run) and [`start`](Pipeline::start) do
    /// so first.
    ///
    /// # Errors
    ///
    /// Returns [`PoolError::Pipeline`], with the pools and states in question and a remedy:
    ///
    /// - if no pool, or more than one, is the target of a call or a hand-off of a state;
    /// - if two pools have one name, or a name has a NUL byte;
    /// - if pools could wait for each other for ever, each for room in the next one.
    pub fn check(&self) -> Result<(), PoolError> {
        Plan::new(&self.pools).map(drop)
    }

    /// Serves until SIGTERM or SIGINT, or until a pool has ended, then drains all pools. A second
    /// signal ends the process at once. SIGINT stays ignored if it was at the start (on Linux), as in the
    /// background of a shell. SIGHUP and other signals are left alone; SIGHUP ends a process by default.
    ///
    /// Pools that give jobs and connections to others drain before those, so the times of
    /// [`Builder::drain_within`](crate::Builder::drain_within) add up along the way.
    ///
    /// The process's limit of open files is raised to the need of the pools, as far as the hard
    /// limit of the system allows.
    ///
    /// # Errors
    ///
    /// Returns an error if the pools do not fit together, if one cannot listen on an address or
    /// cannot make its handlers, or if the system fails one later.
    pub fn run(self) -> Result<(), PoolError> {
        let name = self.pools.first().map(|pool| pool.name.clone()).unwrap_or_default();
        open_files::allow(&name, self.pools.iter().map(Pool::max_sockets).sum());
        let supervisor = Supervisor::new()?;
        #[cfg(unix)]
        let supervisor = match &self.upgrade {
            Some(upgrade) => supervisor.upgrades(upgrade.upgrader())?,
            None => supervisor,
        };
        let running = self.launch(&supervisor.on_thread_end())?;
        supervisor.supervise(running)
    }

    /// Starts the threads of the pools, and returns when all listen and all worker threads have
    /// made their handlers. It leaves signals alone.
    ///
    /// # Errors
    ///
    /// Returns an error if the pools do not fit together, if one cannot listen on an address or
    /// cannot make its handlers, or if the system refuses a thread.
    pub fn start(self) -> Result<Running, PoolError> {
        let ignored: OnThreadEnd = Arc::new(|| {});
        self.launch(&ignored)
    }

    #[cfg(not(unix))]
    fn launch(self, on_thread_end: &OnThreadEnd) -> Result<Running, PoolError> {
        self.launch_with(&mut Handover::default(), on_thread_end, |running, _| Ok(running))
    }

    /// Takes over from an old process, if there is one, and waits for a new one then.
    #[cfg(unix)]
    fn launch(mut self, on_thread_end: &OnThreadEnd) -> Result<Running, PoolError> {
        let Some(upgrade) = self.upgrade.take() else {
            let mut nothing = Handover::default();
            return self.launch_with(&mut nothing, on_thread_end, |running, _| Ok(running));
        };
        self.check()?;
        let (launch, mut handover) = Launch::begin(upgrade, &self.pools)?;
        let opens: Vec<_> = self.pools.iter().map(|pool| !pool.targets.is_empty()).collect();
        self.launch_with(&mut handover, on_thread_end, |running, handover| {
            running.wait_for_successor(launch, &opens, std::mem::take(handover))
        })
    }

    pub(super) fn launch_with(
        self,
        handover: &mut Handover,
        on_thread_end: &OnThreadEnd,
        complete: impl FnOnce(Running, &mut Handover) -> Result<Running, PoolError>,
    ) -> Result<Running, PoolError> {
        let plan = Plan::new(&self.pools)?;
        for (pool, targets) in self.pools.iter().zip(&plan.targets) {
            let targets = pool.routes.iter().zip(targets).map(|(route, target)| CallTarget {
                state: route.state,
                pool: Arc::downgrade(&self.pools[*target].state),
            });
            pool.state.facts.set_targets(targets.collect());
        }
        #[cfg(feature = "console")]
        let observer = self.observer();
        let bound = Bound::new(plan, self.pools, handover)?;
        let wired = bound.wire();
        #[cfg(feature = "console")]
        let console = self.console.map(|console| console.start(observer, handover)).transpose()?;
        let running = wired.start(on_thread_end)?;
        #[cfg(feature = "console")]
        let running = running.with_console(console);
        let running = complete(running, handover)?;
        if let Some(ready) = self.on_ready {
            ready(running.addresses());
        }
        Ok(running)
    }

    /// Returns what takes snapshots of the pools that were added so far.
    ///
    /// ```no_run
    /// use fsm_runtime::{Pipeline, Pool, PoolError};
    /// use std::time::Duration;
    ///
    /// fn serve(front: Pool, work: Pool) -> Result<(), PoolError> {
    ///     let pipeline = Pipeline::new().pool(front).pool(work);
    ///     let observer = pipeline.observer();
    ///     std::thread::spawn(move || loop {
    ///         std::thread::sleep(Duration::from_secs(60));
    ///         for pool in observer.snapshot(Duration::from_millis(100)).pools {
    ///             println!("{}: {} open", pool.name, pool.stats.open);
    ///         }
    ///     });
    ///     pipeline.run()
    /// }
    /// ```
    pub fn observer(&self) -> Observer {
        Observer::new(self.pools.iter().map(|pool| Arc::clone(&pool.state)))
    }

    /// Returns alert rules for Prometheus about the metrics of the [`console`](Pipeline::console), as a file in
    /// YAML: a group for each pool, with rules that follow from its machine.
    ///
    /// | alert | of | is raised when |
    /// |---|---|---|
    /// | `FsmPoolFull` | each pool | it has had no room for a minute |
    /// | `FsmThreadStuck` | each pool | a handler has not returned for 5 s |
    /// | `FsmHandlerFailed` | each pool | a handler has panicked, or run in an endless loop |
    /// | `FsmPeersDoNotRead` | each pool | a twentieth of the connections end at the send timeout |
    /// | `FsmWaitForRoom`, `FsmRefused` | pools that others call | jobs or connections have waited for room for a minute, or were refused |
    /// | `FsmNoDescriptor` | pools that accept connections | no file descriptor was free |
    /// | `FsmTargetsUnreachable` | pools that connect to others | a target fails again and again |
    /// | `FsmDatagramsDropped` | pools of datagrams | they drop more than one a second |
    /// | `FsmStateLate` | each state with a `within`, but for those at rest | for five minutes the oldest connection there has used up half of its time |
    ///
    /// The label `severity` is `critical` if clients are affected at once, and `warning` otherwise. An operator may
    /// edit the file; the console returns the same at `/rules`.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::Pipeline;
    ///
    /// #[state_machine(start = Line, eof => Gone, limit => Gone)]
    /// enum Lines {
    ///     #[read(until = b"\n", max = 80, within = 60s => Gone)]
    ///     #[to(Line)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    /// # struct Client;
    /// # impl lines::Handler for Client {
    /// #     fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> lines::AfterLine {
    /// #         lines::AfterLine::Line
    /// #     }
    /// # }
    ///
    /// let pool = Pool::builder::<Lines>("lines").listen("127.0.0.1:0").handler(|_peer| Client);
    /// let rules = Pipeline::new().pool(pool).alert_rules();
    /// assert!(rules.contains("fsm_room_taken{pool=\\\"lines\\\"}"));
    /// ```
    #[cfg(feature = "console")]
    pub fn alert_rules(&self) -> String {
        let has_callers = |pool: &Pool| {
            let mut routes = self.pools.iter().flat_map(|pool| &pool.routes);
            routes.any(|route| acceptors(&self.pools, route).any(|(_, it)| it.name == pool.name))
        };
        rules::print(self.pools.iter().map(|pool| rules::PoolRules {
            name: &pool.name,
            spec: pool.spec,
            has_callers: has_callers(pool),
        }))
    }

    /// Returns the pools with their calls and hand-offs as text for Graphviz.
    pub fn dot(&self) -> String {
        diagram::dot(&self.pools)
    }

    /// Returns the pools with their calls and hand-offs as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        diagram::mermaid(&self.pools)
    }
}

/// Lists the pools with their routes and the number of states of their machines. The last line
/// compares the sum of these with their product, which is the number that one machine for all could need.
impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&diagram::table(&self.pools))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("pools", &self.pools).finish_non_exhaustive()
    }
}
