use std::io;
use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::compute;
use crate::servers::tokio_tasks;
use crate::workload::ECHO_BYTES;

/// Serves with `threads` worker threads, which steal tasks from each other.
pub(super) fn serve(listener: TcpListener, threads: usize) -> io::Result<()> {
    tokio_tasks::serve_on_threads(listener, threads, connection)
}

async fn connection(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; ECHO_BYTES];
    loop {
        stream.read_exact(&mut request).await?;
        compute(&request);
        stream.write_all(&request).await?;
    }
}
