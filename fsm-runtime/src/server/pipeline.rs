use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;

use crate::call::service::PoolEntry;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::route::RouteKind;
use crate::scheduler::watchdog::Watchdog;
use crate::server::diagram;
use crate::server::open_files;
use crate::server::plan::Plan;
use crate::server::prepared::Prepared;
use crate::server::running::RunningPool;
use crate::server::supervisor::Supervisor;
use crate::{Address, Pool, PoolError, Running};

/// The pools of a process, which call each other and hand connections to each other.
///
/// The idea is Mark Hammond's: several pools, each with its own port and its own simple machine, instead
/// of one machine whose states multiply. It is checked before anything starts: that each pool is there which another one calls or hands
/// over to, and that no pools could wait for each other for ever.
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::Pipeline;
/// # use std::{io::{Read, Write}, net::TcpStream};
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
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_peer| Client);
/// let work = Pool::workers::<Reverse>("work", 2, |mut line: Vec<u8>| {
///     line.reverse();
///     line
/// });
/// let running = Pipeline::new().pool(front).pool(work).start()?;
/// # let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
/// # client.write_all(b"stressed\n")?;
/// # let mut answer = [0; 9];
/// # client.read_exact(&mut answer)?;
/// # assert_eq!(&answer, b"desserts\n");
/// running.drain()?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use = "pools do nothing until they are run or started"]
pub struct Pipeline {
    pools: Vec<Pool>,
    ready: Option<OnReady>,
}

/// What a thread calls when it has ended.
type Ended = Arc<dyn Fn() + Send + Sync>;
type OnReady = Box<dyn FnOnce(&[Address]) + Send>;

impl Pipeline {
    /// No pools yet.
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
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").handler(|_peer| Client);
    /// drop(Pipeline::new().pool(echo).start()?);
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pool. The order does not matter to anything but [`Running::addresses`].
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Reverse;
    /// # impl Service for Reverse { type Job = Vec<u8>; type Reply = Vec<u8>; }
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Mirror {
    /// #     #[read(some, max = 80, idle = 60s => Gone)] #[to(Turning)] #[rest] Line,
    /// #     #[call(Reverse, within = 5s => Gone, gone => Gone)] #[to(Line)] Turning,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl mirror::Handler for Client {
    /// #     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> mirror::AfterLine {
    /// #         mirror::AfterLine::Turning { job: line.to_vec() }
    /// #     }
    /// #     fn turning(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> mirror::AfterTurning {
    /// #         cx.write(&reply);
    /// #         mirror::AfterTurning::Line
    /// #     }
    /// # }
    /// # fn main() -> Result<(), PoolError> {
    /// # let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_| Client);
    /// # let work = Pool::workers::<Reverse>("work", 2, |mut bytes: Vec<u8>| { bytes.reverse(); bytes });
    /// let pipeline = Pipeline::new().pool(front).pool(work);
    /// pipeline.check()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Has `ready` called once, when all pools listen and all handlers of worker threads are made: with
    /// the addresses, in the order of the pools, and the ports that the system chose.
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
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0");
    /// # let handle = echo.handle();
    /// let pipeline = Pipeline::new().pool(echo.handler(|_peer| Client)).on_ready(move |addresses| {
    ///     println!("try: nc {}", addresses[0]);
    ///     # handle.drain();
    /// });
    /// pipeline.run()?;
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn on_ready(mut self, ready: impl FnOnce(&[Address]) + Send + 'static) -> Self {
        self.ready = Some(Box::new(ready));
        self
    }

    /// Says whether the pools fit together; [`run`](Pipeline::run) and [`start`](Pipeline::start) do
    /// it first.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Reverse;
    /// # impl Service for Reverse { type Job = Vec<u8>; type Reply = Vec<u8>; }
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Mirror {
    /// #     #[read(some, max = 80, idle = 60s => Gone)] #[to(Turning)] #[rest] Line,
    /// #     #[call(Reverse, within = 5s => Gone, gone => Gone)] #[to(Line)] Turning,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl mirror::Handler for Client {
    /// #     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> mirror::AfterLine {
    /// #         mirror::AfterLine::Turning { job: line.to_vec() }
    /// #     }
    /// #     fn turning(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> mirror::AfterTurning {
    /// #         cx.write(&reply);
    /// #         mirror::AfterTurning::Line
    /// #     }
    /// # }
    /// # fn main() -> Result<(), PoolError> {
    /// # let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_| Client);
    /// # let work = Pool::workers::<Reverse>("work", 2, |mut bytes: Vec<u8>| { bytes.reverse(); bytes });
    /// # drop(work);
    /// let error = Pipeline::new().pool(front).check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "state `Turning` of the pool `front` calls `Reverse`, and no pool is one; \
    ///      add it to the `Pipeline`"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a pool is missing that another one calls or hands over to, when several could be meant,
    /// when two have one name, or when pools could wait for each other for ever: each for room in
    /// the next one.
    pub fn check(&self) -> Result<(), PoolError> {
        Plan::new(&self.pools).map(drop)
    }

    /// Serves until SIGTERM or SIGINT, then drains the pools one after another: first those that
    /// give jobs and connections to others. The times of
    /// [`Builder::drain_within`](crate::Builder::drain_within) add up along the way. A second signal ends the process at once. When a pool
    /// has ended for another reason, the others are drained likewise.
    ///
    /// The process's limit of open files is raised to what the pools need, as far as the system's
    /// hard limit allows.
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
    /// Pipeline::new().pool(builder.handler(|_peer| Client)).run()?;
    /// # Ok::<(), PoolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pools do not fit together, when one cannot listen where it should or cannot make
    /// its handlers, or when the system fails one later.
    pub fn run(self) -> Result<(), PoolError> {
        let name = self.pools.first().map(|pool| pool.name.clone()).unwrap_or_default();
        let connections = self.pools.iter().map(|pool| pool.connections).sum();
        open_files::allow(&name, connections);
        let supervisor = Supervisor::new()?;
        let ended = supervisor.condvar();
        let running = self.launch(&ended)?;
        supervisor.supervise(running)
    }

    /// Serves on threads of their own, and leaves signals alone. All listen when this returns, and
    /// all handlers of worker threads are made.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Reverse;
    /// # impl Service for Reverse { type Job = Vec<u8>; type Reply = Vec<u8>; }
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Mirror {
    /// #     #[read(some, max = 80, idle = 60s => Gone)] #[to(Turning)] #[rest] Line,
    /// #     #[call(Reverse, within = 5s => Gone, gone => Gone)] #[to(Line)] Turning,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl mirror::Handler for Client {
    /// #     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> mirror::AfterLine {
    /// #         mirror::AfterLine::Turning { job: line.to_vec() }
    /// #     }
    /// #     fn turning(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> mirror::AfterTurning {
    /// #         cx.write(&reply);
    /// #         mirror::AfterTurning::Line
    /// #     }
    /// # }
    /// # fn main() -> Result<(), PoolError> {
    /// # let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_| Client);
    /// # let work = Pool::workers::<Reverse>("work", 2, |mut bytes: Vec<u8>| { bytes.reverse(); bytes });
    /// let running = Pipeline::new().pool(front).pool(work).start()?;
    /// println!("serving on {}", running.addresses()[0]);
    /// assert_eq!(running.drain()?.open, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the pools do not fit together, or one cannot listen where it should or cannot make its
    /// handlers.
    pub fn start(self) -> Result<Running, PoolError> {
        self.launch(&(Arc::new(|| {}) as Ended))
    }

    /// `ended` is called whenever a thread has ended.
    fn launch(self, ended: &Ended) -> Result<Running, PoolError> {
        let plan = Plan::new(&self.pools)?;
        let mut pools = Vec::new();
        for pool in self.pools {
            if pool.takes.kind == RouteKind::HandOff && !pool.spec.rests() {
                let machine = pool.machine;
                tracing::warn!(
                    pool = pool.name,
                    machine,
                    "no state is at rest, so a drain waits for its whole time; mark one with `#[rest]`"
                );
            }
            let prepared = (pool.prepare)()?;
            for address in &prepared.addresses {
                tracing::info!(pool = pool.name, %address, "listening");
            }
            pools.push((pool.name, pool.state, prepared));
        }
        let routes: Vec<Arc<[PoolEntry]>> = plan
            .targets
            .iter()
            .map(|targets| targets.iter().map(|target| (pools[*target].2.entry)()).collect())
            .collect();
        let controls: Vec<Arc<PoolState>> =
            pools.iter().map(|(_, pool_state, _)| Arc::clone(pool_state)).collect();
        for cycle in plan.cycles.iter().filter(|cycle| cycle.len() > 1) {
            let cycle: Vec<_> = cycle.iter().map(|pool| Arc::clone(&controls[*pool])).collect();
            PoolState::join(&cycle);
        }
        let watched = pools.iter().flat_map(|(name, _, Prepared { watched, .. })| {
            watched.iter().map(move |port| (name.clone(), Arc::clone(port)))
        });
        let watchdog = Watchdog::start(watched.collect());
        let mut running = Running::new(plan.order, watchdog);
        // Who is called is ready before whoever calls.
        let mut starting: Vec<_> = pools.into_iter().zip(routes).map(Some).collect();
        let order: Vec<usize> = running.order().iter().rev().flatten().copied().collect();
        let mut served: Vec<Option<RunningPool>> = starting.iter().map(|_| None).collect();
        let mut failure = None;
        for index in order {
            let Some(((name, pool_state, prepared), routes)) = starting[index].take() else {
                continue;
            };
            if failure.is_some() {
                break;
            }
            let (sender, ready) = mpsc::channel();
            let mut pool = RunningPool::new(name, pool_state, prepared.addresses);
            for (number, thread) in prepared.threads.into_iter().enumerate() {
                let (routes, sender) = (Arc::clone(&routes), sender.clone());
                if let Err(error) = pool.spawn(number, thread, routes, sender, Arc::clone(ended)) {
                    failure = Some(error);
                    break;
                }
            }
            drop(sender);
            // A thread that ends without a word has panicked, and its pool says so.
            failure = failure.or_else(|| ready.into_iter().find_map(Result::err));
            served[index] = Some(pool);
        }
        running.set(served.into_iter().flatten().collect());
        match failure {
            None => {
                if let Some(ready) = self.ready {
                    ready(running.addresses());
                }
                Ok(running)
            }
            Some(error) => {
                // Also those that have not started: somebody may wait for room there.
                for pool_state in controls {
                    pool_state.close();
                }
                drop(running);
                Err(error)
            }
        }
    }

    /// The pools with their calls and hand-offs as text for Graphviz.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Reverse;
    /// # impl Service for Reverse { type Job = Vec<u8>; type Reply = Vec<u8>; }
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Mirror {
    /// #     #[read(some, max = 80, idle = 60s => Gone)] #[to(Turning)] #[rest] Line,
    /// #     #[call(Reverse, within = 5s => Gone, gone => Gone)] #[to(Line)] Turning,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl mirror::Handler for Client {
    /// #     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> mirror::AfterLine {
    /// #         mirror::AfterLine::Turning { job: line.to_vec() }
    /// #     }
    /// #     fn turning(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> mirror::AfterTurning {
    /// #         cx.write(&reply);
    /// #         mirror::AfterTurning::Line
    /// #     }
    /// # }
    /// # fn main() -> Result<(), PoolError> {
    /// # let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_| Client);
    /// # let work = Pool::workers::<Reverse>("work", 2, |mut bytes: Vec<u8>| { bytes.reverse(); bytes });
    /// let pipeline = Pipeline::new().pool(front).pool(work);
    /// assert!(pipeline.dot().contains("label=\"front: Mirror, 3 states\""));
    /// # Ok(())
    /// # }
    /// ```
    pub fn dot(&self) -> String {
        diagram::dot(&self.pools)
    }

    /// The pools with their calls and hand-offs as a Mermaid flowchart.
    ///
    /// ```
    /// # use fsm_runtime::prelude::*;
    /// # struct Reverse;
    /// # impl Service for Reverse { type Job = Vec<u8>; type Reply = Vec<u8>; }
    /// # #[state_machine(start = Line, eof => Gone)]
    /// # enum Mirror {
    /// #     #[read(some, max = 80, idle = 60s => Gone)] #[to(Turning)] #[rest] Line,
    /// #     #[call(Reverse, within = 5s => Gone, gone => Gone)] #[to(Line)] Turning,
    /// #     #[end] Gone,
    /// # }
    /// # struct Client;
    /// # impl mirror::Handler for Client {
    /// #     fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> mirror::AfterLine {
    /// #         mirror::AfterLine::Turning { job: line.to_vec() }
    /// #     }
    /// #     fn turning(&mut self, reply: Vec<u8>, cx: &mut Cx<'_>) -> mirror::AfterTurning {
    /// #         cx.write(&reply);
    /// #         mirror::AfterTurning::Line
    /// #     }
    /// # }
    /// # fn main() -> Result<(), PoolError> {
    /// # let front = Pool::builder::<Mirror>("front").listen("127.0.0.1:0").handler(|_| Client);
    /// # let work = Pool::workers::<Reverse>("work", 2, |mut bytes: Vec<u8>| { bytes.reverse(); bytes });
    /// let pipeline = Pipeline::new().pool(front).pool(work);
    /// assert!(pipeline.mermaid().contains("-->|\"call in Turning, waits for room\"|"));
    /// // `Display` is for people.
    /// println!("{pipeline}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn mermaid(&self) -> String {
        diagram::mermaid(&self.pools)
    }
}

/// The pools with what they call and the states of their machines: the sum of those is what there
/// is to understand, and the product what one machine for all of it would need.
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
