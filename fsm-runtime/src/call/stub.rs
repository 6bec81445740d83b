use std::any::Any;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Service;
use crate::call::hand_off::{DetachedConnection, HandOffTarget};
use crate::call::job_sink::JobSink;
use crate::call::mailboxes::ReplySender;
use crate::call::semaphore::{Permit, Semaphore};
use crate::call::service::PoolEntry;

/// Each pool once.
#[derive(Default)]
pub(crate) struct StubPools {
    pub(crate) pools: Vec<Box<dyn Any>>,
    pub(crate) semaphore: Vec<Arc<Semaphore>>,
}

/// Makes a pool that a test plays, unless it is among those that are `pools` already, and an entry
/// to it.
pub(crate) type StubFactory = fn(&mut StubPools) -> PoolEntry;

/// A pool that takes jobs.
pub(crate) struct JobStub<S: Service> {
    pub(crate) semaphore: Arc<Semaphore>,
    /// Jobs that the test has not seen.
    pub(crate) waiting: Mutex<VecDeque<(S::Job, Given)>>,
    /// Those that it has seen and not answered.
    pub(crate) taken: Mutex<VecDeque<Given>>,
}

/// Where the reply to a job goes, and the room that it takes until then.
pub(crate) struct Given {
    pub(crate) to: ReplySender,
    pub(crate) _credit: Permit,
}

/// A pool that takes connections.
pub(crate) struct HandOffStub<M, Seed> {
    pub(crate) semaphore: Arc<Semaphore>,
    pub(crate) seeds: Mutex<VecDeque<Seed>>,
    target: PhantomData<fn(M)>,
}

pub(crate) fn stub_jobs<S: Service>(pools: &mut StubPools) -> PoolEntry {
    let context =
        pools.pools.iter().find_map(|context| context.downcast_ref::<Arc<JobStub<S>>>()).cloned();
    let context = context.unwrap_or_else(|| {
        let semaphore = Arc::new(Semaphore::new(usize::MAX));
        pools.semaphore.push(Arc::clone(&semaphore));
        let context = Arc::new(JobStub::<S> {
            semaphore,
            waiting: Mutex::default(),
            taken: Mutex::default(),
        });
        pools.pools.push(Box::new(Arc::clone(&context)));
        context
    });
    Box::new(context as Arc<dyn JobSink<S>>)
}

pub(crate) fn stub_hand_offs<M: 'static, Seed: Send + 'static>(pools: &mut StubPools) -> PoolEntry {
    let hand_off_stub = pools
        .pools
        .iter()
        .find_map(|hand_off_stub| hand_off_stub.downcast_ref::<Arc<HandOffStub<M, Seed>>>())
        .cloned();
    let hand_off_stub = hand_off_stub.unwrap_or_else(|| {
        let semaphore = Arc::new(Semaphore::new(usize::MAX));
        pools.semaphore.push(Arc::clone(&semaphore));
        let hand_off_stub = Arc::new(HandOffStub::<M, Seed> {
            semaphore,
            seeds: Mutex::default(),
            target: PhantomData,
        });
        pools.pools.push(Box::new(Arc::clone(&hand_off_stub)));
        hand_off_stub
    });
    Box::new(hand_off_stub as Arc<dyn HandOffTarget<Seed>>)
}

impl<S: Service> JobSink<S> for JobStub<S> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    fn submit(&self, job: S::Job, permit: Permit, to: ReplySender) {
        lock(&self.waiting).push_back((job, Given { to, _credit: permit }));
    }
}

impl<M, Seed: Send> HandOffTarget<Seed> for HandOffStub<M, Seed> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    fn arrive(&self, seed: Seed, permit: Permit, _: DetachedConnection) {
        // Its connection stays in that pool, as far as the test goes.
        permit.keep();
        lock(&self.seeds).push_back(seed);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
