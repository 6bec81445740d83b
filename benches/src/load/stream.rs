use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;

/// Connects a non-blocking stream without Nagle's algorithm.
///
/// The call blocks until the connection is established, so that a server's backlog never overflows.
pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}
