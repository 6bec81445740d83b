use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use crate::servers::tokio_tasks;

pub(super) fn serve(listener: TcpListener, target: SocketAddr) -> io::Result<()> {
    tokio_tasks::serve(listener, move |stream| join(stream, target))
}

async fn join(mut stream: TcpStream, target: SocketAddr) -> io::Result<()> {
    let mut other = TcpStream::connect(target).await?;
    other.set_nodelay(true)?;
    copy_bidirectional(&mut stream, &mut other).await.map(drop)
}
