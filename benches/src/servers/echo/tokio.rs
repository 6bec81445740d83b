use std::io;
use std::net;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// What a task reads at once, in a buffer of its own.
const BUFFER: usize = 4096;

/// A task for each connection, all on one thread. There is no deadline.
pub(crate) fn serve(listener: net::TcpListener) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(accept(listener))
}

/// The same on several threads.
pub(crate) fn serve_on_threads(listener: net::TcpListener, threads: usize) -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async { tokio::spawn(accept(listener)).await? })
}

async fn accept(listener: net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(talk(stream))),
            // No descriptor is free, or the client has gone already.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn talk(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}
