//! TLS between a connection and its socket (E1 to E4, E11 to E13).

mod config;
mod facts;
mod records;
mod session;

pub(crate) use config::{Begins, TlsRole, TlsSettings};
pub use config::{TlsClient, TlsServer};
pub use facts::TlsSession;
pub(crate) use session::RustlsSession;

use crate::net::layered::LayeredStream;

/// A stream that is plain at first, or for good, and encrypted once TLS has begun.
pub(crate) type TlsStream<S> = LayeredStream<S, RustlsSession>;
