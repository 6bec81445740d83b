use std::fmt;
use std::sync::Arc;
use std::thread;

use crate::handle::Control;
use crate::{Address, Builder, Machine, PoolError, Running, open_files};

/// Connections of one machine on a port of their own.
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
    name: String,
    prepare: Prepare,
    control: Arc<Control>,
    connections: usize,
}

/// Binds a pool to its addresses, and to the signals if it is told so.
pub(crate) type Prepare = Box<dyn FnOnce(bool) -> Result<Prepared, PoolError> + Send>;

/// A pool that is bound to its addresses.
pub(crate) struct Prepared {
    pub(crate) addresses: Vec<Address>,
    pub(crate) serve: Box<dyn FnOnce() -> Result<(), PoolError> + Send>,
}

impl Pool {
    pub(crate) fn new(
        name: String,
        prepare: Prepare,
        control: Arc<Control>,
        connections: usize,
    ) -> Self {
        Self { name, prepare, control, connections }
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

    /// Serves on this thread until SIGTERM or SIGINT, then drains: nothing new is accepted,
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
        open_files::allow(&self.name, self.connections);
        let Prepared { addresses, serve } = (self.prepare)(true)?;
        log_addresses(&self.name, &addresses);
        serve()
    }

    /// Serves on a thread of its own, and leaves signals alone. It is listening when this returns.
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
        let Prepared { addresses, serve } = (self.prepare)(false)?;
        log_addresses(&self.name, &addresses);
        let thread = thread::Builder::new()
            .name(format!("{}-0", self.name))
            .spawn(serve)
            .map_err(PoolError::io("start a thread"))?;
        Ok(Running::new(addresses, self.control, thread))
    }
}

fn log_addresses(pool: &str, addresses: &[Address]) {
    for address in addresses {
        tracing::info!(pool, %address, "listening");
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish_non_exhaustive()
    }
}
