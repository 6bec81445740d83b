use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll};

use crate::acceptor::{Accepted, Acceptor};
use crate::clock::Clock;
use crate::handle::{Control, Order};
use crate::link::Ready;
use crate::port::Port;
use crate::signals::Signals;
use crate::socket::Socket;
use crate::{Drive, Machine, Peer, PoolError, token};

/// Connections accepted between two polls, of each listener: a flood of them must not keep others
/// waiting (X4).
const ACCEPTS: usize = 64;
/// The largest buffer of events. It starts small and doubles when a poll fills it, so that quiet
/// sockets are not kept waiting behind busy ones.
const MOST_EVENTS: usize = 4096;
/// Systems bound the time of a poll; waking up once an hour costs nothing.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// A port on one thread: a poll, and the connections and listeners that it tells of.
pub(crate) struct Reactor<M: Machine, H, F> {
    pub(crate) name: String,
    // Fields are dropped in this order: sockets before the poll that they are registered with.
    pub(crate) port: Port<M, H, Socket>,
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) signals: Option<Signals>,
    pub(crate) poll: Poll,
    pub(crate) make: F,
    pub(crate) control: Arc<Control>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) full: bool,
    /// When a drain that has begun ends at the latest.
    pub(crate) drained_by: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    /// Accepting goes on when there are this many or fewer.
    pub(crate) resume: usize,
    pub(crate) drain: Duration,
    /// The most connections that the system keeps waiting for a listener.
    pub(crate) backlog: usize,
}

impl<M: Drive<H> + Machine<Seed = ()>, H, F: FnMut(Peer) -> H> Reactor<M, H, F> {
    /// Serves until a drain is complete.
    pub(crate) fn run(mut self) -> Result<(), PoolError> {
        let mut events = Events::with_capacity(64);
        loop {
            self.obey();
            let clock = &mut self.clock;
            let sleepy = self.port.work(|| clock.moved());
            if self.port.take_closed() {
                self.connections_closed();
            }
            if self.drained_by.is_some() && self.port.len() == 0 && self.acceptors.is_empty() {
                tracing::info!(pool = self.name, stats = ?self.control.counters.snapshot(), "drained");
                return Ok(());
            }
            if let Some((now, instant)) = self.clock.moved() {
                self.port.at(now, instant);
            }
            let timeout = if sleepy { self.timeout() } else { Some(Duration::ZERO) };
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
                Err(error) => return Err(PoolError::io("poll for events")(error)),
            }
            let (now, instant) = self.clock.read();
            self.port.at(now, instant);
            let mut count = 0;
            for event in &events {
                count += 1;
                self.event(event);
            }
            self.accept();
            self.port.polled();
            if count == events.capacity() && count < MOST_EVENTS {
                events = Events::with_capacity(count * 2);
            }
        }
    }

    #[inline]
    fn event(&mut self, event: &Event) {
        let token = event.token();
        if let Some(index) = token::as_listener(token) {
            if let Some(acceptor) = self.acceptors.get_mut(index) {
                acceptor.pending = true;
            }
        } else if token == token::SIGNALS {
            if self.signals.as_ref().is_some_and(Signals::received) {
                tracing::info!(pool = self.name, "draining; another signal ends the process");
                self.control.give(Order::Drain);
            }
        } else if token != token::WAKER {
            self.port.event(token::to_key(token), readiness(event));
        }
    }

    /// Accepts as many connections as there is room for.
    fn accept(&mut self) {
        for index in 0..self.acceptors.len() {
            for _ in 0..ACCEPTS {
                if self.full || !self.acceptors[index].ready(self.port.now()) {
                    break;
                }
                match self.acceptors[index].accept(self.port.now()) {
                    Accepted::Connection(socket, peer) => self.open(socket, peer),
                    Accepted::Empty => {}
                    Accepted::Failed { error, warning } => self.accept_failed(&error, warning),
                }
            }
        }
        if self.drained_by.is_some() {
            // Those that the system had accepted for us have been taken: now nobody else.
            self.acceptors.retain(Acceptor::goes_on);
        }
    }

    fn open(&mut self, socket: Socket, peer: Peer) {
        let (make, registry) = (&mut self.make, self.poll.registry());
        let register = |socket: &mut Socket, key| socket.register(registry, token::from_key(key));
        if let Err(error) = self.port.open(socket, (), || make(peer), register) {
            tracing::warn!(pool = self.name, %peer, %error, "a connection is lost");
        }
        if self.port.len() >= self.limits.connections {
            self.full = true;
            tracing::warn!(
                pool = self.name,
                connections = self.port.len(),
                "at the limit of connections; new ones wait in the backlog"
            );
        }
    }

    fn accept_failed(&self, error: &io::Error, warning: bool) {
        self.control.counters.accept_failed();
        if warning {
            tracing::warn!(
                pool = self.name,
                %error,
                connections = self.port.len(),
                "cannot accept; new connections wait in the backlog"
            );
        }
    }

    /// There is room for new connections again.
    fn connections_closed(&mut self) {
        if self.full && self.port.len() <= self.limits.resume {
            self.full = false;
            tracing::info!(pool = self.name, connections = self.port.len(), "accepting again");
        }
        for acceptor in &mut self.acceptors {
            acceptor.descriptor_freed();
        }
    }

    /// Does what the pool's handles say.
    fn obey(&mut self) {
        match self.control.order() {
            Order::Run => {}
            Order::Drain if self.drained_by.is_none() => {
                let patience = u64::try_from(self.limits.drain.as_millis()).unwrap_or(u64::MAX);
                self.drained_by = Some(self.port.now().saturating_add(patience));
                for acceptor in &mut self.acceptors {
                    acceptor.finish(self.limits.backlog);
                }
                self.port.drain();
            }
            Order::Drain => {
                if self.drained_by.is_some_and(|by| by <= self.port.now()) {
                    let open = self.port.len();
                    tracing::warn!(pool = self.name, open, "the drain time is over; closing");
                    self.acceptors.clear();
                    self.port.close_all();
                }
            }
            Order::Close => {
                self.drained_by = Some(self.port.now());
                self.acceptors.clear();
                self.port.close_all();
            }
        }
    }

    /// How long the poll may sleep.
    fn timeout(&self) -> Option<Duration> {
        let accepts = self.acceptors.iter().filter(|_| !self.full).filter_map(|acceptor| {
            let ready = acceptor.ready(self.port.now()).then_some(0);
            ready.or_else(|| acceptor.retry_at())
        });
        let drain = self.drained_by.filter(|_| self.control.order() == Order::Drain);
        let due = self.port.next_deadline().into_iter().chain(drain).chain(accepts);
        let now = self.port.now();
        due.min().map(|at| Duration::from_millis(at.saturating_sub(now)).min(LONGEST_SLEEP))
    }
}

#[inline]
fn readiness(event: &Event) -> Ready {
    let mut ready = Ready::NONE;
    // An error or a hang-up is found out by reading and writing.
    if event.is_readable() || event.is_read_closed() || event.is_error() {
        ready = ready | Ready::READ;
    }
    if event.is_writable() || event.is_write_closed() || event.is_error() {
        ready = ready | Ready::WRITE;
    }
    if event.is_read_closed() || event.is_priority() {
        ready = ready | Ready::READ | Ready::DOUBT;
    }
    if event.is_read_closed() {
        ready = ready | Ready::HANGUP;
    }
    if event.is_error() {
        ready = ready | Ready::DOUBT | Ready::HANGUP | Ready::BROKEN;
    }
    ready
}
