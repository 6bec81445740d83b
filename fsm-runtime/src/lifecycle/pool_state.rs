use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock, Weak};

use crate::call::hand_off::HandOffTarget;
use crate::call::job_sink::JobSink;
use crate::call::semaphore::Semaphore;
use crate::lifecycle::accept_gate::AcceptGate;
use crate::lifecycle::drain_group::DrainGroup;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::facts::PoolFacts;
#[cfg(all(feature = "pool", unix))]
use crate::lifecycle::moving::Moving;
use crate::lifecycle::phase::AtomicPhase;
pub(crate) use crate::lifecycle::phase::Phase;
use crate::lifecycle::shards::Shards;
use crate::outgoing::connections::Outgoing;
use crate::outgoing::jobs::ConnectionJobs;
use crate::scheduler::observe::Observe;
#[cfg(feature = "transitions")]
use crate::stats::EdgeCounters;
use crate::stats::{Accounting, Counters, JourneyCounts};
use crate::{Ended, Service, Stats};

/// The state of a pool, which its threads share with each other and with its handles.
#[derive(Debug)]
pub(crate) struct PoolState {
    phase: AtomicPhase,
    /// One permit for each connection or job.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) counters: Arc<Counters>,
    #[cfg(feature = "transitions")]
    pub(crate) edges: EdgeCounters,
    /// The journeys that were measured.
    pub(crate) journeys: Arc<JourneyCounts>,
    pub(crate) gate: AcceptGate,
    shards: Shards,
    /// Where plain threads give jobs to the pool.
    jobs: Entry,
    /// Where they give connections to it.
    adopts: Entry,
    /// The connections that the pool opens, if it opens any.
    outgoing: OnceLock<Arc<Outgoing>>,
    /// The connections that move to another process.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) moving: Moving,
    group: DrainGroup<PoolState>,
    pub(crate) facts: PoolFacts,
}

impl PoolState {
    pub(crate) fn new(facts: PoolFacts, limit: usize) -> Self {
        Self {
            phase: AtomicPhase::new(),
            permits: Arc::new(Semaphore::new(limit)),
            counters: Arc::default(),
            #[cfg(feature = "transitions")]
            edges: EdgeCounters::new(facts.spec.edges().count()),
            journeys: Arc::default(),
            gate: AcceptGate::new(limit),
            shards: Shards::default(),
            jobs: Entry::default(),
            adopts: Entry::default(),
            outgoing: OnceLock::new(),
            #[cfg(all(feature = "pool", unix))]
            moving: Moving::default(),
            group: DrainGroup::new(),
            facts,
        }
    }

    /// Bounds the connections or jobs. Accepting resumes at `low_water_mark` or fewer.
    pub(crate) fn set_limit(&self, limit: usize, low_water_mark: usize) {
        self.permits.set_limit(limit);
        self.gate.set_low_water_mark(low_water_mark);
    }

    /// Makes pools drain together, because they hand connections over to each other.
    pub(crate) fn join(pools: &[Arc<Self>]) {
        let permits_out = Arc::<AtomicUsize>::default();
        for pool in pools {
            pool.permits.share_count(Arc::clone(&permits_out));
            pool.group.set(pools);
        }
    }

    /// Attaches the ports of a pool that is about to start, of which `accepting` have listeners.
    pub(crate) fn attach(self: &Arc<Self>, ports: Box<[Weak<dyn Observe>]>, accepting: usize) {
        self.gate.open(accepting);
        let this = Arc::downgrade(self);
        self.permits.on_release(Box::new(move || {
            if let Some(pool) = this.upgrade() {
                pool.has_room();
            }
        }));
        self.shards.attach(ports);
        self.open_connection_jobs();
        // A handle may have closed the pool before its ports were here to be closed.
        if self.phase() == Phase::Close {
            self.close();
        }
    }

    /// Lets plain threads give jobs to the pool.
    pub(crate) fn open_jobs<S: Service>(&self, sink: &Arc<dyn JobSink<S>>) {
        self.jobs.open(sink);
    }

    /// Lets plain threads give connections to the pool.
    pub(crate) fn open_adoption<Seed: 'static>(&self, target: &Arc<dyn HandOffTarget<Seed>>) {
        self.adopts.open(target);
    }

    /// The target for connections from plain threads, from the start of the pool until it drains.
    pub(crate) fn adoption<Seed: 'static>(&self) -> Option<Arc<dyn HandOffTarget<Seed>>> {
        self.adopts.get().filter(|_| self.phase() == Phase::Run)
    }

    /// Sets the connections that the pool opens, before it starts.
    pub(crate) fn set_outgoing(&self, outgoing: Arc<Outgoing>) {
        // A pool is made once.
        let _ = self.outgoing.set(outgoing);
    }

    /// Notes that a connection which the pool has opened ended before its first turn.
    pub(crate) fn opened_in_vain(&self, target: Option<usize>) {
        if let (Some(outgoing), Some(target)) = (self.outgoing.get(), target) {
            outgoing.lost(target);
        }
    }

    /// Lets plain threads give jobs to the connections of the pool.
    fn open_connection_jobs(&self) {
        if let Some(jobs) = self.connection_jobs() {
            self.jobs.open_weak(Arc::clone(jobs).weak_entry());
        }
    }

    /// The sink for jobs from plain threads, from the start of the pool until it drains.
    pub(crate) fn jobs<S: Service>(&self) -> Option<Arc<dyn JobSink<S>>> {
        self.jobs.get().filter(|_| self.phase() == Phase::Run)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.load()
    }

    /// Drains the pool, and those that it shares connections with.
    pub(crate) fn drain(&self) {
        self.for_group(|pool| {
            pool.phase.advance(Phase::Drain);
            pool.shards.interrupt();
        });
    }

    /// Makes the threads that poll look at what there is to do without an event.
    pub(crate) fn interrupt(&self) {
        self.shards.interrupt();
    }

    /// Closes the pool at once.
    pub(crate) fn close(&self) {
        self.phase.advance(Phase::Close);
        // The ports close first: a caller that learns from its permit that the pool is closed may
        // rely on it that nothing begins there any more.
        self.shards.close();
        self.permits.close();
        if let Some(outgoing) = self.outgoing.get() {
            outgoing.close();
        }
    }

    /// Counts the end of a connection or job that had no turn, and releases its permit.
    pub(crate) fn ended(&self, why: Ended) {
        self.counters.ended(why);
        self.released();
    }

    /// Releases the permit of a connection or job, after all that it held was dropped.
    #[inline]
    pub(crate) fn released(&self) {
        if self.permits.release() {
            self.has_room();
        }
        if self.gate.descriptor_freed() {
            self.shards.interrupt();
        }
    }

    /// Pauses accepting, because the limit of connections is reached. Returns whether it stays
    /// paused and was not paused before.
    pub(crate) fn pause_accepting(&self) -> bool {
        let newly_paused = self.gate.pause();
        // The connections whose ends would resume it may all have ended before it was paused.
        !self.resume_accepting() && newly_paused
    }

    /// Leaves new connections to another process, which has the same listeners.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn hold_accepting(&self) {
        self.gate.hold();
    }

    /// Closes those, in a drain, who were accepted before and have no place, because another process has the data.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn turn_away(&self) {
        self.gate.turn_away();
    }

    /// Accepts again.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn resume_held(&self) {
        self.gate.resume_held();
        self.shards.interrupt();
    }

    /// Notes that a shard has taken all connections from its backlogs, and accepts no more.
    pub(crate) fn shard_stopped_accepting(&self) {
        self.gate.shard_stopped();
        self.close_if_drained();
    }

    /// Closes the pool if it drains and nothing is left, in it or in a pool that may hand back to
    /// it.
    ///
    /// Must be called after each step that may have been the last one: when a permit was returned,
    /// when a shard has stopped accepting, and when a shard without listeners begins to drain.
    #[inline]
    pub(crate) fn close_if_drained(&self) {
        if self.phase() == Phase::Drain && self.is_drained() {
            self.for_group(Self::close);
        }
    }

    /// The jobs that the connections of the pool answer, if it opens any that do.
    pub(crate) fn connection_jobs(&self) -> Option<&Arc<dyn ConnectionJobs>> {
        self.outgoing.get()?.jobs.as_ref()
    }

    /// The permits that other pools and plain threads ask for.
    pub(crate) fn offered_permits(&self) -> &Arc<Semaphore> {
        self.connection_jobs().map_or(&self.permits, |jobs| jobs.permits())
    }

    pub(crate) fn stats(&self) -> Stats {
        let own = self.permits.accounting();
        let offers = self.connection_jobs().map(|jobs| jobs.permits().accounting());
        self.counters.snapshot(offers.map_or(own, |offers| Accounting { peak: own.peak, ..offers }))
    }

    /// Reacts to the return of a permit that no caller waits for.
    #[inline]
    fn has_room(&self) {
        self.resume_accepting();
        self.close_if_drained();
    }

    #[inline]
    fn resume_accepting(&self) -> bool {
        let resumed = self.gate.resume_if_low(&self.permits);
        if resumed {
            self.shards.interrupt();
        }
        resumed
    }

    /// Whether no connection or job is left in the whole group, and none can come.
    fn is_drained(&self) -> bool {
        let mut stopped = true;
        self.for_group(|pool| stopped &= pool.has_stopped());
        // The permits are counted only after all pools have stopped, because before that a pool may
        // accept a connection although no permit is out. A connection that moves within the group gets
        // the permit of the new pool before it returns that of the old one, so the sum is not 0
        // meanwhile.
        stopped && self.permits.group_out() == 0
    }

    /// Whether the pool drains, or is closed, and none of its shards accepts any more.
    fn has_stopped(&self) -> bool {
        self.phase() >= Phase::Drain && self.gate.is_shut()
    }

    fn for_group(&self, mut visit: impl FnMut(&Self)) {
        match self.group.members() {
            Some(members) => members.for_each(|pool| visit(&pool)),
            None => visit(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Spec, State, Wait};

    const SPEC: &Spec = &Spec::new("Test", &[State::new("Gone", &[Wait::End])]);

    /// A pool that is attached without ports, so that nothing but its state is tested.
    fn pool(accepting: usize) -> Arc<PoolState> {
        let pool = Arc::new(PoolState::new(PoolFacts::new("test", SPEC), 4));
        pool.attach(Box::new([]), accepting);
        pool
    }

    #[test]
    fn x11_a_pool_closes_when_it_has_stopped_accepting_and_all_permits_are_back() {
        let pool = pool(1);
        let permit = pool.permits.try_acquire().ok();
        pool.drain();
        pool.close_if_drained();
        pool.shard_stopped_accepting();
        assert_eq!(pool.phase(), Phase::Drain, "a connection is open");
        drop(permit);
        assert_eq!(pool.phase(), Phase::Close);
    }

    #[test]
    fn x11_a_group_closes_together_and_not_before_its_last_acceptance() {
        let (first, second) = (pool(1), pool(1));
        PoolState::join(&[Arc::clone(&first), Arc::clone(&second)]);
        first.drain();
        assert_eq!(second.phase(), Phase::Drain, "one drains the other");
        first.shard_stopped_accepting();
        assert_eq!(first.phase(), Phase::Drain, "the second still accepts");
        let accepted = second.permits.try_acquire().ok();
        second.shard_stopped_accepting();
        assert_eq!(second.phase(), Phase::Drain, "what it has accepted may move to the first");
        let moved = first.permits.try_acquire().ok();
        drop(accepted);
        assert_eq!((first.phase(), second.phase()), (Phase::Drain, Phase::Drain));
        drop(moved);
        assert_eq!((first.phase(), second.phase()), (Phase::Close, Phase::Close));
    }

    #[test]
    fn a_pool_that_was_closed_before_its_start_stays_closed() {
        let pool = Arc::new(PoolState::new(PoolFacts::new("test", SPEC), 4));
        pool.close();
        pool.attach(Box::new([]), 1);
        pool.drain();
        assert_eq!(pool.phase(), Phase::Close);
        assert!(pool.permits.try_acquire().is_err());
    }
}
