use std::time::Duration;

use crate::server::snapshot;
use crate::{EndError, Filter, Handle, Key, Machine, PoolSnapshot, Stats};

impl<M: Machine> Handle<M> {
    /// Returns the pool at work: its counters and threads, its connections or jobs by state, and the 100 oldest
    /// with where they are and why they wait. [`Handle::stats`] is much cheaper.
    ///
    /// It takes less than `within`, give or take what the system's scheduler does, and usually less than a
    /// millisecond for each 10,000 connections. A port with one thread cannot answer while that thread is in a
    /// handler: if that lasts longer than `within`, the snapshot says so, and which handler it is. A handler that
    /// calls this must not wait for its own port, which cannot answer.
    ///
    /// It costs nothing until it is called. Then a port visits up to 4,096 slots between two rounds of turns,
    /// at some nanoseconds each, and describes up to 256 connections, at about a microsecond each. If the pool has
    /// states with a `#[call]`, ports of the called pools are asked about the jobs, too. It is no instant:
    /// see [`PoolSnapshot`].
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::net::TcpStream;
    /// use std::time::Duration;
    ///
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Line, eof => Gone)]
    /// enum Shout {
    ///     #[read(until = b"\n", max = 64, limit => Gone, within = 60s => Gone)]
    ///     #[to(Line)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl shout::Handler for Client {
    ///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
    ///         cx.write(&line.to_ascii_uppercase());
    ///         shout::AfterLine::Line
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Shout>("shout").listen("127.0.0.1:0");
    /// let handle = builder.handle();
    /// let running = builder.handler(|_peer| Client).start()?;
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// client.write_all(b"one line\nhalf ")?;
    /// client.read_exact(&mut [0; 8])?;
    ///
    /// let pool = handle.snapshot(Duration::from_secs(1));
    /// assert_eq!(pool.count("Line"), 1);
    /// let oldest = &pool.tasks[0];
    /// assert_eq!(oldest.peer.unwrap().to_string(), client.local_addr()?.to_string());
    /// // Such as `Line 2 ms: waits for read(until = b"\n"); 59.9 s left; 5 bytes unread`.
    /// assert!(oldest.to_string().contains(r#": waits for read(until = b"\n"); "#));
    /// # drop(client);
    /// # running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self, within: Duration) -> PoolSnapshot {
        self.snapshot_of(&Filter::new(), within)
    }

    /// Returns the pool at work like [`snapshot`](Handle::snapshot), with those connections or jobs that
    /// `filter` lets through.
    pub fn snapshot_of(&self, filter: &Filter, within: Duration) -> PoolSnapshot {
        snapshot::of_pool(&self.state, filter, within)
    }

    /// Ends the connection with this key as [`Ended::Closed`](crate::Ended::Closed), in its next turn and without
    /// another call of its handler. The connection is reset if output is unsent or input unread, as when the pool closes.
    ///
    /// It waits for less than `within` until the port of the connection has noted it: usually some microseconds.
    /// A handler must not wait for its own port in this way.
    ///
    /// ```
    /// use std::io::Read;
    /// use std::net::TcpStream;
    /// use std::time::Duration;
    ///
    /// use fsm_runtime::EndError;
    /// use fsm_runtime::prelude::*;
    ///
    /// #[state_machine(start = Line, eof => Gone)]
    /// enum Shout {
    ///     #[read(until = b"\n", max = 64, limit => Gone, within = 60s => Gone)]
    ///     #[to(Line)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl shout::Handler for Client {
    ///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> shout::AfterLine {
    ///         cx.write(&line.to_ascii_uppercase());
    ///         shout::AfterLine::Line
    ///     }
    /// }
    ///
    /// let builder = Pool::builder::<Shout>("shout").listen("127.0.0.1:0");
    /// let handle = builder.handle();
    /// let running = builder.handler(|_peer| Client).start()?;
    /// let mut client = TcpStream::connect(running.addresses()[0].to_string())?;
    /// # while handle.stats().open == 0 {
    /// #     std::thread::yield_now();
    /// # }
    ///
    /// let second = Duration::from_secs(1);
    /// let key = handle.snapshot(second).tasks[0].key.unwrap();
    /// assert_eq!(handle.end(key, second), Ok(()));
    /// assert_eq!(client.read(&mut [0])?, 0);
    /// assert_eq!(handle.end(key, second), Err(EndError::Gone));
    /// # running.drain()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the reason why no connection ends.
    pub fn end(&self, key: Key, within: Duration) -> Result<(), EndError> {
        snapshot::end::connection(std::slice::from_ref(&self.state), key, within)
    }

    /// Returns the counters of the pool.
    pub fn stats(&self) -> Stats {
        self.state.stats()
    }
}
