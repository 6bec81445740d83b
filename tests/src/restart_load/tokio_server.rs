use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Server;
use super::protocol::Protocol;

/// The argument with which this program is the server.
const SERVES: &str = "serve-with-tokio";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\na small document";
const LAST_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\na small document";

/// Processes of a server on tokio, which have a listener from this one, as from a service manager.
pub(super) struct TokioServer {
    listener: TcpListener,
    process: Child,
    /// The process drains when it is closed.
    lives: Option<ChildStdin>,
}

impl TokioServer {
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (process, lives) = start_one(&listener)?;
        Ok(Self { listener, process, lives })
    }
}

fn start_one(listener: &TcpListener) -> io::Result<(Child, Option<ChildStdin>)> {
    let mut command = Command::new(env::current_exe()?);
    let listener = OwnedFd::from(listener.try_clone()?);
    command.arg(SERVES).stdin(Stdio::piped()).stdout(Stdio::from(listener)).stderr(Stdio::piped());
    let mut process = command.spawn()?;
    let mut ready = [0];
    process.stderr.take().ok_or(io::ErrorKind::NotFound)?.read_exact(&mut ready)?;
    let lives = process.stdin.take();
    Ok((process, lives))
}

impl Server for TokioServer {
    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it listens")
    }

    fn protocol(&self) -> Protocol {
        Protocol::Http("/")
    }

    fn restart(&mut self) -> io::Result<()> {
        let (new, lives) = start_one(&self.listener)?;
        let mut old = std::mem::replace(&mut self.process, new);
        drop(std::mem::replace(&mut self.lives, lives));
        old.wait().map(drop)
    }
}

impl Drop for TokioServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Is the server, if the first argument says so: it serves the listener that is its standard output until its
/// standard input ends. Then it accepts no more, answers what has been asked, and closes the connections at rest, as
/// servers on tokio do that shut down gracefully. Returns whether it was the server.
///
/// # Errors
///
/// Returns the error of the listener.
pub fn serve() -> io::Result<bool> {
    if env::args().nth(1).as_deref() != Some(SERVES) {
        return Ok(false);
    }
    let listener = TcpListener::from(io::stdout().as_fd().try_clone_to_owned()?);
    listener.set_nonblocking(true)?;
    let (drain, drains) = watch::channel(false);
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = drain.send(true);
    });
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_io().build()?.block_on(accept(listener, drains))?;
    Ok(true)
}

async fn accept(listener: TcpListener, mut drains: watch::Receiver<bool>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    // A byte, which says that it is ready.
    io::stderr().write_all(b".")?;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = drains.changed() => break,
        };
        connections.spawn(answer(accepted.0, drains.clone()));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// Answers requests. An error ends the connection.
async fn answer(mut stream: TcpStream, mut drains: watch::Receiver<bool>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::new();
    loop {
        while let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = input.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let is_last = *drains.borrow() || head.contains("connection: close");
            stream.write_all(if is_last { LAST_ANSWER } else { ANSWER }).await?;
            if is_last {
                return stream.shutdown().await;
            }
        }
        tokio::select! {
            read = stream.read_buf(&mut input) => if read? == 0 { return Ok(()) },
            _ = drains.changed() => if input.is_empty() { return stream.shutdown().await },
        }
    }
}
