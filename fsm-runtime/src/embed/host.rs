use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use slab::Slab;

use super::Conn;
use crate::clock::{Moment, Time, start_of_told_time, whole_millis};
use crate::connection::scratch::ConnectionScratch;
use crate::key::{Generations, MAX_TASKS};
use crate::lifecycle::facts::PoolFacts;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::environment::EnvironmentOf;
use crate::machine::limits::Limits;
use crate::scheduler::observe::Untracked;
use crate::scheduler::task::WorkerContext;
use crate::spec::Features;
use crate::wake::Wake;
use crate::{Connection, Drive, Key, Machine, Peer, Stats};

/// The name in logs, where a pool has its own.
pub(super) const NAME: &str = "embed";
/// The most buffers that are kept. With more calls at a time, the others make theirs.
const KEPT: usize = 8;
/// The most output that has left the machine and that its user has not sent.
const WINDOW: usize = 64 * 1024;

/// The shared part of the connections of one machine: settings, bounds, counters, and the buffers of those that run.
///
/// It is to [`Conn`] what a pool is to its connections, without sockets and threads. Clones are the same host.
/// The buffers are as many as calls of its connections run at a time, and 8 of them are kept: 64 KiB each.
///
/// ```
/// use fsm_runtime::embed;
/// use fsm_runtime::prelude::*;
/// use std::time::Duration;
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)]
///     #[to(Talk)]
///     Talk,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
/// impl echo::Handler for Client {
///     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
///         cx.write(bytes);
///         echo::AfterTalk::Talk
///     }
/// }
///
/// let host = embed::HostBuilder::<Echo>::new().output_mark(4096).build();
/// let conns = [(); 2].map(|()| host.open(Peer::Unix, Client, Duration::ZERO));
/// assert_eq!((host.stats().accepted, host.stats().open), (2, 2));
/// drop(conns);
/// assert_eq!((host.stats().open, host.stats().closed), (0, 2));
/// ```
pub struct Host<M: Machine, H> {
    shared: Arc<HostShared<M, H>>,
}

struct HostShared<M: Machine, H> {
    environment: EnvironmentOf<M>,
    limits: Limits,
    pool_state: Arc<PoolState>,
    start: Moment,
    slots: Mutex<Slab<()>>,
    /// The buffers of the calls that run at the same time.
    buffers: [Mutex<Buffers<M, H>>; KEPT],
    /// Wakes the owners of the mailboxes, which hold it weakly.
    _wake: Option<Arc<dyn Wake>>,
}

/// The buffers that a call of a connection borrows, once they are made.
type Buffers<M, H> = Option<Box<ConnectionScratch<M, H>>>;

/// The settings of a [`Host`], which [`build`](Self::build) makes.
#[must_use = "`build` makes the host"]
pub struct HostBuilder<M: Machine> {
    environment: EnvironmentOf<M>,
    limits: Limits,
    wake: Option<Arc<dyn Wake>>,
}

/// A function of the user's that wakes a connection.
struct WakeWith<F>(F);

impl<F: Fn(Key) + Send + Sync> Wake for WakeWith<F> {
    fn wake(&self, key: Key) {
        (self.0)(key);
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Host<M, H> {
    /// A host with the settings of [`HostBuilder::new`].
    pub fn new() -> Self {
        HostBuilder::new().build()
    }

    /// Begins a connection at `now`, which has passed since the start that its user counts from: runs the
    /// machine in its start state until it waits for something.
    ///
    /// # Panics
    ///
    /// When 33,554,432 connections of the host are open (65,536 if a pointer has 32 bits).
    pub fn open(&self, peer: Peer, handler: H, now: Duration) -> Conn<M, H>
    where
        M: Machine<Seed = ()>,
    {
        self.open_seeded(peer, (), handler, now)
    }

    /// The same as [`open`](Self::open) for a machine that starts with a `seed`.
    ///
    /// # Panics
    ///
    /// As `open` does.
    pub fn open_seeded(&self, peer: Peer, seed: M::Seed, handler: H, now: Duration) -> Conn<M, H> {
        Conn::open(self.clone(), peer, seed, handler, now)
    }
}

impl<M: Machine, H> Host<M, H> {
    /// The counters of its connections.
    pub fn stats(&self) -> Stats {
        self.shared.pool_state.stats()
    }

    pub(super) fn environment(&self) -> &EnvironmentOf<M> {
        &self.shared.environment
    }

    /// The most output that leaves a machine before its user has sent some.
    pub(super) fn window(&self) -> usize {
        self.shared.limits.output.min(WINDOW)
    }

    /// The time with this number of milliseconds.
    #[inline]
    pub(super) fn time(&self, millis: u64) -> Time {
        let start = self.shared.start;
        let moment = start.checked_add(Duration::from_millis(millis));
        Time { millis, instant: moment.unwrap_or(start) }
    }

    /// The key of a new connection, which is counted.
    pub(super) fn join(&self) -> Key {
        let slot = self.shared.slots().insert(());
        assert!(slot < MAX_TASKS, "the host has {MAX_TASKS} connections");
        let pool_state = &self.shared.pool_state;
        pool_state.counters.accepted();
        if let Ok(permit) = pool_state.permits.try_acquire() {
            permit.forget();
        }
        Key::of(0, slot, Generations::of_process().next())
    }

    /// Frees the slot of a connection that has ended.
    pub(super) fn leave(&self, key: Key) {
        self.shared.slots().try_remove(key.slot());
    }

    /// Lends buffers to a call.
    #[inline]
    pub(super) fn lend<T>(&self, call: impl FnOnce(&mut ConnectionScratch<M, H>) -> T) -> T {
        let [first, others @ ..] = &self.shared.buffers;
        let mut kept = free(first).or_else(|| others.iter().find_map(free));
        let mut own = None;
        let buffers = kept.as_deref_mut().unwrap_or(&mut own);
        call(buffers.get_or_insert_with(|| self.new_buffers()))
    }

    #[cold]
    fn new_buffers(&self) -> Box<ConnectionScratch<M, H>> {
        let HostShared { environment, limits, pool_state, .. } = &*self.shared;
        let (status, time) = (Arc::default(), self.time(0));
        let context = WorkerContext::new(Arc::new(Untracked), 0, status, Arc::new([]), time);
        let (environment, pool_state) = (environment.clone(), Arc::clone(pool_state));
        Box::new(ConnectionScratch::bare(environment, *limits, pool_state, context))
    }
}

/// The buffers, unless a call on another thread has them, or one of whose handlers this is.
#[inline]
fn free<M: Machine, H>(buffers: &Mutex<Buffers<M, H>>) -> Option<MutexGuard<'_, Buffers<M, H>>> {
    match buffers.try_lock() {
        Ok(buffers) => Some(buffers),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// A time in whole milliseconds, rounded down.
#[inline]
pub(super) fn millis(time: Duration) -> u64 {
    let millis = time.as_secs().saturating_mul(1_000);
    millis.saturating_add(time.subsec_millis().into())
}

impl<M: Machine, H> HostShared<M, H> {
    fn slots(&self) -> MutexGuard<'_, Slab<()>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine<Kind = Connection>> HostBuilder<M> {
    /// The settings of a pool by default: an output mark of 256 KiB, a send timeout of 60 s, mailboxes of 1,024
    /// messages.
    ///
    /// A machine that [needs a pool](crate::embed#what-needs-a-pool) does not compile here.
    pub fn new() -> Self {
        const {
            assert!(
                !M::SPEC.uses(Features::IN_POOLS),
                "this machine needs a pool, because it calls, hands over, takes jobs, connects, relays, begins TLS or \
                 reads datagrams; `embed` has no pools"
            );
        }
        Self { environment: EnvironmentOf::<M>::default(), limits: Limits::DEFAULT, wake: None }
    }

    /// Sets the settings of the machine, as [`Builder::settings`](crate::Builder::settings) does.
    pub fn settings(mut self, settings: M::Settings) -> Self {
        self.environment.settings = Arc::new(settings);
        self
    }

    /// Sets how many bytes of output may be queued in the machine before its input and messages wait, at least 1.
    /// As many again, and at most 64 KiB, are in [`Conn::output`].
    pub fn output_mark(mut self, bytes: usize) -> Self {
        self.limits.output = bytes.max(1);
        self
    }

    /// Sets how long output may wait behind a full [`Conn::output`] of which nothing is sent. After that the
    /// connection ends as [`Ended::SendTimeout`](crate::Ended::SendTimeout). In whole milliseconds, rounded up;
    /// zero counts as one.
    pub fn send_timeout(mut self, time: Duration) -> Self {
        self.limits.send_timeout = whole_millis(time);
        self
    }

    /// Sets how many messages a mailbox holds, at least 1.
    pub fn mailbox(self, messages: usize) -> Self {
        self.environment.mailboxes.set_bound(messages.max(1));
        self
    }

    /// Sets the function that wakes a connection to which another one, or a job, has posted a message. It gets the
    /// key of that connection, and lets the event loop call [`Conn::on_time`] soon. It runs on the thread that posts,
    /// maybe inside a call of another connection. Without it such a message waits for the next call of any kind.
    pub fn on_wake(mut self, wake: impl Fn(Key) + Send + Sync + 'static) -> Self {
        self.wake = Some(Arc::new(WakeWith(wake)));
        self
    }

    /// Makes the host.
    pub fn build<H>(self) -> Host<M, H>
    where
        M: Drive<H>,
    {
        let Self { environment, limits, wake } = self;
        if let Some(wake) = &wake {
            environment.mailboxes.attach(Box::new([Arc::downgrade(wake)]));
        }
        let pool_state = Arc::new(PoolState::new(PoolFacts::new(NAME, M::SPEC), MAX_TASKS));
        let shared = HostShared {
            environment,
            limits,
            pool_state,
            start: start_of_told_time(),
            slots: Mutex::default(),
            buffers: Default::default(),
            _wake: wake,
        };
        Host { shared: Arc::new(shared) }
    }
}

impl<M: Machine<Kind = Connection>> Default for HostBuilder<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Default for Host<M, H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Machine, H> Clone for Host<M, H> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: Machine, H> fmt::Debug for Host<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = M::SPEC.name;
        f.debug_struct("Host").field("machine", &machine).finish_non_exhaustive()
    }
}

impl<M: Machine> fmt::Debug for HostBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machine, limits) = (M::SPEC.name, &self.limits);
        let mut builder = f.debug_struct("HostBuilder");
        builder.field("machine", &machine).field("limits", limits).finish_non_exhaustive()
    }
}
