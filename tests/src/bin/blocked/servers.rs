use std::error::Error;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};

use crate::load::{BLOCK, SIZE};

/// A kind of server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unwatched,
    Watched,
    Declared,
    Shards,
    Tokio,
}

/// A running server; dropping it ends it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _runs: Runs,
}

enum Runs {
    Pool { _running: Running },
    Tokio { _runtime: Runtime },
}

/// Echoes requests of 8 bytes.
#[state_machine(start = Request, eof => Gone)]
enum Small {
    #[read(exact = 8, idle = 60s => Gone)]
    #[to(Request)]
    #[rest]
    Request,
    #[end]
    Gone,
}

struct Client {
    pause: Duration,
    declared: bool,
}

impl small::Handler for Client {
    fn request(&mut self, request: &[u8; SIZE], cx: &mut Cx<'_>) -> small::AfterRequest {
        if request[0] == BLOCK {
            if self.declared {
                cx.blocking(|| thread::sleep(self.pause));
            } else {
                thread::sleep(self.pause);
            }
        }
        cx.write(request);
        small::AfterRequest::Request
    }
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Unwatched, Self::Watched, Self::Declared, Self::Shards, Self::Tokio];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unwatched => "one port, 8 threads, cap 2, not watched",
            Self::Watched => "one port, 8 threads, cap 2, watched",
            Self::Declared => "one port, 8 threads, cap 2, declared",
            Self::Shards => "2 ports of 1 thread",
            Self::Tokio => "tokio, 2 workers",
        }
    }

    /// Starts a server whose handlers block for `pause`.
    pub(crate) fn start(self, pause: Duration) -> Result<Server, Box<dyn Error>> {
        if self == Self::Tokio {
            return tokio(pause);
        }
        let pool = Pool::builder::<Small>("small").listen("127.0.0.1:0");
        let pool = match self {
            Self::Shards => pool.shards(2),
            _ => pool.threads(8).max_running(2).watchdog(self != Self::Unwatched),
        };
        let declared = self == Self::Declared;
        let running = pool.handler(move |_| Client { pause, declared }).start()?;
        let Address::Tcp(address) = running.addresses()[0] else {
            return Err("a TCP address was asked for".into());
        };
        Ok(Server { address, _runs: Runs::Pool { _running: running } })
    }
}

fn tokio(pause: Duration) -> Result<Server, Box<dyn Error>> {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_io().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // Ignore the error, because clients leave within a request.
                let _ = serve(stream, pause).await;
            });
        }
    });
    Ok(Server { address, _runs: Runs::Tokio { _runtime: runtime } })
}

async fn serve(mut stream: TcpStream, pause: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; SIZE];
    loop {
        stream.read_exact(&mut request).await?;
        if request[0] == BLOCK {
            thread::sleep(pause);
        }
        stream.write_all(&request).await?;
    }
}
