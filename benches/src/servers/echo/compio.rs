use std::io;
use std::net;
use std::time::Duration;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::Runtime;

use crate::Error;

/// What a task reads at once, in a buffer of its own.
const BUFFER: usize = 4096;

/// A task for each connection on one thread with an `io_uring`. There is no deadline.
pub(crate) fn serve(listen: impl FnOnce() -> io::Result<net::TcpListener>) -> Result<(), Error> {
    let runtime = Runtime::new()
        .map_err(|error| Error::missing(format!("the system has no io_uring for us: {error}")))?;
    Ok(runtime.block_on(accept(listen()?))?)
}

async fn accept(listener: net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => compio::runtime::spawn(talk(stream)).detach(),
            // No descriptor is free, or the client has gone already.
            Err(_) => compio::runtime::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn talk(mut stream: TcpStream) -> io::Result<()> {
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
