//! What the examples share, and the client of `kv-client`.

#![forbid(unsafe_code)]

pub mod http;
pub mod kv_client;
mod log;
pub mod resp;
mod serving;

pub use log::Flush;
pub use serving::{Serving, count, time, time_up_to};
