//! TLS between a connection and its socket (E1 to E4).

mod config;
mod facts;
mod layered;
mod session;

pub(crate) use config::TlsSettings;
pub use config::{TlsClient, TlsServer};
pub use facts::TlsSession;
pub(crate) use layered::{Layered, Tls};
