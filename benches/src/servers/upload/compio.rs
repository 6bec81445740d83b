use std::io;
use std::net;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use compio::net::TcpStream;

use super::CHUNK;
use crate::error::Error;
use crate::servers::compio_tasks;

pub(super) fn serve(listen: impl FnOnce() -> io::Result<net::TcpListener>) -> Result<(), Error> {
    compio_tasks::serve(listen, connection)
}

async fn connection(mut stream: TcpStream) -> io::Result<()> {
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        let (mut left, mut taken) = (stream.read_u64().await?, 0);
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
            let BufResult(read, buffer) = stream.read(chunk.slice(..most)).await;
            let count = read? as u64;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            chunk = buffer.into_inner();
            chunk.clear();
            left -= count;
            taken += count;
        }
        stream.write_u64(taken).await?;
    }
}
