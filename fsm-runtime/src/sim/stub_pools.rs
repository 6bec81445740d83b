use std::sync::Arc;

use crate::call::service::PoolEntry;
use crate::call::stub::{HandOffStub, JobStub, StubPools, lock};
use crate::{Machine, Route, Service};

/// Stubs of the pools that a machine calls and hands over to, which a test plays.
pub(super) struct Stubs {
    pools: StubPools,
    entries: Arc<[PoolEntry]>,
}

impl Stubs {
    pub(super) fn new(routes: &[Route]) -> Self {
        let mut pools = StubPools::default();
        let entries = routes.iter().map(|route| (route.stub)(&mut pools)).collect();
        Self { pools, entries }
    }

    /// An entry for each route.
    pub(super) fn entries(&self) -> Arc<[PoolEntry]> {
        Arc::clone(&self.entries)
    }

    fn job_stub<S: Service>(&self) -> &JobStub<S> {
        let found = self.pools.pools.iter().find_map(|stub| stub.downcast_ref::<Arc<JobStub<S>>>());
        found
            .unwrap_or_else(|| panic!("the machine does not call `{}`", std::any::type_name::<S>()))
    }

    fn hand_off_stub<M: Machine>(&self) -> &HandOffStub<M, M::Seed> {
        let found = self
            .pools
            .pools
            .iter()
            .find_map(|stub| stub.downcast_ref::<Arc<HandOffStub<M, M::Seed>>>());
        found.unwrap_or_else(|| {
            panic!("the machine does not hand over to `{}`", std::any::type_name::<M>())
        })
    }

    /// Closes all pools: no job gets a reply any more.
    pub(super) fn close_all(&self) {
        for semaphore in &self.pools.semaphores {
            semaphore.close();
        }
    }

    /// Takes the next job for `S`.
    pub(super) fn job<S: Service>(&self) -> Option<S::Job> {
        self.job_stub::<S>().take()
    }

    /// Replies to the first job of `S` that was taken and has no reply yet; `None` lets it fail.
    pub(super) fn answer<S: Service>(&self, reply: Option<S::Reply>) {
        self.job_stub::<S>().answer(reply);
    }

    pub(super) fn room<S: Service>(&self, jobs: usize) {
        self.job_stub::<S>().semaphore.set_limit(jobs);
    }

    pub(super) fn close<S: Service>(&self) {
        let stub = self.job_stub::<S>();
        stub.semaphore.close();
        stub.drop_jobs();
    }

    pub(super) fn seed<M: Machine>(&self) -> Option<M::Seed> {
        lock(&self.hand_off_stub::<M>().seeds).pop_front()
    }

    pub(super) fn room_for<M: Machine>(&self, connections: usize) {
        self.hand_off_stub::<M>().semaphore.set_limit(connections);
    }
}
