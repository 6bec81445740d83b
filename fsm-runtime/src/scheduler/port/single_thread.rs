use std::sync::{Mutex, MutexGuard, PoisonError};

use super::common::Common;
use super::slot::{TaskSlot, add_readiness_to_all, remove};
use super::timers::Timers;
use super::walk::PostedWalks;
use super::{PortSettings, RemainingTask};
use crate::Key;
use crate::clock::TimeSource;
use crate::net::readiness::Readiness;
use crate::panics::caught;
use crate::scheduler::executor::Executor;
use crate::scheduler::journeys::JourneyWatch;
use crate::scheduler::port_core::PortCore;
use crate::scheduler::task::Task;
use crate::scheduler::thread_status::ThreadStatus;

mod inject;
mod round;

pub(crate) use inject::Injected;
use inject::InjectedTask;
use round::Round;

/// The only thread of a port.
pub(super) const ONLY_THREAD: usize = 0;

/// A port of one thread.
///
/// Its thread keeps the lock while it runs handlers, because no other thread uses the state that the
/// lock guards. So it runs connections and jobs in place, and pays for one lock a poll and not for two
/// a turn. Packets, connections and jobs from elsewhere go through [`Injected`].
///
/// Between two polls the thread calls [`take_injected`](SingleThread::take_injected),
/// [`run_events`](SingleThread::run_events), [`run_queue`](SingleThread::run_queue) and
/// [`sleeps_until`](SingleThread::sleeps_until), in this order.
pub(crate) struct SingleThread<T> {
    pub(super) common: Common,
    state: Mutex<SingleThreadState<T>>,
    injected: Mutex<Injected<T>>,
    pub(super) walks: Mutex<PostedWalks<T>>,
    interrupt: Box<dyn Fn() + Send + Sync>,
}

struct SingleThreadState<T> {
    core: PortCore<TaskSlot<T>>,
    timers: Timers,
    draining: bool,
    /// The keys whose turns ended since the poll because their budget was used up.
    again: Vec<Key>,
}

/// An event of a poll, for one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PortEvent {
    pub(crate) key: Key,
    pub(crate) readiness: Readiness,
}

/// The events of a poll.
pub(crate) trait EventSource {
    /// Whether a poll ever has events.
    const HAS_EVENTS: bool = true;

    /// Calls `visit` for each event, once.
    fn events(&mut self, visit: impl FnMut(Key, Readiness));
}

impl<T: Task> SingleThread<T> {
    pub(super) fn new(settings: PortSettings) -> Self {
        let PortSettings { number, threads, max_running, counters, generations, interrupt } =
            settings;
        let core = PortCore::new(number, max_running, generations);
        let (timers, draining, again) = (Timers::default(), false, Vec::new());
        Self {
            common: Common::new(number, threads, counters),
            state: Mutex::new(SingleThreadState { core, timers, draining, again }),
            injected: Mutex::default(),
            walks: Mutex::default(),
            interrupt,
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, SingleThreadState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn injected(&self) -> MutexGuard<'_, Injected<T>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status that the thread keeps of its turns.
    #[inline]
    pub(super) fn status(&self) -> &ThreadStatus {
        &self.common.statuses[ONLY_THREAD]
    }

    /// Whether the thread is awake, and may run a turn without waking the watchdog again.
    pub(super) fn is_up(&self) -> bool {
        self.injected().up
    }

    /// Calls `add` with the injections of the thread, and wakes the thread if it sleeps.
    #[inline]
    fn inject<R>(&self, add: impl FnOnce(&mut Injected<T>) -> R) -> R {
        let mut injected = self.injected();
        let result = add(&mut injected);
        // One wake-up is enough.
        let wake = std::mem::replace(&mut injected.asleep, false);
        drop(injected);
        if wake {
            self.interrupt();
        }
        result
    }

    /// Inserts a packet for the key, from anywhere (R6).
    pub(super) fn wake(&self, key: Key) {
        self.inject(|injected| injected.keys.push(key));
    }

    pub(super) fn open(&self, task: T, ready: Readiness) -> Result<(), T> {
        self.inject(|injected| {
            if injected.closed {
                return Err(task);
            }
            self.common.opened();
            injected.tasks.push(InjectedTask { task, ready });
            Ok(())
        })
    }

    /// Like `open` on the thread itself, between its poll and its queue.
    pub(super) fn open_here(&self, task: T, ready: Readiness) -> Result<Key, T> {
        let mut state = self.lock();
        let key = state.open(task, ready)?;
        self.common.opened();
        state.core.enqueue(key);
        Ok(key)
    }

    /// Adds a job. It gets a slot only if it has not ended after its first turn.
    pub(super) fn submit(&self, job: T) -> Result<(), T> {
        self.inject(|injected| {
            if injected.closed {
                return Err(job);
            }
            injected.jobs.push_back(job);
            Ok(())
        })
    }

    /// The time at which the thread must return from its poll at the latest: 0 if it has work, and
    /// `None` if the port is closed and the thread ends.
    pub(crate) fn sleeps_until(&self) -> Option<u64> {
        let mut state = self.lock();
        // An injection that takes the lock later sees `asleep`, and interrupts the poll. That may happen
        // before the poll has begun: such a poll returns at once.
        let mut injected = self.injected();
        injected.up = false;
        if injected.closed {
            state.core.close_port();
            return None;
        }
        let idle = state.core.queued() == 0 && injected.is_empty();
        injected.asleep = idle;
        Some(if idle { state.timers.next() } else { 0 })
    }

    /// Takes the injections after a poll. The thread need not be woken from here until its next call of
    /// [`sleeps_until`](SingleThread::sleeps_until).
    #[inline]
    pub(crate) fn take_injected(&self, into: &mut Injected<T>) {
        let mut injected = self.injected();
        injected.asleep = false;
        injected.up = true;
        injected.move_to(into);
        drop(injected);
        // Either the watchdog sees `up` before it goes to sleep, or this call wakes it.
        self.common.turn_begins();
    }

    /// Takes what the turns of this round's events have injected, in a port whose tasks have messages: what a
    /// connection has posted to others leaves without another poll before it.
    #[inline]
    pub(crate) fn take_posted(&self, into: &mut Injected<T>) {
        if const { T::SPEC.messages } {
            self.injected().move_to(into);
        }
    }

    /// Runs a turn for each event of the poll, in their order.
    pub(crate) fn run_events<C: TimeSource>(
        &self,
        events: &mut impl EventSource,
        executor: &mut Executor<'_, T, C>,
    ) {
        let mut round = self.round(executor);
        events.events(|key, ready| round.event(key, ready));
    }

    /// Runs the keys whose deadlines have passed by `now` and those in the queue, each once, and then the
    /// new jobs in `injected`.
    pub(crate) fn run_queue<C: TimeSource>(
        &self,
        now: u64,
        injected: &mut Injected<T>,
        executor: &mut Executor<'_, T, C>,
    ) {
        let mut round = self.round(executor);
        round.begin_queue(now, injected);
        for _ in 0..round.state.core.queued() {
            if round.executor.is_stopped() || !round.next_packet() {
                break;
            }
        }
        while let Some(job) = injected.jobs.pop_front() {
            round.first_turn(job);
        }
        round.end_queue();
    }

    /// Puts the events of the poll into the queue, for [`run_watched`](SingleThread::run_watched).
    #[cold]
    pub(crate) fn queue_events<C: TimeSource>(
        &self,
        events: &mut impl EventSource,
        executor: &mut Executor<'_, T, C>,
    ) {
        let mut round = self.round(executor);
        events.events(|key, ready| round.enqueue(key, ready));
    }

    /// Does what [`run_queue`](SingleThread::run_queue) does, and looks at each turn for journeys.
    #[cold]
    pub(crate) fn run_watched<C: TimeSource>(
        &self,
        now: u64,
        injected: &mut Injected<T>,
        executor: &mut Executor<'_, T, C>,
        journeys: &mut JourneyWatch,
    ) {
        let mut round = self.round(executor);
        round.begin_queue(now, injected);
        for _ in 0..round.state.core.queued() {
            if round.executor.is_stopped() || !round.watched_packet(journeys) {
                break;
            }
        }
        while let Some(job) = injected.jobs.pop_front() {
            round.watched_job(job, journeys);
        }
        round.end_queue();
    }

    #[inline]
    fn round<'a, 'e, C: TimeSource>(
        &'a self,
        executor: &'a mut Executor<'e, T, C>,
    ) -> Round<'a, 'e, T, C> {
        let state = self.lock();
        T::context(executor.scratch).draining = state.draining;
        Round { port: self, state, executor }
    }

    pub(super) fn drain(&self) {
        let mut state = self.lock();
        state.draining = true;
        // A turn with readiness looks for a request that has arrived, and answers it before closing.
        for key in add_readiness_to_all(&mut state.core, Readiness::READ) {
            state.core.enqueue(key);
        }
        drop(state);
        // The thread may be about to sleep, and must see the queue.
        self.interrupt();
    }

    pub(super) fn close(&self) {
        self.status().stop();
        self.inject(|injected| injected.closed = true);
    }

    /// Notes that the thread ends. Returns the remaining connections and jobs.
    pub(super) fn thread_ended(&self) -> Option<Vec<RemainingTask<T>>> {
        if !self.common.thread_ended() {
            return None;
        }
        // Tells those who wait for a walk that there will be none.
        drop(std::mem::take(&mut *self.walks()));
        let mut state = self.lock();
        // Refuses later injections, because no thread takes them.
        let closed = Injected { closed: true, ..Injected::default() };
        let injected = std::mem::replace(&mut *self.injected(), closed);
        for InjectedTask { task, ready } in injected.tasks {
            state.core.open(TaskSlot::new(task, ready));
        }
        for job in injected.jobs {
            self.common.opened();
            state.core.open(TaskSlot::new(job, Readiness::NONE));
        }
        let keys: Vec<Key> = state.core.keys().collect();
        let remaining = keys.into_iter().filter_map(|key| {
            let slot = state.core.close(key)?;
            self.common.closed();
            Some(RemainingTask { key, task: slot.task? })
        });
        Some(remaining.collect())
    }

    pub(super) fn interrupt(&self) {
        (self.interrupt)();
    }

    /// Removes the task that the thread ran when it panicked, which is a bug of the runtime. Events that
    /// the thread had not handled are lost, so every task gets a turn that looks for itself.
    pub(super) fn thread_died(&self) -> Option<Key> {
        let key = self.status().key();
        self.status().set_idle();
        let mut state = self.lock();
        let SingleThreadState { core, timers, .. } = &mut *state;
        let lost = key.and_then(|key| remove(core, timers, key));
        for key in add_readiness_to_all(core, Readiness::READ | Readiness::WRITE) {
            core.enqueue(key);
        }
        drop(state);
        let lost = lost?;
        self.common.closed();
        // `Drop` is the user's code; a panic in it is ignored.
        let _ = caught(|| drop(lost));
        key
    }

    /// Calls `inspect` with a connection or job; `None` if it does not exist.
    pub(super) fn inspect<R>(&self, key: Key, inspect: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().core.get_mut(key)?.task.as_ref().map(inspect)
    }

    /// The time at which the next deadline may pass.
    pub(super) fn next_deadline(&self) -> u64 {
        self.lock().timers.next()
    }
}

impl<T: Task> SingleThreadState<T> {
    fn open(&mut self, task: T, ready: Readiness) -> Result<Key, T> {
        if self.core.is_closed() {
            return Err(task);
        }
        Ok(self.core.open(TaskSlot::arriving(task, ready, self.draining)))
    }
}

#[cfg(test)]
mod tests;
