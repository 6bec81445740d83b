use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Sender};

use crate::servers::tokio_tasks;
use crate::workload::ROOM_BYTES;

/// Lines that a slow member may be behind.
const CAPACITY: usize = 1024;

/// A line with the number of its speaker.
type Line = Arc<(u64, [u8; ROOM_BYTES])>;

/// Serves with a task for each member, which selects over its socket and a broadcast channel.
pub(super) fn serve(listener: TcpListener) -> io::Result<()> {
    let (lines, _) = broadcast::channel(CAPACITY);
    let numbers = AtomicU64::new(0);
    tokio_tasks::serve(listener, move |stream| {
        member(stream, lines.clone(), numbers.fetch_add(1, Ordering::Relaxed))
    })
}

async fn member(mut stream: TcpStream, lines: Sender<Line>, number: u64) -> io::Result<()> {
    let mut line = [0; ROOM_BYTES];
    stream.read_exact(&mut line).await?;
    let mut others = lines.subscribe();
    stream.write_all(&line).await?;
    let mut filled = 0;
    loop {
        tokio::select! {
            read = stream.read(&mut line[filled..]) => match read? {
                0 => return Ok(()),
                length => {
                    filled += length;
                    if filled == ROOM_BYTES {
                        filled = 0;
                        let _ = lines.send(Arc::new((number, line)));
                    }
                }
            },
            heard = others.recv() => match heard {
                Ok(heard) if heard.0 == number => {}
                Ok(heard) => stream.write_all(&heard.1).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
