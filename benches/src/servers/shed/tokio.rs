use std::io;
use std::net;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use crate::servers::heavy::compute;
use crate::workload::{ECHO_BYTES, REFUSAL, SHED_CAPACITY};

/// A request with the sender of its answer.
struct Job {
    request: [u8; ECHO_BYTES],
    reply: oneshot::Sender<[u8; ECHO_BYTES]>,
}

/// Serves with tasks on one thread, which send jobs to a second thread through a bounded channel.
pub(super) fn serve(listener: net::TcpListener) -> io::Result<()> {
    let (jobs, mut queue) = mpsc::channel::<Job>(SHED_CAPACITY);
    std::thread::spawn(move || {
        while let Some(Job { request, reply }) = queue.blocking_recv() {
            compute(&request);
            // The client may have left in the meantime.
            let _ = reply.send(request);
        }
    });
    Builder::new_current_thread().enable_all().build()?.block_on(accept(listener, jobs))
}

async fn accept(listener: net::TcpListener, jobs: mpsc::Sender<Job>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, jobs.clone()))),
            // The process has no free descriptor, or the client has already left.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(mut stream: TcpStream, jobs: mpsc::Sender<Job>) -> io::Result<()> {
    let mut request = [0; ECHO_BYTES];
    loop {
        stream.read_exact(&mut request).await?;
        let (reply, answer) = oneshot::channel();
        let answer = match jobs.try_send(Job { request, reply }) {
            Ok(()) => answer.await.map_err(io::Error::other)?,
            Err(_) => REFUSAL,
        };
        stream.write_all(&answer).await?;
    }
}
