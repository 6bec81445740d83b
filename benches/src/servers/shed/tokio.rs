use std::io;
use std::net;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use super::{BUSY, ROOM};
use crate::load::echo::REQUEST;
use crate::servers::heavy::compute;

/// A request, and where its answer goes.
type Job = ([u8; REQUEST], oneshot::Sender<[u8; REQUEST]>);

/// Tasks on one thread, which give what takes long to another one through a bounded channel.
pub(super) fn serve(listener: net::TcpListener) -> io::Result<()> {
    let (jobs, mut work) = mpsc::channel::<Job>(ROOM);
    std::thread::spawn(move || {
        while let Some((request, reply)) = work.blocking_recv() {
            compute(&request);
            // The client may have gone meanwhile.
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
            Ok((stream, _)) => drop(tokio::spawn(serve_one(stream, jobs.clone()))),
            // No descriptor is free, or the client has gone already.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve_one(mut stream: TcpStream, jobs: mpsc::Sender<Job>) -> io::Result<()> {
    let mut request = [0; REQUEST];
    loop {
        stream.read_exact(&mut request).await?;
        let (reply, answer) = oneshot::channel();
        let answer = match jobs.try_send((request, reply)) {
            Ok(()) => answer.await.map_err(io::Error::other)?,
            Err(_) => BUSY,
        };
        stream.write_all(&answer).await?;
    }
}
