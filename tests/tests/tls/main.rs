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

use std::net::SocketAddr;

use fsm_tests::{Server, eventually};

use authority::{Authority, Identity};
use stream::Stream;

/// Both addresses of a server with two.
fn addresses(server: &Server) -> [SocketAddr; 2] {
    eventually("both addresses are logged", || server.addresses().len() == 2);
    server.addresses().try_into().expect("there are two")
}
