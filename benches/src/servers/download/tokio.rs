use std::io;
use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::chunk;
use crate::servers::tokio_tasks;

pub(super) fn serve(listener: TcpListener) -> io::Result<()> {
    tokio_tasks::serve(listener, connection)
}

pub(super) fn serve_on_threads(listener: TcpListener, threads: usize) -> io::Result<()> {
    tokio_tasks::serve_on_threads(listener, threads, connection)
}

async fn connection(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut left = stream.read_u64().await?;
        while left > 0 {
            let bytes = chunk(left);
            stream.write_all(bytes).await?;
            left -= bytes.len() as u64;
        }
    }
}
