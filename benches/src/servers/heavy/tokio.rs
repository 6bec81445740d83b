use std::io;
use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::compute;
use crate::load::echo::REQUEST;
use crate::servers::tasks;

/// On so many threads, which steal from each other.
pub(super) fn serve(listener: TcpListener, threads: usize) -> io::Result<()> {
    tasks::serve_on_threads(listener, threads, serve_one)
}

async fn serve_one(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; REQUEST];
    loop {
        stream.read_exact(&mut request).await?;
        compute(&request);
        stream.write_all(&request).await?;
    }
}
