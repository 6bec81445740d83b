use std::io;

use crate::call::semaphore::Permit;
use crate::net::datagram::DatagramPeer;
use crate::net::listener::{Accepted, Listener};

/// Milliseconds between two attempts to accept without a free descriptor, if none of the process is
/// closed meanwhile.
pub(super) const RETRY: u64 = 100;
/// The least number of milliseconds between two warnings about it.
pub(super) const QUIET: u64 = 60_000;
/// Linux's EPROTO, for which the standard library has no name.
const PROTOCOL_ERROR: Option<i32> = if cfg!(target_os = "linux") { Some(71) } else { None };

/// A listener, and whether connections may wait in its queue.
///
/// The poll reports new connections once. So the acceptor remembers that there may be more until
/// `accept` returns `WouldBlock`, also while no descriptor is free, because no event comes again.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) listener: Listener,
    /// Connections may wait to be accepted.
    pub(crate) pending: bool,
    /// The time of the next attempt, if no descriptor was free at the last one.
    retry: Option<u64>,
    /// The number of connections that it still accepts.
    quota: usize,
    /// The time of the last warning about a failed `accept`.
    warned: Option<u64>,
    /// A connection that is accepted, and waits for the place of one that ends.
    held: Option<Accepted>,
}

/// The result of trying to accept.
#[derive(Debug)]
pub(crate) enum Attempt {
    Connection(Accepted),
    /// No connection waits.
    Empty,
    /// The system cannot accept now. `warning` is true if there was no warning lately.
    Failed {
        error: io::Error,
        warning: bool,
    },
}

impl Acceptor {
    pub(crate) fn new(listener: Listener) -> Self {
        Self { listener, pending: true, retry: None, quota: usize::MAX, warned: None, held: None }
    }

    /// Whether an attempt to accept makes sense now.
    pub(crate) fn is_ready(&self, now: u64) -> bool {
        self.holds() || self.may_accept_more() && self.retry.is_none_or(|at| at <= now)
    }

    /// Whether it has accepted a connection that has no place yet.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Keeps a connection until it gets a place.
    pub(crate) fn hold(&mut self, accepted: Accepted) {
        self.held = Some(accepted);
    }

    /// The connection that has waited for a place.
    pub(crate) fn take_held(&mut self) -> Option<Accepted> {
        self.held.take()
    }

    /// Limits it to the connections that wait already, which are at most `backlog`.
    pub(crate) fn finish(&mut self, backlog: usize) {
        self.pending = true;
        self.quota = backlog;
    }

    /// Makes it accept no more, although connections may wait.
    pub(crate) fn give_up(&mut self) {
        (self.quota, self.retry) = (0, None);
    }

    /// Whether a connection may wait that it is to accept.
    pub(crate) fn may_accept_more(&self) -> bool {
        self.pending && self.quota > 0
    }

    /// Whether it has nothing to do any more in a drain.
    pub(crate) fn has_finished(&self) -> bool {
        !self.may_accept_more() && !self.holds()
    }

    /// The time of the next attempt, if no descriptor was free and connections may wait.
    pub(crate) fn retry_at(&self) -> Option<u64> {
        self.retry.filter(|_| self.pending)
    }

    /// Makes it try again at once, because a descriptor was closed.
    pub(crate) fn descriptor_freed(&mut self) {
        if self.retry.is_some() {
            self.retry = Some(0);
        }
    }

    pub(crate) fn accept(&mut self, now: u64) -> Attempt {
        loop {
            match self.listener.accept() {
                Ok(accepted) => {
                    self.retry = None;
                    self.quota -= 1;
                    return Attempt::Connection(accepted);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pending = false;
                    return Attempt::Empty;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => return self.failed(error, now),
            }
        }
    }

    /// Tries again later.
    pub(crate) fn failed(&mut self, error: io::Error, now: u64) -> Attempt {
        self.retry = Some(now.saturating_add(RETRY));
        let warning = self.warned.is_none_or(|at| at.saturating_add(QUIET) <= now);
        if warning {
            self.warned = Some(now);
        }
        Attempt::Failed { error, warning }
    }
}

/// Makes connections of the sockets that a port has accepted or opened.
pub(crate) trait Accept: Send {
    /// Makes a connection of what the port `shard` has accepted or opened at `now`, with a permit for it.
    fn accepted(&mut self, accepted: Accepted, permit: Permit, shard: usize, now: u64);
    /// Makes a session of a peer that has sent its first datagram to the port `shard`.
    fn received(&mut self, peer: DatagramPeer, permit: Permit, shard: usize, now: u64);
}

/// Whether the error concerns only the connection at the head of the queue, so that the next one can
/// be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable,
    };
    matches!(
        error.kind(),
        Interrupted | ConnectionAborted | ConnectionReset | HostUnreachable | NetworkUnreachable
    ) || (error.raw_os_error().is_some() && error.raw_os_error() == PROTOCOL_ERROR)
}
