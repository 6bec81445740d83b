//! What the example servers share.

#![forbid(unsafe_code)]

pub mod http;
mod log;
mod serving;

pub use log::Flush;
pub use serving::{Serving, count, time};
