use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::watchdog::Watchdog;
#[cfg(unix)]
use crate::server::handover::Handover;
use crate::server::observer::Observer;
use crate::server::thread::{OnThreadEnd, ReadySender, ThreadMain, ThreadStart};
#[cfg(unix)]
use crate::server::upgrade::accept_thread::AcceptThread;
#[cfg(unix)]
use crate::server::upgrade::launch::{Launch, SitePool};
use crate::server::wired::PoolStart;
use crate::{Address, PoolError, Stats};

/// Pools that serve on threads of their own, from [`Pool::start`](crate::Pool::start) or
/// [`Pipeline::start`](crate::Pipeline::start).
///
/// Dropping it closes the pools and waits for their threads. Connections in the middle of something
/// are cut off; [`drain`](Running::drain) lets them finish.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use fsm_runtime::Address;
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
/// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").handler(|_peer| Client);
/// let running = echo.start()?;
/// assert!(matches!(running.addresses(), [Address::Tcp(address)] if address.port() != 0));
///
/// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
/// client.write_all(b"x")?;
/// client.read_exact(&mut [0])?;
/// assert_eq!(running.stats().open, 1);
///
/// // The client is at rest, so the drain closes its connection and does not wait for it.
/// let stats = running.drain()?;
/// assert_eq!((stats.drained, stats.open), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it closes the pools"]
pub struct Running {
    /// In the order of the pipeline.
    pools: Vec<RunningPool>,
    /// The numbers of the pools, in the order in which they drain; those of one step together.
    drain_order: Vec<Vec<usize>>,
    addresses: Vec<Address>,
    /// Waits for a new process. Dropped before the pools are, because it hands them over.
    #[cfg(unix)]
    accept_thread: Option<AcceptThread>,
    /// Notices blocked threads until the pools have ended.
    _watchdog: Watchdog,
    /// Dropped after the pools have ended.
    #[cfg(feature = "console")]
    console: Option<Box<Running>>,
}

impl Running {
    pub(super) fn new(
        pools: Vec<RunningPool>,
        drain_order: Vec<Vec<usize>>,
        watchdog: Watchdog,
    ) -> Self {
        let addresses = pools.iter().flat_map(|pool| pool.addresses.clone()).collect();
        Self {
            pools,
            drain_order,
            addresses,
            #[cfg(unix)]
            accept_thread: None,
            _watchdog: watchdog,
            #[cfg(feature = "console")]
            console: None,
        }
    }

    #[cfg(feature = "console")]
    pub(super) fn with_console(mut self, console: Option<Self>) -> Self {
        self.console = console.map(Box::new);
        self
    }

    /// The address of the console, if there is one.
    #[cfg(feature = "console")]
    pub fn console(&self) -> Option<&Address> {
        self.console.as_ref()?.addresses().first()
    }

    /// Takes over from an old process, if there is one, and waits for a new one then. `opens` says for each pool
    /// whether it opens connections itself.
    #[cfg(unix)]
    pub(super) fn wait_for_successor(
        mut self,
        launch: Launch,
        opens: &[bool],
        handover: Handover,
    ) -> Result<Self, PoolError> {
        let first = self.drain_order.first().map_or(&[][..], Vec::as_slice);
        let pools = self.pools.iter().zip(opens).enumerate().map(|(index, (pool, opens))| {
            let drains_first = first.contains(&index);
            SitePool { state: Arc::clone(&pool.state), drains_first, opens: *opens }
        });
        let pools = pools.collect();
        #[cfg(feature = "console")]
        let console = self.console.iter().flat_map(|console| &console.pools).next();
        #[cfg(not(feature = "console"))]
        let console: Option<&RunningPool> = None;
        let console = console.map(|pool| Arc::clone(&pool.state));
        self.accept_thread = Some(launch.complete(pools, console, handover)?);
        Ok(self)
    }

    /// The state of the pool with this number, for tests of connections that move.
    #[cfg(all(test, unix))]
    pub(super) fn pool_state(&self, index: usize) -> &Arc<PoolState> {
        &self.pools[index].state
    }

    pub(super) fn start_pool(
        &mut self,
        index: usize,
        start: PoolStart,
        on_thread_end: &OnThreadEnd,
    ) -> Result<(), PoolError> {
        self.pools[index].start(start, on_thread_end)
    }

    /// The addresses that the pools listen on, with the TCP ports that the system chose: in the
    /// order of the pools, and of the [`Builder::listen`](crate::Builder::listen) calls of each.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The counters of all pools together. [`Handle::stats`](crate::Handle::stats) is for one pool.
    pub fn stats(&self) -> Stats {
        self.pools.iter().map(|pool| pool.state.stats()).sum()
    }

    /// Returns what takes snapshots of the pools.
    pub fn observer(&self) -> Observer {
        Observer::new(self.pools.iter().map(|pool| Arc::clone(&pool.state)))
    }

    /// Drains the pools, waits until they have ended, and returns their counters.
    ///
    /// Pools that give jobs or connections to others drain before those. Each step may take as long
    /// as [`Builder::drain_within`](crate::Builder::drain_within) of its pools allows.
    ///
    /// # Errors
    ///
    /// Returns an error if the system failed a pool, or a thread of a pool panicked.
    pub fn drain(mut self) -> Result<Stats, PoolError> {
        self.drain_steps(0)?;
        Ok(self.stats())
    }

    /// Waits until the pools have ended, and returns their counters. A [`Handle`](crate::Handle)
    /// must drain or close those that drain first; each later step drains when the one before it
    /// has ended.
    ///
    /// # Errors
    ///
    /// Returns an error if the system failed a pool, or a thread of a pool panicked.
    pub fn join(mut self) -> Result<Stats, PoolError> {
        self.drain_steps(1)?;
        Ok(self.stats())
    }

    /// Waits for the pools, one step of the drain order after another, and drains those of the
    /// steps from number `first` on. All steps are gone through, also after an error.
    fn drain_steps(&mut self, first: usize) -> Result<(), PoolError> {
        let mut result = Ok(());
        for (number, step) in self.drain_order.iter().enumerate() {
            #[cfg(unix)]
            if number == first {
                self.accept_thread.iter().for_each(AcceptThread::close);
            }
            if number >= first {
                for pool in step {
                    self.pools[*pool].state.drain();
                }
            }
            for pool in step {
                result = result.and(self.pools[*pool].join());
            }
        }
        result
    }

    /// Whether all threads of some pool have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.pools.iter().any(RunningPool::has_ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        drop(self.accept_thread.take());
        // All are closed before the first is waited for, because one may wait for room in another.
        for pool in &self.pools {
            pool.state.close();
        }
        for pool in &mut self.pools {
            if let Err(error) = pool.join() {
                crate::log::error!(pool = pool.name, %error, "a pool failed");
            }
        }
    }
}

/// A pool with its threads.
#[derive(Debug)]
pub(super) struct RunningPool {
    name: String,
    state: Arc<PoolState>,
    addresses: Vec<Address>,
    threads: Vec<JoinHandle<Result<(), PoolError>>>,
    /// The number of threads that have not ended.
    alive: Arc<AtomicUsize>,
}

impl RunningPool {
    /// A pool whose threads have not started.
    pub(super) fn new(name: String, state: Arc<PoolState>, addresses: Vec<Address>) -> Self {
        Self { name, state, addresses, threads: Vec::new(), alive: Arc::default() }
    }

    /// Starts the threads, and returns when all are ready or one has failed.
    fn start(&mut self, start: PoolStart, on_thread_end: &OnThreadEnd) -> Result<(), PoolError> {
        let PoolStart { threads, routes } = start;
        let (sender, reports) = mpsc::channel();
        for main in threads {
            let (routes, ready) = (Arc::clone(&routes), ReadySender(sender.clone()));
            self.spawn(main, ThreadStart { routes, ready }, Arc::clone(on_thread_end))?;
        }
        drop(sender);
        // The reports end when each thread has sent one or has ended. A thread that ends without
        // one has panicked; `join` returns that as an error.
        reports.into_iter().collect()
    }

    fn spawn(
        &mut self,
        main: ThreadMain,
        start: ThreadStart,
        on_end: OnThreadEnd,
    ) -> Result<(), PoolError> {
        self.alive.fetch_add(1, Ordering::SeqCst);
        let end = ThreadEnd { alive: Arc::clone(&self.alive), on_end };
        let thread = thread::Builder::new().name(format!("{}-{}", self.name, self.threads.len()));
        let thread = thread.spawn(move || {
            let _end = end;
            main(start)
        });
        self.threads.push(thread.map_err(PoolError::io("start a thread"))?);
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.alive.load(Ordering::SeqCst) == 0
    }

    /// Waits until all threads have ended. Returns the error of the first that failed.
    fn join(&mut self) -> Result<(), PoolError> {
        if self.threads.is_empty() {
            return Ok(());
        }
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            let ended = thread.join().unwrap_or_else(|_| {
                Err(PoolError::io("serve")(io::Error::other("a thread of the pool panicked")))
            });
            result = result.and(ended);
        }
        crate::log::info!(pool = self.name, stats = ?self.state.stats(), "ended");
        result
    }
}

/// Notes the end of a thread when it is dropped, also if the thread panics.
struct ThreadEnd {
    alive: Arc<AtomicUsize>,
    on_end: OnThreadEnd,
}

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
        (self.on_end)();
    }
}
