use std::io::ErrorKind;

use mio::net::TcpListener;
use mio::{Interest, Registry};

use super::IDLE;
use super::connections::Connections;

const MOST_CONNECTIONS: usize = 20_000;
/// Connections accepted between two polls.
const ACCEPTS: usize = 64;
/// Milliseconds until it is tried again where no descriptor was free.
const RETRY: u64 = 100;

/// The listener. It is told of newcomers once, so it remembers that there may be more.
pub(super) struct Door {
    listener: TcpListener,
    pub(super) pending: bool,
    retry: u64,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, pending: true, retry: 0 }
    }

    /// When there may be somebody to let in.
    pub(super) fn opens_at(&self, connections: &Connections) -> Option<u64> {
        (self.pending && connections.len() < MOST_CONNECTIONS).then_some(self.retry)
    }

    pub(super) fn open(&mut self, registry: &Registry, connections: &mut Connections, now: u64) {
        for _ in 0..ACCEPTS {
            if !self.pending || self.retry > now || connections.len() >= MOST_CONNECTIONS {
                return;
            }
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    let token = connections.next_token();
                    let both = Interest::READABLE | Interest::WRITABLE;
                    if registry.register(&mut stream, token, both).is_ok() {
                        connections.insert(stream, token, now + IDLE);
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.pending = false,
                    ErrorKind::Interrupted
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionReset => {}
                    _ => self.retry = now + RETRY,
                },
            }
        }
    }
}
