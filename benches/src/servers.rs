//! The servers that are measured, each in a process of its own.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use crate::{Error, Peer};

mod by_hand;
pub(crate) mod download;
pub(crate) mod echo;
mod heavy;
pub(crate) mod nginx;
mod pool;
pub(crate) mod redis;
pub(crate) mod resp;
mod rings;
pub(crate) mod shed;
mod tasks;
pub(crate) mod upload;

/// Connections that the system keeps waiting for a server: as many as a port asks for.
const BACKLOG: i32 = 4096;

/// Serves until SIGTERM ends this process.
pub(crate) fn serve(work: &str, peer: Peer, threads: usize) -> Result<(), Error> {
    match work {
        "download" => download::serve(peer, threads),
        "echo" => echo::serve(peer, threads),
        "heavy" => heavy::serve(peer, threads),
        "shed" => shed::serve(peer),
        "resp" => resp::serve(peer, threads),
        "upload" => upload::serve(peer, threads),
        _ => Err(Error::failed(format!("there is no work `{work}`"))),
    }
}

/// A listener, which it tells of.
fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // Accepted sockets inherit it: the same for all peers.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    announce(listener.local_addr()?)?;
    Ok(listener)
}

/// An address that nobody listens on, for a server that cannot choose one.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Tells the lab that clients can connect.
fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening {address}")?;
    out.flush()
}
