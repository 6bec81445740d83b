use std::any::Any;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::call::job_sink::JobSink;
use crate::call::reply::{Caller, ReplySender};
use crate::call::semaphore::{Permit, Semaphore};
use crate::call::service::PoolEntry;
use crate::snapshot::{JobPlace, Position};
use crate::wake::Wake;
use crate::{Key, Service};

/// The jobs of a pool whose connections answer them, without the type of the service.
pub(crate) trait ConnectionJobs: Send + Sync {
    /// The permits of the jobs that wait or are in hand.
    fn permits(&self) -> &Arc<Semaphore>;

    /// Sets what wakes connections, and what makes the connector look, when the pool starts.
    fn attach(&self, wakes: Wakes);

    /// The number of jobs that wait and for which no connection is free or on its way to be.
    fn missing(&self) -> usize;

    /// Refuses the jobs that wait or come, or takes jobs again.
    fn set_reachable(&self, reachable: bool);

    /// Adds a connection, which is not free yet.
    fn joined(&self, key: Key);

    /// Whether there is a connection.
    fn any_joined(&self) -> bool;

    /// Notes that a free connection has left its `#[job]` state without a job.
    fn withdraw(&self, key: Key);

    /// Notes that a connection sends its last words and takes no job any more.
    fn leaves(&self, key: Key);

    /// Removes a connection. The job that it had in hand is lost. Returns whether it was free at last: its target has
    /// kept no job from being answered.
    fn ended(&self, key: Key) -> bool;

    /// Where the jobs of these callers are, as far as they wait or are in hand. Looks at all of them.
    fn places(&self, wanted: &HashSet<Caller>) -> HashMap<Caller, JobPlace>;

    /// Fails the jobs that wait or come.
    fn close(&self);

    /// The way in for other pools: an `Arc<dyn JobSink<S>>`.
    fn entry(self: Arc<Self>) -> PoolEntry;

    /// The way in for plain threads: a `Weak<dyn JobSink<S>>`.
    fn weak_entry(self: Arc<Self>) -> PoolEntry;

    fn as_any(&self) -> &dyn Any;
}

/// The functions that wake a connection, or the connector, for a job.
pub(crate) struct Wakes {
    /// Gives a connection a turn.
    pub(crate) connections: Arc<dyn Wake>,
    /// Makes the connector look whether connections are missing.
    pub(crate) connector: Box<dyn Fn() + Send + Sync>,
}

/// The jobs of a pool whose connections answer them: those that wait, and those in hand.
///
/// Free connections pull jobs. One that finds none becomes idle; a job that comes calls the connection that
/// has become idle last, which then takes the first job of the queue. So a job that waits belongs to no
/// connection, and a called connection that ends loses none: another one is called in its place. Each job
/// has a [`ReplySender`], which replies once, or says that the job is gone when it is dropped.
pub(crate) struct JobsInHand<S: Service> {
    permits: Arc<Semaphore>,
    wakes: OnceLock<Wakes>,
    state: Mutex<JobsState<S>>,
}

struct JobsState<S: Service> {
    queue: VecDeque<(S::Job, Ticket)>,
    /// The idle connections, the last one on top.
    idle: Vec<Key>,
    connections: HashMap<Key, ConnectionStatus>,
    /// The number of connections with the status `Called`.
    called: usize,
    /// The number of connections with the status `Arriving`.
    arriving: usize,
    /// No target can be connected to, and no connection is open.
    unreachable: bool,
    closed: bool,
}

/// The data that a job holds until its end.
struct Ticket {
    reply_to: ReplySender,
    /// Dropped after the caller has its reply.
    _permit: Permit,
}

enum ConnectionStatus {
    /// Not free, and without a job: in a state before the first `#[job]` state, or on the way back to it.
    Arriving {
        /// It has been free since it was opened, or since its last job.
        was_free: bool,
    },
    /// In a `#[job]` state.
    Idle,
    /// The same, and woken because of a job.
    Called,
    Busy(Ticket),
    /// At its end, and perhaps for as long as its peer may still send.
    Leaving {
        was_free: bool,
    },
}

impl ConnectionStatus {
    /// Whether the connection is free, or was it at last.
    fn was_free(&self) -> bool {
        match self {
            Self::Idle | Self::Called => true,
            Self::Arriving { was_free } | Self::Leaving { was_free } => *was_free,
            Self::Busy(_) => false,
        }
    }
}

/// The part that must be woken after a change.
#[derive(Clone, Copy)]
enum ToWake {
    Nothing,
    Connection(Key),
    Connector,
}

impl<S: Service> JobsInHand<S> {
    pub(crate) fn new(limit: usize) -> Self {
        let state = JobsState {
            queue: VecDeque::new(),
            idle: Vec::new(),
            connections: HashMap::new(),
            called: 0,
            arriving: 0,
            unreachable: false,
            closed: false,
        };
        Self {
            permits: Arc::new(Semaphore::new(limit)),
            wakes: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    /// Takes the next job for a free connection, which is idle if there is none.
    pub(crate) fn take(&self, key: Key) -> Option<S::Job> {
        let mut state = self.state();
        if matches!(state.connections.get(&key), None | Some(ConnectionStatus::Leaving { .. })) {
            return None;
        }
        let Some((job, ticket)) = state.queue.pop_front() else {
            if !matches!(state.connections.get(&key), Some(ConnectionStatus::Idle)) {
                state.set(key, ConnectionStatus::Idle);
                state.idle.push(key);
            }
            return None;
        };
        let lost = state.set(key, ConnectionStatus::Busy(ticket));
        drop(state);
        drop(lost);
        Some(job)
    }

    /// Replies to the job that a connection has in hand.
    pub(crate) fn finish(&self, key: Key, reply: S::Reply) {
        let mut state = self.state();
        if !matches!(state.connections.get(&key), Some(ConnectionStatus::Busy(_))) {
            return;
        }
        let before = state.set(key, ConnectionStatus::Arriving { was_free: false });
        drop(state);
        if let Some(ConnectionStatus::Busy(Ticket { reply_to, _permit })) = before {
            reply_to.send(reply);
        }
    }

    fn state(&self) -> MutexGuard<'_, JobsState<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, next: ToWake) {
        let Some(wakes) = self.wakes.get() else { return };
        match next {
            ToWake::Nothing => {}
            ToWake::Connection(key) => wakes.connections.wake(key),
            ToWake::Connector => (wakes.connector)(),
        }
    }
}

impl<S: Service> JobsState<S> {
    /// Changes the status of a connection. Returns the one before.
    fn set(&mut self, key: Key, status: ConnectionStatus) -> Option<ConnectionStatus> {
        self.count(&status, true);
        let before = self.connections.insert(key, status);
        self.left(key, before)
    }

    fn remove(&mut self, key: Key) -> Option<ConnectionStatus> {
        let before = self.connections.remove(&key);
        self.left(key, before)
    }

    /// Takes a connection out of what its former status has put it in.
    fn left(&mut self, key: Key, before: Option<ConnectionStatus>) -> Option<ConnectionStatus> {
        if let Some(status) = &before {
            self.count(status, false);
            if matches!(status, ConnectionStatus::Idle) {
                // The last ones come and go most.
                if let Some(at) = self.idle.iter().rposition(|idle| *idle == key) {
                    self.idle.remove(at);
                }
            }
        }
        before
    }

    fn count(&mut self, status: &ConnectionStatus, more: bool) {
        let counter = match status {
            ConnectionStatus::Called => &mut self.called,
            ConnectionStatus::Arriving { .. } => &mut self.arriving,
            ConnectionStatus::Idle
            | ConnectionStatus::Busy(_)
            | ConnectionStatus::Leaving { .. } => return,
        };
        *counter = if more { *counter + 1 } else { counter.saturating_sub(1) };
    }

    /// Calls the connection that has become idle last, if jobs wait for which none was called.
    fn call_next(&mut self) -> ToWake {
        if self.queue.len() <= self.called {
            return ToWake::Nothing;
        }
        let Some(key) = self.idle.last().copied() else { return ToWake::Connector };
        self.set(key, ConnectionStatus::Called);
        ToWake::Connection(key)
    }
}

impl<S: Service> JobSink<S> for JobsInHand<S> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    fn submit(&self, job: S::Job, permit: Permit, reply_to: ReplySender) {
        let ticket = Ticket { reply_to, _permit: permit };
        let mut state = self.state();
        if state.unreachable || state.closed {
            drop(state);
            drop((job, ticket));
            return;
        }
        state.queue.push_back((job, ticket));
        let next = state.call_next();
        drop(state);
        self.wake(next);
    }
}

impl<S: Service> ConnectionJobs for JobsInHand<S> {
    fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    fn attach(&self, wakes: Wakes) {
        // A pool starts once.
        let _ = self.wakes.set(wakes);
    }

    fn missing(&self) -> usize {
        let state = self.state();
        state.queue.len().saturating_sub(state.called + state.arriving)
    }

    fn set_reachable(&self, reachable: bool) {
        let mut state = self.state();
        state.unreachable = !reachable;
        let lost = if reachable { VecDeque::new() } else { std::mem::take(&mut state.queue) };
        drop(state);
        drop(lost);
    }

    fn joined(&self, key: Key) {
        self.state().set(key, ConnectionStatus::Arriving { was_free: false });
    }

    fn any_joined(&self) -> bool {
        !self.state().connections.is_empty()
    }

    fn withdraw(&self, key: Key) {
        let mut state = self.state();
        if !matches!(
            state.connections.get(&key),
            Some(ConnectionStatus::Idle | ConnectionStatus::Called)
        ) {
            return;
        }
        state.set(key, ConnectionStatus::Arriving { was_free: true });
        let next = state.call_next();
        drop(state);
        self.wake(next);
    }

    fn leaves(&self, key: Key) {
        let mut state = self.state();
        let Some(was_free) = state.connections.get(&key).map(ConnectionStatus::was_free) else {
            return;
        };
        let before = state.set(key, ConnectionStatus::Leaving { was_free });
        let next = state.call_next();
        drop(state);
        // Tells the caller of a job that it is gone.
        drop(before);
        self.wake(next);
    }

    fn ended(&self, key: Key) -> bool {
        let mut state = self.state();
        let before = state.remove(key);
        let next = state.call_next();
        drop(state);
        let was_free = before.as_ref().is_some_and(ConnectionStatus::was_free);
        // Tells the caller of a job that it is gone.
        drop(before);
        self.wake(next);
        was_free
    }

    fn places(&self, wanted: &HashSet<Caller>) -> HashMap<Caller, JobPlace> {
        let state = self.state();
        let caller =
            |ticket: &Ticket| ticket.reply_to.caller().filter(|caller| wanted.contains(caller));
        let of = state.queue.len();
        let queued = state.queue.iter().zip(1..).filter_map(|((_, ticket), number)| {
            Some((caller(ticket)?, JobPlace::Queued(Position { number, of })))
        });
        let in_hand = state.connections.iter().filter_map(|(key, status)| match status {
            ConnectionStatus::Busy(ticket) => Some((caller(ticket)?, JobPlace::Answered(*key))),
            _ => None,
        });
        queued.chain(in_hand).collect()
    }

    fn close(&self) {
        self.permits.close();
        let mut state = self.state();
        state.closed = true;
        let lost = std::mem::take(&mut state.queue);
        drop(state);
        drop(lost);
    }

    fn entry(self: Arc<Self>) -> PoolEntry {
        let sink: Arc<dyn JobSink<S>> = self;
        Box::new(sink)
    }

    fn weak_entry(self: Arc<Self>) -> PoolEntry {
        let sink: Arc<dyn JobSink<S>> = self;
        Box::new(Arc::downgrade(&sink))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests;
