use std::io;
use std::net;

use compio::BufResult;
use compio::io::{AsyncReadExt, AsyncWriteExt};
use compio::net::TcpStream;

use super::chunk;
use crate::error::Error;
use crate::servers::compio_tasks;

pub(super) fn serve(listen: impl FnOnce() -> io::Result<net::TcpListener>) -> Result<(), Error> {
    compio_tasks::serve(listen, connection)
}

async fn connection(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut left = stream.read_u64().await?;
        while left > 0 {
            let BufResult(sent, bytes) = stream.write_all(chunk(left)).await;
            sent?;
            left -= bytes.len() as u64;
        }
    }
}
