//! TLS between a connection and its socket (E1 to E4).

mod config;
mod facts;
mod layered;
mod records;
mod session;

pub use config::{TlsClient, TlsServer};
pub(crate) use config::{TlsRole, TlsSettings};
pub use facts::TlsSession;
pub(crate) use layered::{Layered, Tls};
