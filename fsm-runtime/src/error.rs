use std::fmt;
use std::io;

use crate::Address;

/// The reason why a pool did not start or had to stop.
///
/// `Debug` prints the same text as `Display`, because a `main` that returns the error prints its
/// `Debug`.
///
/// ```
/// use fsm_runtime::{Address, PoolError};
///
/// let error = Address::parse("7070").unwrap_err();
/// assert!(error.to_string().starts_with("`7070` is no address to listen on"));
///
/// /// The exit code of a server, as `sysexits.h` has them.
/// fn exit_code(error: &PoolError) -> u8 {
///     match error {
///         PoolError::Address { .. } => 64,
///         PoolError::InUse(_) | PoolError::NotHere(_) => 69,
///         PoolError::Occupied(_) => 73,
///         PoolError::Denied(_) => 77,
///         PoolError::Io { .. } => 71,
///         _ => 70,
///     }
/// }
///
/// assert_eq!(exit_code(&error), 64);
/// let address = Address::parse("127.0.0.1:80").unwrap();
/// assert_eq!(exit_code(&PoolError::Denied(address)), 77);
/// ```
#[non_exhaustive]
pub enum PoolError {
    /// The text is not an address, no socket that was passed fits it, or the pool has too many addresses.
    Address {
        /// The text.
        address: String,
        /// The reason why it cannot be used.
        why: String,
    },
    /// The text is no place to connect to.
    Target {
        /// The text.
        target: String,
        /// The reason why it cannot be used.
        why: String,
    },
    /// A pool whose machine answers jobs has no target, or listens.
    Connections {
        /// The name of the pool.
        pool: String,
        /// The part that it has, or lacks.
        why: &'static str,
    },
    /// A pool with `tls` lacks settings that its connections need.
    Tls {
        /// The name of the pool.
        pool: String,
        /// Its wait, and the setting that it lacks.
        why: String,
    },
    /// A pool with `layer` has something that its connections cannot do.
    Layer {
        /// The name of the pool.
        pool: String,
        /// The setting that it has, and the one that it should have.
        why: &'static str,
    },
    /// The machine of a pool reads datagrams, and the settings are for a stream, or the other way round.
    Datagrams {
        /// The name of the pool.
        pool: String,
        /// The part that does not fit, and one that does.
        why: String,
    },
    /// Another process listens on the address.
    InUse(Address),
    /// The path of a Unix socket is a file of another type, which was not changed.
    Occupied(Address),
    /// The system does not permit this process to listen on the address.
    Denied(Address),
    /// This machine has no such address.
    NotHere(Address),
    /// A number of the [`Builder`](crate::Builder) is out of its range.
    Setting {
        /// The name of the pool.
        pool: String,
        /// The method that sets the number.
        setting: &'static str,
        /// The number, and the range.
        why: String,
    },
    /// A worker thread could not make its handler.
    Handler {
        /// The name of the pool.
        pool: String,
        /// The error of the function that makes handlers.
        error: String,
    },
    /// The pools do not fit together, such as a pool that calls a service that no pool offers.
    Pipeline {
        /// The error, and how to correct it.
        why: String,
    },
    /// A process cannot take over from another one: see `Upgrade`.
    Upgrade {
        /// The reason; the old process goes on.
        why: String,
    },
    /// Another operation of the system failed.
    Io {
        /// The operation, such as `start a thread`.
        what: String,
        /// The error of the system.
        error: io::Error,
    },
}

impl PoolError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }

    /// Converts an error of binding to `address`.
    pub(crate) fn binding(address: &Address) -> impl FnOnce(io::Error) -> Self {
        let address = address.clone();
        move |error| match error.kind() {
            io::ErrorKind::AddrInUse => Self::InUse(address),
            io::ErrorKind::AlreadyExists => Self::Occupied(address),
            io::ErrorKind::PermissionDenied => Self::Denied(address),
            io::ErrorKind::AddrNotAvailable => Self::NotHere(address),
            _ => Self::Io { what: format!("listen on {address}"), error },
        }
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, why } if address.starts_with("fd:") => {
                write!(f, "cannot listen on `{address}`: {why}")
            }
            Self::Address { address, why } => write!(
                f,
                "`{address}` is no address to listen on: {why}; \
                 write it like 127.0.0.1:7070, [::1]:7070, unix:/run/server.sock or fd:NAME"
            ),
            Self::Target { target, why } => write!(
                f,
                "`{target}` is no place to connect to: {why}; \
                 write it like 10.0.0.7:80, [::1]:80, example.org:80 or unix:/run/server.sock"
            ),
            Self::Connections { pool, why } => write!(
                f,
                "the connections of the pool `{pool}` answer jobs, so it opens them itself: it {why}"
            ),
            Self::Tls { pool, why } => {
                write!(f, "the pool `{pool}` cannot encrypt all its connections: {why}")
            }
            Self::Layer { pool, why } => {
                write!(f, "the pool `{pool}` cannot have its layer: {why}")
            }
            Self::Datagrams { pool, why } => {
                write!(f, "the pool `{pool}` does not fit its machine: {why}")
            }
            Self::InUse(address) => write!(
                f,
                "cannot listen on {address}: another process does; stop it or choose another address"
            ),
            Self::Occupied(address) => write!(
                f,
                "cannot listen on {address}: a file that is no socket is there; \
                 remove it or choose another path"
            ),
            Self::Denied(Address::Tcp(address) | Address::Udp(address))
                if address.port() < 1024 =>
            {
                write!(
                    f,
                    "cannot listen on {address}: not permitted; \
                 ports below 1024 need a privilege, choose a higher one or grant it"
                )
            }
            Self::Denied(address) => write!(f, "cannot listen on {address}: not permitted"),
            Self::NotHere(address) => write!(
                f,
                "cannot listen on {address}: this machine has no such address; \
                 use one of its own, or 0.0.0.0 for all"
            ),
            Self::Setting { pool, setting, why } => {
                write!(f, "the setting `{setting}` of the pool `{pool}` is out of its range: {why}")
            }
            Self::Handler { pool, error } => {
                write!(f, "the pool `{pool}` cannot make a handler: {error}")
            }
            Self::Pipeline { why } => f.write_str(why),
            Self::Upgrade { why } => write!(f, "the upgrade has failed: {why}"),
            Self::Io { what, error } => write!(f, "cannot {what}: {error}"),
        }
    }
}

impl fmt::Debug for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PoolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// The error of posting a message to a connection or submitting a job to a pool. It contains the
/// message or job.
///
/// ```
/// use fsm_runtime::TrySendError;
///
/// let full = TrySendError::Full("work");
/// assert_eq!(full.to_string(), "the receiver is full");
/// assert_eq!(full.into_inner(), "work");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// The connection's mailbox is full, or the pool has its maximum of jobs.
    Full(T),
    /// The connection has ended; or the pool has not started, is draining, or has ended.
    Gone(T),
}

impl<T> TrySendError<T> {
    /// Returns the message or job.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Gone(value) => value,
        }
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the receiver is full",
            Self::Gone(_) => "the receiver is gone",
        })
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Gone(_) => "Gone(..)",
        })
    }
}

impl<T> std::error::Error for TrySendError<T> {}

/// The reason why [`Handle::end`](crate::Handle::end) or [`Observer::end`](crate::Observer::end) ended no
/// connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndError {
    /// No connection has this key: it has ended, or never was.
    Gone,
    /// A job has this key. Its caller waits for it, and ends by its own deadline.
    Job,
    /// A handler has run for all the time, of the connection or on the only thread of its port. The connection
    /// goes on; ask again.
    Busy,
}

impl fmt::Display for EndError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "no connection has this key",
            Self::Job => "a job has this key, and no connection",
            Self::Busy => "a handler of the connection or of its port runs; ask again",
        })
    }
}

impl std::error::Error for EndError {}
