use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use crate::call::service::PoolEntry;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::watchdog::Watchdog;
use crate::server::prepared::ThreadOf;
use crate::{Address, PoolError, Stats};

type Thread = JoinHandle<Result<(), PoolError>>;

/// Pools that serve on threads of their own. Dropping it closes them.
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
/// let running = echo.start()?;
/// println!("serving on {}", running.addresses()[0]);
/// drop(running);
/// # Ok::<(), PoolError>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it closes the pool"]
pub struct Running {
    pools: Vec<RunningPool>,
    /// The order in which they are drained.
    order: Vec<Vec<usize>>,
    addresses: Vec<Address>,
    /// It sees to it that blocked threads do not count, until the pools have ended.
    _watchdog: Watchdog,
}

/// A pool that serves.
#[derive(Debug)]
pub(crate) struct RunningPool {
    name: String,
    pool_state: Arc<PoolState>,
    addresses: Vec<Address>,
    threads: Vec<Thread>,
    /// The threads that have not ended.
    left: Arc<AtomicUsize>,
}

impl RunningPool {
    pub(crate) fn new(name: String, pool_state: Arc<PoolState>, addresses: Vec<Address>) -> Self {
        Self { name, pool_state, addresses, threads: Vec::new(), left: Arc::default() }
    }

    /// Starts a thread; `ready` gets a word when it is, and `ended` is called at its end.
    pub(crate) fn spawn(
        &mut self,
        number: usize,
        run: ThreadOf,
        routes: Arc<[PoolEntry]>,
        ready: Sender<Result<(), PoolError>>,
        ended: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<(), PoolError> {
        self.left.fetch_add(1, Ordering::SeqCst);
        let end = ThreadEnd { left: Arc::clone(&self.left), ended };
        let name = format!("{}-{number}", self.name);
        let run = move || {
            let _end = end;
            // It must be dropped when it has been used, or nobody would know that it was the last.
            let ready = Cell::new(Some(ready));
            run(routes, &|word| {
                if let Some(ready) = ready.take() {
                    // Whoever started the thread may have given up.
                    let _ = ready.send(word);
                }
            })
        };
        let thread = thread::Builder::new().name(name).spawn(run);
        self.threads.push(thread.map_err(PoolError::io("start a thread"))?);
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    /// Waits for the ends of all threads; says what was wrong with the first that failed.
    fn join(&mut self) -> Result<(), PoolError> {
        let mut result = Ok(());
        let joined = !self.threads.is_empty();
        for thread in self.threads.drain(..) {
            let ended = thread.join().unwrap_or_else(|_| {
                Err(PoolError::io("serve")(io::Error::other("a thread of the pool panicked")))
            });
            result = result.and(ended);
        }
        if joined {
            tracing::info!(pool = self.name, stats = ?self.pool_state.stats(), "ended");
        }
        result
    }
}

/// What happens at the end of a thread.
struct ThreadEnd {
    left: Arc<AtomicUsize>,
    ended: Arc<dyn Fn() + Send + Sync>,
}

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        self.left.fetch_sub(1, Ordering::SeqCst);
        (self.ended)();
    }
}

impl Running {
    pub(crate) fn new(order: Vec<Vec<usize>>, watchdog: Watchdog) -> Self {
        Self { pools: Vec::new(), order, addresses: Vec::new(), _watchdog: watchdog }
    }

    pub(crate) fn order(&self) -> &[Vec<usize>] {
        &self.order
    }

    pub(crate) fn set(&mut self, pools: Vec<RunningPool>) {
        self.addresses = pools.iter().flat_map(|pool| pool.addresses.clone()).collect();
        self.pools = pools;
    }

    /// Where they listen, in the order of the pools and of their [`Builder::listen`](crate::Builder::listen) calls, with the
    /// ports that the system chose.
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
    /// # use fsm_runtime::Address;
    /// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").handler(|_peer| Client);
    /// let running = echo.start()?;
    /// assert!(matches!(running.addresses(), [Address::Tcp(address)] if address.port() != 0));
    /// # Ok::<(), PoolError>(())
    /// ```
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// What they have counted until now, all pools together; [`Handle::stats`](crate::Handle::stats) is for one.
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
    /// assert_eq!(running.stats().accepted, 0);
    /// # let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// # client.write_all(b"x")?;
    /// // .. when a client has come and has got an answer:
    /// # client.read_exact(&mut [0])?;
    /// assert_eq!(running.stats().open, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.pools.iter().map(|pool| pool.pool_state.stats()).sum()
    }

    /// Drains the pools and waits for their ends; says what they counted. Those that give jobs and
    /// connections to others come first.
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
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// client.write_all(b"x")?;
    /// client.read_exact(&mut [0])?;
    ///
    /// // The client is at rest, so the pool does not wait for it.
    /// let stats = running.drain()?;
    /// assert_eq!((stats.drained, stats.open), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the system failed the pool.
    pub fn drain(mut self) -> Result<Stats, PoolError> {
        self.end(true)?;
        Ok(self.stats())
    }

    /// Waits for the end of the pools, which somebody else must have ordered; says what they counted.
    /// When those have ended that are drained first, the others are drained.
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
    ///
    /// handle.close();
    /// assert_eq!(running.join()?.accepted, 0);
    /// # Ok::<(), PoolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the system failed the pool.
    pub fn join(mut self) -> Result<Stats, PoolError> {
        self.end(false)?;
        Ok(self.stats())
    }

    /// Drains all pools in their order, or all but the first.
    fn end(&mut self, first: bool) -> Result<(), PoolError> {
        let mut result = Ok(());
        for (number, group) in self.order.iter().enumerate() {
            if first || number > 0 {
                for pool in group {
                    self.pools[*pool].pool_state.drain();
                }
            }
            for pool in group {
                result = result.and(self.pools[*pool].join());
            }
        }
        result
    }

    /// Whether some pool has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.pools.iter().any(RunningPool::has_ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pool in &self.pools {
            pool.pool_state.close();
        }
        for pool in &mut self.pools {
            if let Err(error) = pool.join() {
                tracing::error!(pool = pool.name, %error, "a pool failed");
            }
        }
    }
}
