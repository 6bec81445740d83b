//! Modules that the examples share, and the client of `kv-client`.

#![forbid(unsafe_code)]

pub mod http;
pub mod kv_client;
mod log;
pub mod resp;
mod serving;
pub mod tls;

pub use log::Flush;
pub use serving::{Serving, count, port_or_address, time, time_up_to};
