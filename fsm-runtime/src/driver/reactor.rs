use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll};

use crate::call::semaphore::NoPermit;
use crate::clock::TimeSource;
use crate::driver::acceptor::{Accept, Acceptor, Attempt};
use crate::driver::connector::Connector;
use crate::driver::receiver::Receiver;
use crate::driver::shedder::Shedder;
use crate::driver::turn_away::TurnAway;
use crate::driver::worker::Driver;
use crate::lifecycle::drain::Drain;
use crate::lifecycle::pool_state::PoolState;
use crate::net::readiness::Readiness;
use crate::net::token;
use crate::scheduler::observe::Observe;
use crate::scheduler::port::EventSource;
use crate::{Key, PoolError};

/// The most connections that are accepted from a listener after a poll that told fewer events, so that
/// a flood of them does not hold up other connections (X4). After a poll that told more, as many as it
/// told: otherwise thousands of busy connections would leave the backlog full.
const MAX_ACCEPTS: usize = 64;
/// The largest size of the buffer of events. The buffer starts small and doubles when a poll fills it,
/// so that busy sockets do not hold up quiet ones.
const MAX_EVENTS: usize = 4096;
/// The longest sleep of a poll, because systems bound its timeout. To wake up once an hour costs
/// nothing.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// The poll of a port with sockets, and its listeners. The thread that polls keeps it locked.
pub(crate) struct Reactor {
    /// The name of the pool.
    pub(crate) pool: String,
    pub(crate) port: Arc<dyn Observe>,
    /// The number of the port.
    pub(crate) shard: usize,
    // The fields are dropped in their order: listeners before the poll that they are registered with.
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    /// The number of events of the last poll.
    pub(crate) found: usize,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) drain: Drain,
    /// The most connections that the system keeps waiting for a listener.
    pub(crate) backlog: usize,
    /// Some listener waits for a free descriptor.
    pub(crate) out_of_descriptors: bool,
    /// Makes connections of the accepted sockets; `None` for a pool without listeners.
    pub(crate) accept: Option<Box<dyn Accept>>,
    /// Receives datagrams, in a pool of a machine that reads these.
    pub(crate) receiver: Option<Box<Receiver>>,
    /// Ends connections at rest for newcomers, in a pool that does.
    pub(crate) shedder: Option<Box<Shedder>>,
    /// Turns newcomers away at the limit, in a pool that does.
    pub(crate) turn_away: Option<Box<TurnAway>>,
    /// Opens connections, in the first port of a pool that does.
    pub(crate) connector: Option<Box<Connector>>,
}

impl Driver for Reactor {
    /// Begins the drain if the pool drains, and wakes listeners that wait for a closed descriptor.
    fn before_poll(&mut self, until: u64, time: &impl TimeSource) -> Option<Duration> {
        let now = time.now().millis;
        if self.drain.begins(&self.pool_state, now) {
            self.begin_drain();
        }
        if self.out_of_descriptors && !self.pool_state.gate.is_out_of_descriptors() {
            self.out_of_descriptors = false;
            for acceptor in &mut self.acceptors {
                acceptor.descriptor_freed();
            }
        }
        self.timeout(until, now)
    }

    fn poll(&mut self, timeout: Option<Duration>) -> Result<(), PoolError> {
        self.found = 0;
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            Err(error) => Err(PoolError::io("poll for events")(error)),
        }
    }

    /// Accepts connections, and enlarges the buffer of events if the poll has filled it.
    fn after_poll(&mut self, now: u64) {
        if self.found == self.events.capacity() && self.found < MAX_EVENTS {
            self.events = Events::with_capacity(self.found * 2);
        }
        self.accept(now);
        if self.receiver.is_some() {
            self.accept_peers(now);
        }
        if let Some(connector) = &mut self.connector {
            connector.round(self.poll.registry(), self.shard, now);
        }
    }
}

impl EventSource for Reactor {
    /// One call of `visit` in the code is inlined, and several are not: 15 instructions for each event.
    #[inline]
    fn events(&mut self, mut visit: impl FnMut(Key, Readiness)) {
        let mut found = 0;
        let mut events = self.events.iter();
        loop {
            let (key, ready) = if let Some(event) = events.next() {
                found += 1;
                let token = event.token();
                if token.0 <= token::LAST_FIRST {
                    (token::to_key(token), readiness(event))
                } else if token.0 <= token::LAST_KEY {
                    (token::to_key(token), readiness(event).of_other())
                } else {
                    if let Some(index) = token::as_listener(token) {
                        if let Some(acceptor) = self.acceptors.get_mut(index) {
                            acceptor.pending = true;
                        } else if let Some(receiver) = &mut self.receiver {
                            receiver.event(index);
                        }
                    } else if let (Some(index), Some(connector)) =
                        (token::as_dial(token), &mut self.connector)
                    {
                        connector.event(index);
                    }
                    continue;
                }
            } else if let Some(key) = self.receiver.as_mut().and_then(|it| it.next_session()) {
                (key, Readiness::READ)
            } else {
                break;
            };
            visit(key, ready);
        }
        self.found = found;
    }
}

impl Reactor {
    /// Limits the listeners to the connections that wait already, and closes connections at rest.
    #[cold]
    fn begin_drain(&mut self) {
        if let Some(connector) = &self.connector {
            connector.outgoing.changed();
        }
        let held = self.pool_state.gate.is_held();
        for acceptor in &mut self.acceptors {
            if held {
                // The process that accepts now takes those that wait, and has the file.
                acceptor.give_up();
                acceptor.listener.leave_file();
                if self.pool_state.gate.turns_away() && acceptor.take_held().is_some() {
                    crate::log::warn!(
                        pool = self.pool,
                        "closed a connection that waited for its place, because the new process has the data"
                    );
                }
            } else {
                acceptor.finish(self.backlog);
            }
        }
        self.port.drain();
        if let Some(receiver) = &mut self.receiver {
            receiver.finish();
        } else if self.acceptors.is_empty() {
            self.pool_state.close_if_drained();
        } else {
            // No event may come any more after which those would be dropped that were given up.
            self.drop_finished();
        }
    }

    /// Drops the listeners that have accepted the connections of their backlogs, in a drain.
    fn drop_finished(&mut self) {
        self.acceptors.retain(|acceptor| !acceptor.has_finished());
        if self.acceptors.is_empty() {
            self.pool_state.shard_stopped_accepting();
        }
    }

    /// Accepts connections up to the limits of the pool and of one round.
    fn accept(&mut self, now: u64) {
        if self.accept.is_none() || self.acceptors.is_empty() {
            return;
        }
        let most = self.found.max(MAX_ACCEPTS);
        for index in 0..self.acceptors.len() {
            for _ in 0..most {
                if self.pool_state.gate.is_paused() && !self.places_last(index) {
                    self.hold_newcomer(index, now);
                    break;
                }
                if !self.acceptors[index].is_ready(now) {
                    break;
                }
                let permit = match self.pool_state.permits.try_acquire() {
                    Ok(permit) => permit,
                    Err(NoPermit::Full) if self.turn_away.is_some() => {
                        self.turn_away(index, now);
                        continue;
                    }
                    Err(NoPermit::Full) => {
                        self.hold_newcomer(index, now);
                        self.pause_accepting();
                        break;
                    }
                    Err(NoPermit::Closed) => return,
                };
                // The code that holds the gate waits until no permit is out, so this is after the permit.
                if self.pool_state.gate.is_held() && !self.places_last(index) {
                    break;
                }
                match self.next_newcomer(index, now) {
                    Attempt::Connection(accepted) => {
                        if let Some(accept) = &mut self.accept {
                            accept.accepted(accepted, permit, self.shard, now);
                        }
                    }
                    Attempt::Empty => {}
                    Attempt::Failed { error, warning } => {
                        drop(permit);
                        self.accept_failed(index, &error, warning);
                    }
                }
            }
        }
        if self.shedder.is_some() {
            self.make_room(now);
        }
        if let Some(turn_away) = &mut self.turn_away {
            turn_away.round(now);
        }
        if self.drain.has_begun() {
            self.drop_finished();
        }
    }

    /// Whether one waits for its place here that was accepted before another process accepted.
    fn places_last(&self, index: usize) -> bool {
        self.drain.has_begun() && self.acceptors[index].holds()
    }

    /// Begins the sessions of peers that have sent their first datagram.
    fn accept_peers(&mut self, now: u64) {
        let (Some(receiver), Some(accept)) = (&mut self.receiver, &mut self.accept) else { return };
        receiver.accept(&mut **accept, self.shard, now);
        if self.drain.has_begun() && receiver.has_just_finished() {
            self.pool_state.shard_stopped_accepting();
        }
    }

    /// The next connection that waits for its place.
    #[inline]
    fn next_newcomer(&mut self, index: usize, now: u64) -> Attempt {
        if self.shedder.is_none() {
            self.acceptors[index].accept(now)
        } else {
            self.newcomer(index, now)
        }
    }

    /// The connection that is held, or the next one, for which the spare descriptor is given up if no other one
    /// is free.
    #[cold]
    fn newcomer(&mut self, index: usize, now: u64) -> Attempt {
        let (acceptor, registry) = (&mut self.acceptors[index], self.poll.registry());
        let Some(shedder) = &mut self.shedder else { return acceptor.accept(now) };
        if let Some(held) = acceptor.take_held() {
            shedder.placed();
            return Attempt::Connection(held);
        }
        if let Err(error) = shedder.keep_spare(registry) {
            return acceptor.failed(error, now);
        }
        match acceptor.accept(now) {
            Attempt::Failed { error, .. } if shedder.lends_spare(&error) => {
                let attempt = acceptor.accept(now);
                // If there is no other one, a connection has to end before the next is accepted.
                let _ = shedder.keep_spare(registry);
                attempt
            }
            attempt => attempt,
        }
    }

    /// Accepts a connection that has no place yet, in a pool that ends another one for it.
    fn hold_newcomer(&mut self, index: usize, now: u64) {
        let waits = self.shedder.is_some() && self.acceptors[index].is_ready(now);
        let held = self.pool_state.gate.is_held();
        if !waits || held || self.acceptors[index].holds() || self.drain.has_begun() {
            return;
        }
        match self.newcomer(index, now) {
            Attempt::Connection(accepted) => self.acceptors[index].hold(accepted),
            Attempt::Empty => {}
            Attempt::Failed { error, warning } => self.accept_failed(index, &error, warning),
        }
    }

    /// Asks for the end of a connection at rest, if a newcomer waits. A drain ends all of them.
    #[cold]
    fn make_room(&mut self, now: u64) {
        let Some(shedder) = &mut self.shedder else { return };
        let spare = shedder.keep_spare(self.poll.registry()).is_ok();
        let waits = !spare || self.acceptors.iter().any(Acceptor::holds);
        // While another process accepts, nobody gets a place here.
        let places = !self.drain.has_begun() && !self.pool_state.gate.is_held();
        shedder.round(waits && places, now);
    }

    /// Accepts a connection that gets no place, and closes it with a farewell.
    #[cold]
    fn turn_away(&mut self, index: usize, now: u64) {
        let Some(turn_away) = &mut self.turn_away else { return };
        match self.acceptors[index].accept(now) {
            Attempt::Connection(accepted) => {
                turn_away.refuse(accepted, now);
                self.pool_state.counters.turned_away();
                if turn_away.warns(now) {
                    crate::log::warn!(
                        pool = self.pool,
                        connections = self.pool_state.permits.out(),
                        "at the limit of connections; new ones are turned away"
                    );
                }
            }
            Attempt::Empty => {}
            Attempt::Failed { error, warning } => self.accept_failed(index, &error, warning),
        }
    }

    fn pause_accepting(&self) {
        if self.pool_state.pause_accepting() && self.shedder.is_none() {
            crate::log::warn!(
                pool = self.pool,
                connections = self.pool_state.permits.out(),
                "at the limit of connections; new ones wait in the backlog"
            );
        }
    }

    fn accept_failed(&mut self, index: usize, error: &io::Error, warning: bool) {
        // No end of a connection can free a descriptor any more, so a drain waits for none.
        if self.drain.has_begun() && self.pool_state.permits.out() == 0 {
            self.acceptors[index].give_up();
            crate::log::warn!(
                pool = self.pool,
                %error,
                "cannot accept; the drain ends without the connections in the backlog"
            );
        }
        self.out_of_descriptors = true;
        self.pool_state.gate.set_out_of_descriptors();
        self.pool_state.counters.accept_failed();
        if warning {
            crate::log::warn!(
                pool = self.pool,
                %error,
                connections = self.pool_state.permits.out(),
                "cannot accept; new connections wait in the backlog"
            );
        }
    }

    /// The time for which the poll may sleep; `None` for ever.
    fn timeout(&self, until: u64, now: u64) -> Option<Duration> {
        if until == 0 || self.receiver.as_ref().is_some_and(|receiver| receiver.is_ready()) {
            return Some(Duration::ZERO);
        }
        let gate = &self.pool_state.gate;
        let full = gate.is_at_limit() || gate.is_held() && !self.drain.has_begun();
        let accepts = self.acceptors.iter().filter(|_| !full).filter_map(|acceptor| {
            let ready = acceptor.is_ready(now).then_some(0);
            ready.or_else(|| acceptor.retry_at())
        });
        let sheds = self.shedder.as_ref().and_then(|shedder| shedder.due());
        let leaves = self.turn_away.as_ref().and_then(|turn_away| turn_away.due());
        let deadline = Some(until).filter(|until| *until != u64::MAX);
        let connects = self.connector.as_ref().map(|connector| connector.due());
        let connects = connects.filter(|due| *due != u64::MAX);
        let drained = self.drain.deadline(&self.pool_state);
        let due = deadline.into_iter().chain(drained).chain(accepts).chain(connects).chain(sheds);
        let due = due.chain(leaves);
        due.min().map(|at| Duration::from_millis(at.saturating_sub(now)).min(LONGEST_SLEEP))
    }
}

#[inline]
fn readiness(event: &Event) -> Readiness {
    let ready = Readiness::of(event.is_readable(), event.is_writable());
    // On Linux a socket that is closed for writing is closed for reading, too, or has an error.
    let write_closed = !cfg!(target_os = "linux") && event.is_write_closed();
    let rare = event.is_read_closed() || event.is_error() || event.is_priority() || write_closed;
    if rare { ready | rare_readiness(event) } else { ready }
}

/// The readiness that the rare flags of an event stand for.
#[cold]
fn rare_readiness(event: &Event) -> Readiness {
    let mut ready = Readiness::NONE;
    // The turn learns of an error or a hang-up by reading and writing.
    if event.is_read_closed() || event.is_priority() {
        ready = ready | Readiness::READ | Readiness::MAYBE_EOF;
    }
    if event.is_write_closed() {
        ready = ready | Readiness::WRITE;
    }
    if event.is_error() {
        ready =
            ready | Readiness::READ | Readiness::WRITE | Readiness::MAYBE_EOF | Readiness::BROKEN;
    }
    ready
}
