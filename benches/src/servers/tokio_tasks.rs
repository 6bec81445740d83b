use std::io;
use std::net;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// Serves with one task per connection, all on this thread, without deadlines.
pub(super) fn serve<F>(
    listener: net::TcpListener,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    Builder::new_current_thread().enable_all().build()?.block_on(accept(listener, connection))
}

/// The same with several worker threads.
pub(super) fn serve_on_threads<F>(
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
            // An error ends only its own connection.
            Ok((stream, _)) => drop(tokio::spawn(connection(stream))),
            // The process has no free descriptor, or the client has already left.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
