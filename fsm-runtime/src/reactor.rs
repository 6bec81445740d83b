use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll};

use crate::acceptor::{Accepted, Acceptor};
use crate::clock::Clock;
use crate::control::Control;
use crate::credits::NoCredit;
use crate::floor::{Floor, Newcomer};
use crate::link::Ready;
use crate::port::Tells;
use crate::worker::{Drain, Waits};
use crate::{Drive, Key, Machine, PoolError, token};

/// Connections accepted between two polls, of each listener: a flood of them must not keep others
/// waiting (X4).
const ACCEPTS: usize = 64;
/// The largest buffer of events. It starts small and doubles when a poll fills it, so that quiet
/// sockets are not kept waiting behind busy ones.
const MOST_EVENTS: usize = 4096;
/// Systems bound the time of a poll; waking up once an hour costs nothing.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// The poll of a port with sockets, and its listeners: what the thread that polls has to itself.
pub(crate) struct Reactor<M: Machine, H> {
    pub(crate) floor: Arc<Floor<M, H>>,
    /// The number of the port.
    pub(crate) port: usize,
    // Listeners are dropped before the poll that they are registered with.
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    /// The number of events of the last poll.
    pub(crate) told: usize,
    pub(crate) control: Arc<Control>,
    pub(crate) drain: Drain,
    /// The most connections that the system keeps waiting for a listener.
    pub(crate) backlog: usize,
    /// Some listener waits for a free descriptor.
    pub(crate) starved: bool,
    /// What machines are started with whose connections come from the listeners.
    pub(crate) seed: Option<fn() -> M::Seed>,
}

impl<M: Drive<H>, H> Waits for Reactor<M, H> {
    fn wait(&mut self, until: u64, clock: &mut Clock) -> Result<(), PoolError> {
        let port = &self.floor.places[self.port];
        let (now, _) = clock.read();
        if self.drain.begins(&self.control, now) {
            for acceptor in &mut self.acceptors {
                acceptor.finish(self.backlog);
            }
            port.drain();
            if self.acceptors.is_empty() {
                self.control.close_if_drained();
            }
        }
        if self.starved && !self.control.is_starved() {
            self.starved = false;
            for acceptor in &mut self.acceptors {
                acceptor.descriptor_freed();
            }
        }
        let timeout = self.timeout(until, now);
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(PoolError::io("poll for events")(error)),
        }
        self.told = 0;
        Ok(())
    }

    fn take_up(&mut self, now: u64) {
        if self.told == self.events.capacity() && self.told < MOST_EVENTS {
            self.events = Events::with_capacity(self.told * 2);
        }
        self.accept(now);
    }
}

impl<M: Drive<H>, H> Tells for Reactor<M, H> {
    #[inline]
    fn events(&mut self, from: &mut usize, mut told: impl FnMut(Key, Ready)) {
        for event in self.events.iter().skip(*from) {
            *from += 1;
            let token = event.token();
            if token.0 <= token::LAST_KEY {
                told(token::to_key(token), readiness(event));
            } else if let Some(index) = token::as_listener(token) {
                if let Some(acceptor) = self.acceptors.get_mut(index) {
                    acceptor.pending = true;
                }
            }
        }
        self.told = *from;
    }
}

impl<M: Drive<H>, H> Reactor<M, H> {
    /// Accepts as many connections as there is room for.
    fn accept(&mut self, now: u64) {
        let Some(seed) = self.seed.filter(|_| !self.acceptors.is_empty()) else { return };
        for index in 0..self.acceptors.len() {
            for _ in 0..ACCEPTS {
                if self.control.is_full() || !self.acceptors[index].ready(now) {
                    break;
                }
                let credit = match self.control.credits.draw() {
                    Ok(credit) => credit,
                    Err(NoCredit::Full) => {
                        self.pause();
                        break;
                    }
                    Err(NoCredit::Closed) => return,
                };
                match self.acceptors[index].accept(now) {
                    Accepted::Connection(socket, peer) => {
                        let newcomer = Newcomer::accepted(socket, peer, seed(), credit);
                        self.floor.open(newcomer, Some(self.port), now);
                    }
                    Accepted::Empty => {}
                    Accepted::Failed { error, warning } => self.accept_failed(&error, warning),
                }
            }
        }
        if self.drain.has_begun() {
            // Those that the system had accepted for us have been taken: now nobody else.
            self.acceptors.retain(Acceptor::goes_on);
            if self.acceptors.is_empty() {
                self.control.accepted_all();
                self.control.close_if_drained();
            }
        }
    }

    fn pause(&self) {
        if self.control.pause() {
            tracing::warn!(
                pool = self.floor.name,
                connections = self.control.credits.out(),
                "at the limit of connections; new ones wait in the backlog"
            );
        }
    }

    fn accept_failed(&mut self, error: &io::Error, warning: bool) {
        self.starved = true;
        self.control.starve();
        self.control.counters.accept_failed();
        if warning {
            tracing::warn!(
                pool = self.floor.name,
                %error,
                connections = self.control.credits.out(),
                "cannot accept; new connections wait in the backlog"
            );
        }
    }

    /// How long the poll may sleep.
    fn timeout(&self, until: u64, now: u64) -> Option<Duration> {
        if until == 0 {
            return Some(Duration::ZERO);
        }
        let full = self.control.is_full();
        let accepts = self.acceptors.iter().filter(|_| !full).filter_map(|acceptor| {
            let ready = acceptor.ready(now).then_some(0);
            ready.or_else(|| acceptor.retry_at())
        });
        let deadline = Some(until).filter(|until| *until != u64::MAX);
        let due = deadline.into_iter().chain(self.drain.ends_by(&self.control)).chain(accepts);
        due.min().map(|at| Duration::from_millis(at.saturating_sub(now)).min(LONGEST_SLEEP))
    }
}

#[inline]
fn readiness(event: &Event) -> Ready {
    let ready = Ready::of(event.is_readable(), event.is_writable());
    // On Linux what is closed for writing is closed for reading, too, or has an error.
    let write_closed = !cfg!(target_os = "linux") && event.is_write_closed();
    let odd = event.is_read_closed() || event.is_error() || event.is_priority() || write_closed;
    if odd { ready | oddity(event) } else { ready }
}

/// What is seldom told.
#[cold]
fn oddity(event: &Event) -> Ready {
    let mut ready = Ready::NONE;
    // An error or a hang-up is found out by reading and writing.
    if event.is_read_closed() || event.is_priority() {
        ready = ready | Ready::READ | Ready::DOUBT;
    }
    if event.is_read_closed() {
        ready = ready | Ready::HANGUP;
    }
    if event.is_write_closed() {
        ready = ready | Ready::WRITE;
    }
    if event.is_error() {
        ready = ready | Ready::READ | Ready::WRITE | Ready::DOUBT | Ready::HANGUP | Ready::BROKEN;
    }
    ready
}
