use std::io;
use std::net::TcpListener;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::CHUNK;
use crate::servers::tokio_tasks;

pub(super) fn serve(listener: TcpListener) -> io::Result<()> {
    tokio_tasks::serve(listener, connection)
}

pub(super) fn serve_on_threads(listener: TcpListener, threads: usize) -> io::Result<()> {
    tokio_tasks::serve_on_threads(listener, threads, connection)
}

async fn connection(stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(CHUNK, stream);
    loop {
        let (mut left, mut taken) = (stream.read_u64().await?, 0);
        while left > 0 {
            let chunk = stream.fill_buf().await?.len();
            if chunk == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(chunk);
            stream.consume(count);
            left -= count as u64;
            taken += count as u64;
        }
        stream.write_u64(taken).await?;
    }
}
