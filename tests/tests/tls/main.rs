//! The examples with TLS, driven by clients that others have written.

#![cfg(unix)]

mod authority;
mod docserver;
mod kv;
mod openssl;
mod proxy;
mod refused;
mod reload;
mod stream;

use authority::{Authority, Identity};
use stream::Stream;
