#[cfg(feature = "pool")]
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(not(feature = "pool"))]
mod none;
#[cfg(all(feature = "pool", unix))]
mod unix;
#[cfg(all(feature = "pool", not(unix)))]
mod windows;

#[cfg(not(feature = "pool"))]
pub(crate) use none::Socket;
#[cfg(all(feature = "pool", unix))]
pub(crate) use unix::Socket;
#[cfg(all(feature = "pool", not(unix)))]
pub(crate) use windows::Socket;

/// The address from which the system chooses one, and a port, to reach an address of this family.
#[cfg(feature = "pool")]
fn any_port(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
