use std::io;

use crate::Peer;
use crate::call::semaphore::Permit;
use crate::net::listener::Listener;
use crate::net::socket::Socket;

/// How long to wait for a free descriptor before trying again, in milliseconds, where none of ours
/// is closed meanwhile.
const RETRY: u64 = 100;
/// Milliseconds between two warnings about that.
const QUIET: u64 = 60_000;
/// Linux's EPROTO, for which the standard library has no name.
const PROTOCOL_ERROR: Option<i32> = if cfg!(target_os = "linux") { Some(71) } else { None };

/// A listener, and whether connections may wait in its queue.
///
/// The poll tells of new connections once. So the acceptor remembers that there may be more until
/// `accept` says `WouldBlock`, also while no descriptor is free: no event would tell of them again.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) listener: Listener,
    /// There may be connections to accept.
    pub(crate) pending: bool,
    /// No descriptor was free; the time to try again.
    retry: Option<u64>,
    /// How many more connections it accepts.
    left: usize,
    /// The time of the last warning about that.
    warned: Option<u64>,
}

/// The result of trying to accept.
#[derive(Debug)]
pub(crate) enum Accepted {
    Connection(Socket, Peer),
    /// There is none now.
    Empty,
    /// The system cannot give us one now. It is worth a `warning` if there was none lately.
    Failed {
        error: io::Error,
        warning: bool,
    },
}

impl Acceptor {
    pub(crate) fn new(listener: Listener) -> Self {
        Self { listener, pending: true, retry: None, left: usize::MAX, warned: None }
    }

    /// Whether accepting makes sense now.
    pub(crate) fn ready(&self, now: u64) -> bool {
        self.goes_on() && self.retry.is_none_or(|at| at <= now)
    }

    /// From now on it accepts only the connections that wait already, which are at most `backlog`.
    pub(crate) fn finish(&mut self, backlog: usize) {
        self.pending = true;
        self.left = backlog;
    }

    /// Whether there may be a connection that it is to accept.
    pub(crate) fn goes_on(&self) -> bool {
        self.pending && self.left > 0
    }

    /// When it makes sense again.
    pub(crate) fn retry_at(&self) -> Option<u64> {
        self.retry.filter(|_| self.pending)
    }

    /// A descriptor was closed: there is room.
    pub(crate) fn descriptor_freed(&mut self) {
        if self.retry.is_some() {
            self.retry = Some(0);
        }
    }

    pub(crate) fn accept(&mut self, now: u64) -> Accepted {
        loop {
            match self.listener.accept() {
                Ok((socket, peer)) => {
                    self.retry = None;
                    self.left -= 1;
                    return Accepted::Connection(socket, peer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pending = false;
                    return Accepted::Empty;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.retry = Some(now.saturating_add(RETRY));
                    let warning = self.warned.is_none_or(|at| at.saturating_add(QUIET) <= now);
                    if warning {
                        self.warned = Some(now);
                    }
                    return Accepted::Failed { error, warning };
                }
            }
        }
    }
}

/// Makes connections of the sockets that a listener has accepted.
pub(crate) trait Accept: Send {
    /// Takes a socket that the port `shard` has accepted at `now`, with a permit for it.
    fn accepted(&mut self, socket: Socket, peer: Peer, permit: Permit, shard: usize, now: u64);
}

/// Whether the error is about the connection that would have been accepted: the next one may be
/// well.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable,
    };
    matches!(
        error.kind(),
        Interrupted | ConnectionAborted | ConnectionReset | HostUnreachable | NetworkUnreachable
    ) || (error.raw_os_error().is_some() && error.raw_os_error() == PROTOCOL_ERROR)
}
