use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

#[cfg(unix)]
pub(crate) use unix::Socket;
#[cfg(not(unix))]
pub(crate) use windows::Socket;

/// The address from which the system chooses one, and a port, to reach an address of this family.
fn any_port(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
