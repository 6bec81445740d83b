use std::io;
use std::net;
use std::time::Duration;

use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;

use crate::Error;

/// A task for each connection on one thread with an `io_uring`. There is no deadline.
pub(crate) fn serve<F>(
    listen: impl FnOnce() -> io::Result<net::TcpListener>,
    connection: impl Fn(TcpStream) -> F,
) -> Result<(), Error>
where
    F: Future<Output = io::Result<()>> + 'static,
{
    let runtime = Runtime::new()
        .map_err(|error| Error::missing(format!("the system has no io_uring for us: {error}")))?;
    Ok(runtime.block_on(accept(listen()?, connection))?)
}

async fn accept<F>(
    listener: net::TcpListener,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + 'static,
{
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            // A connection that fails is over, and no other knows of it.
            Ok((stream, _)) => compio::runtime::spawn(connection(stream)).detach(),
            // No descriptor is free, or the client has gone already.
            Err(_) => compio::runtime::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
