use std::io;
use std::net;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// A task for each connection, all on this thread. There is no deadline.
pub(crate) fn serve<F>(
    listener: net::TcpListener,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    Builder::new_current_thread().enable_all().build()?.block_on(accept(listener, connection))
}

/// The same on several threads.
pub(crate) fn serve_on_threads<F>(
    listener: net::TcpListener,
    threads: usize,
    connection: impl Fn(TcpStream) -> F + Send + 'static,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async { tokio::spawn(accept(listener, connection)).await? })
}

async fn accept<F>(
    listener: net::TcpListener,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            // A connection that fails is over, and no other knows of it.
            Ok((stream, _)) => drop(tokio::spawn(connection(stream))),
            // No descriptor is free, or the client has gone already.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
