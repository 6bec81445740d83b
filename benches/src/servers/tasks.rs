use std::io;
use std::net::TcpListener;

use tokio::net::TcpStream;
use tokio::runtime::Builder;

/// A task for each connection, all on this thread.
pub(crate) fn serve<F>(listener: TcpListener, connection: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    Builder::new_current_thread().enable_io().build()?.block_on(accept(listener, connection))
}

/// A task for each connection, on so many threads.
pub(crate) fn serve_threads<F>(
    listener: TcpListener,
    threads: usize,
    connection: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_io().build()?;
    runtime.block_on(accept(listener, connection))
}

async fn accept<F>(listener: TcpListener, connection: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // A connection that fails is over, and no other knows of it.
        drop(tokio::spawn(connection(stream)));
    }
}
