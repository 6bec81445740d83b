use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;

use crate::pool::Prepared;
use crate::running::{Conductor, Served};
use crate::task::Entry;
use crate::watchdog::Watchdog;
use crate::{Pool, PoolError, Running, open_files};

mod plan;

use self::plan::Plan;

/// The pools of a process, which call each other and hand connections to each other.
///
/// It is checked before anything starts: that each pool is there which another one calls or hands
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
}

impl Pipeline {
    /// No pools yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pool.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Says whether the pools fit together; [`run`](Pipeline::run) and [`start`](Pipeline::start) do
    /// it first.
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
    /// give jobs and connections to others. A second signal ends the process at once. When a pool
    /// has ended for another reason, the others are drained likewise.
    ///
    /// The process's limit of open files is raised to what the pools need, as far as the system's
    /// hard limit allows.
    ///
    /// # Errors
    ///
    /// When the pools do not fit together, when one cannot listen where it should or cannot make
    /// its handlers, or when the system fails one later.
    pub fn run(self) -> Result<(), PoolError> {
        let name = self.pools.first().map(|pool| pool.name.clone()).unwrap_or_default();
        let connections = self.pools.iter().map(|pool| pool.connections).sum();
        open_files::allow(&name, connections);
        let conductor = Conductor::new()?;
        let ended = conductor.bell();
        let running = self.launch(ended)?;
        conductor.conduct(running)
    }

    /// Serves on threads of their own, and leaves signals alone. All listen when this returns, and
    /// all handlers of worker threads are made.
    ///
    /// # Errors
    ///
    /// When the pools do not fit together, or one cannot listen where it should or cannot make its
    /// handlers.
    pub fn start(self) -> Result<Running, PoolError> {
        self.launch(Arc::new(|| {}))
    }

    /// `ended` is called whenever a thread has ended.
    fn launch(self, ended: Arc<dyn Fn() + Send + Sync>) -> Result<Running, PoolError> {
        let plan = Plan::new(&self.pools)?;
        let mut pools = Vec::new();
        for pool in self.pools {
            let prepared = (pool.prepare)()?;
            for address in &prepared.addresses {
                tracing::info!(pool = pool.name, %address, "listening");
            }
            pools.push((pool.name, pool.control, prepared));
        }
        let routes: Vec<Arc<[Entry]>> = plan
            .targets
            .iter()
            .map(|targets| targets.iter().map(|target| (pools[*target].2.entry)()).collect())
            .collect();
        let watched = pools.iter().flat_map(|(name, _, Prepared { watched, .. })| {
            watched.iter().map(move |port| (name.clone(), Arc::clone(port)))
        });
        let watchdog = Watchdog::start(watched.collect());
        let mut running = Running::new(plan.order, watchdog);
        // Who is called is ready before whoever calls.
        let mut starting: Vec<_> = pools.into_iter().zip(routes).map(Some).collect();
        let order: Vec<usize> = running.order().iter().rev().flatten().copied().collect();
        let mut served: Vec<Option<Served>> = starting.iter().map(|_| None).collect();
        let mut failure = None;
        for index in order {
            let Some(((name, control, prepared), routes)) = starting[index].take() else {
                continue;
            };
            if failure.is_some() {
                break;
            }
            let (sender, ready) = mpsc::channel();
            let mut pool = Served::new(name, control, prepared.addresses);
            for (number, thread) in prepared.threads.into_iter().enumerate() {
                let (routes, sender) = (Arc::clone(&routes), sender.clone());
                if let Err(error) = pool.spawn(number, thread, routes, sender, Arc::clone(&ended)) {
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
            None => Ok(running),
            Some(error) => {
                drop(running);
                Err(error)
            }
        }
    }

    /// The pools with their calls and hand-offs as text for Graphviz.
    pub fn dot(&self) -> String {
        plan::dot(&self.pools)
    }

    /// The pools with their calls and hand-offs as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        plan::mermaid(&self.pools)
    }
}

/// The pools with what they call and the states of their machines: the sum of those is what there
/// is to understand, and the product what one machine for all of it would need.
impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plan::table(&self.pools))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("pools", &self.pools).finish()
    }
}
