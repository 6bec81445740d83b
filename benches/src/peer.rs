use clap::ValueEnum;
use serde::Serialize;

/// A program or a library that the lab measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// A generated machine on a port of the runtime.
    Ours,
    /// An event loop written by hand on mio.
    Mio,
    /// The same loop with the features of a port: deadlines, keys with generations, limits.
    MioFeatures,
    /// An event loop written by hand on epoll, in C.
    C,
    /// One tokio task per connection, on one thread.
    Tokio,
    /// One tokio task per connection, on several threads.
    TokioThreads,
    /// One task per connection, on a runtime that uses `io_uring`.
    Compio,
    /// One stackful coroutine per connection.
    May,
    Redis,
    Haproxy,
    Nginx,
    /// nginx with `sendfile`: the kernel copies files to sockets.
    NginxSendfile,
    /// A state machine written by hand as a `match`.
    HandMatch,
    /// A decoder written by hand.
    HandDecoder,
    Smlang,
    Statig,
    RustFsm,
    /// Two threads with crossbeam's channels between them.
    Crossbeam,
    /// Two threads that park and unpark each other.
    Futex,
    /// A `multiprocessing.Pool` of Python.
    Multiprocessing,
    /// A process of Python at the other end of a `multiprocessing.Pipe`.
    Pipe,
    /// An interpreter of Python within the program, which `PyO3` calls (feature `pyo3`).
    Pyo3,
}

impl Peer {
    /// The name on command lines and in reports.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
