use std::io;
use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::servers::tokio_tasks;

/// The most bytes of one read; each task has its own buffer.
const BUFFER: usize = 4096;

pub(super) fn serve(listener: TcpListener) -> io::Result<()> {
    tokio_tasks::serve(listener, echo)
}

pub(super) fn serve_on_threads(listener: TcpListener, threads: usize) -> io::Result<()> {
    tokio_tasks::serve_on_threads(listener, threads, echo)
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}
