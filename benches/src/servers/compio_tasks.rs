use std::io;
use std::net;
use std::time::Duration;

use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;

use crate::error::Error;

/// Serves with one task per connection, on one thread with an `io_uring`, without deadlines.
pub(super) fn serve<F>(
    listen: impl FnOnce() -> io::Result<net::TcpListener>,
    connection: impl Fn(TcpStream) -> F,
) -> Result<(), Error>
where
    F: Future<Output = io::Result<()>> + 'static,
{
    let runtime = Runtime::new()
        .map_err(|error| Error::missing(format!("io_uring is not available: {error}")))?;
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
            // An error ends only its own connection.
            Ok((stream, _)) => compio::runtime::spawn(connection(stream)).detach(),
            // The process has no free descriptor, or the client has already left.
            Err(_) => compio::runtime::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
