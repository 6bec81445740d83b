//! Installed servers that the lab starts: Redis, nginx and `HAProxy`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

pub(crate) mod haproxy;
pub(crate) mod nginx;
pub(crate) mod redis;

/// A free address, for a server that cannot choose a port and print it.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
