use std::io::ErrorKind;

use mio::net::TcpListener;
use mio::{Interest, Registry};

use super::connections::Connections;

const MAX_CONNECTIONS: usize = 20_000;
/// The most connections accepted between two polls.
const ACCEPTS: usize = 64;
/// Milliseconds until the next attempt after an error, such as a lack of descriptors.
const RETRY: u64 = 100;

/// The listener.
///
/// Its events are edge-triggered, so it records that more clients may be waiting.
pub(super) struct Acceptor {
    listener: TcpListener,
    pub(super) pending: bool,
    /// The earliest time of the next attempt.
    retry: u64,
    /// Milliseconds from accepting a connection to its idle deadline.
    idle: u64,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, idle: u64) -> Self {
        Self { listener, pending: true, retry: 0, idle }
    }

    /// The earliest time at which a client can be accepted; `None` before the next event.
    pub(super) fn next_attempt(&self, connections: &Connections) -> Option<u64> {
        (self.pending && connections.len() < MAX_CONNECTIONS).then_some(self.retry)
    }

    /// Accepts clients up to the limits.
    pub(super) fn accept(&mut self, registry: &Registry, connections: &mut Connections, now: u64) {
        for _ in 0..ACCEPTS {
            if !self.pending || self.retry > now || connections.len() >= MAX_CONNECTIONS {
                return;
            }
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    let token = connections.next_token();
                    let both = Interest::READABLE | Interest::WRITABLE;
                    if registry.register(&mut stream, token, both).is_ok() {
                        connections.insert(stream, token, now + self.idle);
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
