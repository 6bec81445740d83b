use std::io;
use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::servers::tasks;

/// What a task reads at once, in a buffer of its own.
const BUFFER: usize = 4096;

pub(crate) fn serve(listener: TcpListener) -> io::Result<()> {
    tasks::serve(listener, talk)
}

pub(crate) fn serve_on_threads(listener: TcpListener, threads: usize) -> io::Result<()> {
    tasks::serve_on_threads(listener, threads, talk)
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
