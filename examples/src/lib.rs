//! What the example servers share.

#![forbid(unsafe_code)]

mod serving;

pub use serving::{Serving, time};
