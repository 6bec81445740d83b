use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::servers::tokio_tasks;

/// The most bytes of one read; each task has its own buffer.
const BUFFER: usize = 4096;

pub(super) fn serve(listener: TcpListener, config: ServerConfig) -> io::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio_tasks::serve(listener, move |stream| echo(acceptor.clone(), stream))
}

async fn echo(acceptor: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&buffer[..length]).await?;
        stream.flush().await?;
    }
}
