use std::io;
use std::net;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::TcpStream;

use crate::error::Error;
use crate::servers::compio_tasks;

/// The most bytes of one read; each task has its own buffer.
const BUFFER: usize = 4096;

pub(super) fn serve(listen: impl FnOnce() -> io::Result<net::TcpListener>) -> Result<(), Error> {
    compio_tasks::serve(listen, echo)
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let BufResult(read, lent) = stream.read(buffer).await;
        let length = read?;
        if length == 0 {
            return Ok(());
        }
        let BufResult(written, lent) = stream.write_all(lent.slice(..length)).await;
        written?;
        buffer = lent.into_inner();
        buffer.clear();
    }
}
