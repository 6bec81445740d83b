//! The loop around an embedded connection: this is all that an event loop has to do.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use fsm_runtime::embed::{Conn, Host};
use fsm_runtime::{Connection, Drive, Machine, Peer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for the last output.
const LINGER: Duration = Duration::from_secs(5);

/// Accepts clients, each with a task and a machine of its own.
pub(crate) async fn accept<M, H>(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    host: Host<M, H>,
    handler: fn() -> H,
) -> io::Result<()>
where
    M: Drive<H> + Machine<Kind = Connection, Seed = ()>,
    H: Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let start = Instant::now();
    loop {
        let (socket, address) = listener.accept().await?;
        let (acceptor, host) = (acceptor.clone(), host.clone());
        tokio::spawn(async move {
            let stream = acceptor.accept(socket).await?;
            let conn = host.open(Peer::Tcp(address), handler(), start.elapsed());
            serve(stream, conn, start).await
        });
    }
}

/// Moves the bytes of a connection until it has ended.
async fn serve<S, M, H>(stream: S, mut conn: Conn<M, H>, start: Instant) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite,
    M: Drive<H> + Machine<Kind = Connection>,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; 16 * 1024];
    // The part of the buffer that the machine has not taken.
    let mut unread = 0..0;
    let mut is_flushed = true;
    while conn.ended().is_none() {
        if !unread.is_empty() && conn.wants_input() {
            unread.start += conn.input(&buffer[unread.clone()], start.elapsed());
            continue;
        }
        let reads = unread.is_empty() && conn.wants_input();
        let due = conn.deadline().map(|due| start + due);
        let output = conn.output();
        let has_output = !is_flushed || !output.is_empty();
        let write = async {
            match output {
                // Bytes that a layer such as TLS has buffered go out behind the output.
                [] => writer.flush().await.map(|()| 0),
                _ => writer.write(output).await,
            }
        };
        tokio::select! {
            read = reader.read(&mut buffer), if reads => match read? {
                0 => conn.eof(start.elapsed()),
                bytes => unread = 0..bytes,
            },
            written = write, if has_output => {
                let written = written?;
                is_flushed = written == 0;
                conn.sent(written, start.elapsed());
            }
            () = sleep_until(due.unwrap_or(start)), if due.is_some() => conn.on_time(start.elapsed()),
        }
    }
    let (output, is_whole) = (conn.output(), !conn.is_aborted());
    let last = async {
        writer.write_all(output).await?;
        writer.flush().await?;
        // The end of the stream says that this was the whole.
        if is_whole { writer.shutdown().await } else { Ok(()) }
    };
    timeout(LINGER, last).await?
}
