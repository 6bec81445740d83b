use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::handle::{Control, Order};
use crate::{Address, PoolError, Stats};

type Thread = JoinHandle<Result<(), PoolError>>;

/// A pool that serves on a thread of its own. Dropping it closes the pool.
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
    addresses: Vec<Address>,
    control: Arc<Control>,
    thread: Option<Thread>,
}

impl Running {
    pub(crate) fn new(addresses: Vec<Address>, control: Arc<Control>, thread: Thread) -> Self {
        Self { addresses, control, thread: Some(thread) }
    }

    /// Where it listens, in the order of the [`Builder::listen`](crate::Builder::listen) calls, with the ports that the
    /// system chose.
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

    /// What it has counted until now.
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
        self.control.counters.snapshot()
    }

    /// Drains it and waits for its end; says what it counted.
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
    pub fn drain(self) -> Result<Stats, PoolError> {
        self.control.give(Order::Drain);
        self.join()
    }

    /// Waits for its end, which somebody else must have ordered; says what it counted.
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
        self.wait()?;
        Ok(self.stats())
    }

    fn wait(&mut self) -> Result<(), PoolError> {
        let ended = self.thread.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_| {
            Err(PoolError::io("serve")(io::Error::other("the pool's thread panicked")))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.give(Order::Close);
        if let Err(error) = self.wait() {
            tracing::error!(%error, "a pool failed");
        }
    }
}
