use std::collections::VecDeque;
use std::sync::Arc;

use crate::Key;
use crate::call::semaphore::{NoPermit, Permit, Semaphore};
use crate::driver::acceptor::Accept;
use crate::net::datagram::{Buffers, DatagramPeer, DatagramSocket, Offered, SessionAddresses};
use crate::stats::Counters;

/// The most system calls that receive from a socket after a poll, so that a flood does not hold up the turns of
/// sessions (X4).
const MAX_CALLS: usize = 4;
/// The most of them after a drain has begun, for datagrams that wait already.
const LAST_CALLS: usize = 256;
/// The least number of milliseconds between two warnings.
const QUIET: u64 = 60_000;

/// Receives the datagrams of a port, and gives them to the sessions of their peers (D1, D2).
pub(crate) struct Receiver {
    pool: String,
    sockets: Vec<ReceivingSocket>,
    buffers: Buffers,
    permits: Arc<Semaphore>,
    counters: Arc<Counters>,
    /// The largest datagram that the machine reads.
    max: usize,
    /// The sessions that have something to read, once the sockets were looked at after this poll.
    sessions: Option<VecDeque<Key>>,
    /// The peers whose first turn is to come.
    new: Vec<(DatagramPeer, Permit)>,
    /// The number of system calls that may still bring new peers, once a drain has begun.
    quota: Option<usize>,
    /// It begins no more sessions.
    has_finished: bool,
    /// The time of the last warning.
    warned: Option<u64>,
    /// Datagrams of new peers have found the pool at its limit since the last poll.
    is_full: bool,
}

/// The parts that a receiver is made of.
pub(crate) struct ReceiverSettings {
    pub(crate) pool: String,
    pub(crate) sockets: Vec<DatagramSocket>,
    pub(crate) max: usize,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) counters: Arc<Counters>,
}

/// A socket, and whether datagrams may wait in its queue.
struct ReceivingSocket {
    socket: Arc<DatagramSocket>,
    pending: bool,
}

impl Receiver {
    pub(crate) fn new(parts: ReceiverSettings) -> Self {
        let ReceiverSettings { pool, sockets, max, permits, counters } = parts;
        let sockets = sockets
            .into_iter()
            .map(|socket| ReceivingSocket { socket: Arc::new(socket), pending: true })
            .collect();
        Self {
            pool,
            sockets,
            buffers: Buffers::new(),
            permits,
            counters,
            max,
            sessions: None,
            new: Vec::new(),
            quota: None,
            has_finished: false,
            warned: None,
            is_full: false,
        }
    }

    /// Notes an event of the socket with this index.
    pub(crate) fn event(&mut self, index: usize) {
        if let Some(socket) = self.sockets.get_mut(index) {
            socket.pending = true;
        }
    }

    /// Whether something is to be done without an event.
    pub(crate) fn is_ready(&self) -> bool {
        self.sockets.iter().any(|incoming| incoming.pending || incoming.socket.has_orphans())
    }

    /// Receives what waits after a poll, and returns the sessions that have something to read, one after the
    /// other.
    pub(crate) fn next_session(&mut self) -> Option<Key> {
        let mut sessions = self.sessions.take().unwrap_or_else(|| self.receive());
        let next = sessions.pop_front()?;
        self.sessions = Some(sessions);
        Some(next)
    }

    fn receive(&mut self) -> VecDeque<Key> {
        let mut sessions = VecDeque::new();
        for index in 0..self.sockets.len() {
            self.resume(index);
            for _ in 0..MAX_CALLS {
                if !self.sockets[index].pending {
                    break;
                }
                self.receive_once(index, &mut sessions);
                self.quota = self.quota.map(|quota| quota.saturating_sub(1));
            }
        }
        sessions
    }

    fn receive_once(&mut self, index: usize, sessions: &mut VecDeque<Key>) {
        let ReceivingSocket { socket, pending } = &mut self.sockets[index];
        let socket = Arc::clone(socket);
        let (new, permits, counters) = (&mut self.new, &self.permits, &self.counters);
        let (max, takes_new) = (self.max, self.quota != Some(0) && !self.has_finished);
        let is_full = &mut self.is_full;
        let mut each = |ends: SessionAddresses, datagram: &[u8]| {
            let fits = !datagram.is_empty() && datagram.len() <= max;
            let offered = if fits { socket.offer(&ends, datagram) } else { Offered::Dropped };
            match offered {
                Offered::Queued(key) => return sessions.push_back(key),
                Offered::Waits => return,
                Offered::Unknown if takes_new => match permits.try_acquire() {
                    Ok(permit) => {
                        return new.push((DatagramPeer::begin(&socket, ends, datagram), permit));
                    }
                    Err(NoPermit::Full) => *is_full = true,
                    Err(NoPermit::Closed) => {}
                },
                Offered::Dropped | Offered::Unknown => {}
            }
            counters.datagrams_dropped(1);
        };
        *pending = match socket.receive(&mut self.buffers, &mut each) {
            Ok(more) => more,
            // An error of one peer, such as a port that is closed on its side.
            Err(error) => {
                let blocked = error.kind() == std::io::ErrorKind::WouldBlock;
                if !blocked {
                    crate::log::debug!(pool = self.pool, %error, "cannot receive a datagram");
                }
                !blocked
            }
        };
    }

    /// Begins sessions with what others have left.
    fn resume(&mut self, index: usize) {
        let socket = &self.sockets[index].socket;
        for ends in socket.take_orphans() {
            match self.permits.try_acquire() {
                Ok(permit) => {
                    self.new.extend(DatagramPeer::resume(socket, ends).map(|peer| (peer, permit)));
                }
                Err(_) => drop(DatagramPeer::resume(socket, ends)),
            }
        }
    }

    /// Begins the sessions of new peers.
    pub(crate) fn accept(&mut self, accept: &mut dyn Accept, shard: usize, now: u64) {
        for (peer, permit) in self.new.drain(..) {
            accept.received(peer, permit, shard, now);
        }
        let is_full = std::mem::take(&mut self.is_full);
        if is_full && self.warned.is_none_or(|at| at.saturating_add(QUIET) <= now) {
            self.warned = Some(now);
            crate::log::warn!(
                pool = self.pool,
                connections = self.permits.out(),
                "at the limit of connections; datagrams of others are dropped"
            );
        }
    }

    /// Limits it to the peers that it knows, and those whose datagrams wait already.
    pub(crate) fn finish(&mut self) {
        self.quota = Some(LAST_CALLS);
        self.sockets.iter_mut().for_each(|incoming| incoming.pending = true);
    }

    /// Whether it begins no more sessions since this call.
    pub(crate) fn has_just_finished(&mut self) -> bool {
        let may_begin =
            self.quota != Some(0) && self.sockets.iter().any(|incoming| incoming.pending);
        !may_begin && !std::mem::replace(&mut self.has_finished, true)
    }
}
